#include "probe/util/base64.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using namespace std::string_view_literals;

std::string decoded(std::string_view text) {
  const auto bytes = from_base64(text);
  return bytes ? std::string(bytes->begin(), bytes->end()) : "none";
}

// RFC 4648 section 10.
TEST(Base64, KnowsTheStandardsOwnExamples) {
  constexpr std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                        {"f", "Zg=="},
                                                                        {"fo", "Zm8="},
                                                                        {"foo", "Zm9v"},
                                                                        {"foob", "Zm9vYg=="},
                                                                        {"fooba", "Zm9vYmE="},
                                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(decoded(text), bytes);
  }
}

TEST(Base64, TakesNothingElse) {
  for (const auto text : {"Zg"sv, "Zg="sv, "Z==="sv, "===="sv, "Zm9v\n"sv, "Zm9 "sv, "Zm9*"sv,
                          " Zm9"sv, "Zg==Zg=="sv}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace callready
