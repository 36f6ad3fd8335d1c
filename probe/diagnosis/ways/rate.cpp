// An intrusion prevention that took offence: what answered at first does not any more. And what
// answers only sometimes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/model/canary.hpp"

namespace callready::findings {
namespace {

constexpr std::size_t most_destinations = 3;  // in the evidence of a dead path

// The first and the second time that a port was asked.
struct Twice {
  const Flow* flow = nullptr;
  const FlowSample* before = nullptr;  // it answered
  const FlowSample* after = nullptr;   // it does not
};

bool is_second(const FlowSample& sample) { return sample.result->probe.purpose == Purpose::repeat; }

// What this computer is called where it is to be let through.
std::string own_address(const Report& report) {
  for (const auto& interface : report.site.interfaces) {
    for (const auto& address : interface.addresses) {
      if (interface.default_route && address.is_v4()) return " (" + address.to_string() + ")";
    }
  }
  return {};
}

// In the second round: the canary is asked for in the first.
bool asks_our_resolvers(const Probe& probe) {
  return probe.check == CheckKind::dns && !probe.with.contains("server") && !asks_for_canary(probe);
}

// The site's resolver still finds names: the line is up, and it is this computer that is shut out.
std::optional<FindingEvidence> line_is_up(const Facts& facts) {
  for (const auto& result : facts.report.probes) {
    const bool own = asks_our_resolvers(result.probe);
    const auto* answer = evidence_of(result, EvidenceKind::dns_answer);
    if (!own || answer == nullptr || facts.asked_for(result)) continue;
    return FindingEvidence{result.probe.id, phrase("Meanwhile, the line is up: {}.", answer->text)};
  }
  return std::nullopt;
}

// The same question, and no answer: then it may be the line.
const ProbeResult* resolver_is_silent(const Facts& facts) {
  for (const auto& result : facts.report.probes) {
    const bool own = asks_our_resolvers(result.probe);
    const bool late = own && !facts.asked_for(result) && result.probe.control();
    if (late && result.observation.outcome == Outcome::silent) return &result;
  }
  return nullptr;
}

// Fisher's exact test, one-sided: how probable it is that of all the answers so few, or fewer, fell
// to the new flows, if both kinds had the same chance.
double chance_of_so_few(const RequestCount& news, const RequestCount& one) {
  const auto log_choose = [](int n, int k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
  };
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
  return facts.answered_late().size() * 2 < static_cast<std::size_t>(answered);
}

// Both were asked of one server at one time: what the line loses, it loses of both.
enum class LossBy { not_known, line, limit };
LossBy loss_by(const Facts& facts) {
  constexpr double unlikely = 0.001;
  // Of 20 requests 2 that get lost exclude a loss of less than 1.8 % there and back (Clopper and
  // Pearson, 95 %).
  constexpr int proves_loss = 2;
  const auto &one = facts.on_one_flow(), &news = facts.on_new_flows();
  if (one.answered == 0 || news.sent == 0) return LossBy::not_known;
  if (chance_of_so_few(news, one) < unlikely) return LossBy::limit;
  if (one.lost() > one.answered && most_others_answer_at_once(facts)) return LossBy::not_known;
  return one.lost() >= proves_loss ? LossBy::line : LossBy::not_known;
}

// What answered at first, and does not any more. Nothing where any of it does.
std::vector<Twice> fallen_silent(const Facts& facts) {
  std::vector<Twice> lost;
  for (const auto& flow : facts.flows) {
    Twice twice{&flow, nullptr, nullptr};
    bool still_there = false;
    for (const auto& sample : flow.samples) {
      if (!is_second(sample)) {
        // A refusal may come from a device in the far end's name, and only a few times a second.
        const auto& seen = sample.result->observation;
        const bool answered =
            sample.way == Reachability::open && seen.sent_at && seen.outcome != Outcome::refused;
        if (answered) twice.before = &sample;
      } else if (gets_out(sample.way)) {
        if (twice.after != nullptr) return {};  // it was lost by chance
        still_there = true;
      } else if (twice.after == nullptr) {
        twice.after = &sample;
      }
    }
    if (twice.before == nullptr) continue;
    if (twice.after == nullptr) {
      if (still_there) return {};  // nobody took offence
      continue;
    }
    const auto& before = twice.before->result->observation.sent_at;
    const auto& after = twice.after->result->observation.sent_at;
    if (after && *after >= *before) lost.push_back(twice);
  }
  return lost;
}

// When it was sent, where it was sent to the outside. The site's DNS answers a computer that is
// shut out, too.
std::optional<WallTime> sent_outside(const Facts& facts, const ProbeResult& result) {
  const bool outside =
      is_direct(result) && !facts.inside(result) && result.probe.check != CheckKind::dns;
  return outside ? result.observation.sent_at : std::nullopt;
}

std::vector<FindingAffects> sets_that_ask_outside(const Facts& facts, reach::Protocol protocol) {
  return sets_of(facts, facts.probes_that([&](const ProbeResult& result) {
    return facts.asked_for(result) && sent_outside(facts, result) &&
           matches(protocol, is_udp(result));
  }));
}

// When the last packet was sent that got an answer. `dropped`: the device drops packets, so no
// refusal from beyond it comes back either.
std::optional<WallTime> last_answered(const Facts& facts, bool dropped) {
  std::optional<WallTime> last;
  for (const auto& result : facts.report.probes) {
    const auto outcome = result.observation.outcome;
    const bool answered =
        outcome == Outcome::answered || outcome == Outcome::connected ||
        (dropped && outcome == Outcome::refused && who_refused(result) == Refuser::beyond);
    if (answered) last = std::max(last, sent_outside(facts, result));
  }
  return last;
}

// When the first of these was already silent.
WallTime silent_since(const std::vector<Twice>& lost) {
  auto since = WallTime::max();
  for (const auto& twice : lost) {
    since = std::min(since, *twice.after->result->observation.sent_at);
  }
  return since;
}

// Several hosts that owe an answer were silent before the last answer: a device that shuts this
// computer out lets everything pass before, and nothing afterwards.
bool some_died_before(const Facts& facts, std::optional<WallTime> last) {
  std::set<std::string_view> silent;
  for (const auto& flow : facts.flows) {
    const bool died = any_sample(flow, [&](const FlowSample& sample) {
      const auto& seen = sample.result->observation;
      const bool owes = !flow.udp || sample.responder;
      const auto sent = sent_outside(facts, *sample.result);
      return owes && seen.outcome == Outcome::silent && seen.detail == DetailCode::timed_out &&
             sent && sent < last;
    });
    if (died) silent.insert(flow.host);
  }
  return silent.size() > 1;
}

// A row's request was not answered, and nothing explains that yet.
bool any_unanswered(const Diagnosis& context) {
  return context.facts.any_probe([&](const ProbeResult& result) {
    return got_no_answer(result) && context.facts.asked_for(result) && !context.explained(result);
  });
}

// The device of that kind that worlds know of, if they do not also know of one that shuts this
// computer out.
const reach::Box* likely_box(const Diagnosis& context, reach::Kind kind) {
  if (!any_unanswered(context)) return nullptr;
  const auto told = [&](reach::Kind such) {
    return told_by_worlds(
        context, [&](const reach::Box& box, const reach::World&) { return box.kind == such; });
  };
  const auto found = told(kind);
  const bool sure = found && found->sure >= reach::is_likely && !told(reach::Kind::ban);
  return sure ? found->box : nullptr;
}

// What a device that lets some flows through, and others not, is behind.
std::vector<const ProbeResult*> silent_outside(const Diagnosis& context, reach::Protocol protocol) {
  const auto& facts = context.facts;
  return facts.probes_that([&](const ProbeResult& result) {
    const bool outside = is_direct(result) && !facts.inside(result);
    return result.observation.outcome == Outcome::silent && outside &&
           matches(protocol, is_udp(result)) && result.probe.check != CheckKind::dns &&
           !context.explained(result);
  });
}

// What the likeliest world's other boxes close: a line that is mended helps none of these.
std::set<std::string> closed_otherwise(const reach::Diagnosis& drawn) {
  std::set<std::string> closed;
  const auto& sight = drawn.sight;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& event = sight.events.flows[i];
    const auto met = reach::fate_in(drawn.worlds.front(), drawn.boxes, sight.packets[i], event,
                                    sight.events.slow_line);
    if (reach::loses(met.fate)) closed.insert(event.probe);
  }
  return closed;
}

// The second in which most of the flows began that the limit counts: those that were sent the whole
// way.
struct Second {
  int began = 0, late = 0, lost = 0;  // late: answered only when sent again
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
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto before = fullest->at_ms - packets[i].at_ms;
    if (!counts(packets[i]) || before < 0 || before >= 1000) continue;
    const auto& event = sight.events.flows[i];
    ++second.began;
    second.late += reach::answered_late(event);
    second.lost += event.seen == Seen::nothing;
  }
  return second;
}

