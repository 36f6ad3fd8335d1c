// Updates the networks and names in those rows of a set that name a feed, line by line: everything
// outside these lists, the order, the comments and the notes on each entry stay as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "targets/feeds.hpp"
#include "targets/load_rules.hpp"
#include "targets/problem.hpp"

namespace callready {

struct RefreshResult {
  std::string text;                   // of the new file; empty where there are problems
  std::vector<std::string> changes;   // targets/changes.hpp
  std::vector<std::string> warnings;  // rows whose entry the feed does not have
  std::vector<Problem> problems;
};

// A row names the feed with `feed: zoom/ZoomMeetings`; for Azure, with its `service_tags`. Only
// lists that the feed has are touched; entries with `lifecycle: removed`, ranges and hosts that
// match one of the feed's wildcards are the author's own and stay.
RefreshResult refresh_set(std::string_view yaml_text, const std::string& name, const Feed& feed,
                          const LoadRules& rules);

}  // namespace callready
