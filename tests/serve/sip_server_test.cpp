#include "probe/serve/sip_server.hpp"

#include <fmt/format.h>

#include "probe/serve/certificates.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

std::string request(const std::string& via, const std::string& method = "OPTIONS") {
  return fmt::format(
      "{0} sip:sip.demo.callready.test SIP/2.0\r\n"
      "Via: SIP/2.0/{1}\r\n"
      "Via: SIP/2.0/UDP proxy.invalid:5070;branch=z9hG4bK-below\r\n"
      "Max-Forwards: 70\r\n"
      "From: <sip:anonymous@anonymous.invalid>;tag=from1\r\n"
      "To: <sip:sip.demo.callready.test>\r\n"
      "Call-ID: call-1@anonymous.invalid\r\n"
      "CSeq: 1 {0}\r\n"
      "Contact: <sip:anonymous@probe.invalid>\r\n"
      "Content-Length: 0\r\n\r\n",
      method, via);
}
const std::string symmetric = "UDP probe.invalid;branch=z9hG4bK-1;rport";

std::string line(const std::string& reply, const std::string& name) {
  const auto start = reply.find("\r\n" + name + ": ");
  if (start == std::string::npos) return {};
  const auto value = start + name.size() + 4;
  return reply.substr(value, reply.find("\r\n", value) - value);
}

struct SipServerTest : testing::Test {
  test::Loop loop;
  SipOptions options;
  std::shared_ptr<SipServer> server;
  void start() { server = *SipServer::start(loop.executor(), any_port, options); }

  // The reply to a datagram from `peer`, which is changed to where it goes.
  static std::string answer(const std::string& text, SocketAddress& peer) {
    return text_of(answer_sip({}, bytes_of(text), peer, true));
  }
};

TEST_F(SipServerTest, OptionsOverUdpIsAnsweredWithWhereItCameFrom) {
  start();
  RawUdp client(loop, server->local());
  const auto reply = text_of(*client.ask(bytes_of(request(symmetric))));
  EXPECT_TRUE(reply.starts_with("SIP/2.0 200 OK\r\n")) << reply;
  const auto via = line(reply, "Via");
  EXPECT_TRUE(has(via, "SIP/2.0/UDP probe.invalid;")) << via;
  EXPECT_TRUE(has(via, "received=127.0.0.1")) << via;
  EXPECT_TRUE(has(via, fmt::format("rport={}", client.local().port))) << via;
  EXPECT_TRUE(has(via, "branch=z9hG4bK-1")) << via;
  EXPECT_TRUE(has(reply, "Via: SIP/2.0/UDP proxy.invalid:5070;branch=z9hG4bK-below\r\n"));
  EXPECT_EQ(line(reply, "From"), "<sip:anonymous@anonymous.invalid>;tag=from1");
  EXPECT_TRUE(line(reply, "To").starts_with("<sip:sip.demo.callready.test>;tag="));
  EXPECT_EQ(line(reply, "Call-ID"), "call-1@anonymous.invalid");
  EXPECT_EQ(line(reply, "CSeq"), "1 OPTIONS");
  EXPECT_EQ(line(reply, "Content-Length"), "0");
  EXPECT_TRUE(reply.ends_with("\r\n\r\n"));
  EXPECT_EQ(text_of(*client.ask(bytes_of(request(symmetric)))), reply);  // sent again: the same
}

