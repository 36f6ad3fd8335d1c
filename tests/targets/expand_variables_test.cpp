#include "targets/expand_variables.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using Names = std::vector<std::string>;

TEST(ExpandVariables, FillsInText) {
  const VariableValues values = {{"a", "1"}, {"b", "two"}};
  EXPECT_EQ(expand_variables("no variable", values).text, "no variable");
  EXPECT_EQ(expand_variables("${a}-${b}.${a}", values).text, "1-two.1");
  EXPECT_EQ(expand_variables("$a {b} $", values).text, "$a {b} $");
  const auto partly = expand_variables("${a}.${c}.${c}.${d", values);
  EXPECT_EQ(partly.text, "1.${c}.${c}.${d");
  EXPECT_EQ(partly.missing, Names{"c"});
}

TEST(ExpandVariables, DoesNotExpandWhatAValueHolds) {
  EXPECT_EQ(expand_variables("${a}", {{"a", "${a}${b}"}, {"b", "x"}}).text, "${a}${b}");
}

TEST(ExpandVariables, TakesTheUsersValueBeforeTheDefault) {
  TargetSet set;
  set.variables = {
      {"server", "", std::nullopt, ""}, {"port", "", "5060", ""}, {"user", "", "x", ""}};
  const auto values = variable_values(set, {{"port", "5070"}, {"foreign", "1"}});
  EXPECT_EQ(values, (VariableValues{{"port", "5070"}, {"user", "x"}}));
}

TEST(ExpandVariables, TakesTheValueForOneSetBeforeThatForAll) {
  TargetSet set;
  set.id = "pbx";
  set.variables = {{"server", "", "default.example.com", ""}, {"port", "", "5060", ""}};
  const VariableValues given = {
      {"pbx/server", "mine.example.com"}, {"server", "all.example.com"}, {"other/port", "1"}};
  EXPECT_EQ(given_values(set, given), (VariableValues{{"server", "mine.example.com"}}));
  EXPECT_EQ(variable_values(set, given),
            (VariableValues{{"server", "mine.example.com"}, {"port", "5060"}}));
  set.id = "other";
  EXPECT_EQ(given_values(set, given),
            (VariableValues{{"server", "all.example.com"}, {"port", "1"}}));
}

Requirement variable_row() {
  Requirement row;
  row.variable_transports = {"${transport}"};
  row.transports = {Transport::tls};
  row.ports = {{5061, 5061}};
  row.variable_ports = {"${port}", "${first}-${last}"};
  row.hosts = {{"sip.example.com", "", {}, ""}, {"${server}", "eu", Lifecycle::deprecated, "n"}};
  row.reverse_dns = {{"ptr.${domain}", "", {}, ""}};
  row.wildcards = {{"*.example.com", {{"a.${domain}", "", {}, ""}}}};
  row.variable_addresses = {{"${media}", "us", Lifecycle::current, "m"}};
  row.with = {{"domain", "${domain}"}, {"path", "/"}};
  return row;
}

const VariableValues all_values = {
    {"transport", "tcp"},  {"port", "5070"},          {"first", "10000"},       {"last", "20000"},
    {"server", "pbx.lan"}, {"domain", "example.com"}, {"media", "192.0.2.0/24"}};

TEST(ExpandVariables, FillsInARequirement) {
  const auto expanded = expand_variables(variable_row(), all_values);
  EXPECT_TRUE(expanded.missing.empty());
  EXPECT_TRUE(expanded.problems.empty());
  const auto& row = expanded.requirement;
  EXPECT_EQ(row.transports, (std::vector<Transport>{Transport::tls, Transport::tcp}));
  EXPECT_EQ(row.ports, (std::vector<PortRange>{{5061, 5061}, {5070, 5070}, {10000, 20000}}));
  ASSERT_EQ(row.hosts.size(), 2u);
  EXPECT_EQ(row.hosts[1].name, "pbx.lan");
  EXPECT_EQ(row.hosts[1].region, "eu");
  EXPECT_EQ(row.reverse_dns[0].name, "ptr.example.com");
  EXPECT_EQ(row.wildcards[0].examples[0].name, "a.example.com");
  ASSERT_EQ(row.addresses.size(), 1u);
  EXPECT_EQ(row.addresses[0].to_string(), "192.0.2.0/24");
  EXPECT_EQ(row.addresses[0].region, "us");
  EXPECT_EQ(row.with.at("domain"), "example.com");
  EXPECT_TRUE(row.variable_transports.empty());
  EXPECT_TRUE(row.variable_ports.empty());
  EXPECT_TRUE(row.variable_addresses.empty());
}

