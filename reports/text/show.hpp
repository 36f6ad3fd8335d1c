// Prints target sets themselves: `callready list`, `callready show SET`, and both with --json.
#pragma once

#include <span>
#include <string>

#include "probe/model/target_set.hpp"
#include "reports/format.hpp"

namespace callready {

// The set for a person: capability by capability, each requirement with its source. Long lists are
// counted; with `verbose` every fact is there.
std::string show_text(const TargetSet& set, const RenderOptions& options);

// Every fact of the set with its source, as pretty-printed JSON.
std::string show_json(const TargetSet& set);

struct ListedSet {
  SetHead head;
  std::size_t requirements = 0;
};

// One row per set: id, title, kind, how good its source is and of when, how long ago (before
// `today`, YYYY-MM-DD) it was last verified; then the sets whose documents are old by now.
std::string list_text(std::span<const ListedSet> sets, std::string_view today,
                      const RenderOptions& options);
// A line for each id and alias: the name, a tab, the title. For the completion of a shell.
std::string list_names(std::span<const ListedSet> sets);
std::string list_json(std::span<const ListedSet> sets);

}  // namespace callready
