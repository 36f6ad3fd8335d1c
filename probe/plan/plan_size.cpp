#include "probe/plan/plan_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/plan/plan.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// A request over UDP goes out four times to a server that is silent, and a question to DNS to three
// servers.
constexpr std::size_t transmissions = 4, name_servers = 3;

// Of a probe that sends streams like a call's, 50 packets a second each.
std::size_t streams_of(const Probe& probe) { return probe.with.contains("turn") ? 3 : 1; }

std::size_t seconds_of(const Probe& probe, bool thorough) {
  const std::size_t usual = thorough ? 60 : 15;
  return whole_number<std::size_t>(parameter_of(probe, "seconds")).value_or(usual);
}

// Connections: SYN, its ACK, what the protocol sends with its ACKs, and the end of it.
std::size_t packets_if_answered(const Probe& probe, bool thorough) {
  const auto& check = probe.check;
  if (check == CheckKind::udp_range) {
    const auto ports = std::max<std::size_t>(probe.target.sample.size(), 1);
    const bool to_the_end = !probe.with.contains("stop_on_the_way");
    const std::size_t climbing = thorough ? ports : 1;
    return (to_the_end ? ports : 0) + 2 * climbing;  // each with its control
  }
  if (check == CheckKind::hop) return 2;
  if (check == CheckKind::nat) return 12;
  if (check == CheckKind::quic) return 3;
  if (check == CheckKind::sip_alg) return 4;
  if (check == CheckKind::sip_long) return 2;  // fragments of one
  if (check == CheckKind::ice) return probe.with.contains("only_gather") ? 10 : 100;
  if (check == CheckKind::media) return streams_of(probe) * (50 * seconds_of(probe, thorough) + 30);
  if (!probe.target.route.direct()) return 12;  // CONNECT, then the protocol itself
  switch (probe.target.transport) {
    case Transport::udp:
      return 1;
    case Transport::tcp:
      return check == CheckKind::tcp ? 4 : 6;
    case Transport::tls:
      return check == CheckKind::tls ? 8 : 10;
  }
  return 1;
}

bool over_udp(const Probe& probe) {
  return probe.target.transport == Transport::udp && probe.target.route.direct();
}

std::string network_of(const IpAddress& address) {
  return Network{address, address.is_v4() ? 24 : 48}.masked().to_string();
}

// "3,412"
std::string with_commas(std::size_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

}  // namespace

ProbePackets packets_of(const Probe& probe, bool thorough) {
  ProbePackets packets;
  if (probe.with.contains("hold")) {  // a relay: four a second for 20 s, there and back
    packets.answered = packets.at_most = 180;
    packets.in_window = 100;
    return packets;
  }
  packets.answered = packets_if_answered(probe, thorough);
  packets.at_most = packets.answered;
  if (probe.check == CheckKind::dns) packets.at_most *= name_servers;
  if (over_udp(probe) && probe.check != CheckKind::media) packets.at_most *= transmissions;
  // A stream keeps its own pace.
  packets.in_window = packets.at_most;
  if (probe.check == CheckKind::media) {
    packets.in_window = std::min(packets.at_most, streams_of(probe) * 530);
  }
  return packets;
}

int windows_of(const Plan& plan, const PaceLimits& pace) {
  if (pace.unlimited) return 0;
  std::map<std::string, std::set<std::uint16_t>> ports;
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (!target.route.direct()) continue;
    auto& own = ports[target.host];
    own.insert(target.sample.begin(), target.sample.end());
    if (target.sample.empty()) own.insert(target.port());
  }
  const auto full_windows_before_the_last = [](std::size_t count, int limit) {
    return count == 0 ? 0 : static_cast<int>(count - 1) / std::max(limit, 1);
  };
  int windows = full_windows_before_the_last(hosts_met(plan), pace.hosts);
  for (const auto& [host, own] : ports) {
    windows = std::max(windows, full_windows_before_the_last(own.size(), pace.ports_per_host));
  }
  return windows;
}

PlanSize size_of(const Plan& plan, const PaceLimits& pace, bool thorough) {
  PlanSize size;
  std::set<std::string> hosts, networks;
  std::size_t more = 0;
  for (const auto& planned : plan.probes) {
    const auto& probe = planned.probe;
    if (!planned.answered_by.empty()) continue;  // another's packets
    ++size.probes;
    const bool conditional = !planned.unless.empty() || !planned.unless_all.empty();
    if (!conditional) size.packets += packets_of(probe, thorough).answered;
    // It asks its second server, and the other address of the first (RFC 5780). One that stands in
    // for another asks hosts that are met anyway.
    if (probe.check == CheckKind::nat && !conditional)
      more += probe.with.contains("other") ? 2u : 1u;
    if (probe.target.host.empty() || !hosts.insert(probe.target.host).second) continue;
    if (const auto address = IpAddress::parse(probe.target.host)) {
      networks.insert(network_of(*address));
    } else {
      ++size.names;
    }
  }
  size.names += more;
  size.hosts = hosts.size() + more;
  size.networks = networks.size();
  size.pacing = windows_of(plan, pace) * pace.window;
  return size;
}

std::string announcement(const PlanSize& size, const std::string& option) {
  auto text =
      fmt::format("{}: {} probes, about {} packets, to {} hosts", option, with_commas(size.probes),
                  with_commas(size.packets), with_commas(size.hosts));
  if (size.hosts > size.names) {
    text += fmt::format(" ({} names; {} addresses in {} networks)", with_commas(size.names),
                        with_commas(size.hosts - size.names), with_commas(size.networks));
  }
  if (size.pacing.count() > 0) {
    text += fmt::format("; at least {} s at this pace; --pace fast lifts it",
                        size.pacing.count() / 1000);
  }
  return text;
}

}  // namespace callready
