#include "probe/net/proxy_rules.hpp"
#include "tests/support/said.hpp"

#include <gtest/gtest.h>

#include <map>

namespace callready {
namespace {

std::string url_of(std::string_view text) {
  const auto setting = read_proxy_setting(text);
  return setting ? setting->url : "none";
}

Probe probe_of(test::CheckNamed check, Transport transport, const std::string& host,
               std::uint16_t port) {
  Probe probe;
  probe.check = check;
  probe.target.host = host;
  probe.target.ports = {port, port};
  probe.target.transport = transport;
  return probe;
}

TEST(ProxySetting, IsReadAsProgramsWriteIt) {
  EXPECT_EQ(url_of("http://proxy.example.com:3128"), "http://proxy.example.com:3128");
  EXPECT_EQ(url_of(" HTTP://Proxy.Example.com:3128/ "), "http://proxy.example.com:3128");
  EXPECT_EQ(url_of("proxy:8080"), "http://proxy:8080") << "no scheme is http";
  EXPECT_EQ(url_of("proxy"), "http://proxy:1080") << "libcurl's own port";
  EXPECT_EQ(url_of("https://proxy"), "https://proxy:443");
  EXPECT_EQ(url_of("http://[2001:db8::1]:3128"), "http://[2001:db8::1]:3128");
  EXPECT_EQ(url_of("10.0.0.1:3128"), "http://10.0.0.1:3128");
}

TEST(ProxySetting, OthersAreRefused) {
  for (const auto* text : {"", "socks5://proxy:1080", "http://", "http://proxy:0",
                           "http://proxy:99999", "http://proxy:x", "http://[::1", "ftp://proxy"}) {
    EXPECT_EQ(url_of(text), "none") << text;
  }
}

TEST(ProxySetting, CredentialsAreTakenOutOfTheUrl) {
  const auto setting = read_proxy_setting("http://al%69ce:p%40ss:word@proxy:3128");
  ASSERT_TRUE(setting);
  EXPECT_EQ(setting->url, "http://proxy:3128");
  EXPECT_EQ(setting->user, "alice");
  EXPECT_EQ(setting->password, "p@ss:word");
}

struct NoProxyCase {
  const char *list, *host;
  std::uint16_t port;
  bool covered;
};

TEST(NoProxy, FollowsItsRules) {
  const NoProxyCase cases[] = {
      {"", "example.com", 443, false},
      {"*", "example.com", 443, true},
      {"*", "192.0.2.1", 443, true},
      {"example.com", "example.com", 443, true},
      {"example.com", "EXAMPLE.com", 443, true},
      {"example.com", "www.example.com", 443, true},
      {"example.com", "badexample.com", 443, false},
      {".example.com", "www.example.com", 443, true},
      {".example.com", "example.com", 443, true},  // libcurl: the dot says nothing
      {"www.example.com", "example.com", 443, false},
      {"example.com.", "example.com", 443, true},
      {"example.com", "www.example.com.", 443, true},
      {"a.example, b.example", "b.example", 443, true},
      {"a.example b.example", "b.example", 443, true},
      {"a.example,,b.example,", "b.example", 443, true},
      {"*.example.com", "www.example.com", 443, false},
      {"192.0.2.1", "192.0.2.1", 443, true},
      {"192.0.2.1", "192.0.2.10", 443, false},
      {"192.0.2.0/24", "192.0.2.200", 443, true},
      {"192.0.2.0/24", "192.0.3.1", 443, false},
      {"10.0.0.0/8", "10.66.66.66", 443, true},
      {"10.0.0.0/33", "10.66.66.66", 443, false},
      {"2.1", "192.0.2.1", 443, false},  // an address has no suffixes
      {"192.0.2.0/24", "host-192.0.2.0", 443, false},
      {"2001:db8::/32", "2001:db8:1::1", 443, true},
      {"2001:db8::1", "2001:0db8:0::1", 443, true},
      {"[2001:db8::1]", "2001:db8::1", 443, true},
      {"example.com:8443", "example.com", 8443, true},
      {"example.com:8443", "example.com", 443, false},
      {"192.0.2.1:80", "192.0.2.1", 80, true},
      {"[2001:db8::1]:80", "2001:db8::1", 443, false},
      {"localhost", "localhost", 80, true},
      {"<local>", "intranet", 443, true},
      {"<local>", "intranet.example.com", 443, false},
      {"<local>", "2001:db8::1", 443, false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(NoProxy(one.list).covers(one.host, one.port), one.covered)
        << '"' << one.list << "\" and " << one.host << ':' << one.port;
  }
}

class Environment : public testing::Test {
 protected:
  std::map<std::string, std::string> variables;

  std::string choice(const Probe& probe) {
    const auto environment = read_proxy_environment([&](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string() : found->second;
    });
    const auto* proxy = environment.choose(probe);
    return proxy == nullptr ? "direct" : proxy->url;
  }
  std::string choice() { return choice(probe_of("tls", Transport::tls, "www.example.com", 443)); }
};

TEST_F(Environment, LowerCaseWinsAndAllIsTheLast) {
  EXPECT_EQ(choice(), "direct");
  variables["ALL_PROXY"] = "http://all:1";
  EXPECT_EQ(choice(), "http://all:1");
  variables["HTTPS_PROXY"] = "http://upper:1";
  EXPECT_EQ(choice(), "http://upper:1");
  variables["https_proxy"] = "http://lower:1";
  EXPECT_EQ(choice(), "http://lower:1");
}

TEST_F(Environment, PlainHttpHasItsOwnAndNeverInUpperCase) {
  const auto page = probe_of("http", Transport::tcp, "www.example.com", 80);
  variables["HTTP_PROXY"] = "http://cgi:1";
  EXPECT_EQ(choice(page), "direct");
  variables["http_proxy"] = "http://plain:1";
  EXPECT_EQ(choice(page), "http://plain:1");
  EXPECT_EQ(choice(), "direct");
  // Anything that is not a web page goes by CONNECT, as https does.
  EXPECT_EQ(choice(probe_of("turn", Transport::tcp, "turn.example.com", 3478)), "direct");
}

TEST_F(Environment, ExceptionsHold) {
  variables["https_proxy"] = "http://p:1";
  variables["no_proxy"] = "example.org,192.0.2.0/24";
  EXPECT_EQ(choice(), "http://p:1");
  EXPECT_EQ(choice(probe_of("tls", Transport::tls, "www.example.org", 443)), "direct");
  EXPECT_EQ(choice(probe_of("tcp", Transport::tcp, "192.0.2.7", 5061)), "direct");
  EXPECT_EQ(choice(probe_of("tcp", Transport::tcp, "127.0.0.1", 5061)), "direct");
  EXPECT_EQ(choice(probe_of("tcp", Transport::tcp, "localhost", 5061)), "direct");
}

TEST_F(Environment, SaysWhatItCannotUse) {
  variables["all_proxy"] = "socks5://p:1080";
  const auto environment =
      read_proxy_environment([&](const std::string& name) { return variables[name]; });
  EXPECT_TRUE(environment.empty());
  EXPECT_EQ(environment.unusable, std::vector<std::string>{"all_proxy"});
}

TEST(ProxyQuestion, IsWhatABrowserAsks) {
  EXPECT_EQ(proxy_question(probe_of("http", Transport::tcp, "a.example", 80)), "http://a.example/");
  EXPECT_EQ(proxy_question(probe_of("http", Transport::tls, "a.example", 8443)),
            "https://a.example:8443/");
  EXPECT_EQ(proxy_question(probe_of("turn", Transport::tcp, "a.example", 3478)),
            "https://a.example:3478/");
  auto socket = probe_of("http", Transport::tls, "a.example", 443);
  socket.with["upgrade"] = "websocket";
  EXPECT_EQ(proxy_question(socket), "wss://a.example/");
}

std::string routes(std::string_view answer) {
  std::string text;
  for (const auto& route : read_pac_answer(answer)) {
    if (!text.empty()) text += ' ';
    text += route.kind == PacRoute::Kind::direct        ? "direct"
            : route.kind == PacRoute::Kind::unsupported ? "unsupported"
                                                        : route.url;
  }
  return text;
}

TEST(PacAnswer, IsAListOfRoutes) {
  EXPECT_EQ(routes("DIRECT"), "direct");
  EXPECT_EQ(routes(""), "direct");
  EXPECT_EQ(routes("nonsense"), "direct");
  EXPECT_EQ(routes("PROXY a:8080; PROXY b:8080 ;DIRECT"), "http://a:8080 http://b:8080 direct");
  EXPECT_EQ(routes("proxy A"), "http://a:80");
  EXPECT_EQ(routes("HTTPS a"), "https://a:443");
  EXPECT_EQ(routes("SOCKS5 s:1080; HTTP a:1"), "unsupported http://a:1");
  EXPECT_EQ(routes("PROXY a:70000; DIRECT"), "direct");
  EXPECT_EQ(routes("PROXY a@b:1/x"), "direct");
}

TEST(Wpad, LooksUpwardsAndStopsBeforeTheTop) {
  EXPECT_EQ(wpad_urls({"lyon.corp.example.com", "example.com"}),
            (std::vector<std::string>{"http://wpad.lyon.corp.example.com/wpad.dat",
                                      "http://wpad.corp.example.com/wpad.dat",
                                      "http://wpad.example.com/wpad.dat"}));
  EXPECT_TRUE(wpad_urls({"com", ""}).empty());
  EXPECT_TRUE(wpad_urls({"co.uk", "com.au."}).empty()) << "anybody may own what is below";
  EXPECT_EQ(wpad_urls({"lyon.example.co.uk"}),
            (std::vector<std::string>{"http://wpad.lyon.example.co.uk/wpad.dat",
                                      "http://wpad.example.co.uk/wpad.dat"}));
  EXPECT_EQ(wpad_urls({"corp.local"}), std::vector<std::string>{"http://wpad.corp.local/wpad.dat"});
}

}  // namespace
}  // namespace callready
