#include "reports/words/waits.hpp"

#include <gtest/gtest.h>

#include "reports/format.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

TEST(Waits, SayHowLongAndForWhom) {
  EXPECT_EQ(wait_in_words({Milliseconds(2'000), CheckKind::sip, false}),
            "2.0 s: waiting for SIP servers that did not answer");
  EXPECT_EQ(wait_in_words({Milliseconds(1'600), CheckKind::hop, true}),
            "1.6 s: waiting for routers in the path");
  EXPECT_EQ(wait_in_words({Milliseconds(1'250), CheckKind::nat, false}),
            "1.2 s: waiting for the NAT test server, which did not answer");
  EXPECT_EQ(wait_in_words({Milliseconds(2'000), CheckKind::path, false}),
            "2.0 s: waiting for replies to full-size packets that did not come");
  EXPECT_EQ(wait_in_words({Milliseconds(2'000), CheckKind::tcp, false}),
            "2.0 s: waiting for TCP servers that did not answer");
}

TEST(Waits, NameEveryCheck) {
  for (const auto check :
       {CheckKind::dns,      CheckKind::hop,     CheckKind::http,      CheckKind::ice,
        CheckKind::ipv6,     CheckKind::media,   CheckKind::nat,       CheckKind::ntp,
        CheckKind::pac,      CheckKind::path,    CheckKind::proxy,     CheckKind::quic,
        CheckKind::sip,      CheckKind::sip_alg, CheckKind::sip_long,  CheckKind::stun,
        CheckKind::tcp,      CheckKind::tls,     CheckKind::tls_hello, CheckKind::turn,
        CheckKind::udp_range}) {
    EXPECT_FALSE(waited_for(check).empty()) << to_string(check);
  }
}

TEST(Waits, AreForThoseWhoAskForAll) {
  auto report = samples::clean();
  report.longest_wait = LongestWait{Milliseconds(2'000), CheckKind::sip, false};
  RenderOptions options;
  options.width = 200;
  const auto words = "Longest wait, 2.0 s: waiting for SIP servers that did not answer";
  EXPECT_EQ(render_text(report, options).find(words), std::string::npos);
  options.verbose = true;
  EXPECT_NE(render_text(report, options).find(words), std::string::npos);
}

}  // namespace
}  // namespace callready
