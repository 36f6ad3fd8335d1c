// What is known of the place of a run, in the words of all reports for people. Internal to
// reports/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

struct SiteFact {
  std::string name;
  std::string text;
};

// What was measured only; the site's name and the computer's stand elsewhere.
std::vector<SiteFact> site_facts(const Site& site);

}  // namespace callready
