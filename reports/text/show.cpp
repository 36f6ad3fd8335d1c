#include "reports/text/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "probe/model/day.hpp"
#include "probe/model/describe.hpp"
#include "probe/model/set_age.hpp"
#include "probe/util/text.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr int label_width = 10;  // "Addresses", "Variables"

// The "label  text" lines of one block; leaves out what is empty in the document.
class Labelled {
 public:
  Labelled(Page& page, int indent) : page_(page), indent_(indent) {}

  void add(std::string_view label, std::string_view text) {
    if (!text.empty()) page_.labelled(label, text, indent_, label_width);
  }

  void add_each(std::string_view label, const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      add(label, text);
      label = "";
    }
  }

 private:
  Page& page_;
  int indent_;
};

template <typename Enum>
std::string words_text(const std::vector<Enum>& values) {
  std::vector<std::string> texts;
  for (const auto value : values) texts.emplace_back(to_string(value));
  return joined(texts);
}

std::string ports_text(const std::vector<PortRange>& ports,
                       const std::vector<std::string>& variable = {}) {
  std::vector<std::string> texts;
  for (const auto& range : ports) texts.push_back(range.to_string());
  texts.insert(texts.end(), variable.begin(), variable.end());
  return joined(texts);
}

// "text (optional; removed; note)"
std::string with_facts(std::string text, const std::string& fact, Lifecycle lifecycle,
                       const std::string& note) {
  std::vector<std::string> facts;
  if (!fact.empty()) facts.push_back(fact);
  if (lifecycle != Lifecycle::current) facts.emplace_back(to_string(lifecycle));
  if (!note.empty()) facts.push_back(note);
  return facts.empty() ? text : fmt::format("{} ({})", text, joined(facts, "; "));
}

// Destinations by region, in the order in which the document first names each: one text per region.
class ByRegion {
 public:
  void add(const std::string& text, const std::string& region, Lifecycle lifecycle,
           const std::string& note) {
    auto found = std::find_if(regions_.begin(), regions_.end(),
                              [&](const auto& known) { return known.first == region; });
    if (found == regions_.end()) found = regions_.insert(found, {region, {}});
    found->second.push_back(with_facts(text, "", lifecycle, note));
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const auto& [region, texts] : regions_) {
      all.push_back(region.empty() ? joined(texts) : fmt::format("{}: {}", region, joined(texts)));
    }
    return all;
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> regions_;
};

std::vector<std::string> host_texts(const std::vector<Host>& hosts) {
  ByRegion regions;
  for (const auto& host : hosts) regions.add(host.name, host.region, host.lifecycle, host.note);
  return regions.texts();
}

std::vector<std::string> address_texts(const Requirement& requirement) {
  ByRegion regions;
  for (const auto& block : requirement.addresses) {
    regions.add(block.to_string(), block.region, block.lifecycle, block.note);
  }
  for (const auto& block : requirement.variable_addresses) {
    regions.add(block.text, block.region, block.lifecycle, block.note);
  }
  return regions.texts();
}

std::vector<std::string> wildcard_texts(const std::vector<Wildcard>& wildcards) {
  std::vector<std::string> texts;
  for (const auto& wildcard : wildcards) {
    texts.push_back(wildcard.examples.empty() ? wildcard.pattern
                                              : fmt::format("{} (tried: {})", wildcard.pattern,
                                                            joined(host_texts(wildcard.examples))));
  }
  return texts;
}

std::string reach_text(const Reach& reach) {
  switch (reach.kind) {
    case Reach::Kind::all:
      return "all must answer";
    case Reach::Kind::any:
      return "one must answer";
    case Reach::Kind::at_least:
      return fmt::format("at least {} must answer", reach.count);
    case Reach::Kind::nearest:
      return reach.count == 1 ? "the nearest must answer"
                              : fmt::format("the nearest {} must answer", reach.count);
  }
  return "all must answer";
}

// "UDP and TCP 3478, 10000-20000"
std::string traffic_text(const Requirement& requirement) {
  std::vector<std::string> transports;
  for (const auto transport : requirement.transports) {
    transports.emplace_back(in_capitals(transport));
  }
  transports.insert(transports.end(), requirement.variable_transports.begin(),
                    requirement.variable_transports.end());
  auto text = joined(transports, " and ");
  const auto ports = ports_text(requirement.ports, requirement.variable_ports);
  if (!ports.empty()) text += (text.empty() ? "port " : " ") + ports;
  if (!requirement.source_ports.empty()) {
    text += fmt::format(", from source port {}", ports_text(requirement.source_ports));
  }
  if (requirement.direction == Direction::in) text += " (from outside to this site)";
  return text;
}

