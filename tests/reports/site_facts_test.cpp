#include "reports/words/site_facts.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

std::string fact(const Site& site, std::string_view name) {
  for (const auto& one : site_facts(site)) {
    if (one.name == name) return one.text;
  }
  return "(none)";
}

TEST(SiteFacts, LeaveOutWhatWasNotMeasured) {
  const auto facts = site_facts({});
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].name, "Proxy");
  EXPECT_EQ(facts[0].text, "none");
}

TEST(SiteFacts, AreInWords) {
  Site site;
  site.interfaces = {{"eth0", {*IpAddress::parse("10.20.0.15")}, true}};
  site.interfaces.push_back({"tun0", {*IpAddress::parse("10.8.0.2")}, true});
  site.interfaces.back().tunnel = true;
  site.nat_mapping = "address_and_port_dependent";
  EXPECT_EQ(fact(site, "Interface"), "eth0: 10.20.0.15 (to the Internet)");
  EXPECT_EQ(site_facts(site).at(1).text, "tun0: 10.8.0.2 (a tunnel)");
  EXPECT_EQ(fact(site, "NAT mapping"), "address and port dependent");
}

struct Lifetime {
  const char *seconds, *words;
};

TEST(SiteFacts, HowLongABindingLives) {
  for (const auto& [seconds, words] : {
           Lifetime{"20-30", "gone after 20-30 s idle"},
           Lifetime{">180", "still there after 180 s idle"},
           Lifetime{"<10", "gone before 10 s idle"},
           Lifetime{"not_measured", "not measured: it needs a TURN login or `callready serve`"},
           Lifetime{"", "(none)"},
       }) {
    Site site;
    site.nat_binding_lifetime = seconds;
    EXPECT_EQ(fact(site, "UDP bindings"), words);
  }
}

}  // namespace
}  // namespace callready
