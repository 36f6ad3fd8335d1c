#include "reports/words/finding_words.hpp"

#include "probe/util/text.hpp"
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
                      "your firewall team; the team that runs your VPN (the report says which)\n"),
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

TEST(FindingsPage, ExplainsOneCodeOnANarrowTerminal) {
  for (const auto& entry : finding_words()) {
    RenderOptions options;
    options.width = 40;
    const auto text = explanation_of(entry.code, options);
    EXPECT_EQ(text.find(to_string(entry.code)), 0u) << text;
    for (const auto& line : split(text, "\n")) EXPECT_LE(line.size(), 40u) << line;
  }
}

}  // namespace
}  // namespace callready
