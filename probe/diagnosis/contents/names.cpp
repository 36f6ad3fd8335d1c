#include "probe/diagnosis/contents/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace callready::findings {
namespace {

bool is_address_question(const Probe& probe) {
  const auto type = parameter_of(probe, "type", "A");
  return type == "A" || type == "AAAA";
}

// "10.20.0.1:53" and "10.20.0.1" are one.
bool is_resolver(const Site& site, const std::string& server) {
  return std::ranges::any_of(site.resolvers, [&](const std::string& one) {
    return server == one || server == authority(one, dns_port);
  });
}

void read_dns_probe(const Facts& facts, const ProbeResult& result, bool taken,
                    std::map<std::string, Name>& names) {
  if (!is_address_question(result.probe) || asks_nobody(result.probe)) return;
  if (asks_a_dns_server(result.probe) &&
      result.probe.target.host == router_beside_resolvers(facts.report.site)) {
    return;
  }
  auto& name = names[name_asked_for(result.probe)];
  for (const auto& evidence : result.observation.evidence) {
    const bool here = taken || !asks_a_dns_server(result.probe) ||
                      is_resolver(facts.report.site, text_fact(evidence, Fact::server));
    if (here && evidence.kind == EvidenceKind::dns_no_answer) name.silent = &result;
    if (evidence.kind != EvidenceKind::dns_answer) continue;
    (here ? name.here : name.elsewhere).push_back({&evidence, result.probe.id});
  }
}

// A name is denied by the zone that it would be in, or by one above it; a policy zone is neither.
// An alias is denied by the zone of the name that it stands for (RFC 2308 section 2.1).
bool is_foreign_zone(const NameAnswer& answer, const std::string& asked) {
  const auto canonical = text_fact(*answer.evidence, Fact::canonical_name);
  const auto& name = canonical.empty() ? asked : canonical;
  auto zone = lower_case(text_fact(*answer.evidence, Fact::soa_zone));
  while (zone.ends_with('.')) zone.pop_back();
  if (zone.empty() || has_records(answer)) return false;
  return !('.' + lower_case(name)).ends_with('.' + zone);
}

// A server that is the name's own, or somebody who passes for it: over plain HTTP anybody does, and
// with a certificate that the public does not know, any filter does.
bool answers_in_its_name(const ProbeResult* result) {
  const auto outcome = result->observation.outcome;
  return (outcome == Outcome::answered || outcome == Outcome::denied) && !is_plain_page(*result) &&
         !has_foreign_root(*result);
}

// Addresses to which DNS filters send what they block: only those that the makers publish, and do
// not change now and then (Palo Alto Networks' sinkhole does).
//   Cisco: "Learn the Umbrella Block Page IP Addresses", cisco.com/c/en/us/support/docs/security/
//     umbrella/224799-learn-the-umbrella-block-page-ip.html
//   Fortinet: "Technical Tip: Various Block option under DNS filter" and "Troubleshooting Tip: End
//     User DNS queries resolves with FortiGuard IPs", community.fortinet.com/t5/FortiGate, 260790
//     and 421739
constexpr std::string_view umbrella = "Cisco Umbrella", fortiguard = "Fortinet FortiGuard";
constexpr std::pair<std::string_view, std::string_view> block_pages[] = {
    {"146.112.61.104", umbrella},  {"146.112.61.105", umbrella},
    {"146.112.61.106", umbrella},  {"146.112.61.107", umbrella},
    {"146.112.61.108", umbrella},  {"146.112.61.110", umbrella},
    {"208.91.112.55", fortiguard}, {"2001:cdba::3257:9652", fortiguard},
};

// What independent resolvers say about names that have one address here.
struct Elsewhere {
  std::vector<FindingEvidence> contrast;  // one for each name that has an address there
  std::set<std::string> owners;           // of those names
  bool same = false;                      // the address is right
  bool shared = false;                    // two of them have one address there, too
};

Elsewhere asked_elsewhere(const IpAddress& here, const std::vector<const Name*>& names) {
  Elsewhere found;
  std::set<IpAddress> all;
  for (const auto* name : names) {
    std::set<IpAddress> its;
    for (const auto& [answer, probe] : name->elsewhere) {
      const auto addresses = addresses_in(*answer);
      if (its.empty() && !addresses.empty()) {
        found.contrast.push_back({probe, phrase("Answer for {} from a DNS server elsewhere: {}",
                                                name->name, answer->text)});
        found.owners.insert(registrable_domain(name->name));
      }
      its.insert(addresses.begin(), addresses.end());
    }
    found.same |= its.contains(here);
    for (const auto& address : its) found.shared |= !all.insert(address).second;
  }
  return found;
}

// A server there has a certificate, and it is for none of these names.
bool is_for_none_of_them(const std::vector<const Name*>& names) {
  Probes wrong;
  for (const auto* name : names) {
    std::ranges::copy_if(name->probes, std::back_inserter(wrong), [](const auto* one) {
      return one->observation.detail == DetailCode::wrong_name;
    });
  }
  return parties_of(wrong).size() > 1;
}

// Nothing if these names may simply have that address.
std::optional<Confidence> confidence_in(std::string_view whose,
                                        const std::vector<const Name*>& names,
                                        const Elsewhere& elsewhere) {
  if (elsewhere.same) return std::nullopt;
  const bool contradicted = !elsewhere.contrast.empty();
  if (!whose.empty()) return contradicted ? certain : likely;
  // Far ends that share an address share another one elsewhere.
  if (elsewhere.contrast.size() > 1 && !elsewhere.shared)
    return elsewhere.owners.size() > 1 ? certain : likely;
  return !contradicted && is_for_none_of_them(names) ? std::optional(likely) : std::nullopt;
}

}  // namespace

