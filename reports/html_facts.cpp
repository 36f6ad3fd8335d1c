// The place that the run was made from, and the run itself.
#include "reports/html_parts.hpp"
#include "reports/phrases.hpp"
#include "reports/rfc3339.hpp"
#include "reports/site_facts.hpp"

namespace callready {
namespace {

class Facts {
 public:
  void add(std::string_view name, const std::string& text) {
    if (!text.empty()) rows_.put("<dt>{}</dt><dd>{}</dd>\n", name, text);
  }
  Html take() {
    Html out;
    if (!rows_.empty()) out.put("<dl class=\"facts\">\n{}</dl>\n", rows_);
    return out;
  }

 private:
  Html rows_;
};

Html facts_of(const Site& site) {
  Facts facts;
  facts.add("Site", site.name);
  facts.add("Computer", site.host);
  for (const auto& fact : site_facts(site)) facts.add(fact.name, fact.text);
  return facts.take();
}

}  // namespace

Html html_vantages(const Report& report) {
  Html out;
  if (report.vantages.empty()) return out;
  out.put(R"(<table class="stack capabilities">
<thead><tr><th scope="col">Place</th><th scope="col">Verdict there</th><th scope="col">Service and time</th></tr></thead>
<tbody>
)");
  for (const auto& vantage : report.vantages) {
    const auto run =
        fmt::format("{}{}{}", vantage.site.host.empty() ? "" : vantage.site.host + ", ",
                    minute_of(vantage.started_at), vantage.complete ? "" : ", incomplete");
    for (const auto& set : vantage.sets) {
      out.put(
          "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}<br><span class=\"small muted\">{}</span>"
          "</td></tr>\n",
          vantage.name, html_said(mark_of(set.verdict), verdict_word(set.verdict)), set_name(set),
          run);
    }
  }
  return out.put("</tbody>\n</table>\n");
}

Html html_site(const Report& report) {
  Html out;
  if (!report.redacted.empty()) {
    out.put("<p>The names and addresses of this site are pseudonyms.</p>\n");
  }
  if (report.vantages.empty()) return out.put(facts_of(report.site));
  for (const auto& vantage : report.vantages) {
    out.put("<h3>{}</h3>\n{}", vantage.name, facts_of(vantage.site));
  }
  return out;
}

Html html_run(const Report& report) {
  Facts facts;
  facts.add("Started", format_rfc3339(report.started_at));
  facts.add("Finished", format_rfc3339(report.finished_at));
  facts.add("Took", duration_phrase(report.duration));
  facts.add("Complete", report.complete ? "yes" : "no: stopped, or out of time");
  facts.add("Tried", count_of(endpoints_tried(report), "endpoint", "endpoints"));
  for (const auto& set : report.sets) {
    facts.add("Target set", set_and_source(set));
    if (const auto doubt = source_doubt(set); !doubt.empty()) facts.add("Note", doubt);
  }
  for (const auto& note : report.notes) facts.add("Note", note);
  facts.add("Program", fmt::format("{} {}", report.tool.name, report.tool.version));
  return facts.take();
}

}  // namespace callready
