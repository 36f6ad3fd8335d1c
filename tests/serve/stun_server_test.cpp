#include "probe/serve/stun_server.hpp"

#include "probe/serve/certificates.hpp"
#include "probe/serve/pair.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

constexpr std::uint32_t change_address = 4, change_port = 2;
const IpAddress second = IpAddress::v4({127, 0, 0, 2});

// A request with a fixed transaction id; `cookie` false: as RFC 3489 had it.
Bytes request(int method, const Bytes& attributes = {}, bool cookie = true) {
  Bytes bytes{static_cast<std::uint8_t>(method >> 8), static_cast<std::uint8_t>(method & 0xff),
              static_cast<std::uint8_t>(attributes.size() >> 8),
              static_cast<std::uint8_t>(attributes.size() & 0xff)};
  const Bytes magic = cookie ? Bytes{0x21, 0x12, 0xa4, 0x42} : Bytes{9, 9, 9, 9};
  bytes.insert(bytes.end(), magic.begin(), magic.end());
  for (std::uint8_t i = 1; i <= 12; ++i) bytes.push_back(i);
  bytes.insert(bytes.end(), attributes.begin(), attributes.end());
  return bytes;
}

Bytes attribute(int type, const Bytes& value) {
  Bytes bytes{static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type & 0xff),
              static_cast<std::uint8_t>(value.size() >> 8),
              static_cast<std::uint8_t>(value.size() & 0xff)};
  bytes.insert(bytes.end(), value.begin(), value.end());
  while (bytes.size() % 4 != 0) bytes.push_back(0);
  return bytes;
}

Bytes change(std::uint32_t flags) {
  return attribute(3, {0, 0, 0, static_cast<std::uint8_t>(flags)});
}

// The attributes of a reply, in our own reading of RFC 8489 section 5.
struct Reply {
  int type = 0;
  std::map<int, Bytes> attributes;

  explicit Reply(const Bytes& bytes) {
    EXPECT_GE(bytes.size(), 20u);
    if (bytes.size() < 20) return;
    type = bytes[0] << 8 | bytes[1];
    EXPECT_EQ(static_cast<std::size_t>(bytes[2] << 8 | bytes[3]), bytes.size() - 20);
    for (std::uint8_t i = 1; i <= 12; ++i) EXPECT_EQ(bytes[7u + i], i);
    for (std::size_t at = 20; at + 4 <= bytes.size();) {
      const auto size = static_cast<std::size_t>(bytes[at + 2] << 8 | bytes[at + 3]);
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at + 4);
      attributes[bytes[at] << 8 | bytes[at + 1]] =
          Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
      at += 4 + (size + 3) / 4 * 4;
    }
  }
  bool has(int attribute_type) const { return attributes.contains(attribute_type); }
  int error() const {
    const auto found = attributes.find(9);
    return found == attributes.end() ? 0 : found->second.at(2) * 100 + found->second.at(3);
  }
  SocketAddress address(int attribute_type, bool masked = false) const {
    Bytes value = attributes.at(attribute_type);
    const std::array<std::uint8_t, 4> cookie{0x21, 0x12, 0xa4, 0x42};
    for (std::size_t i = 0; masked && i < 4; ++i) value.at(4 + i) ^= cookie[i];
    for (std::size_t i = 0; masked && i < 2; ++i) value.at(2 + i) ^= cookie[i];
    return {IpAddress::v4({value.at(4), value.at(5), value.at(6), value.at(7)}),
            static_cast<std::uint16_t>(value.at(2) << 8 | value.at(3))};
  }
};

struct StunServerTest : testing::Test {
  test::Loop loop;
  StunOptions options;
  std::shared_ptr<StunServer> server;
  void start() { server = *StunServer::start(loop.executor(), any_port, options); }
};

TEST_F(StunServerTest, BindingOverUdpSaysWhoAsked) {
  start();
  RawUdp client(loop, server->local());
  const Reply reply(*client.ask(request(1)));
  EXPECT_EQ(reply.type, 0x0101);
  EXPECT_EQ(reply.address(0x0020, true), client.local());
  EXPECT_EQ(text_of(reply.attributes.at(0x8022)), "callready");
  EXPECT_FALSE(reply.has(0x802c));
}