std::string router_beside_resolvers(const Site& site) {
  for (const auto& gateway : site.gateways) {
    const auto address = gateway.address.to_string();
    if (!gateway.address.is_link_local() && !is_resolver(site, address)) return address;
  }
  return {};
}

std::map<std::string, Name> read_names(const Facts& facts) {
  std::map<std::string, Name> names;
  const bool taken = port_53_taken(facts) != nullptr;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const bool missing = seen.outcome == Outcome::unresolved;
    const bool question = probe.check == CheckKind::dns;
    if (question) read_dns_probe(facts, result, taken, names);
    // Of the questions only a row's own count as its probes, where the name is missing.
    const bool counts = question ? missing && facts.asked_for(result) &&
                                       is_address_question(probe) && !asks_a_dns_server(probe)
                                 : is_name(probe.target.host) && is_direct(result);
    if (!counts) continue;
    auto& name = names[probe.target.host];
    name.probes.push_back(&result);
    if (missing) name.failure = seen.detail;
    if (question || !seen.address) continue;
    name.address = seen.address;
    name.from_hosts_file |= evidence_of(result, EvidenceKind::hosts_file) != nullptr;
    name.took_ms = std::max(name.took_ms, found_in(seen.timing_ms, Timing::dns));
  }
  for (auto& [text, name] : names) name.name = text;
  return names;
}

bool is_public_name(std::string_view name) {
  constexpr std::array own{".local", ".internal",  ".home.arpa", ".lan",
                           ".corp",  ".localhost", ".test",      ".invalid"};
  return contains(name, '.') &&
         std::ranges::none_of(own, [&](const char* suffix) { return name.ends_with(suffix); });
}

bool nobody_answered(const Detail& failure) {
  return failure == DetailCode::dns_unreachable || failure == DetailCode::dns_failed;
}

bool has_records(const NameAnswer& answer) {
  return number_fact(*answer.evidence, Fact::count).value_or(0) > 0;
}

