// UDP: a part of a media range, with its bounds as far as sampled (docs/design.md, "How neighbours
// are told apart", 2).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// A relay or an echo that works did not hear us on a blocked port.
bool responders_missed_us(const std::vector<const Flow*>& flows) {
  const auto missed = [](const FlowSample& sample) {
    const auto& list = sample.result->observation.evidence;
    return std::any_of(list.begin(), list.end(), [&](const Evidence& evidence) {
      return evidence.kind == EvidenceKind::udp_port &&
             detail_fact(evidence, Fact::result) == DetailCode::dropped &&
             number_fact(evidence, Fact::port) == sample.port &&
             !text_fact(evidence, Fact::responder).empty();
    });
  };
  return std::any_of(flows.begin(), flows.end(),
                     [&](const Flow* flow) { return any_sample(*flow, missed); });
}

// A run of ports that are blocked, as far as they were sampled.
struct Gap {
  std::uint16_t first = 0, last = 0;                     // blocked ones
  std::optional<std::uint16_t> good_before, good_after;  // the nearest that get out
};

std::vector<Gap> gaps(const std::map<std::uint16_t, Reachability>& ports) {
  std::vector<Gap> found;
  std::optional<std::uint16_t> good;
  bool open = false;
  for (const auto& [port, way] : ports) {
    if (way == Reachability::open || way == Reachability::left) {
      if (open) found.back().good_after = port;
      open = false;
      good = port;
    } else if (way == Reachability::blocked) {
      if (!open) found.push_back({port, port, good, std::nullopt});
      found.back().last = port;
      open = true;
    }
  }
  return found;
}

std::string span_in_words(const Gap& gap) {
  return gap.first == gap.last ? std::to_string(gap.first)
                               : fmt::format("{}-{}", gap.first, gap.last);
}

Text bounds_in_words(const Gap& gap) {
  std::vector<std::string> good;
  if (gap.good_before) good.push_back(std::to_string(*gap.good_before));
  if (gap.good_after) good.push_back(std::to_string(*gap.good_after));
  if (good.empty()) return phrase("every port that was tried is blocked");
  return phrase("blocked as far as sampled: {} to {}; still open: {}", gap.first, gap.last,
                listed(good));
}

bool as_media_is(const FlowSample& sample) {
  return of_a_range(sample) || sample.payload == Payload::rtp;
}

// A device on the way said no to what media sends. It may be after STUN alone, where no STUN gets
// out.
bool refuses_media(const Facts& facts, const std::vector<const Flow*>& flows) {
  return std::any_of(flows.begin(), flows.end(), [&](const Flow* flow) {
    return any_sample(*flow, [&](const FlowSample& sample) {
      const bool tells = as_media_is(sample) || facts.gets_out_as(inspected_as(sample));
      return tells && !sample.by.empty();
    });
  });
}

// By what media sends: on a port where a device lets only STUN pass, media does not.
Reachability media_way(const Flow& flow) {
  Reachability way = Reachability::unknown;
  for (const auto& sample : flow.samples) {
    if (!as_media_is(sample)) continue;
    if (gets_out(sample.way)) return sample.way;
    if (way != Reachability::blocked) way = sample.way;
  }
  return way == Reachability::unknown ? flow.way : way;
}

// A probe that says that STUN passes where these packets died.
std::optional<FindingEvidence> stun_passes(const std::vector<const Flow*>& flows) {
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      const bool other =
          sample.payload == Payload::stun && sample.result->probe.check == CheckKind::hop;
      if (other && gets_out(sample.way)) return what_it_saw(sample);
    }
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Hosts to which ports are blocked that get out to others: no bounds of a range come of them.
std::set<std::string> shut_destinations(const std::vector<const Flow*>& flows) {
  std::map<std::uint16_t, std::set<std::string>> works;  // hosts by port
  for (const auto* flow : flows) {
    if (gets_out(media_way(*flow))) works[flow->port].insert(flow->host);
  }
  std::set<std::string> shut;
  for (const auto* flow : flows) {
    if (media_way(*flow) == Reachability::blocked && works.contains(flow->port))
      shut.insert(flow->host);
  }
  return shut;
}

}  // namespace

namespace {

// More than chance: one port that was asked twice, or several ports.
bool firm(const Facts& facts, const std::vector<const Flow*>& dead) {
  if (refuses_media(facts, dead) || responders_missed_us(dead)) return true;
  std::size_t times = 0;
  for (const auto* flow : dead) times += times_lost(*flow);
  return times > (facts.line_loses() ? 2 : 1);
}

}  // namespace

