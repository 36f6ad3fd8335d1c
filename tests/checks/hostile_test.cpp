// Servers that no vendor runs: endless, contradictory, cut off, slow byte by byte. A check must end
// in its time, within its bounds, and call the thing by its name.
#include <fmt/format.h>

#include <random>

#include "probe/net/timeouts.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/flooding_server.hpp"
#include "tests/support/said.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/stream_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::bytes_of;
using test::ScriptedTcp;

struct Stranger {
  std::string name;
  test::CheckNamed check;
  std::string first;    // sent once, when the first bytes of the check have come
  std::string endless;  // then again and again; empty: the connection is closed
  Outcome outcome = Outcome::failed;
  test::Said detail;
  std::map<std::string, std::string> with{};
  Transport transport = Transport::tcp;
};

void PrintTo(const Stranger& stranger, std::ostream* out) { *out << stranger.name; }

std::string http(std::string_view headers, std::string_view rest = "") {
  return fmt::format("HTTP/1.1 200 OK\r\n{}\r\n{}", headers, rest);
}

const std::string sip_line = "SIP/2.0 200 OK\r\n";
const std::string big(100'000, 'a');

std::vector<Stranger> strangers() {
  using enum Outcome;
  const std::string zeros(4'096, '\0');
  return {
      {"SipEndlessHeaders", "sip", sip_line, "X-Header: value\r\n", failed, "malformed"},
      {"SipEndlessHeaderLine", "sip", sip_line + "X-Header: ", "aaaaaaaa", failed, "malformed"},
      {"SipEndlessKeepAlives", "sip", "", "\r\n\r\n", failed, ""},
      {"SipEndlessStartLine", "sip", "SIP/2.0 200 ", "aaaaaaaa", failed, "malformed"},
      {"SipHugeLength", "sip", sip_line + "Content-Length: 4294967296\r\n\r\n", "a", failed,
       "malformed"},
      {"SipNegativeLength", "sip", sip_line + "Content-Length: -1\r\n\r\n", "a", failed,
       "malformed"},
      {"SipTwoLengths", "sip", sip_line + "Content-Length: 0\r\nl: 1\r\n\r\n", "a", failed,
       "malformed"},
      {"SipLongestBodyCutOff", "sip", sip_line + "Content-Length: 65000\r\n\r\nabc", "", failed,
       "malformed"},
      {"SipAlgEndlessHeaders", "sip-alg", sip_line, "X-Header: value\r\n", failed, "malformed"},
      {"HttpEndlessHeaders", "http", "HTTP/1.1 200 OK\r\n", "X-Header: value\r\n", failed,
       "oversized"},
      {"HttpEndlessHeaderLine", "http", "HTTP/1.1 200 OK\r\nX-Header: ", "aaaaaaaa", failed,
       "oversized"},
      {"HttpEndlessInterimReplies", "http", "", "HTTP/1.1 100 Continue\r\n\r\n", failed,
       "oversized"},
      {"HttpEndlessBody", "http", http(""), "aaaaaaaa", answered, "200"},
      {"HttpEndlessChunks", "http", http("Transfer-Encoding: chunked\r\n"), "1\r\na\r\n", answered,
       "200"},
      {"HttpHugeChunk", "http",
       http("Transfer-Encoding: chunked\r\n", "7fffffffffffffff\r\n" + big), "a", answered, "200"},
      {"HttpChunkOverflow", "http",
       http("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nabc"), "", answered, "200"},
      {"HttpNegativeChunk", "http", http("Transfer-Encoding: chunked\r\n", "-1\r\nabc"), "",
       answered, "200"},
      {"HttpEndlessChunkExtension", "http", http("Transfer-Encoding: chunked\r\n", "1;"), "a=b;",
       answered, "200"},
      {"HttpHugeLength", "http", http("Content-Length: 99999999999999999999\r\n", "abc"), "",
       answered, "200"},
      {"HttpNegativeLength", "http", http("Content-Length: -1\r\n", "abc"), "", failed,
       "malformed"},
      {"HttpGarbage", "http", std::string("\x00\x01\xff\xfe", 4), "\xff", failed, "malformed"},
      {"WebSocketEndlessHeaders",
       "http",
       "HTTP/1.1 101 Switching Protocols\r\n",
       "X: y\r\n",
       failed,
       "oversized",
       {{"upgrade", "websocket"}}},
      {"WebSocketWithoutAccept",
       "http",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
       "",
       failed,
       "bad_upgrade",
       {{"upgrade", "websocket"}}},
      {"WebSocketWrongAccept",
       "http",
       "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
       "\x81\x7f",
       failed,
       "bad_upgrade",
       {{"upgrade", "websocket"}}},
      {"TlsEndlessZeros", "tls", "", zeros, failed, "not_tls", {}, Transport::tls},
      {"TlsHugeRecord",
       "tls",
       std::string("\x16\x03\x03\xff\xff", 5),
       zeros,
       failed,
       "tls_protocol",
       {},
       Transport::tls},
      {"TlsEndlessRecords",
       "tls",
       "",
       std::string("\x16\x03\x03\x00\x01\x00", 6),
       failed,
       "tls_protocol",
       {},
       Transport::tls},
      {"TlsEndlessWarnings",
       "tls",
       "",
       std::string("\x15\x03\x03\x00\x02\x01\x5a", 7),
       failed,
       "",
       {},
       Transport::tls},
      {"TlsCutOff",
       "tls",
       std::string("\x16\x03\x03\x00\x40", 5),
       "",
       failed,
       "closed_by_peer",
       {},
       Transport::tls},
      {"HttpsEndlessZeros", "http", "", zeros, failed, "not_tls", {}, Transport::tls},
      {"SipsEndlessZeros", "sip", "", zeros, failed, "not_tls", {}, Transport::tls},
      {"StunsEndlessZeros", "stun", "", zeros, failed, "not_tls", {}, Transport::tls},
      {"TurnsEndlessZeros", "turn", "", zeros, failed, "not_tls", {}, Transport::tls},
  };
}

class HostileStream : public testing::TestWithParam<Stranger> {};

TEST_P(HostileStream, IsCalledByItsNameInTime) {
  const auto& stranger = GetParam();
  test::CheckRunner runner;
  ScriptedTcp server(runner.loop.context,
                     [&](ScriptedTcp::Connection& connection, const Bytes& bytes) {
                       if (bytes.empty()) return;
                       if (!stranger.first.empty()) connection.send(bytes_of(stranger.first));
                       if (stranger.endless.empty()) {
                         connection.close();
                       } else {
                         connection.send_endlessly(bytes_of(stranger.endless));
                       }
                     });
  const auto start = std::chrono::steady_clock::now();
  const auto seen =
      runner.run(stranger.check, stranger.transport, "localhost", server.address(), stranger.with);
  EXPECT_LT(std::chrono::steady_clock::now() - start, timeouts::check);
  EXPECT_EQ(to_string(seen.outcome), to_string(stranger.outcome)) << seen.detail.text();
  if (!stranger.detail.empty()) {
    EXPECT_EQ(seen.detail, stranger.detail);
  }
  std::size_t size = 0;
  for (const auto& evidence : seen.evidence) {
    size += evidence.text.size();
    for (const auto& [name, value] : evidence.facts) {
      if (const auto* text = std::get_if<std::string>(&value)) size += text->size();
    }
  }
  EXPECT_LT(size, 4'096u) << "what a stranger sends does not fill the report";
}

INSTANTIATE_TEST_SUITE_P(Strangers, HostileStream, testing::ValuesIn(strangers()),
                         [](const auto& of) { return of.param.name; });

// --- TLS that goes on and on, faster than OpenSSL reads
// --------------------------------------------

struct Flooded {
  std::string name;
  test::CheckNamed check;
  bool tickets;  // after the handshake; else within it
};

void PrintTo(const Flooded& flooded, std::ostream* out) { *out << flooded.name; }

class FloodedByTls : public testing::TestWithParam<Flooded> {};

TEST_P(FloodedByTls, IsGivenUpAtOnce) {
  const auto& flooded = GetParam();
  const auto authority = test::make_authority("Test Root");
  test::FloodingServer server(flooded.tickets ? test::FloodingServer::sending_tickets(
                                                    test::make_leaf("localhost", authority))
                                              : &test::FloodingServer::send_hello_requests);
  test::CheckRunner runner;
  const auto start = std::chrono::steady_clock::now();
  const auto seen = runner.run(flooded.check, Transport::tls, "localhost", server.address());
  EXPECT_LT(std::chrono::steady_clock::now() - start, timeouts::check);
  EXPECT_EQ(seen.outcome, Outcome::failed) << seen.detail.text();
}

INSTANTIATE_TEST_SUITE_P(
    Servers, FloodedByTls,
    testing::Values(Flooded{"Tls", "tls", false}, Flooded{"Sip", "sip", false},
                    Flooded{"Turn", "turn", false}, Flooded{"Stun", "stun", false},
                    Flooded{"Http", "http", false}, Flooded{"SipTickets", "sip", true},
                    Flooded{"TurnTickets", "turn", true}, Flooded{"HttpTickets", "http", true}),
    [](const auto& of) { return of.param.name; });

// --- One byte every 200 ms, for ever
// ---------------------------------------------------------------

struct Dribble {
  test::CheckNamed check;
  std::string text;
  Transport transport = Transport::tcp;
  test::Said detail;
  bool proxied = false;
};

void PrintTo(const Dribble& dribble, std::ostream* out) { *out << to_string(dribble.check.kind); }

class Dribbling : public testing::TestWithParam<Dribble> {};

TEST_P(Dribbling, EndsAtTheDeadline) {
  const auto& dribble = GetParam();
  test::CheckRunner runner({}, test::Time::by_hand);
  auto& loop = runner.loop;
  const test::TcpServer::Serve serve = [&](asio::ip::tcp::socket& peer) -> asio::awaitable<void> {
    for (std::size_t i = 0;; ++i) {
      const auto when = loop.clock.now() + milliseconds(200);
      const bool slept = co_await sleep_until(loop.executor(), loop.scope, when);
      if (!slept) co_return;
      const char byte = i < dribble.text.size() ? dribble.text[i] : 'a';
      const auto [error, size] = co_await asio::async_write(peer, asio::buffer(&byte, 1),
                                                            asio::as_tuple(asio::use_awaitable));
      if (error || size != 1) co_return;
    }
  };
  test::TcpServer server(loop, serve);
  Probe probe;
  probe.check = dribble.check;
  probe.target.host = "localhost";
  probe.target.ports = {server.port(), server.port()};
  probe.target.transport = dribble.transport;
  if (dribble.proxied) {
    probe.target.route.proxy = fmt::format("http://127.0.0.1:{}", server.port());
  }
  const auto start = loop.clock.now();
  Observation seen;
  if (dribble.proxied) {
    seen = runner.run(probe, std::nullopt);
  } else {
    seen = runner.run(probe, IpAddress::v4({127, 0, 0, 1}));
  }
  EXPECT_LE(loop.clock.now() - start, timeouts::check);
  EXPECT_EQ(to_string(seen.outcome), "failed");
  EXPECT_EQ(seen.detail, dribble.detail);
  // The server's coroutine waits in the loop's scope: it must end before that does.
  loop.stop.stop();
  loop.context.restart();
  loop.context.poll();
}

INSTANTIATE_TEST_SUITE_P(
    Servers, Dribbling,
    testing::Values(
        Dribble{"sip", "SIP/2.0 200 OK\r\nVia: ", Transport::tcp, "malformed"},
        Dribble{"sip-alg", "SIP/2.0 200 OK\r\nVia: ", Transport::tcp, "malformed"},
        Dribble{"http", "HTTP/1.1 200 OK\r\nX: ", Transport::tcp, "http_timed_out"},
        Dribble{"tls", "\x16\x03\x03\x10", Transport::tls, "tls_timed_out"},
        Dribble{"http", "\x16\x03\x03\x10", Transport::tls, "tls_timed_out"},
        Dribble{"proxy", "HTTP/1.1 200 OK\r\nX: ", Transport::tcp, "proxy_timed_out", true},
        Dribble{"tls", "HTTP/1.1 200 OK\r\nX: ", Transport::tls, "proxy_timed_out", true},
        Dribble{"http", "HTTP/1.1 200 OK\r\nX: ", Transport::tcp, "proxy_timed_out", true}),
    [](const auto& of) {
      return fmt::format(
          "{}{}{}",
          of.param.check == CheckKind::sip_alg ? "sipalg" : to_string(of.param.check.kind),
          to_string(of.param.transport), of.param.proxied ? "Proxied" : "");
    });

// --- Proxies
// ---------------------------------------------------------------------------------------

struct OddProxy {
  std::string name, first, endless;
  Outcome outcome = Outcome::failed;
  test::Said detail;
};

void PrintTo(const OddProxy& proxy, std::ostream* out) { *out << proxy.name; }

class HostileProxy : public testing::TestWithParam<OddProxy> {};

TEST_P(HostileProxy, IsCalledByItsName) {
  const auto& odd = GetParam();
  test::CheckRunner runner;
  ScriptedTcp server(runner.loop.context,
                     [&](ScriptedTcp::Connection& connection, const Bytes& bytes) {
                       if (bytes.empty()) return;
                       connection.send(bytes_of(odd.first));
                       if (odd.endless.empty()) {
                         connection.close();
                       } else {
                         connection.send_endlessly(bytes_of(odd.endless));
                       }
                     });
  Probe probe;
  probe.check = CheckKind::proxy;
  probe.target.host = "www.example.com";
  probe.target.ports = {443, 443};
  probe.target.transport = Transport::tcp;
  probe.target.route.proxy = fmt::format("http://127.0.0.1:{}", server.address().port);
  const auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(to_string(seen.outcome), to_string(odd.outcome)) << seen.detail.text();
  EXPECT_EQ(seen.detail, odd.detail);
}

INSTANTIATE_TEST_SUITE_P(
    Proxies, HostileProxy,
    testing::Values(
        OddProxy{"EndlessHeaders", "HTTP/1.1 200 OK\r\n", "X: y\r\n", Outcome::failed,
                 "not_a_proxy"},
        OddProxy{"EndlessLine", "HTTP/1.1 200 OK\r\nX: ", "aaaa", Outcome::failed, "not_a_proxy"},
        OddProxy{"EndlessRefusal", "HTTP/1.1 403 No\r\nContent-Length: 99999999\r\n\r\n", "aaaa",
                 Outcome::denied, "403"},
        OddProxy{"EndlessChunkedRefusal",
                 "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n",
                 "1\r\na\r\n", Outcome::denied, "407"},
        OddProxy{"Garbage", std::string("\x05\xff\x00", 3), "", Outcome::failed, "closed_by_peer"},
        OddProxy{"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", "", Outcome::failed, "not_a_proxy"},
        OddProxy{"Mute", "", "", Outcome::failed, "closed_by_peer"}),
    [](const auto& of) { return of.param.name; });

// --- Names ---------------------------------------------------------------------------------------

// An answer whose names are compressed into a circle, or out of the message (RFC 1035 section
// 4.1.4).
struct Pointers {
  std::string name;
  int type = 1;
  Bytes owner, data;
};

void PrintTo(const Pointers& pointers, std::ostream* out) { *out << pointers.name; }

class HostileNames : public testing::TestWithParam<Pointers> {};

TEST_P(HostileNames, AreMalformed) {
  const auto& pointers = GetParam();
  test::CheckRunner runner;
  test::DnsServer server(runner.loop, [&](const test::DnsServer::Asked& asked) {
    auto reply = asked.reply().bytes();
    reply[7] = 1;  // one answer follows
    test::put_all(reply, pointers.owner);
    test::put16(reply, pointers.type);
    test::put16(reply, 1);
    for (int i = 0; i < 4; ++i) reply.push_back(0);
    test::put16(reply, static_cast<int>(pointers.data.size()));
    test::put_all(reply, pointers.data);
    return reply;
  });
  runner.use_dns_servers({server.text()});
  Probe probe;
  probe.check = CheckKind::dns;
  probe.target.host = "a.example.com";
  probe.target.ports = {53, 53};
  probe.with["type"] = dns::type_name(static_cast<std::uint16_t>(pointers.type));
  if (pointers.type == 12) probe.with["name"] = "192.0.2.1";
  probe.target.transport = Transport::tcp;
  auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(to_string(seen.outcome), "failed");
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

// The question ("a.example.com" or the name of an address) begins at 12.
INSTANTIATE_TEST_SUITE_P(
    Loops, HostileNames,
    testing::Values(
        Pointers{"OwnerPointsToItself", 1, {0xc0, 0x1f}, {192, 0, 2, 1}},
        Pointers{"OwnerPointsPastTheEnd", 1, {0xff, 0xff}, {192, 0, 2, 1}},
        Pointers{"SrvTargetPointsToItself", 33, {0xc0, 0x0c}, {0, 1, 0, 1, 0x13, 0xc4, 0xc0, 0x31}},
        Pointers{"SrvTargetPointsForward", 33, {0xc0, 0x0c}, {0, 1, 0, 1, 0x13, 0xc4, 0xc0, 0x40}},
        Pointers{"NaptrReplacementLoops",
                 35,
                 {0xc0, 0x0c},
                 {0, 1, 0, 1, 1, 's', 0, 0, 1, 'a', 0xc0, 0x34}},
        Pointers{"PtrLoopsOverALabel", 12, {0xc0, 0x0c}, {1, 'a', 0xc0, 0x35}}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace callready
