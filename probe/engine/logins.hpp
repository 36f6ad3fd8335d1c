// Whom the user's logins are for: settled once the plan names all proxies and servers of the run.
#pragma once

#include "probe/engine/proxy_discovery.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// A proxy that the user has named gets the login of its own URL, else the one of the credentials;
// one that a PAC file named gets that one where `proxy_hosts` has it. The login for TURN is for
// `turn_hosts`; where the user names none, for the TURN servers of the one service of this run that
// has some, if its set is ours and not somebody's file. What nobody gets is said in the notes.
void settle_logins(checks::Credentials& credentials, const ProxyDiscovery& proxies,
                   const Plan& plan, const std::vector<TargetSet>& sets, std::vector<Text>& notes);

}  // namespace callready
