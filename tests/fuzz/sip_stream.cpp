// SIP over TCP (RFC 3261 section 18.3): however the stream is cut, the same messages come out.
#include "probe/net/sip.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {
namespace {

struct Cut {
  std::vector<std::vector<std::uint8_t>> messages;
  bool broken = false;
  bool operator==(const Cut&) const = default;
};

void take(sip::Framer& framer, Cut& cut) {
  for (;;) {
    auto next = framer.next();
    cut.broken = next.has_error();
    if (cut.broken || !next->has_value()) return;
    FUZZ_REQUIRE((*next)->size() <= sip::max_message);
    cut.messages.push_back(std::move(**next));
  }
}

}  // namespace

void sip_stream(Input input) {
  if (input.empty()) return;
  const auto stream = input.subspan(1);
  Cut whole, pieces;
  sip::Framer at_once, slowly;
  at_once.push(stream);
  take(at_once, whole);
  in_pieces(stream, input[0], [&](Input piece) {
    slowly.push(piece);
    take(slowly, pieces);
  });
  FUZZ_REQUIRE(whole == pieces);
}

}  // namespace callready::fuzz
