#include "probe/cli/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace callready {
namespace {

struct Candidate {
  std::string host;
  std::string region;
};

// A row on its way into the plan.
struct Row {
  const TargetSet* set = nullptr;
  Requirement requirement;  // variables filled in
  PlannedRequirement planned;
  std::vector<Candidate> candidates;  // in the order in which a sample takes them
  std::size_t total = 0;              // candidates before sampling
  std::size_t quota = 0;
  std::vector<Candidate> chosen;
};

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool intersects(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& item) { return contains(b, item); });
}

bool names(const std::vector<std::string>& ids, const TargetSet& set, const Requirement& row) {
  return contains(ids, row.id) || contains(ids, set.id + '/' + row.id);
}

// Rows that this run is about at all.
bool selected(const TargetSet& set, const Requirement& row, const PlanOptions& options,
              const std::vector<std::string>& scenarios) {
  if (!row.scenarios.empty() && !intersects(row.scenarios, scenarios)) return false;
  if (options.from && !row.vantages.empty() &&
      std::find(row.vantages.begin(), row.vantages.end(), *options.from) == row.vantages.end()) {
    return false;
  }
  if (!options.client.empty() && !row.clients.empty() && !contains(row.clients, options.client)) {
    return false;
  }
  if (!options.only.empty() && !names(options.only, set, row)) return false;
  return !names(options.skip, set, row);
}

bool sent_from_a_pc(const Requirement& row) {
  return row.vantages.empty() ||
         std::any_of(row.vantages.begin(), row.vantages.end(),
                     [](Vantage v) { return v == Vantage::pc || v == Vantage::browser; });
}

std::string vantages_of(const Requirement& row) {
  std::vector<std::string> words;
  for (const auto vantage : row.vantages) words.emplace_back(to_string(vantage));
  return fmt::format("{}", fmt::join(words, ", "));
}

// One address to stand for a block: the first that a host can have.
std::string representative(const AddressBlock& block) {
  if (const auto* address = std::get_if<IpAddress>(&block.value)) return address->to_string();
  if (const auto* range = std::get_if<AddressRange>(&block.value)) return range->first.to_string();
  const auto& network = std::get<Network>(block.value);
  const auto first = network.first();
  if (network.prefix >= first.bits() - 1) return first.to_string();
  return first.plus(1).value_or(first).to_string();
}

std::vector<Candidate> candidates_of(const Requirement& row, const PlanOptions& options) {
  std::vector<Candidate> all;
  const auto add = [&](std::string host, const std::string& region, Lifecycle lifecycle) {
    if (lifecycle == Lifecycle::removed) return;
    if (!options.regions.empty() && !region.empty() && !contains(options.regions, region)) return;
    const bool known =
        std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.host == host; });
    if (!known) all.push_back({std::move(host), region});
  };
  for (const auto& host : row.hosts) add(host.name, host.region, host.lifecycle);
  for (const auto& wildcard : row.wildcards) {
    for (const auto& example : wildcard.examples)
      add(example.name, example.region, example.lifecycle);
  }
  for (const auto& block : row.addresses) add(representative(block), block.region, block.lifecycle);
  return all;
}

// Region by region in turns, and within a region spread: a prefix of any length is a fair sample.
std::vector<Candidate> in_sampling_order(const std::vector<Candidate>& all) {
  std::vector<std::string> regions;
  std::map<std::string, std::vector<Candidate>> by_region;
  for (const auto& candidate : all) {
    if (!by_region.contains(candidate.region)) regions.push_back(candidate.region);
    by_region[candidate.region].push_back(candidate);
  }
  std::map<std::string, std::vector<std::size_t>> order;
  for (const auto& region : regions) order[region] = spread_order(by_region[region].size());
  std::vector<Candidate> sorted;
  const auto region_order = spread_order(regions.size());
  for (std::size_t turn = 0; sorted.size() < all.size(); ++turn) {
    for (const auto index : region_order) {
      const auto& region = regions[index];
      if (turn < order[region].size()) sorted.push_back(by_region[region][order[region][turn]]);
    }
  }
  return sorted;
}

