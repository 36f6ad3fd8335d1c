// "It left the site" is weak evidence: a router on the way saw the packet, and nobody has said that
// it arrived, or that anything comes back. It is taken for a way that is open, unless the worlds in
// which it is lost add up to 5 %, or nothing comes back over UDP at all.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {
namespace {

// The router that saw the packets, if each that did may have stopped them; otherwise empty.
std::string no_farther_than(const Facts& facts, const ProbeResult& result) {
  std::string ours;
  for (const auto& evidence : result.observation.evidence) {
    const auto router = text_fact(evidence, Fact::by);
    if (detail_fact(evidence, Fact::result) != DetailCode::left_site || router.empty()) continue;
    if (!facts.proves_no_way(router, is_udp(result))) return {};
    ours = router;
  }
  return ours;
}

using Reasons = std::map<std::string, Text>;  // by probe

// Packets that died on the way once: their rows say no more than that it is not known.
void doubt_single_proofs(const Diagnosis& context, const std::set<std::string>& explained,
                         Reasons& reasons) {
  using Host = std::pair<std::string, bool>;
  std::map<Host, std::set<std::uint16_t>> died;  // ports of a host over UDP (true) or TCP
  std::map<std::string, Host> once;              // of a probe
  std::set<std::string> firm;
  for (const auto& flow : context.flows) {
    for (const auto& sample : flow.samples) {
      if (sample.way != Reachability::blocked) continue;
      const auto& id = sample.result->probe.id;
      if (firmly_blocked(context, flow) || sample.turned_away()) {
        firm.insert(id);
      } else {
        const Host host{flow.host, flow.udp};
        died[host].insert(flow.port);
        once.emplace(id, host);
        for (const auto& other : flow.samples) {
          if (other.result->observation.outcome != Outcome::passed) continue;
          reasons.emplace(other.result->probe.id,
                          phrase("packets to port {} were dropped in transit", flow.port));
        }
      }
    }
  }
  for (const auto& [id, host] : once) {
    if (died[host].size() > most_by_chance || firm.contains(id)) continue;
    if (explained.contains(id) || context.got_out.contains(id)) continue;
    reasons.emplace(id, phrase("one packet was lost, as can happen on any poor line"));
  }
}

// A relay was granted, and what was sent through it arrived nowhere: a firewall may drop what goes
// to the relay's port, and no second relay showed more.
bool carried_nothing(const ProbeResult& result) {
  return result.observation.outcome == Outcome::answered &&
         result.observation.detail == DetailCode::allocated &&
         flag_of(result, EvidenceKind::relay_trip, Fact::outbound) == false &&
         flag_of(result, EvidenceKind::relay_trip, Fact::inbound) == false;
}

// Greetings that were answered the second time, by a check that looks at no certificate.
void doubt_unseen_certificates(const Diagnosis& context, Reasons& reasons) {
  for (const auto& result : context.report.probes) {
    const auto& target = result.probe.target;
    if (!over_tls(result) || !context.got_out.contains(result.probe.id)) continue;
    const bool seen = context.any_probe([&](const ProbeResult& again) {
      const auto& other = again.probe.target;
      return again.probe.purpose == Purpose::repeat && has_certificate(again) &&
             other.host == target.host && other.port() == target.port();
    });
    if (!seen) reasons.emplace(result.probe.id, phrase("its certificate was not checked then"));
  }
}

// What is lost in some of the worlds, and what suggests it.
class Losses {
 public:
  Losses(const Facts& facts, const reach::Drawn& drawn) : drawn_(drawn) {
    std::set<std::pair<std::string_view, std::uint16_t>> left;
    std::set<std::tuple<std::string_view, std::uint16_t, Cargo>> died;
    std::vector<const FlowEvent*> silent;
    const auto asked = facts.hosts_asked_for();
    bool heard = false;
    for (const auto& event : drawn.sight.events.flows) {
      const auto cargo = event.flow.cargo;
      if (!event.flow.udp && event.seen == Seen::refused) reset_ = &event;
      if (event.seen == Seen::arrived) refused_.insert(event.probe);
      if (!event.flow.udp && event.seen == Seen::talk)
        talked_.emplace(event.flow.host, event.flow.port);
      if (!event.flow.udp || cargo == Cargo::dns) continue;
      const bool media = cargo == Cargo::rtp;
      if (media && reach::is_bad(event.seen) && asked.contains(event.flow.host))
        dead_ports_.insert(event.flow.port);
      if (event.seen == Seen::expired) left.emplace(event.flow.host, event.flow.port);
      if (event.seen == Seen::dropped) died.emplace(event.flow.host, event.flow.port, cargo);
      heard |= !event.ends_early && reach::is_good(event.seen) && event.seen != Seen::arrived;
      // Other servers may ignore clients that they do not know.
      if (was_owed_an_answer(facts, event)) silent.push_back(&event);
    }
    for (const auto* event : silent) {
      // Media to that port may have left: a request that was seen to die says nothing about the way
      // back.
      const auto& flow = event->flow;
      const bool got_out = left.contains({flow.host, flow.port}) &&
                           !died.contains({flow.host, flow.port, flow.cargo});
      if (got_out) unheard_ = event;
    }
    if (heard) unheard_ = reset_ = nullptr;
  }

