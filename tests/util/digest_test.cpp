#include "probe/util/digest.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace callready {
namespace {

TEST(Hkdf, IsThatOfTheRfc) {
  const std::vector<std::uint8_t> secret(22, 0x0b);  // RFC 5869, appendix A.3
  EXPECT_EQ(hex(hkdf_sha256(secret, "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Random, FillsAllThatItIsGivenAndIsNeverTheSame) {
  const auto one = random_bytes<32>(), other = random_bytes<32>();
  EXPECT_NE(one, other);
  std::vector<std::uint8_t> bytes(64, 0);
  fill_with_random(std::span(bytes).subspan(8, 48));
  EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + 8, 0), 8);
  EXPECT_EQ(std::count(bytes.end() - 8, bytes.end(), 0), 8);
  EXPECT_LT(std::count(bytes.begin(), bytes.end(), 0), 40);
}

}  // namespace
}  // namespace callready
