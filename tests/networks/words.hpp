// How the model writes an observation: the one place that changes with the form of observations.
#pragma once

#include <initializer_list>
#include <utility>

#include "probe/model/observation.hpp"

namespace callready::networks {

inline void say(Observation& observation, Outcome outcome, std::string detail) {
  observation.outcome = outcome;
  observation.detail = std::move(detail);
}

inline Evidence& add(Observation& observation, const char* kind,
                     std::initializer_list<std::pair<const std::string, EvidenceValue>> facts) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.facts = facts;
  observation.evidence.push_back(std::move(evidence));
  return observation.evidence.back();
}

inline EvidenceValue number(long value) { return static_cast<std::int64_t>(value); }
inline EvidenceValue text(std::string value) { return value; }

}  // namespace callready::networks
