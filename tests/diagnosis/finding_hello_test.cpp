// TLS greetings as long as a browser's that are cut off.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult hello(const std::string& host, Outcome outcome, DetailCode detail) {
  auto result = probe(CheckKind::tls_hello, Transport::tls, host, 443, outcome);
  result.observation.detail = detail;
  result.probe.purpose = Purpose::control;
  return result;
}
ProbeResult cut(const std::string& host, DetailCode how = DetailCode::long_hello_cut) {
  return with(hello(host, failed, how), {EvidenceKind::hello,
                                         "a long greeting in small packets does not",
                                         {{Fact::payload, std::string("long_in_segments")}}});
}
ProbeResult through(const std::string& host) {
  return hello(host, answered, DetailCode::connected);
}

Report with_hellos(std::vector<ProbeResult> hellos) {
  std::vector<ProbeResult> all{tls("www.google.com"), tls("www.cloudflare.com")};
  all.insert(all.end(), hellos.begin(), hellos.end());
  return report({row("web", {tls("web.vendor.com")}), controls(std::move(all))});
}

TEST(CutHello, IsLikelyByTwoOperators) {
  const auto found = only(with_hellos({cut("web.vendor.com"), cut("www.google.com")}));
  EXPECT_EQ(found.code, FindingCode::tls_long_hello_cut);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.owner, Owner::security);
  ASSERT_EQ(found.affects.size(), 1u);
  EXPECT_TRUE(has_evidence(found, "one as long as a browser's was cut off twice"));
  EXPECT_TRUE(found.rules.empty()) << "no port is closed";
}

TEST(CutHello, IsPossibleByOne) {
  const auto site = with_hellos({cut("web.vendor.com"), through("www.google.com")});
  EXPECT_EQ(codes(site), Codes{"tls.long_hello_cut (possible)"});
  EXPECT_TRUE(has_evidence(only(site), "A long TLS greeting is answered by www.google.com"));
  EXPECT_EQ(codes(with_hellos({cut("web.vendor.com")})), Codes{"tls.long_hello_cut (possible)"});
  // Both may be the vendor's.
  const auto two = {cut("web.vendor.com"), cut("web.vendor.net"), through("www.google.com")};
  EXPECT_EQ(codes(with_hellos(two)), Codes{"tls.long_hello_cut (possible)"});
}

TEST(CutHello, IsPossibleWhereTheSizeOfPacketsCannotBeChosen) {
  const auto how = DetailCode::long_hello_cut;
  const auto site =
      with_hellos({hello("web.vendor.com", failed, how), hello("www.google.com", failed, how)});
  EXPECT_EQ(codes(site), Codes{"tls.long_hello_cut (possible)"});
  EXPECT_TRUE(has_evidence(only(site), "the path MTU may be the cause"));
}

TEST(CutHello, SaysWhereItIsThePacketsThatCount) {
  const auto how = DetailCode::split_hello_cut;
  const auto found = only(with_hellos({cut("web.vendor.com", how), cut("www.google.com", how)}));
  EXPECT_TRUE(has_evidence(found, "one in more than one packet was cut off"));
}

TEST(CutHello, IsNoneWhereNothingWasCompared) {
  const auto none = [](const char* host) {
    return hello(host, skipped, DetailCode::hello_not_compared);
  };
  EXPECT_EQ(codes(with_hellos({none("web.vendor.com"), none("www.google.com")})), Codes{});
  EXPECT_EQ(codes(with_hellos({through("web.vendor.com"), through("www.google.com")})), Codes{});
}

}  // namespace
}  // namespace callready