// How the two counts came out.
void add_counts(std::vector<FindingEvidence>& list, const Facts& facts) {
  const auto &one = facts.on_one_flow(), &news = facts.on_new_flows();
  if (one.sent == 0 || news.sent == 0) return;
  list.push_back(
      {news.result->probe.id,
       phrase(
           "Of {} requests to {} from one port, {} were answered; of {} from separate ports, {}.",
           one.sent, one.result->probe.target.host, one.answered, news.sent, news.answered)});
}

// Some devices refuse instead of dropping.
bool are_reset(const std::vector<Twice>& lost) {
  return std::ranges::any_of(
      lost, [](const Twice& twice) { return twice.after->way != Reachability::lost; });
}

// What has fallen silent, where nothing else got through since.
std::vector<Twice> shut_out(const Facts& facts) {
  auto lost = fallen_silent(facts);
  const bool others = !lost.empty() && last_answered(facts, !are_reset(lost)) >= silent_since(lost);
  return others ? std::vector<Twice>() : lost;
}

}  // namespace

Causes find_rate_limit(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto lost = shut_out(facts);
  if (lost.empty()) return {};
  const bool resets = are_reset(lost);
  std::set<std::string> networks;
  for (const auto& twice : lost) networks.insert(twice.flow->network);
  const auto last = last_answered(facts, !resets);
  Cause cause;
  for (const auto& flow : facts.flows) {
    if (flow.port == 53) continue;
    for (const auto& sample : flow.samples) {
      const auto* result = sample.result;
      const bool refused =
          sample.way == Reachability::refused || sample.way == Reachability::blocked;
      // The ban may come between the connection and the reply.
      const bool shut_out = sample.way == Reachability::lost ||
                            (sample.way == Reachability::open && got_no_answer(*result)) ||
                            (resets && refused);
      if (shut_out && !context.explained(*result)) cause.explained.push_back(result);
    }
  }
  // Routers on the way no longer answer, either.
  append(cause.explained, facts.probes_that([&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool on_the_way = check == CheckKind::hop || check == CheckKind::udp_range;
    const auto& seen = result.observation;
    const bool silent = seen.outcome == Outcome::silent && seen.detail == DetailCode::silent;
    return on_the_way && silent && !context.explained(result);
  }));
  // A row's own request was answered at first, and its server has gone silent since.
  const bool hurts = std::ranges::any_of(
      lost, [&](const Twice& twice) { return facts.asked_for(*twice.before->result); });
  if (!hurts && !context.affects_requirement(cause.explained)) return {};
  const auto line = line_is_up(facts);
  const auto* quiet = line ? nullptr : resolver_is_silent(facts);
  const auto sure = quiet != nullptr || some_died_before(facts, last) ? Confidence::possible
                    : line && networks.size() > 1                     ? Confidence::certain
                                                                      : Confidence::likely;
  auto& finding = cause.name(FindingCode::firewall_rate_limited, Owner::security, sure);
  finding.title = resets
                      ? phrase("A device in the path has started to refuse this computer's packets")
                      : phrase("A device in the path has started to drop this computer's packets");
  finding.fix = phrase(
      "Exempt this computer{} from intrusion prevention (port scan, host sweep or flood "
      "protection) on the firewall, or raise its limit: calls contact dozens of servers within "
      "seconds, too. Until the block expires (often a minute to an hour), more tests from here "
      "will fail. After that, run this again at the normal pace.",
      own_address(facts.report));
  for (const auto& [flow, before, after] : lost) {
    const auto seconds = std::chrono::duration<double>(*after->result->observation.sent_at -
                                                       *before->result->observation.sent_at);
    const auto& target = after->result->probe.target;
    cause.tell(phrase("{}, {} {}, answered, but not {} s later.", target.host,
                      is_udp(*after->result) ? "UDP" : "TCP", target.port(),
                      fmt::format("{:.0f}", seconds.count())),
               after->result);
  }
  if (line) finding.evidence.push_back(*line);
  if (quiet != nullptr) {
    cause.tell(
        phrase("The DNS servers no longer answer either: the line itself may have gone down."),
        quiet);
  }
  add_what_they_saw(finding.evidence, cause.explained, 4);
  // Whatever passed before, no service works from here until the block expires.
  finding.affects = sets_that_ask_outside(facts, reach::Protocol::any);
  return {cause};
}

