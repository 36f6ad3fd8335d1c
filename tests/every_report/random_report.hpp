// Reports that the schema allows, drawn at random: every status, severity, verdict, outcome, kind
// of evidence and finding, empty and long lists, hostile text. One seed makes one report, on every
// machine.
#pragma once

#include <cstdint>

#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready::every_report {

// Every fourth has text that attacks: control characters, broken UTF-8, markup, any type of fact.
bool is_hostile(std::uint64_t seed);
Report random_report(std::uint64_t seed);

// The same sets asked from another place or at another time: most rows and probes fare otherwise.
Report sibling_of(const Report& report, std::uint64_t seed);

}  // namespace callready::every_report
