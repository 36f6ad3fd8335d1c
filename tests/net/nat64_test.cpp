#include "probe/net/nat64.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

struct Row {
  const char *prefix, *made;
};

// RFC 6052 section 2.4, for 192.0.2.33.
const Row rows[] = {
    {"2001:db8::/32", "2001:db8:c000:221::"},
    {"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
    {"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"},
    {"2001:db8:122:344::/96", "2001:db8:122:344::c000:221"},
    {"64:ff9b::/96", "64:ff9b::c000:221"},
};

TEST(Nat64, MakesAddressesAsItsTableSays) {
  for (const auto& row : rows) {
    const auto made = nat64_address(*Network::parse(row.prefix), address("192.0.2.33"));
    EXPECT_EQ(made, address(row.made)) << row.prefix << " gave " << made.to_string();
  }
}

TEST(Nat64, FindsThePrefixOfTheWellKnownName) {
  for (const auto& row : rows) {
    const auto prefix = *Network::parse(row.prefix);
    const auto answer = nat64_address(prefix, address("192.0.0.171"));
    EXPECT_EQ(nat64_prefix(answer), prefix) << row.prefix;
  }
}

TEST(Nat64, OtherAddressesShowNone) {
  EXPECT_FALSE(nat64_prefix(address("2001:db8::1")));
  EXPECT_FALSE(nat64_prefix(address("64:ff9b::c000:221")))
      << "192.0.2.33 is not the well-known one";
  EXPECT_FALSE(nat64_prefix(address("192.0.0.170")));
}

}  // namespace
}  // namespace callready
