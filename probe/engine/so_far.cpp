#include "probe/engine/so_far.hpp"

namespace callready {

void SoFar::begin(const Report& head, const Plan& plan) {
  const std::lock_guard lock(mutex_);
  report_ = head;
  for (const auto& planned : plan.probes) {
    places_[planned.probe.id] = report_->probes.size();
    auto& result = report_->probes.emplace_back();
    result.probe = planned.probe;
    result.observation.outcome = Outcome::skipped;
    result.observation.detail = DetailCode::stopped;
  }
}

void SoFar::add(const ProbeResult& result) {
  const std::lock_guard lock(mutex_);
  const auto [place, fresh] = places_.try_emplace(result.probe.id, report_->probes.size());
  if (fresh) {
    report_->probes.push_back(result);
  } else {
    report_->probes[place->second] = result;
  }
}

std::optional<Report> SoFar::take() {
  mutex_.lock();  // and it stays so
  return std::move(report_);
}

}  // namespace callready
