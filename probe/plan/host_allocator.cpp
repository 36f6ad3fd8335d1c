#include "probe/plan/host_allocator.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/util/text.hpp"

namespace callready {
namespace {

bool is_nearest(const Row& row) { return row.requirement.reach.kind == Reach::Kind::nearest; }

bool lacks_the_least(const Row& row) {
  const auto& reach = row.requirement.reach;
  const int least = reach.kind == Reach::Kind::all ? 1 : reach.count;
  return row.chosen.size() < static_cast<std::size_t>(least);
}

bool is_entitled(const Row& row) {
  return row.named || row.requirement.severity == Severity::required;
}

// A row that stands alone decides a capability as a required one does: its cost may make the run
// longer, but never the report poorer.
bool is_asked_whatever_it_costs(const Row& row) { return is_entitled(row) || row.alone; }

std::size_t areas_of(const Row& row) {
  std::set<std::string> areas;
  for (const auto& candidate : row.candidates) areas.insert(candidate.area);
  return areas.size();
}

// Marks the rows without which a need would have nothing to be judged by.
void mark_rows_that_stand_alone(std::vector<Row>& rows) {
  std::map<std::pair<const TargetSet*, std::string>, Row*> tried;
  for (auto& row : rows) {
    if (row.quota > 0) tried[{row.set, row.requirement.id}] = &row;
  }
  std::set<const TargetSet*> sets;
  for (const auto& [key, row] : tried) sets.insert(key.first);
  for (const auto* set : sets) {
    for (const auto& capability : set->capabilities) {
      for (const auto& need : capability.needs) {
        std::vector<Row*> own;
        for (const auto& alternative : need.alternatives) {
          for (const auto& id : alternative) {
            if (const auto found = tried.find({set, id}); found != tried.end()) {
              own.push_back(found->second);
            }
          }
        }
        const bool decided =
            std::any_of(own.begin(), own.end(), [](const Row* row) { return is_entitled(*row); });
        if (!own.empty() && !decided) own.front()->alone = true;
      }
    }
  }
}

class HostAllocator {
 public:
  HostAllocator(std::vector<Row*> rows, bool everything)
      : everything_(everything), order_(std::move(rows)) {
    // Required controls give all other probes a meaning; further controls only make it firmer.
    std::stable_sort(order_.begin(), order_.end(), [](const Row* a, const Row* b) {
      const auto severity = a->requirement.severity, other = b->requirement.severity;
      if (severity != other) return severity < other;
      return (a->set->control == b->set->control) ? false
             : severity == Severity::required     ? a->set->control
                                                  : b->set->control;
    });
  }

  void allocate_hosts() {
    rounds([](const Row& row) { return is_entitled(row) && lacks_the_least(row); });
    // Every capability comes before any second area.
    rounds([](const Row& row) { return row.alone && lacks_the_least(row); });
    rounds([](const Row& row) {
      return is_nearest(row) && is_entitled(row) && row.chosen.size() < areas_of(row);
    });
    if (!everything_) look_closer();
    for (const auto severity : {Severity::recommended, Severity::optional}) {
      rounds([&](const Row& row) {
        return row.requirement.severity == severity && lacks_the_least(row);
      });
    }
    rounds([](const Row& row) { return is_nearest(row) && row.chosen.size() < areas_of(row); });
    rounds([](const Row&) { return true; });
    for (auto* row : order_) {
      std::erase_if(row->near, [&](const NearCandidate& near) {
        return was_chosen(*row, near.candidate.host);
      });
    }
  }

 private:
  bool was_chosen(const Row& row, const std::string& host) const {
    const auto hosts = chosen_.find(&row);
    return hosts != chosen_.end() && hosts->second.contains(host);
  }

  // In rounds, so that no long list starves a short one. A row that is given nothing gets nothing
  // later, either.
  template <typename Who>
  void rounds(Who who) {
    auto open = order_;
    while (!open.empty()) {
      std::vector<Row*> left;
      for (auto* row : open) {
        if (who(*row) && deal(*row)) left.push_back(row);
      }
      open = std::move(left);
    }
    next_.clear();  // a host that cost too much for one purpose may be met by now
  }

