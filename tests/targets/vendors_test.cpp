// The vendors' sets against their documents: they load without a problem, they list as much as the
// documents do (vendor_facts.txt), and nothing that a capability needs is out of its reach.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "targets/loader.hpp"
#include "tests/support/source_folder.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

using test::printed;

const std::string source_dir = test::source_folder();

std::vector<std::string> ids_of_files() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir + "/targets/vendors")) {
    found.push_back(entry.path().stem().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}
const std::vector<std::string> vendor_ids = ids_of_files();

// The kinds that the sets use, with the transports and parameters that they rely on.
LoadRules rules_in_use() {
  using enum Transport;
  LoadRules all;
  all.checks = {
      {CheckKind::dns, {udp, tcp}, {"server", "name", "type", "expect"}},
      {CheckKind::tcp, {tcp}},
      {CheckKind::tls, {tls}, {"issuer"}},
      {CheckKind::http, {tcp, tls}, {"path", "body"}},
      {CheckKind::stun, {udp, tcp, tls}},
      {CheckKind::turn, {udp, tcp, tls}},
      {CheckKind::udp_range, {udp}},
      {CheckKind::sip, {udp, tcp, tls}, {"srv"}},
      {CheckKind::sip_alg, {udp, tcp}, {"contrast"}},
      {CheckKind::ntp, {udp}},
      {CheckKind::quic, {udp}},
      {CheckKind::nat, {udp}, {"other"}},
      {CheckKind::path, {udp, tcp, tls}},
      {CheckKind::ipv6, {tcp}},
  };
  return all;
}

TargetSet load(const std::string& file) {
  auto result = load_file(source_dir + "/targets/" + file, rules_in_use());
  EXPECT_TRUE(result.set) << printed(result.problems);
  return result.set.value_or(TargetSet{});
}

// Each is read once: with the sanitizers a large one takes a tenth of a second.
const TargetSet& load_vendor(const std::string& id) {
  static std::map<std::string, TargetSet> known;
  const auto found = known.find(id);
  if (found != known.end()) return found->second;
  return known[id] = load("vendors/" + id + ".yaml");
}

template <typename Value>
std::size_t count_of(const Requirement& row) {
  return static_cast<std::size_t>(std::count_if(
      row.addresses.begin(), row.addresses.end(),
      [](const AddressBlock& block) { return std::holds_alternative<Value>(block.value); }));
}

// "addresses@france": those of a region, whatever their kind.
std::size_t count(const Requirement& row, const std::string& kind_and_region) {
  const auto at = kind_and_region.find('@');
  const auto kind = kind_and_region.substr(0, at);
  if (at != std::string::npos) {
    const auto region = kind_and_region.substr(at + 1);
    const auto in_region = [&](const auto& one) { return one.region == region; };
    const auto counted = [&](const auto& list) {
      return static_cast<std::size_t>(std::count_if(list.begin(), list.end(), in_region));
    };
    return kind == "hosts" ? counted(row.hosts) : counted(row.addresses);
  }
  if (kind == "hosts") return row.hosts.size();
  if (kind == "reverse_dns") return row.reverse_dns.size();
  if (kind == "wildcards") return row.wildcards.size();
  if (kind == "ports") return row.ports.size();
  if (kind == "service_tags") return row.service_tags.size();
  if (kind == "addresses") return count_of<IpAddress>(row);
  if (kind == "networks") return count_of<Network>(row);
  if (kind == "ranges") return count_of<AddressRange>(row);
  ADD_FAILURE() << "unknown kind in vendor_facts.txt: " << kind;
  return 0;
}

void add_names(const std::vector<Host>& hosts, std::set<std::string>& all) {
  for (const auto& host : hosts) {
    if (host.lifecycle != Lifecycle::removed && !host.name.starts_with('$')) all.insert(host.name);
  }
}

// Distinct ones of the whole set. Addresses that only the history of a document names are removed
// rows, and not counted; one that is listed all the same is.
std::size_t distinct(const TargetSet& set, const std::string& kind) {
  std::set<std::string> all;
  for (const auto& row : set.requirements) {
    // NAT rows ask public STUN servers, because the documents name none that could tell.
    if (row.lifecycle == Lifecycle::removed || row.check == CheckKind::nat) continue;
    if (kind == "names") {
      add_names(row.hosts, all);
      add_names(row.reverse_dns, all);
    } else if (kind == "wildcards") {
      for (const auto& wildcard : row.wildcards) all.insert(wildcard.pattern);
    } else {
      for (const auto& block : row.addresses) {
        const bool network = std::holds_alternative<Network>(block.value);
        const bool address = std::holds_alternative<IpAddress>(block.value);
        if ((kind == "networks" && network) || (kind == "addresses" && address)) {
          all.insert(block.to_string());
        }
      }
    }
  }
  return all.size();
}

TEST(Vendors, LoadWithoutProblems) {
  EXPECT_GE(vendor_ids.size(), 6u);
  for (const auto& id : vendor_ids) {
    const auto set = load_vendor(id);
    EXPECT_EQ(set.id, id);
    EXPECT_FALSE(set.verified.empty()) << id;
    // Only what the customer knows is of no document: a set without a single name or address.
    const bool names_something =
        std::any_of(set.requirements.begin(), set.requirements.end(), [](const Requirement& row) {
          return !row.addresses.empty() || !row.wildcards.empty() ||
                 std::any_of(row.hosts.begin(), row.hosts.end(), [](const Host& host) {
                   return host.name.find("${") == std::string::npos;
                 });
        });
    EXPECT_TRUE(!set.document.empty() || !names_something) << id;
    EXPECT_FALSE(set.advice.empty()) << id;
    // What others lean on alone is used in one way.
    EXPECT_TRUE(set.kind == ServiceKind::shared ||
                std::any_of(set.scenarios.begin(), set.scenarios.end(),
                            [](const Scenario& scenario) { return scenario.by_default; }))
        << id;
  }
}

TEST(Vendors, ListWhatTheirDocumentsList) {
  std::map<std::string, TargetSet> sets;
  for (const auto& id : vendor_ids) sets[id] = load_vendor(id);
  std::ifstream facts(source_dir + "/tests/targets/vendor_facts.txt");
  ASSERT_TRUE(facts);
  std::string line;
  int compared = 0;
  while (std::getline(facts, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string set_id, row_id, kind;
    std::size_t expected = 0;
    ASSERT_TRUE(words >> set_id >> row_id >> kind >> expected) << line;
    ASSERT_TRUE(sets.contains(set_id)) << line;
    const auto& set = sets[set_id];
    if (row_id == "*") {
      EXPECT_EQ(distinct(set, kind), expected) << line;
    } else {
      const auto* row = set.find_requirement(row_id);
      ASSERT_NE(row, nullptr) << line;
      EXPECT_EQ(count(*row, kind), expected) << line;
    }
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

TEST(Vendors, EveryRowHasATitleAPurposeAndASource) {
  for (const auto& id : vendor_ids) {
    const auto set = load_vendor(id);
    for (const auto& row : set.requirements) {
      EXPECT_FALSE(row.title.empty() || row.purpose.empty() || row.source.empty())
          << id << ' ' << row.id;
    }
    for (const auto& advice : set.advice) {
      EXPECT_FALSE(advice.source.empty()) << id << ' ' << advice.id;
    }
  }
}

// A need that its capability's scenario switches off could never be met.
TEST(Vendors, NeedsAreSwitchedOnWhereTheirCapabilityIs) {
  for (const auto& id : vendor_ids) {
    const auto set = load_vendor(id);
    std::vector<std::string> every_scenario;
    for (const auto& scenario : set.scenarios) every_scenario.push_back(scenario.id);
    for (const auto& capability : set.capabilities) {
      const auto& scenarios = capability.scenarios.empty() ? every_scenario : capability.scenarios;
      for (const auto& need : capability.needs) {
        for (const auto& alternative : need.alternatives) {
          for (const auto& needed : alternative) {
            const auto* row = set.find_requirement(needed);
            ASSERT_NE(row, nullptr) << id << ' ' << capability.id << ' ' << needed;
            EXPECT_TRUE(row->unprobed.empty()) << id << ' ' << capability.id << ' ' << needed;
            for (const auto& scenario : scenarios) {
              const bool on = row->scenarios.empty() ||
                              std::find(row->scenarios.begin(), row->scenarios.end(), scenario) !=
                                  row->scenarios.end();
              EXPECT_TRUE(on) << id << ' ' << capability.id << ' ' << needed << ' ' << scenario;
            }
          }
        }
      }
    }
  }
}

// Otherwise its failure would hurt nobody that the report names.
TEST(Vendors, RequiredRowsBelongToACapability) {
  for (const auto& id : vendor_ids) {
    const auto set = load_vendor(id);
    std::set<std::string> needed;
    for (const auto& capability : set.capabilities) {
      for (const auto& need : capability.needs) {
        for (const auto& alternative : need.alternatives) {
          needed.insert(alternative.begin(), alternative.end());
        }
      }
    }
    for (const auto& row : set.requirements) {
      if (row.severity != Severity::required || !row.unprobed.empty()) continue;
      EXPECT_TRUE(needed.contains(row.id)) << id << ' ' << row.id;
    }
  }
}

TEST(Vendors, InboundAndRemovedRowsAreNeverProbed) {
  for (const auto& id : vendor_ids) {
    for (const auto& row : load_vendor(id).requirements) {
      if (row.direction == Direction::in || row.lifecycle == Lifecycle::removed) {
        EXPECT_FALSE(row.check) << id << ' ' << row.id;
      }
    }
  }
}

// Networks belong to others as well; only single addresses are known to be the vendor's.
TEST(Vendors, NetworksAndServiceTagsHaveNoKnownListener) {
  for (const auto& id : vendor_ids) {
    for (const auto& row : load_vendor(id).requirements) {
      if (!row.check) continue;
      if (count_of<Network>(row) + count_of<AddressRange>(row) + row.service_tags.size() > 0) {
        EXPECT_FALSE(row.listening) << id << ' ' << row.id;
      }
    }
  }
}

TEST(Vendors, RainbowTurnIsOrderedUdpThenTlsThenTcp) {
  const auto set = load_vendor("rainbow");
  const auto media = std::find_if(set.capabilities.begin(), set.capabilities.end(),
                                  [](const Capability& c) { return c.id == "media"; });
  ASSERT_NE(media, set.capabilities.end());
  ASSERT_EQ(media->needs.size(), 1u);
  EXPECT_FALSE(media->needs[0].equal);
  EXPECT_EQ(media->needs[0].alternatives,
            (std::vector<std::vector<std::string>>{{"turn-udp"}, {"turn-tls"}, {"turn-tcp"}}));
  const auto* turn = set.find_requirement("turn-udp");
  ASSERT_NE(turn, nullptr);
  EXPECT_EQ(turn->reach.kind, Reach::Kind::nearest);
  EXPECT_EQ(turn->reach.count, 2);
}

TEST(Vendors, RainbowKeepsWhatItsDocumentContradicts) {
  const auto set = load_vendor("rainbow");
  const auto* row = set.find_requirement("hub-device-discovery-addresses");
  ASSERT_NE(row, nullptr);
  std::set<std::string> removed;
  for (const auto& block : row->addresses) {
    if (block.lifecycle == Lifecycle::removed) removed.insert(block.to_string());
  }
  EXPECT_EQ(removed, (std::set<std::string>{"51.89.55.153", "139.99.83.81"}));
}

// Red rows are for future use and the colour is lost.
TEST(Vendors, CloudoeNeverFailsForOneRowAlone) {
  const auto set = load_vendor("cloudoe");
  for (const auto& scenario : {"calling", "yealink", "gigaset", "polycom", "unity"}) {
    for (const auto& capability : set.capabilities) {
      if (std::find(capability.scenarios.begin(), capability.scenarios.end(), scenario) ==
          capability.scenarios.end()) {
        continue;
      }
      for (const auto& need : capability.needs) {
        EXPECT_TRUE(need.equal || need.preferred > 1) << capability.id;
        EXPECT_GT(need.alternatives.size(), 1u) << capability.id;
      }
    }
  }
}

TEST(Vendors, QuicklinkKeepsBothReadingsOfItsNetworks) {
  const auto set = load_vendor("quicklink");
  const auto* row = set.find_requirement("media-range");
  ASSERT_NE(row, nullptr);
  std::set<std::string> seen;
  for (const auto& block : row->addresses) seen.insert(block.to_string());
  EXPECT_TRUE(seen.contains("52.215.127.0/23"));
  EXPECT_TRUE(seen.contains("52.215.127.0-52.215.127.255"));
  EXPECT_TRUE(seen.contains("54.244.51.0/23"));
  EXPECT_TRUE(seen.contains("54.244.51.0-54.244.51.255"));
}

TEST(Vendors, AnchorsAreControlsOfAtLeastTwoParties) {
  const auto set = load("anchors.yaml");
  EXPECT_TRUE(set.control);
  EXPECT_TRUE(set.capabilities.empty());
  std::set<std::string> checks;
  for (const auto& row : set.requirements) checks.emplace(to_string(row.check.value()));
  EXPECT_EQ(checks,
            (std::set<std::string>{"dns", "http", "ipv6", "ntp", "path", "quic", "stun", "tls"}));
  EXPECT_GE(set.requirements.size(), 5u);
}

}  // namespace
}  // namespace callready