// Flows are spread over several lines or links, of which one is dead: the same request gets through
// from one port and never from another.
Causes find_dead_path(const Diagnosis& context) {
  const auto& facts = context.facts;
  // What shuts this computer out explains it, or a limit: what a dead path lost stays lost, however
  // often it is sent again.
  const bool limited = new_flows_are_limited(facts) &&
                       std::ranges::any_of(facts.answered_late(),
                                           [](const auto* result) { return is_udp(*result); });
  if (limited || !shut_out(facts).empty()) return {};
  const auto* path = likely_box(context, reach::Kind::path);
  if (path == nullptr) return {};
  Cause cause;
  cause.explained = silent_outside(context, path->protocol);
  const auto& drawn = context.worlds();
  const auto closed = closed_otherwise(drawn);
  std::erase_if(cause.explained,
                [&](const auto* result) { return closed.contains(result->probe.id); });
  if (!context.affects_requirement(cause.explained)) return {};
  auto& finding = cause.name(FindingCode::network_dead_path, Owner::network, Confidence::likely);
  finding.title = phrase("One of several lines or links out of this site is dead");
  finding.fix = phrase(
      "Find the device that spreads connections over several lines or links (a router with two "
      "Internet lines, SD-WAN, link aggregation), and switch off the line or link that does not "
      "work. If this site has only one line, ask the Internet provider to check for a dead link in "
      "its network.");
  for (const auto& [to, fared] : reach::how_flows_fared(drawn.sight, path->protocol)) {
    const bool both = fared.passed > 0 && fared.lost > 0;
    if (!both || to.ends_early || finding.evidence.size() == most_destinations) continue;
    cause.tell(phrase("{}, {} {}: attempts, each from a different port: {}; answered: {}.",
                      drawn.sight.hosts[to.host], to.udp ? "UDP" : "TCP", to.port,
                      fared.passed + fared.lost, fared.passed));
  }
  add_what_they_saw(finding.evidence, cause.explained, 4);
  finding.affects = sets_that_ask_outside(facts, path->protocol);
  return {cause};
}

