#include "probe/diagnosis/ways/by_worlds.hpp"

#include <algorithm>
#include <array>

namespace callready::findings {

const reach::Diagnosis& Diagnosis::worlds() const {
  if (!worlds_)
    worlds_ = std::make_shared<const reach::Diagnosis>(reach::find_worlds(report, contents_));
  return *worlds_;
}

const std::optional<std::vector<std::size_t>>& AllClosed::left_by(const reach::Box& box) {
  const auto [known, fresh] = left_.try_emplace(&box);
  auto& left = known->second;
  if (!fresh || box.kind != reach::Kind::rule || !box.hosts.empty() || box.cargoes != 0)
    return left;
  constexpr std::size_t several = 3;
  constexpr std::array got_through{Seen::reply, Seen::arrived, Seen::talk, Seen::refused_far};
  const auto& sight = context_.worlds().sight;
  std::set<std::uint16_t> ports;
  std::vector<std::size_t> spared;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& packet = sight.packets[i];
    const auto& event = sight.events.flows[i];
    const bool dns = packet.cargo == Cargo::dns || packet.port == 53;
    const bool ends_before = packet.ends_before_device || (packet.ends_early && box.beyond);
    if (dns || !such_(packet) || ends_before) continue;
    // An error that comes back says nothing about replies.
    const bool no_reply = box.fate == reach::Fate::deaf && event.seen == Seen::arrived;
    const bool contradicted = !packet.ends_early && contains(got_through, event.seen) && !no_reply;
    if (!contradicted && loses(fate_of(box, packet))) {
      ports.insert(packet.port);
      continue;
    }
    const auto& result = *context_.find(event.probe);
    const bool tells = is_direct(result) && !is_inside(result);
    if (tells && contradicted) return left;
    if (tells) spared.push_back(i);
  }
  const bool says_all =
      box.code == FindingCode::firewall_udp_blocked || box.code == FindingCode::firewall_web_only;
  if (ports.size() >= (says_all ? 1 : several)) left = std::move(spared);
  return left;
}

bool AllClosed::by(const reach::Box& box, const reach::World& world) {
  const auto& left = left_by(box);
  const auto& drawn = context_.worlds();
  return left && std::ranges::all_of(*left, [&](std::size_t number) {
           return loses(fate_in(world, drawn.boxes, drawn.sight.packets[number]).fate);
         });
}

std::optional<Told> told_by_worlds(const Diagnosis& context, const OfBoxes& such) {
  constexpr double more_likely_than_not = .5;
  const auto& drawn = context.worlds();
  Told told;
  bool in_best = false;
  for (const auto& world : drawn.worlds) {
    const reach::Box* widest = nullptr;
    for (const auto number : world.boxes) {
      const auto& box = drawn.boxes[number];
      const bool wider = widest == nullptr || is_wider(box, *widest);
      if (wider && such(box, world)) widest = &box;
    }
    if (widest == nullptr) continue;
    told.sure += world.probability;
    in_best |= &world == &drawn.worlds.front();
    if (told.box != nullptr) continue;
    told.world = &world;
    told.box = widest;
  }
  if (!in_best && told.sure < more_likely_than_not) return std::nullopt;
  return told;
}

std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it) {
  const auto is_open = [&](const ProbeResult& result) {
    return failing(result) && !context.explained(result) && may_fail_by_it(result);
  };
  if (!context.any_probe(is_open)) return std::nullopt;
  const auto& drawn = context.worlds();
  const auto is_its = [&](const reach::Box& box) {
    return family.apart ? box.code == family : box.code.finding == family.finding;
  };
  const auto told = told_by_worlds(context, [&](const reach::Box& box, const reach::World&) {
    return is_its(box) && reach::hurts_rows(box, drawn.asked);
  });
  if (!told || told->sure < reach::is_worth_saying) return std::nullopt;
  Cause cause;
  for (const auto event : reach::dearer_without(drawn, *told->world, is_its)) {
    const auto* result = context.find(drawn.sight.events.flows[event].probe);
    if (is_open(*result)) add_once(cause.explained, result);
  }
  const auto confidence = told->confidence();
  cause.name(*family.finding, confidence);
  const bool weak = confidence == possible;
  if (!context.affects_requirement(cause.explained)) return std::nullopt;
  if (weak && !context.breaks_capability(cause.explained)) return std::nullopt;
  return cause;
}

}  // namespace callready::findings
