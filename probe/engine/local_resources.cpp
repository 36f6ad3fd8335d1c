#include "probe/engine/local_resources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/model/canary.hpp"
#include "probe/net/failure.hpp"

namespace callready {
namespace {

// For a usual probe: its connection, the look-up of its name, and two to find out who refused it,
// or for a library's own use. Probes that sometimes need more find them where others need fewer.
constexpr int sockets_of_a_probe = 4;

// What the system said. Empty: it was another probe that lacked one (runner.cpp).
std::string in_words(const Observation& observation) {
  std::string said;
  for (const auto& evidence : observation.evidence) {
    if (evidence.kind == EvidenceKind::shortage) return {};
    if (evidence.kind == EvidenceKind::error) said = evidence.text.string();
  }
  return said;
}

// Less than this, or less than this share of the run, is no more than every run causes by itself.
constexpr Milliseconds busy_for{1'000};
constexpr double busy_share = 0.2;

}  // namespace

int probes_at_a_time(int wanted, const platform::Descriptors& descriptors) {
  return std::clamp(descriptors.left() / sockets_of_a_probe, 1, std::max(wanted, 1));
}

std::optional<Text> note_of_shortage(const std::vector<ProbeResult>& results,
                                     const platform::Descriptors& descriptors) {
  int count = 0;
  std::string why;
  for (const auto& result : results) {
    const auto& seen = result.observation;
    if (seen.detail != DetailCode::out_of_resources) continue;
    ++count;
    if (why.empty()) why = in_words(seen);
  }
  if (count == 0) return std::nullopt;
  if (!why.empty()) why = " (\"" + why + "\")";
  return phrase(
      "This computer ran out of sockets or memory{}: {} of {} probes could not be made properly. "
      "This says nothing about the network. Close other programs or allow this one to open more "
      "than {} files (ulimit -n), and then run it again.",
      why, count, results.size(), descriptors.allowed);
}

std::optional<Text> note_of_missing_ipv6(const std::vector<ProbeResult>& results) {
  bool missing = false;
  for (const auto& result : results) {
    if (result.probe.check != CheckKind::ipv6) continue;
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::family || text_fact(evidence, Fact::version) != "IPv6")
        continue;
      const auto seen = detail_fact(evidence, Fact::result);
      if (seen != DetailCode::no_route && seen != DetailCode::no_address) return std::nullopt;
      missing |= seen == DetailCode::no_route;
    }
  }
  if (!missing) return std::nullopt;
  return phrase("This computer has no IPv6 here: everything went over IPv4.");
}

std::optional<Text> note_of_canary(const std::vector<ProbeResult>& results) {
  bool names_resolve = false, denied = false;
  for (const auto& [probe, seen] : results) {
    const bool ours = asks_for_canary(probe);
    denied |=
        ours && (seen.detail == DetailCode::no_such_name || seen.detail == DetailCode::no_record);
    names_resolve |= !ours && probe.check != CheckKind::dns && seen.address &&
                     !IpAddress::parse(probe.target.host) && probe.target.route.direct();
  }
  if (!denied || !names_resolve) return std::nullopt;
  return phrase(
      "This network asks Firefox not to use DNS over HTTPS by default: its DNS servers have no "
      "address for Mozilla's canary domain.");
}

std::optional<Text> note_of_stalls(Milliseconds loop_stall, Milliseconds run) {
  if (loop_stall < busy_for || loop_stall < busy_share * run) return std::nullopt;
  return phrase(
      "This computer was busy with other work for {} of the {} seconds of this run. That delay is "
      "not counted against the network. For exact times, close other programs and run the test "
      "again.",
      fmt::format("{:.1f}", loop_stall.count() / 1'000),
      fmt::format("{:.1f}", run.count() / 1'000));
}

}  // namespace callready
