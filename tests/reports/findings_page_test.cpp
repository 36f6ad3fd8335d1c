#include "reports/words/finding_words.hpp"
#include "tests/reports/golden.hpp"

namespace callready {
namespace {

TEST(FindingsPage, IsWhatTheDocsHold) {
  expect_golden("../../../docs/findings.md", findings_page());
}

// Not "you, or your network team or Internet provider, or your firewall team".
TEST(FindingsPage, SaysWhoActsWithoutASecondOr) {
  const auto page = findings_page();
  EXPECT_EQ(page.find(", or your"), page.npos);
  EXPECT_NE(page.find("- Who acts: you, on this computer; your network team or Internet provider; "
                      "your firewall team (the report says which)\n"),
            page.npos);
}

TEST(FindingsPage, EachEntryIsWhole) {
  for (const auto& entry : finding_words()) {
    for (const auto text : {entry.title, entry.meaning, entry.known_by, entry.fix}) {
      EXPECT_FALSE(text.empty()) << to_string(entry.code);
    }
    EXPECT_FALSE(owners_of(entry.code).empty()) << to_string(entry.code);
    EXPECT_TRUE(entry.fix.ends_with('.')) << to_string(entry.code);
  }
}

}  // namespace
}  // namespace callready
