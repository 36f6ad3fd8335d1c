#include "probe/diagnosis/reach/diagnose.hpp"

#include <algorithm>
#include <numeric>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/read.hpp"
#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

// Signs that a rule about contents has to confirm: it looks closer than one reading can.
void keep_confirmed(FlowEvents& events, const std::vector<Finding>& contents) {
  const auto found = [&](std::initializer_list<FindingCode> codes) {
    return std::ranges::any_of(
        contents, [&](const Finding& finding) { return contains(codes, finding.code); });
  };
  const auto confirmed = [&](Sign sign) {
    switch (sign) {
      case Sign::cert_expired:
        return found({FindingCode::tls_expired, FindingCode::time_skewed});
      case Sign::cert_wrong_name:
        return found({FindingCode::tls_wrong_name, FindingCode::dns_rewritten});
      case Sign::cert_untrusted:
        return found({FindingCode::tls_untrusted, FindingCode::tls_intercepted});
      case Sign::root_unexpected:
        return found({FindingCode::tls_intercepted, FindingCode::tls_untrusted});
      case Sign::packets_too_big:
        return found({FindingCode::network_mtu});
      case Sign::ipv6_broken:
        return found({FindingCode::network_ipv6_broken});
      case Sign::clock_off:
        return found({FindingCode::time_skewed});
      case Sign::dns_special:
        return found({FindingCode::dns_rewritten});
      default:
        return true;
    }
  };
  std::erase_if(events.signs, [&](const SignEvent& event) { return !confirmed(event.sign); });
}

void propose(const Clues& clues, std::span<const KindOfBox> table, Boxes& boxes) {
  for (const auto& kind : table) kind.propose(clues, boxes);
}

void keep_each_once(Boxes& boxes) {
  std::ranges::sort(boxes);
  const auto twice = std::ranges::unique(boxes);
  boxes.erase(twice.begin(), twice.end());
}

}  // namespace

Diagnosis find_worlds(const Report& report, const std::vector<Finding>& contents,
                      const SearchLimits& limits, std::span<const KindOfBox> table) {
  Diagnosis result;
  auto events = read_events(report);
  keep_confirmed(events, contents);
  for (const auto& finding : contents) {
    if (finding.code == FindingCode::network_no_gateway)
      events.signs.push_back({{}, Sign::no_link, {}});
  }
  result.sight = look(std::move(events), flows_asked_for(report), resolvers_of(report.site),
                      targets_of_rows(report));
  result.asked = asked_by(report, result.sight);
  EventIds all(result.sight.packets.size());
  std::iota(all.begin(), all.end(), 0U);
  propose(clues_of(result.sight, all), table, result.boxes);
  keep_each_once(result.boxes);
  auto found = search(result.sight, result.boxes, result.asked.packets, limits);
  result.looked_at = found.looked_at;
  // Once more, with what each box of the best world leaves: a host that is shut out altogether says
  // nothing about ports.
  const auto best = found.worlds.front().boxes;
  if (best.size() > 1) {
    const auto first = result.boxes;
    for (const auto number : best) {
      EventIds rest;
      for (const auto event : all) {
        if (fate_of(first[number], result.sight.packets[event]) == Fate::pass)
          rest.push_back(event);
      }
      propose(clues_of(result.sight, std::move(rest)), table, result.boxes);
    }
    keep_each_once(result.boxes);
    found = search(result.sight, result.boxes, result.asked.packets, limits);
    result.looked_at += found.looked_at;
  }
  result.worlds = std::move(found.worlds);
  return result;
}

std::vector<std::size_t> dearer_without(const Diagnosis& drawn, const World& world,
                                        const std::function<bool(const Box&)>& such) {
  const auto& sight = drawn.sight;
  const auto& boxes = drawn.boxes;
  auto without = world;
  std::erase_if(without.boxes, [&](auto number) { return such(boxes[number]); });
  std::vector<std::pair<Bits, std::size_t>> gains;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto here = fate_in(world, boxes, sight, i);
    if (!here.met() || !such(boxes[here.box])) continue;
    const auto gain = bits_in(without, boxes, sight, i) - bits_in(world, boxes, sight, i);
    if (gain > 0) gains.emplace_back(-gain, i);
  }
  std::ranges::sort(gains);
  std::vector<std::size_t> events;
  for (const auto& [negative, event] : gains) events.push_back(event);
  return events;
}

std::vector<std::size_t> left_over(const Diagnosis& drawn) {
  constexpr Bits is_left_over = bits(9);
  const auto& sight = drawn.sight;
  const auto& best = drawn.worlds.front();
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& event = sight.events.flows[i];
    const bool met = fate_in(best, drawn.boxes, sight, i).met();
    const bool said = event.control || met || event.seen == Seen::dropped;
    if (!said && bits_in(best, drawn.boxes, sight, i) >= is_left_over) left.push_back(i);
  }
  return left;
}

}  // namespace callready::reach