  // If something that the probe stands for is lost in worlds that are probable enough together:
  // what the device of the likeliest of them did to others. Otherwise empty.
  Text reason_to_doubt(const reach::AskedProbe& probe) const {
    double lost = 0, carried = 0;
    const reach::Box *by = nullptr, *carrier = nullptr;
    for (const auto& world : drawn_.worlds) {
      const auto met = met_by(world, probe);
      if (!met.met()) continue;
      const bool carries = met.fate == reach::Fate::carry;
      (carries ? carried : lost) += world.probability;
      auto& box = carries ? carrier : by;
      if (box == nullptr) box = &drawn_.boxes[met.box];
    }
    if (lost >= reach::is_worth_saying) return reason_of(*by, probe);
    // A device that connects by itself proves nothing about the host.
    const auto& target = probe.result->probe.target;
    const bool stands = probe.result->observation.outcome == Outcome::connected &&
                        !talked_.contains({target.host, target.port()});
    if (stands && carried > reach::more_likely_than_not) return reason_of(*carrier, probe);
    if (!is_udp(*probe.result)) return {};
    if (unheard_ != nullptr) return phrase("replies may be lost: {}", what_became_of(*unheard_));
    const bool refused = refused_.contains(probe.result->probe.id);
    return refused && reset_ != nullptr ? what_became_of(*reset_) : Text();
  }

 private:
  // Where one of its packets is lost, including one to a port of its range on which others were
  // lost; otherwise where a device carries one on.
  reach::Met met_by(const reach::World& world, const reach::AskedProbe& probe) const {
    reach::Met carried;
    for (const auto& packet : reach::packets_of(drawn_.asked, probe, dead_ports_)) {
      const auto met = reach::fate_in(world, drawn_.boxes, packet);
      if (reach::loses(met.fate)) return met;
      if (met.fate == reach::Fate::carry) carried = met;
    }
    return carried;
  }

  Text reason_of(const reach::Box& box, const reach::AskedProbe& probe) const {
    if (box.fate == reach::Fate::take || box.fate == reach::Fate::carry)
      return phrase("a device in the path may take connections itself");
    const auto& target = probe.result->probe.target;
    const auto& events = lost_by(box);
    const auto nearest = std::ranges::max_element(events, {}, [&](const FlowEvent* event) {
      return 2 * (event->flow.host == target.host) + target.ports.contains(event->flow.port);
    });
    if (nearest == events.end()) return phrase("packets may be lost on the way");
    const auto seen = what_became_of(**nearest);
    // Closed in part: the box is about ports, and not about all that the row asks for.
    const bool in_part =
        !box.ports.empty() && target.ports.contains((*nearest)->flow.port) &&
        std::ranges::none_of(box.ports, [&](const PortRange& range) {
          return range.first <= target.ports.first && target.ports.last <= range.last;
        });
    if (in_part) return phrase("on one of its ports, {}", seen);
    return (*nearest)->flow.host == target.host
               ? seen
               : phrase("packets may be lost like others: {}", seen);
  }

  // What that box alone has done to others, as far as it was seen.
  const std::vector<const FlowEvent*>& lost_by(const reach::Box& box) const {
    const auto [known, fresh] = lost_by_.try_emplace(&box);
    if (!fresh) return known->second;
    for (const auto& [packet, event] : drawn_.sight.seen_packets()) {
      const bool lost = reach::is_bad(event.seen) || event.seen == Seen::mute;
      if (lost && reach::loses(reach::fate_of(box, packet))) known->second.push_back(&event);
    }
    return known->second;
  }

  static Text what_became_of(const FlowEvent& event) {
    const auto& flow = event.flow;
    const auto where = fmt::format("{} ({} {})", flow.host, flow.udp ? "UDP" : "TCP", flow.port);
    switch (event.seen) {
      case Seen::nothing:
        return phrase("nothing came back from {}", where);
      case Seen::mute:
        return phrase("the connection to {} opened, but nothing was answered over it", where);
      case Seen::one_way:
        return phrase("{} received packets, but its reply did not arrive", where);
      case Seen::dropped:
        return phrase("packets to {} were dropped in transit", where);
      default:
        return flow.udp ? phrase("packets to {} were refused", where)
                        : phrase("connections to {} were refused", where);
    }
  }