TEST_F(StunServerTest, BindingWithoutTheCookieGetsAPlainAddress) {
  start();
  RawUdp client(loop, server->local());
  const Reply reply(*client.ask(request(1, {}, false)));
  EXPECT_EQ(reply.type, 0x0101);
  EXPECT_EQ(reply.address(0x0001), client.local());
  EXPECT_FALSE(reply.has(0x0020));
}

TEST_F(StunServerTest, TurnIsChallengedOverEveryTransport) {
  CertificateOptions leaf;
  leaf.names = {"stun.demo.callready.test"};
  const auto certificate = Certificate::self_signed(leaf);
  options.tls = server_context(certificate);
  start();
  const auto allocate = request(3, attribute(0x0019, {17, 0, 0, 0}));
  RawUdp udp(loop, server->local());
  RawTcp tcp(loop, server->local());
  const auto context = *TlsContext::create({});
  auto tls = loop.run(dial_tls(loop, *context, *server->tls_local(), "stun.demo.callready.test"));
  ASSERT_TRUE(tls.stream);
  const Reply replies[] = {Reply(*udp.ask(allocate)), Reply(*tcp.ask(allocate)),
                           Reply(*loop.run(ask_stream(loop, *tls.stream, allocate)))};
  for (const auto& reply : replies) {
    EXPECT_EQ(reply.type, 0x0113);
    EXPECT_EQ(reply.error(), 401);
    EXPECT_EQ(text_of(reply.attributes.at(0x0014)), "callready.test");
    EXPECT_EQ(reply.attributes.at(0x0015).size(), 24u);
  }
  EXPECT_NE(replies[0].attributes.at(0x0015), replies[1].attributes.at(0x0015));
  // With credentials it is the same: nobody has an account.
  Bytes attributes = attribute(0x0006, bytes_of("user"));
  for (const auto& more : {attribute(0x0014, bytes_of("callready.test")),
                           attribute(0x0015, bytes_of("nonce")), attribute(0x0008, Bytes(20))}) {
    attributes.insert(attributes.end(), more.begin(), more.end());
  }
  EXPECT_EQ(Reply(*udp.ask(request(3, attributes))).error(), 401);
}

TEST_F(StunServerTest, UnknownAttributesThatMustBeUnderstoodAreListed) {
  start();
  RawUdp client(loop, server->local());
  const Reply reply(*client.ask(request(1, attribute(0x7abc, {1, 2, 3, 4}))));
  EXPECT_EQ(reply.type, 0x0111);
  EXPECT_EQ(reply.error(), 420);
  EXPECT_EQ(reply.attributes.at(0x000a)[0], 0x7a);
  EXPECT_EQ(Reply(*client.ask(request(1, attribute(0xfabc, {1})))).type, 0x0101);
  // One address only: it cannot answer from another one, and says so.
  EXPECT_EQ(Reply(*client.ask(request(1, change(change_port)))).error(), 420);
}

TEST_F(StunServerTest, SaysWhichAddressCannotBeHad) {
  const auto taken = *start_pair(loop.executor(), any_port, nullptr, nullptr, {});
  const auto where = taken.tcp->local();
  taken.udp->stop();
  settle(loop);
  options.other_address = IpAddress::v4({192, 0, 2, 1});
  const auto none = StunServer::start(loop.executor(), where, options);
  ASSERT_TRUE(none.has_error());
  const error_code not_ours(EADDRNOTAVAIL, boost::system::system_category());
  EXPECT_EQ(none.error().text, classify(not_ours).text);
}

