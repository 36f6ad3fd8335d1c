#include "probe/serve/responder.hpp"

#include "checks/check.hpp"
#include "targets/loader.hpp"
#include "tests/support/check_runner.hpp"

namespace callready {
namespace {

const std::string secret = "a key of some length";

class ResponderTest : public testing::Test {
 protected:
  test::CheckRunner runner;

  std::unique_ptr<serve::Responder> start(const std::string& name) {
    serve::ResponderOptions options;
    options.name = name;
    options.bind = IpAddress::v4({127, 0, 0, 1});
    options.key.assign(secret.begin(), secret.end());
    options.today = "2026-11-21";
    auto started = serve::Responder::start(runner.loop.executor(), options);
    EXPECT_FALSE(started.has_error());
    return std::move(*started);
  }
  static LoadRules rules() {
    LoadRules all;
    for (const auto& check : checks::registry()) {
      CheckRule rule;
      rule.kind = check.kind;
      rule.transports = check.transports;
      for (const auto& parameter : check.parameters) {
        rule.parameters.push_back({std::string(parameter.name), std::string(parameter.meaning)});
      }
      all.checks.push_back(std::move(rule));
    }
    return all;
  }
};

TEST_F(ResponderTest, PrintsASetThatTheLoaderTakes) {
  for (const std::string name : {"127.0.0.1", "probe.example.com"}) {
    const auto responder = start(name);
    const auto loaded = load_text(responder->target_set(), "responder", rules());
    for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
    ASSERT_TRUE(loaded.set);
    EXPECT_EQ(loaded.set->requirements.size(), 3u);
    EXPECT_EQ(responder->target_set().find(secret), std::string::npos);
  }
}

TEST_F(ResponderTest, AnswersWhatItsSetAsks) {
  const auto responder = start("127.0.0.1");
  const auto set = *load_text(responder->target_set(), "responder", rules()).set;
  runner.settings.credentials.media_key = secret;
  const auto* stream = set.find_requirement("stream");
  auto with = stream->with;
  with["seconds"] = "1";
  EXPECT_EQ(stream->ports.front().first, responder->stamp().port);
  EXPECT_EQ(
      runner.run(CheckKind::media, Transport::udp, "127.0.0.1", responder->stamp(), with).outcome,
      Outcome::answered);
  const auto* tls = set.find_requirement("tls");
  const auto seen =
      runner.run(CheckKind::tls, Transport::tls, "127.0.0.1", responder->tls(), tls->with);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::private_pki);
}

TEST_F(ResponderTest, AnotherCertificateIsNotTaken) {
  const auto responder = start("127.0.0.1"), other = start("127.0.0.1");
  const auto set = *load_text(other->target_set(), "responder", rules()).set;
  const auto seen = runner.run(CheckKind::tls, Transport::tls, "127.0.0.1", responder->tls(),
                               set.find_requirement("tls")->with);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::unexpected_issuer);
}

}  // namespace
}  // namespace callready
