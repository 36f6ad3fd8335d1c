// What answers only sometimes: a limit on new flows, a dead path among several, a line that loses
// packets.
#include <algorithm>
#include <cmath>
#include <map>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready::findings {
namespace {

constexpr std::size_t most_destinations = 3;  // in the evidence of a dead path

double log_choose(int n, int k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

// `k` of `n`, each by that chance: the binomial distribution.
double chance_of(int k, int n, double each) {
  return std::exp(log_choose(n, k) + k * std::log(each) + (n - k) * std::log(1 - each));
}

// Fisher's exact test, one-sided: how probable it is that so few of all the answers, or fewer, fell
// to the new flows, if both kinds had the same chance.
double chance_of_so_few(const RequestCount& news, const RequestCount& one) {
  const int answers = news.answered + one.answered;
  double sum = 0;
  for (int k = std::max(0, answers - one.sent); k <= news.answered; ++k) {
    sum += std::exp(log_choose(news.sent, k) + log_choose(one.sent, answers - k) -
                    log_choose(news.sent + one.sent, answers));
  }
  return sum;
}

// A line that loses most of one flow loses most of all others as well; a device that shuts this
// computer out while it counts does not.
bool most_others_answer_at_once(const Facts& facts) {
  const auto answered = std::ranges::count_if(facts.report.probes, [](const ProbeResult& result) {
    return is_direct(result) && result.observation.outcome == Outcome::answered;
  });
  return facts.answered_late.size() * 2 < static_cast<std::size_t>(answered);
}

// What a limit on new flows dropped comes through when it is sent again a little later, most of it
// at least; a limit on open ones lets hardly any through. What is lost on a dead one of several
// lines stays lost, and half gets through, or what the other line does not lose.
bool speaks_against_a_dead_line(const RequestCount& news) {
  constexpr double unlikely = 0.001;
  if (2 * news.again_answered >= news.again) return true;
  double chance = 0;  // of so few, or fewer, if half got through
  for (int k = 0; k <= news.answered; ++k) chance += chance_of(k, news.sent, 0.5);
  return chance < unlikely;
}

// Both were asked of one server at one time: what the line loses, it loses of both.
enum class LossBy { not_known, line, limit };
LossBy loss_by(const Facts& facts) {
  constexpr double unlikely = 0.001;
  // If 2 of 20 requests get lost, that excludes a loss of less than 1.8 % there and back (Clopper
  // and Pearson, 95 %).
  constexpr int proves_loss = 2;
  const auto &one = facts.on_one_flow, &news = facts.on_new_flows;
  if (one.answered == 0 || news.sent == 0) return LossBy::not_known;
  if (chance_of_so_few(news, one) < unlikely)
    return speaks_against_a_dead_line(news) ? LossBy::limit : LossBy::not_known;
  if (one.lost() > one.answered && most_others_answer_at_once(facts)) return LossBy::not_known;
  return one.lost() >= proves_loss ? LossBy::line : LossBy::not_known;
}

// If none of it was answered, all that was sent counts.
RequestCount counted_on_one_flow(const Facts& facts) {
  auto one = facts.on_one_flow;
  if (one.sent == 0 && one.result != nullptr)
    one.sent = std::clamp(one.result->observation.attempts, 0, 1'000);
  return one;
}

// Some new flows get through, and what others lose stays lost; one flow alone fares otherwise. What
// does that, worlds say.
bool new_flows_die_by_turns(const Facts& facts) {
  constexpr double rarely = 0.05;
  const auto one = counted_on_one_flow(facts);
  const auto& news = facts.on_new_flows;
  if (one.sent == 0 || news.answered == 0 || news.again == 0 || news.again_answered > 0)
    return false;
  return std::min(chance_of_so_few(news, one), chance_of_so_few(one, news)) < rarely;
}

// Nothing explains yet that a request of a row was not answered.
bool any_is_open(const Diagnosis& context) {
  return context.any_probe([&](const ProbeResult& result) {
    return got_no_answer(result) && context.asked_for(result) && !context.explained(result);
  });
}

// The device of that kind that worlds know of, if they do not also know of one that shuts this
// computer out.
const reach::Box* likely_box(const Diagnosis& context, reach::Kind kind) {
  const auto told = [&](reach::Kind such) {
    return told_by_worlds(
        context, [&](const reach::Box& box, const reach::World&) { return box.kind == such; });
  };
  const auto found = told(kind);
  const bool sure = found && found->sure >= reach::is_likely && !told(reach::Kind::ban);
  return sure ? found->box : nullptr;
}

// What may be silent because of a device that lets only some flows through.
Probes silent_outside(const Diagnosis& context, reach::Protocol protocol) {
  return context.probes_that([&](const ProbeResult& result) {
    return result.observation.outcome == Outcome::silent && goes_outside(result) &&
           matches(protocol, is_udp(result)) && !context.explained(result);
  });
}

// What the likeliest world's other boxes close: mending the line helps none of these.
std::set<std::string> closed_otherwise(const reach::Drawn& drawn) {
  std::set<std::string> closed;
  const auto& events = drawn.sight.events.flows;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto met = reach::fate_in(drawn.worlds.front(), drawn.boxes, drawn.sight, i);
    if (reach::loses(met.fate)) closed.insert(events[i].probe);
  }
  return closed;
}

// The second in which most of the flows that the limit counts began: those that were sent the whole
// way.
struct Second {
  int began = 0, late = 0, lost = 0;  // late: answered only when sent again
  bool by_turns = false;              // of flows to one port, some were late, and some were not
};

Second busiest_second(const reach::Sight& sight, const reach::Box& limit) {
  const auto& packets = sight.packets;
  const auto counts = [&](const reach::Packet& packet) {
    return packet.at_ms > 0 && packet.cargo != Cargo::inside && !packet.ends_early &&
           covers(limit, packet);
  };
  const auto fullest = std::ranges::max_element(packets, {}, [&](const reach::Packet& packet) {
    return counts(packet) ? reach::crowd_of(packet, limit.protocol).began : 0;
  });
  Second second;
  std::map<std::pair<bool, std::uint16_t>, std::set<bool>> ports;  // whether they were late
  for (const auto& [packet, event] : sight.seen_packets()) {
    const auto before = fullest->at_ms - packet.at_ms;
    if (!counts(packet) || before < 0 || before >= 1000) continue;
    const bool late = reach::answered_late(event), lost = event.seen == Seen::nothing;
    ++second.began;
    second.late += late;
    second.lost += lost;
    if (!lost) ports[{packet.udp, packet.port}].insert(late);
  }
  second.by_turns =
      std::ranges::any_of(ports, [](const auto& port) { return port.second.size() == 2; });
  return second;
}

// Of a media range: some of its ports were not seen to get out.
bool has_silent_ports(const ProbeResult& result) {
  return std::ranges::any_of(result.observation.evidence, [](const Evidence& evidence) {
    return evidence.kind == EvidenceKind::udp_port &&
           detail_fact(evidence, Fact::result) == DetailCode::silent;
  });
}

// One in twenty requests or more is lost for sure (Clopper and Pearson, 95 %), there and back: no
// call stands that, even if each request was answered in the end.
bool loses_too_much(const Facts& facts) {
  constexpr double too_much = 0.05, unlikely = 0.05;
  const auto &one = facts.on_one_flow, &news = facts.on_new_flows;
  const int sent = one.sent + news.sent, lost = one.lost() + news.lost();
  double chance = 0;  // of losing so many, or more, if no more than that were lost
  for (int k = lost; k <= sent; ++k) chance += chance_of(k, sent, too_much);
  return chance < unlikely;
}

// The services that a fault of the line, or of a device on all ways out, is about.
std::vector<FindingAffects> affected_by_way(const Diagnosis& context, reach::Protocol protocol) {
  auto asked = context.sent_outside();
  std::erase_if(asked, [&](const auto* result) { return !matches(protocol, is_udp(*result)); });
  return sets_of(context, asked);
}

// Each new flow loses its first packet, and only that: a rule, and no loss of the line's.
bool loses_first_packets(const Facts& facts) {
  constexpr int enough = 10;
  constexpr std::size_t enough_late = 4;
  const auto &one = facts.on_one_flow, &news = facts.on_new_flows;
  const bool all_lost = news.sent >= enough && news.answered == 0;
  if (!all_lost || one.sent < enough || one.lost() > 0) return false;
  const auto answered = facts.probes_that([](const ProbeResult& result) {
    return is_udp(result) && goes_outside(result) && !result.probe.with.contains("flows") &&
           result.observation.outcome == Outcome::answered;
  });
  const bool late = std::ranges::all_of(
      answered, [](const auto* result) { return result->observation.attempts > 1; });
  return late && answered.size() >= enough_late && parties_of(answered).size() > 1;
}

// How the two counts came out.
void add_counts(Cause& cause, const Facts& facts) {
  const auto one = counted_on_one_flow(facts);
  const auto& news = facts.on_new_flows;
  if (one.sent == 0 || news.sent == 0) return;
  cause.tell(
      phrase("Of {} requests to {} from one port, {} were answered; of {} from separate ports, {}.",
             one.sent, one.result->probe.target.host, one.answered, news.sent, news.answered),
      news.result);
  if (news.again == 0) return;
  cause.tell(phrase("Of the unanswered, {} were sent again from the same ports; answered: {}.",
                    news.again, news.again_answered),
             news.result);
}

}  // namespace

// Flows are spread over several lines or links, of which one is dead: the same request gets through
// from one port and never from another.
Causes find_dead_path(const Diagnosis& context) {
  // A ban or a limit explains it.
  const auto& news = context.on_new_flows;
  const bool some_pass = news.answered > 0 && news.again > 0;
  if (some_pass && speaks_against_a_dead_line(news)) return {};
  if (new_flows_are_limited(context) || is_shut_out(context)) return {};
  // What was counted would hurt a call, even if it has hurt no request of ours.
  const bool counted = new_flows_die_by_turns(context);
  if (!counted && !any_is_open(context)) return {};
  const auto* path = likely_box(context, reach::Kind::path);
  if (path == nullptr || started_late(context)) return {};
  Cause cause(silent_outside(context, path->protocol));
  const auto& drawn = context.worlds();
  const auto closed = closed_otherwise(drawn);
  // Of the flows that were counted, about half get through.
  const bool none_passed = news.sent > 0 && news.answered == 0;
  if (none_passed && !closed.contains(news.result->probe.id)) return {};
  std::erase_if(cause.explained,
                [&](const auto* result) { return closed.contains(result->probe.id); });
  const bool hurts = context.affects_requirement(cause.explained);
  if (!counted && !hurts) return {};
  cause.name(FindingCode::network_dead_path, likely);
  cause.title = phrase("One of several lines or links out of this site is dead");
  cause.fix = phrase(
      "Find the device that spreads connections over several lines or links (a router with two "
      "Internet lines, SD-WAN, link aggregation), and switch off the line or link that does not "
      "work. If this site has only one line, ask the Internet provider to check for a dead link in "
      "its network.");
  for (const auto& [to, fared] : reach::how_flows_fared(drawn.sight, path->protocol)) {
    const bool both = fared.passed > 0 && fared.lost > 0;
    if (!both || to.ends_early || cause.evidence.size() == most_destinations) continue;
    cause.tell(phrase("{}, {} {}: attempts, each from a different port: {}; answered: {}.",
                      drawn.sight.hosts[to.host], to.udp ? "UDP" : "TCP", to.port,
                      fared.passed + fared.lost, fared.passed));
  }
  // Packets that end on the way may be lost for want of a router's answer.
  const bool by_halves = news.answered > 0 && 5 * news.lost() >= news.sent;
  if (cause.evidence.empty() && !by_halves) return {};
  add_counts(cause, context);
  cause.show(cause.explained, 4);
  cause.affects = affected_by_way(context, path->protocol);
  return {cause};
}

bool loses_most_requests(const Facts& facts) {
  return facts.on_one_flow.mostly_lost() && facts.on_new_flows.mostly_lost() &&
         most_others_answer_at_once(facts);
}

bool new_flows_are_limited(const Facts& facts) { return loss_by(facts) == LossBy::limit; }

Probes hidden_by_limit(const Diagnosis& context) {
  if (!new_flows_are_limited(context)) return {};
  const bool hurts =
      context.affects_requirement(context.probes_that([&](const ProbeResult& result) {
        return is_udp(result) && result.observation.outcome == Outcome::silent &&
               goes_outside(result);
      }));
  if (!hurts) return {};
  return context.probes_that([](const ProbeResult& result) {
    return result.observation.outcome == Outcome::passed && has_silent_ports(result);
  });
}

// A device lets only so many new flows a second through: what is silent then, or dies on the way,
// may be so for that reason alone, and no other is looked for.
Causes find_new_flow_limit(const Diagnosis& context) {
  // It lets the first ones through. What drops the first packet of each flow lets none.
  const bool counted = new_flows_are_limited(context) && context.on_new_flows.answered > 0;
  // Where a count shows that the line loses packets, they need no limit.
  const bool by_worlds = !counted && loss_by(context) != LossBy::line && any_is_open(context);
  const auto* told = by_worlds ? likely_box(context, reach::Kind::limit) : nullptr;
  // So many new flows were counted within a second, and none was held back.
  const auto& news = context.on_new_flows;
  const bool none_held = told && news.lost() == 0 && told->per_second < news.sent;
  if (none_held && told->protocol != reach::Protocol::tcp) return {};
  const auto second = told ? busiest_second(context.worlds().sight, *told) : Second{};
  // Silence alone shows no limit: what was sent again must have come through, and more than once,
  // for any line loses a packet at times. A limit lets as many through in the next second.
  const int held = second.late + second.lost;
  const bool enough = second.late >= 2 && 2 * second.late >= std::min(told->per_second, held);
  if (!counted && !(enough && second.by_turns)) return {};
  const auto protocol = counted ? reach::Protocol::udp : told->protocol;
  Cause cause(silent_outside(context, protocol));
  if (counted) cause.contradicted = hidden_by_limit(context);
  const bool hurts = context.affects_requirement(cause.explained) || !cause.contradicted.empty();
  // What was counted would hurt a call, even if it has hurt no request of ours.
  if (counted) cause.affects = affected_by_way(context, protocol);
  if (!hurts && cause.affects.empty()) return {};
  cause.name(FindingCode::firewall_new_flows_limited, likely);
  cause.title = protocol == reach::Protocol::udp
                    ? phrase("A device in the path limits how many new UDP flows get out")
                : protocol == reach::Protocol::tcp
                    ? phrase("A device in the path limits how many new TCP connections get out")
                    : phrase("A device in the path limits how many new connections get out");
  cause.fix = phrase(
      "Find the firewall's limit on new connections or flows per second (flood or scan protection, "
      "session limit per host), and raise it {}: calls open dozens of flows within a second.",
      for_users(context));
  add_counts(cause, context);
  if (told != nullptr) {
    cause.tell(
        phrase("Of {} connections and requests in one second, {} were not answered at all, "
               "and {} only when they were sent again.",
               second.began, second.lost, second.late));
  }
  cause.show(cause.explained, 4);
  return {cause};
}

// Two servers of different owners leave most of many requests unanswered: no limit of theirs.
Causes find_limited_requests(const Diagnosis& context) {
  const auto& other = context.elsewhere_on_one_flow;
  if (!loses_most_requests(context) || !other.mostly_lost()) return {};
  // What strikes connections, too, is no limit on UDP.
  const auto slow = context.probes_that([](const ProbeResult& result) {
    constexpr double again_ms = 900;  // a packet was lost
    const auto& [outcome, took] =
        std::tie(result.observation.outcome, result.observation.timing_ms);
    const auto connect = found_in(took, Timing::connect);
    return !is_udp(result) && goes_outside(result) && reached(outcome) &&
           (connect >= again_ms || found_in(took, Timing::handshake) >= again_ms + 2 * connect);
  });
  if (parties_of(slow).size() > 1) return {};
  if (new_flows_are_limited(context) || is_shut_out(context)) return {};
  Cause cause;
  cause.affects = affected_by_way(context, reach::Protocol::udp);
  if (cause.affects.empty()) return {};
  cause.name(FindingCode::firewall_new_flows_limited, likely);
  cause.title = phrase("A device in the path limits how many STUN requests get through");
  cause.fix = phrase(
      "Find the firewall's limit on STUN or on UDP packets per second (flood protection, intrusion "
      "prevention), and raise it {}: each call begins with dozens of STUN requests.",
      for_users(context));
  add_counts(cause, context);
  cause.tell(phrase("Of {} requests to {}, {} were answered.", other.sent,
                    other.result->probe.target.host, other.answered),
             other.result);
  return {cause};
}

Causes find_lost_first_packets(const Diagnosis& context) {
  if (!loses_first_packets(context)) return {};
  Cause cause;
  cause.affects = affected_by_way(context, reach::Protocol::udp);
  if (cause.affects.empty()) return {};
  cause.name(FindingCode::network_loss, likely);
  cause.title = phrase("The first packet of each new UDP flow is lost");
  cause.fix = phrase(
      "Find the device that drops what it does not know yet: an SD-WAN that first looks for a "
      "path, a firewall or an intrusion prevention that first inspects, a router that has to find "
      "its neighbor. Each call and each name lookup waits for a second try.");
  add_counts(cause, context);
  return {cause};
}

// What became of it when it was tried again.
struct SecondTry {
  bool made = false;
  const ProbeResult* reached = nullptr;
};

// At the same address, or at another one of its name.
SecondTry second_try(const Facts& facts, const ProbeResult& first, bool elsewhere) {
  SecondTry seen;
  for (const auto& other : facts.report.probes) {
    const auto &probe = other.probe, &its = first.probe;
    const bool same = probe.purpose == Purpose::repeat && probe.check == its.check &&
                      probe.target.host == its.target.host &&
                      probe.target.port() == its.target.port() &&
                      probe.target.transport == its.target.transport && is_direct(other);
    const auto outcome = other.observation.outcome;
    if (!same || asks_another_address(probe) != elsewhere || outcome == Outcome::skipped) continue;
    seen.made = true;
    if (reached(outcome)) seen.reached = &other;
  }
  return seen;
}

// Some addresses of these names are shut, and others are not: of a firewall that allows by name,
// and asks DNS at other times than the clients do; of a balancer with a server that is down, if
// they are one owner's.
Causes find_half_shut_names(const Diagnosis& context) {
  Cause cause;
  std::set<IpAddress> shut;
  for (const auto& result : context.report.probes) {
    if (!came_to_nothing(result) || !context.asked_for(result)) continue;
    const auto same = second_try(context, result, false);
    const auto* other = second_try(context, result, true).reached;
    if (!same.made || same.reached != nullptr || other == nullptr) continue;
    const auto &address = result.observation.address, &its = other->observation.address;
    if (!address || !its || *address == *its) continue;
    cause.impaired.push_back(&result);
    shut.insert(*address);
    cause.tell(
        phrase("{}: {} is not reached, and {} answers.", result.probe.target.host, *address, *its),
        &result);
  }
  if (cause.impaired.empty()) return {};
  // What else was asked of these addresses.
  cause.explained = context.probes_that([&](const ProbeResult& result) {
    const auto& address = result.observation.address;
    return failing(result) && may_be_asked_again(result) && !context.explained(result) && address &&
           shut.contains(*address);
  });
  const bool several = parties_of(cause.impaired).size() > 1;
  cause.name(FindingCode::firewall_destination_blocked, several ? likely : possible);
  cause.title = phrase("Some addresses of {} are not reached", listed(hosts_of(cause.impaired)));
  cause.fix = phrase(
      "Allow all addresses of these names ({} cannot be reached). A firewall that allows by name "
      "often "
      "knows only some of them: allow the vendor's networks instead, or have the firewall and the "
      "computers ask the same DNS servers.",
      listed(shut));
  if (!several) cause.fix += phrase(" If the firewall drops nothing, ask the servers' operator.");
  cause.affects = sets_of(context, cause.impaired);
  return {cause};
}

// Connections to several owners were refused or cut off, and the same ones stood a moment later: a
// device that has no room for more, whoever they are for.
Causes find_random_refusals(const Diagnosis& context) {
  const auto again = context.probes_that([&](const ProbeResult& result) {
    return was_turned_away(result) && context.asked_for(result) &&
           second_try(context, result, false).reached != nullptr;
  });
  if (parties_of(again).size() < 2) return {};
  // Another port, to which no second try got through, may be closed by a rule.
  const auto helped = ports_of(again);
  Cause cause(context.probes_that([&](const ProbeResult& result) {
    return was_turned_away(result) && !context.explained(result) &&
           helped.contains(result.probe.target.port());
  }));
  cause.name(FindingCode::firewall_new_flows_limited, likely);
  cause.title = phrase("A device refuses connections, and lets them through a moment later");
  cause.fix = phrase(
      "Find the device that refuses or resets connections although its rules allow them: a limit "
      "on new connections or sessions, a NAT without free ports, an overloaded TLS inspection. "
      "Raise the limit {}, or give it more room.",
      for_users(context));
  cause.tell(
      phrase("{} connections to {} operators were refused or cut off, and worked when they were "
             "tried again.",
             again.size(), parties_of(again).size()));
  cause.show(again, 4);
  cause.affects = affected_by_way(context, reach::Protocol::tcp);
  return {cause};
}

// Some answers came only to a second try, and some never: a line that loses packets, or a device
// that limits what is new. Which of them is known where answers were counted.
Causes find_loss(const Diagnosis& context) {
  if (loses_first_packets(context)) return {};
  const auto& late = context.answered_late;
  // If this computer is shut out, so was the count.
  const bool by_line = loss_by(context) == LossBy::line && !some_fell_silent(context);
  Cause cause(context.probes_that([&](const ProbeResult& result) {
    // TCP sends lost data again, several times while a check waits.
    const bool connected = result.observation.timing_ms.contains(Timing::connect);
    return got_no_answer(result) && (by_line || !connected) && is_direct(result) &&
           !is_inside(result) && !context.explained(result);
  }));
  const bool hurts = context.affects_requirement(cause.explained);
  if (late.empty() || !(hurts || (by_line && loses_too_much(context)))) return {};
  if (!hurts) {
    cause.affects = affected_by_way(context, reach::Protocol::udp);
    if (cause.affects.empty()) return {};
  }
  // A media port, or a router on the way, owes nobody an answer; nor does what another cause
  // closes.
  const auto closed = closed_otherwise(context.worlds());
  const auto missing = std::ranges::count_if(context.flows, [&](const Flow& flow) {
    const auto its = context.open_probes(flow);
    const auto open = [&](const ProbeResult* result) { return !closed.contains(result->probe.id); };
    return flow.way == Reachability::lost && any_sample(flow, &FlowSample::responder) &&
           std::ranges::any_of(its, open);
  });
  // Counted, and none is lost: on a narrow line our own first packets were late, since they queue.
  const auto &one = context.on_one_flow, &news = context.on_new_flows;
  const bool all_new = news.sent > 0 && news.lost() == 0, no_limit = by_line || all_new;
  const bool all_answered = one.sent > 0 && one.lost() == 0 && all_new;
  if (all_answered && missing == 0) return {};
  cause.name(FindingCode::network_loss, by_line ? likely : possible);
  cause.title = no_limit
                    ? phrase("Packets are lost in transit")
                    : phrase("Packets are lost in transit, or a device limits new connections");
  cause.fix = run_again(context) + ' ';
  cause.fix +=
      no_limit ? phrase(
                     "If packets are still lost, ask the Internet provider to measure the loss on "
                     "the line.")
               : phrase(
                     "If answers are still missing, check the firewall for a limit on new "
                     "connections per second (flood or scan protection) and its log for packets "
                     "from this computer, and ask the Internet provider to measure the loss on the "
                     "line.");
  cause.tell(late.size() == 1 ? phrase("One request was answered only on the second try.")
                              : phrase("{} requests were answered only after they were sent again.",
                                       late.size()));
  if (missing > 0) {
    cause.tell(missing == 1 ? phrase("One server port that should answer did not.")
                            : phrase("{} server ports that should answer did not.", missing));
  }
  add_counts(cause, context);
  cause.show(late, 3);
  cause.show(cause.explained, 4);
  return {cause};
}

}  // namespace callready::findings
