// A DNS filter that sends names to its block page is blamed, and not the vendor. And who is blamed
// where names cannot be looked up, or take long.
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

// What is said of names: who keeps them from being looked up, and who has to act.
namespace callready::finding_names_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult lost(std::string host) { return tls(std::move(host), unresolved, "dns_unreachable"); }

ProbeResult of_google(const char* server, double took_ms) {
  return question("www.google.com", "NOERROR", server, {{Fact::took_ms, took_ms}});
}

Report without_names(std::vector<ProbeResult> asked, std::vector<std::string> resolvers = {}) {
  auto made = report({row("web", {lost("portal.vendor.com"), lost("www.vendor.com")}),
                      row("sbc", {tcp("20.1.2.3", 443)}), follow_up(std::move(asked))});
  if (!resolvers.empty()) made.site.resolvers = std::move(resolvers);
  return made;
}

TEST(NoNames, AreTheLinesFaultIfItKeepsEveryAnswerTooLong) {
  const auto found =
      only(without_names({question("portal.vendor.com", "NOERROR"), of_google("9.9.9.9", 907)}));
  EXPECT_EQ(found.code, FindingCode::media_delay);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.title, "Answers from the Internet take 0.9 s or longer: name lookups fail");
  EXPECT_EQ(codes(without_names({of_google("9.9.9.9", 907)})), Codes{"media.delay (possible)"})
      << "nothing was heard of the resolver";
  EXPECT_EQ(codes(without_names({of_google("9.9.9.9", 40)})), Codes{"dns.unreachable (certain)"});
}

TEST(NoNames, AreThisComputersFaultIfItsOnlyServerIsItsOwn) {
  const auto found = only(without_names({}, {"127.0.0.53"}));
  EXPECT_EQ(found.code, FindingCode::dns_unreachable);
  EXPECT_EQ(found.owner, Owner::helpdesk);
  EXPECT_EQ(found.title, "This computer's own DNS service does not answer");
  EXPECT_EQ(only(without_names({}, {"127.0.0.53", "10.20.0.1"})).owner, Owner::dns);
}

TEST(NoNames, DoNotMeanThatNoServerAnswersIfOneDid) {
  const auto found = only(without_names({question("portal.vendor.com", "NOERROR")}));
  EXPECT_EQ(found.title, "The DNS servers leave most queries unanswered");
  EXPECT_EQ(found.confidence, Confidence::likely);
}

TEST(NoNames, AreForTheHelpdeskIfTheComputerAsksTheInternet) {
  const auto found = only(without_names({}, {"8.8.8.8"}));
  EXPECT_EQ(found.code, FindingCode::dns_unreachable);
  EXPECT_EQ(found.owner, Owner::helpdesk);
  EXPECT_EQ(found.title, "This computer's DNS server on the Internet does not answer");
  EXPECT_TRUE(holds(found.fix, "instead of 8.8.8.8")) << found.fix;
  EXPECT_EQ(only(without_names({}, {"8.8.8.8", lan_resolver})).owner, Owner::dns);
  auto own_network = without_names({}, {"20.7.1.1"});
  own_network.site.interfaces.front().addresses = {IpAddress::v4({20, 7, 9, 9})};
  EXPECT_EQ(only(own_network).owner, Owner::dns);
}

