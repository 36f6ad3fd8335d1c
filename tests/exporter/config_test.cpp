// The configuration, and what a wrong one is told: file, line, column, and what was expected.
#include "probe/exporter/config.hpp"

#include <gtest/gtest.h>

#include <array>

#include "probe/exporter/ways.hpp"
#include "probe/util/text.hpp"
#include "tests/support/temporary_file.hpp"
#include "tests/targets/rules.hpp"

namespace callready::exporter::config_test {
namespace {

Catalog catalog(const std::vector<std::string>& files) { return Catalog(files, "", test::rules()); }

ConfigResult read(const std::string& text) { return read_config(text, "exporter.yaml", catalog); }

std::string problems_of(const std::string& text) {
  std::string all;
  const auto result = read(text);
  EXPECT_FALSE(result.config.has_value());
  for (const auto& problem : result.problems) all += problem.to_string() + '\n';
  return all;
}

constexpr auto head = "schema: callready.exporter/1\nsite: Lyon\n";

TEST(ExporterConfig, AnEmptyOneIsToldHowToBegin) {
  for (const auto* text : {"", "\n  \n", "# later\n"}) {
    EXPECT_EQ(problems_of(text),
              "exporter.yaml: empty; expected a configuration, beginning with 'schema: "
              "callready.exporter/1'\n");
  }
}

TEST(ExporterConfig, AMinimumIsEnough) {
  const auto result = read(std::string(head) + "sets:\n  - name: rainbow\n");
  ASSERT_TRUE(result.config) << result.problems.front().to_string();
  EXPECT_EQ(result.config->site, "Lyon");
  ASSERT_EQ(result.config->jobs.size(), 1u);
  const auto& job = result.config->jobs[0];
  EXPECT_EQ(job.key(), "rainbow@default");
  EXPECT_EQ(job.targets, std::vector<std::string>{"rainbow"});
  EXPECT_EQ(job.vendors.size(), 1u);
  EXPECT_TRUE(job.options.empty());
  EXPECT_EQ(job.every, std::chrono::minutes(15));
  EXPECT_TRUE(result.warnings.empty());
}

TEST(ExporterConfig, EverythingIsTakenOver) {
  const test::TemporaryFile secrets("CALLREADY_TURN_USER=alice\n");
  const auto result = read(std::string(head) +
                           "place: user VLAN, wired\n"
                           "labels: { country: fr, region: emea }\n"
                           "state: /var/lib/callready\n"
                           "budget: { vendor: 10m, site: 0s }\n"
                           "modules:\n"
                           "  phones: { from: phone, timeout: 60s, proxy: none, no_anchors: true,\n"
                           "            credentials: " +
                           secrets.path() +
                           " }\n"
                           "sets:\n"
                           "  - name: calls\n"
                           "    targets: [rainbow, webex]\n"
                           "    modules: [default, phones]\n"
                           "    every: scrape\n");
  ASSERT_TRUE(result.config) << result.problems.front().to_string();
  const auto& config = *result.config;
  EXPECT_EQ(config.place, "user VLAN, wired");
  EXPECT_EQ(config.labels.size(), 2u);
  EXPECT_EQ(config.state, "/var/lib/callready");
  EXPECT_EQ(config.budget.vendor, std::chrono::minutes(10));
  EXPECT_EQ(config.budget.site, milliseconds(0));
  ASSERT_EQ(config.jobs.size(), 2u);
  EXPECT_EQ(config.jobs[0].module, "default");
  EXPECT_FALSE(config.jobs[0].every);
  const auto& phones = config.jobs[1];
  EXPECT_EQ(phones.key(), "calls@phones");
  EXPECT_EQ(phones.timeout, std::chrono::seconds(60));
  EXPECT_EQ(phones.targets, (std::vector<std::string>{"rainbow", "webex"}));
  EXPECT_EQ(phones.vendors.size(), 2u);
  EXPECT_EQ(phones.options,
            (std::vector<std::string>{"--credentials=" + secrets.path(), "--from=phone",
                                      "--proxy=none", "--no-anchors"}));
}

TEST(ExporterConfig, TheSipAlgTestIsForThoseWhoWantIt) {
  const test::TemporaryFile set(
      "schema: callready.targets/1\nid: pbx\ntitle: PBX\nvendor: V\nedition: \"1\"\n"
      "document: D\nverified: 2026-10-01\n"
      "capabilities: [{ id: calls, title: Calls, needs: [alg] }]\nrequirements:\n"
      "  - { id: alg, title: No SIP ALG, source: s, check: sip-alg, transport: [udp], "
      "ports: [5060], addresses: [192.0.2.1] }\n");
  const auto options_of = [&](const std::string& modules, const std::string& more) {
    const auto result = read(std::string(head) + modules + "sets: [{ name: pbx, files: [" +
                             set.path() + "]" + more + " }]\n");
    for (const auto& problem : result.problems) ADD_FAILURE() << problem.to_string();
    return result.config ? result.config->jobs.at(0).options : std::vector<std::string>{};
  };
  const auto file = "--set=" + set.path();
  EXPECT_EQ(options_of("", ""), (std::vector<std::string>{file, "--skip=pbx/alg"}));
  EXPECT_EQ(options_of("", ", sip_alg_test: true"), std::vector<std::string>{file});
  EXPECT_EQ(options_of("modules: { default: { sip_alg_test: true } }\n", ""),
            std::vector<std::string>{file});
}

TEST(ExporterConfig, AFileThatNoTargetNamesIsNoPartOfTheRun) {
  const auto text = [](const std::string& id) {
    return "schema: callready.targets/1\nid: " + id +
           "\ntitle: T\nvendor: V\n"
           "capabilities: [{ id: calls, title: Calls, needs: [web] }]\nrequirements:\n"
           "  - { id: web, title: Web, check: tcp, transport: [tcp], ports: [443], "
           "addresses: [192.0.2.1] }\n";
  };
  const test::TemporaryFile needed(text("gateway")), unused(text("other")), broken("id: broken\n"),
      pbx(text("pbx") + "needs_sets: [gateway]\n");
  const auto read_with = [&](const test::TemporaryFile& third) {
    return read(std::string(head) + "sets: [{ name: pbx, files: [" + pbx.path() + ", " +
                needed.path() + ", " + third.path() + "] }]\n");
  };
  const auto result = read_with(unused);
  ASSERT_TRUE(result.config);
  EXPECT_EQ(result.config->jobs.at(0).options,
            (std::vector<std::string>{"--set=" + pbx.path(), "--set=" + needed.path()}));
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_EQ(result.warnings[0].message,
            "set 'pbx': none of its targets is 'other', which " + unused.path() + " holds");
  EXPECT_FALSE(read_with(broken).config);
}

TEST(ExporterConfig, QualityIsMeasuredInTimeThatNobodyWaits) {
  const auto with = [](const std::string& module, const std::string& every) {
    return read(std::string(head) + "modules: { calls: " + module +
                " }\nsets: [{ name: rainbow, modules: [calls], every: " + every + " }]\n");
  };
  const auto good = with("{ quality: true }", "5m");
  ASSERT_TRUE(good.config);
  EXPECT_EQ(good.config->jobs.at(0).options.front(), "--quality");
  const auto heavy = with("{ thorough: true, calls: 30 }", "1h");
  ASSERT_TRUE(heavy.config);
  EXPECT_TRUE(contains(heavy.config->jobs.at(0).options, "--thorough"));
  EXPECT_TRUE(contains(heavy.config->jobs.at(0).options, "--calls=30"));
  for (const auto& [module, every, said] : std::initializer_list<std::array<const char*, 3>>{
           {"{ quality: true }", "scrape", "'quality': its runs take longer than a scrape waits"},
           {"{ thorough: true }", "15m", "'thorough': its runs load the line or take minutes"},
           {"{ calls: 30 }", "scrape", "set 'rainbow' needs an 'every' of at least 1h"},
           {"{ calls: 101 }", "1h", "'calls': expected at most 100"}}) {
    const auto result = with(module, every);
    ASSERT_EQ(result.problems.size(), 1u) << module;
    EXPECT_NE(result.problems[0].to_string().find(said), std::string::npos)
        << result.problems[0].to_string();
  }
}

TEST(ExporterConfig, SaysWhereAndWhatIsWrong) {
  struct Case {
    const char *text, *said;
  };
  const std::string start = head;
  const Case cases[] = {
      {"sets: [{ name: rainbo }]\n", "exporter.yaml:3:8: unknown target set 'rainbo'"},
      {"sets: [{ name: rainbow, evry: 5m }]\n", "exporter.yaml:3:25: unknown key 'evry'"},
      {"sets: [{ name: rainbow, every: often }]\n",
       "exporter.yaml:3:32: 'every': expected a time such as 90s, 15m, 2h, found 'often'"},
      {"sets: [{ name: rainbow, every: 0s }]\n", "at least 1 s, found '0s'"},
      {"sets: [{ name: rainbow, modules: [defalt] }]\n",
       "exporter.yaml:3:35: unknown module 'defalt'; did you mean 'default'?"},
      {"sets: [{ name: rainbow, scenarios: [colaboration] }]\n",
       "exporter.yaml:3:37: set 'rainbow': unknown scenario 'colaboration'; did you mean"},
      {"sets: [{ name: rainbow, variables: { nothing: x } }]\n",
       "exporter.yaml:3:38: set 'rainbow': unknown variable 'nothing'"},
      {"sets: [{ name: rainbow }, { name: rainbow }]\n", "duplicate set 'rainbow'"},
      {"sets: [{ name: ../../etc/passwd }]\n", "is not an id"},
      {"sets: [{ name: rainbow, credentials: /nowhere/secrets }]\n",
       "exporter.yaml:3:38: 'credentials': the file /nowhere/secrets cannot be read"},
      {"modules: { a: { proxy: \"http://alice:s3cret@proxy:3128\" } }\nsets: [{ name: rainbow }]\n",
       "exporter.yaml:3:24: 'proxy': no user and password here"},
      {"labels: { site: x }\nsets: [{ name: rainbow }]\n", "'site' is a label already"},
      {"labels: { Land: x }\nsets: [{ name: rainbow }]\n", "'Land' is not a label's name"},
      {"budget: { vendor: 1 }\nsets: [{ name: rainbow }]\n", "'vendor': expected a time"},
      {"sets: [\n", "exporter.yaml:"},
  };
  for (const auto& [text, said] : cases) {
    const auto problems = problems_of(start + text);
    EXPECT_NE(problems.find(said), std::string::npos) << text << problems;
    EXPECT_EQ(problems.find("s3cret"), std::string::npos) << problems;
  }
  EXPECT_NE(problems_of("schema: callready.exporter/9\n").find("expected callready.exporter/1"),
            std::string::npos);
  EXPECT_NE(problems_of("schema: callready.exporter/1\nsets: [{ name: rainbow }]\n").find("'site'"),
            std::string::npos);
}

TEST(ExporterConfig, WarnsWhereTheBudgetIsTooSmall) {
  const auto result =
      read(std::string(head) +
           "sets:\n  - name: rainbow\n    every: 5m\n  - name: webex\n    every: 5m\n");
  ASSERT_TRUE(result.config);
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_NE(result.warnings[0].message.find("2.0 times"), std::string::npos);
}

TEST(ExporterConfig, Durations) {
  EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("15m"), std::chrono::minutes(15));
  EXPECT_EQ(parse_duration("2h"), std::chrono::hours(2));
  EXPECT_EQ(parse_duration("1d"), std::chrono::hours(24));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
  for (const auto* wrong : {"", "m", "15", "-1s", "1.5h", "15 m", "15mm", "9999999999999999999s",
                            "366d", "99999999999d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace callready::exporter::config_test
