#include "probe/serve/sip_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/net/far_end.hpp"
#include "probe/net/osip.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

constexpr int max_hops = 70;  // Vias: what Max-Forwards allows (RFC 3261 section 8.1.1.6)

using sip::Message;

Message parse(std::string_view text) {
  auto message = sip::new_message();
  if (message && osip_message_parse(message.get(), text.data(), text.size()) != 0) message.reset();
  return message;
}

// One header value as libosip2 prints it; empty where it is missing or would break the line.
template <typename Header>
std::string printed(const Header* header, int (*print)(const Header*, char**)) {
  char* text = nullptr;
  if (header == nullptr || print(header, &text) != 0 || text == nullptr) return {};
  std::string value(text);
  osip_free(text);
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return {};
  return value;
}

const char* parameter(osip_via_t* via, const char* name, bool& there) {
  osip_generic_param_t* found = nullptr;
  there = osip_via_param_get_byname(via, const_cast<char*>(name), &found) == 0 && found != nullptr;
  return there ? found->gvalue : nullptr;
}

// RFC 3581 section 4, RFC 3261 section 18.2.1: writes where the request came from into its top Via.
// Returns the port that the reply goes to.
std::uint16_t stamp(osip_via_t* via, const SocketAddress& peer) {
  const auto address = peer.address.to_string();
  bool received = false;
  bool symmetric = false;
  const char* port = parameter(via, "rport", symmetric);
  parameter(via, "received", received);
  const char* host = osip_via_get_host(via);
  const bool differs = host == nullptr || IpAddress::parse(host) != peer.address;
  if (!received && (symmetric || differs)) {
    osip_via_param_add(via, osip_strdup("received"), osip_strdup(address.c_str()));
  }
  if (symmetric && port == nullptr) {
    osip_generic_param_t* found = nullptr;
    osip_via_param_get_byname(via, const_cast<char*>("rport"), &found);
    found->gvalue = osip_strdup(std::to_string(peer.port).c_str());
  }
  if (symmetric) return peer.port;
  const char* sent_by = osip_via_get_port(via);
  return whole_number<std::uint16_t>(sent_by == nullptr ? "" : sent_by).value_or(5060);
}

// The same for a request that is sent again (RFC 3261 section 8.2.7).
std::string tag_for(std::string_view request) {
  return fmt::format("{:08x}", static_cast<std::uint32_t>(std::hash<std::string_view>()(request)));
}

bool starts_with_word(std::string_view line, std::string_view word) {
  if (line.size() <= word.size() || lower_case(line.substr(0, word.size())) != word) return false;
  const auto after = line[word.size()];
  return after == ':' || after == ' ' || after == '\t';
}

// What a mirror sends back of a request. Header lines may continue on the next (RFC 3261 7.3.1).
std::string worth_mirroring(std::string_view request) {
  static constexpr std::string_view kept[] = {"via",     "v", "from",    "f",
                                              "contact", "m", "call-id", "i"};
  const auto head = request.substr(0, request.find("\r\n\r\n"));
  std::string result;
  bool keep = true;  // the request line
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto line = head.substr(at, end - at);
    if (at > 0 && !line.starts_with(' ') && !line.starts_with('\t')) {
      keep = std::any_of(std::begin(kept), std::end(kept),
                         [&](std::string_view word) { return starts_with_word(line, word); });
    }
    if (keep) result += std::string(line) + "\r\n";
    at = end + 2;
  }
  return result + std::string(request.substr(std::min(head.size() + 2, request.size())));
}

// How long the reply is to be; 0: as it comes.
std::size_t wanted_size(std::string_view request) {
  const auto head = request.substr(0, request.find("\r\n\r\n"));
  const auto name = fmt::format("\r\n{}: ", far_end::reply_bytes);
  const auto at = head.find(name);
  if (at == head.npos) return 0;
  const auto value = head.substr(at + name.size());
  return whole_number<std::size_t>(value.substr(0, value.find('\r'))).value_or(0);
}

bool is_request(std::string_view text) {
  const auto line = text.substr(0, text.find('\r'));
  return line.ends_with(" SIP/2.0");
}

}  // namespace

