// Which public addresses are the site's own.
#pragma once

#include "probe/model/ip.hpp"

namespace callready {

// True for a router whose address belongs to the same site as ours, although both are public: the
// same IPv6 /48 (RFC 6177), or IPv4 /24. Sites without NAT have more than one such router.
bool of_our_site(const IpAddress& router, const IpAddress& own);

// True where `own` is the address of a VPN tunnel of this computer: another link has an address,
// too. If none has, the "tunnel" is how this computer is connected at all (a modem).
bool is_of_a_vpn(const IpAddress& own);

}  // namespace callready
