// What the demo's STUN and TURN server answers to anything (RFC 8489): a reply that our own client
// reads, and never more than a few times the request.
#include "probe/net/stun.hpp"
#include "probe/serve/stun_message.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void stun_request(Input input) {
  serve::StunArrival arrival;
  arrival.client = {IpAddress::v4({192, 0, 2, 1}), 40'000};
  arrival.local = {IpAddress::v4({192, 0, 2, 2}), 3478};
  arrival.other = SocketAddress{IpAddress::v4({192, 0, 2, 3}), 3479};
  const auto reply = serve::answer_stun({}, input, arrival);
  const auto size = serve::stun_frame(input);
  FUZZ_REQUIRE(size < 0 || static_cast<std::size_t>(size) <= 65'535 + stun::header_size);
  if (reply.bytes.empty()) return;
  const auto parsed = stun::parse(reply.bytes);
  FUZZ_REQUIRE(!parsed.has_error() || parsed.error() == stun::Fault::wrong_cookie);
  FUZZ_REQUIRE(reply.to.address == arrival.client.address);
}

}  // namespace callready::fuzz
