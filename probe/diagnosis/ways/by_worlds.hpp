// What the rules have in common that worlds decide (reach/, docs/diagnosis.md): each is a row of
// the table of rules, with words of its own. What an earlier rule has explained stays explained by
// that.
#pragma once

#include <functional>
#include <map>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

using OfProbes = std::function<bool(const ProbeResult&)>;
using OfPackets = std::function<bool(const reach::Packet&)>;
using OfBoxes = std::function<bool(const reach::Box&, const reach::World&)>;

// What worlds say of boxes of one kind: how sure it is that there is one, the likeliest world that
// has any, and the widest in that, which live as long as the `Diagnosis` that they are of.
struct Told {
  double sure = 0;
  const reach::World* world = nullptr;
  const reach::Box* box = nullptr;

  Confidence confidence() const { return reach::confidence_of(sure); }
};

// Nothing where the best world has no such box, and all that have one are less likely than not.
std::optional<Told> told_by_worlds(const Diagnosis& context, const OfBoxes& such);

// Firewalls' rules that let none of certain packets through, whatever they carry and to whom, but
// DNS. None of those that were sent got through, and what a rule leaves, another box of its world
// closes. A list of three ports or more counts as all where it holds every port that was tried.
class AllClosed {
 public:
  AllClosed(const Diagnosis& context, OfPackets such) : context_(context), such_(std::move(such)) {}

  bool by(const reach::Box& box, const reach::World& world);

 private:
  // The packets that it leaves, by their numbers; nothing: it is no such rule. Many worlds have the
  // same boxes.
  const std::optional<std::vector<std::size_t>>& left_by(const reach::Box& box);

  const Diagnosis& context_;
  OfPackets such_;
  std::map<const reach::Box*, std::optional<std::vector<std::size_t>>> left_;
};

// The worlds' cause of that family, without words, and owned by the network: it explains the probes
// of `may_fail_by_it` that are dearer without it. Nothing where none is said, or nobody misses what
// it closes. Worlds are drawn only where one of these probes fails, and nothing explains it yet.
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it);

}  // namespace callready::findings
