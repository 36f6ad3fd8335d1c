#include "probe/util/digest.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Hkdf, IsThatOfTheRfc) {
  const std::vector<std::uint8_t> secret(22, 0x0b);  // RFC 5869, appendix A.3
  EXPECT_EQ(hex(hkdf_sha256(secret, "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

}  // namespace
}  // namespace callready
