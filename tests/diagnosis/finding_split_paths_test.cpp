// The addresses that servers see of this site over UDP and TCP, and what is said if they differ.
#include "probe/diagnosis/questions/follow_up.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;

ProbeResult seen_as(ProbeResult result, const std::string& address) {
  return with(result, {EvidenceKind::mapped_address,
                       "the server sees us as " + address + ":40000",
                       {{Fact::address, address}, {Fact::port, std::int64_t{40'000}}}});
}

ProbeResult again(ProbeResult result, const char* time) {
  result.probe.check = CheckKind::stun;
  result.probe.with = {{"again", time}};
  result.probe.purpose = Purpose::repeat;
  result.observation.detail = DetailCode::success;
  return result;
}

const std::string udp_one = "84.199.10.2", tcp_one = "84.199.10.9", another = "84.199.10.3";

// One relay's answers to both transports; the public servers are seen as `others`.
Report site(const std::vector<std::string>& by_udp, const std::vector<std::string>& by_tcp,
            const std::string& others = udp_one) {
  std::vector<ProbeResult> more;
  const char* times[] = {"", "2", "3", "4"};
  for (std::size_t i = 0; i < by_udp.size(); ++i) {
    more.push_back(seen_as(again(turn("turn.vendor.com"), times[i + 1]), by_udp[i]));
  }
  for (std::size_t i = 1; i < by_tcp.size(); ++i) {
    more.push_back(seen_as(again(turn_tcp("turn.vendor.com"), times[i]), by_tcp[i]));
  }
  auto first = turn_tcp("turn.vendor.com");
  if (!by_tcp.empty()) first = seen_as(first, by_tcp[0]);
  auto result =
      report({row("udp", {turn("turn.vendor.com")}), row("tcp", {first}),
              controls({tls("www.google.com"), tls("www.cloudflare.com"),
                        seen_as(stun("stun.cloudflare.com"), others),
                        seen_as(stun("stun.l.google.com", 19302), others), ntp("pool.ntp.org")}),
              follow_up(more)});
  for (auto& probe : result.probes) {
    if (probe.probe.with.contains("again")) probe.probe.id = probe_id(probe.probe);
  }
  return result;
}

std::vector<std::string> asked(const Report& report) {
  std::vector<std::string> ids;
  for (const auto& probe : follow_ups(report)) ids.push_back(probe.id);
  return ids;
}

TEST(SplitPaths, AreANoteOnceOneServerHasSaidItOverBoth) {
  const auto finding = only(site({udp_one, udp_one}, {tcp_one, tcp_one, tcp_one}));
  EXPECT_EQ(finding.code, FindingCode::network_split_paths);
  EXPECT_EQ(finding.confidence, Confidence::likely);
  EXPECT_EQ(finding.owner, Owner::lan);
  EXPECT_TRUE(finding.affects.empty()) << "it breaks nothing by itself";
  EXPECT_TRUE(has_evidence(finding, "turn.vendor.com sees this site as 84.199.10.9 over TCP"));
  EXPECT_TRUE(has_evidence(finding, "turn.vendor.com sees this site as 84.199.10.2 over UDP"));
  EXPECT_TRUE(has_evidence(finding, "over UDP (asked 2 times); so do all others asked."));
  EXPECT_TRUE(has_evidence(finding, "over TCP (asked 3 times).")) << "no other was asked";
}

TEST(SplitPaths, AreNoneWhereOneAddressIsSeenOrTooFewHaveSaidIt) {
  const auto none = std::vector<std::string>{};
  EXPECT_EQ(codes(site({udp_one, udp_one}, {udp_one, udp_one, udp_one})), none);
  EXPECT_EQ(codes(site({}, {tcp_one})), none) << "to be asked again first";
  EXPECT_EQ(codes(site({udp_one, udp_one}, {tcp_one})), none);
  EXPECT_EQ(codes(site({}, {tcp_one, tcp_one, tcp_one})), none) << "two servers, perhaps two lines";
}

TEST(SplitPaths, AreNoneWhereOneProtocolIsSeenAsSeveral) {
  const auto none = std::vector<std::string>{};
  EXPECT_EQ(codes(site({udp_one, another}, {tcp_one, tcp_one, tcp_one})), none);
  EXPECT_EQ(codes(site({udp_one, udp_one}, {tcp_one, another, tcp_one})), none);
  EXPECT_EQ(codes(site({udp_one, udp_one}, {tcp_one, tcp_one, tcp_one}, another)), none);
}

TEST(SplitPaths, AreNoneBetweenFamilies) {
  const std::string six = "2a01:cb00:20::23";
  EXPECT_EQ(codes(site({udp_one, udp_one}, {six, six, six})), std::vector<std::string>{});
}

TEST(SplitPaths, OnlyADifferenceIsAskedAbout) {
  EXPECT_EQ(asked(site({}, {udp_one})), std::vector<std::string>{});
  EXPECT_EQ(asked(site({}, {})), std::vector<std::string>{});
  EXPECT_EQ(asked(site({}, {tcp_one})),
            (std::vector<std::string>{
                "stun/udp/turn.vendor.com:3478?again=2", "stun/tcp/turn.vendor.com:80?again=2",
                "stun/udp/turn.vendor.com:3478?again=3", "stun/tcp/turn.vendor.com:80?again=3"}));
  EXPECT_EQ(asked(site({udp_one, udp_one}, {tcp_one, tcp_one, tcp_one})),
            std::vector<std::string>{})
      << "once";
}

}  // namespace
}  // namespace callready
