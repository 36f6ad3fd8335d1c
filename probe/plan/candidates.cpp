#include "probe/plan/candidates.hpp"

#include <algorithm>
#include <set>

#include "probe/plan/plan.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// One address to stand for a block: the first that a host can have.
std::string representative(const AddressBlock& block) {
  if (const auto* address = std::get_if<IpAddress>(&block.value)) return address->to_string();
  IpAddress first, last;
  if (const auto* range = std::get_if<AddressRange>(&block.value)) {
    first = range->first;
    last = range->last;
  } else {
    const auto& network = std::get<Network>(block.value);
    first = network.first();
    last = network.last();
  }
  // An address that ends in a zero byte is most often a network's own.
  const bool own = first.bytes()[static_cast<std::size_t>(first.bits() / 8 - 1)] == 0;
  const auto next = first.plus(1);
  return (own && next && *next < last ? *next : first).to_string();
}

bool is_network(const AddressBlock& block) {
  return !std::holds_alternative<IpAddress>(block.value);
}

bool has_networks_of(const Requirement& row, bool v4) {
  return std::any_of(row.addresses.begin(), row.addresses.end(), [&](const AddressBlock& block) {
    return block.lifecycle == Lifecycle::current && is_network(block) && block.is_v4() == v4;
  });
}

// A row may ask for a check that has no far end of its own (nat).
bool names_no_endpoint(const Requirement& row) {
  return row.hosts.empty() && row.reverse_dns.empty() && row.wildcards.empty() &&
         row.addresses.empty() && row.variable_addresses.empty() && row.service_tags.empty();
}

std::string area_of(const TargetSet& set, const std::string& region) {
  for (const auto& known : set.regions) {
    if (known.id == region) return known.title.substr(0, known.title.find(" / "));
  }
  return region;
}

// What there is to try, best evidence first: hosts and addresses that the document lists, then
// examples of its wildcards, then what it is about to drop.
std::vector<std::vector<Candidate>> by_evidence(const TargetSet& set, const Requirement& row,
                                                const std::vector<std::string>& regions, bool v4) {
  std::vector<Candidate> listed, examples, fading;
  std::set<std::string> known;
  const auto add = [&](std::vector<Candidate>& list, std::string host, const std::string& region,
                       Lifecycle lifecycle) {
    if (lifecycle == Lifecycle::removed) return;
    const bool chosen = regions.empty() || region.empty() || contains(regions, region);
    if (!chosen) return;
    if (!known.insert(host).second) return;
    (lifecycle == Lifecycle::current ? list : fading)
        .push_back({std::move(host), region, area_of(set, region)});
  };
  for (const auto& host : row.hosts) add(listed, host.name, host.region, host.lifecycle);
  const bool family_known = has_networks_of(row, v4);
  for (const auto& block : row.addresses) {
    const bool other = is_network(block) && block.is_v4() != v4;
    if (asks_only_hosts(row) || (family_known && other)) continue;
    add(listed, representative(block), block.region, block.lifecycle);
  }
  for (const auto& wildcard : row.wildcards) {
    for (const auto& example : wildcard.examples) {
      add(examples, example.name, example.region, example.lifecycle);
    }
  }
  if (names_no_endpoint(row)) listed.push_back({});
  if (listed.empty() && row.addresses.empty()) {
    for (const auto& host : row.reverse_dns) add(fading, host.name, host.region, host.lifecycle);
  }
  return {listed, examples, fading};
}

// Puts the items in turns: the first of each group, in the groups' order, then the second of each.
template <typename Item>
std::vector<Item> in_turns(const std::vector<std::vector<Item>>& groups) {
  std::vector<Item> sorted;
  std::size_t longest = 0;
  for (const auto& group : groups) longest = std::max(longest, group.size());
  for (std::size_t turn = 0; turn < longest; ++turn) {
    for (const auto& group : groups) {
      if (turn < group.size()) sorted.push_back(group[turn]);
    }
  }
  return sorted;
}

template <typename Item>
std::vector<Item> spread(const std::vector<Item>& items) {
  std::vector<Item> sorted;
  for (const auto index : spread_order(items.size())) sorted.push_back(items[index]);
  return sorted;
}

// Region by region in turns, far ones first, and within a region spread: a prefix of any length is
// a fair sample of the whole.
std::vector<Candidate> spread_over_regions(const std::vector<Candidate>& all) {
  auto regions = grouped(all, [](const Candidate& candidate) { return candidate.region; });
  for (auto& region : regions) region = spread(region);
  const auto groups = grouped(
      spread(regions), [](const std::vector<Candidate>& region) { return region.front().area; });
  return in_turns(in_turns(groups));
}

}  // namespace

std::string reverse_names(const Requirement& row, const std::string& host) {
  if (row.reverse_dns.empty()) return {};
  if (!IpAddress::parse(host)) {
    const bool known = std::any_of(row.reverse_dns.begin(), row.reverse_dns.end(),
                                   [&](const Host& name) { return name.name == host; });
    return known ? host : std::string();
  }
  std::set<std::string> patterns;
  for (const auto& wildcard : row.wildcards) patterns.insert(wildcard.pattern);
  if (patterns.empty()) {
    for (const auto& name : row.reverse_dns) {
      patterns.insert("*" + name.name.substr(std::min(name.name.find('.'), name.name.size())));
    }
  }
  std::string text;
  for (const auto& pattern : patterns) text += (text.empty() ? "" : " ") + pattern;
  return text;
}

bool asks_only_hosts(const Requirement& row) {
  if (row.listening || row.check == CheckKind::udp_range) return false;
  // Without networks, the hosts themselves are what has no known listener.
  if (row.service_tags.empty() &&
      std::none_of(row.addresses.begin(), row.addresses.end(), is_network)) {
    return false;
  }
  const auto current = [](const Host& host) { return host.lifecycle == Lifecycle::current; };
  return std::any_of(row.hosts.begin(), row.hosts.end(), current) ||
         std::any_of(row.wildcards.begin(), row.wildcards.end(), [&](const Wildcard& wildcard) {
           return std::any_of(wildcard.examples.begin(), wildcard.examples.end(), current);
         });
}

std::vector<Candidate> candidates_of(const TargetSet& set, const Requirement& row,
                                     const std::vector<std::string>& regions, bool v4) {
  std::vector<Candidate> all;
  for (const auto& kind : by_evidence(set, row, regions, v4)) {
    const auto sorted = spread_over_regions(kind);
    all.insert(all.end(), sorted.begin(), sorted.end());
  }
  return all;
}

}  // namespace callready
