#include "probe/cli/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/cli/candidates.hpp"

namespace callready {
namespace {

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
  if (names(options.skip, set, row)) return false;
  if (!options.only.empty() && !names(options.only, set, row)) return false;
  // A row that was asked for by its name is wanted whatever the scenario.
  if (options.only.empty() && !row.scenarios.empty() && !intersects(row.scenarios, scenarios)) {
    return false;
  }
  if (options.from && !row.vantages.empty() &&
      std::find(row.vantages.begin(), row.vantages.end(), *options.from) == row.vantages.end()) {
    return false;
  }
  return options.client.empty() || row.clients.empty() || contains(row.clients, options.client);
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

std::size_t quota_of(const Row& row, const PlanOptions& options) {
  if (options.all) return row.candidates.size();
  std::set<std::string> regions;
  for (const auto& candidate : row.candidates) regions.insert(candidate.region);
  const auto& reach = row.requirement.reach;
  std::size_t wanted = hosts_per_requirement;
  if (reach.kind == Reach::Kind::nearest) {
    wanted = std::clamp<std::size_t>(regions.size(), wanted, regions_per_requirement);
  }
  if (reach.kind == Reach::Kind::nearest || reach.kind == Reach::Kind::at_least) {
    wanted = std::max(wanted, static_cast<std::size_t>(reach.count));
  }
  return std::min(wanted, row.candidates.size());
}

bool only_service_tags(const Row& row) {
  return row.candidates.empty() && !row.requirement.service_tags.empty();
}

// Why the row cannot be probed from here, or nothing.
std::string reason_to_skip(const Row& row, const std::vector<std::string>& missing,
                           const std::vector<std::string>& problems, const PlanOptions& options) {
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
  if (!requirement.listening && requirement.check != "udp-range" && !only_service_tags(row)) {
    return "networks without a known listener are not probed: they are other people's machines";
  }
  if (row.candidates.empty()) {
    if (only_service_tags(row)) {
      return "given as Azure service tags, whose addresses Microsoft publishes weekly "
             "(ServiceTags_Public.json): this edition of callready cannot read them yet";
    }
    if (!requirement.wildcards.empty()) {
      return fmt::format("only the wildcard {} is given, and no example of a name to try",
                         requirement.wildcards.front().pattern);
    }
    return options.regions.empty() ? "the document says that all its endpoints were removed"
                                   : "no endpoint of it is in the chosen regions";
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
  row.candidates = candidates_of(set, row.requirement, options.regions);
  row.total = row.candidates.size();
  row.planned.skipped = reason_to_skip(row, expanded.missing, expanded.problems, options);
  row.planned.open_question = !row.planned.skipped.empty() &&
                              row.requirement.direction == Direction::out &&
                              !row.requirement.check.empty() &&
                              (!expanded.missing.empty() || only_service_tags(row));
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

// Deals hosts out in rounds, required rows first, so that no long list starves a short one.
class Dealer {
 public:
  Dealer(std::vector<Row>& rows, bool everything) : everything_(everything) {
    for (auto& row : rows) order_.push_back(&row);
    std::stable_sort(order_.begin(), order_.end(), [](const Row* a, const Row* b) {
      if (a->set->control != b->set->control) return a->set->control;
      return a->requirement.severity < b->requirement.severity;
    });
  }

  // Every row gets what it cannot do without, within the budget or not: the pacer then spreads the
  // run over time. Next come those that look for the nearest region, then all.
  void deal() {
    while (round([](const Row& row) { return lacks_the_least(row); })) {
    }
    while (round([](const Row& row) { return is_nearest(row); })) {
    }
    while (round([](const Row&) { return true; })) {
    }
  }

 private:
  static bool is_nearest(const Row& row) {
    return row.requirement.reach.kind == Reach::Kind::nearest;
  }

  static bool lacks_the_least(const Row& row) {
    const auto& reach = row.requirement.reach;
    const int least = reach.kind == Reach::Kind::all ? 1 : reach.count;
    return row.chosen.size() < static_cast<std::size_t>(least);
  }

  // One more candidate for each of those rows; false where none had any left.
  template <typename Who>
  bool round(Who who) {
    bool dealt = false;
    for (auto* row : order_) {
      auto& position = next_[row];
      if (row->chosen.size() >= row->quota || position >= row->candidates.size()) continue;
      if (!who(*row)) continue;
      dealt = true;
      const auto& candidate = row->candidates[position++];
      if (!affordable(candidate.host) && !lacks_the_least(*row)) continue;
      if (!candidate.host.empty()) used_.insert(candidate.host);
      row->chosen.push_back(candidate);
    }
    return dealt;
  }

  // A host that is already in the sample costs nothing.
  bool affordable(const std::string& host) const {
    return everything_ || host.empty() || used_.contains(host) ||
           used_.size() < static_cast<std::size_t>(host_budget);
  }

  bool everything_;
  std::vector<Row*> order_;
  std::set<std::string> used_;
  std::map<const Row*, std::size_t> next_;
};

// The ports of a probe each: a media range is one probe with sampled ports, other ranges are tried
// port by port.
std::vector<std::pair<PortRange, std::vector<std::uint16_t>>> port_choices(const Requirement& row,
                                                                           bool all) {
  std::vector<std::pair<PortRange, std::vector<std::uint16_t>>> choices;
  if (row.ports.empty()) choices.push_back({PortRange{}, {}});
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
    // A check that takes no transport (nat) chooses its own.
    auto transports = requirement.transports;
    if (transports.empty()) transports.push_back(Transport::udp);
    const auto choices = port_choices(requirement, options_.all);
    for (const auto& candidate : row.chosen) {
      for (const auto transport : transports) {
        for (const auto& [ports, sample] : choices) {
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
    if (!row.planned.skipped.empty()) return;
    if (row.chosen.size() < row.total) {
      row.planned.sampled = fmt::format("{} of {} hosts", row.chosen.size(), row.total);
    }
    std::size_t listed = 0, tried = 0;
    for (const auto& range : requirement.ports) listed += range.count();
    for (const auto& [ports, sample] : choices) {
      tried += sample.empty() ? ports.count() : sample.size();
    }
    if (tried < listed) {
      row.planned.sampled +=
          fmt::format("{}{} of {} ports", row.planned.sampled.empty() ? "" : ", ", tried, listed);
    }
  }

  // A SIP server's alternate ports are asked only where its first choice did not answer: more
  // OPTIONS than needed may get the site banned. A probe that any row wants for itself is made
  // whatever others answer.
  void add_conditions(const std::vector<const TargetSet*>& sets) {
    const auto wanted = wanted_for_themselves(sets);
    for (const auto* set : sets) {
      for (const auto& capability : set->capabilities) {
        for (const auto& need : capability.needs) {
          std::vector<PlannedProbe*> earlier;
          for (const auto& alternative : need.alternatives) {
            const auto here = sip_probes(*set, alternative);
            for (auto* later : here) {
              if (!wanted.contains(later->probe.id)) make_conditional(*later, earlier);
            }
            earlier.insert(earlier.end(), here.begin(), here.end());
          }
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

  std::vector<PlannedProbe*> sip_probes(const TargetSet& set,
                                        const std::vector<std::string>& rows) {
    std::vector<PlannedProbe*> found;
    for (const auto& row : rows) {
      const auto ids = row_probes_.find(set.id + '/' + row);
      if (ids == row_probes_.end()) continue;
      for (const auto& id : ids->second) {
        auto& planned = plan.probes[index_.at(id)];
        if (planned.probe.check == "sip") found.push_back(&planned);
      }
    }
    return found;
  }

  // Of rows that no need has as a later alternative, and of those that some need has as its first.
  std::set<std::string> wanted_for_themselves(const std::vector<const TargetSet*>& sets) const {
    std::set<std::string> later, first;
    for (const auto* set : sets) {
      for (const auto& capability : set->capabilities) {
        for (const auto& need : capability.needs) {
          for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
            for (const auto& row : need.alternatives[i]) {
              (i == 0 ? first : later).insert(set->id + '/' + row);
            }
          }
        }
      }
    }
    std::set<std::string> probes;
    for (const auto& [row, ids] : row_probes_) {
      if (!later.contains(row) || first.contains(row)) probes.insert(ids.begin(), ids.end());
    }
    return probes;
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
  Dealer(rows, options.all).deal();
  Assembler assembler(options);
  for (auto& row : rows) assembler.add(row);
  assembler.add_conditions(sets);
  for (const auto* set : sets) {
    const bool selected =
        std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.set == set; });
    if (set->control || selected) continue;
    assembler.plan.notes.push_back(fmt::format(
        "{}: no row of this set is left by what was chosen on the command line", set->id));
  }
  for (auto& row : rows) {
    if (!row.set->control) assembler.plan.requirements.push_back(std::move(row.planned));
  }
  return std::move(assembler.plan);
}

}  // namespace callready
