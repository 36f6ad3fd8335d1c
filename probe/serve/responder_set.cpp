#include "probe/serve/responder_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probe/model/words.hpp"
#include "probe/serve/call_peer.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

struct FarEndRow {
  std::string id, title, purpose;
  CheckKind check;
  std::string transports, ports, severity, with;
};

std::vector<FarEndRow> far_end_rows(const ResponderPorts& ports, const std::string& public_key) {
  const auto pin = "public_key_sha256: " + public_key;
  // Where the far end says what came to it.
  const auto counts = ports.tls.empty() || !ports.call
                          ? std::string()
                          : fmt::format(", counts: \"{}\", {}", ports.tls.front().first, pin);
  std::vector<FarEndRow> rows = {
      {"stream", "A stream like a call's", "How a call would sound, each way", CheckKind::media,
       "udp", std::to_string(ports.stream), "required", "authenticated: \"true\"" + counts}};
  if (!ports.media.empty()) {
    rows.push_back({"media", "Audio and video", "RTP, there and back", CheckKind::udp_range, "udp",
                    comma_separated(ports.media), "required",
                    "echo: \"true\", authenticated: \"true\"" + counts});
  }
  if (ports.stun) {
    const auto port = std::to_string(*ports.stun);
    rows.push_back(
        {"stun", "STUN", "One's own public address", CheckKind::stun, "udp", port, "required", ""});
    rows.push_back({"stun-tcp", "STUN over TCP", "The same where UDP is closed", CheckKind::stun,
                    "tcp", port, "optional", ""});
    if (ports.discovery) {
      rows.push_back({"nat", "NAT", "How the NAT on the way behaves (RFC 5780)", CheckKind::nat,
                      "udp", port, "recommended", ""});
    }
  }
  if (ports.sips) {
    rows.push_back({"sip-tls", "SIP over TLS", "Encrypted registration and calls", CheckKind::sip,
                    "tls", std::to_string(*ports.sips), "required", pin});
  }
  if (ports.sip) {
    const auto port = std::to_string(*ports.sip);
    rows.push_back({"sip-tcp", "SIP over TCP", "Registration and calls", CheckKind::sip, "tcp",
                    port, "required", ""});
    rows.push_back({"sip-udp", "SIP over UDP", "Registration and calls", CheckKind::sip, "udp",
                    port, "required", ""});
    rows.push_back({std::string(to_string(CheckKind::sip_alg)), "No SIP ALG",
                    "SIP must arrive as it was sent", CheckKind::sip_alg, "udp, tcp", port,
                    "recommended", "mirror: \"true\""});
  }
  if (!ports.tcp.empty()) {
    rows.push_back({"tcp", "TCP connections", "The ports that the service needs", CheckKind::tcp,
                    "tcp", comma_separated(ports.tcp), "required", ""});
  }
  if (!ports.tls.empty()) {
    rows.push_back({"tls", "TLS connections that nobody opens",
                    "Whether a device in the path inspects TLS", CheckKind::tls, "tls",
                    comma_separated(ports.tls), "required", pin});
  }
  if (ports.call) {
    rows.push_back(
        {"call", "A WebRTC call",
         fmt::format("Whether a browser's call gets through, to UDP port {}: ICE, DTLS, SRTP",
                     *ports.call),
         CheckKind::ice, "tls", std::to_string(ports.tls.front().first), "required",
         fmt::format("path: {}, {}, authenticated: \"true\"", whip_path, pin)});
  }
  return rows;
}

struct FarEndUse {
  std::string id, title;
  std::vector<std::string> rows;
};

// The figures: one-way delay from ITU-T G.114; jitter and loss as most vendors ask for them.
constexpr auto voice_figures = R"(    quality:
      one_way_delay_ms: 150
      jitter_ms: 30
      loss_percent: 1
      dscp: EF (46)
      source: "ITU-T G.114 for the delay; jitter and loss as most vendors ask"
)";

}  // namespace

std::string responder_set(const ResponderPorts& ports, const ResponderIdentity& identity) {
  const auto rows = far_end_rows(ports, identity.public_key);
  const std::vector<FarEndUse> uses = {
      {"voice", "Voice", {"stream", "media", "stun", "stun-tcp", "nat"}},
      {"sip",
       "SIP registration",
       {"sip-tls", "sip-tcp", "sip-udp", std::string(to_string(CheckKind::sip_alg))}},
      {"connections", "Connections", {"tcp", "tls"}},
      {"browser-calls", "Calls in a browser", {"call"}},
  };
  auto text = fmt::format(
      "schema: callready.targets/1\nid: responder\ntitle: \"Responder at {0}\"\n"
      "vendor: callready\ndocument: callready serve\npublished: {1}\nverified: {1}\n"
      "\ncapabilities:\n",
      identity.name, identity.today);
  for (const auto& use : uses) {
    std::string needs;
    for (const auto& row : rows) {
      if (contains(use.rows, row.id)) needs += fmt::format("      - {}\n", row.id);
    }
    if (needs.empty()) continue;
    text += fmt::format("  - id: {}\n    title: {}\n    needs:\n{}", use.id, use.title, needs);
    if (use.id == "voice") text += voice_figures;
  }
  const auto place = IpAddress::parse(identity.name) ? "addresses" : "hosts";
  text += "\nrequirements:\n";
  for (const auto& row : rows) {
    text += fmt::format(
        "  - id: {}\n    title: {}\n    purpose: \"{}\"\n    source: \"callready serve\"\n"
        "    check: {}\n    transport: [{}]\n    ports: [{}]\n    severity: {}\n    {}: [\"{}\"]\n",
        row.id, row.title, row.purpose, to_string(row.check), row.transports, row.ports,
        row.severity, place, identity.name);
    if (!row.with.empty()) text += fmt::format("    with: {{ {} }}\n", row.with);
  }
  return text;
}

}  // namespace callready::serve
