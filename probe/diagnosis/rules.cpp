#include "probe/diagnosis/rules.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "probe/diagnosis/findings.hpp"
#include "probe/diagnosis/rules_to_allow.hpp"
#include "probe/diagnosis/status/judge.hpp"
#include "probe/model/set_age.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace findings {

namespace {

// In the order of judging. The first two draw no worlds, which take what is found about contents as
// facts.

// This site and this computer; names and proxies. Policies and tunnels are named beside others:
// alone they explain no failure.
constexpr std::array rules_about_the_site = {
    find_offline,           find_captive_portal,    find_redirected_pages,
    find_clock_skew,        find_own_firewall,      find_agent,
    find_browser_policies,  find_full_tunnel,       find_broken_ipv6,
    find_vendor_ipv6,       find_dns_without_tcp,   find_dns_unreachable,
    find_hosts_file,        find_dns_rewritten,     find_block_page,
    find_denying_resolver,  find_inconsistent_dns,  find_dns_filtered,
    find_unanswered_names,  find_outdated_names,    find_late_names,
    find_dns_slow,          find_absent_neighbours, find_pac_failure,
    find_proxy_unreachable, find_proxy_login,       find_failing_proxy,
    find_proxy_required,    find_proxy_denials,     find_stripped_upgrades};

// What was said: certificates, NAT, TURN; and packets that were too large.
constexpr std::array rules_about_contents = {find_mtu,
                                             find_interception,
                                             find_cut_hello,
                                             find_old_authorities,
                                             find_other_far_ends,
                                             find_refused_media_keys,
                                             find_certificate_faults,
                                             find_own_address,
                                             find_idle_timeout,
                                             find_nat,
                                             find_split_paths,
                                             find_lost_long_sip,
                                             find_cut_flows,
                                             find_dying_relays,
                                             find_private_relays,
                                             find_turn,
                                             find_dropped_marks,
                                             find_flood_protection,
                                             find_interruption};

// A limit on new flows takes the place of whatever else UDP may die of, "only the web" that of UDP
// and of the ports one by one, and find_flows has what is left over.
constexpr std::array rules_about_ways = {
    find_late_starts, find_rate_limit,     find_random_refusals,   find_half_shut_names,
    find_dead_path,   find_new_flow_limit, find_limited_requests,  find_lost_first_packets,
    find_web_only,    find_tcp_blocked,    find_taken_connections, find_udp_blocked,
    find_stun_filter, find_media_filter,   find_dtls_filter,       find_cut_greeting,
    find_sip_filter,  find_closed,         find_one_way_media,     find_tls_filter,
    find_flows,       find_refused_quic,   find_filtered_quic};

// Servers; and loss, after all that may be silent for a reason, and media.
constexpr std::array rules_about_the_rest = {
    find_sip_alg,       find_vendor_down, find_sip_errors,  find_loss,        find_outage,
    find_media_loss,    find_poor_score,  find_silent_call, find_call_media,  find_lost_consent,
    find_relayed_calls, find_full_line,   find_few_calls,   find_media_delay, find_cleared_marks};

}  // namespace

Diagnosis::Diagnosis(const Report& whole)
    : Facts(whole), got_out(got_out_after_all(*this)), explained_(got_out) {}

Probes Diagnosis::open_probes(const Flow& flow) const {
  Probes open;
  for (const auto& sample : flow.samples) {
    const auto* result = sample.result;
    if (failing(*result) && !explained(*result)) add_once(open, result);
  }
  return open;
}

bool Diagnosis::affects_requirement(const Probes& probes) const {
  return std::ranges::any_of(probes, [&](const ProbeResult* result) {
    return failing(*result) && asked_for(*result) && !only_measures(result->probe.check);
  });
}

