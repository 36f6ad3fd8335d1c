#include "tests/support/check_runner.hpp"

namespace callready {
namespace {

using asio::ip::udp;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

// Sends back what it gets, for as long as it lives.
class Echo {
 public:
  explicit Echo(asio::io_context& loop)
      : socket_(loop, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    receive();
  }
  std::uint16_t port() const { return socket_.local_endpoint().port(); }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(buffer_), from_,
                               [this](error_code error, std::size_t size) {
                                 if (error) return;
                                 socket_.send_to(asio::buffer(buffer_.data(), size), from_);
                                 receive();
                               });
  }
  udp::socket socket_;
  udp::endpoint from_;
  std::array<std::uint8_t, 2048> buffer_{};
};

std::uint16_t closed_port(asio::io_context& loop) {
  udp::socket socket(loop, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  return socket.local_endpoint().port();
}

Probe range_probe(std::vector<std::uint16_t> sample) {
  std::sort(sample.begin(), sample.end());
  Probe probe;
  probe.check = "udp-range";
  probe.target.host = "127.0.0.1";
  probe.target.ports = {sample.front(), sample.back()};
  probe.target.sample = std::move(sample);
  probe.target.transport = Transport::udp;
  return probe;
}

std::string result_of(const Observation& seen, std::uint16_t port) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind != "udp_port") continue;
    if (std::get<std::int64_t>(evidence.facts.at("port")) != port) continue;
    return std::get<std::string>(evidence.facts.at("result"));
  }
  return "missing";
}

TEST(UdpRangeCheck, TakesAReplyAsTheBestProof) {
  test::CheckRunner runner;
  Echo a(runner.loop.context), b(runner.loop.context);
  const auto seen = runner.run(range_probe({a.port(), b.port()}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, a.port()), "replied");
  EXPECT_EQ(result_of(seen, b.port()), "replied");
  ASSERT_TRUE(seen.round_trip);
}

TEST(UdpRangeCheck, TakesPortUnreachableOfTheTargetAsArrival) {
  test::CheckRunner runner;
  const auto port = closed_port(runner.loop.context);
  const auto seen = runner.run(range_probe({port}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::passed);
  EXPECT_EQ(result_of(seen, port), "arrived");
}

TEST(UdpRangeCheck, TellsThePortsOfARangeApart) {
  test::CheckRunner runner;
  Echo open(runner.loop.context);
  const auto closed = closed_port(runner.loop.context);
  const auto seen = runner.run(range_probe({open.port(), closed}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, open.port()), "replied");
  EXPECT_EQ(result_of(seen, closed), "arrived");
}

TEST(UdpRangeCheck, ClaimsNothingOfSilence) {
  test::CheckRunner runner;
  const udp::socket mute(runner.loop.context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = mute.local_endpoint().port();
  const auto seen = runner.run(range_probe({port}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, "silent");
  EXPECT_EQ(result_of(seen, port), "silent");
}

TEST(UdpRangeCheck, SendsNothingToAFarEndThatIsNotToBeReached) {
  test::CheckRunner runner;
  Echo open(runner.loop.context);
  auto probe = range_probe({open.port()});
  probe.with["stop_on_the_way"] = "true";
  const auto seen = runner.run(std::move(probe), loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
}

TEST(UdpRangeCheck, SaysWhatItsSampleCanExclude) {
  test::CheckRunner runner;
  Echo a(runner.loop.context), b(runner.loop.context);
  const auto seen = runner.run(range_probe({a.port(), b.port()}), loopback);
  const auto& sample = seen.evidence.back();
  EXPECT_EQ(sample.kind, "udp_sample");
  EXPECT_EQ(std::get<std::int64_t>(sample.facts.at("proved")), 2);
  // 1 - 0.05^(1/2): two good ports would miss a block of up to 78 % once in twenty times.
  EXPECT_NEAR(std::get<double>(sample.facts.at("excludes_percent")), 77.6, 0.1);
}

}  // namespace
}  // namespace callready
