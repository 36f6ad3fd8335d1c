#include "probe/model/ip.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const std::string text :
       {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:0:0:1",
        "2001:db8:0:1:1:1:1:1", "1::", "64:ff9b::c000:201"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1")->to_string(), "::ffff:c000:201");
}

TEST(IpAddress, RefusesEverythingElse) {
  for (const std::string text : {"",
                                 "1",
                                 "127.1",
                                 "1.2.3",
                                 "1.2.3.4.5",
                                 "1.2.3.256",
                                 "01.2.3.4",
                                 "1.2.3.4/8",
                                 " 1.2.3.4",
                                 ":",
                                 ":::",
                                 "1::2::3",
                                 "1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:8:9",
                                 "12345::",
                                 "g::",
                                 "fe80::1%eth0",
                                 "1.2.3.4::",
                                 "::1.2.3",
                                 "1:2:3:4:5:6:7::8"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KnowsWhatNoPublicHostCanHave) {
  for (const std::string text :
       {"127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.9.9", "100.64.0.1", "169.254.1.1",
        "224.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "fe80::1", "fd00::1", "ff02::1", "::"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_special()) << text;
  }
  for (const std::string text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"}) {
    EXPECT_FALSE(IpAddress::parse(text)->is_special()) << text;
  }
}

TEST(IpAddress, CountsUpwardsToTheEndOfItsFamily) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->plus(1)->to_string(), "10.0.1.0");
  EXPECT_EQ(IpAddress::parse("10.0.0.0")->plus(65536 + 7)->to_string(), "10.1.0.7");
  EXPECT_FALSE(IpAddress::parse("255.255.255.255")->plus(1));
  EXPECT_EQ(IpAddress::parse("2001:db8::ffff")->plus(1)->to_string(), "2001:db8::1:0");
}

TEST(Network, TellsAlignmentMembershipAndBounds) {
  const auto aligned = Network::parse("54.172.60.0/23");
  ASSERT_TRUE(aligned);
  EXPECT_TRUE(aligned->aligned());
  EXPECT_EQ(aligned->last().to_string(), "54.172.61.255");
  EXPECT_TRUE(aligned->contains(*IpAddress::parse("54.172.61.7")));
  EXPECT_FALSE(aligned->contains(*IpAddress::parse("54.172.62.0")));
  EXPECT_FALSE(aligned->contains(*IpAddress::parse("::1")));

  const auto slip = Network::parse("54.244.51.0/23");
  ASSERT_TRUE(slip);
  EXPECT_FALSE(slip->aligned());
  EXPECT_EQ(slip->masked().to_string(), "54.244.50.0/23");

  for (const std::string text :
       {"1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3/8", "::/129", "::/-1"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("8.8.8.8")));
}

TEST(AddressRange, NeedsOneFamilyInOrder) {
  const auto range = AddressRange::parse("50.57.24.241 - 50.57.24.254");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->to_string(), "50.57.24.241-50.57.24.254");
  EXPECT_TRUE(range->contains(*IpAddress::parse("50.57.24.250")));
  EXPECT_FALSE(range->contains(*IpAddress::parse("50.57.24.255")));
  EXPECT_FALSE(AddressRange::parse("2.2.2.2-1.1.1.1"));
  EXPECT_FALSE(AddressRange::parse("1.1.1.1-::2"));
  EXPECT_FALSE(AddressRange::parse("1.1.1.1"));
}

TEST(PortRange, RefusesZeroDisorderAndOverflow) {
  EXPECT_EQ(PortRange::parse("443")->to_string(), "443");
  EXPECT_EQ(PortRange::parse("10000-20000")->count(), 10001u);
  for (const std::string text :
       {"0", "65536", "70000", "-1", "443-", "20-10", "4 43", "0443", "a"}) {
    EXPECT_FALSE(PortRange::parse(text)) << text;
  }
}

TEST(Authority, BracketsIpv6) {
  EXPECT_EQ(authority("example.com", 443), "example.com:443");
  EXPECT_EQ(authority("2001:db8::1", 443), "[2001:db8::1]:443");
  EXPECT_EQ(authority("2001:db8::1", PortRange{5000, 5100}), "[2001:db8::1]:5000-5100");
}

}  // namespace
}  // namespace callready
