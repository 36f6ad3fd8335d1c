// What the demo's SIP server answers to anything (RFC 3261 section 8.2): never more than a little
// beyond the request over UDP, so that nobody can use it to flood others.
#include "probe/serve/sip_message.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void sip_request(Input input) {
  SocketAddress peer{IpAddress::v4({192, 0, 2, 1}), 40'000};
  const auto reply = serve::answer_sip({}, input, peer, true);
  FUZZ_REQUIRE(reply.size() <= input.size() + serve::SipIdentity().growth);
  FUZZ_REQUIRE(peer.address == IpAddress::v4({192, 0, 2, 1}));
  (void)serve::answer_sip({}, input, peer, false);
  FUZZ_REQUIRE(serve::sip_frame(input) <= static_cast<std::ptrdiff_t>(1 << 20));
}

}  // namespace callready::fuzz
