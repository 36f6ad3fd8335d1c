#include "probe/serve/responder.hpp"

#include <fmt/format.h>

#include "checks/check.hpp"
#include "probe/media/echo.hpp"
#include "probe/serve/certificates.hpp"
#include "probe/webrtc/token.hpp"
#include "targets/loader.hpp"
#include "tests/serve/raw.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/rules_of_checks.hpp"

namespace callready {
namespace {

const std::string secret = "a key of some length";

class ResponderTest : public testing::Test {
 protected:
  test::CheckRunner runner;

  media::EchoLimits echo_limits;
  media::ReflectorLimits stream_limits;
  IpAddress bind = serve::loopback;

  std::unique_ptr<serve::Responder> start(const std::string& name,
                                          const std::string& key = secret) {
    serve::ResponderOptions options;
    options.echo_limits = echo_limits;
    options.limits = stream_limits;
    options.name = name;
    options.bind = bind;
    options.key.assign(key.begin(), key.end());
    options.today = "2026-11-21";
    options.media_ports = {{0, 0}};
    options.tcp_ports = {{0, 0}};
    options.stun_port = options.sip_port = options.sips_port = 0;
    auto started = serve::Responder::start(runner.loop.executor(), options);
    EXPECT_FALSE(started.has_error());
    return std::move(*started);
  }

  std::vector<Requirement> rows_of(const serve::Responder& responder) {
    runner.settings.credentials.media_key = secret;
    return load_text(responder.target_set(), "responder", test::rules_of_checks())
        .set->requirements;
  }

  Observation answered(const Requirement& row, Transport transport, const IpAddress& far) {
    auto seen = runner.run(*row.check, transport, far.to_string(), {far, row.ports.front().first},
                           row.with);
    const auto expected = row.id == "tcp" ? Outcome::connected : Outcome::answered;
    EXPECT_EQ(seen.outcome, expected) << row.id << ' ' << to_string(seen.outcome);
    return seen;
  }
};

TEST_F(ResponderTest, PrintsASetThatTheLoaderTakes) {
  for (const std::string name : {"127.0.0.1", "probe.example.com"}) {
    const auto responder = start(name);
    const auto loaded = load_text(responder->target_set(), "responder", test::rules_of_checks());
    for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
    ASSERT_TRUE(loaded.set);
    EXPECT_EQ(loaded.set->requirements.size(), 11u);
    EXPECT_EQ(responder->target_set().find(secret), std::string::npos);
  }
}

TEST_F(ResponderTest, AnswersWhatItsSetAsks) {
  const auto responder = start("127.0.0.1");
  const auto set = *load_text(responder->target_set(), "responder", test::rules_of_checks()).set;
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

TEST_F(ResponderTest, AnswersEveryRowOfItsSet) {
  const auto responder = start("127.0.0.1");
  for (const auto& row : rows_of(*responder)) {
    if (row.id == "stream") continue;  // takes its seconds: above
    for (const auto transport : row.transports) {
      const auto seen = answered(row, transport, serve::loopback);
      if (row.id != "sip-alg") continue;
      EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
      const auto told =
          std::find_if(seen.evidence.begin(), seen.evidence.end(),
                       [](const auto& item) { return item.kind == EvidenceKind::sip_alg; });
      ASSERT_NE(told, seen.evidence.end());
      EXPECT_TRUE(std::get<bool>(told->facts.at(Fact::sdp_tested))) << "the mirror fits";
    }
  }
}

// A server bound to all addresses, by the kernel's choice of a source, answered from another one.
TEST_F(ResponderTest, AnswersFromTheAddressThatWasAsked) {
  const auto asked = IpAddress::v4({127, 0, 0, 9});
  const bool v6 = own_address_towards(runner.loop.executor(), *IpAddress::parse("::1")).has_value();
  for (const std::string all : {"0.0.0.0", "::"}) {
    SCOPED_TRACE(all);
    bind = *IpAddress::parse(all);
    if (bind.is_v6() && !v6) GTEST_SKIP() << "no IPv6 here";
    const auto responder = start(asked.to_string());
    for (auto& row : rows_of(*responder)) {
      if (row.id == "stream") row.with["seconds"] = "1";
      for (const auto transport : row.transports) {
        if (transport == Transport::udp || row.id == "call") answered(row, transport, asked);
      }
    }
  }
}

// What does not have the key gets nothing, and nobody gets more than he sent.
TEST_F(ResponderTest, CannotBeAbused) {
  const auto responder = start("127.0.0.1");
  const auto& ports = responder->ports();
  const SocketAddress media{IpAddress::v4({127, 0, 0, 1}), ports.media.front().first};
  const SocketAddress stun{media.address, *ports.stun}, sip{media.address, *ports.sip};
  const serve::Bytes key(secret.begin(), secret.end()), wrong(24, 1);
  serve::RawUdp echo(runner.loop, media);
  const auto good = media::echo_request(key);
  ASSERT_EQ(echo.ask(good).value_or(serve::Bytes()).size(), good.size());
  for (int i = 0; i < 500; ++i) {
    echo.send(good);  // overheard and sent again
    echo.send(media::echo_request(wrong));
    echo.send(std::span(good).first(static_cast<std::size_t>(i) % good.size()));
  }
  EXPECT_FALSE(echo.receive(milliseconds(200)));
  serve::RawUdp stun_client(runner.loop, stun), sip_client(runner.loop, sip);
  const serve::Bytes binding{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,  2,
                             3, 4, 5, 6, 7,    8,    9,    10,   11, 12};
  stun_client.send(binding);
  EXPECT_FALSE(stun_client.receive(milliseconds(100))) << "its answer has 32 bytes";
  sip_client.send("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;rport\r\n\r\n");
  EXPECT_FALSE(sip_client.receive(milliseconds(100)));
}

TEST_F(ResponderTest, ASetStaysGoodAfterARestart) {
  auto before = start("127.0.0.1");
  const auto set = *load_text(before->target_set(), "responder", test::rules_of_checks()).set;
  before.reset();
  const auto after = start("127.0.0.1");
  const SocketAddress sips{IpAddress::v4({127, 0, 0, 1}), *after->ports().sips};
  const auto& with = set.find_requirement("tls")->with;
  for (const auto& [check, where] :
       {std::pair{CheckKind::tls, after->tls()}, std::pair{CheckKind::sip, sips}}) {
    const auto seen = runner.run(check, Transport::tls, "127.0.0.1", where, with);
    EXPECT_EQ(seen.outcome, Outcome::answered) << to_string(check);
    EXPECT_NE(seen.detail, DetailCode::unexpected_issuer);
  }
}

TEST_F(ResponderTest, AnotherKeyIsAnotherFarEndAndNoDeviceOnTheWay) {
  const auto other = start("127.0.0.1", "another key of some length");
  const auto set =
      *load_text(start("127.0.0.1")->target_set(), "responder", test::rules_of_checks()).set;
  runner.settings.credentials.media_key = secret;
  const SocketAddress sips{IpAddress::v4({127, 0, 0, 1}), *other->ports().sips};
  for (const auto& [row, where] : {std::pair{"tls", other->tls()}, std::pair{"sip-tls", sips},
                                   std::pair{"call", other->tls()}}) {
    const auto* asked = set.find_requirement(row);
    const auto seen = runner.run(*asked->check, Transport::tls, "127.0.0.1", where, asked->with);
    EXPECT_EQ(seen.outcome, Outcome::skipped) << row;
    EXPECT_EQ(seen.detail, DetailCode::another_far_end) << row;
  }
}

std::optional<bool> told_of(const Observation& seen, Fact fact) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind != EvidenceKind::udp_port) continue;
    const auto found = evidence.facts.find(fact);
    if (found != evidence.facts.end()) return std::get<bool>(found->second);
  }
  return std::nullopt;
}

