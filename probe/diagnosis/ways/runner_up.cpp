// What else may lie behind a failure, where it is close: the likeliest world that has all of it
// from another cause, and what would tell which of them it is.
#include <algorithm>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

using reach::Code;

// Less likely than that, it is not worth a word.
constexpr double is_close = 0.05;

bool decided_by_worlds(FindingCode code) {
  switch (code) {
    case FindingCode::firewall_destination_blocked:
    case FindingCode::firewall_flow_blocked:
    case FindingCode::firewall_stun_filtered:
    case FindingCode::firewall_tcp_port_blocked:
    case FindingCode::firewall_tls_filtered:
    case FindingCode::firewall_udp_blocked:
    case FindingCode::firewall_udp_port_blocked:
    case FindingCode::firewall_udp_range_blocked:
    case FindingCode::firewall_web_only:
      return true;
    default:
      return false;
  }
}

// What one world has for these failures.
struct Behind {
  std::vector<const reach::Box*> boxes;  // each once
  bool chance = false;                   // packets get lost
};

// Nothing where it leaves one of them unexplained.
std::optional<Behind> behind(const reach::Diagnosis& drawn, const reach::World& world,
                             const std::vector<std::size_t>& failures) {
  Behind found;
  const auto& sight = drawn.sight;
  for (const auto i : failures) {
    const auto met = reach::fate_in(world, drawn.boxes, sight.packets[i], sight.events.flows[i],
                                    sight.events.slow_line);
    if (!met.met()) {
      if (reach::losses[world.loss].share < reach::is_a_cause) return std::nullopt;
      found.chance = true;
      continue;
    }
    const auto* box = &drawn.boxes[met.box];
    const bool known = std::find(found.boxes.begin(), found.boxes.end(), box) != found.boxes.end();
    if (!known) found.boxes.push_back(box);
  }
  return found;
}

Text hosts_in_words(const reach::Sight& sight, const reach::Hosts& hosts) {
  std::vector<std::string> names;
  for (const auto host : hosts) names.push_back(sight.hosts[host]);
  return listed(names);
}

// "UDP 5060", "TCP 5061 and 8443", "UDP".
Text flows_of(const reach::Box& box) {
  std::vector<std::string> ports;
  for (const auto& range : box.ports) ports.push_back(range.to_string());
  const auto protocol = box.protocol == reach::Protocol::udp   ? Text("UDP")
                        : box.protocol == reach::Protocol::tcp ? Text("TCP")
                                                               : phrase("UDP and TCP");
  return ports.empty() ? protocol : phrase("{} {}", protocol, listed(ports));
}

// Nothing for what has no word of its own here.
Text in_words(const reach::Sight& sight, const reach::Box& box) {
  const auto hosts = hosts_in_words(sight, box.hosts);
  if (reach::at_far_end(box)) {
    return box.code == Code::vendor_down
               ? phrase("servers that are out of order ({})", hosts)
               : phrase("servers that answer nobody they do not know ({})", hosts);
  }
  switch (box.code) {
    case Code::udp_blocked:
      return phrase("a firewall that blocks all UDP");
    case Code::web_only:
      return phrase("a firewall that blocks everything but the web");
    case Code::destination_blocked:
    case Code::destination_silent:
    case Code::flow_blocked:
    case Code::flow_silent:
    case Code::tcp_port_blocked:
    case Code::udp_port_blocked:
    case Code::udp_range_blocked:
      if (!box.spared_hosts.empty() || !box.spared.empty())
        return phrase("a firewall that allows {} only where a list says so", flows_of(box));
      return box.hosts.empty()
                 ? phrase("a firewall rule against {} to any destination", flows_of(box))
                 : phrase("a firewall rule against {} to {}", flows_of(box), hosts);
    case Code::connections_taken:
      return phrase("a device that answers TCP itself and passes nothing on");
    case Code::tls_filtered:
      return phrase("a filter that cuts off TLS");
    case Code::stun_filtered:
      return phrase("a device that looks for STUN and drops it");
    case Code::sip_filtered:
      return phrase("a device that looks for SIP and drops it");
    case Code::rate_limited:
    case Code::new_flows_limited:
      return phrase("a limit on new connections");
    case Code::mtu:
      return phrase("a link that drops full-size packets");
    default:
      return {};
  }
}

Text what_tells(const Behind& other) {
  const auto any = [&](auto such) {
    return std::any_of(other.boxes.begin(), other.boxes.end(),
                       [&](const auto* box) { return such(*box); });
  };
  if (any(reach::at_far_end)) {
    return phrase(
        "To tell, run this from another line, such as a phone's hotspot: if it fails there as "
        "well, it is the servers.");
  }
  const bool limited = any([](const reach::Box& box) { return box.kind == reach::Kind::limit; });
  if (other.chance || limited) {
    return phrase(
        "To tell, run this again at a quiet time: what is lost by chance differs from run to run.");
  }
  return phrase("To tell, look for this computer's packets in the firewall's log.");
}

}  // namespace

std::optional<RunnerUp> runner_up(const Diagnosis& context, const Cause& cause,
                                  const std::set<FindingCode>& said) {
  const auto& finding = cause.finding;
  if (finding.confidence == Confidence::certain || !decided_by_worlds(finding.code)) return {};
  std::set<std::string_view> lost;
  for (const auto* result : failing_ones(cause.explained)) lost.insert(result->probe.id);
  const auto& drawn = context.worlds();
  std::vector<std::size_t> failures;
  for (std::size_t i = 0; i < drawn.sight.packets.size(); ++i) {
    const auto& event = drawn.sight.events.flows[i];
    if (lost.contains(event.probe) && reach::is_bad(event.seen)) failures.push_back(i);
  }
  if (failures.empty()) return {};
  for (const auto& world : drawn.worlds) {
    if (world.probability < is_close) break;
    auto other = behind(drawn, world, failures);
    const auto code = [](const reach::Box* box) { return reach::words_of(box->code).finding; };
    if (!other || std::any_of(other->boxes.begin(), other->boxes.end(),
                              [&](const auto* box) { return code(box) == finding.code; }))
      continue;
    std::erase_if(other->boxes, [&](const auto* box) { return said.contains(code(box)); });
    std::vector<Text> causes;
    for (const auto* box : other->boxes) causes.push_back(in_words(drawn.sight, *box));
    if (other->chance) causes.push_back(phrase("packets that get lost by chance"));
    const bool all_told =
        std::none_of(causes.begin(), causes.end(), [](const Text& text) { return text.empty(); });
    if (!causes.empty() && all_told) return RunnerUp{listed_texts(causes), what_tells(*other)};
  }
  return {};
}

}  // namespace callready::findings
