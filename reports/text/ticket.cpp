#include "reports/text/ticket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probe/model/set_age.hpp"
#include "probe/util/text.hpp"
#include "reports/format.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/rule_words.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr std::size_t most_lines = 25;
constexpr std::size_t most_services = 2;
constexpr std::size_t most_causes = 3;
constexpr std::size_t most_titles = 3;
constexpr std::size_t most_evidence = 2;
constexpr std::size_t most_peers = 12;
// Below the causes: where to find the full list, and what to do afterwards.
constexpr std::size_t last_lines = 2;

class TicketLines {
 public:
  void add(std::string_view heading, const std::string& text) {
    if (text.empty()) return;
    const auto name = heading.empty() ? std::string() : say("{}:", heading);
    const auto blank = std::max(label_width() - columns(name), 1);
    lines_.push_back(harmless(name + std::string(static_cast<std::size_t>(blank), ' ') + text));
  }
  std::size_t size() const { return lines_.size(); }
  std::string text() const { return joined(lines_, "\n") + '\n'; }

 private:
  static int label_width() {
    int width = 0;
    for (const auto& heading : {say("Verdict"), say("Measured"), say("Source"), say("Cause"),
                                say("Also"), say("Users see"), say("Who"), say("To do"),
                                say("Evidence"), say("Full list"), say("Afterwards")}) {
      width = std::max(width, columns(say("{}:", heading)));
    }
    return width + 1;
  }
  std::vector<std::string> lines_;
};

using Findings = std::vector<const Finding*>;

using Sets = std::vector<const SetResult*>;

// The sets that the findings affect, or ask to let something through for; if they affect none, all
// sets of the report. If these are all of its findings, the sets that are not decided as well.
Sets sets_of(const Report& report, const Findings& findings) {
  std::set<std::string> affected, asked;
  for (const auto* finding : findings) {
    for (const auto& one : finding->affects) affected.insert(one.set);
    for (const auto& rule : finding->rules) asked.insert(rule.set);
  }
  Sets sets;
  for (const auto& set : report.sets) {
    if (affected.empty() || affected.contains(set.id) || asked.contains(set.id)) {
      sets.push_back(&set);
    }
  }
  if (findings.size() == report.findings.size()) {
    for (const auto& set : report.sets) {
      if (set.verdict == Verdict::unknown) add_once(sets, &set);
    }
  }
  return sets;
}

// Why to double-check before opening anything based on it: "a second-hand list, published about
// 2016".
std::string doubt_in_short(SourceQuality evidence, std::string_view published,
                           std::string_view today) {
  std::vector<std::string> doubts;
  if (doubtful(evidence)) doubts.push_back(source_words(evidence, ""));
  if (is_old(published, today)) doubts.push_back(say("published {}", published_words(published)));
  return joined(doubts);
}

void add_sources(TicketLines& block, const Report& report, const Sets& sets) {
  const auto today = format_rfc3339(report.started_at).substr(0, 10);
  std::vector<std::string> doubts;
  const auto tell = [&](const std::string& name, SourceQuality evidence,
                        const std::string& published) {
    const auto doubt = doubt_in_short(evidence, published, today);
    if (!doubt.empty()) add_once(doubts, say("{}: {}", name, doubt));
  };
  for (const auto* set : sets) {
    tell(set_name(*set), set->evidence, set->published);
    for (const auto& needed : set->leans_on) {
      const auto& rows = set->requirements;
      const bool counts = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
        return row.of_set == needed.id && row.status != Status::skip;
      });
      if (counts) tell(needed.title, needed.evidence, needed.published);
    }
  }
  if (doubts.empty()) return;
  block.add(say("Source"), joined(doubts, "; "));
}