bool new_flows_are_limited(const Facts& facts) { return loss_by(facts) == LossBy::limit; }

// A device lets so many new flows a second through, and no more: what is silent then, or dies on
// the way, may be so for that reason alone, and no other is looked for.
Causes find_new_flow_limit(const Diagnosis& context) {
  const auto& facts = context.facts;
  // It lets the first ones through. What drops the first packet of each flow lets none.
  const bool counted = new_flows_are_limited(facts) && facts.on_new_flows().answered > 0;
  // Where a count shows that the line loses packets, they need no limit.
  const bool by_worlds = !counted && loss_by(facts) != LossBy::line;
  const auto* told = by_worlds ? likely_box(context, reach::Kind::limit) : nullptr;
  const auto second = told ? busiest_second(context.worlds().sight, *told) : Second{};
  // Silence alone shows no limit: what was sent again must have come through, and more than once,
  // for any line loses a packet at times.
  if (!counted && second.late < 2) return {};
  Cause cause;
  cause.explained = silent_outside(context, counted ? reach::Protocol::udp : told->protocol);
  if (!context.affects_requirement(cause.explained)) return {};
  auto& finding =
      cause.name(FindingCode::firewall_new_flows_limited, Owner::network, Confidence::likely);
  finding.title = phrase("A device in the path limits how many new flows get out");
  finding.fix = phrase(
      "Find the firewall's limit on new connections or flows per second (flood or scan protection, "
      "session limit per host), and raise it {}: calls open dozens of flows within a second.",
      for_users(facts));
  add_counts(finding.evidence, facts);
  if (told != nullptr) {
    cause.tell(
        phrase("Of {} connections and requests in one second, {} were not answered at all, "
               "and {} only when they were sent again.",
               second.began, second.lost, second.late));
  }
  add_what_they_saw(finding.evidence, cause.explained, 4);
  return {cause};
}

