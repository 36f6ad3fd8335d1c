// The real digest behind pseudonyms, and the vendors whose names stay.
#include "probe/cli/privacy.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

constexpr auto key = "0123456789abcdef";

TEST(Privacy, VendorsNamesStay) {
  const auto redactor = make_redactor(key);
  for (const auto* text : {"web.openrainbow.com:443", "turn-gra1.openrainbow.com", "sbc.icvoip.net",
                           "stun.cloudflare.com", "*.webex.com", "127.0.0.1"}) {
    EXPECT_EQ(redactor.text(text), text);
  }
  for (const auto* text : {"dc1.corp.example.org", "10.20.0.15", "62.4.8.1", "jane@example.org"}) {
    EXPECT_NE(redactor.text(text), text);
  }
}

// By another program: printf 'host\0pc-4711' | openssl dgst -sha256 -hmac 0123456789abcdef
TEST(Privacy, PseudonymsAreHmacSha256) {
  const auto redactor = make_redactor(key);
  EXPECT_EQ(redactor.site({.host = "PC-4711"}).host, "host-419e6431");
}

}  // namespace
}  // namespace callready
