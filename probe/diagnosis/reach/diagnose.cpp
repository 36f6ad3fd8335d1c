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
                      flows_of_rows(report));
  result.beside_proxy = std::ranges::any_of(result.sight.events.signs, [](const SignEvent& event) {
    return (bit(event.sign) & signs_of_proxy) != 0;
  });
  result.asked = asked_by(report, result.sight);
  EventIds all(result.sight.packets.size());
  std::iota(all.begin(), all.end(), 0U);
  propose(clues_of(result.sight, all), table, result.boxes);
  keep_each_once(result.boxes);
  auto found = search(result.sight, result.boxes, result.asked.packets, limits);
  result.looked_at = found.looked_at;
  // Once more, with what each box of the best world leaves: who is shut out altogether says nothing
  // of ports.
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
  result.explained = explain(result);
  return result;
}

}  // namespace callready::reach
