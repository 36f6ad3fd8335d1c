#include "probe/webrtc/whip_client.hpp"

#include <gtest/gtest.h>

namespace callready::webrtc {
namespace {

TEST(WhipClient, ReadsAReplyHoweverItComes) {
  const std::string text =
      "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nLocation: /whip/a\r\n"
      "Content-Length: 5\r\n\r\nv=0\r\n";
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    WhipReader reader;
    EXPECT_TRUE(reader.take({bytes, cut}));
    EXPECT_TRUE(reader.take({bytes + cut, text.size() - cut}));
    const auto reply = reader.reply();
    ASSERT_TRUE(reply) << cut;
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->location, "/whip/a");
    EXPECT_EQ(reply->body, "v=0\r\n");
    EXPECT_TRUE(reply->goes_on);
  }
}

std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(WhipClient, AnInterimReplyIsNotTheReply) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n";
  const std::string text = "HTTP/1.1 100 Continue\r\n\r\n" + interim +
                           "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    WhipReader reader;
    EXPECT_TRUE(reader.take(as_bytes(text.substr(0, cut))));
    EXPECT_TRUE(reader.take(as_bytes(text.substr(cut))));
    const auto reply = reader.reply();
    ASSERT_TRUE(reply) << cut;
    EXPECT_EQ(reply->status, 403);
  }
  WhipReader endless;
  bool taken = true;
  for (int i = 0; i < 1'000 && taken; ++i) taken = endless.take(as_bytes(interim));
  EXPECT_FALSE(taken);
  EXPECT_FALSE(endless.reply());
}

// A web server's long page about what it has not got is a refusal, too.
TEST(WhipClient, AReplyCountsWithoutABodyThatIsTooLong) {
  const std::string missing = "HTTP/1.1 404 Not Found\r\n", page(70'000, 'a');
  for (const auto& rest : {"Content-Length: 70000\r\n\r\n" + page,
                           "Transfer-Encoding: chunked\r\n\r\n11170\r\n" + page, "\r\n" + page}) {
    WhipReader reader;
    EXPECT_TRUE(reader.take(as_bytes(missing)));
    EXPECT_TRUE(reader.take(as_bytes(rest)));
    EXPECT_TRUE(reader.take(as_bytes(page)));
    const auto reply = reader.reply();
    ASSERT_TRUE(reply) << rest.substr(0, 20);
    EXPECT_EQ(reply->status, 404);
    EXPECT_EQ(reply->body, "");
    EXPECT_FALSE(reply->goes_on);
  }
}

TEST(WhipClient, AReplyMayEndWithTheConnection) {
  const std::string text = "HTTP/1.1 503 Busy\r\nRetry-After: 5\r\n\r\nlater";
  WhipReader reader;
  EXPECT_TRUE(reader.take(as_bytes(text)));
  EXPECT_FALSE(reader.reply());
  reader.end();
  const auto reply = reader.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "later");
  EXPECT_FALSE(reply->goes_on);
  for (const std::string cut :
       {"", "HTTP/1.1 503 Busy\r\n", "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nv=0"}) {
    WhipReader other;
    EXPECT_TRUE(other.take(as_bytes(cut)));
    other.end();
    EXPECT_FALSE(other.reply()) << cut;
  }
}

TEST(WhipClient, TakesResourcesOfTheSameHostOnly) {
  EXPECT_EQ(whip_resource("/whip/a", "h:1"), "/whip/a");
  EXPECT_EQ(whip_resource("https://h:1/whip/a", "h:1"), "/whip/a");
  EXPECT_EQ(whip_resource("https://h/whip/a", "h:443"), "/whip/a");
  EXPECT_EQ(whip_resource("https://h:443/whip/a", "h:443"), "/whip/a");
  EXPECT_EQ(whip_resource("https://h/whip/a", "h:1"), "");
  EXPECT_EQ(whip_resource("/whip/~a", "h:1"), "/whip/~a");
  for (const auto* other :
       {"", "whip", "//evil/a", "https://evil/a", "http://h:1/a", "/a b", "https://h:1.evil/a"}) {
    EXPECT_EQ(whip_resource(other, "h:1"), "") << other;
  }
}

}  // namespace
}  // namespace callready::webrtc
