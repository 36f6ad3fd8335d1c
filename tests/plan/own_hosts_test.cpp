// Which hosts of a run are the customer's.
#include "probe/plan/own_hosts.hpp"

#include "tests/plan/plan_text.hpp"

namespace callready {
namespace {

using Hosts = std::vector<std::string>;

TargetSet set_from(const std::string& origin) {
  std::string rows;
  for (const auto* host : {"${server}", "${customer}.example.com", "webex.example.com"}) {
    rows += fmt::format(
        "  - {{ id: row-{}, title: Row, check: tls, transport: [tls], ports: [443], hosts: "
        "[\"{}\"] }}\n",
        rows.size(), host);
  }
  auto set = test::load(
      "schema: callready.targets/1\nid: pbx\ntitle: PBX\n"
      "variables: [{ name: server, title: Yours }, { name: customer, title: You }]\n"
      "capabilities:\n  - { id: web, title: Web, needs: [row-0] }\nrequirements:\n" +
          rows,
      "pbx.yaml");
  set.origin = origin;
  return set;
}

Hosts own(const std::string& origin, const VariableValues& given, const Hosts& builtin = {}) {
  const std::vector sets = {set_from(origin)};
  return own_hosts(test::plan_of(sets, {.variables = given}), sets, given, builtin);
}

TEST(OwnHosts, AreThoseThatTheUserNamed) {
  EXPECT_EQ(own("built in", {}), Hosts{});
  EXPECT_EQ(own("built in", {{"server", "zorgast"}}), Hosts{"zorgast"}) << "without a dot";
  EXPECT_EQ(own("built in", {{"server", "10.1.2.3"}, {"customer", "acme"}}),
            (Hosts{"10.1.2.3", "acme.example.com"}));
  EXPECT_EQ(own("built in", {{"pbx/server", "web"}}), Hosts{"web"}) << "webex is the vendor's";
}

TEST(OwnHosts, AreAllOfAnOwnSet) {
  const VariableValues given = {{"server", "zorgast"}};
  EXPECT_EQ(own("pbx.yaml", given), (Hosts{"webex.example.com", "zorgast"}));
  EXPECT_EQ(own("pbx.yaml", given, {"pbx"}), Hosts{"zorgast"}) << "the vendor's, another edition";
}

}  // namespace
}  // namespace callready