namespace {

// Ports of ranges, as far as they were seen to get out or not, whatever the destination.
struct Sampled {
  std::map<std::uint16_t, Reachability> ports;  // the best
  std::map<std::uint16_t, std::vector<const Flow*>> cells_of;

  std::vector<const Flow*> dead(const Gap& gap) const {
    std::vector<const Flow*> found;
    for (auto at = ports.lower_bound(gap.first); at != ports.upper_bound(gap.last); ++at) {
      if (at->second != Reachability::blocked) continue;
      const auto& cells = cells_of.at(at->first);
      found.insert(found.end(), cells.begin(), cells.end());
    }
    return found;
  }
};

Sampled sampled_ports(const std::vector<const Flow*>& all) {
  Sampled sampled;
  const auto shut = shut_destinations(all);
  for (const auto* flow : all) {
    const auto own = media_way(*flow);
    if (own == Reachability::lost || own == Reachability::unknown || shut.contains(flow->host))
      continue;
    // Single ports are the rule after this one; where they get out they bound a range, too.
    if (!in_a_range(*flow) && !gets_out(own)) continue;
    auto& way = sampled.ports.try_emplace(flow->port, own).first->second;
    if (gets_out(own)) way = own;
    sampled.cells_of[flow->port].push_back(flow);
  }
  return sampled;
}

}  // namespace

namespace {

// Rows' ranges of which other ports get out, and to one of these the second round's packets died.
std::vector<const ProbeResult*> ranges_that_pass(const Facts& facts,
                                                 const std::vector<const Flow*>& dead) {
  ProbeList found;
  for (const auto* flow : dead) {
    for (const auto& sample : flow->samples) {
      const auto& result = *sample.result;
      if (of_a_range(sample) && !failing(result) && facts.asked_for(result)) found.add(&result);
    }
  }
  return found.list();
}

// One operator's hosts, of which nothing is reached on any port, and no device said why: between
// others' ports that get out it is not the ports that are shut.
bool of_one_silent_party(const Facts& facts, const std::vector<const Flow*>& closed) {
  return refusals(closed).empty() &&
         std::all_of(closed.begin(), closed.end(), [&](const Flow* flow) {
           return flow->party == closed.front()->party && !facts.alive(flow->host);
         });
}

}  // namespace

std::vector<PortRange> perhaps_blocked(const Facts& facts) {
  const auto sampled = sampled_ports(udp_cells(facts));
  std::vector<PortRange> ranges;
  for (const auto& gap : gaps(sampled.ports)) {
    if (!firm(facts, sampled.dead(gap))) continue;
    const int first = gap.good_before ? *gap.good_before + 1 : 1;
    const int last = gap.good_after ? *gap.good_after - 1 : 65'535;
    ranges.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)});
  }
  return ranges;
}

