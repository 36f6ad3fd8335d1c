#include "probe/model/words.hpp"

#include <gtest/gtest.h>

#include "probe/model/evidence.hpp"

namespace callready {
namespace {

// Every member of a closed list prints, reads back, and has a spelling of its own.
template <typename Enum>
void expect_complete(int members) {
  EXPECT_EQ(static_cast<int>(words<Enum>().size()), members);
  for (int i = 0; i < members; ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_NE(to_string(value), "?") << i;
    EXPECT_EQ(parse<Enum>(to_string(value)), value);
  }
  EXPECT_FALSE(parse<Enum>("?"));
}

TEST(Words, AreCompleteAndReadBack) {
  expect_complete<Outcome>(static_cast<int>(Outcome::skipped) + 1);
  expect_complete<Status>(static_cast<int>(Status::skip) + 1);
  expect_complete<Verdict>(static_cast<int>(Verdict::unknown) + 1);
  expect_complete<Severity>(static_cast<int>(Severity::optional) + 1);
  expect_complete<Transport>(static_cast<int>(Transport::tls) + 1);
  expect_complete<Direction>(static_cast<int>(Direction::in) + 1);
  expect_complete<Lifecycle>(static_cast<int>(Lifecycle::removed) + 1);
  expect_complete<ProxyUse>(static_cast<int>(ProxyUse::required) + 1);
  expect_complete<AllowBy>(static_cast<int>(AllowBy::network) + 1);
  expect_complete<Vantage>(static_cast<int>(Vantage::mesh_node) + 1);
  expect_complete<Confidence>(static_cast<int>(Confidence::possible) + 1);
  expect_complete<ServiceKind>(static_cast<int>(ServiceKind::shared) + 1);
  expect_complete<SourceQuality>(static_cast<int>(SourceQuality::old_edition) + 1);
  expect_complete<Priority>(static_cast<int>(Priority::by_default) + 1);
  expect_complete<Owner>(static_cast<int>(Owner::vpn) + 1);
}

// Of long lists: reading a word that stands at either end, in the middle, and nowhere.
template <typename Enum>
void expect_sorted(Enum last) {
  expect_complete<Enum>(static_cast<int>(last) + 1);
  EXPECT_TRUE(in_order<Enum>(words<Enum>()));
  EXPECT_FALSE(parse<Enum>("zzz"));
  EXPECT_FALSE(parse<Enum>("-"));
  EXPECT_EQ(to_string(static_cast<Enum>(static_cast<int>(last) + 1)), "?");
}

TEST(Words, OfWhatWasSeenAreCompleteAndInOrder) {
  expect_sorted<CheckKind>(CheckKind::udp_range);
  expect_sorted<Timing>(Timing::tunnel);
  expect_sorted<DetailCode>(DetailCode::yxrrset);
  expect_sorted<EvidenceKind>(EvidenceKind::udp_sample);
  expect_sorted<Fact>(Fact::without_edns);
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
