// Replies of a WHIP endpoint as the client reads them (RFC 9112): cut anywhere, the same comes out.
#include "probe/webrtc/whip_client.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void whip_reply(Input input) {
  if (input.empty()) return;
  webrtc::WhipReader whole, pieces;
  const bool taken = whole.take(input.subspan(1));
  bool taken_too = true;
  in_pieces(input.subspan(1), input[0],
            [&](Input piece) { taken_too = taken_too && pieces.take(piece); });
  if (!taken || !taken_too) return;
  const auto one = whole.reply(), other = pieces.reply();
  FUZZ_REQUIRE(one.has_value() == other.has_value());
  if (!one) return;
  FUZZ_REQUIRE(one->status == other->status && one->body == other->body);
  const auto path = webrtc::whip_resource(one->location, "h:1");
  FUZZ_REQUIRE(path.empty() || path[0] == '/');
}

}  // namespace callready::fuzz
