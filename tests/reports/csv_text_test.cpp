#include "reports/text/csv_text.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(CsvText, RunsNoFormulas) {
  for (const std::string sign : {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    EXPECT_EQ(csv_cell(sign + "cmd()"), "'" + sign + "cmd()");
    EXPECT_EQ(csv_cell("  " + sign + "cmd()"), "  '" + sign + "cmd()");
    EXPECT_EQ(csv_cell("a;" + sign + "cmd()"), "\"a;'" + sign + "cmd()\"")
        << "where semicolons separate";
    EXPECT_EQ(csv_cell("a;\"" + sign + "cmd()"), "\"a;\"\"'" + sign + "cmd()\"")
        << "there the two quotes are an empty text, and the formula goes on behind them";
  }
  EXPECT_EQ(csv_cell("\t=1"), " '=1");
}

TEST(CsvText, LeavesTheRest) {
  EXPECT_EQ(csv_cell("a = b, c - d"), "\"a = b, c - d\"");
  EXPECT_EQ(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_cell("5060-5061"), "5060-5061");
  EXPECT_EQ(csv_cell(""), "");
}

}  // namespace
}  // namespace callready
