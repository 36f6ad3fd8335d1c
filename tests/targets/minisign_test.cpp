#include "targets/minisign.hpp"

#include <gtest/gtest.h>

#include "tests/targets/signer.hpp"

namespace callready {
namespace {

using test::Signer;

// Made by minisign 0.11: "callready\n", signed as it is by default (prehashed).
constexpr auto key_file =
    "untrusted comment: minisign public key 933002F956F5C203\n"
    "RWQDwvVW+QIwkzxGNJ7faZHwuFm2/WHaZhlAPz21m+wh5OdvynH0ppCL\n";
constexpr auto signature =
    "untrusted comment: signature from minisign secret key\n"
    "RUQDwvVW+QIwk35/swEcTm2vvu0K/"
    "+uTXNjO1kVbwtbScv7hjvO1XMvgQLZX3+2vvRKuvg6SmGUOCjK57CyqVybZZM4PrIV"
    "xDw0=\n"
    "trusted comment: made for a test\n"
    "iDcHjkjJOUTzb89+lzJPDhKfSQwvkeHQHGEI3gXZs0Li0DY9ZK/P76zkRL2vd6cCbtnKRplwSnlHVtL6XvnIAA==\n";
// The same by `minisign -S -l`: over the file itself.
constexpr auto legacy =
    "untrusted comment: signature from minisign secret key\n"
    "RWQDwvVW+QIwk71y3p2s7MgxyPLWNlPrHu66EOyhEtQTbHC5LCn7bk5BJxGL3L9MPpyyu+"
    "poCevTH8JJYZLQGPt6wx24Rt+"
    "91AM=\n"
    "trusted comment: old\n"
    "FNatiait/vaa8wpqtDDmHAyB4eKhsc/ysBwcg/FAcgS6LUtsy5iVhV1nm6fUBGPZFnxtRSMvkqBY/8eYuhIgBw==\n";

std::string problem_of(std::string_view bytes, std::string_view text) {
  const std::vector<MinisignKey> keys = {MinisignKey::parse(key_file).value()};
  return verify_minisign(bytes, text, keys).problem;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Minisign, VerifiesWhatMinisignSigned) {
  const std::vector<MinisignKey> keys = {MinisignKey::parse(key_file).value()};
  const auto result = verify_minisign("callready\n", signature, keys);
  EXPECT_EQ(result.problem, "");
  EXPECT_EQ(result.signer, "933002F956F5C203");
  EXPECT_EQ(problem_of("callready\n", replaced(signature, "\n", "\r\n")), "");
}

TEST(Minisign, RefusesEveryByteThatIsNotTheSignedOne) {
  for (const auto* bytes : {"", "callready", "callready\r\n", "callready\n\n", "Callready\n"}) {
    EXPECT_EQ(problem_of(bytes, signature), "does not match its signature") << bytes;
  }
  EXPECT_EQ(problem_of("callready\n", replaced(signature, "made for", "Made for")),
            "has a signature whose comment was changed");
  EXPECT_EQ(problem_of("callready\n", replaced(signature, "RUQDwvVW+QIwk35", "RUQDwvVW+QIwk36")),
            "does not match its signature");
}

TEST(Minisign, RefusesAnotherFormOfSignature) {
  const auto none = "has no signature in minisign's format (prehashed)";
  EXPECT_EQ(problem_of("callready\n", legacy), none);
  for (const auto* text : {"", "x", "untrusted comment: \n\n\n\n", key_file}) {
    EXPECT_EQ(problem_of("callready\n", text), none) << text;
  }
  std::string whole = signature;
  for (std::size_t size = 0; size + 4 < whole.size(); size += 7) {
    EXPECT_NE(problem_of("callready\n", whole.substr(0, size)), "") << size;
  }
}

TEST(Minisign, RefusesAKeyThatIsNotKnown) {
  const std::string bytes = "bytes";
  EXPECT_EQ(problem_of(bytes, Signer(7).sign(bytes)),
            "is signed with the key 0707070707070707, which this program does not know");
  EXPECT_EQ(verify_minisign(bytes, Signer(7).sign(bytes), {}).problem,
            "is signed with the key 0707070707070707, which this program does not know");
  // A key that claims to be another one.
  auto liar = Signer(7).key();
  liar.key = Signer(8).key().key;
  EXPECT_EQ(verify_minisign(bytes, Signer(7).sign(bytes), std::vector{liar}).problem,
            "does not match its signature");
}

TEST(Minisign, ReadsKeys) {
  EXPECT_EQ(MinisignKey::parse(Signer(9).line()), Signer(9).key());
  EXPECT_EQ(Signer(9).key().name(), "0909090909090909");
  for (const auto* text : {"", "RWQ", "RWQDwvVW+QIwkzxGNJ7faZHwuFm2/WHaZhlAPz21m+wh5OdvynH0ppC=",
                           "untrusted comment: only\n", "????"}) {
    EXPECT_FALSE(MinisignKey::parse(text)) << text;
  }
}

TEST(Minisign, CountsEachSignerOnce) {
  const std::string bytes = "bytes";
  const Signer one(1), two(2), three(3);
  const std::vector<MinisignKey> keys = {one.key(), two.key(), three.key()};
  EXPECT_EQ(count_signers(bytes, one.sign(bytes), keys), 1u);
  EXPECT_EQ(count_signers(bytes, one.sign(bytes) + one.sign(bytes, "again"), keys), 1u);
  EXPECT_EQ(count_signers(bytes, one.sign(bytes) + two.sign(bytes), keys), 2u);
  EXPECT_EQ(count_signers(bytes, one.sign(bytes) + two.sign("other"), keys), 1u);
  EXPECT_EQ(count_signers(bytes, one.sign(bytes) + Signer(4).sign(bytes), keys), 1u);
  EXPECT_EQ(count_signers(bytes, "x", keys), 0u);
}

}  // namespace
}  // namespace callready
