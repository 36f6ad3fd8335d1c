// Who refused: the target, or a device on the way in its name?
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// After a refusal that seems to be the target's own (a RST, or ICMP port-unreachable from its
// address), sends the same packet once more, with a TTL that expires at the first router beyond the
// site's edge (SiteEdge). A refusal that still comes was made nearer, unless the target itself is
// nearer: so it also checks that other packets to the target go farther. Does nothing if the
// outcome is not `refused`, the route is not direct, or the target is inside the site.
//
// Evidence "refuser" with the fact `who`:
//   "this_computer" over TCP, before anything is sent: a SYN that cannot leave this computer is
//                   reset as well; the outcome becomes `rejected`, "kept_here"
//   "on_the_way"    the outcome becomes `rejected`, "refused_on_the_way"; `by` is the device
//   "beyond"        the packet left the site (`by`: as far as that router), and was refused there
//   "not_measured"  the fact of that name says why
//
// `payload`: what was sent over UDP; TCP needs none.
asio::awaitable<void> ask_who_refused(Context& context, Job job, std::vector<std::uint8_t> payload,
                                      Observation& observation);

}  // namespace callready::checks
