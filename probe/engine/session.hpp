// One run from sets to report: sets up the network side, makes the probes, judges what they saw.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "probe/engine/proxy_discovery.hpp"
#include "probe/engine/runner.hpp"
#include "probe/model/report.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/plan/plan.hpp"

namespace callready {

struct SessionOptions {
  std::vector<TargetSet> sets;  // anchors (control sets) among them
  std::optional<ServiceTags> service_tags;
  PlanOptions plan;
  ProxyWish proxy;  // how to choose proxies, besides what `plan` says
  RunnerOptions runner;
  checks::Settings settings;
  std::vector<std::string> ca_files, dns_servers;
  milliseconds timeout = timeouts::run;
  bool timeout_given = false;  // by the user: then nothing takes longer
  std::string site;            // a name for the report
  // What earlier runs learnt about the routers on the way (never evidence); null: nothing.
  // run_session() stores there what this one knows about them.
  std::vector<KnownWay>* known_ways = nullptr;
  bool show_progress = false;
  bool announce = false;  // --all and --thorough say on standard error how much they send
  int terminal_width = 80;
  // What the progress line says the run is waiting for; may be empty.
  std::string (*waited_for)(CheckKind check) = nullptr;

  // Called as the run goes on; each may be empty. False: nobody listens any more; the run stops.
  // Before the first probe: the report so far (its head and its site), and how many are planned.
  std::function<bool(const Report& head, std::size_t planned)> on_start;
  // After each probe: `total` grows where a second round asks more than was planned.
  std::function<bool(const ProbeResult&, std::size_t done, std::size_t total)> on_probe;

  // Called if the run's event loop is stuck and no deadline ends it: with what there is so far, on
  // another thread, while nothing of the run may be touched any more. It delivers the report and
  // ends the program; otherwise the program ends with one line and status 3.
  std::function<void(Report report)> on_stuck;
  milliseconds patience = timeouts::stuck;  // before it counts as stuck
};

// Error: what is wrong with the configuration, in words (a CA file, a name server).
boost::system::result<Report, std::string> run_session(const SessionOptions& options);

// "callready/1.2.3 (https://...)", as SIP and web servers see it.
std::string user_agent();

// How long the run may take: the timeout that the user gave, otherwise the usual one. If a plan has
// more hosts, or a host more ports, than one window of the pacer allows, each further window adds
// its length and the time of a silent probe.
milliseconds time_for(const Plan& plan, const SessionOptions& options);

}  // namespace callready