  const reach::Drawn& drawn_;
  mutable std::map<const reach::Box*, std::vector<const FlowEvent*>> lost_by_;
  // UDP: on which media was lost to hosts that a row asks for. An allow list stops what is sent to
  // strangers.
  std::set<std::uint16_t> dead_ports_;
  // Where nothing was heard over UDP: a request that left and was not answered, so that no way back
  // is proved; and a connection that was reset, by a device that may also refuse UDP in the far
  // end's name (`refused_`).
  const FlowEvent *unheard_ = nullptr, *reset_ = nullptr;
  // Hosts and TCP ports that answered something over a connection.
  std::set<std::pair<std::string_view, std::uint16_t>> talked_;
  std::set<std::string_view> refused_;  // probes: port unreachable, as if from beyond the site
};

// What was only seen to leave, or to connect, may be lost all the same.
void doubt_what_worlds_lose(const Diagnosis& context, Reasons& reasons) {
  const auto& drawn = context.worlds();
  const Losses losses(context, drawn);
  for (const auto& probe : drawn.asked.probes) {
    const auto& result = *probe.result;
    const auto outcome = result.observation.outcome;
    const bool stands = outcome == Outcome::connected && !is_udp(result);
    const bool weak =
        outcome == Outcome::passed || stands || context.got_out.contains(result.probe.id);
    if (!weak || !is_direct(result) || is_inside(result)) continue;
    auto reason = losses.reason_to_doubt(probe);
    if (!reason.empty()) reasons.emplace(result.probe.id, std::move(reason));
  }
}

}  // namespace

std::map<std::string, Text> doubted(const Diagnosis& context,
                                    const std::set<std::string>& explained) {
  Reasons reasons;
  doubt_single_proofs(context, explained, reasons);
  doubt_unseen_certificates(context, reasons);
  const bool limited = new_flows_are_limited(context);
  for (const auto* result : hidden_by_limit(context))
    reasons.emplace(result->probe.id, phrase("this network limits new flows"));
  for (const auto& result : context.report.probes) {
    const auto& id = result.probe.id;
    if ((context.line_loses() || limited) && got_no_answer(result) && !explained.contains(id)) {
      reasons.insert_or_assign(id, limited && (is_udp(result) || !context.line_loses())
                                       ? phrase("this network limits new flows")
                                       : phrase("this line loses packets"));
    }
    if (carried_nothing(result))
      reasons.emplace(id, phrase("it granted a relay, but no data came through it"));
    const bool weak = result.observation.outcome == Outcome::passed || context.got_out.contains(id);
    const auto router =
        weak && is_direct(result) ? no_farther_than(context, result) : std::string();
    if (router.empty()) continue;
    reasons.emplace(id, phrase("no packet was seen farther out than {}, {}", router,
                               context.may_be_ours(router) ? phrase("which may be this site's own")
                               : context.may_stop_others(router)
                                   ? phrase("which stops other packets")
                                   : phrase("beyond which other packets are stopped")));
  }
  doubt_what_worlds_lose(context, reasons);
  return reasons;
}

std::set<std::string> surely_lost(const Diagnosis& context, const std::set<std::string>& probes) {
  if (probes.empty()) return {};
  const auto& drawn = context.worlds();
  std::map<std::string, double> lost;
  for (const auto& world : drawn.worlds) {
    const auto fates = reach::fates_in(world, drawn.boxes, drawn.asked);
    for (const auto& probe : drawn.asked.probes) {
      const auto& result = *probe.result;
      if (!got_no_answer(result) || !probes.contains(result.probe.id)) continue;
      // A server that is silent says nothing about the site.
      if (only_measures(result.probe.check)) continue;
      if (reach::fails(probe, fates, world, drawn.boxes))
        lost[result.probe.id] += world.probability;
    }
  }
  std::set<std::string> sure;
  for (const auto& [id, probability] : lost) {
    if (probability >= reach::is_certain) sure.insert(id);
  }
  return sure;
}

std::set<std::string> got_out_after_all(const Facts& facts) {
  std::set<std::string> gone, open;
  for (const auto& flow : facts.flows) {
    for (const auto& sample : flow.samples) {
      if (sample.way != Reachability::blocked) continue;
      const bool passed = any_sample(flow, [&](const FlowSample& other) {
        // It may drop one only.
        return gets_out(other.way) && inspected_as(other) == inspected_as(sample);
      });
      // A device's refusal stands, whatever else got through.
      const bool after_all = passed && !sample.turned_away();
      (after_all ? open : gone).insert(sample.result->probe.id);
    }
  }
  for (const auto& id : gone) open.erase(id);
  std::set<std::tuple<CheckKind, std::string, Transport, std::uint16_t>> answered;  // the 2nd time
  // TLS that is opened to see how large packets get is TLS.
  const auto key = [](const Probe& probe) {
    const auto& target = probe.target;
    const bool tls = probe.check == CheckKind::path && target.transport == Transport::tls;
    return std::tuple(tls ? CheckKind::tls : probe.check, target.host, target.transport,
                      target.port());
  };
  for (const auto& [probe, seen] : facts.report.probes) {
    if (probe.purpose == Purpose::repeat && reached(seen.outcome)) answered.insert(key(probe));
  }
  for (const auto& result : facts.report.probes) {
    const bool once = (got_no_answer(result) && is_direct(result)) || was_turned_away(result) ||
                      nobody_answered_for_its_name(result);
    if (once && answered.contains(key(result.probe))) open.insert(result.probe.id);
  }
  return open;
}

}  // namespace callready::findings
