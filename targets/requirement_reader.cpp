#include "targets/requirement_reader.hpp"

#include <algorithm>
#include <array>

#include "probe/util/text.hpp"
#include "targets/destination_reader.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> spelled(const std::vector<Transport>& transports) {
  std::vector<std::string> words;
  for (const auto transport : transports) words.emplace_back(to_string(transport));
  return words;
}

void read_reach(MapReader& row, Reach& reach) {
  const auto* node = row.find("reach");
  if (node == nullptr) return;
  auto& problems = row.problems();
  if (node->is_map()) {
    MapReader map(*node, "'reach'", problems);
    const auto* at_least = map.find("at_least");
    const auto* nearest = map.find("nearest");
    if ((at_least == nullptr) == (nearest == nullptr)) {
      problems.add(node->position, "'reach': expected one of { at_least: N } and { nearest: N }");
    } else {
      reach.kind = at_least != nullptr ? Reach::Kind::at_least : Reach::Kind::nearest;
      const auto* count = at_least != nullptr ? at_least : nearest;
      reach.count = read_count(*count, "'reach'", problems).value_or(1);
    }
    map.finish();
    return;
  }
  if (node->is_scalar() && node->text == "all") return;
  if (node->is_scalar() && node->text == "any") {
    reach.kind = Reach::Kind::any;
    return;
  }
  problems.add(node->position,
               "'reach': expected all, any, { at_least: N } or { nearest: N }, "
               "found " +
                   describe(*node));
}

void read_thresholds(MapReader& row, Thresholds& thresholds) {
  const auto* node = row.find("thresholds");
  if (node == nullptr) return;
  MapReader map(*node, "'thresholds'", row.problems());
  constexpr double a_minute_ms = 60'000, a_terabit_kbps = 1e9;
  map.number("round_trip_ms", thresholds.round_trip_ms, a_minute_ms);
  map.number("one_way_delay_ms", thresholds.one_way_delay_ms, a_minute_ms);
  map.number("jitter_ms", thresholds.jitter_ms, a_minute_ms);
  map.number("loss_percent", thresholds.loss_percent, 100);
  map.number("bandwidth_kbps", thresholds.bandwidth_kbps, a_terabit_kbps);
  map.finish();
}

// `transport`: words, or variables for them. `rule` is nullptr where the check is not known.
void read_transports(MapReader& row, const Declared& declared, const CheckRule* rule,
                     Requirement& requirement) {
  auto& problems = row.problems();
  const auto* list = row.find("transport");
  const auto* items = list ? read_list(*list, "'transport'", problems) : nullptr;
  if (items == nullptr) return;
  for (const auto& item : *items) {
    const bool variable = item.is_scalar() && uses_variables(item.text, item.position,
                                                             "'transport'", declared, problems);
    std::optional<Transport> value;
    if (!variable) {
      value = read_word<Transport>(item, "'transport'", problems);
    } else {
      requirement.variable_transports.push_back(item.text);
      const auto filled = with_defaults(item.text, declared);
      value = filled ? parse<Transport>(*filled) : std::nullopt;
      if (filled && !value) {
        problems.add(item.position, "'transport': the default of " + in_quotes(item.text) + " is " +
                                        in_quotes(*filled) + "; expected udp, tcp or tls");
      }
    }
    if (!value) continue;
    if (rule != nullptr && std::find(rule->transports.begin(), rule->transports.end(), *value) ==
                               rule->transports.end()) {
      const auto does = joined(spelled(rule->transports));
      problems.add(item.position,
                   "check '" + std::string(to_string(rule->kind)) + "' " +
                       (does.empty() ? "takes no transport, found " : "does " + does + ", not ") +
                       std::string(to_string(*value)));
    }
    auto& all = requirement.transports;
    if (variable) continue;
    if (std::find(all.begin(), all.end(), *value) != all.end()) {
      problems.add(item.position, "'transport': " + in_quotes(item.text) + " is listed twice");
    }
    all.push_back(*value);
  }
}

