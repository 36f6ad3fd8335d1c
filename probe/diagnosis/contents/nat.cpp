// Address translation: only where a set minds (it has a `nat` row that is more than a note).
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// The sets whose row asked for this probe and is more than a note, with the capabilities that the
// row belongs to.
std::vector<FindingAffects> sets_that_mind(const Facts& facts, const ProbeResult& result) {
  std::vector<FindingAffects> minding;
  for (const auto& set : facts.report.sets) {
    const auto* row = first_that(set.requirements, [&](const RequirementResult& one) {
      return one.severity != Severity::optional && one.status != Status::skip &&
             contains(one.probes, result.probe.id);
    });
    if (row == nullptr) continue;
    auto& affects = minding.emplace_back(FindingAffects{set.id, {}});
    for (const auto& capability : set.capabilities) {
      const bool has = contains(capability.requirements, row->id);
      if (has && capability.verdict != Verdict::ready)
        affects.capabilities.push_back(capability.id);
    }
  }
  return minding;
}

bool depends_on_destination(const ProbeResult& result) {
  const auto* mapping = evidence_of(result, EvidenceKind::nat_mapping);
  if (result.probe.check != CheckKind::nat || mapping == nullptr) return false;
  const auto value = detail_fact(*mapping, Fact::value);
  return value == DetailCode::address_dependent ||
         value == DetailCode::address_and_port_dependent ||
         value == DetailCode::destination_dependent;
}

// The link that leads to a host; null where that was not looked up.
const EgressPath* way_to(const Facts& facts, const std::string& host) {
  return first_that(facts.report.site.ways,
                    [&](const EgressPath& way) { return contains(way.hosts, host); });
}

// Whether the two servers that a NAT is measured with are reached over different links (a VPN that
// carries one of them): then it is two NATs that answer differently.
bool measured_over_two_links(const Facts& facts, const Probe& probe) {
  const auto other = probe.with.find("other");
  if (other == probe.with.end()) return false;
  const auto* first = way_to(facts, probe.target.host);
  const auto* second = way_to(facts, without_port(other->second));
  return first != nullptr && second != nullptr && first->interface != second->interface;
}

// The test to go by, of those that a set minds: preferably one that saw the mapping depend on the
// destination. Null: none did, and none leaves the kind of NAT open.
const ProbeResult* telling_test(const Facts& facts) {
  const ProbeResult* found = nullptr;
  for (const auto& result : facts.report.probes) {
    const auto* mapping = evidence_of(result, EvidenceKind::nat_mapping);
    if (result.probe.check != CheckKind::nat || mapping == nullptr) continue;
    if (measured_over_two_links(facts, result.probe) || sets_that_mind(facts, result).empty())
      continue;
    if (depends_on_destination(result)) return &result;
    const auto value = detail_fact(*mapping, Fact::value);
    const bool is_kind = value == DetailCode::none || value == DetailCode::endpoint_independent;
    if (found == nullptr && !is_kind) found = &result;
  }
  return found;
}

// An address that a VPN of this computer gave to its tunnel, beside another link.
bool is_of_a_vpn(const Facts& facts, const IpAddress& own) {
  const auto& links = facts.report.site.interfaces;
  const bool given = std::ranges::any_of(links, [&](const InterfaceInfo& link) {
    return link.tunnel && contains(link.addresses, own);
  });
  return given && own_link(facts) != nullptr;
}

// An address of the provider's NAT: this computer's own, or that of the first router beyond the
// site's own.
std::optional<FindingEvidence> shared_address(const Facts& facts) {
  for (const auto& link : facts.report.site.interfaces) {
    const auto* own = first_that(link.addresses, [&](const IpAddress& address) {
      return address.is_shared() && !is_of_a_vpn(facts, address);
    });
    if (own != nullptr && link.default_route)
      return FindingEvidence{"", phrase("This computer's own address is {}.", *own)};
  }
  for (const auto& result : facts.report.probes) {
    // Within a VPN's tunnel its own routers come first.
    const auto& from = result.observation.local;
    if (from && from->address.is_shared() && is_of_a_vpn(facts, from->address)) continue;
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::udp_port && evidence.kind != EvidenceKind::hop) continue;
      if (detail_fact(evidence, Fact::result) != DetailCode::left_site) continue;
      const auto router = IpAddress::parse(text_fact(evidence, Fact::by));
      if (router && router->is_shared()) {
        return FindingEvidence{result.probe.id,
                               phrase("The first router beyond the site is {}.", *router)};
      }
    }
  }
  return std::nullopt;
}

// IPv4 addresses that servers outside saw over UDP: several if lines are balanced, or from a pool.
std::vector<IpAddress> public_addresses(const Facts& facts) {
  const auto split = split_paths(facts);
  auto found = facts.report.site.public_addresses;
  std::erase_if(found, [&](const IpAddress& address) {
    return !address.is_v4() || (split && address == split->tcp_address);
  });
  return found;
}

const ProbeResult* seen_twice_translated(const Facts& facts) {
  return first_that(facts.report.probes, [](const ProbeResult& result) {
    return text_of(result, EvidenceKind::nat_translations, Fact::value) == "two";
  });
}

// The most seconds that an idle binding was seen to live; nothing where it outlived the test.
// "20-30" and "<10" have an upper bound, ">180" has none.
std::optional<int> longest_life(const std::string& value) {
  const auto bound = value.find_first_of("-<");
  if (bound == value.npos) return std::nullopt;
  return whole_number<std::uint16_t>(std::string_view(value).substr(bound + 1));
}

}  // namespace

