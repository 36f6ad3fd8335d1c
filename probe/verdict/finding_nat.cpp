// Address translation: only where a set minds (it has a `nat` row that is more than a note).
#include <fmt/format.h>

#include <algorithm>

#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

// The sets whose row asked for this probe and is more than a note, with the capabilities that the
// row belongs to.
std::vector<FindingAffects> sets_that_mind(const Facts& facts, const ProbeResult& result) {
  std::vector<FindingAffects> minding;
  for (const auto& set : facts.report.sets) {
    for (const auto& row : set.requirements) {
      const auto& ids = row.probes;
      if (row.severity == Severity::optional || row.status == Status::skip) continue;
      if (std::find(ids.begin(), ids.end(), result.probe.id) == ids.end()) continue;
      FindingAffects affects{set.id, {}};
      for (const auto& capability : set.capabilities) {
        const auto& rows = capability.requirements;
        const bool has = std::find(rows.begin(), rows.end(), row.id) != rows.end();
        if (has && capability.verdict != Verdict::ready)
          affects.capabilities.push_back(capability.id);
      }
      minding.push_back(std::move(affects));
      break;
    }
  }
  return minding;
}

bool depends_on_destination(const std::string& mapping) {
  return mapping == "address_dependent" || mapping == "address_and_port_dependent" ||
         mapping == "destination_dependent";
}

// The first router beyond the site's own that signs with such an address.
template <typename Wanted>
std::optional<FindingEvidence> hop_where(const Facts& facts, Wanted wanted) {
  for (const auto& result : facts.report.probes) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != "udp_port" && evidence.kind != "hop") continue;
      if (text_fact(evidence, "result") != "left_site") continue;
      const auto router = IpAddress::parse(text_fact(evidence, "by"));
      if (router && wanted(*router)) {
        return FindingEvidence{
            result.probe.id,
            fmt::format("The first router beyond the site is {}.", router->to_string())};
      }
    }
  }
  return std::nullopt;
}

std::optional<FindingEvidence> shared_address(const Facts& facts) {
  for (const auto& interface : facts.report.site.interfaces) {
    for (const auto& address : interface.addresses) {
      if (address.is_shared() && interface.default_route) {
        return FindingEvidence{
            "", fmt::format("This computer's own address is {}.", address.to_string())};
      }
    }
  }
  return hop_where(facts, [](const IpAddress& router) { return router.is_shared(); });
}

}  // namespace

Causes find_nat(const Case& of) {
  Causes causes;
  for (const auto& result : of.facts.report.probes) {
    const auto* mapping = evidence_of(result, "nat_mapping");
    if (result.probe.check != "nat" || mapping == nullptr) continue;
    const auto minding = sets_that_mind(of.facts, result);
    if (minding.empty()) continue;
    const auto value = text_fact(*mapping, "value");
    const auto carrier = shared_address(of.facts);
    Cause cause;
    auto& finding = cause.finding;
    finding.affects = minding;
    finding.owner = Owner::network;
    if (depends_on_destination(value)) {
      finding.code = "nat.symmetric";
      finding.title = "The NAT gives every destination another port (symmetric NAT)";
      finding.confidence = Confidence::certain;
      finding.fix =
          "On the router or firewall that translates addresses, keep one public address and port "
          "for "
          "each local port (\"endpoint-independent mapping\", \"consistent NAT\", \"static port\" "
          "or "
          "\"full cone\"), at least for UDP of the phones.";
      finding.evidence.push_back({result.probe.id, mapping->text});
      if (carrier) {
        finding.evidence.push_back(*carrier);
        finding.fix +=
            " The provider translates here, too: if it is the provider's NAT, ask it for a "
            "public address.";
      }
    } else if (carrier && value != "none" && value != "endpoint_independent") {
      finding.code = "nat.carrier_grade";
      finding.title = "The provider translates addresses, too (carrier-grade NAT)";
      finding.confidence = Confidence::likely;
      finding.fix =
          "Ask the Internet provider for a public IPv4 address of your own for this line.";
      finding.evidence.push_back(*carrier);
      finding.evidence.push_back({result.probe.id, mapping->text});
    } else {
      continue;
    }
    causes.push_back(std::move(cause));
    break;  // one NAT, one finding
  }
  return causes;
}

}  // namespace callready::findings