std::size_t quota_of(const Row& row, const PlanOptions& options) {
  if (options.all) return row.candidates.size();
  std::set<std::string> regions;
  for (const auto& candidate : row.candidates) regions.insert(candidate.region);
  const auto& reach = row.requirement.reach;
  std::size_t wanted = hosts_per_requirement;
  if (reach.kind == Reach::Kind::nearest) {
    wanted =
        std::min<std::size_t>(std::max<std::size_t>(regions.size(), 2), regions_per_requirement);
  }
  if (reach.kind == Reach::Kind::nearest || reach.kind == Reach::Kind::at_least) {
    wanted = std::max(wanted, static_cast<std::size_t>(reach.count));
  }
  return std::min(wanted, row.candidates.size());
}

// Why the row cannot be probed from here, or nothing.
std::string reason_to_skip(const Row& row, const std::vector<std::string>& missing,
                           const std::vector<std::string>& problems) {
  const auto& requirement = row.requirement;
  if (requirement.direction == Direction::in) {
    const auto where = vantages_of(requirement);
    return fmt::format("inbound: cannot be tested from inside{}",
                       where.empty() ? "" : "; it ends at: " + where);
  }
  if (requirement.check.empty()) return requirement.unprobed;
  if (requirement.lifecycle == Lifecycle::removed) return "the document says that it was removed";
  if (!missing.empty()) {
    return fmt::format("needs your own value: --var {}=...", fmt::join(missing, "=... --var "));
  }
  if (!problems.empty()) return fmt::format("{}", fmt::join(problems, "; "));
  if (!requirement.listening && requirement.check != "udp-range") {
    return "networks without a known listener are not probed: they are other people's machines";
  }
  if (row.candidates.empty()) {
    if (!requirement.service_tags.empty()) {
      return "given as service tags only: load them with --service-tags FILE (Microsoft's "
             "ServiceTags_Public.json)";
    }
    if (!requirement.wildcards.empty()) {
      return fmt::format("only the wildcard {} is given, and no example of a name to try",
                         requirement.wildcards.front().pattern);
    }
    return "no endpoint of it is in the chosen regions";
  }
  return {};
}

Row make_row(const TargetSet& set, const Requirement& requirement, const PlanOptions& options) {
  Row row;
  row.set = &set;
  auto expanded = expand_variables(requirement, variable_values(set, options.variables));
  row.requirement = std::move(expanded.requirement);
  row.planned.set = set.id;
  row.planned.requirement = requirement.id;
  row.candidates = in_sampling_order(candidates_of(row.requirement, options));
  row.total = row.candidates.size();
  row.planned.skipped = reason_to_skip(row, expanded.missing, expanded.problems);
  if (row.planned.skipped.empty()) {
    row.quota = quota_of(row, options);
    if (!options.from && !sent_from_a_pc(row.requirement)) {
      row.planned.note =
          fmt::format("measured from this computer: run it where the {} is to be sure",
                      vantages_of(row.requirement));
    }
  }
  return row;
}

// Deals hosts out in rounds, required rows first, so that no long list starves a short one. A host
// that is already in the sample costs nothing. Every row gets one, within the budget or not: the
// pacer then spreads the run over time.
void deal_hosts(std::vector<Row>& rows, const PlanOptions& options) {
  std::vector<Row*> order;
  for (auto& row : rows) order.push_back(&row);
  std::stable_sort(order.begin(), order.end(), [](const Row* a, const Row* b) {
    return a->set->control != b->set->control ? a->set->control
                                              : a->requirement.severity < b->requirement.severity;
  });
  std::set<std::string> used;
  std::map<const Row*, std::size_t> next;
  for (bool dealt = true; dealt;) {
    dealt = false;
    for (auto* row : order) {
      auto& position = next[row];
      if (row->chosen.size() >= row->quota || position >= row->candidates.size()) continue;
      const auto& candidate = row->candidates[position];
      const bool free = options.all || used.contains(candidate.host) ||
                        used.size() < static_cast<std::size_t>(host_budget);
      const bool entitled =
          row->chosen.empty() ||
          (row->requirement.reach.kind != Reach::Kind::all &&
           row->chosen.size() < static_cast<std::size_t>(row->requirement.reach.count));
      ++position;
      dealt = true;
      if (!free && !entitled) continue;
      used.insert(candidate.host);
      row->chosen.push_back(candidate);
    }
  }
}

