// What a finding asks to let through, in the vendor's own rules. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// True for causes that end when something is let through: those that blame a firewall, a proxy or
// an inspection.
bool asks_to_let_through(std::string_view code);

// Of the rows that asked for these lost probes, the rules that are closed: whole where nothing of a
// row was reached by that transport, else the document's entries that the probes belong to; and all
// of the rows that the finding of that code closes untried. Rows that only measure, and anchors,
// have none.
std::vector<FirewallRule> rules_to_allow(const std::vector<SetResult>& sets,
                                         const std::vector<ProbeResult>& probes,
                                         const std::vector<const ProbeResult*>& lost,
                                         std::string_view code = {});

// True where the report has the vendor's rules at all: one of before 0.2 has not.
bool has_rules(const std::vector<SetResult>& sets);

}  // namespace callready
