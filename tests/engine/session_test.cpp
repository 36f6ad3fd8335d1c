// A run from a set to a report, on loopback.
#include "probe/engine/session.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "probe/engine/watchdog.hpp"
#include "targets/loader.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using asio::ip::udp;

// A port on which the kernel accepts connections; nobody has to take them.
class Listener {
 public:
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
};

std::uint16_t closed_port() { return Listener().port(); }

// Hears requests and answers none.
class MuteServer {
 public:
  std::uint16_t port() const { return socket_.local_endpoint().port(); }
  void wait_for_a_request() { socket_.wait(udp::socket::wait_read); }

 private:
  asio::io_context context_;
  udp::socket socket_{context_, {asio::ip::address_v4::loopback(), 0}};
};

struct RowText {
  std::string id, check, transport;
  std::uint16_t port = 0;
};

TargetSet set_of(const std::vector<RowText>& rows) {
  std::string needs, requirements;
  for (const auto& row : rows) {
    needs += (needs.empty() ? "" : ", ") + row.id;
    requirements += fmt::format(
        "  - {{ id: {}, title: {}, source: s, check: {}, transport: [{}], ports: [{}], "
        "addresses: [127.0.0.1] }}\n",
        row.id, row.id, row.check, row.transport, row.port);
  }
  const auto text = fmt::format(
      "schema: callready.targets/1\nid: small\ntitle: Small\nvendor: Nobody\nedition: \"1\"\n"
      "document: A table\nverified: 2020-01-01\n"
      "capabilities: [{{ id: all, title: All, needs: [{}] }}]\nrequirements:\n{}",
      needs, requirements);
  const auto loaded = load_text(text, "small", test::rules());
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
  return loaded.set.value_or(TargetSet{});
}

SessionOptions options_for(const std::vector<RowText>& rows) {
  SessionOptions options;
  options.sets = {set_of(rows)};
  options.site = "here";
  options.dns_servers = {"127.0.0.1:9"};
  return options;
}

TEST(Session, ReportsWhatItSaw) {
  const Listener listener;
  const auto report = run_session(options_for({{"open", "tcp", "tcp", listener.port()}}));
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(exit_status(*report), 0);
  ASSERT_EQ(report->sets.size(), 1u);
  EXPECT_EQ(report->sets[0].verdict, Verdict::ready);
  ASSERT_EQ(report->sets[0].notes.size(), 1u);
  EXPECT_NE(report->sets[0].notes[0].find("2020-01-01"), std::string::npos) << "the list is old";
  ASSERT_EQ(report->probes.size(), 1u);
  EXPECT_EQ(report->probes[0].observation.outcome, Outcome::connected);
  EXPECT_EQ(report->site.name, "here");
  EXPECT_EQ(report->site.resolvers, std::vector<std::string>{"127.0.0.1:9"});
  EXPECT_NE(report->site.host, "");
  EXPECT_GE(report->finished_at, report->started_at);
  EXPECT_GT(report->duration.count(), 0);
}

TEST(Session, ABlockedRowBlocks) {
  const Listener listener;
  const auto report = run_session(options_for(
      {{"open", "tcp", "tcp", listener.port()}, {"closed", "tcp", "tcp", closed_port()}}));
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_EQ(report->sets[0].verdict, Verdict::blocked);
  EXPECT_EQ(exit_status(*report), 1);
  EXPECT_EQ(report->sets[0].capabilities[0].summary, "does not work: closed");
}

TEST(Session, ControlsAreMeasuredAndNotJudged) {
  auto options = options_for({{"open", "tcp", "tcp", closed_port()}});
  options.sets[0].control = true;
  const auto report = run_session(options);
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_TRUE(report->sets.empty());
  ASSERT_EQ(report->probes.size(), 2u) << "the row, and Mozilla's canary domain";
  for (const auto& [probe, seen] : report->probes) EXPECT_TRUE(probe.control());
}