TEST_F(SipServerTest, WithoutRportTheReplyGoesToThePortOfTheVia) {
  SocketAddress peer{loopback, 40'000};
  auto reply = answer(request("UDP 127.0.0.1:5062;branch=z9hG4bK-1"), peer);
  EXPECT_EQ(peer, (SocketAddress{loopback, 5'062}));
  EXPECT_FALSE(has(line(reply, "Via"), "received"));  // the address is right
  peer.port = 40'000;
  reply = answer(request("UDP 10.1.1.1;branch=z9hG4bK-1;maddr=192.0.2.7"), peer);
  EXPECT_EQ(peer, (SocketAddress{loopback, 5'060}));
  EXPECT_TRUE(has(line(reply, "Via"), "received=127.0.0.1"));
  peer.port = 40'000;
  answer(request("UDP 127.0.0.1:99999;branch=z9hG4bK-1"), peer);
  EXPECT_EQ(peer.address, loopback);
}

TEST_F(SipServerTest, AReplyOverUdpIsAsLongAsIsAskedAndNoLongerThanTheRequest) {
  SipIdentity identity;
  identity.mirror = true;
  const auto answered = [&](std::size_t asked, std::size_t padding, bool bounded = true) {
    auto text = request(symmetric);
    text.insert(text.find("Content-Length"), fmt::format("X-Reply-Bytes: {}\r\nX-Padding: {}\r\n",
                                                         asked, std::string(padding, '=')));
    SocketAddress peer{loopback, 40'000};
    const auto reply = text_of(answer_sip(identity, bytes_of(text), peer, bounded));
    return std::pair{reply, text.size()};
  };
  EXPECT_EQ(answered(2'600, 2'600).first.size(), 2'600u);
  EXPECT_TRUE(has(answered(2'600, 2'600).first, "Content-Type: application/octet-stream"));
  const auto [reply, size] = answered(1'000'000, 1'600);
  EXPECT_EQ(reply.size(), size);
  EXPECT_LT(answered(0, 2'600).first.size(), 1'472u);
  EXPECT_LT(answered(2'600, 2'600, false).first.size(), 1'472u) << "over a connection as it comes";
}

TEST_F(SipServerTest, OtherMethodsAreNotAllowedAndAckIsNotAnswered) {
  start();
  RawUdp client(loop, server->local());
  client.send(request(symmetric, "ACK"));
  for (const std::string method : {"REGISTER", "INVITE", "BYE", "NONSENSE"}) {
    const auto reply = text_of(*client.ask(bytes_of(request(symmetric, method))));
    EXPECT_TRUE(reply.starts_with("SIP/2.0 405 Method Not Allowed\r\n")) << reply;
    EXPECT_EQ(line(reply, "Allow"), "OPTIONS");
    EXPECT_EQ(line(reply, "CSeq"), "1 " + method);
  }
}

TEST_F(SipServerTest, IsNoAmplifier) {
  SocketAddress peer{loopback, 40'000};
  const std::string shortest =
      "OPTIONS sip:a.b SIP/2.0\r\nVia: SIP/2.0/UDP a.b;rport;branch=z9hG4bK1\r\nFrom: "
      "<sip:a.b>;tag=1\r\n"
      "To: <sip:a.b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
  const auto reply = answer(shortest, peer);
  EXPECT_TRUE(reply.starts_with("SIP/2.0 200"));
  EXPECT_LE(reply.size(), shortest.size() + SipIdentity().growth);
  EXPECT_FALSE(has(reply, "Server:"));  // what is not needed went first
  // Compact names grow when they are printed in full; there is an end to that.
  const auto compact = [](int hops) {
    std::string text = "OPTIONS sip:a.b SIP/2.0\r\n";
    for (int i = 0; i < hops; ++i) text += "v:SIP/2.0/UDP a.b\r\n";
    return text + "f:<sip:a.b>;tag=1\r\nt:<sip:a.b>\r\ni:1\r\nCSeq:1 OPTIONS\r\n\r\n";
  };
  EXPECT_TRUE(answer(compact(2), peer).starts_with("SIP/2.0 200"));
  EXPECT_EQ(answer(compact(40), peer), "");
  EXPECT_EQ(text_of(answer_sip({}, bytes_of(compact(71)), peer, false)), "");
}

TEST_F(SipServerTest, IsSilentAboutWhatIsNoRequest) {
  start();
  RawUdp client(loop, server->local());
  const auto whole = request(symmetric);
  client.send("garbage");
  client.send("\r\n\r\n");
  client.send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;rport\r\n\r\n");
  client.send("OPTIONS sip:a SIP/2.0\r\n\r\n");  // no Via: nobody to answer
  client.send(whole.substr(0, 30));
  client.send(std::string("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\0;rport\r\n\r\n", 52));
  const auto bad = text_of(*client.ask(bytes_of(
      "OPTIONS sip:a.b SIP/2.0\r\nVia: SIP/2.0/UDP a.b;rport;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n"
      "From: <sip:a.b>;tag=1\r\nContent-Length: 0\r\n\r\n")));
  EXPECT_TRUE(bad.starts_with("SIP/2.0 400 Bad Request\r\n")) << bad;
}

TEST_F(SipServerTest, SurvivesChangedMessages) {
  const auto whole = request(symmetric);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char c : std::string("\r\n\0 :;<>,\"%\xff"
                                    "A",
                                    13)) {
      std::string changed = whole;
      changed[at] = c;
      SocketAddress peer{loopback, 40'000};
      const auto reply = answer(changed, peer);
      EXPECT_LE(reply.size(), changed.size() + SipIdentity().growth);
      EXPECT_EQ(peer.address, loopback);
    }
    SocketAddress peer{loopback, 40'000};
    answer(whole.substr(0, at), peer);
  }
}

TEST_F(SipServerTest, FramesMessagesAndKeepAlives) {
  const auto frame = [](const std::string& text) { return sip_frame(bytes_of(text)); };
  const auto whole = request(symmetric);
  EXPECT_EQ(frame(whole), static_cast<std::ptrdiff_t>(whole.size()));
  EXPECT_EQ(frame(whole + whole), static_cast<std::ptrdiff_t>(whole.size()));
  EXPECT_EQ(frame(whole.substr(0, whole.size() - 1)), 0);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nl : 5\r\n\r\n"), 32 + 5);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nCONTENT-length:7\r\n\r\n"), 43 + 7);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n"), -1);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n"), -1);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n"), -1);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nContent-Length: 7 \r\n\r\n"), 45 + 7);
  EXPECT_EQ(frame("OPTIONS sip:a SIP/2.0\r\nContent-Length: 7x\r\n\r\n"), -1);
  EXPECT_EQ(frame("\r"), 0);
  EXPECT_EQ(frame("\r\n"), 0);
  EXPECT_EQ(frame("\r\n\r"), 0);
  EXPECT_EQ(frame("\r\n\r\n"), 4);
  EXPECT_EQ(frame("\r\nO"), 2);
  EXPECT_EQ(frame("\rO"), -1);
  EXPECT_EQ(frame("\x16\x03\x01"), -1);
}

TEST_F(SipServerTest, StreamsAnswerInTurnWithPongs) {
  start();
  RawTcp client(loop, server->local());
  const auto over_tcp = request("TCP probe.invalid;branch=z9hG4bK-1;rport");
  client.send("\r\n\r\n" + over_tcp + over_tcp);
  client.finish();
  const auto all = text_of(*client.receive_all());
  EXPECT_TRUE(all.starts_with("\r\nSIP/2.0 200 OK\r\n")) << all;
  EXPECT_TRUE(has(all.substr(20), "SIP/2.0 200 OK\r\n"));
  EXPECT_TRUE(has(all, fmt::format("rport={}", client.local().port)));
}

TEST_F(SipServerTest, AnswersOverTls) {
  CertificateOptions leaf;
  leaf.names = {"sip.demo.callready.test"};
  options.tls = server_context(Certificate::self_signed(leaf));
  start();
  const auto context = *TlsContext::create({});
  auto client = loop.run(dial_tls(loop, *context, *server->tls_local(), "sip.demo.callready.test"));
  ASSERT_TRUE(client.stream);
  const auto reply = loop.run(
      ask_stream(loop, *client.stream, bytes_of(request("TLS probe.invalid;branch=z9hG4bK-1"))));
  EXPECT_TRUE(text_of(*reply).starts_with("SIP/2.0 200 OK\r\n"));
  server->stop();
}

}  // namespace
}  // namespace callready::serve