TEST_F(StunServerTest, AnswersFromItsOtherAddressAndPort) {
  options.other_address = second;
  start();
  const auto other = *server->other();
  EXPECT_EQ(other.address, second);
  EXPECT_NE(other.port, server->local().port);
  RawUdp client(loop, server->local());
  const Reply plain(*client.ask(request(1)));
  EXPECT_EQ(plain.address(0x802c), other);
  EXPECT_EQ(plain.address(0x802b), server->local());
  struct Case {
    std::uint32_t flags;
    SocketAddress from;
  };
  const Case cases[] = {{change_port, {loopback, other.port}},
                        {change_address, {second, server->local().port}},
                        {change_address | change_port, other}};
  for (const auto& one : cases) {
    asio::ip::udp::socket socket(loop.context, {asio::ip::address_v4::loopback(), 0});
    socket.non_blocking(true);
    socket.send_to(asio::buffer(request(1, change(one.flags))),
                   to_endpoint<asio::ip::udp>(server->local()));
    asio::ip::udp::endpoint from;
    Bytes buffer(1'000);
    error_code error = asio::error::would_block;
    std::size_t size = 0;
    for (int i = 0; i < 2'000 && error == asio::error::would_block; ++i) {
      loop.context.run_one_for(milliseconds(1));
      size = socket.receive_from(asio::buffer(buffer), from, 0, error);
    }
    ASSERT_FALSE(error) << error.message();
    buffer.resize(size);
    EXPECT_EQ(from_endpoint(from), one.from);
    EXPECT_EQ(Reply(buffer).address(0x802b), one.from);
  }
}

TEST_F(StunServerTest, AnswersAnotherPortOfTheSameClient) {
  options.other_address = second;
  start();
  RawUdp asker(loop, server->local());
  RawUdp listener(loop, server->local());
  const auto port = listener.local().port;
  asker.send(request(1, attribute(0x0027, {static_cast<std::uint8_t>(port >> 8),
                                           static_cast<std::uint8_t>(port & 0xff), 0, 0})));
  const Reply reply(*listener.receive());
  EXPECT_EQ(reply.address(0x0020, true), asker.local());
}

TEST_F(StunServerTest, IsSilentAboutWhatIsNoRequest) {
  start();
  RawUdp client(loop, server->local());
  const auto whole = request(1, attribute(0x8022, bytes_of("someone")));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    client.send(std::span(whole).first(size));
  }
  client.send(request(0x0011));  // an indication
  client.send(request(0x0101));  // a reply
  client.send(request(0x0111));  // an error
  client.send(request(0x0ff));   // no such method
  client.send("OPTIONS sip:nobody@example.com SIP/2.0\r\n\r\n");
  EXPECT_EQ(Reply(*client.ask(request(3))).error(), 401);  // the first reply of all
}

TEST_F(StunServerTest, StreamsEndWithWhatIsNotStun) {
  start();
  const auto cookieless = request(1, {}, false);
  Bytes odd = request(1);
  odd[3] = 2;  // lengths are multiples of 4
  Bytes huge = request(1);
  huge[2] = 0xff;
  huge[3] = 0xfc;
  for (const auto& bad : {bytes_of("GET / HTTP/1.1\r\n\r\n"), cookieless, odd, huge,
                          Bytes{0x40, 0, 0, 4, 1, 2, 3, 4}}) {
    RawTcp client(loop, server->local());
    EXPECT_EQ(Reply(*client.ask(request(1))).type, 0x0101);
    client.send(bad);
    EXPECT_EQ(client.receive_all(), Bytes());
  }
}

TEST_F(StunServerTest, SurvivesChangedMessages) {
  // Every byte of a request with attributes changed to some values: a small reply or none.
  Bytes attributes = change(0);
  for (const auto& more : {attribute(0x0006, bytes_of("user")), attribute(0x0014, bytes_of("\"\"")),
                           attribute(0x0008, Bytes(20)), attribute(0x8028, Bytes(4))}) {
    attributes.insert(attributes.end(), more.begin(), more.end());
  }
  const auto whole = request(1, attributes);
  StunArrival arrival;
  arrival.client = {loopback, 1};
  arrival.local = {loopback, 2};
  arrival.other = SocketAddress{second, 3};
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; value += 3) {
      Bytes changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      EXPECT_LE(answer_stun({}, changed, arrival).bytes.size(), 200u);
      EXPECT_EQ(answer_stun({}, changed, arrival).to.address, loopback);
    }
  }
}

TEST_F(StunServerTest, StopEndsAllSockets) {
  options.other_address = second;
  start();
  RawTcp client(loop, server->local());
  EXPECT_EQ(Reply(*client.ask(request(1))).type, 0x0101);
  server->stop();
  EXPECT_EQ(client.receive_all(), Bytes());
  loop.context.restart();
  loop.context.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(loop.context.stopped());
}

}  // namespace
}  // namespace callready::serve
