// Who is let in, and who is not.
#include "probe/ui/gate.hpp"

#include <gtest/gtest.h>

namespace callready::ui::gate_test {
namespace {

constexpr std::uint16_t port = 40123;

struct Fixture {
  Keys keys = make_keys();
  Gate gate{port, keys};

  WebRequest request(const std::string& target, const std::string& method = "GET") const {
    WebRequest made{method, target, {{"Host", "127.0.0.1:40123"}}, ""};
    if (method == "POST") made.fields.emplace_back("Origin", "http://127.0.0.1:40123");
    return made;
  }
  WebRequest with_cookie(const std::string& path, const std::string& method = "GET") const {
    auto made = request(gate.home() + path, method);
    made.fields.emplace_back("cookie", "other=1; callready=" + keys.cookie);
    return made;
  }
  std::string why(const WebRequest& request) {
    const auto decision = gate.decide(request);
    EXPECT_EQ(decision.kind == Gate::Kind::refused, !decision.why.empty());
    return decision.why;
  }
};

void replace(WebRequest& request, const std::string& name, const std::string& value) {
  for (auto& [its_name, its_value] : request.fields) {
    if (its_name == name) its_value = value;
  }
}

TEST(UiGate, KeysAreLongAndDiffer) {
  const auto one = make_keys(), other = make_keys();
  for (const auto& key : {one.token, one.cookie, one.folder}) EXPECT_EQ(key.size(), 64u);
  EXPECT_NE(one.token, one.cookie);
  EXPECT_NE(one.token, other.token);
  EXPECT_NE(one.cookie, other.cookie);
  EXPECT_NE(one.folder, other.folder);
}

TEST(UiGate, OnlyItsOwnHost) {
  EXPECT_TRUE(is_own_host("127.0.0.1:40123", port));
  for (const auto* host :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:40124", "127.0.0.1:040123", "127.0.0.1:+40123",
        "127.0.0.1:40123 ", " 127.0.0.1:40123", "127.0.0.1:40123:80",
        "127.0.0.1.evil.example:40123", "127.0.0.1:40123.evil.example", "evil.example:40123",
        "localhost:40123", "[::1]:40123", "127.1:40123", "0x7f.0.0.1:40123",
        "user@127.0.0.1:40123"}) {
    EXPECT_FALSE(is_own_host(host, port)) << host;
  }
}

TEST(UiGate, OnlyItsOwnOrigin) {
  EXPECT_TRUE(is_own_origin("http://127.0.0.1:40123", port));
  for (const auto* origin : {"", "null", "https://127.0.0.1:40123", "http://127.0.0.1",
                             "http://127.0.0.1:80", "http://127.0.0.1:40123.evil.example",
                             "http://evil.example:40123", "file://", "http://127.0.0.1:40123/"}) {
    EXPECT_FALSE(is_own_origin(origin, port)) << origin;
  }
}

TEST(UiGate, ATokenIsGoodOnce) {
  Fixture f;
  const auto entry = f.gate.entry().substr(std::string("http://127.0.0.1:40123").size());
  EXPECT_EQ(f.why(f.request("/enter?token=" + std::string(64, 'a'))), "another token");
  EXPECT_EQ(f.why(f.request(entry + "&x=1")), "another token");
  EXPECT_EQ(f.why(f.request(entry, "POST")), "another token");
  auto foreign = f.request(entry);
  replace(foreign, "Host", "127.0.0.1.evil.example:40123");
  EXPECT_EQ(f.why(foreign), "another Host") << "and the token is still good";
  auto from_file = f.request(entry);
  from_file.fields.emplace_back("Sec-Fetch-Site", "cross-site");
  EXPECT_EQ(f.gate.decide(from_file).kind, Gate::Kind::entering);
  EXPECT_EQ(f.why(f.request(entry)), "a used token");
}

TEST(UiGate, TheCookieOpensThePage) {
  Fixture f;
  EXPECT_EQ(f.gate.decide(f.with_cookie("")).kind, Gate::Kind::inside);
  const auto report = f.gate.decide(f.with_cookie("report?as=json"));
  EXPECT_EQ(report.kind, Gate::Kind::inside);
  EXPECT_EQ(report.path, "report");
  EXPECT_EQ(f.gate.decide(f.with_cookie("run", "POST")).path, "run");
}

TEST(UiGate, WithoutItNothingOpens) {
  Fixture f;
  EXPECT_EQ(f.why(f.request("/")), "no cookie");
  EXPECT_EQ(f.why(f.request(f.gate.home())), "no cookie");
  auto wrong = f.request(f.gate.home());
  wrong.fields.emplace_back("Cookie", "callready=" + std::string(64, '0'));
  EXPECT_EQ(f.why(wrong), "no cookie");
  auto elsewhere = f.request("/" + std::string(64, '0') + "/");
  elsewhere.fields.emplace_back("Cookie", "callready=" + f.keys.cookie);
  EXPECT_EQ(f.why(elsewhere), "no cookie") << "the folder is a secret, too";
  auto other_name = f.request(f.gate.home());
  other_name.fields.emplace_back("Cookie", "xcallready=" + f.keys.cookie);
  EXPECT_EQ(f.why(other_name), "no cookie");
}

TEST(UiGate, OthersAreRefusedWithTheCookieToo) {
  Fixture f;
  auto host = f.with_cookie("");
  replace(host, "Host", "evil.example:40123");
  EXPECT_EQ(f.why(host), "another Host");
  auto two_hosts = f.with_cookie("");
  two_hosts.fields.emplace_back("HOST", "127.0.0.1:40123");
  EXPECT_EQ(f.why(two_hosts), "another Host");
  auto origin = f.with_cookie("run", "POST");
  replace(origin, "Origin", "http://evil.example");
  EXPECT_EQ(f.why(origin), "another Origin");
  auto two_origins = f.with_cookie("run", "POST");
  two_origins.fields.emplace_back("Origin", "http://127.0.0.1:40123");
  EXPECT_EQ(f.why(two_origins), "another Origin");
  auto no_origin = f.with_cookie("run", "POST");
  no_origin.fields.erase(no_origin.fields.begin() + 1);
  EXPECT_EQ(f.why(no_origin), "no Origin");
  auto neighbour = f.with_cookie("");  // a page at another port of this computer
  neighbour.fields.emplace_back("Sec-Fetch-Site", "same-site");
  EXPECT_EQ(f.why(neighbour), "another site");
  EXPECT_EQ(f.why(f.with_cookie("", "PUT")), "another method");
}

TEST(UiGate, TheCookieStaysWithThePage) {
  Fixture f;
  EXPECT_EQ(f.gate.cookie_field(), "callready=" + f.keys.cookie + "; Path=/" + f.keys.folder +
                                       "/; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace callready::ui::gate_test
