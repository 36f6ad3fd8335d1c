#include "probe/model/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready {
namespace {

struct Phrase {
  std::string_view detail, words;
};

// Details that have words of their own; all others fall back on the outcome's.
constexpr Phrase phrases[] = {
    {"expired", "its certificate has expired"},
    {"not_yet_valid", "its certificate is not valid yet"},
    {"wrong_name", "its certificate is for another name"},
    {"untrusted", "its certificate is not trusted by this machine"},
    {"incomplete_chain", "it does not send its whole certificate chain"},
    {"tls_timed_out", "connected, but the TLS handshake got no answer"},
    {"unexpected_issuer", "its certificate is not from the vendor's own authority"},
    {"private_pki", "answered (its certificate is from the vendor's own authority)"},
    {"not_tls", "connected, but what answered does not speak TLS"},
    {"tls_version", "connected, but it speaks only outdated versions of TLS"},
    {"tls_protocol", "connected, but what answered does not speak TLS"},
    {"tls_alert", "connected, but the server refused the TLS handshake"},
    {"sip_timed_out", "connected, but SIP got no answer"},
    {"stun_timed_out", "connected, but STUN got no answer"},
    {"mismatched_reply", "the answer was to another request"},
    {"no_service", "the domain says that it has no such service"},
    {"rewritten", "a device on the way rewrites SIP"},
    {"suspected", "a device on the way may rewrite SIP"},
    {"no_rewriting_seen", "no rewriting of SIP seen"},
    {"inconclusive", "answered, but not enough to tell whether SIP is rewritten"},
    {"only_other_port", "no answer on this port, though another port of the server answers"},
    {"server_silent", "not tried: the SIP server has not answered"},
    {"connection_reset", "the connection was cut"},
    {"closed_by_peer", "the connection was closed without an answer"},
    {"no_such_name", "the name does not exist"},
    {"no_address", "the name has no address"},
    {"dns_failed", "the name server could not answer for this name"},
    {"dns_unreachable", "no name server answered"},
    {"http_timed_out", "connected, but the web server did not answer"},
    {"unexpected_status", "answered, but not with the expected status"},
    {"unexpected_body", "answered, but with another page than expected"},
    {"no_upgrade", "answered, but without switching to WebSocket"},
    {"bad_upgrade", "something else than the server answered the switch to WebSocket"},
    {"no_proxy", "not tried: no proxy is set"},
    {"bad_proxy", "not tried: the proxy's URL cannot be used"},
    {"proxy_unreachable", "the proxy could not be reached"},
    {"proxy_unresolved", "the proxy's name could not be resolved"},
    {"proxy_timed_out", "the proxy accepted the connection, but did not answer"},
    {"not_a_proxy", "what answered at the proxy's address is no proxy"},
    {"pac_evaluated", "the PAC file was read and asked"},
    {"pac_unreadable", "the PAC file cannot be read"},
    {"pac_empty", "the PAC file is empty"},
    {"pac_bad_url", "the PAC file's address cannot be used"},
    {"pac_script", "the PAC file's script fails"},
    {"pac_timed_out", "the PAC file's script does not come to an end"},
    {"pac_crashed", "the PAC file's script brought its process down"},
    {"full_size", "full-size packets get through"},
    {"path_mtu", "packets have to be smaller, and a router says so"},
    {"padding_ignored", "small packets are answered, padded ones are not: nothing is known"},
    {"black_hole", "small packets get through, large ones vanish"},
    {"ipv6_first", "connected by IPv6"},
    {"ipv4_first", "connected by IPv4; by IPv6 it takes longer, or fails"},
    {"ipv4_only", "connected by IPv4; it has no IPv6 address"},
    {"ipv6_only", "connected by IPv6; it has no IPv4 address"},
    {"no_record", "the name exists, but has no such record"},
    {"dropped", "dropped before it left the site"},
    {"inbound_dropped", "packets get out, and what is sent back does not come in"},
    {"partly_dropped", "some of its ports are dropped before they leave the site"},
    {"partly_prohibited", "some of its ports are blocked on the way"},
    {"servfail", "the name server could not answer for this name"},
    {"unexpected_answer", "the name server answered something else than expected"},
    {"truncated", "the answer needs DNS over TCP, and that did not work"},
    {"not_synchronised", "the time server does not know the time itself"},
    {"kiss_deny", "the time server does not serve this site"},
    {"kiss_rstr", "the time server does not serve this site"},
    {"kiss_rate", "the time server says that it is asked too often"},
    {"malformed", "the answer was not understandable"},
    {"oversized", "the answer was too long"},
    {"client_certificate_wanted", "answered (it wants its own clients' certificate)"},
    {"no_room", "not tried: more ports of one host within ten seconds would look like a scan"},
    {"not_needed", "not needed: its first choice answered"},
    {"stopped", "not finished: the run was stopped first"},
    {"other_family", "not tried: an address of the IP version that was excluded"},
    {"internal_error", "not measured: an error of this program, see the log"},
    {"no_route", "not tried: this computer has no route there"},
    {"out_of_resources", "not tried: this computer ran out of sockets"},
};

const Phrase* phrase_of(const Observation& observation) {
  const auto* found = std::find_if(std::begin(phrases), std::end(phrases), [&](const Phrase& row) {
    return row.detail == observation.detail;
  });
  return found == std::end(phrases) ? nullptr : found;
}

// "401", "503": what a protocol's own status says needs no words of ours.
bool is_status(std::string_view detail) {
  return !detail.empty() && detail.find_first_not_of("0123456789") == std::string_view::npos;
}

// The others are said with their detail.
bool outcome_has_words(Outcome outcome) {
  return outcome != Outcome::failed && outcome != Outcome::denied && outcome != Outcome::skipped;
}

}  // namespace

