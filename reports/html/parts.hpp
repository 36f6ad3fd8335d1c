// The sections of the HTML report, one function each. Internal to reports/.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "reports/format.hpp"
#include "reports/html/markup.hpp"
#include "reports/words/marks.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

// Where things are on the page, so that one part can link to another. The anchors are numbers: none
// of the report's text gets into an id or a link.
class PageIndex {
 public:
  explicit PageIndex(const Report& report);
  static std::string finding(std::size_t index) { return fmt::format("finding-{}", index + 1); }
  static std::string endpoint(std::size_t index) { return fmt::format("endpoint-{}", index + 1); }
  static std::string row(std::size_t set, std::size_t requirement) {
    return fmt::format("row-{}-{}", set + 1, requirement + 1);
  }
  // Indices of the probes with that id: one, unless somebody changed the report.
  std::span<const std::size_t> probes(const std::string& id) const;
  const ExplainedRows& explained() const { return explained_; }
  // Anchor of the requirement "rainbow/turn-udp"; empty if the report has no such requirement.
  std::string requirement(const std::string& path) const;

 private:
  std::map<std::string, std::vector<std::size_t>> probes_;
  std::map<std::string, std::string> requirements_;
  ExplainedRows explained_;
};

Html html_mark(Mark mark);
// A mark and its words, in the mark's colour.
Html html_said(Mark mark, std::string_view words);

// `classes`: "stack" puts each cell on its own line on narrow screens. An empty caption is omitted.
Html html_table(std::string_view classes, const std::vector<std::string>& heads, const Html& rows,
                std::string_view caption = {});

// A line of <dl class="facts">; nothing if `text` is empty.
void html_fact(Html& out, std::string_view name, const std::string& text);

Html html_findings(const Report& report, const PageIndex& index, const RenderOptions& options);
Html html_path(const Report& report);
Html html_capabilities(const Report& report);
Html html_timings(const Report& report, const PageIndex& index);
Html html_requirements(const Report& report, const PageIndex& index);
Html html_endpoints(const Report& report);
// For a merged report: where its parts were measured, and the result of each. Otherwise empty.
Html html_vantages(const Report& report);
// What a proxy may carry, through it and directly. Empty if nothing was tried through a proxy.
Html html_routes(const Report& report);
Html html_site(const Report& report);
Html html_run(const Report& report);

// The parts of an exchange one after the other, as a bar with its own scale and the figures next to
// it; empty if nothing was timed.
Html html_phases(const ProbeResult& result);

// One choice of a filter: a radio button and its label, for a mark that some row has.
struct FilterChoice {
  Mark mark;
  std::string_view label;  // marked()
};
// To be followed by `<div class="rows">` in the same `<div class="filtered">`.
Html html_filter(std::string_view name, std::string_view legend,
                 std::span<const FilterChoice> choices, const std::map<Mark, std::size_t>& counts);

}  // namespace callready