void add_head(TicketLines& block, const Report& report, const Sets& sets) {
  const auto told = std::min(sets.size(), most_services);
  for (std::size_t i = 0; i < told; ++i) {
    const auto& set = *sets[i];
    block.add(i == 0 ? say("Verdict") : "",
              say("{}: {}", set_name(set), verdict_word(set.verdict)) + ". " +
                  verdict_sentences(set, report));
  }
  if (const auto more = sets.size() - told; more > 0) {
    block.add("", say_plural(more, "({} more service: see the report)",
                             "({} more services: see the report)"));
  }
  auto site = report.site.name;
  if (!report.site.host.empty()) {
    site += fmt::format("{}{}", site.empty() ? "" : ", ", report.site.host);
  }
  const std::string part =
      report.part.empty() ? "" : say(", only a part was tried ({})", part_asked(report));
  block.add(say("Measured"),
            fmt::format("{}{}{}{}{}, {} {}", site, site.empty() ? "" : ", ",
                        minute_of(report.started_at), report.complete ? "" : say(", incomplete"),
                        part, report.tool.name, report.tool.version));
  add_sources(block, report, sets);
}

// "UDP 3478 to a.example, b.example and 12 more (TURN servers over UDP)".
std::string in_a_line(const FirewallRule& rule) {
  std::vector<std::string> peers;
  for (const auto& peer : rule.peers) {
    if (peers.size() < most_peers) peers.push_back(peer.text);
  }
  // As the fix above it does.
  auto text = fmt::format("{} {}", protocol_in_short(rule), ports_in_words(rule));
  if (!rule.source_ports.empty()) text += ' ' + from_source_ports(rule);
  if (!peers.empty()) {
    const auto all = joined(peers);
    text += ' ' + (rule.direction == Direction::in ? say("from {}", all) : say("to {}", all));
  }
  if (const auto more = rule.peers.size() - peers.size(); more > 0) {
    text = say("{} and {} more", text, more);
  }
  if (rule.severity == Severity::required) return say("{} ({})", text, joined(rule.titles, "; "));
  return say("{} ({}; {})", text, joined(rule.titles, "; "), severity_word(rule.severity));
}

// None if the fix already names them with all their peers, and there is nothing to add.
std::size_t rules_to_list(const Finding& finding) {
  const bool any_source = std::ranges::all_of(
      finding.rules, [](const FirewallRule& rule) { return rule.source_ports.empty(); });
  const bool told = any_source && !is_cut_short(finding.rules) &&
                    finding.fix.find(in_short(finding.rules)) != std::string::npos;
  return told ? 0 : finding.rules.size();
}

std::string cause_in_a_line(const Finding& finding) {
  const auto doubt = caution(finding);
  return say("{} ({}; code {})", finding.title,
             doubt.empty() ? confidence_word(finding.confidence) : doubt, to_string(finding.code));
}

void add_cause(TicketLines& block, const Report& report, const Finding& finding,
               std::size_t most_rules, std::size_t told_evidence) {
  auto cause = cause_in_a_line(finding);
  if (!finding.seen_from.empty()) cause += say("; seen from {}", joined(finding.seen_from));
  block.add(say("Cause"), cause);
  block.add(say("Users see"), seen_by_users(finding, report));
  block.add(say("Who"), team(finding.owner));
  block.add(say("To do"), finding.fix.string());
  const auto rules = rules_to_list(finding), shown = std::min(rules, most_rules);
  for (std::size_t i = 0; i < shown; ++i) {
    auto line = "- " + in_a_line(finding.rules[i]);
    if (i + 1 == shown && rules > shown) {
      line += is_in_the_list(finding)
                  ? say_plural(rules - shown, " (and {} more rule: see the full list)",
                               " (and {} more rules: see the full list)")
                  : say_plural(rules - shown, " (and {} more rule: see the report)",
                               " (and {} more rules: see the report)");
    }
    block.add("", line);
  }
  std::set<Text> told;
  for (const auto& evidence : finding.evidence) {
    if (told.size() == told_evidence) break;
    if (told.insert(evidence.text).second) {
      block.add(told.size() == 1 ? say("Evidence") : "", as_sentence(evidence.text.string()));
    }
  }
}

// Causes that are told in a line each. What is more than `most_titles` is counted.
void add_titles(TicketLines& block, const Findings& findings) {
  const auto told = findings.size() > most_titles ? most_titles - 1 : findings.size();
  for (std::size_t i = 0; i < told; ++i)
    block.add(i == 0 ? say("Also") : "", cause_in_a_line(*findings[i]));
  if (const auto more = findings.size() - told; more > 0)
    block.add("", say("({} more causes: see the report)", more));
}

