// What a finding asks to let through, in the vendor's own rules. Pure.
#pragma once

#include <vector>

#include "probe/diagnosis/attribution.hpp"
#include "probe/diagnosis/facts.hpp"

namespace callready {

// Of the rows that asked for these lost probes, the rules that are closed: whole where nothing of a
// row was reached by that transport; or else the ports that the cause closes wherever they lead; or
// else the document's entries that the probes belong to. And of the rows that nobody could try,
// since their names do not resolve or the cause closes them untried, what the cause closes: whoever
// opens the one is not asked a second time for the other. Rows that only measure, and anchors, have
// none. `code`: of the cause that closes them; `closes`: all that it closes, tried or not.
std::vector<FirewallRule> rules_to_allow(const findings::Facts& facts, const Probes& lost,
                                         FindingCode code = FindingCode::other,
                                         Closes closes = Closes::nothing_more);

// True where the report has the vendor's rules at all.
bool has_rules(const findings::Facts& facts);

}  // namespace callready
