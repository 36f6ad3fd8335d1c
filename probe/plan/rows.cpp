#include "probe/plan/rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

constexpr auto service_tags_url = "https://www.microsoft.com/en-us/download/details.aspx?id=56519";

bool intersects(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& item) { return contains(b, item); });
}

bool names(const std::vector<std::string>& ids, const TargetSet& set, const Requirement& row) {
  return contains(ids, row.id) || contains(ids, set.id + '/' + row.id);
}

bool sent_from_a_pc(const Requirement& row) {
  return row.vantages.empty() ||
         std::any_of(row.vantages.begin(), row.vantages.end(),
                     [](Vantage v) { return v == Vantage::pc || v == Vantage::browser; });
}

// "room device, mobile": the words that --from takes, as people write them.
std::string vantages_of(const Requirement& row) {
  std::vector<std::string> words;
  for (const auto vantage : row.vantages) {
    auto& word = words.emplace_back(to_string(vantage));
    std::ranges::replace(word, '-', ' ');
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::size_t quota_of(const Row& row, const PlanOptions& options) {
  // One server per transport shows what the site does to SIP; more messages than needed may get the
  // site banned.
  if (row.requirement.check == CheckKind::sip_alg)
    return std::min(row.requirement.transports.size(), row.candidates.size());
  // A stream takes as long as a short call: one shows what the line does to all.
  if (row.requirement.check == CheckKind::media)
    return std::min<std::size_t>(1, row.candidates.size());
  if (options.all) return row.candidates.size();
  const auto& reach = row.requirement.reach;
  std::size_t wanted = hosts_per_requirement;
  if (row.requirement.check == CheckKind::udp_range || !row.requirement.listening) {
    wanted = row.requirement.severity == Severity::required ? hosts_per_range : 1;
  }
  if (reach.kind == Reach::Kind::nearest) {
    std::set<std::string> areas;
    for (const auto& candidate : row.candidates) areas.insert(candidate.area);
    wanted = std::clamp<std::size_t>(areas.size(), wanted, areas_per_requirement);
  }
  if (reach.kind == Reach::Kind::nearest || reach.kind == Reach::Kind::at_least) {
    wanted = std::max(wanted, static_cast<std::size_t>(reach.count));
  }
  return std::min(wanted, row.candidates.size());
}

// What not everybody has: without it there is nothing to ask for.
bool all_optional(const TargetSet& set, const std::vector<std::string>& variables) {
  return std::all_of(variables.begin(), variables.end(), [&](const std::string& name) {
    return std::any_of(set.variables.begin(), set.variables.end(), [&](const Variable& variable) {
      return variable.name == name && variable.optional;
    });
  });
}

bool only_service_tags(const Row& row) {
  return row.candidates.empty() && !row.requirement.service_tags.empty();
}

// Why the row cannot be probed from here, or nothing.
Text reason_to_skip(const Row& row, const std::vector<std::string>& missing,
                    const std::vector<std::string>& problems, const PlanOptions& options) {
  const auto& requirement = row.requirement;
  if (requirement.direction == Direction::in) {
    const auto where = vantages_of(requirement);
    return where.empty() ? phrase("inbound: cannot be tested from inside")
                         : phrase("inbound: cannot be tested from inside; it ends at: {}", where);
  }
  if (!requirement.check) return requirement.unprobed;
  if (requirement.check == CheckKind::media && !options.quality && !options.streams)
    return phrase("a call-like stream takes time to measure: use --quality");
  if (requirement.lifecycle == Lifecycle::removed)
    return phrase("the document says that it was removed");
  if (!missing.empty()) {
    return phrase("needs your own value: --var {}=...", fmt::join(missing, "=... --var "));
  }
  if (!problems.empty()) return fmt::format("{}", fmt::join(problems, "; "));
  if (!requirement.listening && requirement.check != CheckKind::udp_range &&
      !sends_only_to_the_edge(requirement)) {
    return phrase(
        "networks without a known listener are not probed: the machines there belong to other "
        "people");
  }
  if (row.candidates.empty()) {
    if (only_service_tags(row)) {
      return options.service_tags == nullptr
                 ? phrase(
                       "listed as Azure service tags, whose networks change every week: download "
                       "Microsoft's list ({}) and pass it with --service-tags FILE",
                       service_tags_url)
                 : phrase("none of its service tags is in {}", options.service_tags->file);
    }
    if (!requirement.wildcards.empty()) {
      return phrase("only the wildcard {} is listed, with no example name to try",
                    requirement.wildcards.front().pattern);
    }
    return options.regions.empty() ? phrase("the document says that all its endpoints were removed")
                                   : phrase("none of its endpoints is in the chosen regions");
  }
  return {};
}

// True where needs have the row among their later alternatives only.
bool is_fallback(const TargetSet& set, const std::string& row) {
  bool later = false;
  for (const auto& capability : set.capabilities) {
    for (const auto& need : capability.needs) {
      for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
        if (!contains(need.alternatives[i], row)) continue;
        if (i == 0) return false;
        later = true;
      }
    }
  }
  return later;
}

std::set<std::string> own_hosts_of(const Requirement& requirement, const VariableValues& given) {
  std::set<std::string> own;
  const auto add = [&](const std::string& text) {
    if (text.find("${") == std::string::npos) return;
    const auto expanded = expand_variables(text, given);
    if (expanded.missing.empty()) own.insert(expanded.text);
  };
  for (const auto& host : requirement.hosts) add(host.name);
  for (const auto& address : requirement.variable_addresses) add(address.text);
  return own;
}

// Patterns without a known name: a run that reaches the row's other hosts says nothing about them.
Text untried_patterns(const Requirement& row) {
  std::vector<std::string> patterns;
  for (const auto& wildcard : row.wildcards) {
    const bool known = !wildcard.examples.empty() ||
                       std::any_of(row.hosts.begin(), row.hosts.end(), [&](const Host& host) {
                         return matches_wildcard(host.name, wildcard.pattern);
                       });
    if (!known) patterns.push_back(wildcard.pattern);
  }
  if (patterns.empty()) return {};
  return phrase("no name that matches {} is known, so none was tried", joined_texts(patterns));
}

}  // namespace

