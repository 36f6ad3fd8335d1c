// What the rules that worlds decide have in common (reach/, docs/diagnosis.md): each is a row of
// the table of rules, with words of its own. What an earlier rule has explained stays explained by
// it.
#pragma once

#include <functional>
#include <map>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

using OfProbes = std::function<bool(const ProbeResult&)>;
using OfPackets = std::function<bool(const reach::Packet&)>;
using OfBoxes = std::function<bool(const reach::Box&, const reach::World&)>;

// What worlds say about boxes of one kind: how sure it is that there is one, the likeliest world
// that has any, and the widest box in that world. Both live as long as their `Diagnosis`.
struct Told {
  double sure = 0;
  const reach::World* world = nullptr;
  const reach::Box* box = nullptr;

  Confidence confidence() const { return reach::confidence_of(sure); }
};

// Nothing if the best world has no such box, and all that have one are less likely than not.
std::optional<Told> told_by_worlds(const Diagnosis& context, const OfBoxes& such);

// Firewall rules that let none of certain packets through except DNS, whatever they carry and to
// whom. None of those that were sent got through, and what a rule leaves open, another box of its
// world closes. A list of three ports or more counts as all if it has every port that was tried.
class AllClosed {
 public:
  AllClosed(const Diagnosis& context, OfPackets such) : context_(context), such_(std::move(such)) {}

  bool by(const reach::Box& box, const reach::World& world);

 private:
  // The numbers of the packets that it leaves open; nothing: it is not such a rule. Kept, since
  // many worlds have the same boxes.
  const std::optional<std::vector<std::size_t>>& left_by(const reach::Box& box);

  const Diagnosis& context_;
  OfPackets such_;
  std::map<const reach::Box*, std::optional<std::vector<std::size_t>>> left_;
};

// The worlds' cause of that family, without words: it explains the probes of `may_fail_by_it` that
// cost more without it. Nothing if there is none, or nobody misses what it closes. Worlds are drawn
// only if one of these probes fails, and nothing explains it yet.
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it);

}  // namespace callready::findings