// The ports of a probe each: a media range is one probe with sampled ports, other ranges are tried
// port by port.
std::vector<std::pair<PortRange, std::vector<std::uint16_t>>> port_choices(const Requirement& row,
                                                                           bool all) {
  std::vector<std::pair<PortRange, std::vector<std::uint16_t>>> choices;
  for (const auto& range : row.ports) {
    const auto sample = sample_ports(range, ports_per_range);
    if (row.check == "udp-range") {
      choices.push_back({range, sample});
    } else if (all && range.count() <= 100) {
      for (unsigned port = range.first; port <= range.last; ++port) {
        const auto single = static_cast<std::uint16_t>(port);
        choices.push_back({{single, single}, {}});
      }
    } else {
      for (const auto port : sample) choices.push_back({{port, port}, {}});
    }
  }
  return choices;
}

class Assembler {
 public:
  explicit Assembler(const PlanOptions& options) : options_(options) {}

  void add(Row& row) {
    const auto& requirement = row.requirement;
    for (const auto& candidate : row.chosen) {
      for (const auto transport : requirement.transports) {
        for (const auto& [ports, sample] : port_choices(requirement, options_.all)) {
          Probe probe;
          probe.check = requirement.check;
          probe.target.host = candidate.host;
          probe.target.ports = ports;
          probe.target.sample = sample;
          probe.target.transport = transport;
          probe.with = requirement.with;
          if (!requirement.listening) probe.with["stop_on_the_way"] = "true";
          probe.region = candidate.region;
          probe.control = row.set->control;
          if (requirement.proxy != ProxyUse::required || options_.proxy.empty()) add(row, probe);
          const bool proxied = requirement.proxy != ProxyUse::never && transport != Transport::udp;
          if (proxied && !options_.proxy.empty()) {
            probe.target.route.proxy = options_.proxy;
            add(row, probe);
          }
        }
      }
    }
    if (row.chosen.size() < row.total) {
      row.planned.sampled = fmt::format("{} of {} hosts", row.chosen.size(), row.total);
    }
  }

  // A SIP server's alternate ports are asked only where its first choice did not answer: more
  // OPTIONS than needed may get the site banned.
  void add_conditions(const TargetSet& set) {
    for (const auto& capability : set.capabilities) {
      for (const auto& need : capability.needs) {
        std::vector<PlannedProbe*> earlier;
        for (const auto& alternative : need.alternatives) {
          std::vector<PlannedProbe*> here;
          for (const auto& id : alternative) {
            for (const auto& probe_id : row_probes_[set.id + '/' + id]) {
              auto& planned = plan.probes[index_.at(probe_id)];
              if (planned.probe.check == "sip") here.push_back(&planned);
            }
          }
          for (auto* later : here) make_conditional(*later, earlier);
          earlier.insert(earlier.end(), here.begin(), here.end());
        }
      }
    }
  }

  Plan plan;

 private:
  void add(Row& row, Probe probe) {
    probe.id = probe_id(probe);
    const auto id = probe.id;
    const auto [place, fresh] = index_.try_emplace(id, plan.probes.size());
    if (fresh) {
      plan.probes.push_back({std::move(probe), {}});
    } else {
      plan.probes[place->second].probe.control &= probe.control;
    }
    row.planned.probes.push_back(id);
    row_probes_[row.set->id + '/' + row.requirement.id].push_back(id);
  }

  static void make_conditional(PlannedProbe& later, const std::vector<PlannedProbe*>& earlier) {
    if (!later.unless.empty()) return;
    const auto& target = later.probe.target;
    for (const auto* first : earlier) {
      const auto& other = first->probe.target;
      const bool same = other.host == target.host && other.transport == target.transport;
      // Only what is tried anyway decides: chains would make the run as long as the list.
      if (same && first->unless.empty() && other.ports != target.ports) {
        later.unless.push_back(first->probe.id);
      }
    }
  }

  const PlanOptions& options_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::vector<std::string>> row_probes_;
};

}  // namespace

Plan make_plan(const std::vector<const TargetSet*>& sets, const PlanOptions& options) {
  std::vector<Row> rows;
  for (const auto* set : sets) {
    const auto scenarios = active_scenarios(*set, options);
    for (const auto& requirement : set->requirements) {
      if (!set->control && !selected(*set, requirement, options, scenarios)) continue;
      rows.push_back(make_row(*set, requirement, options));
    }
  }
  deal_hosts(rows, options);
  Assembler assembler(options);
  for (auto& row : rows) assembler.add(row);
  for (const auto* set : sets) assembler.add_conditions(*set);
  for (auto& row : rows) {
    if (!row.set->control) assembler.plan.requirements.push_back(std::move(row.planned));
  }
  return std::move(assembler.plan);
}

}  // namespace callready