void read_parameter(const YamlNode::Entry& entry, const Declared& declared, const CheckRule* rule,
                    Requirement& requirement, Problems& problems) {
  if (names_a_secret(entry.key)) {
    problems.add(entry.position, in_quotes(entry.key) +
                                     " under 'with': a target set never holds a "
                                     "secret; expected it in the environment or by --credentials");
    return;
  }
  const auto what = MapReader::name(entry.key);
  auto value = read_line(entry.value, what, problems);
  const bool variable =
      value && uses_variables(*value, entry.value.position, what, declared, problems);
  if (value && !variable && holds_sha256(entry.key)) {
    const auto digits = sha256_digits(*value);
    if (!digits) {
      problems.add(entry.value.position, what + ": " + in_quotes(*value) +
                                             " is no SHA-256; expected 64 hexadecimal digits");
    }
    value = digits;
  }
  if (value) requirement.with[entry.key] = *value;
  if (rule == nullptr) return;
  const auto& names = rule->parameters;
  if (contains(names, entry.key)) return;
  problems.add(entry.position,
               "unknown parameter " + in_quotes(entry.key) + " of check '" +
                   std::string(to_string(rule->kind)) + "'" +
                   (names.empty() ? "; it takes none" : did_you_mean(entry.key, names)));
}

void read_parameters(MapReader& row, const Declared& declared, const CheckRule* rule,
                     Requirement& requirement) {
  auto& problems = row.problems();
  const auto* with = row.find("with");
  if (with != nullptr && !with->is_map()) {
    problems.add(with->position, "'with': expected a block of keys, found " + describe(*with));
    return;
  }
  if (with != nullptr && !row.has("check")) {
    problems.add(with->position, "'with' holds parameters of a check, and there is no 'check'");
  }
  if (with != nullptr) {
    for (const auto& entry : with->entries) {
      read_parameter(entry, declared, rule, requirement, problems);
    }
  }
}

// `check` or `unprobed`; returns the check's rule if it is known.
const CheckRule* read_check(MapReader& row, const Declared& declared, Requirement& requirement) {
  auto& problems = row.problems();
  const auto* check = row.find("check");
  row.text("unprobed", requirement.unprobed);
  if (row.has("check") && row.has("unprobed")) {
    problems.add(row.position(),
                 "a requirement has both 'check' and 'unprobed'; expected one: how "
                 "it is tested, or why it cannot be");
  }
  if (!row.has("check") && !row.has("unprobed") && row.node().is_map()) {
    problems.add(row.position(),
                 "a requirement lacks 'check' (how it is tested) or 'unprobed' "
                 "(why it cannot be)");
  }
  if (check == nullptr) return nullptr;
  const auto kind = read_line(*check, "'check'", problems);
  if (!kind) return nullptr;
  requirement.check = parse<CheckKind>(*kind);
  const auto* rule = declared.rules.find(*kind);
  if (rule == nullptr) {
    const auto known = declared.rules.kinds();
    auto hint = did_you_mean(*kind, known);
    if (hint.ends_with('?'))
      hint += " Known" + did_you_mean({}, known).substr(7);  // "; known: ..."
    problems.add(check->position, "unknown check " + in_quotes(*kind) + hint);
  }
  return rule;
}

bool has_target(const Requirement& row) {
  const bool has_example = std::any_of(row.wildcards.begin(), row.wildcards.end(),
                                       [](const Wildcard& w) { return !w.examples.empty(); });
  return !row.hosts.empty() || !row.reverse_dns.empty() || !row.addresses.empty() ||
         !row.variable_addresses.empty() || !row.service_tags.empty() || has_example;
}

// Reports missing keys that the check cannot do without.
void judge_completeness(MapReader& row, const CheckRule& rule, const Requirement& requirement) {
  auto& problems = row.problems();
  const auto lacks = [&](const std::string& key, const std::string& why) {
    problems.add(row.position(), "a requirement lacks '" + key + "': check '" +
                                     std::string(to_string(rule.kind)) + "' " + why);
  };
  if (rule.needs_target && !rule.transports.empty() && !row.has("transport")) {
    lacks("transport", "does " + joined(spelled(rule.transports)));
  }
  if (rule.needs_ports && !row.has("ports")) lacks("ports", "needs to know where to send");
  const bool any_list =
      row.has("hosts") || row.has("reverse_dns") || row.has("addresses") || row.has("service_tags");
  if (!rule.needs_target || any_list || has_target(requirement)) return;
  problems.add(row.position(),
               row.has("wildcards")
                   ? "nothing to probe: no wildcard has 'examples'; give a host to try in its "
                     "place, or 'unprobed' in place of 'check'"
                   : "nothing to probe: check '" + std::string(to_string(rule.kind)) +
                         "' needs 'hosts', 'addresses', 'wildcards' or 'service_tags'");
}