TEST(RefusedNames, MayBeALimitOnQueries) {
  const auto failed_name = [](const char* host) { return tls(host, unresolved, "dns_failed"); };
  const auto all = only(report(
      {row("web", {failed_name("portal.vendor.com"), failed_name("www.other.com")}),
       controls({tcp("1.1.1.1", 443)}), follow_up({question("portal.vendor.com", "REFUSED")})}));
  EXPECT_EQ(all.title, "The DNS servers refuse to look up any name");
  EXPECT_TRUE(holds(all.fix, "limit the queries")) << all.fix;
  const auto some =
      only(report({row("web", {failed_name("portal.vendor.com"), tls("www.vendor.com")}),
                   follow_up({question("portal.vendor.com", "REFUSED"),
                              question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
                   controls(anchors())}));
  EXPECT_EQ(some.code, FindingCode::dns_filtered);
  EXPECT_EQ(some.confidence, Confidence::likely);
  EXPECT_TRUE(holds(some.fix, "limit the queries")) << some.fix;
  const auto by_name =
      only(report({row("web", {failed_name("portal.vendor.com"), failed_name("www.vendor.com")}),
                   follow_up({question("portal.vendor.com", "REFUSED"),
                              question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
                   controls(anchors())}));
  EXPECT_EQ(by_name.confidence, Confidence::certain) << "all of one owner's, and no others";
}

TEST(FilteredNames, AreAllowedWithTheirAliases) {
  const auto fix = [](const char* alias) {
    auto denied =
        question("portal.vendor.com", "NXDOMAIN", {}, {{Fact::canonical_name, std::string(alias)}});
    return only(report({row("web", {tls("portal.vendor.com", unresolved, "no_such_name")}),
                        follow_up({denied, question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
                        controls(anchors())}))
        .fix;
  };
  EXPECT_TRUE(holds(fix("vendor.cdn-edge.net"), "(CNAME): vendor.cdn-edge.net."));
  EXPECT_FALSE(holds(fix(""), "CNAME"));
}

// --- slow names ---

TEST(SlowNames, AreAskedOfAServerThatIsDead) {
  auto asked = question("use-application-dns.net", "NOERROR");
  asked.observation.evidence.push_back({EvidenceKind::dns_no_answer,
                                        "10.20.0.99:53 did not answer: no answer in time",
                                        {{Fact::server, std::string("10.20.0.99:53")}}});
  auto made = report({row("web", {resolved_in(tls("portal.vendor.com"), 1'500),
                                  resolved_in(tls("www.vendor.com"), 1'501)}),
                      controls({asked})});
  made.site.resolvers = {"10.20.0.99", lan_resolver};
  const auto found = only(made);
  EXPECT_EQ(found.code, FindingCode::dns_slow);
  EXPECT_TRUE(found.fix.starts_with("Repair the DNS server 10.20.0.99")) << found.fix;
  EXPECT_TRUE(has_evidence(found, "10.20.0.99:53 did not answer"));
}

// Over a satellite, those whom the site's servers ask are as far away as all else.
TEST(SlowNames, AreTheLinesWhereASinglePacketTakesLong) {
  const auto made = [](double trip_ms) {
    auto first = resolved_in(tls("portal.vendor.com"), 1'500);
    auto second = resolved_in(tls("www.vendor.com"), 1'501);
    first.observation.round_trip = second.observation.round_trip = Milliseconds(trip_ms);
    return codes(report({row("web", {first, second})}));
  };
  EXPECT_EQ(made(40), Codes{"dns.slow (likely)"});
  EXPECT_EQ(made(400), Codes{});
}

ProbeResult by_both(const char* host, const char* six, const char* four,
                    const char* address = "146.22.0.11") {
  auto result = probe(CheckKind::ipv6, Transport::tcp, host, 443, connected, "ipv4_only");
  result.observation.evidence = {
      {EvidenceKind::family,
       fmt::format("IPv6: {}", six),
       {{Fact::version, std::string("IPv6")}, {Fact::result, std::string(six)}}},
      {EvidenceKind::family,
       fmt::format("IPv4: {}", four),
       {{Fact::version, std::string("IPv4")},
        {Fact::result, std::string(four)},
        {Fact::address, std::string(address)}}}};
  return result;
}

Report dual_stack(const char* first, const char* second) {
  auto made = report({row("web", {tls("portal.vendor.com")}),
                      controls({by_both("www.google.com", first, "connected"),
                                by_both("www.cloudflare.com", second, "connected")})});
  made.site.interfaces.front().addresses.push_back(*IpAddress::parse("2a01:cb00:20::23"));
  return made;
}

TEST(SlowNames, HaveNoAnswerForIpv6) {
  const auto made = dual_stack("dns_unreachable", "dns_unreachable");
  EXPECT_EQ(codes(made), Codes{"dns.slow (likely)"});
  EXPECT_TRUE(holds(only(made).title, "(AAAA)"));
  EXPECT_EQ(codes(dual_stack("dns_unreachable", "no_address")), Codes{});
  auto without = made;
  without.site.interfaces.front().addresses.pop_back();
  EXPECT_EQ(codes(without), Codes{}) << "this computer has no IPv6";
}

// --- IPv6 alone ---

Report ipv6_only(const char* answer) {
  const auto stuck = [](const char* host) {
    return at(tls(host, skipped, "no_route"), "146.48.0.11");
  };
  auto made = report({row("web", {stuck("portal.vendor.com"), stuck("www.other.com")}),
                      row("media", {tls("20.1.2.3", skipped, "no_route")}),
                      controls({by_both("www.google.com", answer, "no_route"),
                                by_both("www.cloudflare.com", answer, "no_route"),
                                question("a.com", "NOERROR")})});
  for (auto& result : made.probes) {
    if (result.probe.check == CheckKind::ipv6) result.observation.outcome = unresolved;
  }
  made.site.interfaces.front().addresses = {*IpAddress::parse("2a01:cb00:20::23")};
  return made;
}

TEST(Ipv6Only, NeedsDnsThatTranslates) {
  const auto found = diagnose(ipv6_only("no_address"));
  ASSERT_EQ(codes(found), Codes{"dns.unreachable (certain)"});
  EXPECT_TRUE(holds(found.front().fix, "DNS64")) << found.front().fix;
  EXPECT_EQ(codes(ipv6_only("dns_unreachable")), Codes{"dns.slow (likely)"});
  auto dual = ipv6_only("no_address");
  dual.site.interfaces.front().addresses.push_back(IpAddress::v4({10, 20, 0, 23}));
  EXPECT_EQ(codes(dual), Codes{});
}

}  // namespace
}  // namespace callready::finding_names_test