TEST(ExpandVariables, AHostMayTurnOutToBeAnAddress) {
  auto values = all_values;
  values["server"] = "2001:db8::1";
  const auto row = expand_variables(variable_row(), values).requirement;
  ASSERT_EQ(row.hosts.size(), 1u);
  ASSERT_EQ(row.addresses.size(), 2u);
  EXPECT_EQ(row.addresses[1].to_string(), "2001:db8::1");
  EXPECT_EQ(row.addresses[1].region, "eu");
  EXPECT_EQ(row.addresses[1].lifecycle, Lifecycle::deprecated);
  EXPECT_EQ(row.addresses[1].note, "n");
}

TEST(ExpandVariables, AnAddressThatNoHostHasIsRefused) {
  for (const auto* nobody : {"0.0.0.0", "::", "239.1.1.1"}) {
    auto values = all_values;
    values["server"] = values["media"] = nobody;
    const auto expanded = expand_variables(variable_row(), values);
    EXPECT_EQ(expanded.problems,
              (Names{std::string("${media} is '") + nobody + "'; expected a host's address",
                     std::string("${server} is '") + nobody +
                         "'; expected a host name or a host's address"}));
    EXPECT_TRUE(expanded.requirement.addresses.empty());
  }
}

TEST(ExpandVariables, NamesWhatIsMissingOnce) {
  const auto expanded = expand_variables(variable_row(), {{"server", "pbx.lan"}});
  EXPECT_EQ(expanded.missing, (Names{"transport", "port", "first", "last", "media", "domain"}));
  EXPECT_TRUE(expanded.problems.empty());
}

// A firewall's rule names the port that is known, and asks for the server that is not.
TEST(ExpandVariables, WhatHasNoValueStaysAsItIsWritten) {
  Requirement row;
  row.hosts = {{.name = "${server}"}, {.name = "a.example.com"}};
  row.variable_ports = {"${port}", "${media}"};
  row.variable_transports = {"${transport}"};
  row.variable_addresses = {{"${server}", "", Lifecycle::current, ""}};
  const auto filled = expand_variables(row, {{"port", "5060"}}).requirement;
  EXPECT_EQ(filled.ports, (std::vector<PortRange>{{5060, 5060}}));
  EXPECT_EQ(filled.variable_ports, Names{"${media}"});
  EXPECT_EQ(filled.variable_transports, Names{"${transport}"});
  ASSERT_EQ(filled.hosts.size(), 2u);
  EXPECT_EQ(filled.hosts[0].name, "${server}");
  EXPECT_EQ(filled.variable_addresses.size(), 1u);
}

TEST(ExpandVariables, SaysWhichValueDoesNotFit) {
  const VariableValues bad = {{"transport", "sctp"},   {"port", "70000"}, {"first", "20000"},
                              {"last", "10000"},       {"server", "a b"}, {"domain", "example.com"},
                              {"media", "example.com"}};
  const auto expanded = expand_variables(variable_row(), bad);
  EXPECT_TRUE(expanded.missing.empty());
  EXPECT_EQ(expanded.problems,
            (Names{"${transport} is 'sctp'; expected udp, tcp or tls",
                   "${port} is '70000'; expected a port from 1 to 65535 or a range such as "
                   "10000-20000",
                   "${first}-${last} is '20000-10000'; expected a port from 1 to 65535 or a range "
                   "such as 10000-20000",
                   "${media} is 'example.com'; expected an address, a prefix or a range",
                   "${server} is 'a b'; expected a host name or an address (the part \"a b\" holds "
                   "' '; expected letters, digits and \"-\")"}));
}

TEST(ExpandVariables, ACertificatesDigestMayBeAValue) {
  Requirement row;
  row.with = {{"sha256", "${pin}"}};
  const auto filled = expand_variables(row, {{"pin", std::string(64, 'A')}});
  EXPECT_EQ(filled.requirement.with.at("sha256"), std::string(64, 'a'));
  EXPECT_TRUE(filled.problems.empty());
  EXPECT_EQ(expand_variables(row, {{"pin", "abc"}}).problems,
            Names{"${pin} is 'abc'; expected a SHA-256 of 64 hexadecimal digits"});
  EXPECT_EQ(expand_variables(row, {{"pin", ""}}).requirement.with.at("sha256"), "") << "any";
}

TEST(ExpandVariables, LeavesARowWithoutVariablesAsItIs) {
  Requirement row;
  row.hosts = {{"www.example.com", "", {}, ""}};
  row.ports = {{443, 443}};
  row.with = {{"path", "/$x"}};
  const auto expanded = expand_variables(row, {});
  EXPECT_TRUE(expanded.missing.empty());
  EXPECT_EQ(expanded.requirement.hosts[0].name, "www.example.com");
  EXPECT_EQ(expanded.requirement.ports, row.ports);
  EXPECT_EQ(expanded.requirement.with, row.with);
}

}  // namespace
}  // namespace callready
