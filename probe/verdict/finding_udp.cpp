// UDP: all of it, a port, a part of a media range (DESIGN, "How neighbours are told apart", 1 and
// 2). Silence alone proves nothing; packets that die between controls that pass, a device that
// says no, and known responders of two operators do.
#include <fmt/format.h>

#include <algorithm>

#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

constexpr std::uint16_t dns_port = 53;

bool gets_out(Way way) { return way == Way::open || way == Way::left; }
bool out(const Cell& cell) { return gets_out(cell.way); }

bool is_range(const ProbeResult& result) { return result.probe.check == "udp-range"; }

bool of_a_range(const Contact& contact) {
  return is_range(*contact.result) && !contact.result->probe.target.ports.single();
}

// A port that belongs to a range, and a service's own port. A cell can be both.
bool in_a_range(const Cell& cell) {
  return std::any_of(cell.contacts.begin(), cell.contacts.end(), of_a_range);
}
bool has_service(const Cell& cell) {
  const bool range = in_a_range(cell);
  return std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
    // A second round asks for a range's ports by themselves.
    return !of_a_range(contact) && !(range && contact.result->probe.check == "hop");
  });
}

std::vector<const Cell*> udp_cells(const Facts& facts) {
  return facts.select([](const Cell& cell) { return cell.udp && cell.port != dns_port; });
}

// Blocked contacts of these cells, then others.
std::vector<FindingEvidence> evidence_for(const std::vector<const Cell*>& cells, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (contact.way == Way::blocked) strong.push_back(what_it_saw(contact));
      if (contact.way == Way::lost) weak.push_back(what_it_saw(contact));
    }
  }
  strong.insert(strong.end(), weak.begin(), weak.end());
  if (strong.size() > most) strong.resize(most);
  return strong;
}

// The first that gets out, preferring the given host: the control that gives the others a meaning.
std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host) {
  const Cell* best = nullptr;
  for (const auto* cell : udp_cells(facts)) {
    if (!out(*cell)) continue;
    if (best == nullptr || (cell->host == host && best->host != host)) best = cell;
  }
  if (best == nullptr) return std::nullopt;
  for (const auto& contact : best->contacts) {
    if (contact.way == Way::open || contact.way == Way::left) return what_it_saw(contact);
  }
  return std::nullopt;
}

// The devices that refused, with how many networks each did it for.
std::map<std::string, std::set<std::string>> refusals(const std::vector<const Cell*>& cells) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (!contact.by.empty()) found[contact.by].insert(cell->network);
    }
  }
  return found;
}

// A relay or an echo that works did not hear us on a blocked port.
bool responders_missed_us(const std::vector<const Cell*>& cells) {
  const auto missed = [](const Contact& contact) {
    const auto& list = contact.result->observation.evidence;
    return std::any_of(list.begin(), list.end(), [&](const Evidence& evidence) {
      return evidence.kind == "udp_port" && text_fact(evidence, "result") == "dropped" &&
             number_fact(evidence, "port") == contact.port &&
             !text_fact(evidence, "responder").empty();
    });
  };
  return std::any_of(cells.begin(), cells.end(), [&](const Cell* cell) {
    return std::any_of(cell->contacts.begin(), cell->contacts.end(), missed);
  });
}

std::string ask_the_device(const std::vector<const Cell*>& cells) {
  const auto devices = refusals(cells);
  return findings::ask_the_device(devices.empty() ? "" : devices.begin()->first);
}

void add_probes(const Case& of, const Cell& cell, std::vector<const ProbeResult*>& list) {
  for (const auto* result : of.open_probes(cell)) {
    if (std::find(list.begin(), list.end(), result) == list.end()) list.push_back(result);
  }
}

