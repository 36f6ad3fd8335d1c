// STUN and ChannelData over TCP (RFC 8656 section 12.5): however the stream is cut, the same
// messages come out of it.
#include "probe/net/stun_framer.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {
namespace {

struct Cut {
  std::vector<stun::Bytes> frames;
  bool broken = false;
  bool operator==(const Cut&) const = default;
};

void take(stun::Framer& framer, Cut& cut) {
  while (const auto frame = framer.next()) {
    FUZZ_REQUIRE(frame->bytes.size() <= stun::max_message);
    cut.frames.push_back(frame->bytes);
  }
  cut.broken = framer.fault().has_value();
}

}  // namespace

void stun_stream(Input input) {
  if (input.empty()) return;
  const bool channels = (input[0] & 0x80) != 0;
  const auto rhythm = static_cast<std::uint8_t>(input[0] & 0x7F);
  const auto stream = input.subspan(1);

  Cut whole, pieces;
  stun::Framer at_once(channels), slowly(channels);
  at_once.push(stream);
  take(at_once, whole);
  in_pieces(stream, rhythm, [&](Input piece) {
    slowly.push(piece);
    take(slowly, pieces);
  });
  FUZZ_REQUIRE(whole == pieces);
}

}  // namespace callready::fuzz
