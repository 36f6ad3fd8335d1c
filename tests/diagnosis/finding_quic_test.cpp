// QUIC that is refused, or cut off by its greeting; and what its answers prove of UDP.
#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/status/judge.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_quic_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult quic(const std::string& host, Outcome outcome, DetailCode detail) {
  auto result = probe(CheckKind::quic, Transport::udp, host, 443, outcome);
  result.observation.detail = detail;
  result.probe.purpose = Purpose::control;
  if (outcome != answered) return result;
  result.observation.evidence.push_back({EvidenceKind::quic,
                                         "the server names 1 versions of QUIC",
                                         {{Fact::payload, std::string("version_negotiation")},
                                          {Fact::result, std::string("replied")},
                                          {Fact::port, std::int64_t{443}}}});
  return result;
}
ProbeResult through(const std::string& host) {
  return quic(host, answered, DetailCode::quic_spoken);
}
ProbeResult cut(const std::string& host) {
  return quic(host, answered, DetailCode::initial_silent);
}
ProbeResult silent_quic(const std::string& host) {
  return quic(host, silent, DetailCode::timed_out);
}
ProbeResult refused_by(ProbeResult result, const std::string& device) {
  result.observation.outcome = rejected;
  result.observation.detail = DetailCode::prohibited;
  result.observation.evidence.push_back({EvidenceKind::icmp_error,
                                         "prohibited",
                                         {{Fact::sender, device}, {Fact::type, std::int64_t{3}}}});
  return result;
}

Report with(std::vector<ProbeResult> more) {
  auto all = anchors();
  all.insert(all.end(), more.begin(), more.end());
  return report({row("web", {tls("web.vendor.com")}), controls(std::move(all))});
}

const std::string firewall = "10.20.0.1";

TEST(RefusedQuic, IsLikelyByTwoOperators) {
  const auto found = only(with({refused_by(silent_quic("www.google.com"), firewall),
                                refused_by(silent_quic("www.cloudflare.com"), firewall)}));
  EXPECT_EQ(found.code, FindingCode::firewall_quic_rejected);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.owner, Owner::network);
  EXPECT_TRUE(found.rules.empty()) << "no row needs it";
  EXPECT_TRUE(has_evidence(found, "some wait up to 30 s"));
  EXPECT_TRUE(has_evidence(found, firewall));
}

TEST(RefusedQuic, NamesTheProbeThatWasAnswered) {
  auto again = stun("a.anchor.net");
  again.probe.with["again"] = "true";
  const auto made = with({stun("a.anchor.net", 3478, silent), again,
                          refused_by(silent_quic("www.google.com"), firewall),
                          refused_by(silent_quic("www.cloudflare.com"), firewall)});
  for (const auto& finding : diagnose(made)) {
    for (const auto& one : finding.evidence) {
      if (!holds(one.text, "Other UDP works: ")) continue;
      EXPECT_EQ(findings::Facts(made).find(one.probe)->observation.outcome, answered) << one.text;
    }
  }
}

// A refusal in a server's name does not say which device sent it.
TEST(RefusedQuic, NamesTheDeviceAlsoBesideARefusalInAnothersName) {
  auto forged = silent_quic("www.google.com");
  forged.observation.outcome = rejected;
  forged.observation.detail = DetailCode::prohibited;
  forged.observation.evidence.push_back(
      {EvidenceKind::refuser, "refused on the way", {{Fact::who, std::string("on_the_way")}}});
  const auto found = only(with({refused_by(silent_quic("www.cloudflare.com"), firewall), forged}));
  EXPECT_EQ(found.code, FindingCode::firewall_quic_rejected);
  EXPECT_TRUE(holds(found.fix, "The device that rejects the traffic is " + firewall)) << found.fix;
}

TEST(RefusedQuic, IsPossibleByOne) {
  const auto site =
      with({refused_by(silent_quic("www.google.com"), firewall), through("www.cloudflare.com")});
  EXPECT_EQ(codes(site), Codes{"firewall.quic_rejected (possible)"});
}

