#include <algorithm>
#include <set>

#include "probe/diagnosis/status/judge.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// The prefixes that the site's DNS64 was seen to use, and the well-known ones (RFC 6052, RFC 8215).
std::vector<Network> translators(const Report& report) {
  std::vector<Network> prefixes{*Network::parse("64:ff9b::/47")};
  for (const auto& result : report.probes) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::nat64) continue;
      const auto prefix = Network::parse(text_fact(evidence, Fact::prefix));
      if (prefix) prefixes.push_back(*prefix);
    }
  }
  return prefixes;
}

}  // namespace

std::vector<Text> ipv6_notes(const SetResult& set, const Report& report) {
  std::set<std::string> ids, hosts;
  for (const auto& row : set.requirements) ids.insert(row.probes.begin(), row.probes.end());
  for (const auto& result : report.probes) {
    if (ids.contains(result.probe.id)) hosts.insert(result.probe.target.host);
  }
  const auto prefixes = translators(report);
  std::vector<std::string> native, translated, literal;
  for (const auto& [probe, seen] : report.probes) {
    const bool of_service = probe.check == CheckKind::ipv6 && hosts.contains(probe.target.host);
    const bool ours = of_service || ids.contains(probe.id);
    // Through a proxy the address is the proxy's, and for a question about a name the resolver's.
    const auto& address = seen.address;
    const bool own = probe.target.route.direct() && probe.check != CheckKind::dns;
    if (!ours || !own || !address || !address->is_v6()) continue;
    const auto given = IpAddress::parse(probe.target.host);
    if (!reached(seen.outcome) || (given && given->is_v6())) continue;
    // That packets leave the site does not show that anything works.
    if (!given && seen.outcome == Outcome::passed) continue;
    const bool by_translation = std::ranges::any_of(
        prefixes, [&](const auto& prefix) { return prefix.contains(*address); });
    // Only translation leads from an IPv4 address to an IPv6 one.
    add_once(given ? literal : by_translation ? translated : native, probe.target.host);
  }
  std::vector<Text> notes;
  if (!native.empty())
    notes.push_back(phrase("Works over IPv6, too: {}.", findings::listed(native)));
  if (!translated.empty()) {
    notes.push_back(phrase("Reached over IPv6 only because this network translates (NAT64): {}.",
                           findings::listed(translated)));
  }
  if (!literal.empty()) {
    notes.push_back(
        phrase("Listed as IPv4 addresses, without names: {}. On this network, programs can reach "
               "them only with a translator on the computer itself (464XLAT, CLAT).",
               findings::listed(literal)));
  }
  return notes;
}

}  // namespace callready
