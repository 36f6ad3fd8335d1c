// The causes: what is wrong, how sure that is, what to change and who can do it, and the evidence.
#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/text/ticket.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {
namespace {

// Longer lists of rows, or of names and networks, are folded.
constexpr std::size_t few_rows = 8, few_peers = 12;

// One line for each rule of that direction, with all its peers.
Html rules_table(const Finding& finding, Direction direction) {
  Html rows;
  for (const auto& rule : finding.rules) {
    if (rule.direction != direction) continue;
    Html list;
    for (const auto& peer : rule.peers) list.put("<li>{}</li>", peer.text);
    const auto from = from_source_ports(rule);
    rows.put(
        "<tr><th scope=\"row\">{} {}{}</th><td>{}</td><td><ul class=\"peers\">{}</ul></td></tr>\n",
        protocol_in_words(rule), ports_in_words(rule), from.empty() ? from : ", " + from,
        joined(rule.titles, "; ") +
            (rule.sources.empty() ? "" : " (" + joined(rule.sources, "; ") + ")"),
        list);
  }
  if (rows.empty()) return rows;
  const auto far_end = direction == Direction::in ? say("From") : say("To");
  return html_table("stack", {say("Protocol and ports"), say("Purpose"), far_end}, rows);
}

// Everything that the fix asks for.
Html rules_of(const Finding& finding) {
  if (finding.rules.empty()) return {};
  std::size_t peers = 0;
  for (const auto& rule : finding.rules) peers += rule.peers.size();
  return Html().put(
      R"(<details class="rules"{}>
<summary>{}</summary>
{}{}</details>
)",
      std::string_view(peers <= few_peers ? " open" : ""),
      say("Rules to add ({}, {})",
          say_plural(finding.rules.size(), "{} rule", "{} rules"),
          say_plural(peers, "{} host or network", "{} hosts and networks")),
      rules_table(finding, Direction::out), rules_table(finding, Direction::in));
}

Html evidence_of(const Finding& finding, const PageIndex& index) {
  Html out;
  out.put("<ul class=\"evidence\">\n");
  for (const auto& evidence : finding.evidence) {
    out.put("<li>{}", evidence.text);
    if (const auto probes = index.probes(evidence.probe); !probes.empty()) {
      out.put(R"( <a href="#{}">{}</a>)", PageIndex::endpoint(probes.front()), say("measurement"));
    } else if (!evidence.probe.empty()) {
      out.put(" <code>{}</code>", evidence.probe);
    }
    out.put("</li>\n");
  }
  return out.put("</ul>\n");
}

Html explained(const Finding& finding, const PageIndex& index) {
  Html out;
  for (const auto& path : finding.explains) {
    if (!out.empty()) out.put(", ");
    const auto anchor = index.requirement(path);
    if (anchor.empty()) {
      out.put("<bdi>{}</bdi>", path);
    } else {
      out.put("<a href=\"#{}\">{}</a>", anchor, path);
    }
  }
  return out;
}

// Keeps the line breaks of a text in an attribute: harmless() would make them spaces.
Html lines_in_attribute(std::string_view text) {
  Html out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    out.put("{}&#10;", line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

void add_finding(Html& out, const Report& report, std::size_t i, const PageIndex& index,
                 const RenderOptions& options) {
  const auto& finding = report.findings[i];
  out.put("<article class=\"finding\" id=\"{}\" aria-labelledby=\"{}-title\">\n",
          PageIndex::finding(i), PageIndex::finding(i));
  out.put("<h3 id=\"{}-title\"><span class=\"number\">{}</span> <bdi>{}</bdi>",
          PageIndex::finding(i), i + 1, finding.title);
  if (const auto doubt = caution(finding); !doubt.empty()) {
    out.put(" <span class=\"tag\">{}</span>", doubt);
  }
  out.put("</h3>\n");
  if (const auto why = cause(finding, 2, false); !why.empty()) out.put("<p>{}</p>\n", why);
  if (const auto since = standing_in_words(finding.standing); !since.empty()) {
    out.put("<p class=\"since\">{}.</p>\n", since);
  }
  if (!finding.fix.empty()) {
    out.put(R"(<div class="fix">
<div class="head"><b>{}</b><button type="button" hidden data-copy="{}" aria-label="{}">{}</button></div>
<p>{}</p>
{}</div>
)",
            say("Fix, for {}", team(finding.owner)),
            lines_in_attribute(ticket_of(report, i, options)),
            say("Copy for the ticket, cause {}", i + 1), say("Copy for the ticket"), finding.fix,
            rules_of(finding));
  }
  out.put(R"(<details class="more">
<summary>{}</summary>
)",
          say("Evidence and affected requirements"));
  out.put("<dl class=\"facts\">\n");
  if (finding.fix.empty()) html_fact(out, say("For"), team(finding.owner));
  html_fact(out, say("Seen from"), joined(finding.seen_from));
  html_fact(out, say("Affects"), affected_by(finding, report));
  html_fact(out, say("Users may see"), seen_by_users(finding, report));
  if (const auto rows = explained(finding, index); !rows.empty()) {
    if (finding.explains.size() > few_rows) {
      out.put("<dt>{}</dt><dd><details><summary>{}</summary>{}</details></dd>\n", say("Explains"),
              say("{} requirements", finding.explains.size()), rows);
    } else {
      out.put("<dt>{}</dt><dd>{}</dd>\n", say("Explains"), rows);
    }
  }
  html_fact(out, say("Certainty"), confidence_word(finding.confidence));
  if (finding.runner_up) {
    const auto& [cause, tells] = *finding.runner_up;
    html_fact(out, say("Or"), fmt::format("{}. {}", cause, tells));
  }
  out.put(R"(<dt>{}</dt><dd><code>{}</code></dd>
</dl>
)",
          say("Code"), to_string(finding.code));
  if (!finding.evidence.empty()) out.put(evidence_of(finding, index));
  out.put("</details>\n</article>\n");
}

}  // namespace

Html html_findings(const Report& report, const PageIndex& index, const RenderOptions& options) {
  Html out;
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    add_finding(out, report, i, index, options);
  if (out.empty()) return out;
  Html open;
  for (const auto& row : unexplained(report)) {
    if (row.optional) continue;
    open.put("{}<a href=\"#{}\">{}</a>", std::string_view(open.empty() ? "" : "; "),
             index.requirement(row.id), row.title);
  }
  if (!open.empty())
    out.put(R"(<p class="open">{} {}.</p>
)",
            say("Not explained by this:"), open);
  return out;
}

}  // namespace callready
