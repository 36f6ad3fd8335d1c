// The far end of calls without sockets: what it answers, whom, and when it stops.
#include "probe/serve/call_sessions.hpp"

#include <gtest/gtest.h>

#include "probe/net/stun.hpp"
#include "probe/serve/whip.hpp"
#include "probe/webrtc/long_hello.hpp"

namespace callready::serve {
namespace {

using webrtc::Bytes;

const SocketAddress caller{IpAddress::v4({192, 0, 2, 7}), 40'000};
const IpAddress here = IpAddress::v4({198, 51, 100, 1});

class CallSessionsTest : public testing::Test {
 protected:
  Instant now = Instant{} + std::chrono::hours(1);
  webrtc::Identity identity;
  std::vector<std::pair<Bytes, SocketAddress>> sent;
  std::optional<IpAddress> sent_from;  // the latest of `sent`
  CallSessions::Send send = [this](std::span<const std::uint8_t> bytes, const SocketAddress& to,
                                   const CallSessions::Own& from) {
    sent_from = from;
    sent.emplace_back(Bytes(bytes.begin(), bytes.end()), to);
  };

  std::string offer() const {
    webrtc::LocalEnd local;
    local.keys = {"ours", "abcdefghijklmnopqrstuv", identity.fingerprint(), "actpass"};
    return webrtc::print_offer(local);
  }

  struct Call {
    std::string id;
    webrtc::Keys far;
  };
  Call open(CallSessions& sessions, const IpAddress& client = caller.address) {
    const auto opened = sessions.open(offer(), client, here, now);
    EXPECT_EQ(opened.refusal, CallSessions::Refusal::none);
    const auto answer = webrtc::parse_sdp(opened.answer);
    return {opened.id, answer->keys_of(answer->media.at(0))};
  }

  static Bytes check(const Call& call, const std::string& password) {
    stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
    builder.add_text(stun::Attribute::username, call.far.ufrag + ":ours");
    auto bytes =
        builder.finish({reinterpret_cast<const std::uint8_t*>(password.data()), password.size()});
    stun::add_fingerprint(bytes);
    return bytes;
  }

  void prove(CallSessions& sessions, const Call& call) {
    sessions.take(check(call, call.far.password), caller, now, send);
  }

  // The handshake from the caller's side.
  webrtc::Srtp secure(CallSessions& sessions, const Call& call) {
    webrtc::Dtls dtls(identity, true, call.far.fingerprint);
    dtls.begin();
    for (int round = 0; round < 10; ++round) {
      for (const auto& datagram : dtls.outgoing()) sessions.take(datagram, caller, now, send);
      for (const auto& [datagram, to] : std::exchange(sent, {})) {
        if (datagram[0] >= 20 && datagram[0] <= 63) dtls.take(datagram);
      }
    }
    EXPECT_EQ(dtls.state(), webrtc::Dtls::State::connected);
    return *webrtc::Srtp::make(dtls.keys().value());
  }

  static Bytes packet(std::uint8_t number) {
    Bytes rtp(172, 0xFF);
    rtp[0] = 0x80;
    rtp[1] = 0;
    rtp[2] = 0;
    rtp[3] = number;
    return rtp;
  }
};

TEST_F(CallSessionsTest, MediaComesBackOnce) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  prove(sessions, call);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_LE(sent[0].first.size(), check(call, call.far.password).size());
  const auto reply = stun::parse(sent[0].first);
  ASSERT_FALSE(reply.has_error());
  EXPECT_EQ(reply->xor_mapped_address, caller);
  auto srtp = secure(sessions, call);
  const auto out = *srtp.protect(packet(1));
  sessions.take(out, caller, now, send);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].second, caller);
  EXPECT_LE(sent[0].first.size(), out.size());
  EXPECT_EQ(srtp.unprotect(sent[0].first), packet(1));
  sessions.take(out, caller, now, send);
  EXPECT_EQ(sent.size(), 1u) << "a replay";
  const auto counts = sessions.close(call.id);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->checks, 1);
  EXPECT_EQ(counts->media, 1);
  EXPECT_FALSE(sessions.close(call.id));
}

// Each address of a client with many has its own; the one that is in use proves itself again.
TEST_F(CallSessionsTest, TheAddressThatProvedItselfLongestAgoIsForgotten) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  prove(sessions, call);
  auto srtp = secure(sessions, call);
  const auto prove_from = [&](std::uint16_t port) {
    sessions.take(check(call, call.far.password), {caller.address, port}, now, send);
  };
  for (std::uint16_t port = 1; port <= 7; ++port) prove_from(port);
  prove(sessions, call);
  prove_from(8);
  sent.clear();
  sessions.take(*srtp.protect(packet(1)), caller, now, send);
  EXPECT_EQ(sent.size(), 1u);
  sessions.take(*srtp.protect(packet(2)), {caller.address, 1}, now, send);
  EXPECT_EQ(sent.size(), 1u) << "that one is forgotten";
}

