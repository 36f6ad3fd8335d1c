// For the node exporter's textfile collector: one file holds one run, with every endpoint.
#include <algorithm>

#include "reports/format.hpp"
#include "reports/monitoring/metric_text.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

std::string port_of(const Target& target) {
  return target.port() == 0 ? "" : target.ports.to_string();
}

}  // namespace

std::string render_prometheus(const Report& report, const RenderOptions&) {
  Metric info("callready_info", "The version of callready that made the run.");
  info.add({{"version", report.tool.version}, {"site", report.site.name}}, 1);
  Metric when("callready_run_timestamp_seconds", "When the run ended, in seconds since 1970.");
  when.add({}, unix_seconds(report.finished_at));
  Metric took("callready_run_duration_seconds", "How long the run took.");
  took.add({}, report.duration.count() / 1000);
  Metric complete("callready_run_complete", "1 if the run was complete.");
  complete.add({}, report.complete ? 1 : 0);

  Metric verdict("callready_set_verdict",
                 "Whether the service works from here: 1 for its verdict.");
  Metric capability("callready_capability_verdict",
                    "Whether this part of the service works from here: 1 for its verdict.");
  Metric requirement("callready_requirement_status",
                     "A row of the vendor's requirements: 1 for its status.");
  for (const auto& set : report.sets) {
    verdict.add_states({{"set", set.id}}, "verdict", set.verdict);
    for (const auto& one : set.capabilities) {
      capability.add_states({{"set", set.id}, {"capability", one.id}}, "verdict", one.verdict);
    }
    for (const auto& row : set.requirements) {
      requirement.add_states({{"set", set.id},
                              {"requirement", row.id},
                              {"severity", std::string(to_string(row.severity))}},
                             "status", row.status);
    }
  }

  Metric finding("callready_finding", "Causes that were found: how many of each code.");
  std::vector<std::pair<Labels, int>> codes;
  for (const auto& one : report.findings) {
    const Labels labels = {{"code", std::string(to_string(one.code))},
                           {"confidence", std::string(to_string(one.confidence))},
                           {"owner", std::string(to_string(one.owner))}};
    const auto known = std::ranges::find(codes, labels, &std::pair<Labels, int>::first);
    if (known == codes.end()) {
      codes.emplace_back(labels, 1);
    } else {
      ++known->second;
    }
  }
  for (const auto& [labels, count] : codes) finding.add(labels, count);

  Metric reach("callready_probe_reached", "1 where the probe reached its endpoint.");
  Metric trip("callready_probe_round_trip_seconds", "One round trip to the endpoint.");
  for (const auto& [probe, seen] : report.probes) {
    if (seen.outcome == Outcome::skipped) continue;
    // The id tells apart what the other labels do not: a check's parameters.
    const Labels labels = {{"probe", probe.id},
                           {"check", std::string(to_string(probe.check))},
                           {"host", probe.target.host},
                           {"port", port_of(probe.target)},
                           {"transport", std::string(to_string(probe.target.transport))},
                           {"route", probe.target.route.to_string()},
                           {"vantage", probe.vantage}};
    reach.add(labels, reached(seen.outcome) ? 1 : 0);
    if (const auto measured = round_trip_of(seen)) trip.add(labels, measured->count() / 1000);
  }
  std::string out;
  for (const auto* metric : {&info, &when, &took, &complete, &verdict, &capability, &requirement,
                             &finding, &reach, &trip}) {
    out += metric->text();
  }
  return out;
}

}  // namespace callready
