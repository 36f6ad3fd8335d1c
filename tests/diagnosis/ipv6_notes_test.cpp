// What a set's notes say of IPv6.
#include "probe/diagnosis/status/judge.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::ipv6_notes_test {
namespace {

using namespace test;
using Notes = std::vector<Text>;

ProbeResult at(ProbeResult result, const std::string& address) {
  result.observation.address = IpAddress::parse(address);
  return result;
}

Notes notes_of(std::vector<ProbeResult> rows, std::vector<ProbeResult> others = {}) {
  const auto site = report({row("web", std::move(rows)), controls(std::move(others))});
  return ipv6_notes(site.sets.at(0), site);
}

ProbeResult of_service(const std::string& host, const std::string& address) {
  auto result = probe(CheckKind::ipv6, Transport::tcp, host, 443, connected);
  result.probe.with["service"] = "true";
  return at(result, address);
}

TEST(Ipv6Notes, SayWhatWorksByIpv6) {
  EXPECT_EQ(notes_of({at(tls("a.vendor.com"), "192.0.2.1")},
                     {of_service("a.vendor.com", "2001:db8::1"),
                      of_service("www.other.com", "2001:db8::2")}),
            Notes{"Works over IPv6, too: a.vendor.com."});
}

TEST(Ipv6Notes, SayWhatIsTranslatedOnly) {
  const auto notes = notes_of(
      {at(tls("a.vendor.com"), "64:ff9b::c000:201"), at(tls("192.0.2.9"), "64:ff9b::c000:209")});
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0],
            "Reached over IPv6 only because this network translates (NAT64): a.vendor.com.");
  EXPECT_TRUE(holds(notes[1], "Listed as IPv4 addresses, without names: 192.0.2.9."));
}

TEST(Ipv6Notes, KnowThatAnIpv4AddressIsReachedOverIpv6ByTranslationOnly) {
  const auto notes = notes_of({at(tls("192.0.2.9"), "2001:db8:64::c000:209")});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(holds(notes[0], "Listed as IPv4 addresses, without names: 192.0.2.9."));
}

TEST(Ipv6Notes, SayNothingOfOthersAddressesOrOfWhatOnlyLeavesTheSite) {
  EXPECT_EQ(notes_of({at(proxied(tls("a.vendor.com")), "2001:db8::3"),
                      at(question("b.vendor.com", "NOERROR"), "2001:db8::53"),
                      at(range("media.vendor.com", all_ports("left_site")), "2001:db8::1")}),
            Notes{});
}

TEST(Ipv6Notes, KnowTheSitesOwnPrefix) {
  auto dns64 = of_service("www.other.com", "2001:db8:64::1");
  Evidence evidence;
  evidence.kind = EvidenceKind::nat64;
  evidence.facts[Fact::prefix] = std::string("2001:db8:64::/96");
  dns64.observation.evidence.push_back(std::move(evidence));
  EXPECT_EQ(notes_of({at(tls("a.vendor.com"), "2001:db8:64::c000:201")}, {dns64}),
            Notes{"Reached over IPv6 only because this network translates (NAT64): a.vendor.com."});
}

TEST(Ipv6Notes, SayNothingOfIpv4OrOfWhatWasNotReached) {
  auto dead = at(tls("b.vendor.com"), "2001:db8::1");
  dead.observation.outcome = silent;
  EXPECT_EQ(notes_of({at(tls("a.vendor.com"), "192.0.2.1"), dead}), Notes{});
}

}  // namespace
}  // namespace callready::ipv6_notes_test