  // One more candidate, if the budget has it; false where the row takes none or has none left.
  bool deal(Row& row) {
    auto& position = next_[&row];
    while (position < row.candidates.size() && was_chosen(row, row.candidates[position].host)) {
      ++position;
    }
    if (row.chosen.size() >= row.quota || position >= row.candidates.size()) return false;
    const auto& candidate = row.candidates[position++];
    const bool regardless = is_asked_whatever_it_costs(row) && lacks_the_least(row);
    if (!affordable(row, candidate.host) && !regardless) return true;
    if (!candidate.host.empty()) used_.insert(candidate.host);
    ranges_ += ranges_of(row);
    chosen_[&row].insert(candidate.host);
    row.chosen.push_back(candidate);
    return true;
  }

  // New hosts by area, for each list of hosts that are compared.
  using NewHosts = std::map<std::set<std::string>, std::map<std::string, std::set<std::string>>>;

  // Two more hosts for whichever area is the nearest: in the end only one area's hosts are asked,
  // so the most expensive area is what it costs.
  void look_closer() {
    std::map<Row*, std::vector<NearCandidate>> found;
    NewHosts met;
    for (auto* row : order_) {
      if (is_nearest(*row) && row->quota > 0 && row->chosen.size() > 1) {
        found[row] = near_candidates(*row, met);
      }
    }
    std::size_t needed = 0;
    for (const auto& [compared, areas] : met) {
      std::size_t dearest = 0;
      for (const auto& [area, hosts] : areas) dearest = std::max(dearest, hosts.size());
      needed += dearest;
    }
    if (used_.size() + needed > static_cast<std::size_t>(host_budget)) return;
    reserved_ = needed;
    for (auto& [row, near] : found) row->near = std::move(near);
  }

  std::vector<NearCandidate> near_candidates(const Row& row, NewHosts& met) const {
    std::map<std::string, std::string> stands_for;  // area -> the first host chosen in it
    for (const auto& candidate : row.chosen) {
      stands_for.try_emplace(candidate.area, candidate.host);
    }
    std::vector<NearCandidate> near;
    if (stands_for.size() < 2) return near;
    std::set<std::string> compared;
    for (const auto& [area, host] : stands_for) compared.insert(host);
    std::map<std::string, int> taken;
    for (const auto& candidate : row.candidates) {
      const auto own = stands_for.find(candidate.area);
      if (own == stands_for.end() || was_chosen(row, candidate.host)) continue;
      if (taken[candidate.area]++ >= more_of_the_nearest) continue;
      NearCandidate one{candidate, {own->second}};
      for (const auto& [area, host] : stands_for) {
        if (area != candidate.area) one.rivals.push_back(host);
      }
      if (!used_.contains(candidate.host)) {
        met[compared][candidate.area].insert(candidate.host);
      }
      near.push_back(std::move(one));
    }
    return near;
  }

  bool affordable(const Row& row, const std::string& host) const {
    if (everything_) return true;
    const auto ranges = ranges_of(row);
    if (ranges > 0 && ranges_ + ranges > range_budget) return false;
    return host.empty() || used_.contains(host) ||
           used_.size() + reserved_ < static_cast<std::size_t>(host_budget);
  }

  // How many questions to the site's edge each host of the row costs. A fallback is asked only
  // where what comes before it is lost.
  static int ranges_of(const Row& row) {
    const auto& requirement = row.requirement;
    const bool edge = requirement.check == CheckKind::udp_range || !requirement.listening;
    return edge && (requirement.listening || !row.fallback)
               ? static_cast<int>(requirement.ports.size())
               : 0;
  }

  bool everything_;
  std::vector<Row*> order_;
  std::set<std::string> used_;
  std::map<const Row*, std::set<std::string>> chosen_;  // hosts
  std::size_t reserved_ = 0;
  int ranges_ = 0;
  std::map<const Row*, std::size_t> next_;
};

}  // namespace

void allocate_hosts(std::vector<Row>& rows, bool everything) {
  mark_rows_that_stand_alone(rows);
  std::vector<const TargetSet*> sets;
  for (const auto& row : rows) {
    if (!row.set->control) add_once(sets, row.set);
  }
  if (sets.empty()) sets.push_back(nullptr);           // controls only
  std::map<Row*, std::vector<Candidate>> of_controls;  // the most that any set leaves them
  for (const auto* set : sets) {
    std::vector<Row*> together;
    for (auto& row : rows) {
      if (row.set == set || row.set->control) together.push_back(&row);
    }
    HostAllocator(together, everything).allocate_hosts();
    for (auto* row : together) {
      if (!row->set->control) continue;
      auto& most = of_controls[row];
      if (most.size() < row->chosen.size()) most = row->chosen;
      row->chosen.clear();
    }
  }
  for (auto& [row, chosen] : of_controls) row->chosen = std::move(chosen);
}

}  // namespace callready