std::string check_text(const Requirement& requirement) {
  if (!requirement.check) return fmt::format("none: {}", requirement.unprobed);
  std::vector<std::string> parameters;
  for (const auto& [name, value] : requirement.with) parameters.push_back(name + '=' + value);
  std::string text(to_string(*requirement.check));
  if (!parameters.empty()) text += fmt::format(" ({})", joined(parameters));
  text += fmt::format(", {}", reach_text(requirement.reach));
  if (!requirement.listening) text += "; no known listener there, so it is never scanned";
  return text;
}

std::string firewall_text(const Requirement& requirement) {
  std::vector<std::string> rules;
  if (requirement.allow_by == AllowBy::name) rules.emplace_back("allow by name");
  if (requirement.allow_by == AllowBy::network) rules.emplace_back("allow by network");
  if (requirement.proxy == ProxyUse::allowed) rules.emplace_back("a proxy may carry it");
  if (requirement.priority) {
    rules.push_back(fmt::format("priority {}", to_string(*requirement.priority)));
  }
  if (requirement.proxy == ProxyUse::required) rules.emplace_back("must go through the proxy");
  return joined(rules);
}

std::vector<std::string> figures_of(const auto& of) {
  std::vector<std::string> figures;
  each_figure(of, [&](auto, std::string_view name, std::string_view unit,
                      const std::optional<double>& figure) {
    if (figure) figures.push_back(fmt::format("{} {}{}", name, *figure, unit));
  });
  return figures;
}

std::string quality_text(const MediaQuality& quality) {
  auto figures = figures_of(quality);
  const auto tell = [&](const std::string& name, const std::optional<double>& figure) {
    if (figure) figures.push_back(fmt::format("{} {} kbit/s", name, *figure));
  };
  tell("up", quality.bandwidth_up_kbps);
  tell("down", quality.bandwidth_down_kbps);
  for (const auto& one : quality.bandwidths) {
    tell(one.what + ", up", one.up_kbps);
    tell(one.what + ", down", one.down_kbps);
  }
  if (!quality.dscp.empty()) figures.push_back("DSCP " + quality.dscp);
  return fmt::format("{} ({})", joined(figures), quality.source);
}

void add_title(Page& page, const Requirement& requirement) {
  page.blank();
  const auto severity = requirement.severity == Severity::required
                            ? std::string()
                            : std::string(to_string(requirement.severity));
  page.paragraph(with_facts(fmt::format("{}: {}", requirement.id, requirement.title), severity,
                            requirement.lifecycle, ""),
                 Style::bold);
}

void add_requirement(Page& page, const Requirement& requirement) {
  add_title(page, requirement);
  Labelled block(page, 2);
  block.add("For", requirement.purpose);
  block.add("Traffic", traffic_text(requirement));
  block.add_each("Hosts", host_texts(requirement.hosts));
  block.add_each("Wildcards", wildcard_texts(requirement.wildcards));
  block.add_each("Addresses", address_texts(requirement));
  block.add_each("On site", requirement.local_peers);
  block.add("Tags", joined(requirement.service_tags));
  block.add_each("PTR names", host_texts(requirement.reverse_dns));
  block.add("Firewall", firewall_text(requirement));
  block.add("Check", check_text(requirement));
  block.add("From", words_text(requirement.vantages));
  block.add("Clients", joined(requirement.clients));
  block.add("Scenarios", joined(requirement.scenarios));
  block.add("Quality", joined(figures_of(requirement.thresholds)));
  block.add_each("People see", requirement.error_texts);
  block.add_each("Unclear", requirement.conditions);
  block.add("Note", requirement.note);
  block.add("Source", requirement.source);
  block.add("Text", requirement.evidence ? source_words(*requirement.evidence, "") : "");
  block.add("Of set", requirement.of_set);
}

// How many destinations of a list are named unless the whole list is asked for.
constexpr std::size_t most_named = 4;

