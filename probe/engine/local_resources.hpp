// What this computer itself has for a run: sockets, IPv6 and time. Where it has too few sockets,
// fewer probes are made at a time, and what could not be made is said to be for that, and never the
// network's fault.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {

// How many of `wanted` probes there are sockets for at a time; at least one.
int probes_at_a_time(int wanted, const platform::Descriptors& descriptors);

// A note for the report where probes could not be made for want of something of this computer's.
std::optional<Text> note_of_shortage(const std::vector<ProbeResult>& results,
                                     const platform::Descriptors& descriptors);

// A note where servers have IPv6 addresses, and this computer has no way to them: that is no fault.
std::optional<Text> note_of_missing_ipv6(const std::vector<ProbeResult>& results);

// A note where the site's resolvers say by Mozilla's canary domain that Firefox is not to use DNS
// over HTTPS by default (probe/model/canary.hpp): a fact, no fault. Errors of the server count for
// Firefox, too, and are nobody's word.
std::optional<Text> note_of_canary(const std::vector<ProbeResult>& results);

// A note where this computer was busy with other things for so much of the run that its figures are
// worse than the network's.
std::optional<Text> note_of_stalls(Milliseconds loop_stall, Milliseconds run);

}  // namespace callready