// "m365/11": a kind of feed that targets/feeds.hpp can read, then the key of an entry in it.
bool is_feed(std::string_view text) {
  constexpr std::array kinds{"m365", "zoom", "aws", "google"};
  const auto parts = split(text, "/");
  return contains(kinds, parts.front()) &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.find_first_not_of(
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "abcdefghijklmnopqrstuvwxyz"
                                       "0123456789._-") == part.npos;
         });
}

void read_feed(MapReader& row, Requirement& requirement) {
  const auto* node = row.find("feed");
  const auto text = node ? read_line(*node, "'feed'", row.problems()) : std::nullopt;
  if (!text) return;
  if (is_feed(*text)) {
    requirement.feed = *text;
  } else {
    row.problems().add(node->position, "'feed': " + in_quotes(*text) +
                                           "; expected m365, zoom, aws or google, then \"/\" and "
                                           "an entry: m365/11");
  }
}

// Reports a count that can never be met.
void judge_reach(MapReader& row, const Requirement& requirement) {
  const auto& reach = requirement.reach;
  const bool countable =
      requirement.service_tags.empty() && requirement.wildcards.empty() &&
      requirement.reverse_dns.empty() && requirement.variable_addresses.empty() &&
      std::all_of(requirement.addresses.begin(), requirement.addresses.end(),
                  [](const auto& a) { return std::holds_alternative<IpAddress>(a.value); });
  const auto listed = requirement.hosts.size() + requirement.addresses.size();
  if (reach.kind != Reach::Kind::at_least || !countable || listed == 0) return;
  if (static_cast<std::size_t>(reach.count) <= listed) return;
  row.problems().add(row.find("reach")->position,
                     "'reach': expected at most " + std::to_string(listed) +
                         ", the number of hosts and addresses, found " +
                         std::to_string(reach.count));
}

// Networks contain other people's machines: unless the file says that something listens there, they
// are not scanned.
bool holds_networks(const Requirement& requirement) {
  return !requirement.service_tags.empty() ||
         std::any_of(requirement.addresses.begin(), requirement.addresses.end(),
                     [](const auto& a) { return !std::holds_alternative<IpAddress>(a.value); });
}

}  // namespace

Requirement read_requirement(const YamlNode& node, const Declared& declared, Problems& problems) {
  MapReader row(node, "a requirement", problems);
  Requirement requirement;
  requirement.position = node.position;
  row.require_id("id", requirement.id);
  row.require_line("title", requirement.title);
  row.text("purpose", requirement.purpose);
  read_source(row, declared, requirement.source);
  row.text("note", requirement.note);
  read_scenarios(row, declared, requirement.scenarios);
  row.word("severity", requirement.severity);
  row.words("vantage", requirement.vantages);
  row.lines("clients", requirement.clients);
  row.word("direction", requirement.direction);
  row.word("lifecycle", requirement.lifecycle);
  row.word("evidence", requirement.evidence);
  read_source_ports(row, requirement);
  row.word("proxy", requirement.proxy);
  row.word("allow_by", requirement.allow_by);
  row.word("priority", requirement.priority);
  const auto* rule = read_check(row, declared, requirement);
  read_transports(row, declared, rule, requirement);
  read_ports(row, declared, requirement);
  row.find("traffic");  // already split into rows (traffic.hpp)
  read_reach(row, requirement.reach);
  read_parameters(row, declared, rule, requirement);
  read_destinations(row, declared, requirement);
  read_feed(row, requirement);
  requirement.listening = !holds_networks(requirement);
  row.flag("listening", requirement.listening);
  row.lines("local_peers", requirement.local_peers);
  row.lines("conditions", requirement.conditions);
  row.lines("error_texts", requirement.error_texts);
  read_thresholds(row, requirement.thresholds);
  row.finish();
  if (rule != nullptr) judge_completeness(row, *rule, requirement);
  judge_reach(row, requirement);
  return requirement;
}

}  // namespace callready
