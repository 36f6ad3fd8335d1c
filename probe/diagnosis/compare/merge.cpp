#include "probe/diagnosis/compare/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/diagnosis/compare/compare.hpp"
#include "probe/diagnosis/compare/merge_rows.hpp"
#include "probe/diagnosis/findings.hpp"
#include "probe/diagnosis/status/judge.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

using merging::id_from;

std::string name_of(const MergeInput& part, const SetResult& set) {
  return fmt::format("{}: {}{}{}", part.name, set.id, set.edition.empty() ? "" : " ", set.edition);
}

// Two results of one set that are not about the same rows: another edition of the document, or
// another set that only has the same name.
std::string why_not_one_set(const MergeInput& a, const SetResult& left, const MergeInput& b,
                            const SetResult& right) {
  if (left.edition != right.edition) {
    return fmt::format(
        "the editions of {} differ ({}; {}): check both with the same edition, then merge", left.id,
        name_of(a, left), name_of(b, right));
  }
  if (left.title != right.title || left.document != right.document) {
    return fmt::format("{} is not the same set in {} and in {} (\"{}\", \"{}\")", left.id, a.name,
                       b.name, left.title, right.title);
  }
  const Indexed others(right.requirements);
  for (const auto& row : left.requirements) {
    const auto* other = others.find(row.id);
    if (other == nullptr) continue;
    if (row.severity != other->severity || row.title != other->title) {
      return fmt::format("{}/{} is not the same row in {} and in {}: the sets differ", left.id,
                         row.id, a.name, b.name);
    }
  }
  return {};
}

// Why these reports cannot be one site's, each reason once.
std::vector<std::string> problems_of(const std::vector<MergeInput>& parts) {
  std::vector<std::string> problems;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) add_once(problems, text);
  };
  for (std::size_t j = 0; j < parts.size(); ++j) {
    const auto& [name, report] = parts[j];
    for (std::size_t i = 0; i < j; ++i) {
      const auto& [other_name, other] = parts[i];
      if (name == other_name) {
        add(fmt::format("two reports are called \"{}\": give them different names (NAME=FILE)",
                        name));
      } else if (report.started_at == other.started_at && report.site.host == other.site.host &&
                 report.probes.size() == other.probes.size() && report.duration == other.duration) {
        add(fmt::format("{} and {} are the same run", other_name, name));
      }
      if (report.redacted != other.redacted) {
        add(
            fmt::format("{} and {} use pseudonyms made with different keys: merge the original "
                        "reports, then redact the result",
                        other_name, name));
      }
      for (const auto& set : report.sets) {
        const auto* known = find_by_id(other.sets, set.id);
        if (known != nullptr) add(why_not_one_set(parts[i], *known, parts[j], set));
      }
    }
  }
  return problems;
}

template <typename Value>
std::optional<Value> common(const std::vector<MergeInput>& parts,
                            std::optional<Value> Site::*member) {
  std::optional<Value> found;
  for (const auto& part : parts) {
    const auto& value = part.report.site.*member;
    if (!value) continue;
    if (found && *found != *value) return std::nullopt;
    found = value;
  }
  return found;
}

std::string common(const std::vector<MergeInput>& parts, std::string Site::*member) {
  const auto& first = parts.front().report.site.*member;
  const bool all = std::ranges::all_of(
      parts, [&](const MergeInput& part) { return part.report.site.*member == first; });
  return all ? first : std::string();
}

// What all agree on, and what the site has in any of them.
Site site_of(const std::vector<MergeInput>& parts, const std::string& name) {
  Site site;
  site.name = name.empty() ? common(parts, &Site::name) : name;
  site.host = common(parts, &Site::host);
  site.proxy = common(parts, &Site::proxy);
  for (const auto member :
       {&Site::nat_mapping, &Site::nat_filtering, &Site::nat_port_preservation, &Site::nat_hairpin,
        &Site::nat_translations, &Site::nat_binding_lifetime}) {
    site.*member = common(parts, member);
  }
  site.vantage = common(parts, &Site::vantage);
  std::set<std::pair<std::string, std::vector<IpAddress>>> interfaces;
  for (const auto& part : parts) {
    const auto& own = part.report.site;
    for (const auto& interface : own.interfaces) {
      if (interfaces.emplace(interface.name, interface.addresses).second)
        site.interfaces.push_back(interface);
    }
    append(site.ways, own.ways);
    add_new(site.resolvers, own.resolvers);
    append(site.resolver_links, own.resolver_links);
    add_new(site.public_addresses, own.public_addresses);
    add_new(site.own_hosts, own.own_hosts);
  }
  return site;
}

