// How the model writes an observation: the one place that changes with the form of observations.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "probe/model/observation.hpp"

namespace callready::networks {

// By their words in reports: the model is written in these, and knows no others.
inline Detail detail_of(std::string_view word) {
  return word.empty() ? Detail() : Detail::parse(word).value();
}
inline Fact fact_of(std::string_view word) { return callready::parse<Fact>(word).value(); }

inline void say(Observation& observation, Outcome outcome, std::string_view detail) {
  observation.outcome = outcome;
  observation.detail = detail_of(detail);
}

inline Evidence& add(Observation& observation, std::string_view kind,
                     std::initializer_list<std::pair<std::string_view, EvidenceValue>> facts) {
  auto& evidence = observation.evidence.emplace_back();
  evidence.kind = callready::parse<EvidenceKind>(kind).value();
  for (const auto& [name, value] : facts) evidence.facts[fact_of(name)] = value;
  return evidence;
}

}  // namespace callready::networks