// Some answers came only to a second try, and some never: a line that loses packets, or a device
// that limits what is new. Which of them is known where answers were counted.
Causes find_loss(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto& late = facts.answered_late();
  Cause cause;
  cause.explained = facts.probes_that([&](const ProbeResult& result) {
    return got_no_answer(result) && is_direct(result) && !facts.inside(result) &&
           !context.explained(result);
  });
  if (late.empty() || !context.affects_requirement(cause.explained)) return {};
  // A media port, or a router on the way, owes nobody an answer.
  const auto missing = std::ranges::count_if(facts.flows, [](const Flow& flow) {
    return flow.way == Reachability::lost && any_sample(flow, &FlowSample::responder);
  });
  // Counted, and none is lost: on a narrow line our own first packets were late, for they queue.
  const auto &one = facts.on_one_flow(), &news = facts.on_new_flows();
  const bool all_answered = one.sent > 0 && one.lost() == 0 && news.sent > 0 && news.lost() == 0;
  if (all_answered && missing == 0) return {};
  // Where this computer is shut out, the count met that.
  const bool by_line = loss_by(facts) == LossBy::line && fallen_silent(facts).empty();
  auto& finding = cause.name(FindingCode::network_loss, Owner::lan,
                             by_line ? Confidence::likely : Confidence::possible);
  finding.title = by_line
                      ? phrase("Packets are lost in transit")
                      : phrase("Packets are lost in transit, or a device limits new connections");
  finding.fix = phrase("Run this again at a quiet time, over a cable instead of Wi-Fi. ");
  finding.fix += by_line ? phrase(
                               "If packets are still lost, ask the Internet provider to measure "
                               "the loss on the line.")
                         : phrase(
                               "If answers are still missing, check the firewall for a limit on "
                               "new connections per "
                               "second (flood or scan protection) and its log for packets from "
                               "this computer, and ask "
                               "the Internet provider to measure the loss on the line.");
  cause.tell(late.size() == 1 ? phrase("One request was answered only on the second try.")
                              : phrase("{} requests were answered only after they were sent again.",
                                       late.size()));
  if (missing > 0) {
    cause.tell(missing == 1 ? phrase("One port of a public server did not answer.")
                            : phrase("{} ports of public servers did not answer.", missing));
  }
  add_counts(finding.evidence, facts);
  add_what_they_saw(finding.evidence, late, 3);
  add_what_they_saw(finding.evidence, cause.explained, 4);
  return {cause};
}

}  // namespace callready::findings