namespace {

bool has_any(const RequirementResult& row, const std::set<std::string>& probes) {
  return std::ranges::any_of(row.probes, [&](const auto& id) { return probes.contains(id); });
}

// Where something was reached, by the proxy or directly.
using Endpoint = std::tuple<std::string_view, std::uint16_t, Transport>;
using Endpoints = std::set<Endpoint>;

Endpoint endpoint_of(const Target& target) {
  return {target.host, target.ports.first, target.transport};
}

Endpoints reached_endpoints(const Report& report) {
  Endpoints open;
  for (const auto& [probe, seen] : report.probes) {
    if (reached(seen.outcome)) open.insert(endpoint_of(probe.target));
  }
  return open;
}

// What the cause leaves open: answers that may be of the device that inspects.
Probes left_open_by(const Cause& cause) {
  if (cause.code != FindingCode::tls_intercepted) return {};
  return those_that(cause.explained, may_be_a_block_page);
}

// A cause is behind the rows of its probes that are not well, and behind those that it closes
// untried.
void fill_in(const Report& report, const Endpoints& open, Cause& cause) {
  auto lost = ids_of(cause.explained);
  lost.merge(ids_of(cause.contradicted));
  auto lost_for_good = lost;  // without what failed one way and was reached another
  for (const auto* list : {&cause.explained, &cause.contradicted}) {
    for (const auto* result : *list) {
      const bool failed = !reached(result->observation.outcome);
      if (failed && open.contains(endpoint_of(result->probe.target)))
        lost_for_good.erase(result->probe.id);
    }
  }
  const auto impaired = ids_of(cause.impaired), left_open = ids_of(left_open_by(cause));
  // Left out so as not to press hosts that this cause closes: where nothing got through to them,
  // such a row fails as well (status/requirement_hosts.cpp).
  const auto closed = set_of(failing_ones(cause.explained), [](const ProbeResult& result) {
    return std::pair(result.probe.target.host, result.probe.target.transport);
  });
  std::set<std::string> spared;
  for (const auto& [probe, seen] : report.probes) {
    const auto& target = probe.target;
    const bool tls = target.transport == Transport::tls;
    const bool shut = closed.contains({target.host, target.transport}) ||
                      (tls && closed.contains({target.host, Transport::tcp}));
    if (seen.detail == DetailCode::no_room && shut) spared.insert(probe.id);
  }
  // What a likely or certain cause decides has failed because of it; if the row is open all the
  // same, something else may still carry it.
  const bool decided =
      cause.confidence != Confidence::possible && (cause.code == FindingCode::target_outdated ||
                                                   !has(cause.code, FindingTrait::decides_no_row));
  for (const auto& set : report.sets) {
    std::vector<std::string> rows;
    for (const auto& row : set.requirements) {
      const bool known = row.status != Status::unknown;
      if (is_well(row) || (decided && !known && !has_any(row, left_open))) continue;
      // If a row is only impaired or slow, what was reached another way is not the reason.
      const bool works = (row.impaired || row.poor) && row.status == Status::warn && !row.lost;
      const bool failed = row.closed_by == cause.code ||
                          has_any(row, works ? lost_for_good : lost) ||
                          (row.status == Status::fail && has_any(row, spared));
      if (!failed && !has_any(row, impaired)) continue;
      add_once(cause.explains, set.id + '/' + row.id);
      // An optional row that works less well hurts nobody.
      if (failed || row.severity != Severity::optional) rows.push_back(row.id);
    }
    if (rows.empty()) continue;
    auto& affects = affected(cause, set.id);
    for (const auto& capability : set.capabilities) {
      const bool hurt = std::ranges::find_first_of(capability.requirements, rows) !=
                        capability.requirements.end();
      if (hurt && capability.verdict != Verdict::ready)
        add_once(affects.capabilities, capability.id);
    }
  }
}

// Of the rows that fail by these, with their sets.
template <typename Wanted>
bool any_lost_row(const Report& report, const Probes& probes, Wanted wanted) {
  const auto ids = ids_of(failing_ones(probes));
  return std::ranges::any_of(report.sets, [&](const SetResult& set) {
    return std::ranges::any_of(set.requirements, [&](const RequirementResult& row) {
      return !is_well(row) && has_any(row, ids) && wanted(set, row);
    });
  });
}

// What these find; each rule knows what those before it have found.
std::vector<Cause> causes_by(std::span<Rule* const> rules, Diagnosis& so_far) {
  std::vector<Cause> found;
  for (const auto rule : rules) {
    for (auto& cause : rule(so_far)) {
      so_far.note(cause);
      found.push_back(std::move(cause));
    }
  }
  return found;
}

// A probe that was not made, though not because it was not needed, or that was seen to leave the
// site and no further: where a cause closes its way it is lost all the same. But a computer that
// has no route to it, such as one without IPv6, does not get there whatever a firewall lets
// through.
void contradict_what_is_closed(const Report& report, Cause& cause) {
  if (cause.closes == Closes::nothing_more) return;
  const bool needs_route = cause.closes != Closes::everything && cause.closes != Closes::direct;
  const std::set<const ProbeResult*> known(cause.contradicted.begin(), cause.contradicted.end());
  for (const auto& result : report.probes) {
    const auto& seen = result.observation;
    const auto& target = result.probe.target;
    const bool untried = seen.outcome == Outcome::skipped &&
                         seen.detail != DetailCode::not_needed && !target.host.empty();
    if ((seen.outcome != Outcome::passed && !untried) || known.contains(&result)) continue;
    if (is_inside(result) || (needs_route && has_no_route(result))) continue;
    if (closes(cause.closes, target.transport, target.port(), !target.route.direct()))
      cause.contradicted.push_back(&result);
  }
}

std::vector<Cause> find_causes(Diagnosis& so_far) {
  auto found = causes_by(rules_about_the_site, so_far);
  const auto of_contents = causes_by(rules_about_contents, so_far);
  append(found, causes_by(rules_about_ways, so_far));
  append(found, of_contents);  // people read of ways first
  append(found, causes_by(rules_about_the_rest, so_far));
  for (auto& cause : found) {
    contradict_what_is_closed(so_far.report, cause);
    cause.runner_up = runner_up(so_far, cause);
  }
  return found;
}

// What the causes explain and affect, by the rows and verdicts of the report.
std::vector<Finding> completed(std::vector<Cause> causes, const Facts& facts) {
  std::vector<Finding> found;
  const auto open = reached_endpoints(facts.report);
  for (auto& cause : causes) {
    fill_in(facts.report, open, cause);
    if (has(cause.code, FindingTrait::asks_to_let_through)) {
      // What is inspected was reached all the same.
      auto lost = cause.code == FindingCode::tls_intercepted ? cause.explained
                                                             : failing_ones(cause.explained);
      append(lost, cause.contradicted);
      append(lost, cause.let_through);
      std::erase_if(lost, [&](const auto* result) { return contains(cause.carried, result); });
      cause.rules = rules_to_allow(facts, lost, cause.code, cause.closes);
      // Rows that it closes untried are known now: the fix names them, too.
      if (!cause.asked.empty()) cause.fix.replace(cause.asked.string(), in_short(cause.rules));
    }
    found.push_back(std::move(cause));
  }
  if (auto rest = find_unexplained(facts, found)) {
    fill_in(facts.report, open, *rest);
    found.push_back(std::move(*rest));
  }
  sort_by_impact(found, facts.report.sets);
  return found;
}

Attribution attribution_of(const std::vector<Cause>& causes, const Diagnosis& context) {
  Attribution attribution;
  std::set<std::string> explained, perhaps;  // by a cause that is only possible, or decides no row
  for (const auto& cause : causes) {
    auto lost = ids_of(failing_ones(cause.explained));
    lost.merge(ids_of(cause.contradicted));
    const bool decides = !has(cause.code, FindingTrait::decides_no_row);
    if (!decides || cause.confidence == Confidence::possible) {
      // What blocks the whole computer also explains what was silent before it began.
      if (!has(cause.code, FindingTrait::strikes_all)) perhaps.merge(std::move(lost));
      continue;
    }
    explained.insert(lost.begin(), lost.end());
    attribution.entries.push_back(
        {cause.code, cause.title, std::move(lost), ids_of(cause.impaired), cause.closes});
  }
  auto lost = surely_lost(context, perhaps);
  explained.insert(lost.begin(), lost.end());
  attribution.given_up = std::move(lost);
  attribution.doubted = doubted(context, explained);
  for (const auto& cause : causes) {
    for (const auto* result : left_open_by(cause)) {
      attribution.doubted.emplace(result->probe.id,
                                  phrase("the device that inspects TLS may have answered itself"));
    }
  }
  attribution.got_out = context.got_out;
  return attribution;
}

}  // namespace

