// The rules behind diagnose(): one function a layer, one table in the order of judging.
#pragma once

#include <span>

#include "probe/verdict/finding_facts.hpp"

namespace callready::findings {

// A finding on its way, with the probes whose failure it explains.
struct Cause {
  Finding finding;
  std::vector<const ProbeResult*> explained;
};

// What the rules have to work with: the facts, and what earlier causes have explained already.
class Case {
 public:
  explicit Case(const Facts& all) : facts(all) {}
  const Facts& facts;

  bool explained(const ProbeResult& result) const { return explained_.contains(result.probe.id); }
  // The cell's failing probes that no earlier cause explains.
  std::vector<const ProbeResult*> open_probes(const Cell& cell) const;
  // True where at least one of them was asked for by a set, and not only as a control.
  bool matters(const std::vector<const ProbeResult*>& probes) const;
  // The same, and a capability is not ready over it: what is too weak to be said otherwise, or
  // would not matter (a fallback that the vendor does not offer), may be said then.
  bool hurts(const std::vector<const ProbeResult*>& probes) const;
  void note(const Cause& cause);

 private:
  std::set<std::string> explained_;
};

using Causes = std::vector<Cause>;
using Rule = Causes (*)(const Case&);

// The table, in the order of judging.
std::span<const Rule> rules();

// finding_site.cpp
Causes find_offline(const Case&);
Causes find_captive_portal(const Case&);
Causes find_clock_skew(const Case&);
// finding_vpn.cpp
Causes find_full_tunnel(const Case&);
// finding_path.cpp
Causes find_mtu(const Case&);
Causes find_broken_ipv6(const Case&);
// finding_dns.cpp
Causes find_dns_unreachable(const Case&);
Causes find_dns_rewritten(const Case&);
Causes find_dns_filtered(const Case&);
Causes find_outdated_names(const Case&);
Causes find_dns_slow(const Case&);
// finding_dns_tcp.cpp
Causes find_dns_without_tcp(const Case&);
// finding_pac.cpp
Causes find_pac_failure(const Case&);
// finding_proxy.cpp
Causes find_proxy_unreachable(const Case&);
Causes find_proxy_login(const Case&);
Causes find_proxy_required(const Case&);
Causes find_proxy_denials(const Case&);
Causes find_stripped_upgrades(const Case&);
// finding_rate.cpp
Causes find_rate_limit(const Case&);
// finding_tcp.cpp
Causes find_web_only(const Case&);
Causes find_tcp_ports(const Case&);
// finding_destinations.cpp
Causes find_destinations(const Case&);
// finding_flows.cpp
Causes find_flows(const Case&);
// finding_udp.cpp
Causes find_udp_blocked(const Case&);
Causes find_udp_ports(const Case&);
// finding_udp_ranges.cpp
Causes find_udp_ranges(const Case&);
Causes find_one_way_media(const Case&);
// finding_filters.cpp
Causes find_tls_filter(const Case&);
Causes find_stun_filter(const Case&);
Causes find_sip_filter(const Case&);
// finding_tls.cpp
Causes find_interception(const Case&);
Causes find_old_authorities(const Case&);
Causes find_certificate_faults(const Case&);
// finding_nat.cpp
Causes find_idle_timeout(const Case&);
Causes find_nat(const Case&);
// finding_sip_alg.cpp
Causes find_sip_alg(const Case&);
// finding_sip.cpp
Causes find_sip_errors(const Case&);
// finding_media.cpp
Causes find_media_delay(const Case&);
// finding_turn.cpp
Causes find_turn(const Case&);
// finding_vendor.cpp
Causes find_vendor_down(const Case&);

// What rule 1 of DESIGN's "How neighbours are told apart" found; web-only takes its place.
struct UdpVerdict {
  Confidence confidence = Confidence::likely;
  std::vector<FindingEvidence> evidence;
  bool only_replies = false;  // packets leave, and nothing comes back
};
std::optional<UdpVerdict> udp_is_blocked(const Facts& facts);
// The failing UDP probes to the outside, but DNS.
std::vector<const ProbeResult*> failing_udp(const Case& of);

}  // namespace callready::findings
