#include "checks/ice_report.hpp"
#include "probe/serve/responder.hpp"
#include "probe/serve/stun_server.hpp"
#include "probe/webrtc/ice_call.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

const std::string secret = "a key of some length";

class IceTest : public testing::Test {
 protected:
  test::CheckRunner runner;
  std::unique_ptr<serve::Responder> far = start();
  std::map<std::string, std::string> with{{"authenticated", "true"},
                                          {"public_key_sha256", pin(*far)}};

  std::unique_ptr<serve::Responder> start() {
    serve::ResponderOptions options;
    options.name = "127.0.0.1";
    options.bind = IpAddress::v4({127, 0, 0, 1});
    options.key.assign(secret.begin(), secret.end());
    options.today = "2026-11-21";
    auto started = serve::Responder::start(runner.loop.executor(), options);
    EXPECT_FALSE(started.has_error());
    return std::move(*started);
  }
  static std::string pin(const serve::Responder& responder) {
    const auto& set = responder.target_set();
    return set.substr(set.find("sha256: ") + 8, 64);
  }
  Observation call() {
    return runner.run(CheckKind::ice, Transport::tls, "127.0.0.1", far->tls(), with);
  }
  static const Evidence* find(const Observation& seen, EvidenceKind kind) {
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind == kind) return &evidence;
    }
    return nullptr;
  }
};

TEST_F(IceTest, AWholeCall) {
  runner.settings.credentials.media_key = secret;
  const auto seen = call();
  ASSERT_EQ(seen.detail, DetailCode::called) << seen.detail.text();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  const auto* pair = find(seen, EvidenceKind::ice_pair);
  ASSERT_TRUE(pair);
  EXPECT_EQ(text_fact(*pair, Fact::far_type), "host");
  EXPECT_EQ(number_fact(*pair, Fact::far_port), far->calls()->media().port);
  const auto* media = find(seen, EvidenceKind::call_media);
  ASSERT_TRUE(media);
  EXPECT_GT(number_fact(*media, Fact::back), 0);
  EXPECT_TRUE(number_fact(*media, Fact::first_media_ms));
  const auto* arrived = find(seen, EvidenceKind::call_arrived);
  ASSERT_TRUE(arrived);
  EXPECT_GT(number_fact(*arrived, Fact::handshakes_arrived), 0);
  const auto* greeting = find(seen, EvidenceKind::call_greeting);
  ASSERT_TRUE(greeting);
  EXPECT_EQ(number_fact(*greeting, Fact::sent), 4);
  EXPECT_EQ(number_fact(*greeting, Fact::first_parts), 4);
  EXPECT_EQ(number_fact(*greeting, Fact::later_parts), 4);
  EXPECT_EQ(far->calls()->sessions(), 0u) << "it was ended";
}

TEST_F(IceTest, WithoutItsKeyThereIsNone) {
  EXPECT_EQ(call().detail, DetailCode::no_key);
  runner.settings.credentials.media_key = "another key of some length";
  const auto seen = call();
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(far->calls()->sessions(), 0u);
}

TEST_F(IceTest, NothingIsSaidToAnotherCertificate) {
  runner.settings.credentials.media_key = secret;
  with["public_key_sha256"] = std::string(64, '0');
  const auto seen = call();
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::another_far_end);
  with.erase("public_key_sha256");
  EXPECT_EQ(call().detail, DetailCode::untrusted);
  EXPECT_EQ(far->calls()->sessions(), 0u);
}

TEST_F(IceTest, WhatAnswersNoWhipMakesNoCall) {
  runner.settings.credentials.media_key = secret;
  with["path"] = "/elsewhere";
  EXPECT_EQ(call().detail, Detail::status(404));
}

TEST_F(IceTest, WithoutACallItSaysWhatThereIs) {
  Probe probe;
  probe.check = CheckKind::ice;
  probe.target.transport = Transport::tls;
  probe.with = {{"only_gather", "true"}};
  const auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::only_host);
  ASSERT_TRUE(find(seen, EvidenceKind::ice_candidates));
}

// Accepts the offer with that session description or none, and then takes the end of the call.
asio::awaitable<void> take_no_call(test::TlsServerStream& peer, std::string& requests,
                                   std::string answer) {
  const std::string taken = "HTTP/1.1 201 Created\r\nLocation: /whip/a\r\nContent-Length: " +
                            std::to_string(answer.size()) + "\r\n\r\n" + answer;
  const std::string ended = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const std::string* replies[] = {&taken, &ended};
  for (const auto* reply : replies) {
    std::string head;
    co_await asio::async_read_until(peer, asio::dynamic_buffer(head), "\r\n\r\n",
                                    asio::as_tuple(asio::use_awaitable));
    requests += head;
    co_await asio::async_write(peer, asio::buffer(*reply), asio::as_tuple(asio::use_awaitable));
  }
}

