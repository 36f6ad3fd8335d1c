// What this computer itself has for a run: sockets, IPv6 and time. If it has too few sockets, fewer
// probes are made at a time, and what could not be made is put down to that, never to the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {

// How many of `wanted` probes there are sockets for at a time; at least one.
int probes_at_a_time(int wanted, const platform::Descriptors& descriptors);

// A note for the report if probes could not be made because this computer lacked something.
std::optional<Text> note_of_shortage(const std::vector<ProbeResult>& results,
                                     const platform::Descriptors& descriptors);

// A note if servers have IPv6 addresses, but this computer has no way to them: that is not a fault.
std::optional<Text> note_of_missing_ipv6(const std::vector<ProbeResult>& results);

// A note if the site's resolvers say through Mozilla's canary domain that Firefox is not to use DNS
// over HTTPS by default (probe/model/canary.hpp): a fact, not a fault. Firefox obeys errors of the
// server, too, but these are nobody's wish.
std::optional<Text> note_of_canary(const std::vector<ProbeResult>& results);

// A note where this computer was busy with other things for so much of the run that its figures are
// worse than the network's.
std::optional<Text> note_of_stalls(Milliseconds loop_stall, Milliseconds run);

}  // namespace callready