std::string_view in_capitals(Transport transport) {
  switch (transport) {
    case Transport::udp:
      return "UDP";
    case Transport::tcp:
      return "TCP";
    case Transport::tls:
      return "TLS";
  }
  return "?";
}

std::string endpoint_in_words(const Target& target) {
  if (target.host.empty()) return "this network";
  const bool v6 = target.host.find(':') != std::string::npos;
  auto text = fmt::format("{}{}{}:{} ({})", v6 ? "[" : "", target.host, v6 ? "]" : "",
                          target.ports.to_string(), in_capitals(target.transport));
  if (!target.route.direct()) text += " through the proxy";
  return text;
}

std::string refusing_device(const Observation& observation) {
  // Who refuses in the server's name signs the ICMP error with it.
  for (const auto& evidence : observation.evidence) {
    const bool caught = evidence.kind == "refuser" && text_fact(evidence, "who") == "on_the_way";
    if (caught) return text_fact(evidence, "by");
  }
  for (const auto& evidence : observation.evidence) {
    const bool told = text_fact(evidence, "result") == "prohibited" &&
                      (evidence.kind == "udp_port" || evidence.kind == "hop");
    if (evidence.kind != "icmp_error" && !told) continue;
    auto device = text_fact(evidence, told ? "by" : "sender");
    if (!device.empty()) return device;
  }
  return {};
}

bool detail_has_words(const Observation& observation) {
  return phrase_of(observation) != nullptr || is_status(observation.detail) ||
         !outcome_has_words(observation.outcome);
}

std::string outcome_in_words(const Observation& observation) {
  const auto& detail = observation.detail;
  if (const auto* phrase = phrase_of(observation)) return std::string(phrase->words);
  const auto with_detail = [&](std::string_view plain, std::string_view before) {
    if (detail.empty()) return std::string(plain);
    auto words = detail;
    std::replace(words.begin(), words.end(), '_', ' ');
    return fmt::format("{}: {}", before, words);
  };
  switch (observation.outcome) {
    case Outcome::answered:
      return is_status(detail) ? "answered " + detail : "answered";
    case Outcome::connected:
      return "connected";
    case Outcome::passed:
      return "leaves the site; the far end does not answer strangers";
    case Outcome::refused:
      return "refused by the server";
    case Outcome::rejected: {
      const auto device = refusing_device(observation);
      return device.empty() ? "blocked on the way" : "blocked on the way by " + device;
    }
    case Outcome::silent:
      return "no answer";
    case Outcome::failed:
      return with_detail("answered wrongly", "failed");
    case Outcome::denied:
      return with_detail("denied", "denied");
    case Outcome::unresolved:
      return "the name could not be resolved";
    case Outcome::skipped:
      return with_detail("not tried", "not tried");
  }
  return "?";
}

}  // namespace callready
