// Makes a report safe to give away: addresses, host names and the names of users and networks that
// are the site's become pseudonyms; the vendor's stay, because the ticket is about them.
//
// Whose a text is depends on its field (redact_owners.hpp); what is not known to be the vendor's or
// callready's own is the site's. The vendor's is a closed list: the hosts, domains, networks and
// parameters of the target sets that come with callready, the addresses at which these names were
// tried, and the names in the certificates of these hosts if a public authority, not one from
// --ca-file, vouches for them. In what a server says about itself, words that are common in
// everybody's software stay. What a field shows to be the site's is also replaced in every
// sentence, as is each address, domain name, hardware address and home folder in it that is not
// the vendor's.
//
// What stays: ports, times, measured values.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"
#include "reports/privacy/pseudonyms.hpp"

namespace callready {

// What vendors publish themselves, and thus reveals nothing about a site.
struct PublicNames {
  std::set<std::string> sets;     // ids
  std::set<std::string> hosts;    // in lower case
  std::set<std::string> domains;  // with everything below them, from "*.example.com"
  std::set<std::string> values;   // of parameters and regions, as the sets have them
  std::vector<decltype(AddressBlock::value)> addresses;
};
PublicNames public_names(std::span<const TargetSet> sets);

class Redactor {
 public:
  // `users`: login names to hide; empty ones are ignored.
  Redactor(KeyedDigest digest, PublicNames vendors, const std::vector<std::string>& users);

  // Learns from the whole report, then redacts it. An already redacted one is returned unchanged.
  Report report(const Report& report);

  // Piece by piece, for a run that is reported while in progress. What is learned later cannot
  // change what was printed before; addresses and domain names do not depend on it.
  void learn(const Site& site);
  void learn(const ProbeResult& result);
  void learn(const Report& report);
  Site site(Site site) const;
  ProbeResult probe(ProbeResult result) const;
  FirewallRule rule(FirewallRule rule) const;
  SetResult set(SetResult set) const;
  Finding finding(Finding finding) const;
  std::string text(std::string_view text) const;
  Text note(const Text& note) const;
  // Redacts its arguments, too; if that differs from redacting the whole, it stays in English.
  Text sentence(const Text& sentence) const;
  std::string row_id(const std::string& id) const;  // "SET" or "SET/ROW"
  std::string key_name() const { return pseudonyms_.key_name(); }

 private:
  friend class RedactedText;

  void learn_word(const std::string& kind, const std::string& word);
  void learn_host(const std::string& host);
  void learn_url(const std::string& url);
  void learn_public_address(const IpAddress& address);
  void learn_said(const std::string& said);
  void learn_place(const std::string& note);
  void learn_names(const SetResult& set);
  void learn_part(const Report& report);
  void learn_certificates(const ProbeResult& result, bool vendors);
  std::string said(std::string_view text) const;
  std::string place(const std::string& name) const;
  std::string own(const std::string& kind, const std::string& real) const;
  bool is_public(const IpAddress& address) const;
  bool is_public_host(std::string_view lower_name) const;
  IpAddress address(const IpAddress& real) const;

  Pseudonyms pseudonyms_;
  PublicNames vendors_;
  std::set<std::string> vendor_domains_;  // under which vendors' hosts are registered
  // Words in lower case, and their replacements.
  std::map<std::string, std::string, std::less<>> words_;
  std::set<IpAddress> own_addresses_, public_addresses_;
};

}  // namespace callready
