#include "targets/refresh.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/util/text.hpp"
#include "targets/changes.hpp"
#include "targets/expand_variables.hpp"
#include "targets/loader.hpp"
#include "targets/syntax.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

constexpr std::size_t most_changes = 50;

// The items of a list; empty if there is no such key.
const std::vector<YamlNode>& items_of(const YamlNode& map, std::string_view key) {
  static const std::vector<YamlNode> none;
  const auto* entry = map.find(key);
  return entry != nullptr ? entry->value.items : none;
}

std::string scalar(const YamlNode& map, std::string_view key) {
  const auto* entry = map.find(key);
  return entry != nullptr && entry->value.is_scalar() ? entry->value.text : std::string();
}

// One of a row's three lists.
struct List {
  std::string_view key;
  std::vector<std::string> members;  // what an entry in { } may be called by
};
const List lists[] = {{"hosts", {"name"}},
                      {"wildcards", {"pattern"}},
                      {"addresses", {"address", "network", "range"}}};

std::string value_of(const YamlNode& item, const List& list) {
  if (item.is_scalar()) return item.text;
  for (const auto& member : list.members) {
    if (auto text = scalar(item, member); !text.empty()) return text;
  }
  return {};
}

// The normal form, the same for all spellings of one network or name; empty for a range.
std::string normal(const std::string& text, const List& list) {
  if (list.key != "addresses") return lower_case(text);
  const auto value = parse_address(text);
  if (!value || std::holds_alternative<AddressRange>(*value)) return {};
  if (const auto* network = std::get_if<Network>(&*value)) return network->masked().to_string();
  const auto& address = std::get<IpAddress>(*value);
  return Network{address, address.bits()}.to_string();
}

// As YAML that is valid in any context: quoted unless it is letters, digits and "-./_".
std::string as_yaml(const YamlNode& node) {
  const auto plain = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '/' || c == '_';
    });
  };
  if (node.is_scalar()) {
    return node.plain && plain(node.text) ? node.text : yaml_quoted(node.text);
  }
  std::string text;
  if (node.is_list()) {
    for (const auto& item : node.items) text += (text.empty() ? "" : ", ") + as_yaml(item);
    return '[' + text + ']';
  }
  for (const auto& entry : node.entries) {
    text += (text.empty() ? " " : ", ") + entry.key + ": " + as_yaml(entry.value);
  }
  return '{' + text + " }";
}

