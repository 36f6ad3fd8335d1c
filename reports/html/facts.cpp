// The site of the run, and the run itself.
#include "reports/html/parts.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/site_facts.hpp"

namespace callready {
namespace {

class Facts {
 public:
  void add(std::string_view name, const std::string& text) { html_fact(rows_, name, text); }
  Html take() {
    return rows_.empty() ? rows_ : Html().put("<dl class=\"facts\">\n{}</dl>\n", rows_);
  }

 private:
  Html rows_;
};

Html facts_of(const Site& site) {
  Facts facts;
  facts.add(say("Site"), site.name);
  facts.add(say("Computer"), site.host);
  for (const auto& fact : site_facts(site)) facts.add(fact.name, fact.text);
  return facts.take();
}

}  // namespace

Html html_vantages(const Report& report) {
  if (report.vantages.empty()) return {};
  const std::vector<std::string> heads = {say("Place"), say("Verdict there"),
                                          say("Service and time")};
  Html rows;
  for (const auto& vantage : report.vantages) {
    const auto run =
        fmt::format("{}{}{}", vantage.site.host.empty() ? "" : vantage.site.host + ", ",
                    minute_of(vantage.started_at), vantage.complete ? "" : say(", incomplete"));
    for (const auto& set : vantage.sets) {
      rows.put(
          "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}<br><span class=\"small muted\">{}</span>"
          "</td></tr>\n",
          vantage.name, html_said(mark_of(set.verdict), verdict_word(set.verdict)), set_name(set),
          run);
    }
  }
  return html_table("stack capabilities", heads, rows);
}

Html html_site(const Report& report) {
  Html out;
  if (!report.redacted.empty()) {
    out.put("<p>{}</p>\n", say("The names and addresses of this site are pseudonyms."));
  }
  if (report.vantages.empty()) return out.put(facts_of(report.site));
  for (const auto& vantage : report.vantages) {
    out.put("<h3>{}</h3>\n{}", vantage.name, facts_of(vantage.site));
  }
  return out;
}

Html html_run(const Report& report) {
  Facts facts;
  facts.add(say("Started"), format_rfc3339(report.started_at));
  facts.add(say("Finished"), format_rfc3339(report.finished_at));
  facts.add(say("Duration"), duration_phrase(report.duration));
  facts.add(say("Complete"), report.complete ? say("yes") : say("no: stopped, or out of time"));
  facts.add(say("Tried"), say_plural(count_endpoints(report).tried, "{} endpoint", "{} endpoints"));
  for (const auto& set : report.sets) {
    facts.add(say("Target set"), set_and_source(set));
    if (const auto doubt = source_doubt(set); !doubt.empty()) facts.add(say("Note"), doubt);
  }
  for (const auto& note : report.notes) facts.add(say("Note"), note.string());
  facts.add(say("Program"), fmt::format("{} {}", report.tool.name, report.tool.version));
  return facts.take();
}

}  // namespace callready
