// JUnit XML, as CI systems read it: a suite per set, a case per capability and per requirement.
// What is blocked fails; what could not be decided is an error, because it was not shown to work;
// what is not required, or was not tried, is skipped and says why. What works with limits passes.
// The suite's output begins with the answer, since what works may need attention, then the limits.
//
// It has no single schema. This is what the strictest reader (Ant) and the most widely used one
// (Jenkins) both accept: tests/site/junit.xsd.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/format.hpp"
#include "reports/html/markup.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

enum class Kind { passed, noted, failure, error, skipped };

struct Case {
  std::string group, name;
  Kind kind = Kind::passed;
  std::string type;  // the verdict or status, if it did not pass
  std::string message;
  std::vector<std::string> lines;  // the details
  double seconds = 0;
};

Kind kind_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return Kind::passed;
    case Verdict::degraded:
      return Kind::noted;
    case Verdict::blocked:
      return Kind::failure;
    case Verdict::unknown:
      return Kind::error;
  }
  return Kind::error;
}

Kind kind_of(const RequirementResult& requirement) {
  const bool required = requirement.severity == Severity::required;
  switch (requirement.status) {
    case Status::pass:
      return Kind::passed;
    case Status::warn:
      return Kind::noted;
    case Status::fail:
      return required ? Kind::failure : Kind::skipped;
    case Status::unknown:
      return required ? Kind::error : Kind::skipped;
    case Status::skip:
      return Kind::skipped;
  }
  return Kind::error;
}

std::string_view element(Kind kind) {
  switch (kind) {
    case Kind::passed:
    case Kind::noted:
      return "";
    case Kind::failure:
      return "failure";
    case Kind::error:
      return "error";
    case Kind::skipped:
      return "skipped";
  }
  return "error";
}

// How long each probe took, as far as its parts were timed.
using Seconds = std::map<std::string_view, double>;  // by probe

Seconds seconds_of_probes(const Report& report) {
  Seconds seconds;
  for (const auto& result : report.probes) {
    double sum = 0;
    for (const auto& [part, milliseconds] : parts_of_time(result)) sum += milliseconds;
    if (std::isfinite(sum)) seconds[result.probe.id] = sum / 1000;
  }
  return seconds;
}

double seconds_of(const Seconds& seconds, const RequirementResult& requirement) {
  double longest = 0;
  for (const auto& id : requirement.probes) {
    const auto found = seconds.find(id);
    if (found != seconds.end()) longest = std::max(longest, found->second);
  }
  return longest;
}

Case capability_case(const SetResult& set, const CapabilityResult& capability) {
  Case result;
  result.group = set.id + ".capabilities";
  result.name = capability.id + ": " + capability.title;
  result.kind = was_tried(set, capability) ? kind_of(capability.verdict) : Kind::skipped;
  result.type = to_string(capability.verdict);
  result.message = capability.summary;
  return result;
}

// What all suites share, computed once per report.
struct OfAllSuites {
  explicit OfAllSuites(const Report& report)
      : seconds(seconds_of_probes(report)), explained(report) {}
  Seconds seconds;
  ExplainedRows explained;
};

Case requirement_case(const Report& report, const OfAllSuites& all, const SetResult& set,
                      const RequirementResult& requirement) {
  Case result;
  result.group = set.id + ".requirements";
  result.name = requirement.id + ": " + requirement.title;
  result.kind = kind_of(requirement);
  result.type = to_string(requirement.status);
  result.message = summary_and_sample(requirement);
  result.seconds = seconds_of(all.seconds, requirement);
  if (requirement.severity != Severity::required) {
    result.message = fmt::format("{}: {}", to_string(requirement.severity), result.message);
  }
  if (const auto number = all.explained.by(set, requirement); number != 0) {
    const auto& finding = report.findings[number - 1];
    result.lines = {finding.title.string(), cause(finding, finding.evidence.size()),
                    fmt::format("Fix, for {}: {}", team(finding.owner), finding.fix)};
  }
  if (!requirement.source.empty()) result.lines.push_back("Source: " + requirement.source);
  return result;
}

std::string text_of(const Case& test) {
  const auto start = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                                 html_escaped(test.group), html_escaped(test.name), test.seconds);
  const auto name = element(test.kind);
  if (name.empty()) return start + "/>\n";
  std::string body;
  for (const auto& line : test.lines) body += (body.empty() ? "" : "\n") + html_escaped(line);
  // Ant's schema has a type for failures, but not for skipped cases.
  const auto type =
      test.kind == Kind::skipped ? "" : fmt::format(" type=\"{}\"", html_escaped(test.type));
  return fmt::format("{}>\n      <{}{} message=\"{}\">{}</{}>\n    </testcase>\n", start, name,
                     type, html_escaped(test.message), body, name);
}

std::string properties(const Report& report, const SetResult& set) {
  std::string out = "    <properties>\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, html_escaped(value));
  };
  add("callready", report.tool.version);
  add("site", report.site.name);
  add("part", part_asked(report));
  add("verdict", to_string(set.verdict));
  add("edition", set.edition);
  add("document", set.document);
  return out + "    </properties>\n";
}

std::string suite(const Report& report, const OfAllSuites& all, const SetResult& set,
                  std::size_t number) {
  std::vector<Case> cases;
  for (const auto& capability : set.capabilities) cases.push_back(capability_case(set, capability));
  for (const auto& requirement : set.requirements) {
    cases.push_back(requirement_case(report, all, set, requirement));
  }
  if (!report.complete) {
    Case incomplete;
    incomplete.group = set.id;
    incomplete.name = "complete";
    incomplete.kind = Kind::error;
    incomplete.type = "incomplete";
    incomplete.message = "the run was stopped, or ran out of time, before everything was tried";
    cases.push_back(std::move(incomplete));
  }
  std::size_t failures = 0, errors = 0, skipped = 0;
  std::string body, notes = html_escaped(verdict_sentences(set, report)) + '\n';
  for (const auto& test : cases) {
    failures += test.kind == Kind::failure;
    errors += test.kind == Kind::error;
    skipped += test.kind == Kind::skipped;
    body += text_of(test);
    if (test.kind == Kind::noted) notes += html_escaped(test.name + ": " + test.message) + '\n';
  }
  for (const auto& note : set.notes) notes += html_escaped(note) + '\n';
  if (!report.part.empty()) {
    notes += html_escaped(fmt::format("only a part was tried: {}", part_asked(report))) + '\n';
  }
  const double seconds = report.duration.count() / 1000;
  return fmt::format(
      "  <testsuite name=\"{}\" package=\"{}\" id=\"{}\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\" timestamp=\"{}\" hostname=\"{}\">\n"
      "{}{}    <system-out>{}</system-out>\n    <system-err></system-err>\n  </testsuite>\n",
      html_escaped(set_name(set)), html_escaped("callready." + set.id), number, cases.size(),
      failures, errors, skipped, std::isfinite(seconds) ? seconds : 0,
      format_rfc3339(report.started_at).substr(0, 19),
      report.site.host.empty() ? "localhost" : html_escaped(report.site.host),
      properties(report, set), body, notes);
}

}  // namespace

std::string render_junit(const Report& report, const RenderOptions&) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  std::size_t number = 0;
  const OfAllSuites all(report);
  for (const auto& set : report.sets) out += suite(report, all, set, number++);
  return out + "</testsuites>\n";
}

}  // namespace callready
