// A DNS filter that sends names to its block page is blamed, and not the vendor.
#include "probe/diagnosis/contents/names.hpp"
#include "probe/diagnosis/questions/follow_up.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;

constexpr auto umbrella = "146.112.61.106";
constexpr auto nobodys = "45.79.99.9";

ProbeResult reset_at(std::string host, std::string_view address) {
  return at(tls(std::move(host), refused, "connection_refused"), address);
}

ProbeResult elsewhere(std::string name, std::string address) {
  return question(std::move(name), "NOERROR", "9.9.9.9",
                  {{Fact::records, std::move(address)}, {Fact::count, std::int64_t{1}}});
}

std::vector<std::string> seen_at(std::string_view address, std::vector<ProbeResult> asked,
                                 std::vector<std::string> hosts = {"portal.vendor.com",
                                                                   "turn.vendor.com"}) {
  std::vector<ProbeResult> web;
  for (auto& host : hosts) web.push_back(reset_at(std::move(host), address));
  return codes(report({row("web", web), follow_up(std::move(asked)), controls(anchors())}));
}

using Codes = std::vector<std::string>;

TEST(BlockPage, IsKnownByItsAddress) {
  const auto one = reset_at("portal.vendor.com", umbrella);
  const auto finding = only(report({row("web", {one}), controls(anchors())}));
  EXPECT_EQ(finding.code, FindingCode::dns_block_page);
  EXPECT_EQ(finding.confidence, Confidence::likely);
  EXPECT_EQ(finding.owner, Owner::dns);
  EXPECT_EQ(finding.title,
            "This site's DNS sends portal.vendor.com to Cisco Umbrella's block page");
  EXPECT_TRUE(finding.fix.starts_with("Allow this name in this site's DNS filter")) << finding.fix;
  EXPECT_EQ(seen_at(umbrella, {elsewhere("portal.vendor.com", "20.9.1.1")}),
            Codes{"dns.block_page (certain)"});
}

TEST(BlockPage, IsToldByNamesThatShareNoAddressElsewhere) {
  EXPECT_EQ(seen_at(nobodys, {elsewhere("portal.vendor.com", "20.9.1.1"),
                              elsewhere("turn.vendor.com", "20.9.2.1")}),
            Codes{"dns.block_page (likely)"});
  EXPECT_EQ(
      seen_at(nobodys,
              {elsewhere("portal.vendor.com", "20.9.1.1"), elsewhere("sip.other.com", "20.8.2.1")},
              {"portal.vendor.com", "sip.other.com"}),
      Codes{"dns.block_page (certain)"});
}

TEST(BlockPage, IsNotClaimedOfAnAddressThatNobodyKnows) {
  const auto found = only(report(
      {row("web", {reset_at("portal.vendor.com", nobodys), reset_at("sip.other.com", nobodys)}),
       follow_up(
           {elsewhere("portal.vendor.com", "20.9.1.1"), elsewhere("sip.other.com", "20.8.2.1")}),
       controls(anchors())}));
  EXPECT_EQ(found.title, "This site's DNS sends 2 names to one wrong address");
  EXPECT_TRUE(holds(found.fix, "If it is an old record of your own, remove it.")) << found.fix;
}

TEST(BlockPage, IsNoneWhereTheNamesMayJustShareAnAddress) {
  const auto blames = [](const Codes& found) {
    return std::any_of(found.begin(), found.end(),
                       [](const auto& code) { return code.starts_with("dns.block_page"); });
  };
  EXPECT_FALSE(blames(seen_at(nobodys, {}))) << "nobody else was asked";
  EXPECT_FALSE(blames(seen_at(nobodys, {elsewhere("portal.vendor.com", nobodys),
                                        elsewhere("turn.vendor.com", "20.9.2.1")})))
      << "it is right for one of them";
  EXPECT_FALSE(blames(seen_at(nobodys, {elsewhere("portal.vendor.com", "20.9.1.1"),
                                        elsewhere("turn.vendor.com", "20.9.1.1")})))
      << "they share another one elsewhere: a content network's";
  EXPECT_FALSE(
      blames(seen_at(nobodys, {elsewhere("portal.vendor.com", "20.9.1.1")}, {"portal.vendor.com"})))
      << "names have other addresses elsewhere now and then";
  const auto site = report(
      {row("web", {at(tls("portal.vendor.com"), nobodys), reset_at("turn.vendor.com", nobodys)}),
       follow_up(
           {elsewhere("portal.vendor.com", "20.9.1.1"), elsewhere("turn.vendor.com", "20.9.2.1")}),
       controls(anchors())});
  EXPECT_FALSE(blames(codes(site))) << "a server answers there in one of the names";
}

TEST(BlockPage, MakesRowsFailThatItsPageAnswers) {
  auto page = at(probe(CheckKind::http, Transport::tcp, "portal.vendor.com", 80, answered, "403"),
                 umbrella);
  auto opened = with_root(at(tls("turn.vendor.com"), umbrella), false);
  const auto site = report({row("page", {page}), row("tls", {opened}), controls(anchors())});
  const auto found = diagnose(site);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::dns_block_page);
}

TEST(BlockPage, NamesAtOneAddressAreAskedForElsewhere) {
  auto quad9 = question("www.google.com", "NOERROR", "9.9.9.9");
  const auto asked = [&](std::vector<ProbeResult> web) {
    std::vector<std::string> list;
    for (const auto& probe : follow_ups(
             report({row("web", std::move(web)), controls({tls("www.google.com"), quad9})}))) {
      if (probe.id.starts_with("dns/udp/9.9.9.9")) list.push_back(probe.with.at("name"));
    }
    return list;
  };
  EXPECT_EQ(asked({reset_at("a.vendor.com", nobodys), reset_at("b.vendor.com", nobodys)}),
            (std::vector<std::string>{"a.vendor.com", "b.vendor.com"}));
  EXPECT_EQ(asked({reset_at("a.vendor.com", umbrella)}), std::vector<std::string>{"a.vendor.com"});
  EXPECT_TRUE(asked({reset_at("a.vendor.com", nobodys)}).empty());
  EXPECT_TRUE(asked({at(tls("a.vendor.com"), nobodys), reset_at("b.vendor.com", nobodys)}).empty());
}

TEST(BlockPage, AddressesAreThoseOfTheMakersDocuments) {
  const auto whose = [](const char* text) {
    return findings::block_page_of(*IpAddress::parse(text));
  };
  EXPECT_EQ(whose("146.112.61.104"), "Cisco Umbrella");
  EXPECT_EQ(whose("::ffff:146.112.61.104"), "Cisco Umbrella") << "an AAAA record of it";
  EXPECT_EQ(whose("146.112.61.109"), "") << "not in the list";
  EXPECT_EQ(whose("208.91.112.55"), "Fortinet FortiGuard");
  EXPECT_EQ(whose("2001:cdba::3257:9652"), "Fortinet FortiGuard");
}

}  // namespace
}  // namespace callready
