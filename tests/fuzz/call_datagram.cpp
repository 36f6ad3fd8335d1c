// What comes to the port of WebRTC calls: the first byte says whose bytes the rest are, a caller's
// after his proof or a stranger's.
#include "probe/net/stun.hpp"
#include "probe/serve/call_sessions.hpp"
#include "probe/webrtc/long_hello.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void call_datagram(Input input) {
  static webrtc::Identity identity;
  if (input.empty()) return;
  const auto part = webrtc::part_of_client_hello(input);
  FUZZ_REQUIRE(!part || (input.size() >= 25 && *part < 1U << 24));
  const SocketAddress known{IpAddress::v4({192, 0, 2, 7}), 4'000},
      stranger{IpAddress::v4({192, 0, 2, 8}), 4'000};
  serve::CallSessions sessions({}, {IpAddress::v4({198, 51, 100, 1})}, 5'000);
  webrtc::LocalEnd local;
  local.keys = {"ours", "abcdefghijklmnopqrstuv", identity.fingerprint(), "actpass"};
  const auto now = Instant{} + std::chrono::hours(1);
  const auto opened = sessions.open(webrtc::print_offer(local), known.address, known.address, now);
  const auto answer = webrtc::parse_sdp(opened.answer);
  FUZZ_REQUIRE(answer);
  const auto keys = answer->keys_of(answer->media.at(0));
  stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
  builder.add_text(stun::Attribute::username, keys.ufrag + ":ours");
  const auto check = builder.finish(bytes_of(keys.password));
  const auto nobody = [](std::span<const std::uint8_t>, const SocketAddress& to,
                         const serve::CallSessions::Own&) {
    FUZZ_REQUIRE(to.address == IpAddress::v4({192, 0, 2, 7}));
  };
  sessions.take(check, known, now, nobody);
  sessions.take(input, known, now, nobody);
  sessions.take(input, stranger, now, nobody);  // draws nothing
  sessions.tick(now + std::chrono::seconds(31), nobody);
  FUZZ_REQUIRE(sessions.size() == 0);
}

}  // namespace callready::fuzz
