#include "probe/model/words.hpp"

#include <gtest/gtest.h>

#include "probe/model/evidence.hpp"

namespace callready {
namespace {

// Every member of a closed list prints, reads back, and has a spelling of its own.
template <typename Enum>
void expect_complete() {
  EXPECT_EQ(words<Enum>().size(), members_of<Enum>());
  for (std::size_t i = 0; i < members_of<Enum>(); ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_NE(to_string(value), "?") << i;
    EXPECT_EQ(parse<Enum>(to_string(value)), value);
  }
  EXPECT_FALSE(parse<Enum>("?"));
}

TEST(Words, AreCompleteAndReadBack) {
  static_assert(members_of<Transport>() == 3 && !is_member<static_cast<Transport>(3)>());
  expect_complete<Outcome>();
  expect_complete<Status>();
  expect_complete<Verdict>();
  expect_complete<Severity>();
  expect_complete<Transport>();
  expect_complete<Direction>();
  expect_complete<Lifecycle>();
  expect_complete<ProxyUse>();
  expect_complete<AllowBy>();
  expect_complete<Vantage>();
  expect_complete<Confidence>();
  expect_complete<ServiceKind>();
  expect_complete<SourceQuality>();
  expect_complete<Priority>();
  expect_complete<Owner>();
}

// Of long lists: reading a word that stands at either end, in the middle, and nowhere.
template <typename Enum>
void expect_sorted() {
  expect_complete<Enum>();
  EXPECT_TRUE(in_order<Enum>(words<Enum>()));
  EXPECT_FALSE(parse<Enum>("zzz"));
  EXPECT_FALSE(parse<Enum>("-"));
  EXPECT_EQ(to_string(static_cast<Enum>(members_of<Enum>())), "?");
}

TEST(Words, OfWhatWasSeenAreCompleteAndInOrder) {
  expect_sorted<CheckKind>();
  expect_sorted<Timing>();
  expect_sorted<DetailCode>();
  expect_sorted<EvidenceKind>();
  expect_sorted<Fact>();
}

TEST(Detail, IsAWordOrAStatus) {
  EXPECT_EQ(Detail::parse("401"), Detail::status(401));
  EXPECT_EQ(Detail::parse("dropped"), Detail(DetailCode::dropped));
  EXPECT_EQ(Detail::parse(""), Detail());
  for (const auto* odd :
       {"0401", "-1", "+4", "4e2", "401 ", "99999999999", "dropped ", "Dropped"}) {
    EXPECT_EQ(Detail::parse(odd), std::nullopt) << odd;
  }
  EXPECT_EQ(Detail::status(486).text(), "486");
  EXPECT_EQ(Detail(DetailCode::left_site).text(), "left_site");
  EXPECT_TRUE(Detail().empty());
  EXPECT_FALSE(Detail::status(0).empty());
  EXPECT_NE(Detail(), Detail::status(0));
}

// A fact that is no detail, of another type, or not there.
TEST(Facts, AreFoundByNameAndType) {
  const Evidence evidence{
      EvidenceKind::udp_port,
      "",
      {{Fact::result, "left_site"}, {Fact::by, "192.0.2.1"}, {Fact::port, 7.0}}};
  EXPECT_EQ(detail_fact(evidence, Fact::result), DetailCode::left_site);
  EXPECT_TRUE(detail_fact(evidence, Fact::by).empty());
  EXPECT_TRUE(detail_fact(evidence, Fact::port).empty());
  EXPECT_EQ(text_fact(evidence, Fact::who), "");
  EXPECT_EQ(number_fact(evidence, Fact::port), 7.0);
  EXPECT_EQ(flag_fact(evidence, Fact::port), std::nullopt);
}

}  // namespace
}  // namespace callready
