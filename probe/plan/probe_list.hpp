// A plan while it is made: each probe is in it once, no matter which rows ask for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "probe/plan/host_allocator.hpp"

namespace callready {

class ProbeList {
 public:
  // Gives the row a probe: a new one, or one that another row has already asked for. `rivals`: it
  // is made only if the first of them is the nearest. `round`: which of the row's hosts it is for.
  void add(Row& row, Probe probe, const std::vector<std::string>& rivals = {},
           std::size_t round = 0);
  // A probe for no row: it informs, and decides nothing.
  void add_control(Probe probe);

  PlannedProbe& at(const std::string& id) { return plan.probes[index_.at(id)]; }
  const PlannedProbe& at(const std::string& id) const { return plan.probes[index_.at(id)]; }

  // Ids of a set's probes, in the order of its rows' names; and of some of its rows.
  std::vector<std::string> of_set(const TargetSet& set) const;
  std::vector<std::string> of_rows(const TargetSet& set,
                                   const std::vector<std::string>& rows) const;
  // Of all rows, by "set/row".
  const std::map<std::string, std::vector<std::string>>& by_row() const { return by_row_; }

  Plan plan;

 private:
  std::map<std::string, std::size_t> index_;  // into plan.probes, by id
  std::map<std::string, std::vector<std::string>> by_row_;
};

}  // namespace callready
