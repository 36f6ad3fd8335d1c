// Which fallbacks are tried after all.
#include "probe/diagnosis/questions/fallbacks.hpp"

#include "tests/diagnosis/site_report.hpp"

namespace callready {
namespace {

using namespace test;
using Ids = std::vector<std::string>;

// Media first, otherwise TCP, which was not tried because the media's packets left.
Report with_a_fallback(ProbeResult public_server) {
  auto fallback = tcp_hop("media.vendor.com", 443, "silent");
  fallback.observation.outcome = skipped;
  fallback.observation.detail = DetailCode::not_needed;
  auto made = report({row("udp", {udp_hop("media.vendor.com", 5004, "left_site")}),
                      row("tcp", {fallback}), controls({tls("www.google.com"), public_server})});
  auto& set = made.sets.front();
  set.requirements[1].status = Status::skip;
  Need need;
  need.alternatives = {{"udp"}, {"tcp"}};
  set.capabilities.front().needs = {need};
  return made;
}

TEST(NeededAfterAll, IsAFallbackWhereNobodyAnswersOverUdp) {
  const auto silence = stun("stun.l.google.com", 19302, silent);
  EXPECT_EQ(needed_after_all(with_a_fallback(silence)), Ids{"hop/tcp/media.vendor.com:443"});
  EXPECT_EQ(needed_after_all(with_a_fallback(stun("stun.l.google.com", 19302))), Ids{});
  EXPECT_EQ(needed_after_all(with_a_fallback(tls("www.cloudflare.com"))), Ids{})
      << "nobody was asked who should answer";
}

TEST(NeededAfterAll, IsAFallbackOfARowThatDoesNotWork) {
  auto made = with_a_fallback(stun("stun.l.google.com", 19302));
  for (const auto status : {Status::fail, Status::unknown}) {
    made.sets.front().requirements.front().status = status;
    EXPECT_EQ(needed_after_all(made), Ids{"hop/tcp/media.vendor.com:443"});
  }
  auto other = made;
  other.probes[1].observation.detail = DetailCode::no_room;
  EXPECT_EQ(needed_after_all(other), Ids{}) << "left out for another reason";
  other = made;
  other.probes[1].probe.check = CheckKind::sip;
  EXPECT_EQ(needed_after_all(other), Ids{}) << "another port of a server that answers";
  made.probes[0].observation.outcome = skipped;
  made.probes[0].observation.detail = {};
  EXPECT_EQ(needed_after_all(made), Ids{}) << "not ended yet";
}

}  // namespace
}  // namespace callready
