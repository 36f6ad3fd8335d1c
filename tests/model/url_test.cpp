#include "probe/model/url.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Url, LosesWhatMayBeSecret) {
  EXPECT_EQ(without_secrets("http://alice:secret@proxy.example.com:3128/a.pac?token=1#x"),
            "http://proxy.example.com:3128/a.pac");
  EXPECT_EQ(without_secrets("https://alice@example.com"), "https://example.com");
  EXPECT_EQ(without_secrets("http://a:b@c@example.com/"), "http://example.com/");
  EXPECT_EQ(without_secrets("PROXY alice:secret@proxy:80; DIRECT"), "PROXY proxy:80; DIRECT");
  EXPECT_EQ(without_secrets("no answer from http://a:b@h:1/?q, \"http://c:d@i/\"."),
            "no answer from http://h:1/ \"http://i/\".");
}

TEST(Url, LosesAPasswordWithTheMarksOfAUrl) {
  EXPECT_EQ(without_secrets("http://alice:pa/ss@proxy:3128/a.pac"), "http://proxy:3128/a.pac");
  EXPECT_EQ(without_secrets("http://alice:p#s?s@proxy"), "http://proxy");
  EXPECT_EQ(without_secrets("http://alice:p^w|x{y}@proxy"), "http://proxy");
  EXPECT_EQ(without_secrets("http://a:b@c,http://d:e@f"), "http://c,http://f");
  EXPECT_EQ(without_secrets("http://alice@bob:pa/ss@proxy"), "http://proxy");
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "a:b://";
  EXPECT_EQ(without_secrets(many), many) << "without an end, or too deep";
}

TEST(Url, TellsWhetherThereIsALogin) {
  for (const auto* url : {"http://alice@proxy", "http://alice:pa/ss@proxy", "http://a:p w@proxy"})
    EXPECT_TRUE(has_login(url)) << url;
  for (const auto* url : {"http://proxy/a@b", "http://proxy:80/a?b@c", "C:/alice@b.pac"})
    EXPECT_FALSE(has_login(url)) << url;
}

TEST(Url, LeavesTheRest) {
  for (const auto* text :
       {"", "http://proxy:3128", "https://[2001:db8::1]:443/a/b", "a@b.example",
        "sip:anonymous@anonymous.invalid", "http://example.com/a@b", "http://example.com:80/a@b",
        "5 of 7 endpoints?", "C:\\Users\\jane@corp\\x.pac", "C:/Users/jane@corp/x.pac",
        "host:/export@2/x"}) {
    EXPECT_EQ(without_secrets(text), text);
  }
}

}  // namespace
}  // namespace callready
