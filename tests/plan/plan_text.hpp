// A plan as text, for golden files and messages, and the vendors' sets to plan from.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "probe/plan/plan.hpp"
#include "targets/builtin.hpp"
#include "targets/loader.hpp"
#include "tests/targets/rules.hpp"

namespace callready::test {

// All kinds and parameters that the vendors' sets use, whatever is registered in checks/.
inline LoadRules plan_rules() {
  auto all = rules();
  for (auto& check : all.checks) {
    if (check.kind == CheckKind::dns) check.parameters = {"server", "name", "type", "expect"};
    if (check.kind == CheckKind::http) check.parameters.push_back("body");
    if (check.kind == CheckKind::sip_alg) check.parameters.push_back("contrast");
    if (check.kind == CheckKind::path) {
      check.transports = {Transport::udp, Transport::tcp, Transport::tls};
    }
    if (check.kind == CheckKind::sip) check.parameters.push_back("srv");
  }
  all.checks.push_back({.kind = CheckKind::media, .transports = {Transport::udp}});
  all.checks.push_back({.kind = CheckKind::ipv6, .transports = {Transport::tcp}});
  all.checks.push_back({.kind = CheckKind::quic, .transports = {Transport::udp}});
  return all;
}

inline TargetSet load(std::string_view yaml, const std::string& name) {
  auto loaded = load_text(yaml, name, plan_rules());
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
  return loaded.set.value_or(TargetSet{});
}

inline TargetSet vendor_set(std::string_view id) {
  for (const auto& set : builtin_sets()) {
    if (set.id == id) return load(set.yaml_text, std::string(id));
  }
  ADD_FAILURE() << "no built-in set " << id;
  return {};
}

inline TargetSet anchors() { return load(builtin_anchors(), "anchors"); }

inline Plan plan_of(const std::vector<TargetSet>& sets, const PlanOptions& options = {}) {
  std::vector<const TargetSet*> pointers;
  for (const auto& set : sets) pointers.push_back(&set);
  return make_plan(pointers, options);
}

inline std::string text_of(const Plan& plan) {
  std::set<std::string> hosts;
  for (const auto& planned : plan.probes) hosts.insert(planned.probe.target.host);
  auto text = fmt::format("{} probes to {} hosts, of which a run meets at most {}\n",
                          plan.probes.size(), hosts.size(), hosts_met(plan));
  for (const auto& note : plan.notes) text += fmt::format("note: {}\n", note);
  text += "\n";
  for (const auto& planned : plan.probes) {
    const auto& probe = planned.probe;
    text += "  " + probe.id;
    if (!probe.region.empty()) text += fmt::format(" [{}]", probe.region);
    if (probe.control()) text += " control";
    if (!probe.target.sample.empty()) {
      text += fmt::format(" ports {}", fmt::join(probe.target.sample, ","));
    }
    text += "\n";
    if (!planned.unless.empty()) {
      text += fmt::format("    unless {}\n", fmt::join(planned.unless, ", "));
    }
    if (!planned.unless_all.empty()) {
      text += fmt::format("    unless all of {}\n", fmt::join(planned.unless_all, ", "));
    }
    if (!planned.nearest_of.empty()) {
      text += fmt::format("    where {} is the nearest\n", planned.nearest_of.front());
    }
    if (!planned.answered_by.empty()) {
      text += fmt::format("    answered by {}\n", planned.answered_by);
    }
    if (!planned.given.empty()) {
      text += fmt::format("    given {}\n", fmt::join(planned.given, ", "));
    }
  }
  for (const auto& row : plan.requirements) {
    text += fmt::format("\n{}/{}: {} probes", row.set, row.requirement, row.probes.size());
    const auto sampled = row.sampled.text();
    if (!sampled.empty()) text += fmt::format(" ({})", sampled);
    text += "\n";
    if (!row.skipped.empty()) text += fmt::format("  skipped: {}\n", row.skipped);
    if (!row.note.empty()) text += fmt::format("  note: {}\n", row.note);
    for (const auto& id : row.probes) text += fmt::format("  {}\n", id);
  }
  return text;
}

}  // namespace callready::test