Bytes answer_sip(const SipIdentity& identity, std::span<const std::uint8_t> bytes,
                 SocketAddress& peer, bool bounded) {
  const auto request = as_text(bytes);
  const auto bytes_of = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
  if (!bounded && request == "\r\n\r\n") return bytes_of("\r\n");
  if (!is_request(request) || request.find('\0') != std::string_view::npos) return {};
  const auto message = parse(request);
  if (!message || !MSG_IS_REQUEST(message.get())) return {};
  osip_message_t* sip = message.get();
  const std::string_view method = sip->sip_method == nullptr ? "" : sip->sip_method;
  osip_via_t* top = nullptr;
  if (method.empty() || method == "ACK" || osip_message_get_via(sip, 0, &top) < 0) return {};
  peer.port = stamp(top, peer);
  std::string headers;
  for (int i = 0; i <= max_hops; ++i) {
    osip_via_t* via = nullptr;
    if (osip_message_get_via(sip, i, &via) < 0) break;
    if (i == max_hops) return {};
    const auto value = printed<osip_via_t>(via, &osip_via_to_str);
    if (value.empty()) return {};
    headers += "Via: " + value + "\r\n";
  }
  const auto from = printed<osip_from_t>(sip->from, &osip_from_to_str);
  auto to = printed<osip_to_t>(sip->to, &osip_to_to_str);
  const auto call = printed<osip_call_id_t>(sip->call_id, &osip_call_id_to_str);
  const auto sequence = printed<osip_cseq_t>(sip->cseq, &osip_cseq_to_str);
  osip_generic_param_t* tag = nullptr;
  if (sip->to != nullptr) {
    osip_generic_param_get_byname(&sip->to->gen_params, const_cast<char*>("tag"), &tag);
  }
  if (!to.empty() && tag == nullptr) to += ";tag=" + tag_for(request);
  // A reply copies these (RFC 3261 section 8.2.6.2); what is not there cannot be copied.
  if (!from.empty()) headers += "From: " + from + "\r\n";
  if (!to.empty()) headers += "To: " + to + "\r\n";
  if (!call.empty()) headers += "Call-ID: " + call + "\r\n";
  if (!sequence.empty()) headers += "CSeq: " + sequence + "\r\n";
  std::string_view status = "405 Method Not Allowed";
  if (from.empty() || to.empty() || call.empty() || sequence.empty()) {
    status = "400 Bad Request";
  } else if (method == "OPTIONS") {
    status = "200 OK";
  }
  const auto busy = fmt::format("503 {}", far_end::busy);
  if (identity.busy) status = busy;
  const std::string needed = fmt::format("SIP/2.0 {}\r\n{}", status, headers);
  std::string extra = identity.busy ? "Retry-After: 2\r\n" : "Allow: OPTIONS\r\n";
  if (!identity.server.empty()) extra += "Server: " + identity.server + "\r\n";
  constexpr std::string_view end = "Content-Length: 0\r\n\r\n";
  const auto bound = request.size() + identity.growth;
  if (identity.mirror && !identity.busy) {
    const auto came = worth_mirroring(request);
    const auto body = base64(came);
    auto full =
        fmt::format("{}Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n{}",
                    needed, body.size(), body);
    // A client that asks for a long reply has sent as much.
    constexpr std::string_view filler = "X-Padding: \r\n";
    const auto wanted = std::min(wanted_size(request), request.size());
    if (bounded && full.size() + filler.size() <= wanted) {
      const std::string padding(wanted - full.size() - filler.size(), '=');
      full.insert(needed.size(), fmt::format("X-Padding: {}\r\n", padding));
    }
    if (!bounded || full.size() <= bound) return bytes_of(full);
  }
  auto reply = needed + extra + std::string(end);
  if (bounded && reply.size() > bound) reply = needed + std::string(end);
  if (bounded && reply.size() > bound) return {};
  return bytes_of(reply);
}

std::ptrdiff_t sip_frame(std::span<const std::uint8_t> bytes) {
  const auto text = as_text(bytes);
  if (text.starts_with("\r")) {
    if (text.size() < 2) return 0;
    if (text[1] != '\n') return -1;
    if (text.size() < 4) return text.size() == 3 && text[2] != '\r' ? 2 : 0;
    return text.substr(2, 2) == "\r\n" ? 4 : 2;
  }
  if (text.empty()) return 0;
  if (text[0] < 'A' || text[0] > 'Z') return -1;  // every method there is, and "SIP/2.0"
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  auto rest = text.substr(0, end);
  for (;;) {
    const auto line_end = rest.find("\r\n");
    if (line_end == std::string_view::npos) return -1;  // no Content-Length
    rest.remove_prefix(line_end + 2);
    const auto line = rest.substr(0, rest.find("\r\n"));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto name = line.substr(0, colon);
    while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
    const auto word = lower_case(name);
    if (word != "l" && word != "content-length") continue;
    const auto length = whole_number<std::size_t>(trimmed(line.substr(colon + 1)));
    if (!length || *length > 1'000'000) return -1;
    return static_cast<std::ptrdiff_t>(end + 4 + *length);
  }
}

}  // namespace callready::serve
