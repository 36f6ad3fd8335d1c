// How much a run is going to send, to be said before it does (docs/design.md, "Time, load and
// manners").
#pragma once

#include <cstddef>
#include <string>

#include "probe/model/plan.hpp"
#include "probe/plan/pace.hpp"

namespace callready {

struct PlanSize {
  std::size_t probes = 0;    // that send something in any case or may have to
  std::size_t packets = 0;   // that we send if everything answers; accurate to a few percent
  std::size_t hosts = 0;     // names and addresses
  std::size_t names = 0;     // of these
  std::size_t networks = 0;  // that the addresses are in: /24 of IPv4, /48 of IPv6
  std::chrono::milliseconds pacing{0};  // what the pacer adds: windows that must pass
};

// `thorough`: each port of a media range is followed to the edge of the site.
PlanSize size_of(const Plan& plan, const PaceLimits& pace, bool thorough);

// "--all: 818 probes, about 3,400 packets, to 372 hosts (161 names; 211 addresses in 58 networks);
// at least 150 s at this pace; --pace fast lifts it". `option`: what the user asked for.
std::string announcement(const PlanSize& size, const std::string& option);

// Packets that we send for one probe, if it is answered at once and if it never is; and how many of
// these in ten seconds, a window of the pace.
struct ProbePackets {
  std::size_t answered = 0, at_most = 0, in_window = 0;
};
ProbePackets packets_of(const Probe& probe, bool thorough);

// Full windows that pass before the last host, and the last port of any host, may be met.
int windows_of(const Plan& plan, const PaceLimits& pace);

}  // namespace callready
