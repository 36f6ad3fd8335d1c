#include "probe/net/sip.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <random>

#include "probe/util/base64.hpp"

namespace callready::sip {
namespace {

std::vector<std::uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }
std::string text(std::span<const std::uint8_t> raw) { return {raw.begin(), raw.end()}; }

// RFC 3261 section 24.2, message F2 shaped for an OPTIONS.
std::string reply(std::string_view start = "SIP/2.0 200 OK", std::string_view more = "",
                  std::string_view body = "") {
  return std::string(start) +
         "\r\n"
         "Via: SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bKabc;rport=4242;received=198.51.100.7\r\n"
         "To: <sip:example.com>;tag=37GkEhwl6\r\n"
         "From: <sip:anonymous@anonymous.invalid>;tag=tttt\r\n"
         "Call-ID: cccc\r\n"
         "CSeq: 1 OPTIONS\r\n" +
         std::string(more) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

Transaction transaction() { return {"z9hG4bKabc", "cccc", "tttt", 1}; }

std::string error_of(std::string_view message, Carriage carriage = Carriage::datagram) {
  const auto parsed = parse_reply(bytes(message), carriage);
  return parsed.has_error() ? parsed.error().text : "(no error)";
}

std::string replaced(std::string whole, const std::string& part, const std::string& by) {
  const auto at = whole.find(part);
  if (at == std::string::npos) throw std::logic_error("no such part: " + part);
  return whole.replace(at, part.size(), by);
}

Options options() {
  Options options;
  options.host = "sip.example.com";
  options.port = 5070;
  options.sent_by_host = "192.0.2.1";
  options.sent_by_port = 40000;
  options.user_agent = "callready/1.0 (https://example.com)";
  options.transaction = transaction();
  return options;
}

TEST(SipBuild, WritesAnOptionsFromNobody) {
  EXPECT_EQ(text(*build(options())),
            "OPTIONS sip:sip.example.com:5070 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.0.2.1:40000;rport;branch=z9hG4bKabc\r\n"
            "From: <sip:anonymous@anonymous.invalid>;tag=tttt\r\n"
            "To: <sip:sip.example.com>\r\n"
            "Call-ID: cccc\r\n"
            "CSeq: 1 OPTIONS\r\n"
            "Accept: application/sdp\r\n"
            "Max-Forwards: 70\r\n"
            "User-Agent: callready/1.0 (https://example.com)\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(SipBuild, WritesARequestWithASession) {
  auto update = options();
  update.transaction.method = "UPDATE";
  update.sdp = make_sdp({IpAddress::v4({192, 0, 2, 1}), 30'000});
  const auto message = text(*build(update));
  EXPECT_EQ(message.find("UPDATE sip:sip.example.com:5070 SIP/2.0\r\n"), 0u);
  for (const auto* line :
       {"CSeq: 1 UPDATE\r\n", "Contact: <sip:192.0.2.1:40000>\r\n",
        "Content-Type: application/sdp\r\n", "\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
        "c=IN IP4 192.0.2.1\r\n", "m=audio 30000 RTP/AVP 0\r\n"}) {
    EXPECT_NE(message.find(line), std::string::npos) << line << message;
  }
  // libosip2 pads the number with spaces (RFC 3261 section 25.1: LWS).
  EXPECT_NE(message.find(fmt::format(" {}\r\n\r\nv=0", update.sdp.size())), std::string::npos)
      << message;
}

// --- Mirrors ------------------------------------------------------------------------------------

// What a mirror's reply shows of a request that arrived as `came`; "-" where it is no mirror.
std::string changes(const std::string& sent, const std::string& body,
                    std::string_view type = "Application/Octet-Stream") {
  const auto parsed = parse_reply(
      bytes(reply("SIP/2.0 200 OK", "Content-Type: " + std::string(type) + "\r\n", body)),
      Carriage::datagram);
  if (parsed.has_error()) return parsed.error().text;
  const auto found = mirrored_changes(*parsed, bytes(sent));
  return found ? fmt::format("{}", fmt::join(*found, " ")) : "-";
}

TEST(SipMirror, ShowsWhatArrivedOtherwise) {
  auto update = options();
  update.transaction.method = "UPDATE";
  update.sdp = make_sdp({IpAddress::v4({192, 0, 2, 1}), 30'000});
  const auto sent = text(*build(update));
  struct Case {
    std::string part, by, changed;
  };
  for (const auto& [part, by, changed] :
       std::vector<Case>{{"callready", "callready", ""},
                         {"UDP 192.0.2.1:40000", "UDP 198.51.100.7:40404", "Via"},
                         // RFC 3261 section 16.6, RFC 3581: what proxies do.
                         {"Via: ", "Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKproxy\r\nVia: ", ""},
                         {";rport;", ";rport=40404;received=198.51.100.7;", ""},
                         {"Max-Forwards: 70", "Max-Forwards: 69", ""},
                         {"<sip:192.0.2.1:40000>", "<sip:198.51.100.7:40404>", "Contact"},
                         {"anonymous.invalid", "198.51.100.7", "From"},
                         {"c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.7", "c="},
                         {"o=- 1 1 IN IP4 192.0.2.1", "o=- 1 1 IN IP4 198.51.100.7", "o="},
                         {"m=audio 30000", "m=audio 30002", "m="},
                         {"m=audio 30000 RTP/AVP 0\r\n", "", "m="}}) {
    EXPECT_EQ(changes(sent, base64(replaced(sent, part, by))), changed) << by;
  }
}

TEST(SipMirror, IsOnlyWhatMirrorsThisRequest) {
  const auto sent = text(*build(options()));
  EXPECT_EQ(changes(sent, base64(sent), "text/plain"), "-");
  EXPECT_EQ(changes(sent, ""), "-");
  EXPECT_EQ(changes(sent, "!!!!"), "-");
  EXPECT_EQ(changes(sent, "abc"), "-");
  EXPECT_EQ(changes(sent, base64("garbage")), "-");
  EXPECT_EQ(changes(sent, base64(reply())), "-");
  EXPECT_EQ(changes(sent, base64(replaced(sent, "Call-ID: cccc", "Call-ID: dddd"))), "-");
  EXPECT_EQ(changes(sent, base64(sent.substr(0, sent.size() / 2))), "-");
}

TEST(SipBuild, NamesTheTransportInUriAndVia) {
  auto over_tls = options();
  over_tls.transport = Transport::tls;
  over_tls.port = 0;
  const auto message = text(*build(over_tls));
  EXPECT_EQ(message.find("OPTIONS sip:sip.example.com;transport=tls SIP/2.0\r\n"), 0u) << message;
  EXPECT_NE(message.find("Via: SIP/2.0/TLS 192.0.2.1:40000;rport;"), std::string::npos) << message;
  auto over_tcp = options();
  over_tcp.transport = Transport::tcp;
  EXPECT_EQ(text(*build(over_tcp)).find("OPTIONS sip:sip.example.com:5070;transport=tcp SIP/2.0"),
            0u);
}

TEST(SipBuild, PutsIpv6InBrackets) {
  auto v6 = options();
  v6.host = "2001:db8::5";
  v6.sent_by_host = "2001:db8::1";
  v6.rport = false;
  const auto message = text(*build(v6));
  EXPECT_EQ(message.find("OPTIONS sip:[2001:db8::5]:5070 SIP/2.0\r\n"), 0u) << message;
  EXPECT_NE(message.find("Via: SIP/2.0/UDP [2001:db8::1]:40000;branch="), std::string::npos);
  EXPECT_NE(message.find("To: <sip:[2001:db8::5]>\r\n"), std::string::npos);
}

TEST(SipBuild, RefusesHostsThatWouldInjectHeaders) {
  for (const auto* host : {"", "a b", "a\r\nEvil: 1", "a>", "a;lr", "user@host", "[::1]", "a:5"}) {
    auto bad = options();
    bad.host = host;
    EXPECT_TRUE(build(bad).has_error()) << host;
    bad = options();
    bad.sent_by_host = host;
    EXPECT_TRUE(build(bad).has_error()) << host;
  }
}

TEST(SipBuild, CleansTheUserAgent) {
  auto evil = options();
  evil.user_agent = "a\r\nEvil: 1";
  EXPECT_NE(text(*build(evil)).find("User-Agent: a??Evil: 1\r\n"), std::string::npos);
}

TEST(SipBuild, NamesTransactionsAtRandom) {
  const auto one = new_transaction(), other = new_transaction();
  EXPECT_EQ(one.branch.substr(0, 7), "z9hG4bK");
  EXPECT_EQ(one.branch.size(), 7u + 32u);
  EXPECT_NE(one.branch, other.branch);
  EXPECT_NE(one.call_id, other.call_id);
  EXPECT_NE(one.from_tag, other.from_tag);
}

TEST(SipReply, IsReadWhole) {
  const auto parsed =
      parse_reply(bytes(reply("SIP/2.0 405 Method Not Allowed",
                              "Server: kamailio (5.6.3)\r\nAllow: INVITE, ACK\r\nAllow: BYE\r\n"
                              "Contact: <sip:x@192.0.2.9>\r\n",
                              "body")),
                  Carriage::stream);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->status, 405);
  EXPECT_EQ(parsed->reason, "Method Not Allowed");
  EXPECT_FALSE(parsed->provisional());
  ASSERT_EQ(parsed->vias.size(), 1u);
  const Via via{"UDP", "192.0.2.1", 40000, "z9hG4bKabc", "198.51.100.7", 4242};
  EXPECT_EQ(parsed->vias[0], via);
  EXPECT_EQ(parsed->vias[0].sent_by(), "192.0.2.1:40000");
  EXPECT_EQ(parsed->call_id, "cccc");
  EXPECT_EQ(parsed->sequence, 1u);
  EXPECT_EQ(parsed->method, "OPTIONS");
  EXPECT_EQ(parsed->server, "kamailio (5.6.3)");
  EXPECT_EQ(parsed->allow, "INVITE, ACK, BYE");
  EXPECT_TRUE(parsed->contact);
  EXPECT_EQ(parsed->content_length, 4u);
  EXPECT_EQ(parsed->body_size, 4u);
  EXPECT_TRUE(belongs_to(*parsed, transaction()));
}

TEST(SipReply, MayUseCompactFormsFoldingAndOddCase) {
  const auto parsed = parse_reply(bytes("sip/2.0 200 OK\r\n"
                                        "v : SIP / 2.0 / udp\r\n"
                                        "  192.0.2.1:40000 ;branch=z9hG4bKabc\r\n"
                                        "\t;RPORT=4242\r\n"
                                        "f: \"A, B\" <sip:a@example.com>;tag=1\r\n"
                                        "T: <sip:b@example.com>\r\n"
                                        "i: cccc@192.0.2.1\r\n"
                                        "cseq:  1\r\n OPTIONS\r\n"
                                        "m: *\r\n"
                                        "l:0\r\n\r\n"),
                                  Carriage::stream);
  ASSERT_TRUE(parsed) << parsed.error().text;
  const Via via{"UDP", "192.0.2.1", 40000, "z9hG4bKabc", "", 4242};
  EXPECT_EQ(parsed->vias.at(0), via);
  EXPECT_EQ(parsed->call_id, "cccc@192.0.2.1");
  EXPECT_EQ(parsed->method, "OPTIONS");
  EXPECT_TRUE(parsed->contact);
}

TEST(SipReply, KeepsTheOrderOfSeveralVias) {
  const auto parsed =
      parse_reply(bytes(replaced(reply(), "Via: ",
                                 "Via: SIP/2.0/TCP one;branch=1, SIP/2.0/TLS two;branch=2\r\n"
                                 "Via: ")),
                  Carriage::datagram);
  ASSERT_TRUE(parsed) << parsed.error().text;
  ASSERT_EQ(parsed->vias.size(), 3u);
  EXPECT_EQ(parsed->vias[0].host, "one");
  EXPECT_EQ(parsed->vias[1].transport, "TLS");
  EXPECT_EQ(parsed->vias[2].host, "192.0.2.1");
}

TEST(SipReply, ReadsIpv6InVia) {
  // RFC 5118 section 4.5: received with and without brackets.
  for (const auto* received : {"2001:db8::9:255", "[2001:db8::9:255]"}) {
    const auto parsed = parse_reply(
        bytes(replaced(reply(),
                       "192.0.2.1:40000;branch=z9hG4bKabc;rport=4242;received=198.51.100.7",
                       std::string("[2001:db8::9:1]:40000;received=") + received + ";branch=b")),
        Carriage::datagram);
    ASSERT_TRUE(parsed) << parsed.error().text;
    const Via via{"UDP", "2001:db8::9:1", 40000, "b", "2001:db8::9:255", 0};
    EXPECT_EQ(parsed->vias.at(0), via) << received;
  }
}

TEST(SipReply, IsBoundByContentLength) {
  const auto with = [](std::string_view value, std::string_view body = "") {
    return replaced(reply(), "Content-Length: 0", "Content-Length: " + std::string(value)) +
           std::string(body);
  };
  EXPECT_EQ(error_of(with("5", "body")), "4 bytes of body where Content-Length says 5");
  EXPECT_EQ(error_of(with("-999")), "a Content-Length that is no number");  // RFC 4475 3.1.2.3
  EXPECT_EQ(error_of(with("+4", "body")), "a Content-Length that is no number");
  EXPECT_EQ(error_of(with("0x4", "body")), "a Content-Length that is no number");
  EXPECT_EQ(error_of(with("")), "a Content-Length that is no number");
  EXPECT_EQ(error_of(with("65536")), "a Content-Length of more than 65,535");
  EXPECT_EQ(error_of(with("99999999999999999999999999")), "a Content-Length of more than 65,535");
  EXPECT_EQ(error_of(with("0\r\nl: 1")), "two different Content-Length headers");
  EXPECT_EQ(error_of(with("0\r\nl: 0")), "(no error)");
  // Section 18.3: what is over is padding in a datagram, and a lost frame on a stream.
  EXPECT_EQ(error_of(with("3", "body")), "(no error)");
  EXPECT_EQ(error_of(with("3", "body"), Carriage::stream), "more bytes than Content-Length says");
  const auto without = replaced(reply(), "Content-Length: 0\r\n", "") + "body";
  EXPECT_EQ(error_of(without, Carriage::stream), "no Content-Length header on a stream");
  const auto parsed = parse_reply(bytes(without), Carriage::datagram);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->body_size, 4u);
  EXPECT_FALSE(parsed->content_length);
}

TEST(SipReply, MustHaveItsHeaders) {
  EXPECT_EQ(error_of(replaced(reply(), "Via: ", "X-Via: ")), "no Via header");
  EXPECT_EQ(error_of(replaced(reply(), "From: ", "X-From: ")), "no from header");
  EXPECT_EQ(error_of(replaced(reply(), "To: ", "X-To: ")), "no to header");
  EXPECT_EQ(error_of(replaced(reply(), "Call-ID: ", "X-Call-ID: ")), "no call-id header");
  EXPECT_EQ(error_of(replaced(reply(), "CSeq: ", "X-CSeq: ")), "no cseq header");
  EXPECT_EQ(error_of(replaced(reply(), "CSeq: ", "i: other\r\nCSeq: ")),
            "more than one call-id header");
  EXPECT_NE(error_of(replaced(reply(), "Call-ID: cccc", "Call-ID:")), "(no error)");
  EXPECT_NE(error_of(replaced(reply(), "1 OPTIONS", "")), "(no error)");
  EXPECT_NE(error_of(replaced(reply(), "1 OPTIONS", "1")), "(no error)");
}

TEST(SipReply, RefusesABrokenVia) {
  for (const auto* via :
       {"", "x", "SIP/2.0/UDP", "SIP/1.0/UDP h;branch=b", "HTTP/1.1 h", "SIP/2.0/UDP h:0;branch=b",
        "SIP/2.0/UDP h:65536;branch=b", "SIP/2.0/UDP h:99999999999;branch=b",
        "SIP/2.0/UDP h;rport=x;branch=b", "SIP/2.0/UDP h;rport=70000;branch=b",
        "SIP/2.0/UDP [::1;branch=b", "SIP/2.0/UDP h;;branch=b", ","}) {
    const auto message = replaced(
        reply(), "SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bKabc;rport=4242;received=198.51.100.7",
        via);
    EXPECT_NE(error_of(message), "(no error)") << via;
  }
}

TEST(SipReply, RefusesWhatIsNoReply) {
  EXPECT_EQ(error_of(""), "not SIP");
  EXPECT_EQ(error_of("\r\n\r\n"), "not SIP");
  EXPECT_EQ(error_of("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "not SIP");
  EXPECT_EQ(error_of("SSH-2.0-OpenSSH_9.2\r\n"), "not SIP");
  EXPECT_EQ(error_of(text(*build(options()))), "a SIP request instead of a reply");
  EXPECT_EQ(error_of(replaced(reply(), "SIP/2.0 200", "SIP/3.0 200")), "not SIP");
  EXPECT_EQ(error_of(reply().substr(0, 100)), "cut off within the headers");
  EXPECT_EQ(error_of(replaced(reply(), "\r\nTo", "\nTo")), "a lone CR or LF in the headers");
  EXPECT_EQ(error_of(replaced(reply(), "\r\nTo", "\rTo")), "a lone CR or LF in the headers");
  EXPECT_EQ(error_of(replaced(reply(), "cccc", std::string("c\0c", 3))),
            "a NUL byte in the headers");
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK\r\n folded")), "a header line that continues nothing");
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", "no colon\r\n")), "a header line without a name");
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", ": no name\r\n")), "a header line without a name");
}

TEST(SipReply, ReadsStatusLinesStrictly) {
  for (const auto* line : {"SIP/2.0 99 x", "SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 200",
                           "SIP/2.0  200 OK", "SIP/2.0 2000 OK", "SIP/2.0 -20 OK", "SIP/2.0 +20 OK",
                           "SIP/2.0 4294967301 better not break the receiver"}) {
    EXPECT_EQ(error_of(reply(line)), "a status line that breaks the grammar") << line;
  }
}

// Standard output carries the report: libosip2 would write its complaints there.
TEST(SipReply, IsRefusedWithoutAWord) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_NE(error_of(replaced(reply(), "SIP/2.0/UDP ", "")), "(no error)");
  std::fflush(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(SipReply, IsBoundInSize) {
  std::string many;
  for (int i = 0; i < 250; ++i) many += "X: y\r\n";
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", many)), "(no error)");
  for (int i = 0; i < 10; ++i) many += "X: y\r\n";
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", many)), "more than 256 headers");
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", "X: " + std::string(20'000, 'y') + "\r\n")),
            "more than 16,384 bytes of headers");
  EXPECT_EQ(error_of(reply("SIP/2.0 200 OK", "", std::string(65'535, 'y'))),
            "a SIP message of more than 65,535 bytes");
}

// Messages of RFC 4475 that are replies, or whose lesson a reply can teach.
TEST(SipTorture, UnusualReasonPhrase) {  // 3.1.1.12, unreason
  const std::string phrase = "= 2**3 * 5**2 \xD0\xBD\xD0\xBE \xD1\x81\xD1\x82\xD0\xBE";
  const auto parsed = parse_reply(bytes(reply("SIP/2.0 200 " + phrase)), Carriage::datagram);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->reason, phrase);
}

TEST(SipTorture, EmptyReasonPhrase) {  // 3.1.1.13, noreason
  const auto parsed = parse_reply(bytes(reply("SIP/2.0 100 ")), Carriage::datagram);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->status, 100);
  EXPECT_EQ(parsed->reason, "");
  EXPECT_TRUE(parsed->provisional());
}

TEST(SipTorture, OverlargeScalars) {  // 3.1.2.5, scalarlg
  EXPECT_EQ(error_of("SIP/2.0 503 Service Unavailable\r\n"
                     "Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw"
                     ";received=192.0.2.129\r\n"
                     "To: <sip:user@example.com>\r\n"
                     "From: <sip:other@example.net>;tag=2easdjfejw\r\n"
                     "CSeq: 9292394834772304023312 OPTIONS\r\n"
                     "Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r\r\n"
                     "Retry-After: 949302838503028349304023988\r\n"
                     "Warning: 1812 overture \"In Progress\"\r\n"
                     "Content-Length: 0\r\n\r\n"),
            "a CSeq that is no number below 2^31");
}

TEST(SipTorture, BroadcastVia) {  // 3.3.10, bcast: well-formed, and nobody's answer to us
  const auto parsed = parse_reply(
      bytes("SIP/2.0 200 OK\r\n"
            "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
            "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n"
            "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\r\n"
            "CSeq: 35 INVITE\r\n"
            "From: sip:user@example.com;tag=11141343\r\n"
            "To: sip:user@example.edu;tag=2229\r\n"
            "Content-Length: 154\r\n"
            "Content-Type: application/sdp\r\n"
            "Contact: <sip:user@host28.example.com>\r\n\r\n"
            "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.198\r\ns=-\r\n"
            "c=IN IP4 192.0.2.198\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP "
            "31\r\na=rtpmap:31 LPC\r\n"),
      Carriage::datagram);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->vias.size(), 2u);
  EXPECT_EQ(parsed->body_size, 154u);
  EXPECT_FALSE(belongs_to(*parsed, transaction()));
}

TEST(SipReply, SurvivesMutations) {
  std::mt19937 random(4475);
  const std::string seed = reply("SIP/2.0 200 OK",
                                 "Via: SIP/2.0/TLS [::1]:5;x=\"a,b\";branch=1, SIP/2.0/UDP h\r\n"
                                 "Allow: INVITE\r\nContact: <sip:a@b>\r\n",
                                 "body");
  constexpr std::string_view spice = "\r\n\t ,;:\"'<>@[]()\\=/%\xff";
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto message = seed;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % message.size();
      switch (random() % 4) {
        case 0:
          message[at] = spice[random() % spice.size()];
          break;
        case 1:
          message.insert(at, 1, spice[random() % spice.size()]);
          break;
        case 2:
          message.erase(at, 1 + random() % 8);
          break;
        default:
          message[at] = static_cast<char>(random());
      }
    }
    accepted += parse_reply(bytes(message), Carriage::datagram).has_value() ? 1 : 0;
  }
  EXPECT_GT(accepted, 1'000);  // or the mutations would test the first line only
  EXPECT_LT(accepted, 19'000);
}

TEST(SipMatch, NeedsBranchCallIdAndSequence) {
  const auto belongs = [](const std::string& message) {
    const auto parsed = parse_reply(bytes(message), Carriage::datagram);
    return belongs_to(*parsed, transaction());
  };
  EXPECT_TRUE(belongs(reply()));
  EXPECT_FALSE(belongs(replaced(reply(), "z9hG4bKabc", "z9hG4bKabd")));
  EXPECT_FALSE(belongs(replaced(reply(), "cccc", "dddd")));
  EXPECT_FALSE(belongs(replaced(reply(), "1 OPTIONS", "2 OPTIONS")));
  EXPECT_FALSE(belongs(replaced(reply(), "1 OPTIONS", "1 INVITE")));
}

TEST(SipCollector, WaitsForTheFinalReply) {
  Collector collector(transaction());
  EXPECT_FALSE(collector.take(bytes(reply("SIP/2.0 100 Trying")), Carriage::datagram));
  EXPECT_EQ(collector.reply()->status, 100);
  EXPECT_FALSE(collector.take(bytes(replaced(reply(), "cccc", "dddd")), Carriage::datagram));
  EXPECT_FALSE(collector.take(bytes("garbage"), Carriage::datagram));
  EXPECT_FALSE(collector.take(bytes("more garbage\r\n\r\n"), Carriage::datagram));
  EXPECT_FALSE(collector.take(bytes("\r\n\r\n"), Carriage::datagram));
  EXPECT_FALSE(collector.take(*build(options()), Carriage::datagram));
  EXPECT_TRUE(collector.take(bytes(reply("SIP/2.0 404 Not Found")), Carriage::datagram));
  EXPECT_TRUE(collector.take(bytes(reply("SIP/2.0 200 OK")), Carriage::datagram));
  EXPECT_EQ(collector.reply()->status, 404);
  EXPECT_EQ(collector.provisional(), 1);
  EXPECT_EQ(collector.foreign(), 2);
  EXPECT_EQ(collector.broken(), 2);
  EXPECT_EQ(collector.why_broken(), "not SIP");
}

TEST(SipFramer, WorksByteByByte) {
  const auto stream = "\r\n\r\n" + reply("SIP/2.0 100 Trying") + "\r\n" +
                      reply("SIP/2.0 200 OK", "", "body\r\n\r\n") + "\r\n\r\n";
  Framer framer;
  std::vector<std::string> found;
  for (const char c : stream) {
    const auto byte = static_cast<std::uint8_t>(c);
    framer.push({&byte, 1});
    const auto next = framer.next();
    ASSERT_TRUE(next) << next.error().text;
    if (*next) found.push_back(text(**next));
  }
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], reply("SIP/2.0 100 Trying"));
  EXPECT_EQ(found[1], reply("SIP/2.0 200 OK", "", "body\r\n\r\n"));
  EXPECT_FALSE(framer.pending());
}

TEST(SipFramer, FindsSeveralMessagesInOnePush) {
  Framer framer;
  framer.push(bytes(reply("SIP/2.0 100 Trying") + reply() + reply().substr(0, 30)));
  EXPECT_EQ(text(**framer.next()), reply("SIP/2.0 100 Trying"));
  EXPECT_EQ(text(**framer.next()), reply());
  EXPECT_FALSE(*framer.next());
  EXPECT_TRUE(framer.pending());
}

TEST(SipFramer, GivesUpAtTheFirstLineThatIsNotSip) {
  Framer framer;
  framer.push(bytes("HTTP/1.1 400 Bad Request\r"));
  EXPECT_FALSE(*framer.next());
  framer.push(bytes("\n"));
  EXPECT_EQ(framer.next().error().text, "not SIP");
  framer.push(bytes(reply()));
  EXPECT_EQ(framer.next().error().text, "not SIP") << "the frame is lost for good";
}

TEST(SipFramer, IsBound) {
  const auto error = [](const std::string& stream) {
    Framer framer;
    for (std::size_t at = 0; at < stream.size(); at += 1'000) {
      framer.push(bytes(stream.substr(at, 1'000)));
      const auto next = framer.next();
      if (next.has_error()) return next.error().text;
    }
    return std::string("(no error)");
  };
  EXPECT_EQ(error(std::string(1'000'000, 'x')), "not SIP");
  EXPECT_EQ(error("SIP/2.0 200 OK\r\n" + std::string(1'000'000, 'x')),
            "more than 16,384 bytes of headers");
  EXPECT_EQ(error(replaced(reply(), "Length: 0", "Length: 65535")),
            "a SIP message of more than 65,535 bytes");
  EXPECT_EQ(error(replaced(reply(), "Length: 0", "Length: -1")),
            "a Content-Length that is no number");
  EXPECT_EQ(error(replaced(reply(), "Content-Length: 0\r\n", "")),
            "no Content-Length header on a stream");
  EXPECT_EQ(error(reply() + std::string(1'000'000, '\n')), "(no error)");
}

}  // namespace
}  // namespace callready::sip
