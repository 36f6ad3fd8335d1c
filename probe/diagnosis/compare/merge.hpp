// One site from the reports of several vantages (user VLAN, voice VLAN, PBX). Pure: reports in, a
// report out, which every renderer prints like any other.
//
// What a row of the merged report says, and why it is true:
// - Where the row was measured from the place that it is for, that counts, and measurements from
//   elsewhere are only named. (A SIP row of the phones: the voice VLAN's report wins.)
// - Of several that count, the worst is the site's: what fails from one of its networks is not
//   fine. Where they disagree, the summary says who saw what.
// - Capabilities and sets are then judged as in a single run, by what they need.
// - Findings are made for each vantage by itself (one network's firewall says nothing about
//   another's), and those that are the same become one, which says where it was seen.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

struct MergeInput {
  std::string name;  // of the vantage; probes' ids get "#NAME"
  Report report;     // a merged one counts as the ones that it was made of
};

// The result as a merged report has it: "stun/udp/stun.example.net:3478#voice".
ProbeResult seen_from(ProbeResult result, const std::string& vantage);

struct MergeResult {
  Report report;
  std::vector<std::string> errors;  // not empty: these reports are not of one site, and why
};

// `site`: its name; "" takes the reports' own where they agree. The tool is the first report's.
MergeResult merge(const std::vector<MergeInput>& inputs, const std::string& site);

// What a merged report was made of, each as it was before, by its own name and in the same order. A
// report of one run is its own only part, by the name given here.
std::vector<MergeInput> parts_of(const Report& report, const std::string& name = {});

// The same report with its findings made anew, by the rules of this edition. A redacted one keeps
// its findings: the rules need real addresses.
Report diagnosed_anew(const Report& report);

}  // namespace callready
