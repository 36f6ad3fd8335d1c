// A report that can be given away: the site's addresses, host names, users' and networks' names
// become pseudonyms, the vendor's stay, because the ticket is about them.
//
// Whose a text is goes by the field that it stands in (redact_owners.hpp); what is not known to be
// the vendor's or callready's own is the site's. The vendor's is a closed list: the hosts, domains,
// networks and parameters of the target sets that callready brings along, the addresses that these
// names were tried at, and the names in the certificates of these hosts where a public authority,
// not one of --ca-file, vouches for them. Of what a server says of itself, words that everybody's
// software says stay. What a field shows to be the site's is replaced in every sentence, too;
// there, besides, each address, domain name, hardware address and home folder that is not the
// vendor's.
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

// What vendors publish themselves, so that it tells nothing of a site.
struct PublicNames {
  std::set<std::string> sets;     // ids
  std::set<std::string> hosts;    // in small letters
  std::set<std::string> domains;  // everything below them too, from "*.example.com"
  std::set<std::string> values;   // of parameters and regions, as the sets have them
  std::vector<decltype(AddressBlock::value)> addresses;
};
PublicNames public_names(std::span<const TargetSet> sets);

class Redactor {
 public:
  // `users`: login names to hide; empty ones are left out.
  Redactor(KeyedDigest digest, PublicNames vendors, const std::vector<std::string>& users);

  // The whole report, learned from first. One that is redacted already comes back as it is.
  Report report(const Report& report);

  // Piece by piece, for a run that is being told while it goes on. What is learned later cannot
  // change what was printed before: addresses and domain names do not depend on it.
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
  // Arguments too; where that cannot be told from the whole, it stays in English.
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
  std::set<std::string> vendor_domains_;  // that vendors' hosts are registered under
  // In small letters, and what stands in their place.
  std::map<std::string, std::string, std::less<>> words_;
  std::set<IpAddress> own_addresses_, public_addresses_;
};

}  // namespace callready