TEST(Session, EndsInTimeAndSaysThatItIsIncomplete) {
  MuteServer mute;
  auto options = options_for({{"mute", "stun", "udp", mute.port()}});
  options.timeout = milliseconds(50);
  const auto report = run_session(options);
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(exit_status(*report), 3);
  EXPECT_EQ(report->probes[0].observation.detail, DetailCode::stopped);
  EXPECT_EQ(report->sets[0].verdict, Verdict::unknown);
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find("--timeout"), std::string::npos);
}

TEST(Session, AWrongConfigurationIsAnErrorInWords) {
  auto options = options_for({{"open", "tcp", "tcp", 9}});
  options.ca_files = {"/nowhere/roots.pem"};
  auto report = run_session(options);
  ASSERT_TRUE(report.has_error());
  EXPECT_TRUE(report.error().starts_with("/nowhere/roots.pem: ")) << report.error();
  options.ca_files.clear();
  for (const auto* server : {"nonsense", "192.0.2.1:99999", "192.0.2.1:port", "1.2.3", ""}) {
    options.dns_servers = {server};
    report = run_session(options);
    ASSERT_TRUE(report.has_error()) << server;
    EXPECT_NE(report.error().find(server), std::string::npos) << report.error();
  }
}

TEST(Session, ReportsWhatItHasWhereAListenerThrows) {
  const Listener listener;
  auto options = options_for({{"open", "tcp", "tcp", listener.port()}});
  options.on_probe = [](const ProbeResult&, std::size_t, std::size_t) -> bool {
    throw std::bad_alloc();
  };
  const auto report = run_session(options);
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(report->probes.size(), 1u);
  EXPECT_NE(report->notes.back().find("out of memory"), std::string::npos);
}

// libcurl takes no text of more than 8 MB: an error of this program, such as there should be none.
TEST(Session, GoesOnWithoutProxiesWhereTheSearchForThemFails) {
  const Listener listener;
  auto options = options_for({{"open", "tcp", "tcp", listener.port()}});
  options.settings.user_agent = std::string(9'000'000, 'a');
  options.proxy = {ProxyWish::Kind::pac, "http://127.0.0.1:9/proxy.pac"};
  const auto report = run_session(options);
  ASSERT_FALSE(report.has_error()) << report.error();
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(exit_status(*report), 3);
  ASSERT_EQ(report->probes.size(), 1u);
  EXPECT_EQ(report->probes[0].observation.outcome, Outcome::connected);
  EXPECT_NE(report->notes.front().find("Looking for a proxy failed"), std::string::npos);
}

// --- A loop that is stuck
// -------------------------------------------------------------------------

// For SessionOptions::waited_for, which the loop asks while a progress line is shown.
std::string never_return(CheckKind) {
  for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
}

SessionOptions options_that_get_stuck(const std::vector<RowText>& rows) {
  auto options = options_for(rows);
  options.timeout = milliseconds(1'000);
  options.show_progress = true;
  options.waited_for = &never_return;
  options.patience = milliseconds(50);
  return options;
}

TEST(StuckSession, ReportsWhatThereIs) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Listener listener;
  MuteServer mute;
  auto options = options_that_get_stuck(
      {{"open", "tcp", "tcp", listener.port()}, {"mute", "stun", "udp", mute.port()}});
  options.on_stuck = [](Report report) {
    const bool good = !report.complete && report.probes.size() == 2 &&
                      report.probes[0].observation.outcome == Outcome::connected &&
                      report.probes[1].observation.detail == DetailCode::stopped &&
                      report.sets.size() == 1 && report.sets[0].verdict == Verdict::unknown &&
                      report.notes.back().find("stuck") != std::string::npos;
    std::_Exit(good ? 42 : 43);
  };
  EXPECT_EXIT(static_cast<void>(run_session(options)), testing::ExitedWithCode(42), "");
}

TEST(StuckSession, EndsWithALineWhereNobodyTakesAReport) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Listener listener;
  MuteServer mute;
  const auto options = options_that_get_stuck(
      {{"open", "tcp", "tcp", listener.port()}, {"mute", "stun", "udp", mute.port()}});
  EXPECT_EXIT(static_cast<void>(run_session(options)), testing::ExitedWithCode(3),
              "did not come to its end");
}

