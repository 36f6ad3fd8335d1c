#include "probe/model/route_pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace callready {
namespace {

// There is one measurement each: if they differ by less than this share or this time, neither is
// called faster.
constexpr double telling_share = 0.25;
constexpr double telling_ms = 5;

Better compared(const ProbeResult& proxied, const ProbeResult* direct) {
  // A probe that was planned and then left out (a fallback that was not needed) says nothing.
  if (direct == nullptr || direct->observation.outcome == Outcome::skipped) return Better::untold;
  if (proxied.observation.outcome == Outcome::skipped) return Better::untold;
  const bool by_proxy = reached(proxied.observation.outcome);
  const bool directly = reached(direct->observation.outcome);
  if (!by_proxy && !directly) return Better::neither;
  if (by_proxy != directly) return by_proxy ? Better::proxy_only : Better::direct_only;
  const auto slow = set_up_ms(proxied), quick = set_up_ms(*direct);
  if (!slow || !quick) return Better::alike;
  const double difference = std::abs(*slow - *quick);
  if (difference < telling_ms || difference < telling_share * std::min(*slow, *quick)) {
    return Better::alike;
  }
  return *slow < *quick ? Better::proxy_faster : Better::direct_faster;
}

Text times(double less, double more) {
  return phrase("({} ms versus {} ms)", fmt::format("{:.0f}", less), fmt::format("{:.0f}", more));
}

}  // namespace

std::optional<double> set_up_ms(const ProbeResult& result) {
  const auto& timing = result.observation.timing_ms;
  const auto part = [&](Timing name) -> std::optional<double> {
    const auto found = timing.find(name);
    // A saved report can hold any number.
    if (found == timing.end() || !std::isfinite(found->second)) return std::nullopt;
    return found->second;
  };
  if (result.probe.check == CheckKind::http) return part(Timing::reply);
  const auto way = part(result.probe.target.route.direct() ? Timing::connect : Timing::tunnel);
  if (!way) return std::nullopt;
  return *way + part(Timing::handshake).value_or(0);
}

std::vector<RoutePair> route_pairs(const Report& report) {
  std::map<std::pair<std::string, std::string>, const ProbeResult*> direct;  // by place and id
  for (const auto& result : report.probes) {
    if (result.probe.target.route.direct()) {
      direct.emplace(std::pair(result.probe.vantage, probe_id(result.probe)), &result);
    }
  }
  std::vector<RoutePair> pairs;
  for (const auto& result : report.probes) {
    if (result.probe.target.route.direct()) continue;
    auto twin = result.probe;
    twin.target.route = {};
    const auto found = direct.find({twin.vantage, probe_id(twin)});
    const auto* other = found == direct.end() ? nullptr : found->second;
    pairs.push_back({&result, other, compared(result, other)});
  }
  return pairs;
}

Text better_in_words(const RoutePair& pair) {
  switch (pair.better) {
    case Better::proxy_only:
      return phrase("only through the proxy");
    case Better::direct_only:
      return phrase("only directly");
    case Better::proxy_faster:
      return phrase("faster through the proxy {}", times(set_up_ms(*pair.proxied).value_or(0),
                                                         set_up_ms(*pair.direct).value_or(0)));
    case Better::direct_faster:
      return phrase("faster directly {}", times(set_up_ms(*pair.direct).value_or(0),
                                                set_up_ms(*pair.proxied).value_or(0)));
    case Better::alike:
      return phrase("about the same both ways");
    case Better::neither:
      return phrase("neither way");
    case Better::untold:
      break;
  }
  return phrase("not compared");
}

Text routes_in_short(const std::vector<RoutePair>& pairs) {
  std::size_t both = 0, proxied = 0, direct = 0;
  for (const auto& pair : pairs) {
    if (pair.better == Better::untold) continue;
    ++both;
    if (reached(pair.proxied->observation.outcome)) ++proxied;
    if (reached(pair.direct->observation.outcome)) ++direct;
  }
  if (both == 0) return {};
  return plural(
      both,
      "Tried both ways: reached {1} of {0} endpoint through the proxy and {2} of {0} directly.",
      "Tried both ways: reached {1} of {0} endpoints through the proxy and {2} of {0} directly.",
      proxied, direct);
}

}  // namespace callready