// Packets leave, and nobody who answers everybody is heard, on whatever port: the way back is shut.
std::optional<UdpVerdict> replies_are_lost(const std::vector<const Cell*>& cells) {
  std::set<std::uint16_t> ports;
  std::set<std::string> parties;
  const Cell* left = nullptr;
  for (const auto* cell : cells) {
    if (cell->way == Way::open) return std::nullopt;
    if (cell->way == Way::left) left = cell;
    for (const auto& contact : cell->contacts) {
      if (contact.way != Way::lost || !contact.responder) continue;
      ports.insert(cell->port);
      parties.insert(cell->party);
    }
  }
  // A port that is inspected, or one operator that is down, has the others answer.
  if (left == nullptr || ports.size() < 3 || parties.size() < 3) return std::nullopt;
  UdpVerdict verdict;
  verdict.confidence = Confidence::likely;
  verdict.only_replies = true;
  verdict.evidence.push_back(
      {"", fmt::format("UDP leaves the site, and no reply comes back: servers that answer "
                       "everybody are silent, on ports {}: {}.",
                       ports_in_words({ports.begin(), ports.end()}, 4),
                       listed({parties.begin(), parties.end()}))});
  for (const auto& contact : left->contacts) {
    if (contact.way == Way::left) verdict.evidence.push_back(what_it_saw(contact));
  }
  return verdict;
}

}  // namespace