Causes find_udp_ranges(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto all = udp_cells(facts);
  const auto sampled = sampled_ports(all);
  const auto found = gaps(sampled.ports);
  Cause cause;
  ProbeList explained;
  std::vector<const Flow*> closed;
  std::vector<std::string> spans;
  std::vector<FindingEvidence> bounds;
  ProbeList passing;
  for (const auto& gap : found) {
    ProbeList lost;
    const auto dead = sampled.dead(gap);
    for (const auto* flow : dead) lost.add(context, *flow);
    const auto& probes = lost.list();
    const auto said_to_leave = ranges_that_pass(facts, dead);
    const bool matters = context.affects_requirement(probes) || !said_to_leave.empty();
    if (!firm(facts, dead) || probes.empty() || !matters) continue;
    for (const auto* result : said_to_leave) passing.add(result);
    spans.push_back(span_in_words(gap));
    bounds.push_back({probes.front()->probe.id, phrase("UDP: {}.", bounds_in_words(gap))});
    closed.insert(closed.end(), dead.begin(), dead.end());
    for (const auto* result : probes) explained.add(result);
    // A service's port between two that are blocked is one of them.
    for (const auto* flow : all) {
      const bool inside = gap.first <= flow->port && flow->port <= gap.last;
      const bool silent = flow->way == Reachability::lost && flow->samples.front().responder;
      if (inside && (silent || flow->way == Reachability::blocked)) explained.add(context, *flow);
    }
  }
  if (spans.empty() || (spans.size() > 1 && of_one_silent_party(facts, closed))) return {};
  cause.explained = explained.list();
  for (const auto* result : unmasked(closed)) passing.add(result);
  cause.contradicted = passing.list();
  // What was seen to leave on other ports only. Where all that died or was refused is of one
  // network, that one may be shut; of one operator, all that is his.
  std::set<std::string> networks, parties;
  for (const auto* flow : closed) {
    networks.insert(flow->network);
    parties.insert(flow->party);
  }
  for (const auto* flow : all) {
    if (networks.size() < 2) break;
    if (parties.size() < 2 && !parties.contains(flow->party)) continue;
    const bool inside = std::any_of(found.begin(), found.end(), [&](const Gap& gap) {
      return gap.first <= flow->port && flow->port <= gap.last;
    });
    if (!inside || !in_a_range(*flow) || out(*flow)) continue;
    for (const auto& sample : flow->samples) {
      const bool more = std::find(cause.contradicted.begin(), cause.contradicted.end(),
                                  sample.result) == cause.contradicted.end();
      if (more && !failing(*sample.result)) cause.contradicted.push_back(sample.result);
    }
  }
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_udp_range_blocked;
  const auto only_stun = stun_passes(closed);
  const bool one_port = std::all_of(closed.begin(), closed.end(), [&](const Flow* flow) {
    return flow->port == closed.front()->port;
  });
  finding.title =
      phrase("The firewall blocks outgoing {} to port{} {}",
             only_stun ? phrase("media (RTP)") : "UDP", one_port ? "" : "s", listed(spans));
  finding.owner = Owner::network;
  const bool proved = refuses_media(facts, closed) || responders_missed_us(closed);
  finding.confidence = proved                            ? Confidence::certain
                       : new_flows_may_be_limited(facts) ? Confidence::possible
                                                         : Confidence::likely;
  const auto asked = asked_flows(facts, cause);
  finding.fix = only_stun
                    ? phrase(
                          "Turn off the inspection that drops UDP it does not recognize "
                          "(application control, \"unknown-udp\") for these flows, and allow "
                          "outgoing UDP (and return traffic) {} to the whole range: {}.",
                          from_users(facts), asked)
                    : phrase("Allow outgoing UDP (and return traffic) {} to the whole range: {}.",
                             from_users(facts), asked);
  finding.fix += ask_the_device(device_of(closed));
  finding.fix += where_the_list_is(facts, cause.explained);
  finding.evidence = udp_evidence(closed, 6);
  const auto where = finding.evidence.begin() + (finding.evidence.empty() ? 0 : 1);
  finding.evidence.insert(where, bounds.begin(), bounds.end());
  if (only_stun) insert_second(finding.evidence, *only_stun);
  if (const auto control = control_for(facts, closed.front()->host)) {
    finding.evidence.push_back(*control);
  }
  return {cause};
}

// Relays that we made ourselves, or a far end of our own, hear us, and what they send back does not
// come in.
Causes find_one_way_media(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  for (const auto& result : context.facts.report.probes) {
    if (context.explained(result) || result.observation.detail != DetailCode::inbound_dropped)
      continue;
    cause.explained.push_back(&result);
    for (const auto& evidence : result.observation.evidence) {
      const bool one_way = flag_fact(evidence, Fact::inbound) == std::optional(false);
      if (evidence.kind != EvidenceKind::udp_port || !one_way || finding.evidence.size() >= 6)
        continue;
      finding.evidence.push_back(
          {result.probe.id, phrase("{}: {}", result.probe.target.host, evidence.text)});
    }
  }
  if (!context.affects_requirement(cause.explained)) return {};
  if (finding.evidence.empty()) add_what_they_saw(finding.evidence, cause.explained);
  finding.code = FindingCode::media_one_way;
  finding.title = phrase("Media gets out, but replies do not come in: one-way audio");
  finding.owner = Owner::network;
  finding.confidence = Confidence::certain;
  finding.fix = phrase(
      "Let in the replies to UDP sent {} (a stateful rule with a timeout of at least 120 s; with "
      "several Internet lines, over the same line that the packets left on): {}.{}",
      from_users(context.facts), flows_in_words(context.facts, cause.explained),
      where_the_list_is(context.facts, cause.explained));
  return {cause};
}

}  // namespace callready::findings
