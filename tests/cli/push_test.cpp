// What is sent, sent again, kept and dropped; the server and the time are the test's.
#include "probe/cli/push.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    means.send = [this](const PushDocument& document) {
      tried.push_back(document.path + ' ' + document.body);
      Upload done;
      done.status = statuses.size() > 1 ? statuses.front() : statuses.at(0);
      if (statuses.size() > 1) statuses.erase(statuses.begin());
      if (done.status == 0) done.problem = "Connection refused";
      if (done.status == 400) done.answer = "no such field";
      done.retry_after = retry_after;
      return done;
    };
    means.wait = [this](milliseconds time) { waited.push_back(time.count()); };
  }
  PushResult run(const std::vector<PushDocument>& documents) {
    tried.clear();
    waited.clear();
    return push(documents, folder, means);
  }
  std::uintmax_t spooled() const {
    std::uintmax_t total = 0;
    if (!fs::exists(folder)) return 0;
    for (const auto& file : fs::directory_iterator(folder)) total += fs::file_size(file);
    return total;
  }

  test::TemporaryFolder temporary;
  std::string folder = temporary.path() + "/spool";
  PushMeans means;
  std::vector<long> statuses{200};  // the last of them for ever
  std::optional<milliseconds> retry_after;
  std::vector<std::string> tried;
  std::vector<long> waited;
};

const std::vector<PushDocument> both{{"/v1/logs", "{1}"}, {"/v1/metrics", "{2}"}};
using Tried = std::vector<std::string>;

TEST(Push, SendsOnce) {
  Fixture f;
  const auto result = f.run(both);
  EXPECT_EQ(f.tried, (Tried{"/v1/logs {1}", "/v1/metrics {2}"}));
  EXPECT_EQ(result.sent, 2u);
  EXPECT_EQ(result.waiting, 0u);
  EXPECT_TRUE(f.waited.empty());
}

TEST(Push, ARefusalIsSaidOnceAndNotTriedAgain) {
  Fixture f;
  f.statuses = {400};
  const auto result = f.run(both);
  EXPECT_EQ(f.tried.size(), 2u);
  EXPECT_EQ(result.refused, "HTTP 400: no such field");
  EXPECT_EQ(result.waiting, 0u);
  EXPECT_TRUE(f.waited.empty());
  f.statuses = {200};
  f.run(both);
  EXPECT_EQ(f.tried.size(), 2u) << "nothing of before";
}

TEST(Push, ARefusalOfAnEarlierReportSaysNothingAboutThisOne) {
  Fixture f;
  f.statuses = {0};
  f.run({{"/v1/logs", "{1}"}});
  f.statuses = {400, 200};
  const auto result = f.run(both);
  EXPECT_EQ(result.refused, "");
  EXPECT_EQ(result.refused_earlier, "HTTP 400: no such field");
  EXPECT_EQ(result.sent, 2u);
  EXPECT_EQ(f.spooled(), 0u);
}

TEST(Push, AServerInTroubleIsAskedAgain) {
  Fixture f;
  f.statuses = {503, 429, 200};
  auto result = f.run(both);
  EXPECT_EQ(f.tried.size(), 4u);
  EXPECT_EQ(result.sent, 2u);
  EXPECT_EQ(f.waited, (std::vector<long>{1'000, 2'000}));
  f.statuses = {503, 200};
  f.retry_after = milliseconds(4'000);
  f.run(both);
  EXPECT_EQ(f.waited, (std::vector<long>{4'000}));
  f.statuses = {503, 200};
  f.retry_after = std::chrono::hours(1);
  f.run(both);
  EXPECT_EQ(f.waited, (std::vector<long>{10'000})) << "nobody waits for an hour";
}

TEST(Push, WhatIsNotReachedWaitsForTheNextRun) {
  Fixture f;
  f.statuses = {0};
  auto result = f.run(both);
  EXPECT_EQ(f.tried.size(), 3u) << "the second is not tried where the first found nobody";
  EXPECT_EQ(result.not_reached, "Connection refused");
  EXPECT_EQ(result.waiting, 2u);
  result = f.run({{"/v1/logs", "{3}"}});
  EXPECT_EQ(f.tried.size(), 3u) << "the oldest, three times";
  EXPECT_EQ(result.waiting, 3u);
  f.statuses = {200};
  result = f.run({{"/v1/logs", "{4}"}});
  EXPECT_EQ(f.tried, (Tried{"/v1/logs {1}", "/v1/metrics {2}", "/v1/logs {3}", "/v1/logs {4}"}));
  EXPECT_EQ(result.sent, 4u);
  EXPECT_EQ(f.spooled(), 0u);
}

TEST(Push, TheSpoolIsBounded) {
  Fixture f;
  f.statuses = {502};
  const std::string large(3 << 20, 'x');
  PushResult result;
  for (int i = 0; i < 8; ++i) {
    result = f.run({{"/v1/logs", large + std::to_string(i)}});
    EXPECT_LE(f.spooled(), largest_spool);
  }
  EXPECT_EQ(result.waiting, 3u);
  EXPECT_EQ(result.dropped, 1u);
  f.statuses = {200};
  f.run({});
  ASSERT_EQ(f.tried.size(), 3u);
  EXPECT_TRUE(f.tried[0].ends_with("x5")) << "the newest are kept";
  EXPECT_TRUE(f.tried[2].ends_with("x7"));
  f.statuses = {502};
  EXPECT_EQ(f.run({{"/v1/logs", std::string(largest_spool + 1, 'x')}}).dropped, 1u);
}

TEST(Push, WithoutAFolderWhatIsNotSentIsLostAndSaid) {
  Fixture f;
  f.statuses = {0};
  const auto result = push(both, "", f.means);
  EXPECT_EQ(result.dropped, 2u);
  EXPECT_EQ(result.waiting, 0u);
}

TEST(Push, UrlsHoldNoSecret) {
  EXPECT_FALSE(push_problem("https://collector.example.com:4318"));
  EXPECT_FALSE(push_problem("http://127.0.0.1:4318/otlp"));
  EXPECT_FALSE(push_problem("HTTPS://collector.example.com:4318")) << "RFC 3986 section 3.1";
  for (const auto* wrong : {"", "collector.example.com", "ftp://x", "file:///etc/passwd",
                            "https://alice:s3cret@x/", "https://x/?token=s3cret"}) {
    const auto problem = push_problem(wrong);
    ASSERT_TRUE(problem) << wrong;
    EXPECT_EQ(problem->find("s3cret"), std::string::npos);
  }
}

}  // namespace
}  // namespace callready
