
#include <gtest/gtest.h>

#include <limits>

#include "probe/diagnosis/compare/compare.hpp"

namespace callready {
namespace {

Report run(int hour, Verdict verdict, const std::vector<FindingCode>& codes) {
  Report report;
  report.site.name = "Lyon";
  report.started_at = WallTime(std::chrono::hours(490'000 + hour));
  auto& set = report.sets.emplace_back();
  set.id = "pbx";
  set.verdict = verdict;
  auto& capability = set.capabilities.emplace_back();
  capability.id = "calls";
  capability.verdict = verdict;
  for (const auto code : codes) {
    Finding finding;
    finding.code = code;
    finding.title = std::string(to_string(code));
    report.findings.push_back(finding);
  }
  return report;
}

TEST(History, CountsRunsInARow) {
  auto first = run(1, Verdict::blocked, {FindingCode::sip_alg});
  continue_history(nullptr, first);
  ASSERT_TRUE(first.findings[0].standing);
  EXPECT_EQ(first.findings[0].standing->runs, 1);
  EXPECT_FALSE(first.findings[0].standing->began) << "nobody looked before";
  auto second = run(2, Verdict::blocked, {FindingCode::nat_double, FindingCode::sip_alg});
  continue_history(&first, second);
  EXPECT_EQ(second.findings[0].standing->since, second.started_at);
  EXPECT_TRUE(second.findings[0].standing->began);
  EXPECT_EQ(second.findings[1].standing->since, first.started_at);
  EXPECT_EQ(second.findings[1].standing->runs, 2);
  EXPECT_EQ(second.sets[0].standing->runs, 2);
  EXPECT_EQ(second.sets[0].standing->since, first.started_at);
  auto third = run(3, Verdict::ready, {});
  continue_history(&second, third);
  EXPECT_EQ(third.sets[0].standing->runs, 1);
  EXPECT_TRUE(third.sets[0].standing->began);
  EXPECT_EQ(third.sets[0].capabilities[0].standing->since, third.started_at);
  auto fourth = run(4, Verdict::blocked, {FindingCode::sip_alg});
  continue_history(&third, fourth);
  EXPECT_EQ(fourth.findings[0].standing->runs, 1) << "it was gone";
}

TEST(History, OfAnotherPlaceIsNone) {
  auto first = run(1, Verdict::blocked, {FindingCode::sip_alg});
  continue_history(nullptr, first);
  for (const int what : {0, 1, 2, 3, 4}) {
    auto other = run(2, Verdict::blocked, {FindingCode::sip_alg});
    if (what == 0) other.site.name = "Graz";
    if (what == 1) other.site.vantage = Vantage::phone;
    if (what == 2) other.redacted = "key";
    if (what == 3) other.started_at = first.started_at - std::chrono::hours(1);
    if (what == 4) other.part = {"--only turn-udp"};
    continue_history(&first, other);
    EXPECT_EQ(other.findings[0].standing->runs, 1) << what;
    EXPECT_FALSE(other.findings[0].standing->began) << what;
    EXPECT_EQ(other.sets[0].standing->runs, 1) << what;
  }
}

TEST(History, OfAReportWithoutOneBeginsWithIt) {
  const auto first = run(1, Verdict::blocked, {FindingCode::sip_alg});
  auto second = run(2, Verdict::blocked, {FindingCode::sip_alg});
  continue_history(&first, second);
  EXPECT_EQ(second.findings[0].standing->since, first.started_at);
  EXPECT_EQ(second.findings[0].standing->runs, 2);
}

TEST(History, CountsNoFurtherThanNumbersGo) {
  constexpr int most = std::numeric_limits<int>::max();
  auto first = run(1, Verdict::blocked, {FindingCode::sip_alg});
  first.findings[0].standing = Standing{first.started_at, most, false};
  auto second = run(2, Verdict::blocked, {FindingCode::sip_alg});
  continue_history(&first, second);
  EXPECT_EQ(second.findings[0].standing->runs, most);
}

TEST(History, DiffSaysSinceWhenAFindingStands) {
  auto old = run(1, Verdict::blocked, {FindingCode::sip_alg, FindingCode::nat_double});
  auto fresh = run(9, Verdict::blocked, {FindingCode::sip_alg, FindingCode::time_skewed});
  auto result = compare(old, "old", fresh, "new");
  ASSERT_EQ(result.standing.size(), 1u);
  EXPECT_EQ(result.standing[0].finding.code, FindingCode::sip_alg);
  EXPECT_EQ(result.standing[0].since, old.started_at);
  EXPECT_TRUE(result.standing[0].earlier);
  const auto long_ago = old.started_at - std::chrono::hours(100);
  old.findings[0].standing = Standing{long_ago, 4, true};
  result = compare(old, "old", fresh, "new");
  EXPECT_EQ(result.standing[0].since, long_ago);
  EXPECT_FALSE(result.standing[0].earlier);
  // The newer one knows more: it has stood through runs before the older report.
  old.findings[0].standing.reset();
  fresh.findings[0].standing = Standing{long_ago, 9, true};
  result = compare(old, "old", fresh, "new");
  EXPECT_EQ(result.standing[0].since, long_ago);
  EXPECT_FALSE(result.standing[0].earlier);
  // It went and came back between the two: as long as the newer one knows.
  fresh.findings[0].standing = Standing{fresh.started_at, 1, true};
  result = compare(old, "old", fresh, "new");
  EXPECT_EQ(result.standing[0].since, fresh.started_at);
  EXPECT_FALSE(result.standing[0].earlier);
}

}  // namespace
}  // namespace callready