// "27 names in 13 regions: turn-bhs1.example.com, turn-cap1.example.com and 25 more"
class ShortList {
 public:
  void add(const std::string& text, const std::string& region) {
    texts_.push_back(text);
    if (!region.empty()) regions_.insert(region);
  }
  std::string text(std::string_view what) const {
    if (texts_.empty()) return {};
    if (texts_.size() <= most_named) return joined(texts_);
    const std::vector<std::string> first(texts_.begin(), texts_.begin() + 2);
    const auto in = regions_.size() < 2 ? "" : fmt::format(" in {} regions", regions_.size());
    return fmt::format("{} {}{}: {} and {} more", texts_.size(), what, in, joined(first),
                       texts_.size() - first.size());
  }

 private:
  std::vector<std::string> texts_;
  std::set<std::string> regions_;
};

std::vector<std::string> destinations_in_short(const Requirement& requirement) {
  ShortList hosts, wildcards, addresses, tags, names, local;
  const auto add = [](ShortList& list, const auto& one, const std::string& text) {
    list.add(with_facts(text, "", one.lifecycle, ""), one.region);
  };
  for (const auto& host : requirement.hosts) add(hosts, host, host.name);
  for (const auto& wildcard : requirement.wildcards) wildcards.add(wildcard.pattern, "");
  for (const auto& block : requirement.addresses) add(addresses, block, block.to_string());
  for (const auto& block : requirement.variable_addresses) add(addresses, block, block.text);
  for (const auto& tag : requirement.service_tags) tags.add(tag, "");
  for (const auto& host : requirement.reverse_dns) add(names, host, host.name);
  for (const auto& peer : requirement.local_peers) local.add(peer, "");
  std::vector<std::string> texts;
  for (const auto& text :
       {hosts.text("names"), wildcards.text("wildcards"), addresses.text("addresses and networks"),
        tags.text("service tags"), names.text("PTR names"), local.text("peers at the site")}) {
    if (!text.empty()) texts.push_back(text);
  }
  return texts;
}

// What a reader needs to find a row and to understand what it asks; --verbose shows the rest.
void add_requirement_in_short(Page& page, const Requirement& requirement) {
  add_title(page, requirement);
  Labelled block(page, 2);
  block.add("Traffic", traffic_text(requirement));
  block.add_each("To", destinations_in_short(requirement));
  if (!requirement.check) block.add("Check", check_text(requirement));
  const auto& vantages = requirement.vantages;
  if (!contains(vantages, Vantage::pc)) block.add("From", words_text(vantages));
  block.add_each("Unclear", requirement.conditions);
  block.add("Source", requirement.source);
  block.add("Of set", requirement.of_set);
}

std::string need_text(const Need& need) {
  std::vector<std::string> wanted, fallbacks;
  for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
    (need.is_fallback(i) ? fallbacks : wanted).push_back(joined(need.alternatives[i], " with "));
  }
  if (wanted.size() > 1) {
    auto text = fmt::format("one of {}", joined(wanted));
    if (!fallbacks.empty()) text += fmt::format("; as a fallback one of {}", joined(fallbacks));
    return text;
  }
  auto text = joined(wanted);
  if (!fallbacks.empty()) {
    text += fmt::format(", else {} (a later one is a fallback)", joined(fallbacks, ", else "));
  }
  return text;
}

// How long ago: "today", "12 days ago", "3 years ago"; "never" if the set does not say.
std::string age_phrase(std::string_view day, std::string_view today) {
  const auto then = parse_day(day), now = parse_day(today);
  if (!then || !now) return day.empty() ? "never" : std::string(day);
  const auto days = static_cast<std::size_t>(std::max<long>(0, (*now - *then).count()));
  if (days == 0) return "today";
  if (days < 60) return say_plural(days, "{} day ago", "{} days ago");
  if (days < 730) return say_plural(days / 30, "{} month ago", "{} months ago");
  return say_plural(days / 365, "{} year ago", "{} years ago");
}

using Printed = std::set<std::string, std::less<>>;

using PrintRequirement = void (*)(Page&, const Requirement&);

