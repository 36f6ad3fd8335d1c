// Everything that was measured: the result of each capability, the vendor's rows with their
// endpoints, and every endpoint with its evidence.
#include <algorithm>
#include <numeric>

#include "probe/model/describe.hpp"
#include "probe/util/text.hpp"
#include "reports/html/parts.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

constexpr FilterChoice of_requirements[] = {
    {Mark::bad, marked("does not work")},   {Mark::warning, marked("with problems")},
    {Mark::unknown, marked("not decided")}, {Mark::good, marked("good")},
    {Mark::skipped, marked("not tested")},
};
constexpr FilterChoice of_endpoints[] = {
    {Mark::bad, marked("not reached")},
    {Mark::unknown, marked("no answer")},
    {Mark::good, marked("reached")},
    {Mark::skipped, marked("not tried")},
};

// How many rows with problems are unfolded from the start; the reader can unfold the others.
constexpr int most_open = 12;

// A longer list of endpoints is folded.
constexpr std::size_t most_unfolded = 30;

// What needs attention comes first; rows that are equally good keep the document's order.
std::vector<std::size_t> worst_first(const SetResult& set) {
  const auto rank = [&](std::size_t i) { return badness(set.requirements[i].status); };
  std::vector<std::size_t> order(set.requirements.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) > rank(b); });
  return order;
}

std::string needed_for(const SetResult& set, const RequirementResult& requirement) {
  const auto needs = [&](const auto& one) { return contains(one.requirements, requirement.id); };
  return joined(titles_of(set, needs), "; ");
}

std::string place_and_endpoint(const ProbeResult& result) {
  const auto text = endpoint(result);
  const auto& vantage = result.probe.vantage;
  return vantage.empty() ? text : say("{}: {}", vantage, text);
}

Html probes_of(const Report& report, const RequirementResult& requirement, const PageIndex& index) {
  Html rows;
  for (const auto& id : requirement.probes) {
    for (const auto at : index.probes(id)) {
      const auto& result = report.probes[at];
      rows.put("<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td>{}</td></tr>\n",
               PageIndex::endpoint(at), place_and_endpoint(result),
               html_said(mark_of(result), outcome_in_full(result)));
    }
  }
  if (rows.empty()) return rows;
  return html_table("stack probes", {say("Endpoint"), say("Result")}, rows);
}

// "Required" goes without saying.
Html importance(const RequirementResult& requirement) {
  if (requirement.severity == Severity::required) return {};
  return Html().put(" <span class=\"tag\">{}</span>", severity_word(requirement.severity));
}

void add_row(Html& out, const Report& report, std::size_t i, std::size_t j, const PageIndex& index,
             bool open) {
  const auto& set = report.sets[i];
  const auto& requirement = set.requirements[j];
  const auto mark = mark_of(requirement.status);
  out.put(R"(<details class="row tone-{}" id="{}"{}>
<summary>{}<span><span class="name">{}</span>{}</span><span><span class="word">{}</span>: {}</span></summary>
<div class="body">
<dl class="facts">
)",
          mark_name(mark), PageIndex::row(i, j), std::string_view(open ? " open" : ""),
          html_mark(mark), title_of(requirement), importance(requirement),
          status_word(requirement.status), summary_and_sample(requirement));
  if (const auto number = index.explained().by(set, requirement); number != 0) {
    out.put(R"(<dt>{}</dt><dd><a href="#{}">{}. {}</a></dd>
)",
            say("Cause"), PageIndex::finding(number - 1), number,
            report.findings[number - 1].title);
  }
  html_fact(out, say("Needed for"), needed_for(set, requirement));
  html_fact(out, say("Importance"), severity_word(requirement.severity));
  if (requirement.total > 0) {
    html_fact(out, say("Reached"),
              say_plural(requirement.total, "{1} of {0} probe", "{1} of {0} probes",
                         requirement.reached));
  }
  html_fact(out, say("In the document"), source_of(set, requirement));
  out.put(R"(<dt>{}</dt><dd><code>{}/{}</code></dd>
</dl>
)",
          say("Row"), set.id, requirement.id);
  out.put(probes_of(report, requirement, index)).put("</div>\n</details>\n");
}

std::string fact_text(const EvidenceValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:.6g}", *number);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  return std::get<bool>(value) ? say("yes") : say("no");
}

Html evidence_of(const Observation& seen) {
  Html out;
  if (seen.evidence.empty()) return out;
  out.put(R"(<h3>{}</h3>
<ul class="evidence">
)",
          say("Evidence"));
  for (const auto& evidence : seen.evidence) {
    out.put("<li>{}", evidence.text);
    if (!evidence.facts.empty()) {
      out.put("\n<p class=\"facts\"><code>{}</code>", to_string(evidence.kind));
      for (const auto& [name, value] : evidence.facts) {
        out.put(" · <code>{} {}</code>", to_string(name), fact_text(value));
      }
      out.put("</p>");
    }
    out.put("</li>\n");
  }
  return out.put("</ul>\n");
}

