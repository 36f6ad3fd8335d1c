// Whom a login is for.
#include "probe/engine/logins.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

struct Logins : testing::Test {
  checks::Credentials credentials;
  ProxyDiscovery proxies;
  Plan plan;
  std::vector<TargetSet> sets;
  std::vector<Text> notes;

  void add(CheckKind check, const std::string& host, const std::string& set,
           const std::string& proxy = {}) {
    PlannedProbe planned;
    planned.probe.check = check;
    planned.probe.target.host = host;
    planned.probe.target.route.proxy = proxy;
    planned.probe.id = set + '/' + host;
    PlannedRequirement row;
    row.set = set;
    row.probes = {planned.probe.id};
    plan.probes.push_back(planned);
    plan.requirements.push_back(row);
  }
  void add_set(const std::string& id, const std::string& origin) {
    sets.emplace_back();
    sets.back().id = id;
    sets.back().origin = origin;
  }
  std::string user_of(const std::string& proxy) {
    const auto found = credentials.proxies.find(proxy);
    return found == credentials.proxies.end() ? "nobody" : found->second.user;
  }
  void settle() { settle_logins(credentials, proxies, plan, sets, notes); }
};

TEST_F(Logins, OfOneProxyAreNotSentToAnother) {
  proxies.named["https://secure.example.com:443"] = {"alice", "secret"};
  proxies.named["http://plain.example.com:3128"] = {};
  settle();
  EXPECT_EQ(user_of("https://secure.example.com:443"), "alice");
  EXPECT_EQ(user_of("http://plain.example.com:3128"), "");
  EXPECT_EQ(user_of("http://secure.example.com:443"), "nobody") << "in clear";
}

TEST_F(Logins, OfTheCredentialsAreForProxiesThatTheUserNames) {
  credentials.proxy_user = "bob";
  const std::string named = "http://proxy.example.com:3128", by_pac = "http://evil.example.net:80";
  proxies.named[named] = {};
  add(CheckKind::tls, "a.example.com", "small", by_pac);
  settle();
  EXPECT_EQ(user_of(named), "bob");
  EXPECT_EQ(user_of(by_pac), "nobody") << "whoever wrote the PAC file";
}

TEST_F(Logins, OfTheCredentialsAreForWhomTheUserSays) {
  credentials.proxy_user = "bob";
  credentials.proxy_hosts = {"inside.example.com:8080"};
  proxies.named["http://proxy.example.com:3128"] = {};
  add(CheckKind::tls, "a", "small", "http://inside.example.com:8080");
  add(CheckKind::tls, "b", "small", "http://inside.example.com:8081");
  settle();
  EXPECT_EQ(user_of("http://inside.example.com:8080"), "bob");
  EXPECT_EQ(user_of("http://inside.example.com:8081"), "nobody");
  EXPECT_EQ(user_of("http://proxy.example.com:3128"), "");
}

TEST_F(Logins, AreForAProxyWhateverItsCase) {
  credentials.proxy_user = "bob";
  credentials.proxy_hosts = {"one.example.com", "two.example.com:3128"};  // as they are read
  for (const std::string url : {"http://One.Example.com:3128", "http://TWO.example.com:3128"}) {
    proxies.named[url] = {};
    settle();
    EXPECT_EQ(user_of(url), "bob");
  }
}

TEST_F(Logins, ForTurnAreForTheOneServiceThatIsOurs) {
  credentials.turn_user = "carol";
  add_set("rainbow", "built in");
  add(CheckKind::turn, "turn.example.com", "rainbow");
  settle();
  EXPECT_EQ(credentials.turn_hosts, std::vector<std::string>{"turn.example.com"});
  EXPECT_TRUE(notes.empty());
}

TEST_F(Logins, ForTurnAreSentToNoServerOfSomebodysFile) {
  credentials.turn_user = "carol";
  add_set("small", "/tmp/small.yaml");
  add(CheckKind::turn, "turn.example.net", "small");
  settle();
  EXPECT_TRUE(credentials.turn_hosts.empty());
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes.front().find("CALLREADY_TURN_HOST"), std::string::npos);
}

TEST_F(Logins, ForTurnAreSentToNeitherOfTwoServices) {
  credentials.turn_secret = "secret";
  add_set("rainbow", "built in");
  add_set("other", "built in");
  add(CheckKind::turn, "turn.example.com", "rainbow");
  add(CheckKind::turn, "turn.example.net", "other");
  settle();
  EXPECT_TRUE(credentials.turn_hosts.empty());
  credentials.turn_hosts = {"turn.example.net"};
  settle();
  EXPECT_EQ(credentials.turn_hosts, std::vector<std::string>{"turn.example.net"});
}

}  // namespace
}  // namespace callready
