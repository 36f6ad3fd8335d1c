// The parts of a report as JSON, for every document that contains some of them. Internal to
// reports/.
#pragma once

#include <nlohmann/json.hpp>

#include "probe/model/report.hpp"

namespace callready {

nlohmann::ordered_json tool_json(const ToolInfo& tool);
nlohmann::ordered_json site_json(const Site& site);
nlohmann::ordered_json set_json(const SetResult& set);
nlohmann::ordered_json rule_json(const FirewallRule& rule);
nlohmann::ordered_json finding_json(const Finding& finding);
nlohmann::ordered_json probe_json(const ProbeResult& result);
// Milliseconds, rounded to a thousandth; 0 for what is not a number.
double duration_json(Milliseconds duration);

}  // namespace callready