bool is_selected(const TargetSet& set, const Requirement& row, const PlanOptions& options,
                 const std::vector<std::string>& scenarios) {
  if (names(options.skip, set, row)) return false;
  if (!options.only.empty() && !names(options.only, set, row)) return false;
  // A row that was asked for by its name is wanted in any scenario.
  if (options.only.empty() && !row.scenarios.empty() && !intersects(row.scenarios, scenarios)) {
    return false;
  }
  if (options.from && !row.vantages.empty() && !contains(row.vantages, *options.from)) {
    return false;
  }
  return options.client.empty() || row.clients.empty() || contains(row.clients, options.client);
}

Row make_row(const TargetSet& set, const Requirement& requirement, const PlanOptions& options) {
  Row row;
  row.set = &set;
  auto expanded = expand_variables(requirement, variable_values(set, options.variables));
  row.requirement = std::move(expanded.requirement);
  row.named = names(options.only, set, requirement);
  row.fallback = is_fallback(set, requirement.id);
  row.planned.set = set.id;
  row.planned.requirement = requirement.id;
  std::vector<std::string> unknown_tags;
  if (options.service_tags != nullptr && !row.requirement.service_tags.empty()) {
    unknown_tags = add_service_tags(set, row.requirement, *options.service_tags);
  }
  row.own_hosts = own_hosts_of(requirement, given_values(set, options.variables));
  row.candidates = candidates_of(set, row.requirement, options.regions, options.v4);
  if (asks_only_hosts(row.requirement)) row.requirement.listening = true;
  row.total = row.candidates.size();
  row.planned.skipped = reason_to_skip(row, expanded.missing, expanded.problems, options);
  row.planned.open_question =
      !row.planned.skipped.empty() && row.requirement.direction == Direction::out &&
      row.requirement.check && (!all_optional(set, expanded.missing) || only_service_tags(row));
  row.planned.untried =
      row.planned.open_question || (!row.planned.skipped.empty() && !row.requirement.listening &&
                                    row.requirement.direction == Direction::out);
  if (row.planned.skipped.empty()) {
    row.quota = quota_of(row, options);
    std::vector<Text> notes;
    if (!options.from && !sent_from_a_pc(row.requirement)) {
      row.planned.elsewhere = true;
      notes.push_back(
          phrase("measured from this computer; to be certain, repeat it on the network of the {}",
                 vantages_of(row.requirement)));
    }
    if (!unknown_tags.empty()) {
      notes.push_back(
          phrase("not in {}: {}", options.service_tags->file, joined_texts(unknown_tags)));
    }
    if (auto patterns = untried_patterns(row.requirement); !patterns.empty()) {
      notes.push_back(std::move(patterns));
    }
    row.planned.note = joined_texts(notes, "; ");
  }
  return row;
}

bool sends_only_to_the_edge(const Requirement& requirement) {
  const auto check = requirement.check;
  return !requirement.listening &&
         (check == CheckKind::tcp || check == CheckKind::tls || check == CheckKind::stun);
}

}  // namespace callready
