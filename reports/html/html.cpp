// The report as one self-contained web page: to be sent by mail, opened from a disk, read on a
// phone, printed. It can be read without scripts. What the network or a file said is only ever text
// in it (markup.hpp), and the page's Content-Security-Policy allows only its own style and script,
// by their hashes, and nothing from elsewhere.
#include <algorithm>
#include <array>

#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "reports/format.hpp"
#include "reports/html/media.hpp"
#include "reports/html/parts.hpp"
#include "reports/page.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/path_flows.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

// 'sha256-...' for the CSP, which then allows the page's own style and script, and no others.
std::string csp_hash(std::string_view source) { return "'sha256-" + base64(sha256(source)) + "'"; }

std::string_view tab_colour(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return "14682f";
    case Verdict::degraded:
      return "b26a00";
    case Verdict::blocked:
      return "ab1419";
    case Verdict::unknown:
      return "5a379c";
  }
  return "5a379c";
}

std::string question(const Report& report) {
  return report.site.name.empty() ? say("Can this site make calls?")
                                  : say("Can {} make calls?", report.site.name);
}

Html head(const Report& report) {
  const auto style = page_style(), script = page_script();
  const auto worst = overall(report);
  Html out;
  out.put(R"(<!doctype html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src )",
          spoken_language() == nullptr ? std::string_view("en") : spoken_language()->code());
  out.source(csp_hash(style)).put("; script-src ").source(csp_hash(script));
  out.put(R"(; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="{} {}">
<title>{}</title>
)",
          report.tool.name, report.tool.version,
          say("{}: {}", verdict_word(worst), question(report)));
  out.put(
      R"(<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23{}'/%3E%3C/svg%3E">
)",
      tab_colour(worst));
  out.put("<style>").source(style).put("</style>\n</head>\n");
  return out;
}

// The words for the page's script.
Html body_with_words() {
  Html out;
  return out.put(R"(<body data-copied="{}" data-not-copied="{}" data-in-clipboard="{}" )"
                 R"(data-not-in-clipboard="{}" data-close="{}" data-open="{}">
)",
                 say("Copied"), say("Not copied"), say("Copied to the clipboard"),
                 say("Could not be copied"), say("Close all"), say("Open all"));
}

Html verdicts(const Report& report) {
  Html out;
  out.put("<div class=\"verdicts\">\n");
  for (const auto& set : report.sets) {
    const auto mark = mark_of(set, report);
    out.put(R"(<div class="verdict tone-{}">
<p class="word">{} {}</p>
<h2>{}</h2>
<p class="muted">{}</p>
</div>
)",
            mark_name(mark), html_mark(mark), verdict_word(set.verdict),
            verdict_sentences(set, report), set_name(set));
  }
  if (report.sets.empty()) {
    out.put(R"(<div class="verdict tone-unknown">
<p class="word">{} {}</p>
<p>{}</p>
</div>
)",
            html_mark(Mark::unknown), verdict_word(Verdict::unknown), say("Nothing was checked."));
  }
  out.put("</div>\n");
  return out;
}

bool stops_on_the_way(const Report& report) {
  const auto path = path_of(report);
  return std::any_of(path.groups.begin(), path.groups.end(), [](const FlowGroup& group) {
    return std::any_of(group.flows.begin(), group.flows.end(), [](const Flow& flow) {
      return std::any_of(flow.stops.begin(), flow.stops.end(),
                         [](const Stop& stop) { return stop.mark == Mark::bad; });
    });
  });
}

struct Section {
  std::string_view id;
  std::string title, link;
  Html html;
  bool folded = false;  // for readers who want to know more
};

Html navigation(std::span<const Section> sections) {
  Html out;
  out.put(R"(<nav aria-label="{}">
<ul>
)",
          say("Parts of this report"));
  for (const auto& section : sections) {
    out.put("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.link);
  }
  out.put("</ul>\n</nav>\n");
  return out;
}

}  // namespace

std::string render_html(const Report& report, const RenderOptions& options) {
  const PageIndex index(report);
  std::vector<Section> sections;
  const auto add = [&](std::string_view id, const std::string& title, const std::string& link,
                       Html html, bool folded = true) {
    if (!html.empty()) sections.push_back({id, title, link, std::move(html), folded});
  };
  add("findings", say("What is wrong, and what to do"), say("Causes"),
      html_findings(report, index, options), false);
  add("path",
      stops_on_the_way(report) ? say("Where traffic stops")
                               : say("How far each kind of traffic gets"),
      say("Network path"), html_path(report), false);
  add("capabilities", say("What works, and what does not"), say("What works"),
      html_capabilities(report), !report.findings.empty());
  add("media", say("How a call would sound"), say("Sound"), html_media(report), false);
  add("vantages", say("Measured from several places"), say("Places"), html_vantages(report), false);
  add("routes", say("Through the proxy, and directly"), say("Proxy"), html_routes(report));
  add("requirements", say("The vendor's requirements"), say("Requirements"),
      html_requirements(report, index));
  add("timings", say("Timings"), say("Timings"), html_timings(report, index));
  add("endpoints", say("Every endpoint"), say("Endpoints"), html_endpoints(report));
  add("site", say("This site"), say("Site"), html_site(report));
  add("run", say("This run"), say("Run"), html_run(report));

  Html out = head(report);
  out.put(spoken_language() == nullptr ? Html().put("<body>\n") : body_with_words());
  out.put(R"(<a class="skip-link" href="#main">{}</a>
<header>
<h1>{}</h1>
<p class="muted">{}</p>
)",
          say("Skip to the report"), question(report), when_and_where(report));
  if (!report.complete) {
    out.put(R"(<p class="warning-box"><b>{}</b> {}</p>
)",
            say("Incomplete:"),
            say("this run was stopped, or ran out of time, before everything was tried. This page "
                "shows what had been seen by then."));
  }
  out.put(verdicts(report));
  if (const auto next = how_to_settle(report); !next.empty()) out.put("<p>{}</p>\n", next);
  if (const auto lost = resent_in_words(report); !lost.empty()) {
    out.put("<p class=\"warning-box\">{}</p>\n", lost);
  }
  out.put("</header>\n").put(navigation(sections));
  out.put("<main id=\"main\">\n");
  for (const auto& section : sections) {
    out.put("<section id=\"{}\" aria-labelledby=\"{}-title\">\n", section.id, section.id);
    if (section.folded) {
      out.put(
          "<details class=\"part\">\n<summary><h2 "
          "id=\"{}-title\">{}</h2></summary>\n{}</details>\n",
          section.id, section.title, section.html);
    } else {
      out.put("<h2 id=\"{}-title\">{}</h2>\n{}", section.id, section.title, section.html);
    }
    out.put("</section>\n");
  }
  out.put(R"(</main>
<footer>
<p>{} <code>{}</code>.</p>
</footer>
<p id="copied" class="offscreen" role="status"></p>
<script>)",
          say("{} tried in {} with {} {}. To get the full report in a machine-readable form, use",
              say_plural(count_endpoints(report).tried, "{} endpoint", "{} endpoints"),
              duration_phrase(report.duration), report.tool.name, report.tool.version),
          say("--report json"));
  out.source(page_script()).put("</script>\n</body>\n</html>\n");
  return out.take();
}

}  // namespace callready