void add_capability(Page& page, const TargetSet& set, const Capability& capability,
                    Printed& printed, PrintRequirement print) {
  page.heading(fmt::format("Capability: {}", title_of(capability)));
  Labelled block(page, 0);
  std::vector<std::string> needs;
  for (const auto& need : capability.needs) needs.push_back(need_text(need));
  block.add_each("Needs", needs);
  if (capability.quality) block.add("Quality", quality_text(*capability.quality));
  block.add("Scenarios", joined(capability.scenarios));
  for (const auto& need : capability.needs) {
    for (const auto& together : need.alternatives) {
      for (const auto& id : together) {
        const auto* requirement = set.find_requirement(id);
        // A row that two capabilities need is printed under the first.
        if (requirement != nullptr && printed.insert(id).second) print(page, *requirement);
      }
    }
  }
}

void add_others(Page& page, const TargetSet& set, const Printed& printed, PrintRequirement print) {
  bool first = true;
  for (const auto& requirement : set.requirements) {
    if (printed.contains(requirement.id)) continue;
    if (first) page.heading("Not needed by any capability");
    first = false;
    print(page, requirement);
  }
}

// As one paragraph, because there may be many.
void add_regions_in_short(Page& page, const TargetSet& set) {
  std::vector<std::string> ids;
  for (const auto& region : set.regions) ids.push_back(region.id);
  page.heading("Regions (--region)");
  page.paragraph(joined(ids));
}

// What the user may choose, with a description.
using Choices = std::vector<std::pair<std::string, std::string>>;

void add_list(Page& page, std::string_view heading, const Choices& choices) {
  if (choices.empty()) return;
  page.heading(heading);
  int width = 0;
  for (const auto& [name, text] : choices) width = std::max(width, columns(page.clean(name)));
  for (const auto& [name, text] : choices) {
    page.row(Mark::none, name, text, std::min(width, page.width() / 3));
  }
}

void add_choices(Page& page, const TargetSet& set, bool whole) {
  Choices scenarios, regions, variables;
  for (const auto& scenario : set.scenarios) {
    scenarios.emplace_back(scenario.id, scenario.title + (scenario.by_default ? " (default)" : ""));
  }
  add_list(page, "Scenarios (--scenario)", scenarios);
  for (const auto& region : set.regions) regions.emplace_back(region.id, region.title);
  if (whole || regions.size() <= most_named) {
    add_list(page, "Regions (--region)", regions);
  } else {
    add_regions_in_short(page, set);
  }
  for (const auto& variable : set.variables) {
    auto text = variable.title;
    if (variable.optional) text += ", where you have one";
    if (variable.fallback) {
      text += fmt::format(" (otherwise {})", *variable.fallback);
    } else if (!variable.example.empty()) {
      text += fmt::format(" (for instance {})", variable.example);
    }
    variables.emplace_back(variable.name, text);
  }
  add_list(page, "Values you provide (--var NAME=VALUE)", variables);
}

void add_advice(Page& page, const TargetSet& set, bool whole) {
  if (set.advice.empty()) return;
  page.heading("Cannot be tested by a probe");
  if (!whole) {
    for (const auto& advice : set.advice) {
      page.paragraph(fmt::format("{}: {} ({})", advice.id, advice.text, advice.source));
    }
    return;
  }
  for (const auto& advice : set.advice) {
    page.blank();
    page.paragraph(fmt::format("{}: {}", advice.id, advice.text));
    Labelled block(page, 2);
    block.add("From", words_text(advice.vantages));
    block.add("Scenarios", joined(advice.scenarios));
    block.add("Source", advice.source);
  }
}

}  // namespace

