// Where a PAC file comes from.
#include "probe/engine/proxy_discovery.hpp"

#include "tests/support/bytes.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

class PacFetch : public testing::Test {
 protected:
  test::Loop loop;
  std::vector<std::string> asked;  // "GET /proxy.pac"

  ProxyDiscovery discovered(const ProxyWish& wish, const Plan& plan, const Variables& variables) {
    const auto tls = std::move(*TlsContext::create({}));
    const auto channel = *AresChannel::create(loop.executor(), AresOptions());
    Resolver resolver(loop.executor(), channel);
    SiteEdge edge(loop.executor());
    checks::Settings settings;
    checks::Context context{loop.executor(), loop.scope, loop.soon(), resolver, *tls, edge,
                            settings};
    return loop.run(discover_proxies(context, wish, plan, variables, "/nonexistent/callready"));
  }

  // How it went with that PAC file; the program that would evaluate it is not there.
  Observation fetched(const std::string& url) {
    const auto nothing_set = [](const std::string&) { return std::string(); };
    const auto found = discovered({ProxyWish::Kind::pac, url}, {}, nothing_set);
    return found.pac ? found.pac->observation : Observation();
  }

  void note(const test::Bytes& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    asked.push_back(text.substr(0, text.find(" HTTP")));
  }
};

TEST_F(PacFetch, IsNotNeededForTheExceptionsOfTheEnvironment) {
  Plan plan;
  for (const std::string host : {"portal.vendor.com", "www.vendor.com", "www.other.net"}) {
    auto& probe = plan.probes.emplace_back().probe;
    probe.target.host = host;
    probe.target.ports = {443, 443};
  }
  const auto set = [](const std::string& name) -> std::string {
    if (name == "https_proxy") return "http://10.20.0.3:3128";
    return name == "no_proxy" ? "localhost,vendor.com:443" : "";
  };
  const auto found = discovered({ProxyWish::Kind::environment, {}}, plan, set);
  EXPECT_EQ(found.exceptions, (std::vector<std::string>{"portal.vendor.com", "www.vendor.com"}));
  EXPECT_EQ(found.main_proxy, "http://10.20.0.3:3128");
  const auto for_http = [](const std::string& name) -> std::string {
    return name == "http_proxy" ? "http://10.20.0.3:3128" : "";
  };
  EXPECT_TRUE(discovered({ProxyWish::Kind::environment, {}}, plan, for_http).exceptions.empty())
      << "that no proxy is set for them is no exception";
}

TEST_F(PacFetch, AddressesMayBeInCapitals) {
  test::ScriptedTcp server(loop.context, [&](auto& connection, const test::Bytes& bytes) {
    if (bytes.empty()) return;
    note(bytes);
    connection.send(test::bytes_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    connection.close();
  });
  const auto seen = fetched("HTTP://" + server.address().to_string() + "/Proxy.pac");
  EXPECT_EQ(asked, std::vector<std::string>{"GET /Proxy.pac"});
  EXPECT_EQ(seen.detail, Detail::status(404));
}

TEST_F(PacFetch, FollowsAFewRedirects) {
  test::ScriptedTcp server(loop.context, [&](auto& connection, const test::Bytes& bytes) {
    if (bytes.empty()) return;
    note(bytes);
    const bool here = asked.back() == "GET /new";
    const std::string on = asked.back() == "GET /old" ? "/new" : "/on";
    connection.send(test::bytes_of(
        here ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfunction "
             : "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + on + "\r\n\r\n"));
    connection.close();
  });
  const auto base = "http://" + server.address().to_string();
  const auto followed = fetched(base + "/old");
  EXPECT_EQ(asked, (std::vector<std::string>{"GET /old", "GET /new"}));
  EXPECT_FALSE(followed.detail.is_status());
  asked.clear();
  const auto endless = fetched(base + "/on");
  EXPECT_EQ(asked.size(), 6U);
  EXPECT_EQ(endless.detail, Detail::status(302));
}

TEST_F(PacFetch, IsNotLedToThisLink) {
  test::ScriptedTcp server(loop.context, [&](auto& connection, const test::Bytes& bytes) {
    if (bytes.empty()) return;
    note(bytes);
    connection.send(
        test::bytes_of("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n"
                       "Content-Length: 0\r\n\r\n"));
    connection.close();
  });
  const auto seen = fetched("http://" + server.address().to_string() + "/proxy.pac");
  EXPECT_EQ(seen.detail, Detail::status(302));
}

}  // namespace
}  // namespace callready
