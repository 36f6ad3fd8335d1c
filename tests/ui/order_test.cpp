// What the page may ask for, and what becomes of it.
#include "probe/ui/order.hpp"

#include <gtest/gtest.h>

namespace callready::ui {
namespace {

using Words = std::vector<std::string>;

TEST(UiOrder, BecomesArguments) {
  const auto read = read_order(
      R"({"service": "rainbow", "scenarios": ["hub"], "regions": ["us", "canada"],
          "variables": {"pbx": "10.1.2.10", "ntp_server": ""}, "quality": true, "thorough": false,
          "through": "http://proxy.example.com:3128", "site": "--redact"})");
  EXPECT_EQ(read.problem, "");
  EXPECT_EQ(read.order.service, "rainbow");
  EXPECT_EQ(read.order.secrets, "");
  auto words = read.order.arguments;
  std::sort(words.begin(), words.end());
  EXPECT_EQ(words, (Words{"--proxy=http://proxy.example.com:3128", "--quality", "--region=canada",
                          "--region=us", "--scenario=hub", "--site=--redact",
                          "--var=rainbow/pbx=10.1.2.10"}));
}

TEST(UiOrder, SecretsAreNoArguments) {
  const auto read = read_order(
      R"({"service": "zoom", "turn_user": "alice", "turn_password": "wonder=land",
          "proxy_user": "", "proxy_password": "x"})");
  EXPECT_EQ(read.problem, "");
  EXPECT_TRUE(read.order.arguments.empty());
  EXPECT_NE(read.order.secrets.find("CALLREADY_TURN_USER=alice\n"), std::string::npos);
  EXPECT_NE(read.order.secrets.find("CALLREADY_TURN_PASSWORD=wonder=land\n"), std::string::npos);
  EXPECT_NE(read.order.secrets.find("CALLREADY_PROXY_PASSWORD=x\n"), std::string::npos);
  EXPECT_EQ(read.order.secrets.find("PROXY_USER"), std::string::npos) << "empty is not given";
}

TEST(UiOrder, RefusesWhatItDoesNotKnow) {
  const std::string long_line(2'000, 'x');
  for (const auto& text :
       {std::string(""), std::string("[]"), std::string("{"), std::string("{}"),
        std::string(R"({"service": ""})"), std::string(R"({"service": "--json"})"),
        std::string(R"({"service": "../x"})"), std::string(R"({"service": 7})"),
        std::string(R"({"service": "zoom", "ca_file": "/etc/shadow"})"),
        std::string(R"({"service": "zoom", "scenarios": "hub"})"),
        std::string(R"({"service": "zoom", "scenarios": [1]})"),
        std::string(R"({"service": "zoom", "quality": "yes"})"),
        std::string(R"({"service": "zoom", "site": "a\nb"})"),
        std::string(R"({"service": "zoom", "variables": ["a"]})"),
        std::string(R"({"service": "zoom", "variables": {"a=b": "c"}})"),
        std::string(R"({"service": "zoom", "variables": {"a": 1}})"),
        std::string(R"({"service": "zoom", "turn_password": "a\nCALLREADY_PUSH_TOKEN=b"})"),
        R"({"service": "zoom", "site": ")" + long_line + R"("})"}) {
    const auto read = read_order(text);
    EXPECT_NE(read.problem, "") << text;
    EXPECT_TRUE(read.order.arguments.empty() && read.order.secrets.empty()) << text;
  }
}

TEST(UiOrder, NoLoginInTheProxysAddress) {
  const auto read = read_order(R"({"service": "zoom", "through": "http://alice:s3cret@p:3128"})");
  EXPECT_NE(read.problem, "");
  EXPECT_EQ(read.problem.find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace callready::ui
