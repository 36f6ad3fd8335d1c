#include "tests/worlds/works.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

// Contents that make a row fail, or work with limits.
bool weakens_rows(const Finding& finding) {
  if (finding.confidence == Confidence::possible) return false;
  constexpr std::array<std::string_view, 6> families{"media", "firewall", "turn",
                                                     "sip",   "tls",      "time"};
  return finding.code == FindingCode::network_mtu || contains(families, family_of(finding.code));
}

// Media, calls, what the site's resolver says: contents.
bool is_by_rules(CheckKind check) {
  return check == CheckKind::media || check == CheckKind::ice || check == CheckKind::dns;
}

// Whether `needed` of them work; open if the unknown ones may make up the number.
Works best_of(const std::vector<Works>& seen, std::size_t needed) {
  const auto count = [&](Works wanted) {
    return static_cast<std::size_t>(std::ranges::count(seen, wanted));
  };
  if (count(Works::yes) >= needed) return Works::yes;
  return count(Works::yes) + count(Works::unknown) >= needed ? Works::unknown : Works::no;
}

// In that world its name no longer exists.
bool is_gone(const AskedProbe& probe, const World& world, const Boxes& boxes) {
  const auto its = std::ranges::find_if(world.boxes, [&](auto number) {
    return boxes[number].kind == Kind::fact && holds(boxes[number].names, probe.host);
  });
  return its != world.boxes.end() && boxes[*its].code == FindingCode::target_outdated;
}

// `died`: of AskedRows. `fates`: of the packets of `Asked`, in their order.
Works works(const AskedProbe& probe, bool died, const std::vector<Met>& fates, const World& world,
            const Boxes& boxes) {
  const auto check = probe.result->probe.check;
  if (probe.packets.empty()) return Works::untried;
  if (probe.by_proxy) return Works::yes;
  if (is_gone(probe, world, boxes)) return Works::gone;
  if (fails(probe, fates, world, boxes)) return Works::no;
  const bool chance = std::ranges::any_of(
      probe.packets, [&](std::size_t packet) { return is_chance(fates[packet].fate); });
  if (chance) return Works::unknown;
  if (probe.result->observation.outcome == Outcome::skipped) return Works::untried;
  // A high prior alone makes nothing ready: something has to have been seen.
  const bool by_chance = losses[world.loss].share >= explains_one_failure;
  if (check == CheckKind::udp_range) {
    return probe.arrived && (by_chance || !died) ? Works::yes : Works::unknown;
  }
  if (!is_exchange(check) || probe.arrived) return Works::yes;
  // Seen to fail, and no box says why: chance, or nobody knows.
  return by_chance ? Works::yes : Works::unknown;
}

using Places = std::map<std::string_view, std::size_t>;  // in Asked::probes, by id

// For a probe through a proxy, also the same one without it.
std::vector<std::size_t> probes_of(const RequirementResult& row, const Places& places) {
  std::vector<std::size_t> probes;
  for (const auto& id : row.probes) {
    for (const auto& name : {id, id.substr(0, id.find('@'))}) {
      const auto place = places.find(name);
      if (place != places.end()) add_once(probes, place->second);
    }
  }
  return probes;
}

}  // namespace

AskedRows rows_of(const Report& report, const Drawn& drawn, const RowReach& reach,
                  const std::vector<Finding>& contents) {
  AskedRows made;
  std::set<std::string_view> died;
  for (const auto& event : drawn.sight.events.flows) {
    if (event.seen == Seen::dropped) died.insert(event.probe);
  }
  Places places;
  for (std::size_t i = 0; i < drawn.asked.probes.size(); ++i) {
    const auto& id = drawn.asked.probes[i].result->probe.id;
    places[id] = i;
    made.died.push_back(died.contains(id));
  }
  std::set<std::string> explained;
  for (const auto& finding : contents) {
    if (!weakens_rows(finding)) continue;
    explained.insert(finding.explains.begin(), finding.explains.end());
  }
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      AskedRow asked;
      asked.set = &set;
      asked.row = &row;
      const auto id = set.id + '/' + row.id;
      if (const auto found = reach.find(id); found != reach.end()) asked.reach = found->second;
      asked.spoilt = row.status == Status::fail && explained.contains(id);
      asked.worse = row.status == Status::warn && explained.contains(id);
      asked.probes = probes_of(row, places);
      for (const auto place : asked.probes) {
        const auto& probe = drawn.asked.probes[place].result->probe;
        asked.nat |= probe.check == CheckKind::nat;
        asked.sip_alg |= probe.check == CheckKind::sip_alg;
        asked.plain_sip |=
            probe.check == CheckKind::sip && probe.target.transport == Transport::udp;
      }
      made.rows.push_back(std::move(asked));
    }
  }
  return made;
}

std::vector<Works> works(const Drawn& drawn, const AskedRows& rows, const World& world) {
  const auto fates = fates_in(world, drawn.boxes, drawn.asked);
  const auto& asked = drawn.asked.probes;
  std::vector<Works> probes;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    probes.push_back(works(asked[i], rows.died[i], fates, world, drawn.boxes));
  }
  return probes;
}

Works works(const Asked& asked, const AskedRow& row, const std::vector<Works>& probes) {
  if (row.spoilt) return Works::no;
  const auto by_rules = [&](std::size_t probe) {
    return is_by_rules(asked.probes[probe].result->probe.check);
  };
  if (!row.probes.empty() && std::ranges::all_of(row.probes, by_rules)) {
    switch (row.row->status) {
      case Status::pass:
      case Status::warn:
        return Works::yes;
      case Status::fail:
        return Works::no;
      case Status::unknown:
        return Works::unknown;
      case Status::skip:
        return Works::untried;
    }
  }
  std::vector<Works> seen;
  for (const auto probe : row.probes) {
    if (probes[probe] != Works::untried) seen.push_back(probes[probe]);
  }
  const bool others = std::ranges::any_of(seen, [](Works one) { return one != Works::gone; });
  if (others) std::erase(seen, Works::gone);
  if (seen.empty()) return Works::untried;
  const auto& [kind, count] = row.reach;
  if (kind == Reach::Kind::all) return best_of(seen, seen.size());
  const int needed = kind == Reach::Kind::any ? 1 : std::max(count, 1);
  return best_of(seen, std::min(static_cast<std::size_t>(needed), seen.size()));
}

}  // namespace callready::reach
