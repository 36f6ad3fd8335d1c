// Which request gets what, and what no request can do.
#include "probe/exporter/pages.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/manual_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace callready::exporter::pages_test {
namespace {

using std::chrono::seconds;

class FakeRuns final : public Runs {
 public:
  void start(const Job& job, std::optional<milliseconds>,
             std::function<void(RunEnd)> done) override {
    started.push_back(job.key());
    open = std::move(done);
  }
  std::vector<std::string> started;
  std::function<void(RunEnd)> open;
};

struct Fixture {
  Fixture() {
    Config config;
    config.site = "Lyon";
    config.place = "a \"pod\"\\";
    config.labels = {{"region", "emea"}};
    for (const auto* module : {"default", "phones"}) {
      Job job;
      job.set = "rainbow";
      job.module = module;
      job.vendors = {"ALE"};
      job.every = std::chrono::minutes(15);
      job.options = {"--credentials=/etc/callready/s3cret-file"};
      config.jobs.push_back(job);
    }
    schedule.configure(config.jobs, config.budget);
    pages.configured(config, {"callready", "/nowhere", config.site, config.place});
  }
  Reply get(const std::string& target, const std::string& method = "GET") {
    std::optional<Reply> reply;
    pages.handle({method, target, "10"}, [&](Reply one) { reply = std::move(one); });
    if (!reply) clock.advance(seconds(10));
    EXPECT_TRUE(reply) << target;
    return reply.value_or(Reply{});
  }
  test::ManualClock clock;
  FakeRuns runs;
  Schedule schedule{clock, runs, [] { return 0.0; }};
  Pages pages{clock, schedule};
};

TEST(ExporterPages, AProbeIsTheLastResultWithItsAge) {
  Fixture f;
  auto reply = f.get("/probe?set=rainbow");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_NE(reply.body.str().find("callready_result_available{site=\"Lyon\"} 0\n"),
            std::string::npos)
      << reply.body.str();
  EXPECT_EQ(reply.body.str().find("callready_run_age_seconds"), std::string::npos);
  f.runs.open({"callready_info{version=\"1\"} 1\n", ""});
  f.clock.advance(seconds(42));
  reply = f.get("/probe?set=rainbow&module=default");
  for (const auto* line :
       {"callready_info{version=\"1\"} 1\n", "callready_result_available{site=\"Lyon\"} 1\n",
        "callready_run_age_seconds{site=\"Lyon\"} 42\n",
        "callready_run_in_progress{site=\"Lyon\"} 0\n",
        "callready_site_info{site=\"Lyon\",place=\"a \\\"pod\\\"\\\\\",region=\"emea\"} 1\n"}) {
    EXPECT_NE(reply.body.str().find(line), std::string::npos) << line << reply.body.str();
  }
  EXPECT_EQ(f.runs.started, std::vector<std::string>{"rainbow@default"});
}

// Server-side request forgery: a request names what the configuration has, and nothing else.
TEST(ExporterPages, NoRequestSaysWhatIsMeasured) {
  Fixture f;
  const std::pair<const char*, unsigned> tries[] = {
      {"/probe?target=http://169.254.169.254/", 400},
      {"/probe?set=rainbow&target=169.254.169.254", 400},
      {"/probe?set=rainbow&proxy=http://10.0.0.1", 400},
      {"/probe?set=rainbow&module=--set=/etc/passwd", 404},
      {"/probe?set=http%3A%2F%2F169.254.169.254%2F", 404},
      {"/probe?set=..%2F..%2Fetc%2Fpasswd", 404},
      {"/probe?set=rainbow&set=webex", 400},
      {"/probe?set=webex", 404},
      {"/probe?set=", 404},
      {"/probe", 400},
      {"/report/../../etc/passwd", 404},
      {"/report/..%2F..%2Fetc%2Fpasswd", 404},
      {"/report/rainbow@default.json", 404},
      {"/report/rainbow", 404},  // there is none yet
      {"http://169.254.169.254/probe?set=rainbow", 400},
      {"//169.254.169.254/probe?set=rainbow", 404},
      {"*", 400},
      {"", 400},
      {"/config", 404},
      {"/-/reload", 404},
  };
  for (const auto& [target, status] : tries) {
    EXPECT_EQ(f.get(target).status, status) << target << f.get(target).body.str();
  }
  EXPECT_EQ(f.get("/probe?set=rainbow", "POST").status, 405u);
  EXPECT_EQ(f.get("/" + std::string(5'000, 'x')).status, 400u);
  EXPECT_EQ(f.runs.started, std::vector<std::string>{"rainbow@default"}) << "its own schedule's";
}

TEST(ExporterPages, NothingOfTheConfigurationButNamesIsShown) {
  Fixture f;
  for (const auto* target : {"/", "/metrics", "/probe?set=rainbow"}) {
    const auto reply = f.get(target);
    EXPECT_EQ(reply.status, 200u);
    EXPECT_EQ(reply.body.str().find("s3cret"), std::string::npos) << reply.body.str();
  }
  EXPECT_NE(f.get("/").body.str().find("/report/rainbow?module=phones"), std::string::npos);
}

TEST(ExporterPages, TheFirstPageRunsNothingAndNamesItsColumns) {
  Fixture f;
  const auto page = f.get("/").body.str();
  for (const auto* part : {"\"Content-Security-Policy\" content=\"default-src 'none'\"",
                           "<th scope=\"row\">rainbow</th>"}) {
    EXPECT_NE(page.find(part), page.npos) << part << page;
  }
  EXPECT_EQ(page.find("<th></th>"), page.npos) << page;
}

TEST(ExporterPages, ItsOwnSeries) {
  Fixture f;
  f.get("/probe?set=webex");
  f.get("/probe?set=rainbow");
  f.runs.open({"", "no such file"});
  auto text = f.get("/metrics").body.str();
  for (const auto* line :
       {"callready_exporter_config_last_reload_successful 1\n", "callready_exporter_jobs 2\n",
        "callready_exporter_requests_refused_total 1\n", "callready_exporter_scrapes_total 1\n",
        "callready_exporter_runs_total{set=\"rainbow\",module=\"default\",result=\"failed\"} 1\n",
        "process_open_fds "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  f.pages.not_configured();
  text = f.get("/metrics").body.str();
  EXPECT_NE(text.find("callready_exporter_config_last_reload_successful 0\n"), std::string::npos);
  EXPECT_EQ(f.get("/-/healthy").status, 200u);
}

TEST(ExporterPages, Patience) {
  EXPECT_EQ(patience_of("10"), milliseconds(9'500));
  EXPECT_EQ(patience_of("2.5"), milliseconds(2'000));
  for (const auto* wrong : {"", "x", "-1", "0", "nan", "10 s"}) {
    EXPECT_EQ(patience_of(wrong), milliseconds(9'500)) << wrong;
  }
  EXPECT_EQ(patience_of("0.1"), milliseconds(100));
  EXPECT_EQ(patience_of("inf"), milliseconds(599'500));
  EXPECT_EQ(patience_of("1e300"), milliseconds(599'500));
}

TEST(ExporterPages, Targets) {
  auto asked = read_target("/probe?set=a%2Db&module=");
  EXPECT_EQ(asked.path, "/probe");
  EXPECT_EQ(asked.query.at("set"), "a-b");
  EXPECT_EQ(asked.query.at("module"), "");
  EXPECT_EQ(read_target("/").path, "/");
  for (const auto* wrong : {"", "probe", "*", "/probe?set=%zz", "/a b", "/\x01", "/?a=1&a=2"}) {
    EXPECT_NE(read_target(wrong).problem, "") << wrong;
  }
}

TEST(ExporterPages, AReportIsInMemoryOnceHoweverManyReadIt) {
  Fixture f;
  const test::TemporaryFolder folder;
  Config config;
  config.site = "Lyon";
  const Places places{"callready", folder.path(), config.site, ""};
  f.pages.configured(config, places);
  Job job;
  job.set = "rainbow";
  job.module = "default";
  const auto write = [&](const std::string& text) { std::ofstream(places.page(job)) << text; };
  write("first");
  const auto one = f.get("/report/rainbow"), two = f.get("/report/rainbow");
  EXPECT_EQ(one.body.str(), "first");
  EXPECT_EQ(one.body.str().data(), two.body.str().data());
  write("second");
  std::filesystem::last_write_time(
      places.page(job), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(f.get("/report/rainbow").body.str(), "second");
  EXPECT_EQ(one.body.str(), "first");
}

}  // namespace
}  // namespace callready::exporter::pages_test
