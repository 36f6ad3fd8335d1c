// Only the web gets out: worlds decide it (docs/design.md, "How neighbours are told apart", 4).
#include <algorithm>

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {
namespace {

bool is_web(std::uint16_t port) { return port == 80 || port == 443; }

// A rule that leaves TCP to the web's ports alone.
bool spares_the_web(const reach::Box& box) {
  reach::Packet https;
  https.port = 443;
  return box.ports.empty() && !loses(fate_of(box, https));
}

}  // namespace

// The web, and nothing else. What is less than likely is reported for UDP and the ports one by one.
Causes find_web_only(const Diagnosis& context) {
  const auto lost_tcp = context.probes_that([&](const ProbeResult& result) {
    const auto port = result.probe.target.port();
    const bool other = is_direct(result) && !is_udp(result) && !is_web(port) && port != 53;
    return other && failing(result) && !is_inside(result) && !context.explained(result);
  });
  // Where a server showed a certificate, even one that nobody trusts.
  const auto with_certificate = context.select([](const Flow& flow) {
    return !flow.udp && flow.port == 443 && any_sample(flow, [](const FlowSample& sample) {
      return !chain_of(*sample.result).empty();
    });
  });
  const auto https = set_of(with_certificate, &Flow::network);
  if (lost_tcp.empty() || https.size() < 2) return {};
  AllClosed udp(context, [](const reach::Packet& packet) { return packet.udp; });
  AllClosed other_tcp(
      context, [](const reach::Packet& packet) { return !packet.udp && !is_web(packet.port); });
  // By one rule, or by one for each.
  const auto told = told_by_worlds(context, [&](const auto& box, const auto& world) {
    const auto closes_udp = [&](auto number) {
      return udp.by(context.worlds().boxes[number], world);
    };
    return spares_the_web(box) && other_tcp.by(box, world) &&
           std::ranges::any_of(world.boxes, closes_udp);
  });
  if (!told || told->confidence() == possible) return {};
  // Silence alone shows no device of the site's own.
  const bool seen = any_blocked(context.select([](const Flow& flow) {
    return flow.udp ? flow.port != 53 : !is_web(flow.port) && flow.port != 53;
  }));
  if (!seen && !silence_tells(context)) return {};
  Cause cause(lost_tcp);
  append(cause.explained, failing_udp(context));
  if (!context.affects_requirement(cause.explained)) return {};
  const auto plain = context.select([](const Flow& flow) { return !flow.udp && flow.port == 80; });
  const bool plain_web = std::ranges::any_of(plain, [](const Flow* flow) { return out(*flow); });
  // Where nobody tried port 80 it is not known to be closed.
  cause.closes = plain_web || plain.empty() ? Closes::all_but_web : Closes::all_but_https;
  cause.name(FindingCode::firewall_web_only,
             seen ? told->confidence() : std::max(told->confidence(), likely));
  cause.title = phrase("The firewall lets only web traffic out (TCP {}443)",
                       plain_web ? phrase("80 and ") : "");
  cause.fix = phrase("Allow outgoing and return traffic {}: {}.{}", from_users(context),
                     asked_flows(context, cause), where_the_list_is(context, cause.explained));
  const auto ports = ports_of(lost_tcp);
  const auto lost = context.select([&](const Flow& flow) {
    return !flow.udp && any_sample(flow, [&](const FlowSample& sample) {
      return contains(lost_tcp, sample.result);
    });
  });
  const auto closed = set_of(lost, &Flow::network);
  cause.tell(closed.size() == 1
                 ? phrase("HTTPS to {} networks works; TCP {} to one network does not.",
                          https.size(), listed(ports, 8))
                 : phrase("HTTPS to {} networks works; TCP {} to {} networks does not.",
                          https.size(), listed(ports, 8), closed.size()));
  add_what_udp_met(cause, context);
  cause.show(lost_tcp, 4);
  return {cause};
}

}  // namespace callready::findings
