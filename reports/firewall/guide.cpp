// The header of a file for a device, as comments: for whom, from which edition, what is left out,
// and how it is loaded, checked and removed.
#include <fmt/format.h>

#include <algorithm>

#include "probe/util/text.hpp"
#include "reports/firewall/export.hpp"
#include "reports/firewall/notes.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr int line_width = 96;

// Lines of plain ASCII after the comment character, whatever a set's author wrote.
class Comments {
 public:
  explicit Comments(std::string_view sign) : sign_(sign) {}

  void add(const std::string& text, int indent = 0) {
    const auto safe = plain_ascii(harmless(text));
    if (text.starts_with(' ')) return line(safe);  // a command
    bool first = true;
    for (const auto& part : wrap(safe, line_width - indent, line_width - indent - 2)) {
      line(std::string(static_cast<std::size_t>(indent + (first ? 0 : 2)), ' ') + part);
      first = false;
    }
  }
  void add_all(std::string_view heading, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    add(std::string(heading));
    for (const auto& text : texts) add(text, 2);
  }
  std::string take() { return std::move(out_); }

 private:
  void line(const std::string& text) { out_ += fmt::format("{} {}\n", sign_, text); }
  std::string_view sign_;
  std::string out_;
};

std::string about(const FirewallList& list) {
  auto text = list.title + (list.edition.empty() ? "" : " (" + list.edition + ")");
  if (!list.document.empty()) text += ", according to: " + document_and_date(list);
  if (!list.scenarios.empty()) text += "; with: " + joined(list.scenarios, "; ");
  if (!list.needed_by.empty()) text += "; needed by: " + joined(list.needed_by);
  return text;
}

std::string rule_in_words(const DeviceRule& rule) {
  std::vector<std::string> rows;
  for (const auto& row : rule.rows) {
    rows.push_back(row.severity == Severity::required
                       ? rule.marked(row)
                       : fmt::format("{} ({})", rule.marked(row), to_string(row.severity)));
  }
  return fmt::format("{}: {} {} {}{}: {}", rule.name, rule.traffic(), rule.inbound ? "from" : "to",
                     say_plural(rule.peers.size(), "{} entry", "{} entries"),
                     rule.at_home ? " of your own network" : "", joined(rows, "; "));
}

// "cr-rainbow-udp3478: 49152-65535": per rule, each list of ports once.
std::vector<std::string> source_ports_in(const std::vector<DeviceRule>& rules) {
  std::vector<std::string> found;
  for (const auto& rule : rules) {
    std::vector<std::string> lists;
    for (const auto& row : rule.rows) {
      if (!row.source_ports.empty()) add_once(lists, port_list(row.source_ports, ", "));
    }
    if (!lists.empty()) found.push_back(fmt::format("{}: {}", rule.name, joined(lists, "; or ")));
  }
  return found;
}

}  // namespace

std::vector<std::string> left_out_of(const std::vector<FirewallList>& lists) {
  auto left = left_to_the_customer(lists);
  for (const auto& list : lists) {
    for (const auto& rule : list.unfinished) {
      left.push_back(fmt::format("{}: {}", list.set, unfinished_in_words(rule)));
    }
    if (!list.others.empty()) {
      left.push_back(fmt::format("{}: what these need (add it with --scenario): {}", list.set,
                                 joined(list.others, "; ")));
    }
    if (list.not_required != 0) {
      left.push_back(fmt::format("{}: {}", list.set, not_required_in_words(list)));
    }
  }
  return left;
}

std::string header_of(const std::vector<FirewallList>& lists, const std::vector<DeviceRule>& rules,
                      const FirewallPage& page, const DeviceGuide& guide) {
  Comments out(guide.comment);
  out.add(fmt::format(
      "Firewall rules written by callready{}{}", page.date.empty() ? "" : " on " + page.date,
      page.only_missing ? ": only what a report of this site did not find open, for:" : ", for:"));
  for (const auto& list : lists) out.add(about(list), 2);
  out.add(std::string(guide.proof));
  std::vector<std::string> doubts, words;
  for (const auto& list : lists) {
    for (const auto& doubt : doubts_of(list)) doubts.push_back(list.set + ": " + doubt);
  }
  out.add_all("Check first:", doubts);
  for (const auto& rule : rules) words.push_back(rule_in_words(rule));
  out.add_all("The rules:", words);
  if (rules.empty()) out.add("There are no rules.");
  auto left = left_out_of(lists);
  append(left, guide.left_out);
  out.add_all("Left out, and yours to add:", left);
  out.add_all(
      "No rule matches source ports, since NAT and proxies change them. The documents name:",
      source_ports_in(rules));
  for (const auto& step : guide.steps) out.add(step);
  return out.take();
}

std::vector<std::string> inbound_step(const std::vector<DeviceRule>& rules, std::string_view how) {
  std::vector<std::string> names;
  for (const auto& rule : rules) {
    if (rule.inbound) names.push_back(rule.name);
  }
  if (names.empty()) return {};
  return {
      fmt::format("Traffic from outside ({}): if your server is behind NAT, the ports must also "
                  "be forwarded to it (DNAT), {}.",
                  joined(names), how)};
}

std::string removal_of(std::string_view comment, const std::vector<std::string>& commands) {
  std::string out;
  for (const auto& command : commands) out += fmt::format("{}- {}\n", comment, command);
  return out;
}

std::vector<std::string> patterns_in(const std::vector<DeviceRule>& rules, std::string_view why) {
  std::vector<std::string> found;
  for (const auto& rule : rules) {
    std::vector<std::string> patterns;
    for (const auto& peer : rule.peers) {
      if (peer.kind == PeerKind::wildcard) patterns.push_back(peer.text);
    }
    if (!patterns.empty()) {
      found.push_back(
          fmt::format("{} ({}): {}: {}", rule.name, rule.traffic(), joined(patterns), why));
    }
  }
  return found;
}

}  // namespace callready