bool Diagnosis::breaks_capability(const Probes& probes) const {
  return any_lost_row(report, probes, [](const SetResult& set, const RequirementResult& row) {
    bool needed = false, lost = false;
    for (const auto& capability : set.capabilities) {
      const bool has = contains(capability.requirements, row.id);
      needed |= has;
      lost |= has && capability.verdict != Verdict::ready;
    }
    return lost || (!needed && row.severity == Severity::required);
  });
}

bool Diagnosis::fails_required_row(const Probes& probes) const {
  return any_lost_row(report, probes, [](const SetResult&, const RequirementResult& row) {
    return row.severity == Severity::required;
  });
}

void Diagnosis::learn_contents() {
  auto apart = *this;
  causes_by(rules_about_the_site, apart);
  causes_by(rules_about_contents, apart);
  contents_ = std::move(apart.contents_);
}

void Diagnosis::note(const Cause& cause) {
  explained_.merge(ids_of(cause.explained));
  impaired_.merge(ids_of(cause.impaired));
  if (!worlds_ && has(cause.code, FindingTrait::of_contents)) contents_.push_back(cause);
}

}  // namespace findings

namespace {

std::vector<SetResult> judged(const std::vector<PlannedSet>& sets, const ResultIndex& index) {
  std::vector<SetResult> results;
  for (const auto& planned : sets) results.push_back(judge_set(planned, index));
  return results;
}

// For a set that another leans on: how good its text is, if that is worth mentioning.
Text doubt_of(const SetHead& needed) {
  const bool copied = needed.evidence == SourceQuality::second_hand;
  if (!copied && needed.evidence != SourceQuality::old_edition) return {};
  return phrase(
      "{} is based on {}: {}", needed.title,
      copied ? phrase("a second-hand list") : phrase("an old edition of the vendor's document"),
      needed.evidence_note);
}

}  // namespace