std::string show_text(const TargetSet& set, const RenderOptions& options,
                      const std::string& called) {
  Page page(options);
  page.heading(set.edition.empty() ? set.title : fmt::format("{} ({})", set.title, set.edition));
  Labelled block(page, 0);
  block.add("Vendor", set.vendor);
  block.add("Document", set.document);
  block.add("URL", set.url);
  block.add("Published", set.document.empty() ? "" : published_words(set.published));
  block.add("Verified", set.verified);
  block.add("Kind", set.kind ? to_string(*set.kind) : "");
  block.add("Source", !has_no_source(set)         ? source_words(set.evidence, set.evidence_note)
                      : set.evidence_note.empty() ? say("no source given")
                                                  : set.evidence_note);
  block.add("Also", joined(set.aliases));
  block.add("Formerly", joined(set.former_names));
  std::vector<std::string> needed;
  for (const auto& head : set.leans_on) {
    needed.push_back(fmt::format("{} ({})", head.id, head.title));
  }
  block.add("Needs", joined(needed));
  block.add("File", set.origin);
  block.add("SHA-256", set.sha256);
  add_choices(page, set, options.verbose);
  Printed printed;
  const auto print = options.verbose ? add_requirement : add_requirement_in_short;
  for (const auto& capability : set.capabilities) {
    add_capability(page, set, capability, printed, print);
  }
  add_others(page, set, printed, print);
  add_advice(page, set, options.verbose);
  if (!options.verbose) {
    page.blank();
    page.paragraph(
        fmt::format(
            "Every host, address, client and note: callready show {0} --verbose, or --json. "
            "The rules for a firewall: callready firewall {0}.",
            called.empty() ? set.id : called),
        Style::dim);
  }
  return page.take();
}

std::string list_names(std::span<const ListedSet> sets) {
  std::string text;
  for (const auto& [set, requirements] : sets) {
    const auto title = '\t' + harmless(set.title) + '\n';
    text += harmless(set.id) + title;
    for (const auto& alias : set.aliases) text += harmless(alias) + title;
  }
  return text;
}

std::string list_text(std::span<const ListedSet> sets, std::string_view today,
                      const RenderOptions& options) {
  constexpr int any_width = 200;
  auto roomy = options;
  if (!options.on_screen) roomy.width = any_width;  // in a pipe nothing is shortened
  Page page(roomy);
  using Row = std::vector<std::string>;
  std::vector<Row> rows = {{"SET", "TITLE", "KIND", "SOURCE", "PUBLISHED", "VERIFIED", "ALSO"}};
  std::vector<std::string> old;
  std::size_t undated = 0;
  for (const auto& [set, requirements] : sets) {
    rows.push_back(
        {set.id, set.title, set.kind ? std::string(to_string(*set.kind)) : "",
         has_no_source(set) ? "none given" : std::string(to_string(set.evidence)),
         set.document.empty() ? "" : published_words(set.published.substr(0, 7)).string(),
         age_phrase(set.verified, today), joined(set.aliases)});
    if (is_old(set.published, today)) old.push_back(set.id);
    if (set.published.empty() && !set.document.empty()) ++undated;
  }
  const auto too_wide = [&](int most_of_title) {
    std::array<int, 7> widths{};
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], columns(page.clean(row[i])) + 2);
      }
    }
    widths[1] = std::min(widths[1], most_of_title + 2);
    return std::accumulate(widths.begin(), widths.end(), -2) > page.width();
  };
  // If there is no room, other names are dropped first (they are listed below), then kinds, then
  // publication dates; each index refers to the columns that are left.
  bool named_below = false;
  const auto drop = [&](std::ptrdiff_t column) {
    for (auto& row : rows) row.erase(row.begin() + column);
  };
  for (const std::ptrdiff_t column : {6, 2, 3}) {
    if (!too_wide(any_width)) break;
    named_below = true;
    drop(column);
  }
  // Titles may be cut short. On a very narrow screen, the rest makes room for them.
  constexpr int short_title = 16;
  while (rows.front().size() > 2 && too_wide(short_title)) drop(std::ssize(rows.front()) - 1);
  page.table(rows, 1);
  if (!old.empty()) {
    page.blank();
    page.paragraph(fmt::format(
        "{} more than {} years old: {}. Look for a newer edition before you rely on {}.",
        old.size() == 1 ? "This set rests on a document" : "These sets rest on documents",
        old_after / 365, joined(old), old.size() == 1 ? "it" : "them"));
  }
  if (undated > 0) {
    if (old.empty()) page.blank();
    page.paragraph(say_plural(undated, "{} document has no date: nobody knows how old it is.",
                              "{} documents have no date: nobody knows how old they are."));
  }
  if (!named_below) return page.take();
  constexpr std::size_t most_named = 10;
  page.blank();
  if (sets.size() > most_named) {
    page.paragraph("Other names of each service: callready list WORD, or --json", Style::dim);
    return page.take();
  }
  for (const auto& [set, requirements] : sets) {
    if (!set.aliases.empty()) page.paragraph(set.id + " is also " + joined(set.aliases) + ".");
  }
  return page.take();
}

}  // namespace callready