TEST_F(CallSessionsTest, LaterGreetingsInPartsAreCountedAndNotAnswered) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  const auto [first, second] = webrtc::long_client_hello();
  prove(sessions, call);
  auto srtp = secure(sessions, call);
  const SocketAddress stranger{IpAddress::v4({192, 0, 2, 8}), 40'000};
  for (int i = 0; i < 3; ++i) {
    sessions.take(first, caller, now, send);
    sessions.take(first, stranger, now, send);
  }
  sessions.take(second, caller, now, send);
  sessions.tick(now, send);
  EXPECT_TRUE(sent.empty());
  sessions.take(*srtp.protect(packet(1)), caller, now, send);
  EXPECT_EQ(sent.size(), 1u) << "the call goes on";
  const auto counts = sessions.close(call.id);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->first_parts, 3) << "the caller's";
  EXPECT_EQ(counts->later_parts, 1);
}

TEST_F(CallSessionsTest, WhoProvesNothingGetsNothing) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  webrtc::Dtls dtls(identity, true, call.far.fingerprint);
  dtls.begin();
  for (const auto& hello : dtls.outgoing()) sessions.take(hello, caller, now, send);
  const auto right = check(call, call.far.password);
  sessions.take(check(call, "another password of ice"), caller, now, send);
  for (std::size_t size = 0; size < right.size() - 32; ++size) {
    sessions.take(std::span(right).first(size), caller, now, send);
  }
  for (std::size_t at = 0; at < right.size() - 8; ++at) {  // all but the fingerprint
    auto forged = right;
    forged[at] ^= 1;
    sessions.take(forged, caller, now, send);
  }
  sessions.take(packet(1), caller, now, send);
  sessions.take(Bytes(2'000, 0x80), caller, now, send);
  EXPECT_TRUE(sent.empty());
}

TEST_F(CallSessionsTest, AnswersFromWhereItWasAsked) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  const auto second = IpAddress::v4({198, 51, 100, 2});
  sessions.take(check(call, call.far.password), caller, now, send, second);
  EXPECT_EQ(sent_from, second);
  auto srtp = secure(sessions, call);
  EXPECT_EQ(sent_from, std::nullopt);
  sessions.take(*srtp.protect(packet(1)), caller, now, send, here);
  EXPECT_EQ(sent_from, here);
  const auto other = open(sessions);
  prove(sessions, other);
  webrtc::Dtls dtls(identity, true, other.far.fingerprint);
  dtls.begin();
  sent_from.reset();
  for (const auto& hello : dtls.outgoing()) sessions.take(hello, caller, now, send, second);
  EXPECT_EQ(sent_from, second);
}

// Who has the session's password proves nothing of the address that he writes into his packets.
TEST_F(CallSessionsTest, AForgedAddressGetsNoMoreThanWasSentInItsName) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  const SocketAddress victim{IpAddress::v4({203, 0, 113, 5}), 4'000};
  webrtc::Dtls dtls(identity, true, call.far.fingerprint);
  dtls.begin();
  const auto hellos = dtls.outgoing();
  std::size_t forged = 0, drawn = 0;
  const auto say = [&](const Bytes& bytes) {
    forged += bytes.size();
    sessions.take(bytes, victim, now, send);
  };
  // The cookie is asked for at an address of the attacker's own.
  prove(sessions, call);
  for (const auto& hello : hellos) sessions.take(hello, caller, now, send);
  for (const auto& [datagram, to] : std::exchange(sent, {})) {
    if (datagram[0] >= 20 && datagram[0] <= 63) dtls.take(datagram);
  }
  say(check(call, call.far.password));
  for (const auto& hello : hellos) say(hello);
  for (const auto& with_cookie : dtls.outgoing()) say(with_cookie);
  for (int i = 0; i < 25; ++i, now += std::chrono::seconds(1)) sessions.tick(now, send);
  for (const auto& [datagram, to] : sent) drawn += to == victim ? datagram.size() : 0;
  EXPECT_GT(drawn, 0u);
  EXPECT_LE(drawn, forged);
}