std::vector<Finding> diagnose(const Report& report) {
  findings::Diagnosis so_far(report);
  return findings::completed(findings::find_causes(so_far), so_far);
}

std::vector<SetResult> rows_as_seen(const std::vector<PlannedSet>& sets, const Report& report) {
  return judged(sets, ResultIndex(report.probes));
}

void diagnose(const std::vector<PlannedSet>& sets, std::string_view today, Report& report) {
  ResultIndex index(report.probes);
  report.sets = judged(sets, index);
  std::vector<findings::Cause> causes;
  {
    findings::Diagnosis so_far(report);  // with rows that are judged anew below
    causes = findings::find_causes(so_far);
    index.attribute(findings::attribution_of(causes, so_far));
  }
  report.sets = judged(sets, index);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto& set = *sets[i].set;
    auto& notes = report.sets[i].notes;
    const auto tell = [&](Text note) {
      if (!note.empty()) notes.push_back(std::move(note));
    };
    tell(staleness(set, today));
    for (auto& note : ipv6_notes(report.sets[i], report)) tell(std::move(note));
    for (const auto& needed : set.leans_on) {
      const bool counts = std::ranges::any_of(report.sets[i].requirements, [&](const auto& row) {
        return row.of_set == needed.id && row.status != Status::skip;
      });
      if (!counts) continue;
      tell(staleness(needed, today));
      tell(doubt_of(needed));
    }
  }
  report.findings = findings::completed(std::move(causes), findings::Facts(report));
  weigh_findings(report.findings, report.sets);
}

}  // namespace callready