bool is_denial(const NameAnswer& answer) {
  return text_fact(*answer.evidence, Fact::rcode) == "NXDOMAIN";
}

Probes open_failures(const Diagnosis& context, const Name& name) {
  return those_that(name.probes, [&](const ProbeResult& result) {
    return failing(result) && !context.explained(result);
  });
}

Probes missing_names_of(const Diagnosis& context, const std::set<std::string>& owners) {
  return context.probes_that([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    const bool missing = seen.outcome == Outcome::unresolved && nobody_answered(seen.detail);
    return missing && probe.check != CheckKind::dns && is_direct(result) &&
           !context.explained(result) && owners.contains(registrable_domain(probe.target.host));
  });
}

bool works(const Name& name) {
  return std::ranges::any_of(name.probes, [](const ProbeResult* result) {
    const auto outcome = result->observation.outcome;
    return reached(outcome) && outcome != Outcome::passed;
  });
}

void add_astray(Cause& cause, const Diagnosis& context, const Name& name) {
  append(cause.explained, open_failures(context, name));
  std::ranges::copy_if(
      name.probes, std::back_inserter(cause.contradicted),
      [](const ProbeResult* result) { return reached(result->observation.outcome); });
}

std::vector<std::string> add_misled(Cause& cause, const Diagnosis& context,
                                    const std::map<std::string, Name>& all,
                                    const std::vector<const Name*>& names,
                                    const std::vector<FindingEvidence>& contrast,
                                    const Text& place) {
  std::vector<std::string> texts;
  for (const auto* name : names) {
    texts.push_back(name->name);
    cause.tell(phrase("{} resolves to {} here{}.", name->name, *name->address, place),
               name->probes.front());
    if (name == names.front()) append(cause.evidence, contrast);
    add_astray(cause, context, *name);
    append(cause.contradicted, context.probes_that([&](const ProbeResult& result) {
      const auto& probe = result.probe;
      return asks_system_resolvers(probe) && result.observation.outcome == Outcome::answered &&
             probe.target.host == name->name && context.asked_for(result);
    }));
  }
  for (const auto& [text, name] : all) {
    const auto* answer = name.probes.empty() ? first_that(name.here, has_records) : nullptr;
    if (answer == nullptr || !is_public_name(text)) continue;
    const auto& address = *names.front()->address;
    const auto leads_there = [&](const NameAnswer& one) {
      return addresses_in(*one.evidence).contains(address);
    };
    if (!leads_there(*answer) || std::ranges::any_of(name.elsewhere, leads_there)) continue;
    texts.push_back(text);
    cause.tell({answer->probe, phrase("{} resolves to {} here{}.", text, address, place)});
  }
  return texts;
}

bool is_found_here(const Name& name) { return std::ranges::any_of(name.here, has_records); }

bool is_found_again(const Name& name) {
  return name.failure == DetailCode::dns_unreachable && is_found_here(name);
}

std::optional<FindingEvidence> found_elsewhere(const Name& name) {
  const auto* answer = first_that(name.elsewhere, has_records);
  if (answer == nullptr) return std::nullopt;
  return FindingEvidence{answer->probe,
                         phrase("According to a DNS server elsewhere, the name {} exists: {}",
                                name.name, answer->evidence->text)};
}

std::map<IpAddress, std::vector<const Name*>> misled_to_one_address(
    const std::map<std::string, Name>& names) {
  std::map<IpAddress, std::vector<const Name*>> places;
  std::set<IpAddress> alive;
  for (const auto& [text, name] : names) {
    if (!name.address || name.address->is_special() || name.from_hosts_file) continue;
    if (!is_public_name(text)) continue;
    if (std::ranges::any_of(name.probes, answers_in_its_name)) alive.insert(*name.address);
    places[*name.address].push_back(&name);
  }
  std::erase_if(places, [&](const auto& place) {
    const auto& [address, its_names] = place;
    const bool suspected = its_names.size() > 1 || !block_page_of(address).empty();
    return !suspected || alive.contains(address);
  });
  return places;
}

