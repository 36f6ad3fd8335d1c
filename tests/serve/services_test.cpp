// The bounds that all servers share, held against clients that do not.
#include "probe/net/far_end.hpp"
#include "probe/serve/certificates.hpp"
#include "probe/serve/pair.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

// Lines, sent back in upper case.
std::ptrdiff_t line_frame(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty() && bytes[0] == '!') return -1;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n') return static_cast<std::ptrdiff_t>(i) + 1;
  }
  return 0;
}

Bytes shout(std::span<const std::uint8_t> request, SocketAddress&) {
  Bytes reply(request.begin(), request.end());
  if (!reply.empty() && reply[0] == '-') return {};
  for (auto& byte : reply) byte = static_cast<std::uint8_t>(std::toupper(byte));
  return reply;
}

struct ServicesTest : testing::Test {
  test::Loop loop;
  Limits limits;
  std::shared_ptr<StreamService> start() {
    return *StreamService::start(loop.executor(), any_port, messages(&line_frame, &shout), nullptr,
                                 limits);
  }
  // Until the service has as many connections as that.
  void wait_for(const StreamService& service, int connections) {
    for (int i = 0; i < 5'000 && service.connections() != connections; ++i) {
      loop.context.restart();
      loop.context.run_one_for(milliseconds(1));
    }
    EXPECT_EQ(service.connections(), connections);
  }
};

TEST_F(ServicesTest, AnswersMessagesHoweverTheyAreCut) {
  const auto service = start();
  RawTcp client(loop, service->local());
  client.send("he");
  settle(loop);
  client.send("llo\nwor");
  EXPECT_EQ(text_of(*client.receive()), "HELLO\n");
  client.send("ld\n-silent\nend\n");
  std::string rest;
  while (rest.size() < 10) rest += text_of(*client.receive());
  EXPECT_EQ(rest, "WORLD\nEND\n");
}

TEST_F(ServicesTest, EndsWhatIsNotTheProtocol) {
  const auto service = start();
  RawTcp client(loop, service->local());
  client.send("!\n");
  EXPECT_EQ(client.receive_all(), Bytes());
  wait_for(*service, 0);
}

TEST_F(ServicesTest, EndsRequestsBeyondTheBound) {
  limits.request_bytes = 100;
  const auto service = start();
  RawTcp fits(loop, service->local());
  EXPECT_EQ(fits.ask(bytes_of(std::string(99, 'x') + "\n"))->size(), 100u);
  RawTcp endless(loop, service->local());
  endless.send(std::string(101, 'x'));
  EXPECT_EQ(endless.receive_all(), Bytes());
}

TEST_F(ServicesTest, EndsTheIdleAndTheSlow) {
  limits.idle = milliseconds(60);
  const auto service = start();
  RawTcp idle(loop, service->local());
  RawTcp slow(loop, service->local());
  const auto begin = std::chrono::steady_clock::now();
  // Bytes that trickle in do not put off the end: the bound is for the whole request.
  std::optional<Bytes> seen;
  while (!seen && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    slow.send("x");
    seen = slow.receive(milliseconds(10));
  }
  EXPECT_EQ(seen, Bytes());
  EXPECT_EQ(idle.receive_all(), Bytes());
  wait_for(*service, 0);
}

TEST_F(ServicesTest, EndsAConnectionAfterItsTimeAndItsRequests) {
  limits.connection = milliseconds(80);
  limits.requests = 1'000'000;
  const auto service = start();
  RawTcp busy(loop, service->local());
  const auto begin = std::chrono::steady_clock::now();
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    ended = busy.ask(bytes_of("a\n")) == Bytes();
  }
  EXPECT_TRUE(ended);
  limits = {};
  limits.requests = 3;
  const auto second = start();
  RawTcp chatty(loop, second->local());
  chatty.send("a\nb\nc\nd\ne\n");
  EXPECT_EQ(text_of(*chatty.receive_all()), "A\nB\nC\n");
}

TEST_F(ServicesTest, ClosesConnectionsBeyondTheBoundAndRecovers) {
  limits.connections = 3;
  const auto service = start();
  std::vector<std::unique_ptr<RawTcp>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawTcp>(loop, service->local()));
    EXPECT_EQ(text_of(*clients.back()->ask(bytes_of("a\n"))), "A\n");
  }
  RawTcp fourth(loop, service->local());
  EXPECT_EQ(text_of(*fourth.receive_all()), far_end::busy_line);
  EXPECT_EQ(text_of(*clients[0]->ask(bytes_of("b\n"))), "B\n");
  clients.pop_back();
  wait_for(*service, 2);
  RawTcp fifth(loop, service->local());
  EXPECT_EQ(text_of(*fifth.ask(bytes_of("c\n"))), "C\n");
}