TEST_F(CallSessionsTest, WhoGoesAwayIsLeftAfterThirtySeconds) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  prove(sessions, call);
  auto srtp = secure(sessions, call);
  now += std::chrono::seconds(29);
  sessions.tick(now, send);
  EXPECT_EQ(sessions.size(), 1u);
  prove(sessions, call);
  now += std::chrono::seconds(29);
  sessions.tick(now, send);
  EXPECT_EQ(sessions.size(), 1u) << "consent was given again";
  now += std::chrono::seconds(2);
  sent.clear();
  sessions.take(*srtp.protect(packet(1)), caller, now, send);
  EXPECT_TRUE(sent.empty()) << "no consent, no media, even before the next tick";
  sessions.tick(now, send);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(CallSessionsTest, ACallEndsThoughConsentGoesOn) {
  CallSessions sessions({}, {here}, 5000);
  const auto call = open(sessions);
  for (int i = 0; i < 12; ++i, now += std::chrono::seconds(10)) {
    prove(sessions, call);
    sessions.tick(now, send);
  }
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(CallSessionsTest, CapsHold) {
  CallLimits limits;
  limits.sessions = 3;
  limits.sessions_of_address = 2;
  limits.packets_per_second = 50;
  CallSessions sessions(limits, {here}, 5000);
  const auto call = open(sessions);
  open(sessions);
  EXPECT_EQ(sessions.open(offer(), caller.address, here, now).refusal,
            CallSessions::Refusal::crowded)
      << "two of an address";
  open(sessions, IpAddress::v4({192, 0, 2, 8}));
  EXPECT_EQ(sessions.open(offer(), IpAddress::v4({192, 0, 2, 9}), here, now).refusal,
            CallSessions::Refusal::crowded)
      << "three in all";
  prove(sessions, call);
  auto srtp = secure(sessions, call);
  sent.clear();
  for (std::uint8_t i = 0; i < 100; ++i) {
    sessions.take(*srtp.protect(packet(i)), caller, now, send);
  }
  EXPECT_LT(sent.size(), 50u);
  EXPECT_GT(sent.size(), 30u) << "the handshake has taken some";
}

TEST_F(CallSessionsTest, WhatIsNoOfferIsRefused) {
  CallSessions sessions({}, {here}, 5000);
  EXPECT_EQ(sessions.open("hello", caller.address, here, now).refusal,
            CallSessions::Refusal::malformed);
  EXPECT_EQ(sessions.open("v=0\r\nm=audio 9 RTP/AVP 0\r\n", caller.address, here, now).refusal,
            CallSessions::Refusal::unsupported);
  EXPECT_EQ(sessions.size(), 0u);
}

class WhipTest : public CallSessionsTest {
 protected:
  CallSessions sessions{{}, {here}, 5000};
  WebReply ask(const std::string& method, const std::string& target,
               std::vector<std::pair<std::string, std::string>> fields, std::string body = {}) {
    WebRequest request;
    request.method = method;
    request.target = target;
    request.fields = std::move(fields);
    request.body = std::move(body);
    request.client = caller;
    return answer_whip(sessions, "secret", request, now);
  }
  static std::string field(const WebReply& reply, const std::string& name) {
    for (const auto& [its, value] : reply.fields) {
      if (its == name) return value;
    }
    return {};
  }
  const std::pair<std::string, std::string> login{"Authorization", "Bearer secret"};
  const std::pair<std::string, std::string> type{"Content-Type", "application/sdp"};
};

TEST_F(WhipTest, ACallIsMadeAndEnded) {
  const auto made = ask("POST", "/whip", {login, type}, offer());
  EXPECT_EQ(made.status, 201u);
  EXPECT_EQ(made.content_type, "application/sdp");
  const auto where = field(made, "Location");
  EXPECT_TRUE(where.starts_with("/whip/")) << where;
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_EQ(ask("DELETE", where, {}).status, 401u);
  const auto ended = ask("DELETE", where, {login});
  EXPECT_EQ(ended.status, 200u);
  EXPECT_EQ(ended.body.str(), "checks 0\nhandshake 0\nmedia 0\ngreeting 0\ngreeting_rest 0\n");
  EXPECT_EQ(sessions.size(), 0u);
  EXPECT_EQ(ask("DELETE", where, {login}).status, 404u);
}

TEST_F(WhipTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(ask("POST", "/whip", {type}, offer()).status, 401u);
  EXPECT_EQ(ask("POST", "/whip", {{"Authorization", "Bearer secre"}, type}, offer()).status, 401u);
  EXPECT_EQ(ask("POST", "/whip", {{"Authorization", "Basic secret"}, type}, offer()).status, 401u);
  EXPECT_EQ(ask("POST", "/whip", {login, login, type}, offer()).status, 401u) << "two of them";
  EXPECT_EQ(ask("POST", "/whip", {login}, offer()).status, 415u);
  EXPECT_EQ(ask("POST", "/whip", {login, type}, "hello").status, 400u);
  EXPECT_EQ(ask("POST", "/whip", {login, type}, "v=0\r\nm=audio 9 X 0\r\n").status, 422u);
  EXPECT_EQ(ask("GET", "/whip", {login}).status, 405u);
  EXPECT_EQ(ask("PATCH", "/whip/abc", {login}).status, 405u) << "no trickle (RFC 9725)";
  EXPECT_EQ(ask("GET", "/", {}).status, 200u);
  EXPECT_EQ(ask("GET", "/whipper", {}).status, 404u);
  EXPECT_EQ(ask("OPTIONS", "/whip", {}).status, 204u);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(WhipTest, TooManyAreSentAwayForAWhile) {
  // Of a site behind one NAT as many as make a test of it.
  for (int call = 0; call < 20; ++call) {
    EXPECT_EQ(ask("POST", "/whip", {login, type}, offer()).status, 201u);
  }
  const auto another = ask("POST", "/whip", {login, type}, offer());
  EXPECT_EQ(another.status, 503u);
  EXPECT_EQ(field(another, "Retry-After"), "30");
}

}  // namespace
}  // namespace callready::serve
