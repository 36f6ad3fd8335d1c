// A report that can be given away: the site's addresses, host names, users' and networks' names
// become pseudonyms, the vendor's stay, because the ticket is about them.
//
// What is the vendor's is a closed list: the hosts, domains and networks of the target sets that
// callready brings along, the addresses that these names were tried at, and what the public
// certificate authorities vouch for. Every other address, domain name and hardware address is taken
// for the site's, whether it stands in a field of its own or in a sentence. Names that look like
// any other word (the computer's, the interfaces', the site's, the user's) are replaced where the
// report says that they are such names.
//
// What stays: ports, times, measured values, and what a set of the user's own says in plain words.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"
#include "reports/pseudonyms.hpp"

namespace callready {

// What vendors publish themselves, so that it tells nothing of a site.
struct PublicNames {
  std::set<std::string> sets;     // ids
  std::set<std::string> hosts;    // in small letters
  std::set<std::string> domains;  // everything below them too, from "*.example.com"
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
  std::string row_id(const std::string& id) const;  // "SET" or "SET/ROW"
  std::string key_name() const { return pseudonyms_.key_name(); }

 private:
  friend class RedactedText;

  void learn_word(const std::string& kind, const std::string& word);
  void learn_host(const std::string& host);
  void learn_url(const std::string& url);
  void learn_public_address(const IpAddress& address);
  void learn_certificates(const ProbeResult& result);
  bool is_public(const IpAddress& address) const;
  bool is_public_host(std::string_view lower_name) const;
  IpAddress address(const IpAddress& real) const;

  Pseudonyms pseudonyms_;
  PublicNames vendors_;
  std::set<std::string> vendor_domains_;      // that vendors' hosts are registered under
  std::map<std::string, std::string> words_;  // in small letters, and what stands in their place
  std::set<IpAddress> own_addresses_, public_addresses_;
};

}  // namespace callready