// The options that chose a part, with the place where not all had them: "voice: --skip web".
std::vector<std::string> options_of(const std::vector<MergeInput>& parts) {
  std::map<std::string, std::set<std::string>> places;  // by option
  for (const auto& part : parts) {
    for (const auto& option : part.report.part) places[option].insert(part.name);
  }
  std::vector<std::string> options;
  std::set<std::string> told;
  for (const auto& part : parts) {
    for (const auto& option : part.report.part) {
      const bool all = places.at(option).size() == parts.size();
      auto text = all ? option : part.name + ": " + option;
      if (told.insert(text).second) options.push_back(std::move(text));
    }
  }
  return options;
}

// "Merged from 2 reports: user (pc-17), voice (pc-18)."
Text origin_note(const std::vector<MergeInput>& parts) {
  const bool on_one = !common(parts, &Site::host).empty();
  std::vector<std::string> names;
  for (const auto& [name, report] : parts) {
    const auto& host = report.site.host;
    names.push_back(on_one || host.empty() ? name : fmt::format("{} ({})", name, host));
  }
  return phrase("Merged from {} reports: {}.", parts.size(), joined_texts(names));
}

Text age_note(const Report& merged) {
  const auto apart = merged.finished_at - merged.started_at;
  const auto days = std::chrono::duration_cast<std::chrono::days>(apart).count();
  if (days < 2) return {};
  return phrase(
      "These runs are up to {} days apart: changes made in between show as differences between the "
      "vantage points.",
      days);
}

}  // namespace

std::vector<MergeInput> parts_of(const Report& report, const std::string& name) {
  if (report.vantages.empty()) return {{name, report}};
  std::vector<MergeInput> parts;
  for (const auto& vantage : report.vantages) {
    MergeInput part;
    part.name = vantage.name;
    auto& own = part.report;
    static_cast<RunReport&>(own) = vantage;
    own.redacted = report.redacted;
    const auto suffix = id_from("", vantage.name);
    for (auto result : report.probes) {
      if (result.probe.vantage != vantage.name) continue;
      result.probe.vantage.clear();
      auto& id = result.probe.id;
      if (id.ends_with(suffix)) id.resize(id.size() - suffix.size());
      own.probes.push_back(std::move(result));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

ProbeResult seen_from(ProbeResult result, const std::string& vantage) {
  result.probe.id = id_from(result.probe.id, vantage);
  result.probe.vantage = vantage;
  return result;
}

MergeResult merge(const std::vector<MergeInput>& inputs, const std::string& site) {
  MergeResult result;
  std::vector<MergeInput> parts;
  for (const auto& input : inputs)
    std::ranges::move(parts_of(input.report, input.name), std::back_inserter(parts));
  if (parts.empty()) {
    result.errors.emplace_back("nothing to merge");
    return result;
  }
  result.errors = problems_of(parts);
  if (!result.errors.empty()) return result;
  for (auto& part : parts) {
    if (part.report.redacted.empty()) part.report.findings = diagnose(part.report);
  }

  auto& merged = result.report;
  const auto& first = parts.front().report;
  merged.tool = first.tool;
  merged.started_at = first.started_at;
  merged.finished_at = first.finished_at;
  merged.redacted = first.redacted;
  merged.site = site_of(parts, site);
  merged.part = options_of(parts);
  for (const auto& part : parts) {
    const auto& report = part.report;
    merged.started_at = std::min(merged.started_at, report.started_at);
    merged.finished_at = std::max(merged.finished_at, report.finished_at);
    merged.duration += report.duration;
    merged.complete = merged.complete && report.complete;
    for (const auto& probe : report.probes) merged.probes.push_back(seen_from(probe, part.name));
    merged.vantages.push_back({report, part.name});
  }
  merged.sets = merging::merged_sets(parts);
  merged.findings = merging::merged_findings(parts, merged.sets);
  weigh_findings(merged.findings, merged.sets);
  merged.notes.push_back(origin_note(parts));
  if (const auto note = age_note(merged); !note.empty()) merged.notes.push_back(note);
  for (const auto& part : parts) {
    for (const auto& note : part.report.notes)
      merged.notes.push_back(phrase("From {}: {}", part.name, note));
  }
  return result;
}

Report diagnosed_anew(const Report& report) {
  if (!report.redacted.empty()) return report;
  if (report.vantages.empty()) {
    auto fresh = report;
    fresh.findings = diagnose(report);
    keep_history(report.findings, fresh.findings);
    return fresh;
  }
  auto merged = merge(parts_of(report), report.site.name);
  if (!merged.errors.empty()) return report;  // made by hand, or by somebody else's rules
  merged.report.tool = report.tool;
  return std::move(merged.report);
}

}  // namespace callready
