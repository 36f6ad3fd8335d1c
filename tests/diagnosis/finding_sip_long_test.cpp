// SIP messages that are too long for one packet.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_sip_long_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

Evidence size(int bytes, const char* transport, bool is_answered, bool back = false) {
  Evidence evidence;
  evidence.kind = EvidenceKind::sip_size;
  evidence.text = fmt::format("{} bytes over {}", bytes, transport);
  evidence.facts = {{Fact::bytes, static_cast<std::int64_t>(bytes)},
                    {Fact::transport, std::string(transport)},
                    {Fact::answered, is_answered}};
  if (back) evidence.facts[Fact::back] = true;
  return evidence;
}

ProbeResult lost(std::vector<Evidence> sizes, bool mirror = false) {
  auto result = probe(CheckKind::sip_long, Transport::udp, "sip.vendor.com", 5060, failed);
  result.observation.detail = DetailCode::long_sip_lost;
  result.observation.evidence = std::move(sizes);
  result.probe.purpose = Purpose::control;
  if (mirror) result.probe.with["mirror"] = "true";
  return result;
}

Report with(std::vector<ProbeResult> more) {
  auto short_one = probe(CheckKind::sip, Transport::udp, "sip.vendor.com", 5060, answered);
  return report({row("sip", {short_one}), controls(std::move(more))});
}

const std::vector<Evidence> by_tcp{size(2'600, "udp", false), size(1'200, "udp", true),
                                   size(2'600, "tcp", true)};

TEST(LongSip, IsLikelyLostWhereTheServerAnswersItOverTcp) {
  const auto found = only(with({lost(by_tcp)}));
  EXPECT_EQ(found.code, FindingCode::sip_fragments_lost);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.owner, Owner::network);
  ASSERT_EQ(found.affects.size(), 1u);
  EXPECT_TRUE(has_evidence(found, "sip.vendor.com: 2600 bytes over tcp."));
  EXPECT_TRUE(found.rules.empty()) << "no port is closed";
}

TEST(LongSip, IsPossiblyLostWhereTheServerMayIgnoreIt) {
  const auto site = with({lost({size(2'600, "udp", false), size(1'200, "udp", true)})});
  EXPECT_EQ(codes(site), Codes{"sip.fragments_lost (possible)"});
  EXPECT_TRUE(has_evidence(only(site), "It is not known whether the server answers such long"));
}

TEST(LongSip, IsCertainlyLostByOurOwnFarEndWhichTellsTheWay) {
  const auto out = only(with({lost({size(2'600, "udp", false), size(1'200, "udp", true)}, true)}));
  EXPECT_EQ(out.confidence, Confidence::certain);
  EXPECT_TRUE(has_evidence(out, "lost on the way out"));
  const auto back = only(with(
      {lost({size(2'600, "udp", true), size(2'600, "udp", false, true), size(1'200, "udp", true)},
            true)}));
  EXPECT_EQ(back.confidence, Confidence::certain);
  EXPECT_TRUE(has_evidence(back, "lost on the way back"));
}

TEST(LongSip, IsTheMtusWhereFullSizePacketsVanish) {
  auto hole = probe(CheckKind::path, Transport::udp, "stun.other.com", 3478, failed);
  hole.observation.detail = DetailCode::black_hole;
  for (const auto& code : codes(with({lost(by_tcp), hole}))) {
    EXPECT_EQ(code.find("sip.fragments_lost"), code.npos) << code;
  }
}

TEST(LongSip, IsNothingWhereNothingWasCompared) {
  auto other = lost(by_tcp);
  other.observation.outcome = skipped;
  other.observation.detail = DetailCode::sizes_not_compared;
  EXPECT_EQ(codes(with({other})), Codes{});
}

}  // namespace
}  // namespace callready::finding_sip_long_test
