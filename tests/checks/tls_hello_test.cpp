// A box before a TLS server that minds how long a ClientHello is.
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using asio::ip::tcp;

class TlsHelloCheck : public testing::Test {
 protected:
  enum class Does { pass, drop, reset };

  TlsHelloCheck() : tls_(asio::ssl::context::tls_server) {
    SSL_CTX_use_certificate(tls_.native_handle(), leaf_.x509.get());
    SSL_CTX_use_PrivateKey(tls_.native_handle(), leaf_.key.get());
  }

  // `box`: of a record of so many bytes, of the connection with that number (from 1).
  Observation check(std::function<Does(int record, int connection)> box) {
    test::TcpServer server(runner_.loop, [&](tcp::socket& peer) { return serve(peer, box); });
    auto seen =
        runner_.run(CheckKind::tls_hello, Transport::tls, "sip.example.com", server.address());
    connections_ = server.accepted;
    return seen;
  }

  // "long tls_timed_out", "short connected"
  static std::vector<std::string> hellos(const Observation& seen) {
    std::vector<std::string> found;
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind != EvidenceKind::hello) continue;
      found.push_back(std::get<std::string>(evidence.facts.at(Fact::payload)) + ' ' +
                      std::get<std::string>(evidence.facts.at(Fact::result)));
    }
    return found;
  }

  int connections_ = 0;
  std::vector<int> records_;  // lengths of what came, in bytes

 private:
  asio::awaitable<void> serve(tcp::socket& peer, std::function<Does(int, int)> box) {
    const auto number = ++served_;
    std::array<std::uint8_t, 5> header{};
    std::size_t there = 0;
    while (there < header.size()) {
      co_await peer.async_wait(tcp::socket::wait_read, asio::use_awaitable);
      error_code error;
      there = peer.receive(asio::buffer(header), tcp::socket::message_peek, error);
      if (error) co_return;
    }
    const int record = header[3] * 256 + header[4];  // RFC 8446 section 5.1
    records_.push_back(record);
    const auto does = box(record, number);
    if (does == Does::reset) {
      peer.set_option(asio::socket_base::linger(true, 0));
      co_return;
    }
    std::array<std::uint8_t, 4'096> rest{};
    if (does == Does::drop) {
      for (;;) {
        const auto [error, size] =
            co_await peer.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
        if (error) co_return;
      }
    }
    test::TlsServerStream stream(std::move(peer), tls_);
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    co_await stream.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
  }

  test::Certificate authority_ = test::make_authority("Test Root");
  test::Certificate leaf_ = test::make_leaf("sip.example.com", authority_);
  test::TemporaryFile trusted_{authority_.pem()};
  test::CheckRunner runner_{{trusted_.path()}};
  asio::ssl::context tls_;
  int served_ = 0;
};

TEST_F(TlsHelloCheck, AsksOnceWhereALongOneIsAnswered) {
  const auto seen = check([](int, int) { return Does::pass; });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::connected);
  EXPECT_EQ(connections_, 1);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_GT(records_.front(), 1'460) << "more than one packet of an Ethernet";
  EXPECT_LT(records_.front(), 2'500) << "no longer than browsers send";
}

TEST_F(TlsHelloCheck, IsCutWhereOnlyLongOnesAre) {
  for (const auto does : {Does::drop, Does::reset}) {
    const auto seen = check([&](int record, int) { return record > 1'000 ? does : Does::pass; });
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::long_hello_cut);
    const std::string how = does == Does::drop ? "tls_timed_out" : "connection_reset";
    EXPECT_EQ(hellos(seen), (std::vector<std::string>{
                                "long " + how, "short connected", "long " + how,
                                "short_in_segments connected", "short_in_segments connected",
                                "long_in_segments " + how, "long_in_segments " + how}));
  }
}

TEST_F(TlsHelloCheck, IsCutOnceByChance) {
  const auto seen =
      check([](int, int connection) { return connection == 1 ? Does::reset : Does::pass; });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(connections_, 7);
}

TEST_F(TlsHelloCheck, ComparesNothingWhereNoneIsAnswered) {
  const auto seen = check([](int, int) { return Does::reset; });
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::hello_not_compared);
}

TEST_F(TlsHelloCheck, ComparesNothingWhereTcpIsRefused) {
  test::Loop loop;
  tcp::acceptor nobody(loop.context, {asio::ip::address_v4::loopback(), 0});
  const auto address = from_endpoint(nobody.local_endpoint());
  nobody.close();
  test::CheckRunner runner;
  const auto seen = runner.run(CheckKind::tls_hello, Transport::tls, "sip.example.com", address);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::hello_not_compared);
}

}  // namespace
}  // namespace callready
