// firewall: the rules to ask for; no network.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/model/day.hpp"
#include "probe/model/public_network.hpp"
#include "probe/plan/plan.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"
#include "reports/firewall/firewall.hpp"
#include "targets/expand_variables.hpp"

namespace callready {
namespace {

// With the variables that have a value, and the networks of service tags where a list was given.
TargetSet filled_in(const TargetSet& set, const VariableValues& given, const ServiceTags& tags) {
  auto filled = set;
  const auto values = variable_values(set, given);
  for (auto& row : filled.requirements) {
    row = expand_variables(row, values).requirement;
    // A firewall that knows service tags takes the tags; the list serves one that does not.
    if (!tags.networks.empty() && !row.service_tags.empty()) {
      row.service_tags = add_service_tags(set, row, tags);
    }
  }
  return filled;
}

// The set's scenarios that the report was about: those that are the only ones of some of its rows
// or capabilities; and where several share one and none of these covers it, the ones on by default.
std::vector<std::string> scenarios_of(const TargetSet& set, const SetResult& result) {
  std::vector<std::vector<std::string>> seen;
  for (const auto& row : result.requirements) {
    const auto* requirement = set.find_requirement(row.id);
    if (requirement != nullptr) seen.push_back(requirement->scenarios);
  }
  for (const auto& shown : result.capabilities) {
    for (const auto& capability : set.capabilities) {
      if (capability.id == shown.id) seen.push_back(capability.scenarios);
    }
  }
  std::vector<std::string> found;
  const auto known = [&](const std::string& scenario) { return contains(found, scenario); };
  for (const auto& scenarios : seen) {
    if (scenarios.size() == 1) add_once(found, scenarios.front());
  }
  for (const auto& scenarios : seen) {
    if (scenarios.empty() || std::any_of(scenarios.begin(), scenarios.end(), known)) continue;
    auto more = scenarios;
    std::erase_if(more, [&](const std::string& id) {
      return std::none_of(set.scenarios.begin(), set.scenarios.end(),
                          [&](const Scenario& one) { return one.id == id && one.by_default; });
    });
    if (more.empty()) more = scenarios;
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

// Rules that open more than a service, each reported once.
std::vector<std::string> too_wide(const FirewallList& list) {
  std::vector<std::string> warnings;
  for (const auto& rule : list.rules) {
    for (const auto& peer : rule.peers) {
      const auto network =
          peer.kind == PeerKind::network ? Network::parse(peer.text) : std::nullopt;
      const auto problem = network ? why_no_services_network(*network) : std::nullopt;
      if (!problem || network->address.is_multicast()) continue;  // a group has no other address
      add_once(warnings, fmt::format("warning: {}: {} {} (row {})", list.set, peer.text, *problem,
                                     fmt::join(rule.requirements, ", ")));
    }
  }
  return warnings;
}

}  // namespace

int run_firewall(const Arguments& given) {
  auto arguments = given;
  if (arguments.missing && arguments.report_file.empty()) {
    return fail("--missing needs a report of the site: --from REPORT.json");
  }
  if (!arguments.missing && !arguments.report_file.empty()) {
    return fail("--from: a report only matters with --missing");
  }
  if (arguments.firewall_format != "nftables" && (arguments.nft_table || arguments.nft_chain)) {
    return fail("--table and --chain only matter with --format nftables");
  }
  std::optional<Report> report;
  if (arguments.missing) {
    report = read_saved_report(arguments.report_file);
    if (!report) return usage_error;
    const bool unnamed = arguments.names.empty();
    for (const auto& set : report->sets) {
      if (unnamed) arguments.names.push_back(set.id);
    }
  }
  auto sets = find_sets(arguments, report ? &*report : nullptr);
  if (!sets) return usage_error;
  for (auto& set : *sets) {
    const auto* seen = report ? find_by_id(report->sets, set.id) : nullptr;
    if (seen != nullptr) add_rows_of_report(set, *seen);
  }
  const auto problems = wrong_choices(*sets, arguments);
  for (const auto& problem : problems) complain(problem);
  if (!problems.empty()) return usage_error;

  const auto tags = read_tags(arguments);
  if (!tags) return usage_error;
  std::vector<FirewallList> lists;
  const auto today = day_of(std::chrono::system_clock::now());
  for (const auto& set : *sets) {
    PlanOptions plan;
    plan.scenarios = arguments.scenarios;
    FirewallOptions options;
    options.scenarios = active_scenarios(set, plan);
    options.client = arguments.client;
    options.regions = arguments.regions;
    options.today = today;
    options.required_only = arguments.required_only;
    if (report) {
      options.missing = find_by_id(report->sets, set.id);
      if (options.missing == nullptr) {
        std::vector<std::string> known;
        for (const auto& result : report->sets) known.push_back(result.id);
        return fail(fmt::format("{}: no results for {}; it has: {}", arguments.report_file, set.id,
                                fmt::join(known, ", ")));
      }
      if (arguments.scenarios.empty()) options.scenarios = scenarios_of(set, *options.missing);
      options.probes = report->probes;
      options.findings = report->findings;
      const auto then = title_and_edition(options.missing->title, options.missing->edition);
      const auto now = title_and_edition(set.title, set.edition);
      if (then != now) {
        complain(
            fmt::format("{}: the report went by \"{}\", this is \"{}\": check again to be sure",
                        set.id, then, now));
      }
    }
    add_firewall_lists(lists, filled_in(set, arguments.variables, *tags), options);
  }
  const auto terminal = platform::standard_output();
  const auto name = !arguments.firewall_format.empty() ? arguments.firewall_format
                    : terminal.interactive             ? "text"
                                                       : "markdown";
  const auto* format = find_firewall_format(name);
  for (const auto& list : lists) {
    for (const auto& warning : too_wide(list)) complain(warning);
  }
  if (format->no_comments) {
    // On standard error: the file has no room for it.
    for (const auto& open : left_out_of(lists)) complain(open);
    for (const auto& list : lists) {
      for (const auto& doubt : doubts_of(list)) complain(list.set + ": " + doubt);
    }
  }
  FirewallPage page{render_options(arguments), today, arguments.missing};
  if (arguments.nft_table) page.nft_table = *arguments.nft_table;
  if (arguments.nft_chain) page.nft_chain = *arguments.nft_chain;
  return printed(format->render(lists, page));
}

}  // namespace callready
