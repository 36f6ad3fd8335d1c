#include "probe/model/words.hpp"

#include <gtest/gtest.h>

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
  expect_complete<ServiceKind>(static_cast<int>(ServiceKind::pbx) + 1);
  expect_complete<SourceQuality>(static_cast<int>(SourceQuality::old_edition) + 1);
  expect_complete<Priority>(static_cast<int>(Priority::by_default) + 1);
  expect_complete<Owner>(static_cast<int>(Owner::vendor) + 1);
}

}  // namespace
}  // namespace callready
