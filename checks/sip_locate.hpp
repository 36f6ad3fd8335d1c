// Where a domain's SIP servers are (RFC 3263): NAPTR, then SRV, then its own address.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

struct SipTarget {
  std::string host;
  std::uint16_t port = 0;
};

struct SipLocation {
  std::vector<SipTarget> targets;  // in the order in which they are to be tried
  std::optional<Failure> failure;  // where there are none
  bool no_service = false;         // the domain says that there are none
  Observation seen;                // evidence `sip_naptr`, `sip_srv`: what was asked, what came
  Milliseconds took{0};
};

// For the transport of `target`. NAPTR and the SRV name of that transport are asked for at once; a
// NAPTR record for the transport leads to its SRV name instead (section 4.1). Without SRV records,
// or if the domain is an address, the only target is the domain itself with the port of `target`
// (section 4.2).
asio::awaitable<SipLocation> locate_sip(Context& context, std::string domain, Target target);

// Evidence `sip_target`: one server that was tried, and the outcome.
void add_sip_target(Observation& seen, const SipTarget& target, const Observation& attempt);

}  // namespace callready::checks
