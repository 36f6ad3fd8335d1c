// JUnit's XML, as CI systems read it: a suite per set, a case per capability and per requirement.
// What is blocked fails; what could not be decided is an error, because it was not shown to work;
// what is not required, or was not tried, is skipped and says why.
#include <fmt/format.h>

#include "reports/format.hpp"
#include "reports/phrases.hpp"
#include "reports/rfc3339.hpp"
#include "reports/terminal.hpp"

namespace callready {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : harmless(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

enum class Kind { passed, noted, failure, error, skipped };

struct Case {
  std::string group, name;
  Kind kind = Kind::passed;
  std::string message;
  std::vector<std::string> lines;  // what lies behind it
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
      return "";
    case Kind::noted:
      return "system-out";
    case Kind::failure:
      return "failure";
    case Kind::error:
      return "error";
    case Kind::skipped:
      return "skipped";
  }
  return "error";
}

Case requirement_case(const Report& report, const SetResult& set,
                      const RequirementResult& requirement) {
  Case result{set.id + ".requirements",
              requirement.id + ": " + requirement.title,
              kind_of(requirement),
              summary_and_sample(requirement),
              {}};
  if (requirement.severity != Severity::required) {
    result.message = fmt::format("{}: {}", to_string(requirement.severity), result.message);
  }
  if (const auto number = explained_by(set, requirement, report); number != 0) {
    const auto& finding = report.findings[number - 1];
    result.lines = {finding.title, cause(finding, finding.evidence.size()),
                    fmt::format("Fix, for {}: {}", team(finding.owner), finding.fix)};
  }
  if (!requirement.source.empty()) result.lines.push_back("Source: " + requirement.source);
  return result;
}

std::string text_of(const Case& test) {
  auto out = fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escaped(test.group),
                         escaped(test.name));
  if (test.kind == Kind::passed) return out + "/>\n";
  const auto name = element(test.kind);
  std::string body;
  for (const auto& line : test.lines) body += (body.empty() ? "" : "\n") + escaped(line);
  if (test.kind == Kind::noted) {
    body = escaped(test.message) + (body.empty() ? "" : "\n") + body;
    out += fmt::format(">\n      <{}>", name);
  } else {
    out += fmt::format(">\n      <{} message=\"{}\">", name, escaped(test.message));
  }
  return out + fmt::format("{}</{}>\n    </testcase>\n", body, name);
}

std::string suite(const Report& report, const SetResult& set) {
  std::vector<Case> cases;
  for (const auto& capability : set.capabilities) {
    cases.push_back({set.id + ".capabilities",
                     capability.id + ": " + capability.title,
                     kind_of(capability.verdict),
                     capability.summary,
                     {}});
  }
  for (const auto& requirement : set.requirements) {
    cases.push_back(requirement_case(report, set, requirement));
  }
  if (!report.complete) {
    cases.push_back({set.id,
                     "complete",
                     Kind::error,
                     "the run was stopped, or ran out of time, before everything was tried",
                     {}});
  }
  std::size_t failures = 0, errors = 0, skipped = 0;
  std::string body;
  for (const auto& test : cases) {
    failures += test.kind == Kind::failure;
    errors += test.kind == Kind::error;
    skipped += test.kind == Kind::skipped;
    body += text_of(test);
  }
  return fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{:.3f}\" timestamp=\"{}\" hostname=\"{}\">\n{}  </testsuite>\n",
      escaped(set_name(set)), cases.size(), failures, errors, skipped,
      report.duration.count() / 1000, format_rfc3339(report.started_at).substr(0, 19),
      escaped(report.site.host), body);
}

}  // namespace

std::string render_junit(const Report& report, const RenderOptions&) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"callready\">\n";
  for (const auto& set : report.sets) out += suite(report, set);
  return out + "</testsuites>\n";
}

}  // namespace callready