TEST_F(ServicesTest, OneCountGoesForAllThatShareIt) {
  limits.open = OpenConnections::make({100, 10});
  std::vector<std::shared_ptr<StreamService>> services;
  for (int i = 0; i < 20; ++i) services.push_back(start());
  std::vector<std::unique_ptr<RawTcp>> clients;
  for (std::size_t i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<RawTcp>(loop, services[i % 20]->local()));
  }
  settle(loop);
  EXPECT_EQ(limits.open->count(), 10u);
  RawTcp other(loop, services[7]->local(), SocketAddress{IpAddress::v4({127, 0, 0, 2}), 0});
  EXPECT_EQ(text_of(*other.ask(bytes_of("a\n"))), "A\n");
}

TEST_F(ServicesTest, OneSourceDoesNotSilenceOthers) {
  limits.datagrams_per_second = 100;
  limits.datagrams_of_network = 10;
  const Respond busy = [](std::span<const std::uint8_t>, SocketAddress&) { return bytes_of("B"); };
  const auto service = *UdpService::start(loop.executor(), any_port, &shout, limits, busy);
  RawUdp flood(loop, service->local(), SocketAddress{IpAddress::v4({127, 0, 9, 2}), 0}),
      honest(loop, service->local());
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 100; ++i) flood.send("flood");
    EXPECT_EQ(text_of(honest.ask(bytes_of("a")).value_or(Bytes())), "A");
  }
  int answered = 0, refused = 0;
  while (const auto reply = flood.receive(milliseconds(50)))
    ++(reply->size() > 1 ? answered : refused);
  EXPECT_GE(answered, 10);
  EXPECT_LT(answered, 100);
  EXPECT_GE(refused, 1);
  EXPECT_LE(refused, 20);
}

// Otherwise one source takes all the time of those who are answered.
TEST_F(ServicesTest, UdpMakesNoAnswerThatItWouldNotSend) {
  limits.datagrams_per_second = 100;
  limits.datagrams_of_network = 10;
  int made = 0;
  const Respond count = [&](std::span<const std::uint8_t>, SocketAddress&) {
    ++made;
    return bytes_of("A");
  };
  const Respond busy = [](std::span<const std::uint8_t>, SocketAddress&) { return bytes_of("B"); };
  const auto service = *UdpService::start(loop.executor(), any_port, count, limits, busy);
  RawUdp client(loop, service->local());
  for (int i = 0; i < 50; ++i) client.send("request");
  int answered = 0, refused = 0;
  while (const auto reply = client.receive(milliseconds(50))) {
    ++(text_of(*reply) == "A" ? answered : refused);
  }
  EXPECT_GE(answered, 10);
  EXPECT_EQ(made, answered);
  EXPECT_GE(refused, 1);
}

TEST_F(ServicesTest, StopEndsEverything) {
  auto service = start();
  const auto address = service->local();
  RawTcp client(loop, address);
  EXPECT_EQ(text_of(*client.ask(bytes_of("a\n"))), "A\n");
  service->stop();
  EXPECT_EQ(client.receive_all(), Bytes());
  EXPECT_THROW(RawTcp(loop, address), std::runtime_error);
  service.reset();
  // Nothing is left to do: no timer, no coroutine.
  loop.context.restart();
  loop.context.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(loop.context.stopped());  // and not by the bound
}

TEST_F(ServicesTest, StopEndsWhatIsJustBeingAccepted) {
  const auto service = start();
  RawTcp first(loop, service->local()), second(loop, service->local());
  wait_for(*service, 1);
  service->stop();
  settle(loop);
  EXPECT_EQ(service->connections(), 0);
}

TEST_F(ServicesTest, TheLoopMayDieFirstWithConnectionsOpen) {
  const auto executor_loop = std::make_unique<test::Loop>();
  auto service =
      *StreamService::start(executor_loop->executor(), any_port, messages(&line_frame, &shout));
  RawTcp client(*executor_loop, service->local());
  EXPECT_EQ(text_of(*client.ask(bytes_of("a\n"))), "A\n");
  service.reset();  // ends with work still queued that nobody will run
}

