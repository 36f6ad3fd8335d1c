// Words that the findings' texts share: lists, and the flows that a firewall rule has to name.
#pragma once

#include <string>
#include <vector>

#include "probe/diagnosis/facts.hpp"

namespace callready::findings {

// "a", "a and b", "a, b and c", "a, b, c and 4 more".
Text listed(const std::vector<Text>& items, std::size_t most = 4);
template <typename List>
Text listed(const List& items, std::size_t most = 4) {
  std::vector<Text> texts;
  for (const auto& item : items) texts.push_back(words_detail::argument(item));
  return listed(texts, most);
}

// "port 5060", "ports 5060 and 5061".
Text named_ports(const std::set<std::uint16_t>& ports);

// "UDP 3478 to 27 names (TURN servers over UDP); TCP 443 to turn1.example.com": what to allow, by
// the vendor's own rules. Controls, and what only measures, are left out. In a report from before
// 0.2, which has no rules, it is what was tried. For a cause that closes more than it explains:
// rules.hpp.
Text flows_in_words(const Facts& facts, const Probes& probes);

// The same of what was tried, for whoever runs the far end: "UDP 3478 to turn1.example.com".
Text tried_flows_in_words(const Facts& facts, const Probes& probes);

// The DNS servers that this computer uses: "10.20.0.2 and 10.20.0.3".
Text resolvers_in_words(const Facts& facts);
// The same where it is about what they answer: another device may do so.
Text answering_resolvers_in_words(const Facts& facts);

// As far as the system says.
bool is_wired(const Site& site);
// "Run this again on a wired connection, without a VPN, ...": without what is known to be so.
Text run_again(const Facts& facts);

// What may have been still coming up as the run began.
Text look_for_what_came_up();

// A device with a public address that is not this computer's gateway: it need not be the site's
// own.
bool may_be_the_providers(const Facts& facts, const std::string& device);
// " The device that rejects the traffic is 10.20.0.1.", and whose it is if it is not known to be
// the site's; empty for no device.
Text ask_the_device(const Facts& facts, const std::string& device);

// " Full list: callready firewall rainbow.": of the sets that the probes were made for. Empty
// where the finding has the list itself.
Text where_the_list_is(const Facts& facts, const Probes& probes);

// The same, whether the finding has it or not.
Text commands_for_the_list(const Facts& facts, const Probes& probes);

// " Rainbow asks for this: "Exempt *.openrainbow.com ..." (section 7.2).": what the documents of
// the sets that the probes were made for advise, of advice whose id holds one of these words. Empty
// if there is none.
Text advice_in_words(const Facts& facts, const Probes& probes,
                     std::initializer_list<std::string_view> words);

// "turn1.example.com:3478 (UDP): no answer".
FindingEvidence what_it_saw(const ProbeResult& result);
// The same of one port, in the check's own sentence where it has one.
FindingEvidence what_it_saw(const FlowSample& sample);

// For names that the user gave; empty where none is.
Text check_spelling(const Facts& facts, const std::vector<std::string>& names);
// The fix for names if nobody can say from here whether they are gone everywhere.
Text look_up_elsewhere(const Facts& facts, const std::vector<std::string>& names);

// "www.google.com is not a DNS server, yet its port 53 answers: ...", by port_53_taken().
FindingEvidence intercepts_dns(const ProbeResult& taken);

// The distinct hosts, in order.
std::vector<std::string> hosts_of(const Probes& probes);

// The sets that the probes were made for, without capabilities.
std::vector<FindingAffects> sets_of(const Facts& facts, const Probes& probes);

// Whose network the rules are for: "from the user network", or that of the devices that the run is
// about (--from).
Text from_users(const Facts& facts);
Text for_users(const Facts& facts);

}  // namespace callready::findings