// A list that public servers are not on. Which packets a router refuses and which it just drops is
// chance: routers limit how often they refuse.
TEST(RefusedQuic, IsNoCauseWhereNoUdpGetsToStrangers) {
  const auto silent_stun = stun("stun.cloudflare.com", 3478, silent);
  for (const auto& stranger : {silent_stun, refused_by(silent_stun, firewall)}) {
    const auto site = report({row("relays", {stun("turn.vendor.com")}),
                              controls({tls("www.google.com"), tls("www.cloudflare.com"), stranger,
                                        refused_by(silent_quic("www.google.com"), firewall)})});
    EXPECT_EQ(codes(site), Codes{});
  }
}

TEST(RefusedQuic, IsNoneWhereNobodySpeaksIt) {
  EXPECT_EQ(codes(with({silent_quic("www.google.com"), silent_quic("www.cloudflare.com")})),
            Codes{});
  EXPECT_EQ(codes(with({quic("www.google.com", refused, DetailCode::connection_refused),
                        quic("www.cloudflare.com", refused, DetailCode::connection_refused)})),
            Codes{});
  EXPECT_EQ(codes(with({through("www.google.com"), through("www.cloudflare.com")})), Codes{});
}

TEST(FilteredQuic, IsLikelyByTwoOperators) {
  const auto found = only(with({cut("www.google.com"), cut("www.cloudflare.com")}));
  EXPECT_EQ(found.code, FindingCode::firewall_quic_filtered);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.owner, Owner::security);
  EXPECT_TRUE(has_evidence(found, "a greeting with its name gets no answer"));
}

TEST(FilteredQuic, IsPossibleByOneName) {
  const auto site = with({cut("web.vendor.com"), through("www.cloudflare.com")});
  EXPECT_EQ(codes(site), Codes{"firewall.quic_filtered (possible)"});
  EXPECT_TRUE(has_evidence(only(site), "Such a greeting is answered by www.cloudflare.com"));
}

// --- Rows of UDP 443 ---

Requirement udp_443(const char* host) {
  Requirement row;
  row.id = row.title = "web-udp";
  row.check = CheckKind::udp_range;
  row.transports = {Transport::udp};
  row.ports = {{443, 443}};
  row.listening = false;
  row.hosts.push_back({host});
  return row;
}

ProbeResult silent_range(const char* host) {
  auto result = probe(CheckKind::udp_range, Transport::udp, host, 443, silent);
  result.observation.detail = DetailCode::timed_out;
  return result;
}

RequirementResult judged(ProbeResult range, const std::vector<ProbeResult>& others) {
  const auto row = udp_443("web.vendor.com");
  PlannedRequirement planned;
  planned.set = "set";
  planned.requirement = row.id;
  range.probe.id = probe_id(range.probe);
  planned.probes = {range.probe.id};
  std::vector<ProbeResult> all{range};
  for (auto other : others) {
    other.probe.id = probe_id(other.probe);
    all.push_back(other);
  }
  const ResultIndex index(all);
  return judge_requirement(row, planned, index, {});
}

TEST(RowOfUdp443, IsReachedWhereQuicIsAnswered) {
  const auto range = silent_range("web.vendor.com");
  EXPECT_EQ(judged(range, {}).status, Status::unknown);
  const auto row = judged(range, {through("web.vendor.com")});
  EXPECT_EQ(row.status, Status::pass);
  EXPECT_EQ(row.summary, "reached");
  EXPECT_EQ(row.reached, 1);
  EXPECT_EQ(judged(range, {cut("web.vendor.com")}).status, Status::pass) << "the port is open";
}

TEST(RowOfUdp443, IsNotKnownWhereQuicIsSilent) {
  const auto range = silent_range("web.vendor.com");
  EXPECT_EQ(judged(range, {silent_quic("web.vendor.com")}).status, Status::unknown);
  EXPECT_EQ(judged(range, {refused_by(silent_quic("web.vendor.com"), firewall)}).status,
            Status::unknown);
}

TEST(RowOfUdp443, PassesByAnothersAnswer) {
  const auto range = silent_range("web.vendor.com");
  const auto row = judged(range, {through("www.google.com")});
  EXPECT_EQ(row.status, Status::pass);
  EXPECT_NE(row.summary.find("seen with UDP 443 to www.google.com"), row.summary.npos);
}

TEST(SilentQuic, MakesNoHostDoubtful) {
  const std::vector<ProbeResult> all{silent_quic("www.google.com")};
  EXPECT_FALSE(ResultIndex(all).notes_on("www.google.com").troubled);
}

}  // namespace
}  // namespace callready::finding_quic_test
