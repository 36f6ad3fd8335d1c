#include <gtest/gtest.h>

#include "probe/platform/proxy_settings.hpp"

namespace callready::platform {
namespace {

TEST(ProxySettings, SayExceptionsAsNoProxyDoes) {
  EXPECT_EQ(as_no_proxy(""), "");
  EXPECT_EQ(as_no_proxy("*.corp.example;10.*;<local>"), ".corp.example,10.0.0.0/8,<local>");
  EXPECT_EQ(as_no_proxy("192.168.* 172.16.5.*; 10.*.*.*"),
            "192.168.0.0/16,172.16.5.0/24,10.0.0.0/8");
  EXPECT_EQ(as_no_proxy("a*.example;1.2.3.4;host.*;*;.*"), "1.2.3.4");
}

}  // namespace
}  // namespace callready::platform
