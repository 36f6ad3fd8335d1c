// What the rules that worlds decide have in common (reach/, docs/diagnosis.md): each is a row of
// the table of rules, with words of its own. What an earlier rule has explained stays explained by
// it.
#pragma once

#include <functional>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

using OfProbes = std::function<bool(const ProbeResult&)>;
using OfBoxes = std::function<bool(const reach::Box&, const reach::World&)>;

// What worlds say about boxes of one kind: how sure it is that there is one, the likeliest world
// that has any, and the widest box in that world. Both live as long as their `Diagnosis`.
struct Told {
  double sure = 0;
  const reach::World* world = nullptr;
  const reach::Box* box = nullptr;

  Confidence confidence() const { return reach::confidence_of(sure); }
};

// A family is one finding, or, if its code says so, a part of it that stands apart.
bool is_of(reach::Code family, const reach::Box& box);

// Nothing if the best world has no such box, and all that have one are less likely than not.
std::optional<Told> told_by_worlds(const Diagnosis& context, const OfBoxes& such);

// The worlds' cause of that family, without words: it explains the probes of `may_fail_by_it` that
// cost more without it. Nothing if there is none, or nobody misses what it closes. Worlds are drawn
// only if one of these probes fails, and nothing explains it yet.
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it);

}  // namespace callready::findings
