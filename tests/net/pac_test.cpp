#include "probe/net/pac.hpp"

#include <csignal>

#include "tests/support/loop.hpp"

namespace callready {
namespace {

const std::vector<PacQuestion> questions = {{"https://a.example/", "a.example"},
                                            {"https://www.corp.example/", "www.corp.example"}};

TEST(Pac, IsAskedForEachHost) {
  const auto seen = evaluate_pac(
      "function FindProxyForURL(url, host) {"
      "  if (dnsDomainIs(host, '.corp.example')) return 'DIRECT';"
      "  return 'PROXY proxy.corp.example:3128; DIRECT'; }",
      questions);
  EXPECT_EQ(seen.error, "");
  EXPECT_EQ(seen.answers,
            (std::vector<std::string>{"PROXY proxy.corp.example:3128; DIRECT", "DIRECT"}));
}

TEST(Pac, GetsTheUrl) {
  const auto seen = evaluate_pac("function FindProxyForURL(url, host) { return url; }", questions);
  EXPECT_EQ(seen.answers.front(), "https://a.example/");
}

TEST(Pac, KnowsTheComputersAddress) {
  const auto seen = evaluate_pac(
      "function FindProxyForURL(url, host) {"
      "  return isInNet(myIpAddress(), '10.20.0.0', '255.255.0.0') ? 'PROXY a:1' : 'DIRECT'; }",
      questions, "10.20.0.23");
  EXPECT_EQ(seen.answers.front(), "PROXY a:1");
}

TEST(Pac, SaysWhatIsWrongWithTheScript) {
  const auto syntax = evaluate_pac("function FindProxyForURL(url, host) { return", questions);
  EXPECT_NE(syntax.error, "");
  EXPECT_EQ(syntax.answers, (std::vector<std::string>{"", ""}));
  const auto missing = evaluate_pac("var a = 1;", questions);
  EXPECT_NE(missing.error, "");
  const auto page = evaluate_pac("<html><body>Sign in</body></html>", questions);
  EXPECT_NE(page.error, "");
  const auto thrown =
      evaluate_pac("function FindProxyForURL(url, host) { throw 'no'; }", questions);
  EXPECT_NE(thrown.error, "");
}

TEST(Pac, AnErrorForOneHostLeavesTheOthers) {
  const auto seen = evaluate_pac(
      "function FindProxyForURL(url, host) {"
      "  if (host == 'a.example') return missing.thing; return 'DIRECT'; }",
      questions);
  EXPECT_NE(seen.error, "");
  EXPECT_EQ(seen.answers, (std::vector<std::string>{"", "DIRECT"}));
}

class PacChild : public testing::Test {
 protected:
  test::Loop loop;
  Result<PacAnswers> ask(const std::string& program) {
    const PacSource source{"function FindProxyForURL() {}", "", program};
    return loop.run(ask_pac(loop.executor(), source, questions, loop.scope, loop.soon()));
  }
};

TEST_F(PacChild, ThatIsNoSuchProgramIsAFailure) {
  const auto seen = ask("/nonexistent/callready");
  ASSERT_TRUE(seen.has_error());
}

TEST_F(PacChild, ThatEndsWithoutAnAnswerIsAFailure) {
  std::signal(SIGPIPE, SIG_IGN);  // as the program's main() does
  const auto seen = ask("/bin/false");
  ASSERT_TRUE(seen.has_error());
  EXPECT_NE(seen.error().kind, FailureKind::timed_out);
}

TEST(Pac, AScriptAsksForSoManyNamesAndNoMore) {
  for (const std::string ask : {"dnsResolve('127.0.0.1')", "isResolvable('127.0.0.1')",
                                "isInNet('localhost', '127.0.0.0', '255.0.0.0')"}) {
    const auto seen = evaluate_pac("var n = 0; for (var i = 0; i < 1000; i++) if (" + ask +
                                       ") n++;"
                                       "function FindProxyForURL(url, host) { return 'n' + n; }",
                                   {{"http://a/", "a"}});
    ASSERT_EQ(seen.answers.size(), 1u) << seen.error;
    EXPECT_EQ(seen.answers[0], "n200") << ask << seen.error;
  }
}

TEST(PacAnswer, IsCutBehindAnItem) {
  EXPECT_EQ(kept_answer("PROXY a:80; DIRECT"), "PROXY a:80; DIRECT");
  std::string many;
  while (many.size() < 984) many += "PROXY 198.51.100.1:3128;";
  const auto whole = many.substr(0, many.size() - 1);
  EXPECT_EQ(kept_answer(many + "PROXY 198.51.100.2:3128"), whole);
  EXPECT_EQ(kept_answer(std::string(5'000, 'x')), "") << "one item that is no proxy";
}

}  // namespace
}  // namespace callready