TEST_F(ServicesTest, APortInUseIsAFailure) {
  const auto service = start();
  const auto second =
      StreamService::start(loop.executor(), service->local(), messages(&line_frame, &shout));
  ASSERT_TRUE(second.has_error());
  EXPECT_FALSE(second.error().text.empty());
  const auto udp = UdpService::start(loop.executor(), any_port, &shout);
  const auto again = UdpService::start(loop.executor(), (*udp)->local(), &shout);
  EXPECT_TRUE(again.has_error());
  const auto pair =
      start_pair(loop.executor(), (*udp)->local(), &shout, messages(&line_frame, &shout), limits);
  EXPECT_TRUE(pair.has_error());
}

TEST_F(ServicesTest, UdpIgnoresWhatIsTooLongAndKeepsItsRate) {
  limits.request_bytes = 100;
  limits.datagrams_per_second = 2;
  const auto service = *UdpService::start(loop.executor(), any_port, &shout, limits);
  RawUdp client(loop, service->local());
  client.send(std::string(101, 'x'));
  client.send(std::string(60'000, 'x'));
  client.send("");
  client.send("a");
  EXPECT_EQ(text_of(*client.receive()), "A");
  for (int i = 0; i < 50; ++i) client.send("b");
  EXPECT_EQ(text_of(*client.receive()), "B");
  int answered = 1;
  while (client.receive(milliseconds(50))) ++answered;
  EXPECT_LT(answered, 25);
}

// Windows says of each that its answer was not taken.
TEST_F(ServicesTest, UdpGoesOnHoweverManyClientsHaveGone) {
  const auto service = *UdpService::start(loop.executor(), any_port, &shout);
  for (int i = 0; i < 200; ++i) RawUdp(loop, service->local()).send("a");
  settle(loop);
  RawUdp client(loop, service->local());
  EXPECT_EQ(text_of(*client.ask(bytes_of("b"))), "B");
}

TEST_F(ServicesTest, UdpMayAnswerAnotherPortButNoOtherAddress) {
  const auto service = *UdpService::start(
      loop.executor(), any_port, [](std::span<const std::uint8_t> request, SocketAddress& peer) {
        peer.port = static_cast<std::uint16_t>(request[0] << 8 | request[1]);
        if (request.size() > 2) peer.address = IpAddress::v4({127, 0, 0, 2});
        return Bytes{'o', 'k'};
      });
  const auto catcher = *UdpService::start(loop.executor(), any_port, &shout);
  int caught = 0;
  const auto other = *UdpService::start(loop.executor(), {IpAddress::v4({127, 0, 0, 2}), 0},
                                        [&](std::span<const std::uint8_t>, SocketAddress&) {
                                          ++caught;
                                          return Bytes();
                                        });
  RawUdp client(loop, service->local());
  const auto port_of = [](const SocketAddress& address) {
    return Bytes{static_cast<std::uint8_t>(address.port >> 8),
                 static_cast<std::uint8_t>(address.port & 0xff)};
  };
  auto elsewhere = port_of(other->local());
  elsewhere.push_back(0);
  client.send(elsewhere);
  EXPECT_EQ(text_of(*client.ask(port_of(client.local()))), "ok");
  settle(loop);
  EXPECT_EQ(caught, 0);
}

TEST_F(ServicesTest, TlsTakesNoPlainText) {
  CertificateOptions options;
  options.names = {"localhost"};
  const auto tls = server_context(Certificate::self_signed(options));
  limits.connections = 2;
  const auto service =
      *StreamService::start(loop.executor(), any_port, messages(&line_frame, &shout), tls, limits);
  RawTcp plain(loop, service->local());
  plain.send("GET / HTTP/1.1\r\n\r\n");
  const auto reply = plain.receive_all();  // an alert at most
  ASSERT_TRUE(reply);
  EXPECT_LT(reply->size(), 16u);
  wait_for(*service, 0);
  const auto context = *TlsContext::create({});
  auto client = loop.run(dial_tls(loop, *context, service->local(), "localhost"));
  ASSERT_TRUE(client.stream);
  const auto answered = loop.run(ask_stream(loop, *client.stream, bytes_of("over tls\n")));
  EXPECT_EQ(text_of(*answered), "OVER TLS\n");
}

}  // namespace
}  // namespace callready::serve
