#include "probe/diagnosis/status/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "probe/model/route_pairs.hpp"

namespace callready {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Text compare_routes(const PlannedRequirement& planned, const ResultIndex& evidences) {
  struct Pair {
    std::optional<double> direct, proxied;
  };
  std::map<std::tuple<CheckKind, std::string, Transport, std::string>, Pair> endpoints;
  for (const auto& id : planned.probes) {
    const auto* result = evidences.find(id);
    if (result == nullptr || !reached(result->observation.outcome)) continue;
    const auto& target = result->probe.target;
    auto& pair =
        endpoints[{result->probe.check, target.host, target.transport, target.ports.to_string()}];
    (target.route.direct() ? pair.direct : pair.proxied) = set_up_ms(*result);
  }
  std::vector<double> direct, proxied;
  for (const auto& [endpoint, pair] : endpoints) {
    if (!pair.direct || !pair.proxied) continue;
    direct.push_back(*pair.direct);
    proxied.push_back(*pair.proxied);
  }
  if (direct.empty()) return {};
  return phrase("direct {} ms, through the proxy {} ms",
                fmt::format("{:.0f}", median(std::move(direct))),
                fmt::format("{:.0f}", median(std::move(proxied))));
}

}  // namespace callready
