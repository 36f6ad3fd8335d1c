// One run from sets to report: sets up the network side, makes the probes, judges what they saw.
#pragma once

#include <string>
#include <vector>

#include "checks/check.hpp"
#include "probe/cli/plan.hpp"
#include "probe/cli/runner.hpp"
#include "probe/model/report.hpp"

namespace callready {

struct SessionOptions {
  std::vector<TargetSet> sets;  // anchors (control sets) among them
  PlanOptions plan;
  RunnerOptions runner;
  checks::Settings settings;
  std::vector<std::string> ca_files, dns_servers;
  milliseconds timeout{20'000};
  std::string site;  // a name for the report
  bool show_progress = false;
  int terminal_width = 80;
};

// Error: what is wrong with the configuration, in words (a CA file, a name server).
boost::system::result<Report, std::string> run_session(const SessionOptions& options);

// "callready/1.2.3 (https://...)", as SIP and web servers get to see it.
std::string user_agent();

// "2026-11-20" in UTC.
std::string day_of(WallTime time);

}  // namespace callready