// One-way audio: the far end counts what comes and says so over TLS.
TEST_F(ResponderTest, SilentMediaPortsAreToldByWayOverTls) {
  // Takes what comes and answers nothing; what is said of it is told elsewhere.
  asio::ip::udp::socket mute(runner.loop.executor(), {asio::ip::address_v4::loopback(), 0});
  const auto port = mute.local_endpoint().port();
  serve::CertificateOptions names;
  names.common_name = "127.0.0.1";
  const auto certificate = serve::Certificate::self_signed(names);
  std::string counts;
  serve::CallPeerOptions options;
  options.https = options.media = serve::any_port;
  options.tls = serve::server_context(certificate);
  options.token = webrtc::whip_token(serve::bytes_of(secret), "127.0.0.1");
  options.other_page = [&](std::string_view, std::string_view) { return std::optional(counts); };
  const auto peer = *serve::CallPeer::start(runner.loop.executor(), options);
  runner.settings.credentials.media_key = secret;
  const std::map<std::string, std::string> with = {
      {"echo", "true"},
      {"authenticated", "true"},
      {"counts", std::to_string(peer->https().port)},
      {"public_key_sha256", certificate.public_key_sha256()}};
  const auto seen_where = [&](std::string told) {
    counts = std::move(told);
    return runner.run(CheckKind::udp_range, Transport::udp, "127.0.0.1", {serve::loopback, port},
                      with);
  };
  const auto deaf = seen_where(fmt::format("ports\n{} 3\n", port));
  EXPECT_EQ(deaf.outcome, Outcome::silent);
  EXPECT_EQ(deaf.detail, DetailCode::inbound_dropped);
  EXPECT_EQ(told_of(deaf, Fact::outbound), true);
  EXPECT_EQ(told_of(deaf, Fact::inbound), false);
  const auto lost = seen_where("ports\n");
  EXPECT_EQ(lost.outcome, Outcome::silent);
  EXPECT_EQ(lost.detail, DetailCode::dropped);
  EXPECT_EQ(told_of(lost, Fact::outbound), false);
}

