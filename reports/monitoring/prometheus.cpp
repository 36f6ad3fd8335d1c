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
  Metric info("callready_info", "Version of callready that made the run, as a label. Always 1.");
  info.add({{"version", report.tool.version}, {"site", report.site.name}}, 1);
  Metric when("callready_run_timestamp_seconds", "Unix time at which the run ended.");
  when.add({}, unix_seconds(report.finished_at));
  Metric took("callready_run_duration_seconds", "Duration of the run in seconds.");
  took.add({}, report.duration.count() / 1000);
  Metric complete("callready_run_complete",
                  "1 if the run was complete, 0 if it was stopped or ran out of time.");
  complete.add({}, report.complete ? 1 : 0);

  Metric verdict("callready_set_verdict",
                 "Verdict on the service as seen from here: 1 for the current one, 0 for the "
                 "others.");
  Metric capability("callready_capability_verdict",
                    "Verdict on a part of the service as seen from here: 1 for the current one, 0 "
                    "for the others.");
  Metric requirement("callready_requirement_status",
                     "Status of a requirement of the vendor: 1 for the current one, 0 for the "
                     "others.");
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

  Metric finding("callready_finding",
                 "Number of findings of this code, confidence and owner in the run.");
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

  Metric reach("callready_probe_reached",
               "1 if the probe reached its endpoint or its packets were seen to leave the site, 0 "
               "if not.");
  Metric trip("callready_probe_round_trip_seconds", "Round-trip time to the endpoint in seconds.");
  for (const auto& [probe, seen] : report.probes) {
    if (seen.outcome == Outcome::skipped) continue;
    // The id distinguishes probes that differ only in their check's parameters.
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