bool is_cut(const Finding& finding, std::size_t most_rules) {
  return is_in_the_list(finding) &&
         (rules_to_list(finding) > most_rules ||
          std::any_of(finding.rules.begin(), finding.rules.end(),
                      [](const FirewallRule& rule) { return rule.peers.size() > most_peers; }));
}

void add_end(TicketLines& block, const Report& report, const Findings& findings, bool cut,
             bool is_last) {
  std::string names;
  for (const auto* set : sets_of(report, findings)) names += ' ' + set->id;
  if (cut) block.add(say("Full list"), command_for_the_list(names, is_last));
  auto command = "callready check" + names;
  if (report.site.vantage) command += fmt::format(" --from {}", to_string(*report.site.vantage));
  const bool one = findings.size() == 1;
  std::string then;
  if (report.vantages.empty()) {
    then = one ? say("Run \"{}\" again there; this problem should be gone.", command)
               : say("Run \"{}\" again there; these problems should be gone.", command);
  } else {
    then =
        one ? say("Run \"{}\" again at each of these places; this problem should be gone.", command)
            : say("Run \"{}\" again at each of these places; these problems should be gone.",
                  command);
  }
  // The report does not hold the file's path or the variables' values, which may be secret.
  if (!report.site.own_hosts.empty()) {
    then += ' ' + say("Add the same options as in this run (--set, --var).");
  }
  block.add(say("Afterwards"), then);
}

// What was seen of the rows that no cause explains and that keep a set from being ready.
void add_open_rows(TicketLines& block, const Report& report) {
  std::size_t told = 0;
  for (const auto& set : report.sets) {
    if (set.verdict == Verdict::ready) continue;
    for (const auto& row : set.requirements) {
      const bool open = row.status == Status::fail || row.status == Status::unknown;
      if (!open || row.severity == Severity::optional || told == most_evidence) continue;
      block.add(++told == 1 ? say("Evidence") : "",
                as_sentence(say("{}: {}", title_of(row), summary_and_sample(row))));
    }
  }
}

std::string ticket_about(const Report& report, const Findings& findings, bool is_last) {
  TicketLines block;
  add_head(block, report, sets_of(report, findings));
  const auto told = std::min(findings.size(), most_causes);
  const auto titles = std::min(findings.size() - told, most_titles);
  auto evidence = most_evidence;
  const auto taken = [&] {
    TicketLines without_rules;
    for (std::size_t i = 0; i < told; ++i) {
      add_cause(without_rules, report, *findings[i], 0, evidence);
    }
    return block.size() + without_rules.size() + titles + last_lines;
  };
  if (taken() > most_lines) evidence = 1;
  auto room = most_lines - std::min(most_lines, taken());
  bool cut = false;
  for (std::size_t i = 0; i < told; ++i) {
    const auto rules = std::min(rules_to_list(*findings[i]), room);
    room -= rules;
    cut = cut || is_cut(*findings[i], rules);
    add_cause(block, report, *findings[i], rules, evidence);
  }
  add_titles(block, {findings.begin() + static_cast<std::ptrdiff_t>(told), findings.end()});
  add_end(block, report, findings, cut, is_last);
  return block.text();
}

}  // namespace

std::string ticket_of(const Report& report, std::size_t number, const RenderOptions& options) {
  return ticket_about(report, {&report.findings[number]}, options.is_last);
}

std::string render_ticket(const Report& report, const RenderOptions& options) {
  Findings findings;
  for (const auto& finding : report.findings) findings.push_back(&finding);
  if (!findings.empty()) return ticket_about(report, findings, options.is_last);
  TicketLines block;
  add_head(block, report, sets_of(report, {}));
  const auto open = unexplained_titles(report);
  // What was not tried before the run was stopped may be a problem, too.
  const auto undecided = [](const SetResult& set) { return set.verdict == Verdict::unknown; };
  const bool unknown =
      !report.complete || std::any_of(report.sets.begin(), report.sets.end(), undecided);
  block.add(say("Cause"), !open.empty()         ? say("not determined for: {}", joined(open))
                          : unknown             ? say("not determined; wait 60 s and run again")
                          : report.part.empty() ? say("No problem found.")
                                                : say("No problem found in what was tested."));
  add_open_rows(block, report);
  return block.text();
}

}  // namespace callready
