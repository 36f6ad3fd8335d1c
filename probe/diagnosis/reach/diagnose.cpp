#include "probe/diagnosis/reach/diagnose.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/read.hpp"

namespace callready::reach {
namespace {

// Signs that a rule about contents has to confirm, since it looks closer than one reading can, and
// the findings that do so.
constexpr std::pair<Sign, FindingCode> confirmations[] = {
    {Sign::cert_expired, FindingCode::tls_expired},
    {Sign::cert_expired, FindingCode::time_skewed},
    {Sign::cert_wrong_name, FindingCode::tls_wrong_name},
    {Sign::cert_wrong_name, FindingCode::dns_rewritten},
    {Sign::cert_untrusted, FindingCode::tls_untrusted},
    {Sign::cert_untrusted, FindingCode::tls_intercepted},
    {Sign::root_unexpected, FindingCode::tls_intercepted},
    {Sign::root_unexpected, FindingCode::tls_untrusted},
    {Sign::packets_too_big, FindingCode::network_mtu},
    {Sign::ipv6_broken, FindingCode::network_ipv6_broken},
    {Sign::clock_off, FindingCode::time_skewed},
    {Sign::dns_special, FindingCode::dns_rewritten}};

void keep_confirmed(FlowEvents& events, const std::vector<Finding>& contents) {
  std::set<Sign> open, confirmed;
  for (const auto& [sign, code] : confirmations) {
    const bool found = std::ranges::find(contents, code, &Finding::code) != contents.end();
    (found ? confirmed : open).insert(sign);
  }
  std::erase_if(events.signs, [&](const SignEvent& event) {
    return open.contains(event.sign) && !confirmed.contains(event.sign);
  });
}

}  // namespace

Drawn find_worlds(const Report& report, const std::vector<Finding>& contents,
                  const SearchLimits& limits, std::span<const KindOfBox> table) {
  Drawn result;
  auto events = read_events(report);
  keep_confirmed(events, contents);
  for (const auto& finding : contents) {
    if (finding.code == FindingCode::network_no_gateway)
      events.signs.push_back({{}, Sign::no_link, {}});
  }
  result.sight = look(std::move(events), flows_asked_for(report), resolvers_of(report.site),
                      targets_of_rows(report));
  result.asked = asked_by(report, result.sight);
  const auto propose = [&](const EventIds& some) {
    const auto clues = clues_of(result.sight, some);
    for (const auto& kind : table) kind.propose(clues, result.boxes);
  };
  const auto draw = [&] {
    std::ranges::sort(result.boxes);
    const auto twice = std::ranges::unique(result.boxes);
    result.boxes.erase(twice.begin(), twice.end());
    auto found = search(result.sight, result.boxes, result.asked.packets, limits);
    result.worlds = std::move(found.worlds);
    result.looked_at += found.looked_at;
  };
  EventIds all(result.sight.packets.size());
  std::iota(all.begin(), all.end(), 0U);
  propose(all);
  draw();
  // Once more, with what each box of the best world leaves: a host that is shut out altogether says
  // nothing about ports.
  const auto best = result.worlds.front().boxes;
  if (best.size() < 2) return result;
  const auto first = result.boxes;
  for (const auto number : best) {
    auto rest = all;
    std::erase_if(rest, [&](std::uint32_t event) {
      return fate_of(first[number], result.sight.packets[event]) != Fate::pass;
    });
    propose(rest);
  }
  draw();
  return result;
}

std::vector<std::size_t> dearer_without(const Drawn& drawn, const World& world,
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

std::vector<std::size_t> left_over(const Drawn& drawn) {
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
