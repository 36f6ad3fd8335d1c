// Signatures in minisign's format, and keys: whoever serves the sets writes these.
#include "targets/minisign.hpp"

#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/targets/signer.hpp"

namespace callready::fuzz {
void minisign(Input input) {
  static const test::Signer one(1), two(2);
  static const std::vector<MinisignKey> keys = {one.key(), two.key()};
  constexpr std::string_view message = "the sets";
  const auto text = text_of(input);
  const auto result = verify_minisign(message, text, keys);
  FUZZ_REQUIRE(result.signer.empty() != result.problem.empty());
  FUZZ_REQUIRE(!has_control_characters(result.problem));
  if (result.problem.empty()) {
    // It is of these bytes and of this key, and of no others.
    FUZZ_REQUIRE(!verify_minisign("other sets", text, keys).problem.empty());
    FUZZ_REQUIRE(!verify_minisign(message, text, {}).problem.empty());
  }
  FUZZ_REQUIRE(count_signers(message, text, keys) <= keys.size());
  if (const auto key = MinisignKey::parse(text)) FUZZ_REQUIRE(key->name().size() == 16);
}

}  // namespace callready::fuzz
