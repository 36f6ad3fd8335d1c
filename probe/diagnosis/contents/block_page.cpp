// DNS that sends the service's names to a page which says that they are blocked.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "probe/diagnosis/contents/names.hpp"

namespace callready::findings {
namespace {

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
    const auto lost = add_misled(cause, context, names, elsewhere.contrast,
                                 whose.empty() ? Text() : phrase(", the block page of {}", whose));
    if (!context.any_asked_for(cause.explained) && !context.any_asked_for(cause.contradicted))
      continue;
    cause.name(FindingCode::dns_block_page, *confidence);
    const Text which = lost.size() == 1 ? Text(lost.front()) : phrase("{} names", lost.size());
    cause.title = whose.empty()
                      ? phrase("This site's DNS sends {} to a block page", which)
                      : phrase("This site's DNS sends {} to {}'s block page", which, whose);
    cause.fix = plural(lost.size(),
                       "Allow this name in this site's DNS filter{1} (its DNS servers are {2}): "
                       "{3}. The firewall needs no change.",
                       "Allow these names in this site's DNS filter{1} (its DNS servers are "
                       "{2}): {3}. The firewall needs no change.",
                       whose.empty() ? std::string() : fmt::format(", {}", whose),
                       resolvers_in_words(context), listed(lost, 12));
    cause.show(cause.explained, 4);
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
