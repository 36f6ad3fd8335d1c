#include "targets/suggest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace callready {
namespace {

using Words = std::vector<std::string>;

TEST(Suggest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
  EXPECT_EQ(edit_distance("hosts", "hostss"), 1u);
  EXPECT_EQ(edit_distance("hosts", "hots"), 1u);
  EXPECT_EQ(edit_distance("hosts", "hoats"), 1u);
  EXPECT_EQ(edit_distance("udp", "upd"), 1u);  // a swap is one edit
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment, not full Damerau
  EXPECT_EQ(edit_distance("Room_Device", "room-device"), 0u);
  EXPECT_EQ(edit_distance(std::string(65, 'a'), "a"), 65u);
}

TEST(Suggest, FindsWhatWasMeant) {
  const Words words = {"required", "recommended", "optional"};
  EXPECT_EQ(suggest("requird", words), "required");
  EXPECT_EQ(suggest("optonal", words), "optional");
  EXPECT_EQ(suggest("Recommended", words), "recommended");
  EXPECT_EQ(suggest("must", words), std::nullopt);
  EXPECT_EQ(suggest("", words), std::nullopt);
}

TEST(Suggest, TakesTheNearest) {
  EXPECT_EQ(suggest("sip_prt", Words{"sip_post", "sip_port"}), "sip_port");
  EXPECT_EQ(suggest("tsl", Words{"tcp", "tls"}), "tls");
}

TEST(Suggest, DoesNotGuessAtShortWords) {
  EXPECT_EQ(suggest("on", Words{"in", "out"}), std::nullopt);
  EXPECT_EQ(suggest("tcp", Words{"udp"}), std::nullopt);
  EXPECT_EQ(suggest("x", Words{"y"}), std::nullopt);
}

TEST(Suggest, FindsAPartOfANameWhereOnlyOneHasIt) {
  EXPECT_EQ(suggest("rainbow", Words{"ale-rainbow", "webex"}), "ale-rainbow");
  EXPECT_EQ(suggest("web", Words{"ale-rainbow", "cisco-webex"}), "cisco-webex");
  EXPECT_EQ(suggest("sample", Words{"sample-number-one", "sample-number-two"}), std::nullopt);
}

TEST(Suggest, WordsTheEndOfASentence) {
  const Words words = {"udp", "tcp", "tls"};
  EXPECT_EQ(did_you_mean("upd", words), "; did you mean 'udp'?");
  EXPECT_EQ(did_you_mean("sctp", Words{"udp", "tls"}), "; known: udp, tls");
  EXPECT_EQ(did_you_mean("quic", words, 2), "; known: udp, tcp and 1 more");
  EXPECT_EQ(did_you_mean("quic", {}), "");
}

TEST(Suggest, LooksAtABoundedNumberOfWords) {
  Words many(1000, "something-else-entirely");
  many.push_back("target");
  EXPECT_EQ(suggest("taregt", many), std::nullopt);
  many.front() = "target";
  EXPECT_EQ(suggest("taregt", many), "target");
}

}  // namespace
}  // namespace callready