// It blocked the way back, until the far end said that it had not answered.
TEST_F(ResponderTest, WhatTheFarEndRefusedIsNobodysFirewall) {
  echo_limits.packets_per_second = 0;
  const auto responder = start("127.0.0.1");
  const auto set = *load_text(responder->target_set(), "responder", test::rules_of_checks()).set;
  runner.settings.credentials.media_key = secret;
  const auto* row = set.find_requirement("media");
  const auto seen = runner.run(CheckKind::udp_range, Transport::udp, "127.0.0.1",
                               {serve::loopback, row->ports.front().first}, row->with);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_NE(seen.detail, DetailCode::inbound_dropped);
  EXPECT_EQ(told_of(seen, Fact::outbound), std::nullopt);
  EXPECT_EQ(told_of(seen, Fact::inbound), std::nullopt);
}

TEST_F(ResponderTest, ABusyFarEndSaysSo) {
  stream_limits.sessions = 0;
  const auto responder = start("127.0.0.1");
  const auto set = *load_text(responder->target_set(), "responder", test::rules_of_checks()).set;
  runner.settings.credentials.media_key = secret;
  const auto* row = set.find_requirement("stream");
  const auto seen =
      runner.run(CheckKind::media, Transport::udp, "127.0.0.1", responder->stamp(), row->with);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::far_end_busy);
}

TEST_F(ResponderTest, AnotherCertificateIsNotTaken) {
  const auto set =
      *load_text(start("127.0.0.1")->target_set(), "responder", test::rules_of_checks()).set;
  serve::CertificateOptions inspecting;
  inspecting.common_name = "127.0.0.1";
  inspecting.organization = "Inspection";
  serve::HttpOptions options;
  options.tls = serve::server_context(serve::Certificate::self_signed(inspecting));
  const auto device = *serve::HttpServer::start(runner.loop.executor(), serve::any_port, options);
  const auto seen = runner.run(CheckKind::tls, Transport::tls, "127.0.0.1", device->local(),
                               set.find_requirement("tls")->with);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::unexpected_issuer);
}

// All that is asked over a connection, of a far end that has no more places.
TEST_F(ResponderTest, WhoIsTurnedAwayHearsThatItIsBusy) {
  const auto responder = start("127.0.0.1");
  responder->allow_connections(1);
  serve::RawTcp held(runner.loop, responder->tls());
  serve::settle(runner.loop);
  runner.settings.credentials.media_key = secret;
  const auto set = *load_text(responder->target_set(), "responder", test::rules_of_checks()).set;
  for (const auto* id : {"stun-tcp", "sip-tcp", "sip-tls", "tls", "call"}) {
    const auto* row = set.find_requirement(id);
    const SocketAddress where{IpAddress::v4({127, 0, 0, 1}), row->ports.front().first};
    const auto seen =
        runner.run(*row->check, row->transports.front(), "127.0.0.1", where, row->with);
    EXPECT_EQ(seen.outcome, Outcome::skipped) << id << ' ' << to_string(seen.outcome);
    EXPECT_EQ(seen.detail, DetailCode::far_end_busy) << id << ' ' << seen.detail.text();
  }
}

// The same over UDP, of servers that have no answer left.
TEST_F(ResponderTest, OverUdpABusyFarEndSaysSo) {
  const serve::Respond stun = [](std::span<const std::uint8_t> request, SocketAddress& peer) {
    serve::StunIdentity identity;
    identity.software.clear();
    identity.busy = true;
    serve::StunArrival arrival;
    arrival.client = peer;
    return serve::answer_stun(identity, request, arrival).bytes;
  };
  const serve::Respond sip = [](std::span<const std::uint8_t> request, SocketAddress& peer) {
    serve::SipIdentity identity;
    identity.server.clear();
    identity.growth = 0;
    identity.busy = true;
    return serve::answer_sip(identity, request, peer, true);
  };
  serve::Limits limits;
  limits.replies_may_grow = false;
  for (const auto& [check, respond] :
       {std::pair{CheckKind::stun, stun}, std::pair{CheckKind::sip, sip}}) {
    const auto server =
        *serve::UdpService::start(runner.loop.executor(), serve::any_port, respond, limits);
    const auto seen = runner.run(check, Transport::udp, "127.0.0.1", server->local());
    EXPECT_EQ(seen.outcome, Outcome::skipped) << to_string(check);
    EXPECT_EQ(seen.detail, DetailCode::far_end_busy) << seen.detail.text();
  }
}

}  // namespace
}  // namespace callready
