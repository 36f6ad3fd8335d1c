#include "tests/support/sip_middlebox.hpp"

namespace callready::test {
namespace {

bool replace(std::string& text, const std::string& part, const std::string& by) {
  const auto at = text.find(part);
  if (at == std::string::npos) return false;
  text.replace(at, part.size(), by);
  return true;
}

SipScript pass(const SipMiddlebox& box, std::string request, const SocketAddress& from) {
  const auto outside = box.mapped.value_or(from);
  const bool stream = sip_header(request, "Via").starts_with("SIP/2.0/TCP");
  const std::string word = stream ? "/TCP " : "/UDP ";
  if (box.rewrites_requests) {
    replace(request, word + from.to_string() + ";", word + outside.to_string() + ";");
  }
  if (!box.server_fills_rport) replace(request, ";rport", ";x-rport");
  auto reply = sip_reply(request, outside, "200 OK");
  // Section 18.2.2: without `rport` the reply goes to the port in the Via, which only the NAT's own
  // mapping lets back in.
  const auto via = sip_header(request, "Via");
  const bool to_sender = via.find(";rport") != std::string::npos ||
                         via.find(":" + std::to_string(outside.port) + ";") != std::string::npos;
  if (!to_sender && !stream) return {};  // section 18.2.2: over a connection it goes back there
  // nf_nat_sip touches `received` and `rport` only if the Via itself belongs to its flow.
  if (box.rewrites_replies &&
      replace(reply, word + outside.to_string() + ";", word + from.to_string() + ";")) {
    replace(reply, ";received=" + outside.address.to_string(),
            ";received=" + from.address.to_string());
    replace(reply, ";rport=" + std::to_string(outside.port), ";rport=" + std::to_string(from.port));
  }
  return {{reply}};
}

}  // namespace

SipAnswer behind(const SipMiddlebox& box) {
  return [box](const std::string& request, const SocketAddress& from) {
    return pass(box, request, from);
  };
}

}  // namespace callready::test