Causes find_idle_timeout(const Diagnosis& context) {
  // RFC 8445 section 11 keeps media alive every 15 s, and phones keep SIP alive every 30 s or so;
  // RFC 4787 section 4.3 requires 120 s of a NAT.
  constexpr int too_short_s = 45;
  for (const auto& result : context.report.probes) {
    const auto* life = evidence_of(result, EvidenceKind::nat_lifetime);
    if (life == nullptr || context.sets_of(result).empty()) continue;
    const auto longest = longest_life(text_fact(*life, Fact::value));
    if (!longest || *longest > too_short_s) continue;
    Cause cause;
    cause.name(FindingCode::firewall_idle_timeout, certain);
    cause.title =
        phrase("The firewall drops idle UDP sessions after {} seconds: calls may fail", *longest);
    cause.fix = phrase(
        "Raise the UDP session timeout on the router or firewall to 120 seconds or more (RFC "
        "4787), at least for the service's hosts.");
    cause.tell(life->text, &result);
    if (const auto carrier = shared_address(context)) {
      cause.tell(*carrier);
      cause.fix += phrase(
          " The provider uses NAT, too: if this changes nothing, ask it for a public address.");
    }
    cause.affects = sets_that_mind(context, result);
    cause.impaired.push_back(&result);
    return {cause};
  }
  return {};
}

// A server of this site's own, called from inside by the address that it has outside: the router
// would have to lead the packets back (hairpinning, RFC 4787 section 6).
Causes find_own_address(const Diagnosis& context) {
  const auto& site = context.report.site;
  Cause cause;
  std::set<IpAddress> addresses, reflected;
  for (const auto& result : context.report.probes) {
    const auto& [probe, seen] = result;
    const bool came_back = reached(seen.outcome) && seen.outcome != Outcome::passed;
    if (seen.address && is_direct(result) && came_back) reflected.insert(*seen.address);
  }
  for (const auto& result : context.report.probes) {
    const auto& address = result.observation.address;
    if (!address || !contains(site.public_addresses, *address)) continue;
    if (contains(own_addresses(site), *address) || reflected.contains(*address)) continue;
    if (!failing(result) || context.explained(result) || !is_direct(result)) continue;
    cause.explained.push_back(&result);
    addresses.insert(*address);
  }
  if (!context.affects_requirement(cause.explained)) return {};
  cause.name(FindingCode::nat_own_address, likely);
  cause.title = phrase("Not reached from inside, at this site's own public address: {}",
                       listed(hosts_of(cause.explained)));
  cause.fix = phrase(
      "From inside, use the server's inside address, or a name that this site's DNS resolves to it "
      "(split DNS); or turn on NAT loopback (hairpin NAT) on the router. From outside, the server "
      "may well work: test that from another line.");
  cause.tell(phrase("From outside, this site is seen as {}.", listed(addresses)));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_nat(const Diagnosis& context) {
  const auto* result = telling_test(context);
  if (result == nullptr) return {};
  const auto carrier = shared_address(context);
  Cause cause;
  cause.affects = sets_that_mind(context, *result);
  if (depends_on_destination(*result)) {
    // Every test that saw it: sets may ask different servers.
    cause.impaired = context.probes_that(depends_on_destination);
    cause.name(FindingCode::nat_symmetric, certain);
    const auto several = public_addresses(context);
    cause.title =
        several.size() > 1
            ? phrase("The NAT uses a different public address for each destination (symmetric NAT)")
            : phrase("The NAT uses a different public port for each destination (symmetric NAT)");
    cause.fix = phrase(
        "On the router or firewall that does NAT, keep one public address and port for each local "
        "port (\"endpoint-independent mapping\", \"consistent NAT\", \"static port\" or \"full "
        "cone\"), at least for the phones' UDP.");
    cause.tell(EvidenceKind::nat_mapping, *result);
    if (several.size() > 1) {
      cause.tell(phrase("From outside, this site is seen as {}.", listed(several)));
      cause.fix += phrase(
          " Where the site has several Internet lines, keep all UDP of one device on one of them.");
    }
    if (carrier) {
      cause.tell(*carrier);
      cause.fix += phrase(
          " The provider uses NAT, too: if its NAT is the cause, ask it for a public address.");
    }
  } else if (carrier) {
    cause.name(FindingCode::nat_carrier_grade, likely);
    cause.title = phrase("The Internet provider uses NAT, too (carrier-grade NAT)");
    cause.fix = phrase("Ask the Internet provider for a public IPv4 address for this line.");
    cause.tell(*carrier);
    cause.tell(EvidenceKind::nat_mapping, *result);
  } else if (const auto* twice = seen_twice_translated(context)) {
    cause.name(FindingCode::nat_double, possible);
    cause.title = phrase("Two routers do NAT, one behind the other (double NAT)");
    cause.fix = phrase(
        "Turn off NAT on one of the two routers (bridge mode, or an access point instead of a "
        "router). If your network team set it up this way, change nothing.");
    cause.tell(EvidenceKind::nat_translations, *twice);
    cause.tell(EvidenceKind::nat_mapping, *result);
  } else {
    return {};
  }
  return {cause};  // one NAT, one finding
}

}  // namespace callready::findings
