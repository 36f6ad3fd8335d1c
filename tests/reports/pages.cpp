// pages DIRECTORY: writes the HTML report of every sample, and one of thousands of probes, for
// browser_test.py.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "reports/format.hpp"
#include "tests/reports/samples.hpp"

namespace {

callready::Report large() {
  auto report = callready::samples::blocked();
  const auto some = report.probes;
  for (int i = 0; i < 4000; ++i) {
    auto probe = some[static_cast<std::size_t>(i) % some.size()];
    probe.probe.with["number"] = std::to_string(i);
    probe.probe.id = probe_id(probe.probe);
    report.sets.at(0).requirements.at(0).probes.push_back(probe.probe.id);
    report.probes.push_back(std::move(probe));
  }
  return report;
}

// Long names without a space, and exchanges of many parts: what a narrow screen has no room for.
callready::Report wordy() {
  auto report = callready::samples::degraded();
  const std::string name = "a-name-" + std::string(120, 'x') + ".example.com";
  report.site.name = report.site.host = name;
  report.site.resolvers = {name};
  for (auto& set : report.sets) {
    for (auto& requirement : set.requirements) requirement.summary = name + ": no answer";
  }
  for (auto& finding : report.findings) finding.fix = "Allow UDP to " + name;
  for (auto& [probe, seen] : report.probes) {
    probe.target.host = name;
    seen.timing_ms = {{callready::Timing::dns, 1234.5},
                      {callready::Timing::connect, 1234.5},
                      {callready::Timing::handshake, 1234.5},
                      {callready::Timing::reply, 1234.5}};
    seen.round_trip = callready::Milliseconds(1234.5);
    seen.evidence.push_back(
        {callready::EvidenceKind::certificate, name, {{callready::Fact::names, name}}});
  }
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} DIRECTORY\n", argv[0]);
    return 2;
  }
  auto reports = callready::samples::all();
  reports.emplace_back("large", large());
  reports.emplace_back("wordy", wordy());
  reports.emplace_back("proxied", callready::samples::proxied());
  for (const auto& [name, report] : reports) {
    std::ofstream file(std::filesystem::path(argv[1]) / (name + ".html"), std::ios::binary);
    file << callready::render_html(report, {});
    if (!file.flush()) return 1;
  }
  return 0;
}