void add_endpoint(Html& out, const ProbeResult& result, std::size_t i) {
  const auto& [probe, seen] = result;
  const auto mark = mark_of(result);
  const bool reached_in = seen.round_trip && reached(seen.outcome);
  out.put(R"(<details class="row endpoint tone-{}" id="{}">
<summary>{}<span class="name">{}</span><span>{}{}{}</span></summary>
<div class="body">
<dl class="facts">
)",
          mark_name(mark), PageIndex::endpoint(i), html_mark(mark), place_and_endpoint(result),
          outcome_in_words(seen),
          reached_in ? say(" in {}", duration_phrase(*seen.round_trip)) : std::string(),
          (probe.control() ? say(", for comparison") : std::string()));
  html_fact(out, say("Measured from"), probe.vantage);
  html_fact(out, say("Check"), std::string(to_string(probe.check)));
  html_fact(out, say("Outcome"),
            fmt::format("{}{}", to_string(seen.outcome),
                        seen.detail.empty() ? "" : fmt::format(" ({})", seen.detail.text())));
  html_fact(out, say("Address"), seen.address ? seen.address->to_string() : "");
  html_fact(out, say("From"), seen.local ? seen.local->to_string() : "");
  html_fact(out, say("Region"), probe.region);
  html_fact(out, say("Sent"), seen.sent_at ? format_rfc3339(*seen.sent_at) : "");
  if (seen.attempts > 0) html_fact(out, say("Tries"), std::to_string(seen.attempts));
  if (seen.round_trip) html_fact(out, say("Round trip"), duration_phrase(*seen.round_trip));
  if (const auto parts = html_phases(result); !parts.empty()) {
    out.put("<dt>{}</dt><dd>{}</dd>\n", say("Time"), parts);
  }
  std::vector<std::string> parameters;
  for (const auto& [name, value] : probe.with) parameters.push_back(name + '=' + value);
  html_fact(out, say("Parameters"), joined(parameters));
  out.put(R"(<dt>{}</dt><dd><code>{}</code></dd>
</dl>
{}</div>
</details>
)",
          say("Probe"), probe.id, evidence_of(seen));
}

}  // namespace

Html html_capabilities(const Report& report) {
  const std::vector<std::string> heads = {say("Feature"), say("Verdict"), say("What was seen")};
  Html out;
  for (const auto& set : report.sets) {
    Html rows;
    for (const auto& capability : set.capabilities) {
      rows.put("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n", title_of(capability),
               html_said(mark_of(set, capability, report), was_tried(set, capability)
                                                               ? verdict_word(capability.verdict)
                                                               : say("NOT TRIED")),
               told_of(set, capability, report));
    }
    if (!rows.empty()) out.put(html_table("stack capabilities", heads, rows, set_name(set)));
    for (const auto& note : set.notes)
      out.put(R"(<p class="muted">{}</p>
)",
              say("Note: {}", note));
  }
  return out;
}

Html html_requirements(const Report& report, const PageIndex& index) {
  std::map<Mark, std::size_t> counts;
  Html rows;
  int open = 0;
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    const auto& set = report.sets[i];
    if (set.requirements.empty()) continue;
    rows.put("<h3>{}</h3>\n", set_name(set));
    for (const auto j : worst_first(set)) {
      const auto mark = mark_of(set.requirements[j].status);
      ++counts[mark];
      const bool opened = (mark == Mark::bad || mark == Mark::warning) && ++open <= most_open;
      add_row(rows, report, i, j, index, opened);
    }
  }
  if (rows.empty()) return {};
  return Html().put(
      "<div class=\"filtered\">\n{}<div class=\"rows\">\n{}</div>\n</div>\n",
      html_filter("requirements-shown", say("Show requirements"), of_requirements, counts), rows);
}

Html html_endpoints(const Report& report) {
  if (report.probes.empty()) return {};
  std::map<Mark, std::size_t> counts;
  Html rows;
  for (std::size_t i = 0; i < report.probes.size(); ++i) {
    ++counts[mark_of(report.probes[i])];
    add_endpoint(rows, report.probes[i], i);
  }
  // With this class, the browser lays out only the visible ones.
  const std::string_view many = report.probes.size() > 200 ? " many" : "";
  Html list;
  list.put("<div class=\"filtered\">\n{}<div class=\"rows{}\">\n{}</div>\n</div>\n",
           html_filter("endpoints-shown", say("Show endpoints"), of_endpoints, counts), many, rows);
  if (report.probes.size() <= most_unfolded) return list;
  // The rows above link to each: on a phone and on paper this list is longer than all the rest.
  return Html().put(R"(<details class="fold">
<summary>{}</summary>
{}</details>
)",
                    say("All {} probes, each with its evidence", report.probes.size()), list);
}

}  // namespace callready
