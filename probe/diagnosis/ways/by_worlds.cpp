#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready::findings {

const reach::Drawn& Diagnosis::worlds() const {
  if (!worlds_)
    worlds_ = std::make_shared<const reach::Drawn>(reach::find_worlds(report, contents_));
  return *worlds_;
}

bool is_of(reach::Code family, const reach::Box& box) {
  return family.apart ? box.code == family : box.code.finding == family.finding;
}

std::optional<Told> told_by_worlds(const Diagnosis& context, const OfBoxes& such) {
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
  if (!in_best && told.sure < reach::more_likely_than_not) return std::nullopt;
  return told;
}

std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it) {
  const auto is_open = [&](const ProbeResult& result) {
    return failing(result) && !context.explained(result) && may_fail_by_it(result);
  };
  if (!context.any_probe(is_open)) return std::nullopt;
  const auto& drawn = context.worlds();
  const auto is_its = [&](const reach::Box& box) { return is_of(family, box); };
  const auto told = told_by_worlds(context, [&](const reach::Box& box, const reach::World&) {
    return is_its(box) && reach::hurts_rows(box, drawn.asked);
  });
  if (!told || told->sure < reach::is_worth_saying) return std::nullopt;
  Cause cause;
  for (const auto event : reach::dearer_without(drawn, *told->world, is_its)) {
    const auto* result = context.find(drawn.sight.events.flows[event].probe);
    if (is_open(*result)) add_once(cause.explained, result);
  }
  cause.name(*family.finding, told->confidence());
  if (!context.affects_requirement(cause.explained)) return std::nullopt;
  if (cause.confidence == possible && !context.breaks_capability(cause.explained))
    return std::nullopt;
  return cause;
}

}  // namespace callready::findings
