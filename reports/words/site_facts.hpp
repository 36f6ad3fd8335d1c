// What is known about the site of a run, in the words of all reports for people. Internal to
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

// Only what was measured; the names of the site and the computer are printed elsewhere.
std::vector<SiteFact> site_facts(const Site& site);

}  // namespace callready
