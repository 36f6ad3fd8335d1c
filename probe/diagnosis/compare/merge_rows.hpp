// The parts of merge.cpp that weigh vantages against each other. Internal to probe/diagnosis.
#pragma once

#include "probe/diagnosis/compare/merge.hpp"

namespace callready::merging {

// "stun/udp/stun.example.net:3478#voice"
std::string id_from(const std::string& probe_id, const std::string& vantage);

// All sets of all parts, in the order in which they first appear, rows and verdicts combined.
std::vector<SetResult> merged_sets(const std::vector<MergeInput>& parts);

// All findings of all parts, the same ones once. `sets`: the merged ones; what came out well there
// is no longer explained or hurt. Those that hurt nothing come last.
std::vector<Finding> merged_findings(const std::vector<MergeInput>& parts,
                                     const std::vector<SetResult>& sets);

}  // namespace callready::merging