// What is told outside is in the hands of the thread that is stuck.
TEST(StuckSession, EndsWithALineWhereAListenerIsStuck) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Listener listener;
  auto options = options_that_get_stuck({{"open", "tcp", "tcp", listener.port()}});
  options.on_probe = [](const ProbeResult&, std::size_t, std::size_t) -> bool {
    never_return(CheckKind::tcp);
    return true;
  };
  options.on_stuck = [](Report) { std::_Exit(42); };
  EXPECT_EXIT(static_cast<void>(run_session(options)), testing::ExitedWithCode(3),
              "did not come to its end");
}

TEST(StuckSession, AnInterruptIsHeard) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Listener listener;
  MuteServer mute;
  auto options = options_that_get_stuck(
      {{"open", "tcp", "tcp", listener.port()}, {"mute", "stun", "udp", mute.port()}});
  options.timeout = milliseconds(600'000);
  options.waited_for = [](CheckKind kind) {
    std::raise(SIGINT);
    return never_return(kind);
  };
  EXPECT_EXIT(static_cast<void>(run_session(options)), testing::ExitedWithCode(3),
              "did not come to its end");
}

// --- A limit for what has no loop
// -----------------------------------------------------------------

TEST(TimeLimit, EndsTheProgramWithALine) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto work = [] {
    const TimeLimit limit("planning", milliseconds(0));
    never_return(CheckKind::tcp);
  };
  EXPECT_EXIT(work(), testing::ExitedWithCode(3), "callready: planning took longer than 0 s");
}

TEST(TimeLimit, LeavesAloneWhatEnds) { const TimeLimit limit("planning", milliseconds(60'000)); }

// --- How long a run may take --------------------------------------------------------------------

Plan plan_of(int hosts, int ports) {
  Plan plan;
  for (int host = 0; host < hosts; ++host) {
    for (int port = 1; port <= ports; ++port) {
      Probe probe;
      probe.target.host = fmt::format("host{}", host);
      probe.target.ports = {static_cast<std::uint16_t>(port), static_cast<std::uint16_t>(port)};
      plan.probes.push_back({probe, {}});
    }
  }
  return plan;
}

TEST(TimeForARun, GrowsByTheWindowsThatThePacerWaitsFor) {
  SessionOptions options;
  const auto seconds = [&](const Plan& plan) { return time_for(plan, options).count() / 1000; };
  EXPECT_EQ(seconds({}), 20);
  EXPECT_EQ(seconds(plan_of(24, 12)), 20);
  // A window, and the time until the last of the one before is given up.
  EXPECT_EQ(seconds(plan_of(25, 1)), 33);
  EXPECT_EQ(seconds(plan_of(49, 1)), 47);
  EXPECT_EQ(seconds(plan_of(1, 13)), 33);
  EXPECT_EQ(seconds(plan_of(1, 37)), 60);
  auto sampled = plan_of(1, 3);
  for (auto& planned : sampled.probes) {
    for (std::uint16_t i = 0; i < 6; ++i) {
      planned.probe.target.sample.push_back(
          static_cast<std::uint16_t>(1000 * planned.probe.target.port() + i));
    }
  }
  EXPECT_EQ(seconds(sampled), 33) << "18 ports of one host";
  auto proxied = plan_of(49, 1);
  for (auto& planned : proxied.probes) planned.probe.target.route.proxy = "http://proxy:3128";
  EXPECT_EQ(seconds(proxied), 20) << "the proxy is one host";
  options.runner.pace.unlimited = true;
  EXPECT_EQ(seconds(plan_of(49, 1)), 20);
  options.runner.pace.unlimited = false;
  options.timeout = milliseconds(10'000);
  options.timeout_given = true;
  EXPECT_EQ(seconds(plan_of(1, 2'500)), 10) << "what the user says is a bound";
  options.settings.thorough = true;
  EXPECT_EQ(seconds({}), 10);
}

}  // namespace
}  // namespace callready
