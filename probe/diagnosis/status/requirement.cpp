#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/status/judge.hpp"
#include "probe/diagnosis/status/media_quality.hpp"
#include "probe/diagnosis/status/requirement_hosts.hpp"
#include "probe/model/describe.hpp"

namespace callready {
namespace {

// What a probe shows to be wrong although it was answered; empty: nothing.
Text flaw_of(const ProbeResult& result, const Requirement& requirement) {
  const auto& [probe, observation] = result;
  const auto& detail = observation.detail;
  const bool rewritten = detail == DetailCode::rewritten || detail == DetailCode::suspected;
  if (probe.check == CheckKind::sip_alg && rewritten) return outcome_in_words(observation);
  if (probe.check != CheckKind::dns || !is_companion(result, requirement)) return {};
  const auto address = findings::name_asked_for(probe);
  if (observation.outcome == Outcome::unresolved)
    return phrase("{} has no name in reverse DNS", address);
  if (detail == DetailCode::unexpected_answer)
    return phrase("{} has a different name in reverse DNS than the document says", address);
  return {};
}

bool any_is(const std::vector<HostState>& hosts, State state) {
  return std::ranges::find(hosts, state, &HostState::state) != hosts.end();
}

// Keeps the nearest hosts, whether they were reached or not: a blocked one must not hide behind the
// next. Returns the others that were lost and whose distance is not known: each may be nearer than
// what is kept.
std::vector<HostState> keep_nearest(std::vector<HostState>& hosts, int count,
                                    const ResultIndex& index, const RegionDistances& regions) {
  constexpr int lost_somewhere = 2;
  const auto rank = [&](const HostState& host) {
    // By its own round trip, otherwise that of the nearest host of its region.
    auto distance = index.notes_on(host.host).distance;
    if (!distance) distance = found_in(regions, host.region);
    if (distance) return std::pair(0, distance->count());
    return std::pair(host.state == State::reached ? 1 : lost_somewhere, 0.0);
  };
  std::ranges::stable_sort(hosts, {}, rank);
  const auto rest = std::ranges::next(hosts.begin(), count, hosts.end());
  std::vector<HostState> doubtful(rest, hosts.end());
  hosts.erase(rest, hosts.end());
  std::erase_if(doubtful, [&](const HostState& host) {
    return rank(host).first != lost_somewhere || host.gone || host.weight != HostWeight::current;
  });
  return doubtful;
}

// A packet to one of this row's media ports, perhaps by a probe of another row.
Departure same_ports_seen(const Probes& probes, const ResultIndex& index) {
  Departure seen;
  for (const auto* own : probes) {
    if (own->probe.check != CheckKind::udp_range) continue;
    if (index.notes_on(own->probe.target.host).troubled) return {};
    if (seen.result == nullptr) seen = index.left_by_port(own->probe.target.ports);
  }
  return seen;
}

// A probe of another row that stands for this one's: a SYN to the same host, to a port of the same
// kind, that left the site (checks/hop.cpp, "spared"). If one of them is in doubt, that one is
// returned: the row is no surer than that.
Departure same_kind_seen(const Probes& probes, const ResultIndex& index) {
  Departure seen;
  for (const auto* own : probes) {
    const auto& said = own->observation.evidence;
    const bool spared = own->observation.detail == DetailCode::spared && !said.empty();
    const auto port = spared ? port_fact(said.front(), Fact::port) : std::nullopt;
    if (own->probe.check != CheckKind::hop || !port) continue;
    const auto other = index.syn_that_left(own->probe.target.host, *port);
    if (other.result == nullptr || index.loses(other.result->probe.id)) continue;
    if (!index.doubt_about(other.result->probe.id).empty()) return other;
    if (seen.result == nullptr) seen = other;
  }
  return seen;
}

Text seen_at(const std::string& router) { return phrase(" (seen at {})", router); }

// "packets leave the site (seen at 203.0.113.1): seen with UDP 52500 to 192.0.2.227; ..."
Text seen_with_others(const Departure& other) {
  const auto& target = other.result->probe.target;
  const auto router = text_fact(*other.evidence, Fact::by);
  const bool tcp = target.transport == Transport::tcp;
  const auto what = tcp ? phrase("TCP {}", target.port())
                        : phrase("UDP {}", port_fact(*other.evidence, Fact::port).value_or(0));
  const bool left = detail_fact(*other.evidence, Fact::result) == DetailCode::left_site;
  return phrase(
      "packets leave the site{}: seen with {} to {}; routers in the path answer few packets, so "
      "these {} were not tested one by one",
      left && !router.empty() ? seen_at(router) : Text(), what, target.host,
      tcp ? phrase("ports") : phrase("hosts"));
}

// Drops hosts whose packets only go as far as the edge of the site, if the router there had no
// answer left for them, as if they had not been in the sample; but only if others of the row, or of
// the same ports, were reached and none was lost. Returns how many.
std::size_t drop_unmeasured(std::vector<HostState>& hosts, const Requirement& requirement,
                            bool same_ports, const ResultIndex& index) {
  const bool by_edge = requirement.check == CheckKind::udp_range || !requirement.listening;
  const bool others = index.edge_answers && any_is(hosts, State::reached);
  if (!by_edge || any_is(hosts, State::bad) || !(others || same_ports)) return 0;
  return std::erase_if(hosts, [&](const HostState& host) {
    if (host.state != State::unknown) return false;
    const auto& seen = host.why->observation;
    const auto& notes = index.notes_on(host.host);
    return (seen.outcome == Outcome::silent || seen.detail == DetailCode::spared) &&
           !is_dropped(seen.detail) && !notes.died_on_the_way && !notes.troubled &&
           !notes.nobody_seen_on_the_way;
  });
}

// Media goes to the nearest of the hosts that were reached; if none of them answers, no server is
// nearer than the nearest of all. From one end only round trips can be measured: one way is taken
// to be half of one (docs/design.md, media.delay). Empty: within the vendor's figure, or nothing
// was measured. Jitter and loss need a stream of packets. Where the vendor gives no figure, only
// the line is judged, and not how far away the vendor's servers are.
Text delay_flaw(const Requirement& requirement, const std::vector<HostState>& hosts,
                bool any_reached, const ResultIndex& index) {
  const auto& [one_way, round_trip] =
      std::tie(requirement.thresholds.one_way_delay_ms, requirement.thresholds.round_trip_ms);
  const bool usual = carries_media(requirement.check) && !one_way && !round_trip;
  std::optional<Milliseconds> shortest;
  for (const auto& host : hosts) {
    if (host.state != State::reached || usual) continue;
    const auto distance = index.notes_on(host.host).media_distance();
    if (distance) shortest = std::min(shortest.value_or(*distance), *distance);
  }
  const bool of_any = !shortest;
  if (of_any && any_reached)
    shortest = usual ? index.nearest.distance : index.nearest.media_distance();
  if (!shortest) return {};
  const auto trip = shortest->count();
  if (round_trip && trip > *round_trip) {
    const auto [measured, most] = std::pair(whole(trip), fmt::format("{:g}", *round_trip));
    return of_any ? phrase(
                        "the shortest round trip to any server outside is {} ms; the vendor allows "
                        "at most {} ms",
                        measured, most)
                  : phrase("the shortest round trip is {} ms; the vendor allows at most {} ms",
                           measured, most);
  }
  const auto allowed = usual ? std::optional(usual_delay_ms) : one_way;
  if (!allowed || trip / 2 <= *allowed) return {};
  const auto [measured, most] = std::pair(whole(trip / 2), fmt::format("{:g}", *allowed));
  if (usual) {
    return phrase(
        "about {} ms one way at least (half of the shortest round trip to any server outside); "
        "ITU-T G.114 allows at most {} ms",
        measured, most);
  }
  return of_any ? phrase(
                      "about {} ms one way at least (half of the shortest round trip to any server "
                      "outside); the vendor allows at most {} ms",
                      measured, most)
                : phrase(
                      "about {} ms one way (half of the shortest round trip); the vendor allows at "
                      "most {} ms",
                      measured, most);
}

struct Count {
  int reached = 0, bad = 0, unknown = 0;
  int minor = 0;  // not reached, but no reason to fail: gone names, fading and example hosts
  int total() const { return reached + bad + unknown + minor; }
};

Count count(const std::vector<HostState>& hosts, const Requirement& requirement) {
  Count result;
  int gone = 0, fading = 0, examples = 0;
  for (const auto& host : hosts) {
    if (host.state == State::reached) ++result.reached;
    if (host.state == State::unknown) ++result.unknown;
    if (host.state != State::bad) continue;
    if (host.weight == HostWeight::fading) {
      ++fading;
    } else if (host.weight == HostWeight::example && (requirement.listening || host.gone)) {
      ++examples;
    } else {
      ++(host.gone ? gone : result.bad);
    }
  }
  const bool alone = result.reached == 0 && result.unknown == 0;
  // Names that do not exist while their siblings are there: the list is old, not the way closed.
  if (alone) {
    result.bad += gone;
    gone = 0;
  }
  // One example may have been retired by its owner. Two at once hardly are. Where packets only go
  // as far as the site's edge, an example is as good as any host: its owner has no part in it.
  if (alone && result.bad + examples > 1) {
    result.bad += examples;
    examples = 0;
  } else if (alone && result.bad == 0 && fading == 0) {
    result.unknown += examples;
    examples = 0;
  }
  result.minor = gone + fading + examples;
  return result;
}

Status status_by(const Reach& reach, const Count& counted) {
  if (counted.total() == 0) return Status::unknown;
  const bool all = reach.kind == Reach::Kind::all || reach.kind == Reach::Kind::nearest;
  const int there = counted.total() - counted.minor;
  // The run may have fewer hosts than the document (`--region`): then all of them.
  const int needed = all ? there : std::min(reach.count, there);
  if (counted.reached + counted.unknown < needed) return Status::fail;
  if (counted.reached < needed) return Status::unknown;
  return counted.minor > 0 ? Status::warn : Status::pass;
}

// Of silent media hosts, it is only known that packets to them leave the site.
Text reached_in_words(const std::vector<HostState>& hosts, const Count& counted) {
  if (counted.total() == 0) return phrase("not measured");
  int left = 0, again = 0;
  Text how_far;
  for (const auto& host : hosts) {
    if (host.state != State::reached) continue;
    left += host.left;
    again += host.again;
    if (how_far.empty() && !host.left_by.empty()) how_far = seen_at(host.left_by);
  }
  const bool all_left = left > 0 && left == counted.reached;
  if (counted.total() == 1) {
    if (all_left)
      return phrase("packets leave the site{}; this server does not reply to test packets",
                    how_far);
    if (again > 0) return phrase("reached on the second try");
    return counted.reached == 1   ? phrase("reached")
           : counted.unknown == 1 ? phrase("not known")
                                  : phrase("not reached");
  }
  if (counted.unknown == counted.total()) return phrase("0 of {} known", counted.total());
  if (all_left) {
    return phrase(
        "packets leave the site to {} of {} hosts{}; these servers do not reply to test packets",
        left, counted.total(), how_far);
  }
  auto text = phrase("{} of {} reached", counted.reached, counted.total());
  if (again > 0) text += phrase(" ({} on the second try)", again);
  if (counted.unknown > 0) text += phrase(", {} not known", counted.unknown);
  if (left > 0) text += phrase(" ({} only seen to leave the site{})", left, how_far);
  return text;
}

// The result of a host that was not reached, or not for certain.
Text trouble_in_words(const ProbeResult& result, const ResultIndex& index) {
  const auto doubt = index.doubt_about(result.probe.id);
  const auto outcome = result.observation.outcome;
  const auto* cause = index.loss_of(result.probe.id);
  if (cause != nullptr && outcome == Outcome::passed)
    return phrase("packets leave the site, but this stands in the way: {}", cause->title);
  const bool told = result.observation.detail == DetailCode::answered_on_the_way;
  if (doubt.empty() || told) return outcome_in_words(result.observation);
  if (answered_again(result, index)) return phrase("answered on the second try, but {}", doubt);
  if (outcome == Outcome::passed || index.got_out.contains(result.probe.id))
    return phrase("packets were seen on their way, but {}", doubt);
  return phrase("{} ({})", outcome_in_words(result.observation), doubt);
}

Text summarise(const std::vector<HostState>& hosts, const Count& counted,
               const ResultIndex& index) {
  // If nothing was sent (no route there), do not say that it was not reached.
  const bool untried = !hosts.empty() && std::ranges::all_of(hosts, [](const HostState& host) {
    return host.state != State::reached && host.why->observation.outcome == Outcome::skipped;
  });
  auto text = untried ? Text() : reached_in_words(hosts, counted);
  // Beside hosts that were not reached, what is not known has to say so.
  const bool mixed = any_is(hosts, State::bad);
  std::vector<Text> lost;
  for (const auto& host : hosts) {
    if (host.state == State::reached) continue;
    if (lost.size() == 3) {
      lost.emplace_back("...");
      break;
    }
    const auto where = endpoint_in_words(host.why->probe.target);
    const auto what = trouble_in_words(*host.why, index);
    lost.push_back(mixed && host.state == State::unknown ? phrase("{}, not known: {}", where, what)
                                                         : phrase("{}: {}", where, what));
  }
  const auto troubles = joined_texts(lost, "; ");
  return text.empty() || lost.empty() ? text + troubles : phrase("{}: {}", text, troubles);
}

void add_to(Text& summary, const Text& more) {
  if (!more.empty()) summary += "; " + more;
}

// The results of streams like a call's, and where they miss the vendor's figures.
void judge_streams(RequirementResult& result, const Requirement& requirement, const Probes& probes,
                   std::vector<Text>& flaws) {
  const auto tell = [&](Text text, bool is_flaw) {
    result.poor |= is_flaw;
    if (is_flaw) {
      flaws.push_back(std::move(text));
    } else {
      add_to(result.summary, text);
    }
  };
  for (const auto* probe : probes) {
    if (!probe->observation.media) continue;
    const auto& stream = *probe->observation.media;
    tell(stream_in_words(stream), false);
    tell(outage_in_words(stream), stream.outage.has_value());
    tell(calls_in_words(stream), too_few_calls(stream));
    for (auto& missed : missed_figures(stream, requirement.thresholds)) {
      missed.probe = probe->probe.id;
      tell(missed_in_words(missed), is_sure(missed));
      result.missed.push_back(std::move(missed));
    }
  }
}

// A row of the document's past or of an optional feature is never the reason for a failure.
void spare(RequirementResult& result, const Requirement& requirement) {
  if (result.status != Status::fail || requirement.lifecycle == Lifecycle::current) return;
  result.status = Status::warn;
  result.lost = true;
}

// There is one NAT, whichever servers measure it: if those that a row names are silent, others that
// answered speak for them.
std::vector<std::string> own_or_others(const PlannedRequirement& planned,
                                       const ResultIndex& index) {
  const auto* other = index.nat_test;
  const bool own = std::ranges::any_of(index.results_of(planned.probes), [](const auto* result) {
    return reached(result->observation.outcome);
  });
  if (other != nullptr && planned.skipped.empty() && !own) return {other->probe.id};
  return planned.probes;
}

bool has_only_ipv6(const Requirement& requirement) {
  const auto& blocks = requirement.addresses;
  return requirement.hosts.empty() && requirement.wildcards.empty() && !blocks.empty() &&
         std::ranges::none_of(blocks, &AddressBlock::is_v4);
}

// The tests of what is on the way (NAT, SIP ALG) that could not be made because a cause closes the
// way to their servers, which other rows report. Empty: none.
Text untested(const Requirement& requirement, const Probes& probes, const ResultIndex& index) {
  if (!only_measures(requirement.check)) return {};
  std::map<const Attribution::Entry*, std::vector<Text>> endpoints;
  for (const auto* result : probes) {
    const auto* closed_by = index.loss_of(result->probe.id);
    if (closed_by != nullptr)
      endpoints[closed_by].push_back(endpoint_in_words(result->probe.target));
  }
  std::vector<Text> sentences;
  for (const auto& [cause, its] : endpoints) {
    sentences.push_back(
        phrase("{} cannot be tested until this is fixed: {}", joined_texts(its), cause->title));
  }
  return joined_texts(sentences, "; ");
}

Text sampled(Sample sample, const Probes& probes) {
  std::set<std::uint16_t> tried;
  std::map<std::string_view, std::set<std::uint16_t>> relays;
  for (const auto* result : probes) {
    const auto ports = ports_tried(result->probe.target, result->observation);
    if (!ports) continue;
    tried.insert(ports->sample.begin(), ports->sample.end());
    relays[result->probe.target.host].insert(ports->relays.begin(), ports->relays.end());
  }
  std::size_t most_relays = 0;  // of a host
  for (const auto& [host, ports] : relays) most_relays = std::max(most_relays, ports.size());
  if (!relays.empty()) sample.tried = std::min(sample.tried, tried.size()) + most_relays;
  return sample.text();
}

}  // namespace

RequirementResult judge_requirement(const Requirement& requirement, const PlannedRequirement& plan,
                                    const ResultIndex& index, const RegionDistances& regions) {
  RequirementResult result;
  result.id = requirement.id;
  result.title = requirement.title;
  result.source = requirement.source;
  result.severity = requirement.severity;
  result.probes = requirement.check == CheckKind::nat ? own_or_others(plan, index) : plan.probes;
  const auto probes = index.results_of(result.probes);
  result.sampled = sampled(plan.sampled, probes);
  result.elsewhere = plan.elsewhere;
  if (!plan.skipped.empty()) {
    result.status = plan.open_question ? Status::unknown : Status::skip;
    result.summary = plan.skipped;
    const bool may_be_closed = plan.untried && !(index.without_ipv6 && has_only_ipv6(requirement));
    const auto* cause = may_be_closed ? index.closure(requirement) : nullptr;
    if (cause != nullptr) {
      result.status = Status::fail;
      result.summary = phrase("cannot work until this is fixed: {}", cause->title);
      result.closed_by = cause->code;
      spare(result, requirement);
    }
    result.left_out = plan.left_out && cause == nullptr;
    return result;
  }
  std::vector<Text> flaws;  // some may be empty
  for (const auto* probe : probes) {
    flaws.push_back(index.impairment(probe->probe.id));
    result.impaired |= !flaws.back().empty();
    flaws.push_back(flaw_of(*probe, requirement));
  }
  auto probed = row_outcome(requirement, probes, index);
  result.total = probed.total;
  result.reached = probed.reached;
  auto& hosts = probed.hosts;
  const auto same_ports = same_ports_seen(probes, index);
  const bool none_left = hosts.empty(), any_same = same_ports.result != nullptr;
  const auto left_out = drop_unmeasured(hosts, requirement, any_same, index);
  const auto other = none_left       ? same_kind_seen(probes, index)
                     : hosts.empty() ? same_ports
                                     : Departure();
  if (other.result != nullptr) {
    const auto doubt = index.doubt_about(other.result->probe.id);
    result.status = doubt.empty() ? Status::pass : Status::unknown;
    result.summary = doubt.empty() ? seen_with_others(other)
                                   : phrase("packets were seen on their way, but {}", doubt);
    const auto delay = delay_flaw(requirement, {}, true, index);
    result.poor = doubt.empty() && !delay.empty();
    if (result.poor) {
      result.status = Status::warn;
      add_to(result.summary, delay);
    }
    add_to(result.summary, plan.note);
    return result;
  }
  const auto open = untested(requirement, probes, index);
  if (hosts.empty() && !open.empty()) {
    const bool required = requirement.severity == Severity::required;
    result.status = required ? Status::unknown : Status::skip;
    result.summary = open;
    return result;
  }
  if (hosts.empty() && probed.needless) {
    result.status = Status::skip;
    result.summary = phrase("not needed: no trouble with the first choice");
    return result;
  }
  Text prefix, suffix;
  std::vector<HostState> doubtful;
  if (requirement.reach.kind == Reach::Kind::nearest) {
    doubtful = keep_nearest(hosts, requirement.reach.count, index, regions);
    const auto names = joined_texts(hosts | std::views::transform(&HostState::host));
    if (!hosts.empty()) prefix = phrase("nearest: {}; ", names);
  }
  const auto counted = count(hosts, requirement);
  result.status = status_by(requirement.reach, counted);
  if (left_out > 0) {
    suffix += phrase(
        "; {} more could not be measured: the router at the site's edge answers only a few probes",
        left_out);
  }
  if (result.status == Status::pass && !doubtful.empty()) {
    result.status = any_is(doubtful, State::unknown) ? Status::unknown : Status::warn;
    suffix += phrase("; {} may be nearer: {}", endpoint_in_words(doubtful[0].why->probe.target),
                     outcome_in_words(doubtful[0].why->observation));
    if (doubtful.size() > 1) suffix += phrase(" (and {} more)", doubtful.size() - 1);
    suffix += phrase("; name your region with --region to be sure");
  }
  if (result.status == Status::unknown && probed.for_the_proxy)
    suffix += phrase("; it may work through the proxy, but testing that requires a server name");
  const bool no_trouble = !any_is(hosts, State::bad) && !any_is(hosts, State::unknown);
  if (requirement.check == CheckKind::sip_alg && no_trouble && counted.reached > 0) {
    // It asserts that something is absent.
    result.summary = plural(counted.reached, "tested with {} server", "tested with {} servers");
    if (!result.impaired && std::ranges::all_of(flaws, &Text::empty))
      add_to(result.summary, phrase("no rewriting of SIP headers seen"));
  } else {
    result.summary = prefix + summarise(hosts, counted, index) + suffix;
  }
  add_to(result.summary, open);
  add_to(result.summary, compare_routes(probes));
  judge_streams(result, requirement, probes, flaws);
  if (!is_streamed(requirement, probes)) {
    flaws.push_back(delay_flaw(requirement, hosts, counted.reached > 0, index));
    result.poor |= !flaws.back().empty();
  }
  std::erase_if(flaws, [](const Text& flaw) { return flaw.empty(); });
  if (!flaws.empty()) {
    if (result.status == Status::pass) result.status = Status::warn;
    add_to(result.summary, flaws.front());
    if (flaws.size() > 1) result.summary += phrase(" (and {} more)", flaws.size() - 1);
  }
  spare(result, requirement);
  add_to(result.summary, plan.note);
  return result;
}

}  // namespace callready
