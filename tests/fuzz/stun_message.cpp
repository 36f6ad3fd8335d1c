// STUN and TURN replies in datagrams (RFC 8489).
#include "probe/net/stun.hpp"
#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void stun_message(Input input) {
  const auto stranger = stun::describe_non_stun(input);
  FUZZ_REQUIRE(!find_invalid_utf8(stranger) && !has_control_characters(stranger));
  const auto message = stun::parse(input);
  if (message.has_error()) {
    FUZZ_REQUIRE(!stun::to_string(message.error()).empty());
    return;
  }
  FUZZ_REQUIRE(input.size() >= stun::header_size && input.size() <= stun::max_message);
  FUZZ_REQUIRE(message->error_code == 0 ||
               (message->error_code >= 300 && message->error_code < 700));
  FUZZ_REQUIRE(!find_invalid_utf8(stun::printable(message->reason)));
  if (message->realm) (void)stun::long_term_key("user", *message->realm, "password");
  (void)message->mapped();
  // An answer is of a class that answers, and never to another transaction.
  auto other = message->id;
  other[0] ^= 1;
  FUZZ_REQUIRE(!message->answers(stun::Method::binding, other));
  const std::uint8_t key[] = {1, 2, 3};
  FUZZ_REQUIRE(message->has_integrity || !stun::integrity_matches(input, key));
  // Less than a message is no message.
  FUZZ_REQUIRE(stun::parse(input.first(input.size() - 1)).has_error());
}

}  // namespace callready::fuzz
