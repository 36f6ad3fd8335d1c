// What a run knows about names: what the site's resolvers said about each, and independent ones.
//
// Two kinds of `dns` probes are read besides what the runner resolved: those that ask the system's
// resolvers, and those that ask one server by its address (`server: true`), which are independent
// if that server is not the site's own.
#pragma once

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

// A dns_answer, and the probe that got it.
struct NameAnswer {
  const Evidence* evidence;
  std::string probe;  // id
};

struct Name {
  std::string name;
  Probes probes;                            // direct ones to it
  std::optional<IpAddress> address;         // as the runner resolved it
  Detail failure;                           // or as it did not: "no_such_name", "dns_failed"
  bool from_hosts_file = false;             // of this computer: no server was asked
  double took_ms = 0;                       // until it was answered: giving up is not slow
  std::vector<NameAnswer> here, elsewhere;  // of the site's resolvers, of independent ones
  const ProbeResult* silent = nullptr;  // of a question for it that the site's resolver left open
};

std::map<std::string, Name> read_names(const Facts& facts);
// This computer's router, if it is none of its DNS servers; otherwise empty. Routers often are one.
std::string router_beside_resolvers(const Site& site);
// Names that private networks give to themselves (RFC 6762, RFC 8375, RFC 6761).
bool is_public_name(std::string_view name);
// By why it has no address.
bool nobody_answered(const Detail& failure);
bool has_records(const NameAnswer& answer);
bool is_denial(const NameAnswer& answer);  // the name does not exist (RFC 2308 section 2.1)
Probes open_failures(const Diagnosis& context, const Name& name);
// Direct probes, still open, to names of these registrable domains that could not be looked up.
Probes missing_names_of(const Diagnosis& context, const std::set<std::string>& owners);
// What it leads to was reached, by more than a packet that was only seen to leave.
bool works(const Name& name);
// For a name that leads astray: its open failures are explained, and what was reached is of no use.
void add_astray(Cause& cause, const Diagnosis& context, const Name& name);
// The same for all of these names, which it returns as texts: it states where each leads (`place`:
// ", the block page of ..."), and after the first what contradicts that. The answers that the
// site's name servers gave to rows about these names are of no use, either. To these names it adds
// those of `all` that no row has tried and that lead there, too.
std::vector<std::string> add_misled(Cause& cause, const Diagnosis& context,
                                    const std::map<std::string, Name>& all,
                                    const std::vector<const Name*>& names,
                                    const std::vector<FindingEvidence>& contrast,
                                    const Text& place = {});
// A server here has it.
bool is_found_here(const Name& name);
// The first question for it was lost, and the second was answered.
bool is_found_again(const Name& name);
// The answer of an independent resolver that has it.
std::optional<FindingEvidence> found_elsewhere(const Name& name);
// Names that all have one address here, where nothing answers in their names: one name alone counts
// only if the address is a known block page's.
std::map<IpAddress, std::vector<const Name*>> misled_to_one_address(
    const std::map<std::string, Name>& names);
// Whose block page has that address: "Cisco Umbrella"; empty where none is known.
std::string_view block_page_of(const IpAddress& address);
// What a DNS server answered for it; nothing where there is no answer with an address.
std::set<IpAddress> addresses_in(const Evidence& answer);
// contents/dns_ipv6.cpp: DNS does not answer for IPv6 addresses; or a computer that has only IPv6
// gets only IPv4 addresses.
Causes unanswered_for_ipv6(const Diagnosis& context, const std::map<std::string, Name>& names);
Causes without_dns64(const Diagnosis& context, const std::map<std::string, Name>& names);
// The proof that a name is denied on purpose, here only.
std::optional<FindingEvidence> proof_of_filter(const Name& name);

}  // namespace callready::findings