std::optional<UdpVerdict> udp_is_blocked(const Facts& facts) {
  const auto cells = udp_cells(facts);
  if (cells.empty() || !facts.tcp_gets_out()) return std::nullopt;
  if (std::any_of(cells.begin(), cells.end(), [](const Cell* cell) { return out(*cell); })) {
    return replies_are_lost(cells);
  }
  UdpVerdict verdict;
  std::set<std::uint16_t> dropped;
  std::set<std::string> silent_parties;
  std::vector<const Cell*> silent;
  for (const auto* cell : cells) {
    const bool responder = std::any_of(cell->contacts.begin(), cell->contacts.end(),
                                       [](const Contact& contact) { return contact.responder; });
    const bool named = std::any_of(cell->contacts.begin(), cell->contacts.end(),
                                   [](const Contact& contact) { return !contact.by.empty(); });
    if (cell->way == Way::blocked && !named) dropped.insert(cell->port);
    if (responder && cell->way == Way::lost) {
      silent_parties.insert(cell->party);
      silent.push_back(cell);
    }
  }
  const auto devices = refusals(cells);
  const auto widest = std::max_element(
      devices.begin(), devices.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const bool refused = widest != devices.end() && widest->second.size() >= 2;
  if (refused) {
    verdict.evidence.push_back(
        {"", fmt::format("{} turns UDP to {} networks away (ICMP administratively prohibited).",
                         widest->first, widest->second.size())});
  }
  if (dropped.size() >= 3) {
    verdict.evidence.push_back(
        {"", fmt::format("UDP to {} ports ({}) dies before the first router outside, which TCP to "
                         "the same addresses reaches.",
                         dropped.size(), ports_in_words({dropped.begin(), dropped.end()}, 4))});
  }
  if (refused || dropped.size() >= 3) {
    verdict.confidence = Confidence::certain;
  } else if (silent_parties.size() < 2) {
    return std::nullopt;
  }
  if (!silent_parties.empty()) {
    verdict.evidence.push_back(
        {"", fmt::format("Servers that answer everybody are silent over UDP: {}.",
                         listed({silent_parties.begin(), silent_parties.end()}))});
  }
  auto more = evidence_for(cells, 6);
  verdict.evidence.insert(verdict.evidence.end(), more.begin(), more.end());
  return verdict;
}

std::vector<const ProbeResult*> failing_udp(const Case& of) {
  std::vector<const ProbeResult*> lost;
  for (const auto& result : of.facts.report.probes) {
    const bool dns = result.probe.target.port() == dns_port || result.probe.check == "dns";
    if (is_udp(result) && is_direct(result) && !dns && !of.facts.inside(result) &&
        failing(result) && !of.explained(result)) {
      lost.push_back(&result);
    }
  }
  return lost;
}

Causes find_udp_blocked(const Case& of) {
  const auto verdict = udp_is_blocked(of.facts);
  if (!verdict) return {};
  Cause cause;
  cause.explained = failing_udp(of);
  if (!of.matters(cause.explained)) return {};
  auto& finding = cause.finding;
  finding.code = "firewall.udp_blocked";
  finding.title = verdict->only_replies ? "The firewall lets no replies over UDP in"
                                        : "The firewall lets no UDP out";
  finding.owner = Owner::network;
  finding.confidence = verdict->confidence;
  finding.fix = fmt::format(
      "{} {}.{}",
      verdict->only_replies ? "Let the replies in to the UDP that the user network sends (a "
                              "stateful rule, with a timeout of 60 s or more):"
                            : "Allow outgoing UDP from the user network, with the replies:",
      flows_in_words(of.facts, cause.explained), where_the_list_is(of.facts, cause.explained));
  finding.evidence = verdict->evidence;
  finding.evidence.push_back({"", "TCP to the Internet works."});
  return {cause};
}

Causes find_udp_ports(const Case& of) {
  const auto& facts = of.facts;
  std::map<std::uint16_t, std::vector<const Cell*>> by_port;
  for (const auto* cell : udp_cells(facts)) {
    if (has_service(*cell)) by_port[cell->port].push_back(cell);
  }
  const auto all = udp_cells(facts);
  const bool udp_works =
      std::any_of(all.begin(), all.end(), [](const Cell* cell) { return out(*cell); });
  if (!udp_works) return {};
  Cause cause;
  std::vector<std::uint16_t> ports;
  std::vector<const Cell*> closed;
  auto confidence = Confidence::certain;
  for (const auto& [port, cells] : by_port) {
    std::vector<const Cell*> dead;
    std::set<std::string> silent_parties, payloads;
    bool works = false, blocked = false, named = false;
    for (const auto* cell : cells) {
      works |= out(*cell);
      if (cell->way == Way::blocked) {
        blocked = true;
        dead.push_back(cell);
      }
      for (const auto& contact : cell->contacts) {
        named |= !contact.by.empty();
        if (contact.way != Way::lost || !contact.responder) continue;
        silent_parties.insert(cell->party);
        payloads.insert(contact.payload);
        if (contact.payload == "turn") payloads.insert("stun");
        if (cell->way == Way::lost) dead.push_back(cell);
      }
    }
    // Known responders of two operators, silent on this port alone: not where the protocol is
    // answered nowhere, which may be inspection.
    const bool spoken_elsewhere = std::any_of(all.begin(), all.end(), [&](const Cell* cell) {
      return std::any_of(cell->contacts.begin(), cell->contacts.end(), [&](const Contact& contact) {
        return contact.way == Way::open && payloads.contains(contact.payload);
      });
    });
    if (works || (!blocked && (silent_parties.size() < 2 || !spoken_elsewhere))) continue;
    std::vector<const ProbeResult*> probes;
    for (const auto* cell : dead) add_probes(of, *cell, probes);
    if (!of.matters(probes)) continue;
    ports.push_back(port);
    closed.insert(closed.end(), dead.begin(), dead.end());
    if (!named) confidence = Confidence::likely;
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
  }
  if (ports.empty()) return {};
  auto& finding = cause.finding;
  finding.code = "firewall.udp_port_blocked";
  finding.title = fmt::format("The firewall lets no UDP out to port {}", ports_in_words(ports));
  finding.owner = Owner::network;
  finding.confidence = confidence;
  finding.fix = fmt::format("Allow outgoing UDP from the user network, with the replies: {}.{}{}",
                            flows_in_words(facts, cause.explained), ask_the_device(closed),
                            where_the_list_is(facts, cause.explained));
  finding.evidence = evidence_for(closed, 8);
  if (const auto control = control_for(facts, closed.front()->host)) {
    finding.evidence.insert(finding.evidence.begin() + 1, *control);
  }
  return {cause};
}

namespace {

// A run of ports that are blocked, as far as they were sampled.
struct Gap {
  std::uint16_t first = 0, last = 0;                     // blocked ones
  std::optional<std::uint16_t> good_before, good_after;  // the nearest that get out
};

std::vector<Gap> gaps(const std::map<std::uint16_t, Way>& ports) {
  std::vector<Gap> found;
  std::optional<std::uint16_t> good;
  bool open = false;
  for (const auto& [port, way] : ports) {
    if (way == Way::open || way == Way::left) {
      if (open) found.back().good_after = port;
      open = false;
      good = port;
    } else if (way == Way::blocked) {
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

std::string bounds_in_words(const Gap& gap) {
  std::vector<std::string> good;
  if (gap.good_before) good.push_back(std::to_string(*gap.good_before));
  if (gap.good_after) good.push_back(std::to_string(*gap.good_after));
  if (good.empty()) return "every port that was tried is blocked";
  return fmt::format("blocked as far as sampled: {} to {}; {} still gets out", gap.first, gap.last,
                     listed(good));
}

// By what media sends: on a port where a device lets only STUN pass, media does not.
Way media_way(const Cell& cell) {
  Way way = Way::unknown;
  for (const auto& contact : cell.contacts) {
    if (!of_a_range(contact) && contact.payload != "rtp") continue;
    if (gets_out(contact.way)) return contact.way;
    if (way != Way::blocked) way = contact.way;
  }
  return way == Way::unknown ? cell.way : way;
}

// A probe that says that STUN passes where these packets died.
std::optional<FindingEvidence> stun_passes(const std::vector<const Cell*>& cells) {
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      const bool other = contact.payload == "stun" && contact.result->probe.check == "hop";
      if (other && gets_out(contact.way)) return what_it_saw(contact);
    }
  }
  return std::nullopt;
}

}  // namespace

Causes find_udp_ranges(const Case& of) {
  const auto& facts = of.facts;
  std::map<std::uint16_t, Way> ports;  // of all destinations: the best
  std::map<std::uint16_t, std::vector<const Cell*>> cells_of;
  for (const auto* cell : udp_cells(facts)) {
    const auto own = media_way(*cell);
    if (own == Way::lost || own == Way::unknown) continue;
    // Single ports are the rule before this one; where they get out they bound a range, too.
    if (!in_a_range(*cell) && !gets_out(own)) continue;
    auto& way = ports.try_emplace(cell->port, own).first->second;
    if (gets_out(own)) way = own;
    cells_of[cell->port].push_back(cell);
  }
  const auto found = gaps(ports);
  Cause cause;
  std::vector<const Cell*> closed;
  std::vector<std::string> spans;
  std::vector<FindingEvidence> bounds;
  for (const auto& gap : found) {
    std::vector<const ProbeResult*> probes;
    std::vector<const Cell*> dead;
    for (auto at = ports.lower_bound(gap.first); at != ports.upper_bound(gap.last); ++at) {
      if (at->second != Way::blocked) continue;
      for (const auto* cell : cells_of[at->first]) {
        dead.push_back(cell);
        add_probes(of, *cell, probes);
      }
    }
    if (!of.matters(probes)) continue;
    spans.push_back(span_in_words(gap));
    bounds.push_back({probes.front()->probe.id, "UDP: " + bounds_in_words(gap) + "."});
    closed.insert(closed.end(), dead.begin(), dead.end());
    for (const auto* result : probes) {
      auto& list = cause.explained;
      if (std::find(list.begin(), list.end(), result) == list.end()) list.push_back(result);
    }
  }
  if (spans.empty()) return {};
  auto& finding = cause.finding;
  finding.code = "firewall.udp_range_blocked";
  const auto only_stun = stun_passes(closed);
  finding.title = fmt::format("The firewall lets no {} out to ports {}",
                              only_stun ? "media (RTP)" : "UDP", listed(spans));
  finding.owner = Owner::network;
  const bool proved = !refusals(closed).empty() || responders_missed_us(closed);
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  finding.fix = fmt::format(
      "{}llow outgoing UDP from the user network, with the replies, to the whole range: {}.{}{}",
      only_stun ? "Switch off the inspection that drops UDP it does not know (application control, "
                  "\"unknown-udp\") for these flows, and a"
                : "A",
      flows_in_words(facts, cause.explained), ask_the_device(closed),
      where_the_list_is(facts, cause.explained));
  finding.evidence = evidence_for(closed, 6);
  const auto where = finding.evidence.begin() + (finding.evidence.empty() ? 0 : 1);
  finding.evidence.insert(where, bounds.begin(), bounds.end());
  if (only_stun) finding.evidence.insert(finding.evidence.begin() + 1, *only_stun);
  if (const auto control = control_for(facts, closed.front()->host)) {
    finding.evidence.push_back(*control);
  }
  return {cause};
}

}  // namespace callready::findings
