#include "probe/serve/demo_site.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "probe/serve/demo_set.hpp"
#include "probe/serve/demo_thread.hpp"
#include "targets/loader.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/rules_of_checks.hpp"

namespace callready::serve {
namespace {

TargetSet loaded(const std::string& text) {
  const auto result = load_text(text, "demo", test::rules_of_checks());
  for (const auto& problem : result.problems) {
    ADD_FAILURE() << problem.to_string() << "\n" << text;
  }
  return result.set.value_or(TargetSet{});
}

struct DemoSiteTest : testing::Test {
  DemoOptions options;
  DemoSiteTest() { options.kinds = test::rules_of_checks().kinds(); }
};

TEST_F(DemoSiteTest, EveryRowOfItsSetIsReachedByTheRealCheck) {
  const auto demo = *DemoThread::start(options);
  const auto& site = demo->site();
  const auto set = loaded(site.target_set());
  EXPECT_EQ(set.id, "demo");
  EXPECT_EQ(set.title, "Demo site on loopback");
  EXPECT_FALSE(set.capabilities.empty());
  ASSERT_FALSE(set.requirements.empty());
  test::CheckRunner runner({site.ca_file()});
  runner.use_dns_servers({site.dns().to_string()});
  runner.settings.credentials.media_key = site.media_key();
  for (const auto& row : set.requirements) {
    Probe probe;
    probe.check = row.check.value();
    probe.with = row.with;
    probe.target.host = row.hosts.at(0).name;
    probe.target.ports = row.ports.at(0);
    probe.target.sample = {probe.target.ports.first, probe.target.ports.last};
    probe.target.transport = row.transports.at(0);
    if (row.proxy == ProxyUse::required) probe.target.route.proxy = site.proxy();
    const auto address = IpAddress::v4({127, 0, 0, 1});
    const auto seen = runner.run(probe, address);
    EXPECT_TRUE(reached(seen.outcome))
        << row.id << ": " << to_string(seen.outcome) << " " << seen.detail.text();
  }
}

TEST_F(DemoSiteTest, ItsNamesResolve) {
  test::Loop loop;
  const auto site = *DemoSite::start(loop.executor(), options);
  AresOptions dns;
  dns.servers = {site->dns().to_string()};
  dns.use_hosts_file = false;
  Resolver resolver(loop.executor(), *AresChannel::create(loop.executor(), dns));
  const auto set = loaded(site->target_set());
  for (const auto& row : set.requirements) {
    const auto found = loop.run(resolver.resolve(row.hosts.at(0).name, Family::v4, loop.scope));
    ASSERT_TRUE(found.addresses.has_value()) << row.hosts.at(0).name;
    EXPECT_EQ(found.addresses->at(0).to_string(), "127.0.0.1");
  }
}

TEST_F(DemoSiteTest, TheAuthorityIsAPrivateFileThatGoesAway) {
  test::Loop loop;
  auto site = *DemoSite::start(loop.executor(), options);
  const auto path = site->ca_file();
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), site->ca_pem());
  EXPECT_TRUE(text.str().starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_EQ(text.str().find("PRIVATE"), std::string::npos);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  site.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(DemoSiteTest, StopEndsEverything) {
  test::Loop loop;
  auto site = *DemoSite::start(loop.executor(), options);
  site->stop();
  site->stop();
  site.reset();
  loop.context.restart();
  loop.context.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(loop.context.stopped());
}

TEST_F(DemoSiteTest, SeveralSitesLiveSideBySide) {
  const auto one = *DemoThread::start(options);
  const auto two = *DemoThread::start(options);
  EXPECT_NE(one->site().dns().port, two->site().dns().port);
  EXPECT_NE(one->site().ca_file(), two->site().ca_file());
}

TEST_F(DemoSiteTest, AnAddressThatIsNotOursIsAFailure) {
  options.address = IpAddress::v4({192, 0, 2, 1});
  const auto demo = DemoThread::start(options);
  ASSERT_TRUE(demo.has_error());
  EXPECT_EQ(demo.error().text, "Cannot assign requested address");
}

TEST(DemoSet, HasRowsOnlyForTheChecksThatThereAre) {
  DemoPorts ports;
  ports.sip = 5'060;
  ports.sip_tls = 5'061;
  const auto text = demo_target_set(ports, {"sip"}, "2026-11-20");
  const auto set = loaded(text);
  ASSERT_EQ(set.requirements.size(), 3u);
  ASSERT_EQ(set.capabilities.size(), 1u);
  EXPECT_EQ(set.capabilities[0].id, "sip");
  EXPECT_EQ(set.verified, "2026-11-20");
  const std::vector<std::string> all{"dns",  "tcp",       "tls", "http", "proxy", "stun",
                                     "turn", "udp-range", "sip", "ntp",  "media"};
  const auto everything = demo_target_set(ports, all, "2026-11-20");
  for (const auto& kind : all) {
    EXPECT_NE(everything.find("check: " + kind + "\n"), std::string::npos) << kind;
  }
}

}  // namespace
}  // namespace callready::serve
