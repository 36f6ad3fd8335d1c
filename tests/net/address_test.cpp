#include "probe/net/address.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

std::string read(std::string_view text) {
  const auto address = parse_socket_address(text, 53);
  return address ? address->to_string() : "nothing";
}

TEST(SocketAddressText, IsRead) {
  EXPECT_EQ(read("192.0.2.1"), "192.0.2.1:53");
  EXPECT_EQ(read("192.0.2.1:5353"), "192.0.2.1:5353");
  EXPECT_EQ(read("2001:db8::1"), "[2001:db8::1]:53");
  EXPECT_EQ(read("[2001:db8::1]"), "[2001:db8::1]:53");
  EXPECT_EQ(read("[2001:db8::1]:65535"), "[2001:db8::1]:65535");
}

TEST(SocketAddressText, IsRefused) {
  for (const auto* text : {"", "example.com", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                           "192.0.2.1:53x", "192.0.2.1:-1", "[192.0.2.1]:53", "[2001:db8::1",
                           "[2001:db8::1]53", "2001:db8::1]:53", "[]:53", ":53"}) {
    EXPECT_EQ(read(text), "nothing") << text;
  }
}

}  // namespace
}  // namespace callready
