// Whom the user's logins are for: settled once the plan names all proxies and servers of the run.
#pragma once

#include "probe/engine/proxy_discovery.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// A proxy that the user has named gets the login from its own URL, otherwise the credentials' one;
// one that a PAC file named gets the latter if `proxy_hosts` has it. The TURN login goes to
// `turn_hosts`; if the user names none, to the TURN servers of the only service of this run that
// has some, if its set is ours and not somebody's file. The notes name what nobody gets.
void settle_logins(checks::Credentials& credentials, const ProxyDiscovery& proxies,
                   const Plan& plan, const std::vector<TargetSet>& sets, std::vector<Text>& notes);

}  // namespace callready
