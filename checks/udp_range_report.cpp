// What a udp-range probe reports about its ports.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checks/udp_range_ports.hpp"

namespace callready::checks::udp_range {
namespace {

bool was_tried(const Port& port) { return port.tried || port.climbed || port.outbound; }

Text far_end_in_words(const Port& port) {
  if (*port.outbound) {
    return phrase("the far end heard us, but its reply did not arrive");
  }
  if (!port.by) return phrase("the far end says that the packet did not arrive");
  return phrase(
      "the far end says that the packet did not arrive, although it left the site and got as far "
      "as {}",
      port.by->to_string());
}

Text relay_in_words(const Port& port) {
  if (!*port.outbound) {
    return phrase("a relay there did not hear us, although relays on that server do work");
  }
  // `inbound` is not known where the server's relays may not answer at all.
  return port.inbound.value_or(false)
             ? phrase("a relay there heard us, and we heard it")
             : phrase("a relay there heard us, but its reply did not arrive");
}

Text in_words(const Port& port) {
  const auto by = port.by ? port.by->to_string() : std::string();
  switch (port.result) {
    case DetailCode::replied:
      return port.outbound ? relay_in_words(port) : phrase("it replied");
    case DetailCode::arrived:
      return port.outbound ? relay_in_words(port)
                           : phrase("the packet arrived; nothing is listening there now");
    case DetailCode::left_site:
      return phrase("the packet left the site and got as far as {}", by);
    case DetailCode::prohibited:
      if (!port.by)
        return phrase("refused in the server's name by a device nearer than the server");
      return port.no_way ? phrase("{} has no route there", by)
                         : phrase("{} refuses to forward it", by);
    case DetailCode::kept_here:
      return phrase("this computer's own firewall blocks it");
    case DetailCode::dropped:
      if (port.outbound) return relay_in_words(port);
      return port.before
                 ? phrase("dropped before {}, which other packets reach", port.before->to_string())
                 : phrase("dropped in transit");
    default:
      return was_tried(port) ? phrase("nothing came back") : phrase("not tried");
  }
}

// `routers`: on the way to the range's target, up to where its packets were to end.
Evidence describe(const Port& port, const Range& range, const Routers& routers) {
  const bool echo = range.echo;
  Evidence evidence;
  evidence.kind = EvidenceKind::udp_port;
  evidence.text = phrase("UDP {}: {}", port.number, in_words(port));
  if (echo && port.outbound) {
    evidence.text = phrase("UDP {}: {}", port.number, far_end_in_words(port));
  } else if (echo && port.result == DetailCode::dropped) {
    evidence.text = phrase(
        "UDP {}: the echo server does not answer, although it does on other ports", port.number);
  }
  if (range.refused_near && port.result == DetailCode::silent && port.by == range.target) {
    evidence.text = phrase(
        "UDP {}: \"port unreachable\" came from a device nearer than the server, so it proves "
        "nothing",
        port.number);
  }
  evidence.facts[Fact::port] = port.number;
  evidence.facts[Fact::result] = std::string(to_string(port.result));
  if (port.by) evidence.facts[Fact::by] = port.by->to_string();
  const auto met = std::ranges::find(routers, port.by, &Routers::value_type::second);
  const bool by_router =
      port.result == DetailCode::left_site || port.result == DetailCode::prohibited;
  if (by_router && met != routers.end()) evidence.facts[Fact::ttl] = met->first;
  if (port.no_way) {
    evidence.facts[Fact::reason] = std::string(to_string(DetailCode::unreachable));
  }
  if (port.refined) evidence.facts[Fact::refined] = true;
  if (!was_tried(port)) evidence.facts[Fact::sent] = 0;
  if (port.outbound) {
    evidence.facts[Fact::responder] = std::string(echo ? "echo" : "relay");
    evidence.facts[Fact::outbound] = *port.outbound;
    if (port.inbound) evidence.facts[Fact::inbound] = *port.inbound;
  } else if (echo) {
    evidence.facts[Fact::responder] = "echo";
  }
  return evidence;
}

Text neighbours_in_words(const Block& block) {
  if (block.open_before && block.open_after) {
    return phrase("; {} and {} get out", *block.open_before, *block.open_after);
  }
  if (block.open_before) return phrase("; {} gets out", *block.open_before);
  if (block.open_after) return phrase("; {} gets out", *block.open_after);
  return phrase("; no port was found that gets out");
}

void add_block(Observation& observation, const Block& block) {
  FactMap facts{{Fact::first, block.first}, {Fact::last, block.last}};
  if (block.open_before) facts[Fact::open_before] = *block.open_before;
  if (block.open_after) facts[Fact::open_after] = *block.open_after;
  auto text = block.first == block.last
                  ? phrase("UDP {} is blocked, as far as sampled", block.first)
                  : phrase("UDP {} to {} are blocked, as far as sampled", block.first, block.last);
  text += neighbours_in_words(block);
  add_evidence(observation, EvidenceKind::udp_block, std::move(text), std::move(facts));
}

// What a sample of `proved` ports, all of them open, can exclude with 95 % confidence: if a larger
// share of the range were blocked at random, it would have met some of it.
void add_sample(Observation& observation, const Range& range, int proved, int sampled,
                bool all_open) {
  const auto& whole = range.whole;
  FactMap facts{{Fact::proved, proved}, {Fact::sampled, sampled}, {Fact::ports, whole.count()}};
  auto text =
      sampled == 0
          ? phrase("none of the sampled ports was tried (ports in all: {})", whole.count())
          : plural(proved, "{} of {} sampled ports was proven to get out (ports in all: {})",
                   "{} of {} sampled ports were proven to get out (ports in all: {})", sampled,
                   whole.count());
  if (proved > 0 && !whole.single() && all_open) {
    const double share = 100 * (1 - std::pow(0.05, 1.0 / proved));
    const auto gap = longest_gap(known_ports(range.ports), whole);
    facts[Fact::excludes_percent] = share;
    facts[Fact::longest_gap] = gap;
    text += phrase(
        "; if more than {} % of the ports were blocked here and there (95 % confidence), or more "
        "than {} in a row, this sample would have found it",
        fmt::format("{:.0f}", share), gap);
  }
  add_evidence(observation, EvidenceKind::udp_sample, std::move(text), std::move(facts));
}

}  // namespace

void conclude(Observation& observation, const Range& range) {
  // If others' packets to these ports were seen to pass, only those that were actually tried.
  std::vector<const Port*> ports;
  for (const auto& port : range.ports) {
    if (port.tried || port.outbound || !range.covered) ports.push_back(&port);
  }
  if (ports.empty()) {
    return set_outcome(observation, Outcome::skipped, DetailCode::spared);
  }
  const bool none_tried = std::ranges::none_of(range.ports, was_tried);
  if (none_tried) observation.attempts = 0;
  if (none_tried && range.not_sent) return record(observation, *range.not_sent);
  const auto count = [&](auto&& wanted) {
    return static_cast<int>(std::count_if(ports.begin(), ports.end(), wanted));
  };
  const auto count_of = [&](DetailCode result) {
    return count([&](const Port* port) { return port->result == result; });
  };
  const int all = static_cast<int>(ports.size());
  const int prohibited = count_of(DetailCode::prohibited), dropped = count_of(DetailCode::dropped);
  const int replied = count_of(DetailCode::replied);
  const int open = count([](const Port* port) { return is_out(port->result); });
  const int one_way = count(
      [](const Port* port) { return is_out(port->result) && port->inbound && !*port->inbound; });
  const int kept_here = count_of(DetailCode::kept_here);
  if (kept_here > 0) {
    set_outcome(observation, Outcome::rejected,
                kept_here == all ? DetailCode::kept_here : DetailCode::partly_kept_here);
  } else if (prohibited > 0) {
    set_outcome(observation, Outcome::rejected,
                prohibited == all ? DetailCode::prohibited : DetailCode::partly_prohibited);
  } else if (dropped > 0) {
    set_outcome(observation, Outcome::silent,
                dropped == all ? DetailCode::dropped : DetailCode::partly_dropped);
  } else if (one_way > 0) {
    set_outcome(observation, Outcome::silent, DetailCode::inbound_dropped);
  } else if (open > 0) {
    set_outcome(observation, replied > 0 ? Outcome::answered : Outcome::passed,
                replied > 0 ? DetailCode::replied : DetailCode::left_site);
  } else {
    set_outcome(observation, Outcome::silent, DetailCode::silent);
  }
  const auto routers = range.context.edge.routers({range.target, range.whole.first});
  for (const auto* port : ports) {
    if (port->round_trip &&
        (!observation.round_trip || *port->round_trip < *observation.round_trip)) {
      observation.round_trip = port->round_trip;
    }
    observation.evidence.push_back(describe(*port, range, routers));
  }
  for (const auto& block : blocks_of(known_ports(range.ports))) add_block(observation, block);
  const int sampled = count([](const Port* port) { return !port->refined && was_tried(*port); });
  const int proved = count([](const Port* port) { return !port->refined && is_out(port->result); });
  const bool all_open = kept_here == 0 && prohibited == 0 && dropped == 0;
  add_sample(observation, range, proved, sampled, all_open);
}

}  // namespace callready::checks::udp_range
