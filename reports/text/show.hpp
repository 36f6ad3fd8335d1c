// Prints target sets themselves: `callready list`, `callready show SET`, and both with --json.
#pragma once

#include <span>
#include <string>

#include "probe/model/target_set.hpp"
#include "reports/format.hpp"

namespace callready {

// The set for a person: capability by capability, each requirement with its source. Long lists are
// abbreviated; `verbose` shows every fact. `called`: how a command names it; empty: by its id.
std::string show_text(const TargetSet& set, const RenderOptions& options,
                      const std::string& called = {});

// Every fact of the set with its source, as pretty-printed JSON.
std::string show_json(const TargetSet& set);

// Calls `visit(name in JSON, name for a person, unit, figure)` for each figure of a row or of a
// capability, with an empty one for each that is not given.
template <typename Figures, typename Visit>
void each_figure(const Figures& of, Visit visit) {
  visit("round_trip_ms", "round trip", " ms", of.round_trip_ms);
  visit("one_way_delay_ms", "one-way delay", " ms", of.one_way_delay_ms);
  visit("jitter_ms", "jitter", " ms", of.jitter_ms);
  visit("loss_percent", "loss", " %", of.loss_percent);
  visit("burst_loss_percent", "loss in bursts", " %", of.burst_loss_percent);
  visit("reordering_percent", "reordering", " %", of.reordering_percent);
  visit("bandwidth_kbps", "bandwidth", " kbit/s", of.bandwidth_kbps);
}

struct ListedSet {
  SetHead head;
  std::size_t requirements = 0;
};

// One row per set: id, title, kind, how good its source is and its date, how long ago (before
// `today`, YYYY-MM-DD) it was last verified; then the sets whose documents are old by now.
std::string list_text(std::span<const ListedSet> sets, std::string_view today,
                      const RenderOptions& options);
// A line for each id and alias: the name, a tab, the title. For shell completion.
std::string list_names(std::span<const ListedSet> sets);
std::string list_json(std::span<const ListedSet> sets);

}  // namespace callready