class Refresher {
 public:
  Refresher(std::string_view text, std::string name, const Feed& feed, const LoadRules& rules)
      : name_(std::move(name)), feed_(feed), rules_(rules), text_(text) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      auto next = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (next.ends_with('\r')) {
        next.remove_suffix(1);
        line_end_ = "\r\n";
      }
      lines_.push_back(next);
    }
  }

  RefreshResult run() {
    const auto before = load_text(text_, name_, rules_);
    result_.problems = before.problems;
    if (!before.set) return std::move(result_);
    Problems problems(name_);
    const auto root = parse_yaml(text_, problems).value_or(YamlNode());
    bool named = false;
    for (const auto& row : items_of(root, "requirements")) {
      const auto entry = entry_for(row);
      if (!entry) continue;
      named = true;
      refresh(row, *entry);
    }
    if (!named && result_.warnings.empty()) {
      complain({}, "no row names this feed; add for instance 'feed: " + example() + "'");
    }
    if (!result_.problems.empty()) return std::move(result_);
    auto text = with_edits();
    const auto after = load_text(text, name_, rules_);
    result_.problems = after.problems;
    if (!after.set) return std::move(result_);
    result_.changes = changes(*before.set, *after.set, most_changes);
    result_.text = std::move(text);
    return std::move(result_);
  }

 private:
  // Replaces the lines from the edit's key in `edits_` up to, not including, `end` (0-based).
  struct Edit {
    std::size_t end;
    std::vector<std::string> lines;
  };

  void complain(Position at, std::string message) {
    result_.problems.push_back({name_, at.line, at.column, std::move(message)});
  }

  std::string example() const {
    if (feed_.kind == FeedKind::azure) return "service_tags";
    const auto key = feed_.entries.empty() ? std::string() : feed_.entries.front().key;
    return std::string(feed_word(feed_.kind)) + (key.empty() ? "" : "/" + key);
  }

  // What the feed has for this row; nothing if the row does not name this feed.
  std::optional<FeedEntry> entry_for(const YamlNode& row) {
    std::vector<std::string> keys;
    if (feed_.kind == FeedKind::azure) {
      for (const auto& tag : items_of(row, "service_tags")) keys.push_back(lower_case(tag.text));
    } else {
      const auto text = scalar(row, "feed");
      const auto word = text.substr(0, text.find('/'));
      if (word != feed_word(feed_.kind)) return std::nullopt;
      keys.push_back(word.size() == text.size() ? "" : text.substr(word.size() + 1));
    }
    std::optional<FeedEntry> all;
    for (const auto& key : keys) {
      auto entry = feed_.find(key);
      if (!entry) {
        // Each of Zoom's files covers one product; rows of other products are not an error.
        if (feed_.kind != FeedKind::zoom) {
          result_.warnings.push_back(scalar(row, "id") + ": " + feed_.source + " has no entry " +
                                     in_quotes(key) + "; the row stays as it is");
        }
        continue;
      }
      if (!all) {
        all = std::move(entry);
      } else {
        all->networks.insert(all->networks.end(), entry->networks.begin(), entry->networks.end());
      }
    }
    return all;
  }

  void refresh(const YamlNode& row, const FeedEntry& entry) {
    std::vector<std::string> networks;
    for (const auto& network : entry.networks) networks.push_back(network.to_string());
    const std::vector<std::string> wanted[] = {entry.names, entry.wildcards, networks};
    const bool none = std::none_of(std::begin(lists), std::end(lists),
                                   [&](const List& list) { return row.find(list.key); });
    for (std::size_t i = 0; i < std::size(lists); ++i) {
      if (wanted[i].empty()) continue;
      const auto* list = row.find(lists[i].key);
      if (list != nullptr) {
        replace(row, *list, lists[i], wanted[i], entry);
      } else if (none) {
        add(row, lists[i], wanted[i]);
      }
    }
  }

  std::string_view line(int number) const { return lines_[static_cast<std::size_t>(number) - 1]; }

  // False, and reported, if the key does not begin its line: a row in { }.
  bool begins_its_line(const YamlNode& row, const YamlNode::Entry& entry) {
    const auto before =
        line(entry.position.line).substr(0, static_cast<std::size_t>(entry.position.column) - 1);
    if (before.find_first_not_of(" -") == std::string_view::npos) return true;
    complain(entry.position, "the row " + in_quotes(scalar(row, "id")) +
                                 " is written in { }; expected each key on a line of its own");
    return false;
  }

  // The line (0-based) after the value of a key in column `column` of line `first` (1-based).
  std::size_t end_of_value(int first, int column) const {
    auto end = static_cast<std::size_t>(first);
    for (auto i = end; i < lines_.size(); ++i) {
      const auto at = lines_[i].find_first_not_of(' ');
      if (at == std::string_view::npos || lines_[i][at] == '#') continue;
      const auto indent = static_cast<int>(at) + 1;
      const auto content = lines_[i].substr(at);
      const bool beside = content.starts_with("- ") || content.starts_with(']');
      if (indent < column || (indent == column && !beside)) break;
      end = i + 1;
    }
    return end;
  }

  bool stays(const YamlNode& item, const List& list, const std::set<std::string>& wanted,
             const FeedEntry& entry) const {
    const auto form = normal(value_of(item, list), list);
    if (form.empty() || wanted.contains(form)) return true;  // a range, a variable, or listed
    if (item.is_map() && scalar(item, "lifecycle") == "removed") return true;
    if (list.key == "hosts") {
      return std::any_of(entry.wildcards.begin(), entry.wildcards.end(),
                         [&](const auto& pattern) { return matches_wildcard(form, pattern); });
    }
    const auto network = list.key == "addresses" ? Network::parse(form) : std::nullopt;
    return network && network->address.is_v6() && !feed_.has_ipv6();
  }

  // The lines of the items that stay, as they are where each has its own.
  std::vector<std::string> kept(const YamlNode::Entry& entry, const List& list, std::size_t end,
                                const std::set<std::string>& wanted, const FeedEntry& from,
                                std::set<std::string>& known, const std::string& indent) {
    std::vector<std::string> result;
    const auto& items = entry.value.items;
    const auto dash = [&](const YamlNode& item) {
      const auto text = line(item.position.line);
      const auto at = text.find_first_not_of(' ');
      return item.position.line > entry.position.line && at != std::string_view::npos &&
             text[at] == '-';
    };
    const bool in_lines = std::all_of(items.begin(), items.end(), dash);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!stays(items[i], list, wanted, from)) continue;
      known.insert(normal(value_of(items[i], list), list));
      if (!in_lines) {
        result.push_back(indent + "- " + as_yaml(items[i]));
        continue;
      }
      const auto first = static_cast<std::size_t>(items[i].position.line) - 1;
      const auto last =
          i + 1 < items.size() ? static_cast<std::size_t>(items[i + 1].position.line) - 1 : end;
      for (auto at = first; at < last; ++at) result.emplace_back(lines_[at]);
    }
    return result;
  }

  void replace(const YamlNode& row, const YamlNode::Entry& entry, const List& list,
               const std::vector<std::string>& values, const FeedEntry& from) {
    if (!begins_its_line(row, entry)) return;
    const auto head = line(entry.position.line);
    const auto colon = head.find(':', static_cast<std::size_t>(entry.position.column) - 1);
    auto rest = head.substr(colon + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.starts_with('*')) return;  // an alias: its anchor is refreshed in its own place
    const auto anchor =
        rest.starts_with('&') ? ' ' + std::string(rest.substr(0, rest.find(' '))) : std::string();
    const auto end = end_of_value(entry.position.line, entry.position.column);
    const std::string indent(static_cast<std::size_t>(entry.position.column) + 1, ' ');
    std::set<std::string> wanted, known;
    for (const auto& value : values) wanted.insert(normal(value, list));
    std::vector<std::string> result = {std::string(head.substr(0, colon + 1)) + anchor};
    auto items = kept(entry, list, end, wanted, from, known, indent);
    result.insert(result.end(), items.begin(), items.end());
    const auto own_indent =
        items.empty() ? indent : items.front().substr(0, items.front().find_first_not_of(' '));
    for (const auto& value : values) {
      if (known.insert(normal(value, list)).second) {
        result.push_back(own_indent + "- \"" + value + '"');
      }
    }
    // A list that was added to the row before may stand there already.
    auto& edit = edits_[static_cast<std::size_t>(entry.position.line) - 1];
    edit.end = end;
    append(edit.lines, result);
  }

  // Adds a list that the row does not have yet, after the key that names the feed.
  void add(const YamlNode& row, const List& list, const std::vector<std::string>& values) {
    const auto* behind = row.find(feed_.kind == FeedKind::azure ? "service_tags" : "feed");
    if (!begins_its_line(row, *behind)) return;
    const auto end = end_of_value(behind->position.line, behind->position.column);
    const std::string indent(static_cast<std::size_t>(behind->position.column) - 1, ' ');
    auto& edit = edits_.try_emplace(end, Edit{end, {}}).first->second;
    edit.lines.push_back(indent + std::string(list.key) + ':');
    for (const auto& value : values) edit.lines.push_back(indent + "  - \"" + value + '"');
  }

  std::string with_edits() const {
    std::string text;
    for (std::size_t i = 0; i <= lines_.size(); ++i) {
      const auto edit = edits_.find(i);
      if (edit != edits_.end()) {
        for (const auto& changed : edit->second.lines) text += changed + line_end_;
        if (edit->second.end > i) {
          i = edit->second.end - 1;
          continue;
        }
      }
      if (i < lines_.size()) text += std::string(lines_[i]) + line_end_;
    }
    return text;
  }

  std::string name_;
  const Feed& feed_;
  const LoadRules& rules_;
  std::string_view text_;
  std::vector<std::string_view> lines_;
  std::string line_end_ = "\n";
  std::map<std::size_t, Edit> edits_;  // by first line
  RefreshResult result_;
};

}  // namespace

RefreshResult refresh_set(std::string_view yaml_text, const std::string& name, const Feed& feed,
                          const LoadRules& rules) {
  return Refresher(yaml_text, name, feed, rules).run();
}

}  // namespace callready
