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

TEST(Url, LeavesTheRest) {
  for (const auto* text :
       {"", "http://proxy:3128", "https://[2001:db8::1]:443/a/b", "a@b.example",
        "sip:anonymous@anonymous.invalid", "http://example.com/a@b", "5 of 7 endpoints?"}) {
    EXPECT_EQ(without_secrets(text), text);
  }
}

}  // namespace
}  // namespace callready
