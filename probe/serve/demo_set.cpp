#include "probe/serve/demo_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probe/model/words.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

struct Row {
  std::string id, title, purpose;
  CheckKind check;
  std::string transport, host, ports;
  std::string extra;  // more lines of YAML, indented as the row is
};

std::vector<Row> rows(const DemoPorts& ports) {
  const auto at = [](std::uint16_t port) { return std::to_string(port); };
  const std::string page = "    with: { path: /ncsi.txt, body: Microsoft NCSI }\n";
  return {
      {"dns-address", "Names of the service", "Everything begins with a name", CheckKind::dns,
       "udp", "ns", at(ports.dns),
       "    with: { server: \"true\", name: www." + demo_domain + ", type: A }\n"},
      {"dns-srv", "Where the SIP server is", "Phones find their server by SRV", CheckKind::dns,
       "tcp", "ns", at(ports.dns),
       "    with: { server: \"true\", name: _sip._udp." + demo_domain + ", type: SRV }\n"},
      {"web-open", "Web server", "Sign in", CheckKind::tcp, "tcp", "www", at(ports.https), ""},
      {"web-tls", "Web server, encrypted", "Sign in", CheckKind::tls, "tls", "www", at(ports.https),
       ""},
      {"web-page", "A known page", "Shows who answers for the web server", CheckKind::http, "tcp",
       "www", at(ports.http), page},
      {"web-proxy", "Web server through the proxy", "Sign in where only a proxy goes out",
       CheckKind::proxy, "tcp", "www", at(ports.https),
       "    proxy: required\n    severity: recommended\n"},
      {"stun-udp", "STUN over UDP", "One's own public address", CheckKind::stun, "udp", "stun",
       at(ports.stun), ""},
      {"stun-tcp", "STUN over TCP", "The same where UDP is closed", CheckKind::stun, "tcp", "stun",
       at(ports.stun), "    severity: optional\n"},
      {"stun-tls", "STUN over TLS", "The same where only TLS goes out", CheckKind::stun, "tls",
       "stun", at(ports.stun_tls), "    severity: optional\n"},
      {"turn-udp", "TURN over UDP", "Audio and video between networks", CheckKind::turn, "udp",
       "turn", at(ports.stun), ""},
      {"turn-tcp", "TURN over TCP", "The same where UDP is closed", CheckKind::turn, "tcp", "turn",
       at(ports.stun), "    severity: recommended\n"},
      {"turn-tls", "TURN over TLS", "The same where only TLS goes out", CheckKind::turn, "tls",
       "turn", at(ports.stun_tls), "    severity: recommended\n"},
      {"media", "Audio and video", "RTP", CheckKind::udp_range, "udp", "media",
       ports.media.to_string(), ""},
      {"stream", "A stream like a call's", "How a call would sound, each way", CheckKind::media,
       "udp", "media", at(ports.stamp),
       "    with: { seconds: \"1\", authenticated: \"true\" }\n    severity: optional\n"},
      {"call", "A WebRTC call", "Whether a browser's call gets through", CheckKind::ice, "tls",
       "call", at(ports.whip),
       "    with: { stun: \"stun." + demo_domain + ":" + at(ports.stun) + "\" }\n"},
      {"sip-udp", "SIP over UDP", "Registration and calls", CheckKind::sip, "udp", "sip",
       at(ports.sip), ""},
      {"sip-tcp", "SIP over TCP", "Registration and calls", CheckKind::sip, "tcp", "sip",
       at(ports.sip), ""},
      {"sip-tls", "SIP over TLS", "Encrypted registration and calls", CheckKind::sip, "tls", "sip",
       at(ports.sip_tls), ""},
      {"time", "The time", "A right clock, without which phones refuse certificates",
       CheckKind::ntp, "udp", "ntp", at(ports.ntp), ""},
  };
}

struct Capability {
  std::string id, title;
  std::vector<std::string> all;       // needed, each of them
  std::vector<std::string> first_of;  // one of these too, ordered by worth
};

std::vector<Capability> capabilities() {
  return {
      {"sign-in", "Sign in and messaging", {"dns-address", "web-open", "web-tls", "web-page"}, {}},
      {"proxied", "Sign in through the proxy", {"web-proxy"}, {}},
      {"media",
       "Audio, video and screen sharing",
       {"stun-udp", "media", "call"},
       {"turn-udp", "turn-tls", "turn-tcp"}},
      {"sip", "SIP registration", {}, {"sip-tls", "sip-tcp", "sip-udp"}},
      {"phones", "Desk phones", {"dns-srv", "time"}, {}},
  };
}

std::string print(const Row& row) {
  return fmt::format(
      "  - id: {}\n    title: {}\n    purpose: \"{}\"\n    source: \"the demo itself\"\n{}"
      "    vantage: [pc]\n    check: {}\n    transport: [{}]\n    ports: [{}]\n    hosts: "
      "[{}.{}]\n",
      row.id, row.title, row.purpose, row.extra, to_string(row.check), row.transport, row.ports,
      row.host, demo_domain);
}

}  // namespace

std::string demo_target_set(const DemoPorts& ports, const std::vector<std::string>& kinds,
                            const std::string& today) {
  std::string requirements;
  std::vector<std::string> present;
  for (const auto& row : rows(ports)) {
    if (!contains(kinds, to_string(row.check))) continue;
    if (row.check == CheckKind::ice && ports.whip == 0) continue;
    requirements += print(row);
    present.push_back(row.id);
  }
  const auto kept = [&](std::vector<std::string> ids) {
    std::erase_if(ids, [&](const std::string& id) { return !contains(present, id); });
    return ids;
  };
  std::string needs;
  for (const auto& capability : capabilities()) {
    const auto all = kept(capability.all);
    const auto first_of = kept(capability.first_of);
    if (all.empty() && first_of.empty()) continue;
    needs +=
        fmt::format("  - id: {}\n    title: {}\n    needs:\n", capability.id, capability.title);
    for (const auto& id : all) needs += fmt::format("      - {}\n", id);
    if (first_of.empty()) continue;
    needs += fmt::format("      - first_of: [{}]\n", fmt::join(first_of, ", "));
  }
  const std::string head = fmt::format(
      "schema: callready.targets/1\nid: demo\ntitle: Demo site on loopback\nvendor: callready\n"
      "document: callready demo\npublished: {0}\nverified: {0}\n",
      today);
  return head + "\ncapabilities:\n" + needs + "\nrequirements:\n" + requirements;
}

}  // namespace callready::serve