std::set<IpAddress> addresses_in(const Evidence& answer) {
  std::set<IpAddress> found;
  const auto records = text_fact(answer, Fact::records);
  for (const auto record : split(records, ", ")) {
    if (const auto address = IpAddress::parse(record)) found.insert(*address);
  }
  return found;
}

std::optional<FindingEvidence> proof_of_filter(const Name& name) {
  const bool denied_elsewhere = std::ranges::any_of(name.elsewhere, is_denial);
  for (const auto& answer : name.here) {
    const auto& [told, probe] = answer;
    // RFC 8914: 15 blocked, 16 censored, 17 filtered, 18 prohibited.
    const auto code = number_fact(*told, Fact::extended_error_code).value_or(0);
    if (code >= 15 && code <= 18) return FindingEvidence{probe, told->text};
    if (denied_elsewhere || !is_foreign_zone(answer, name.name)) continue;
    return FindingEvidence{
        probe, told->text + phrase("; the zone \"{}\" denies it, but is not that name's own zone",
                                   text_fact(*told, Fact::soa_zone))};
  }
  // One of the site's own denies what another has: computers ask one or the other.
  for (const auto& denial : name.here) {
    if (!is_denial(denial)) continue;
    for (const auto& other : name.here) {
      if (other.probe != denial.probe || !has_records(other)) continue;
      return FindingEvidence{denial.probe,
                             phrase("{}, and {}", denial.evidence->text, other.evidence->text)};
    }
  }
  // A question that was lost, or that is answered by now, was not filtered.
  const bool open = name.failure == DetailCode::dns_unreachable && name.here.empty();
  return open || is_found_here(name) ? std::nullopt : found_elsewhere(name);
}

std::string_view block_page_of(const IpAddress& address) {
  for (const auto& [text, whose] : block_pages) {
    // An AAAA record may hold the IPv4 address.
    const auto mapped = IpAddress::parse(fmt::format("::ffff:{}", text));
    if (address == IpAddress::parse(text) || address == mapped) return whose;
  }
  return {};
}

Causes find_block_page(const Diagnosis& context) {
  const auto all = read_names(context);
  Causes causes;
  for (const auto& [address, names] : misled_to_one_address(all)) {
    const auto whose = block_page_of(address);
    const auto elsewhere = asked_elsewhere(address, names);
    const auto confidence = confidence_in(whose, names, elsewhere);
    if (!confidence) continue;
    Cause cause;
    const auto lost = add_misled(cause, context, all, names, elsewhere.contrast,
                                 whose.empty() ? Text() : phrase(", the block page of {}", whose));
    if (!context.any_asked_for(cause.explained) && !context.any_asked_for(cause.contradicted))
      continue;
    cause.name(FindingCode::dns_block_page, *confidence);
    const Text which = lost.size() == 1 ? Text(lost.front()) : phrase("{} names", lost.size());
    const auto resolvers = answering_resolvers_in_words(context);
    cause.title = whose.empty()
                      ? phrase("This site's DNS sends {} to one wrong address", which)
                      : phrase("This site's DNS sends {} to {}'s block page", which, whose);
    cause.fix =
        whose.empty()
            ? phrase(
                  "Find out why this site's DNS servers ({}) answer {} for {}. If a DNS filter "
                  "sends them to its block page, allow them there. If it is an old record of your "
                  "own, remove it. The firewall needs no change.",
                  resolvers, address, listed(lost, 12))
            : plural(lost.size(),
                     "Allow this name in this site's DNS filter, {1} (its DNS servers are {2}): "
                     "{3}. The firewall needs no change.",
                     "Allow these names in this site's DNS filter, {1} (its DNS servers are {2}): "
                     "{3}. The firewall needs no change.",
                     whose, resolvers, listed(lost, 12));
    cause.show(cause.explained, 4);
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
