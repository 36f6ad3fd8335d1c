#include "probe/net/stun_framer.hpp"

#include <gtest/gtest.h>

#include "tests/support/bytes.hpp"

namespace callready::stun::stun_framer_test {
namespace {

const TransactionId id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

Bytes message(std::string_view software) {
  Builder builder(Class::success, Method::binding, id);
  builder.add_text(Attribute::software, software);
  return builder.finish();
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(StunFramer, CutsByteByByte) {
  const Bytes data = {1, 2, 3, 4, 5};
  const auto stream = joined({message("one"), channel_data_frame(0x4001, data), message("three")});
  Framer framer(true);
  std::vector<Frame> frames;
  for (const auto byte : stream) {
    framer.push({&byte, 1});
    while (auto frame = framer.next()) frames.push_back(*frame);
  }
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(parse(frames[0].bytes)->software, "one");
  EXPECT_TRUE(frames[1].channel_data);
  EXPECT_EQ(frames[1].channel, 0x4001);
  EXPECT_EQ(frames[1].bytes, data);
  EXPECT_EQ(parse(frames[2].bytes)->software, "three");
  EXPECT_TRUE(framer.pending().empty());
  EXPECT_FALSE(framer.fault());
}

TEST(StunFramer, CutsWhatComesAtOnce) {
  Framer framer;
  framer.push(joined({message("one"), message("two")}));
  EXPECT_EQ(parse(framer.next()->bytes)->software, "one");
  EXPECT_EQ(parse(framer.next()->bytes)->software, "two");
  EXPECT_FALSE(framer.next());
}

TEST(StunFramer, PadsChannelData) {
  EXPECT_EQ(test::to_hex(channel_data_frame(0x4001, Bytes{0xaa})), "40010001aa000000");
  EXPECT_EQ(test::to_hex(channel_data_frame(0x4FFF, Bytes{})), "4fff0000");
}

TEST(StunFramer, SeesAStrangerAtOnce) {
  Framer framer;
  framer.push(test::bytes_of("H"));
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.fault(), Fault::not_stun) << "no channel is bound: not channel 0x4854";
  EXPECT_EQ(framer.pending().size(), 1u);
  framer.push(test::bytes_of("TTP"));
  EXPECT_EQ(framer.pending().size(), 1u) << "nothing is collected after a fault";
}

TEST(StunFramer, SeesAWrongCookieAtItsFirstByte) {
  Framer framer;
  framer.push(test::from_hex("0101 0000 21"));
  EXPECT_FALSE(framer.next());
  EXPECT_FALSE(framer.fault());
  framer.push(test::from_hex("13"));
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.fault(), Fault::wrong_cookie);
}

TEST(StunFramer, DoesNotWaitForWhatIsTooLarge) {
  Framer framer;
  framer.push(test::from_hex("0101 fffc"));
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.fault(), Fault::oversized);
  Framer channels(true);
  channels.push(test::from_hex("4001 ffff"));
  EXPECT_FALSE(channels.next());
  EXPECT_EQ(channels.fault(), Fault::oversized);
}

TEST(StunFramer, ALengthIsAMultipleOfFour) {
  Framer framer;
  framer.push(test::from_hex("0101 0003 2112a442"));
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.fault(), Fault::not_stun);
}

}  // namespace
}  // namespace callready::stun::stun_framer_test