Observation call_answered_with(const std::string& answer, std::string& requests) {
  const auto authority = test::make_authority("Test Root");
  const test::TemporaryFile root(authority.pem());
  test::CheckRunner runner({root.path()});
  test::TlsServerOptions options;
  options.chain = {test::make_leaf("www.example.com", authority)};
  test::TlsServer server(runner.loop, options, [&](test::TlsServerStream& peer) {
    return take_no_call(peer, requests, answer);
  });
  return runner.run(CheckKind::ice, Transport::tls, "www.example.com", server.address());
}

TEST(IceCheck, EndsACallThatWasAcceptedWithoutAnAnswer) {
  std::string requests;
  const auto seen = call_answered_with("", requests);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::no_call);
  EXPECT_NE(requests.find("DELETE /whip/a HTTP/1.1"), std::string::npos) << requests;
}

TEST(IceCheck, AnAnswerThatIsTooLongIsNoRefusal) {
  std::string requests;
  const auto seen = call_answered_with(std::string(70'000, 'a'), requests);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::oversized);
  const auto* error = test::find_evidence(seen, EvidenceKind::error);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text, "more than 64 KiB");
}

TEST(IceCheck, AnAnswerWithoutAnAddressIsNotSilence) {
  if (!webrtc::IceCall::available()) GTEST_SKIP() << "libnice is not installed";
  std::string answer =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
      "c=IN IP4 0.0.0.0\r\na=setup:passive\r\na=ice-ufrag:abcd\r\n"
      "a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA";
  for (int i = 1; i < 32; ++i) answer += ":AA";
  answer += "\r\n";
  std::string requests;
  const auto seen = call_answered_with(answer, requests);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::no_call);
}

TEST(CallOutcome, WhatCouldNotBeSentIsNotSilence) {
  const auto conclude = [](const webrtc::CallSeen& seen) {
    Observation observation;
    checks::conclude_call(observation, seen, std::nullopt);
    return std::pair(observation.outcome, observation.detail);
  };
  webrtc::CallSeen seen;
  seen.failed = webrtc::CallStage::handshake;
  EXPECT_EQ(conclude(seen), std::pair(Outcome::failed, Detail(DetailCode::dtls_silent)))
      << "the far end was to begin";
  seen.flights_sent = 6;
  EXPECT_EQ(conclude(seen), std::pair(Outcome::skipped, Detail(DetailCode::local_error)));
  seen.datagrams_left = 1;
  EXPECT_EQ(conclude(seen), std::pair(Outcome::failed, Detail(DetailCode::dtls_silent)));
  seen.failed = webrtc::CallStage::media;
  EXPECT_EQ(conclude(seen), std::pair(Outcome::skipped, Detail(DetailCode::local_error)));
  seen.packets_sent = 1;
  EXPECT_EQ(conclude(seen), std::pair(Outcome::failed, Detail(DetailCode::media_silent)));
}

// What this computer could not send is no loss, and no silence; what was heard of others does not
// count.
TEST(CallStream, IsOfThePacketsThatLeft) {
  webrtc::CallSeen seen;
  seen.left.assign(500, true);
  for (std::size_t i = 100; i < 200; ++i) seen.left[i] = false;
  seen.packets_sent = 400;
  for (std::uint32_t i = 0; i < 500; ++i) {
    if (seen.left[i] && i != 300) seen.heard.push_back({i, 20.0 * i, 20.0 * i + 40});
  }
  const auto stream = checks::call_stream_of(seen, 399);
  EXPECT_EQ(stream.loop->sent, 400);
  EXPECT_EQ(stream.loop->lost, 1);
  EXPECT_EQ(stream.round_trip_least_ms, 40);
  EXPECT_EQ(stream.up->lost, 1);
  EXPECT_FALSE(stream.outage);
  seen.heard.resize(101);
  for (std::size_t i = 480; i < 500; ++i) seen.left[i] = false;
  const auto silent = checks::call_stream_of(seen, std::nullopt);
  ASSERT_TRUE(silent.outage);
  EXPECT_EQ(silent.outage->from_ms, 201 * 20);
  EXPECT_EQ(silent.outage->length_ms, 279 * 20) << "it stopped sending before the end";
  seen.heard.back().back_ms += 6'000;
  EXPECT_FALSE(checks::call_stream_of(seen, std::nullopt).outage) << "the rest may be in a queue";
  seen.heard = {{7'000, 0, 40}};
  EXPECT_FALSE(checks::call_stream_of(seen, std::nullopt).round_trip_least_ms);
}

}  // namespace
}  // namespace callready
