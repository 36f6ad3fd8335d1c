// What comes back to a QUIC packet (RFC 9000), and the frames of a server that has seen it.
#include "probe/net/quic.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void quic_reply(Input input) {
  const quic::Attempt attempt;  // all zeros, so that seeds match
  const auto reply = quic::parse_reply(input, attempt);
  if (reply.has_value()) {
    const bool versions = reply->packet == quic::Packet::versions;
    FUZZ_REQUIRE(versions != reply->versions.empty());
    FUZZ_REQUIRE(reply->versions.size() <= 16 && reply->server.size() <= 20);
    FUZZ_REQUIRE(quic::client_close(attempt, reply->server).has_value());
  }
  // Nobody guesses a sealed packet: its frames are any.
  static const auto keys = quic::initial_keys(attempt.destination);
  if (input.empty() || input.size() > 1'400) return;
  const auto sealed =
      quic::seal_initial(keys->server, attempt.source, {}, 0, input, input.size() + 64);
  FUZZ_REQUIRE(sealed.has_value());
  const auto opened = quic::parse_reply(*sealed, attempt);
  FUZZ_REQUIRE(opened.has_value() && opened->packet == quic::Packet::initial);
}

}  // namespace callready::fuzz
