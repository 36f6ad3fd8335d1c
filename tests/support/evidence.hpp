// Looks into an observation's evidence.
#pragma once

#include "probe/model/observation.hpp"

namespace callready::test {

// The first evidence of a kind, or null.
inline const Evidence* find_evidence(const Observation& observation, EvidenceKind kind) {
  for (const auto& evidence : observation.evidence) {
    if (evidence.kind == kind) return &evidence;
  }
  return nullptr;
}

// A fact of the first evidence of a kind; nothing if it is missing or of another type.
template <typename T>
std::optional<T> fact(const Observation& observation, EvidenceKind kind, Fact name) {
  const auto* evidence = find_evidence(observation, kind);
  if (evidence == nullptr) return std::nullopt;
  const auto found = evidence->facts.find(name);
  if (found == evidence->facts.end()) return std::nullopt;
  const auto* value = std::get_if<T>(&found->second);
  if (value == nullptr) return std::nullopt;
  return *value;
}

}  // namespace callready::test
