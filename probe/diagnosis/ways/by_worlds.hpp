// What the rules have in common that worlds decide (reach/, docs/diagnosis.md): each is a row of
// the table of rules, with words of its own. What an earlier rule has explained stays explained by
// that.
#pragma once

#include <functional>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

using OfProbes = std::function<bool(const ProbeResult&)>;
using OfPackets = std::function<bool(const reach::Packet&)>;

// What worlds say of boxes of one kind: how sure it is that there is one, and the widest in the
// likeliest world that has any, which lives as long as the `Diagnosis` that it is of.
struct Told {
  double sure = 0;
  const reach::Box* box = nullptr;

  Confidence confidence() const { return reach::confidence_of(sure); }
};

// Nothing where the best world has no such box, and all that have one are less likely than not.
std::optional<Told> told_by_worlds(const Diagnosis& context,
                                   const std::function<bool(const reach::Box&)>& such);

// A firewall's rule that lets none of these packets through, whatever they carry and to whom, but
// DNS; and none of those that were sent got through. A list of three ports or more counts as all
// where it holds every port that was tried.
bool closes_all(const Diagnosis& context, const reach::Box& box, const OfPackets& such);

// The worlds' cause of that family, without words: it explains the probes of `may_fail_by_it` that
// are dearer without it. Nothing where none is said, or nobody misses what it closes. Worlds are
// drawn only where one of these probes fails, and nothing explains it yet.
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     const OfProbes& may_fail_by_it);

// The ports of these probes, each once, ascending.
std::vector<std::uint16_t> ports_of(const std::vector<const ProbeResult*>& probes);

}  // namespace callready::findings
