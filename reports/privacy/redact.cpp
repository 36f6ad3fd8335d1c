#include "reports/privacy/redact.hpp"

#include <algorithm>
#include <array>

#include "probe/model/told_apart.hpp"
#include "reports/privacy/redact_owners.hpp"
#include "reports/privacy/redact_text.hpp"

namespace callready {
namespace {

// Calls `visit` for every word of a list that a fact holds as one text.
template <typename Visit>
void words_of(const std::string& text, Visit visit) {
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find_first_of(" ,;", start), text.size());
    if (end > start) visit(text.substr(start, end - start));
    start = end + 1;
  }
}

// The values of a distinguished name: "Example Corp CA" and "Example Corp" for "CN=Example Corp
// CA,O=Example Corp" (RFC 4514). A comma in a value is escaped.
std::vector<std::string> values_of_name(const std::string& name) {
  std::vector<std::string> values;
  std::string part;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] == '\\' && i + 1 < name.size()) {
      part += name[i];
      part += name[++i];
    } else if (i == name.size() || name[i] == ',' || name[i] == '+') {
      const auto equals = part.find('=');
      // Two letters are a country code.
      if (equals != std::string::npos && part.size() - equals - 1 > 2) {
        values.push_back(part.substr(equals + 1));
      }
      part.clear();
    } else {
      part += name[i];
    }
  }
  return values;
}

// True for peers in the words of the set's author, not by name or address. For DNS servers, the
// words are callready's own (rules_of).
bool in_words(const RulePeer& peer) {
  return peer.kind == PeerKind::service_tag ||
         (peer.kind == PeerKind::yours && peer.text != "your DNS servers");
}

// "To any address": a document may say so for a row, which identifies nobody.
bool everybodys(const AddressBlock& block) {
  const auto* network = std::get_if<Network>(&block.value);
  return network != nullptr && network->prefix < (network->address.is_v4() ? 8 : 16);
}

// True for values of a browser policy that identify nobody (RFC 8828's words, switches, ports). All
// others are the company's own pages, which need no scheme and no star, or servers with logins.
bool names_nobody(std::string_view value) {
  static constexpr std::array<std::string_view, 6> known{"true",
                                                         "false",
                                                         "default",
                                                         "default_public_and_private_interfaces",
                                                         "default_public_interface_only",
                                                         "disable_non_proxied_udp"};
  return contains(known, value) || value.find_first_not_of("0123456789-") == value.npos;
}

// The policy for UDP identifies nobody, and the finding depends on it.
std::string without_names(const std::string& value) {
  if (names_nobody(value)) return value;
  return value.find("disable_non_proxied_udp") == value.npos
             ? "(hidden)"
             : "(hidden, with disable_non_proxied_udp)";
}

}  // namespace

PublicNames public_names(std::span<const TargetSet> sets) {
  PublicNames names;
  for (const auto& set : sets) {
    names.sets.insert(set.id);
    for (const auto& row : set.requirements) {
      for (const auto* list : {&row.hosts, &row.reverse_dns}) {
        for (const auto& host : *list) names.hosts.insert(lower_case(host.name));
      }
      for (const auto& wildcard : row.wildcards) {
        for (const auto& host : wildcard.examples) names.hosts.insert(lower_case(host.name));
        const auto dot = wildcard.pattern.find('.');
        if (dot != std::string::npos) {
          names.domains.insert(lower_case(wildcard.pattern.substr(dot + 1)));
        }
      }
      for (const auto& block : row.addresses) {
        if (!everybodys(block)) names.addresses.push_back(block.value);
      }
      for (const auto& [name, value] : row.with) {
        if (value.find("${") == std::string::npos) names.values.insert(value);
      }
      names.values.insert(row.service_tags.begin(), row.service_tags.end());
    }
    for (const auto& region : set.regions) names.values.insert(region.id);
    // The document's own URL, which fixes refer to.
    const auto host = set.url.find("://");
    if (host != std::string::npos) {
      const auto rest = set.url.substr(host + 3);
      names.hosts.insert(lower_case(rest.substr(0, rest.find_first_of("/:?#"))));
    }
  }
  return names;
}

Redactor::Redactor(KeyedDigest digest, PublicNames vendors, const std::vector<std::string>& users)
    : pseudonyms_(std::move(digest)), vendors_(std::move(vendors)) {
  for (const auto& host : vendors_.hosts) {
    const auto domain = registered_domain(host);
    if (!domain.empty() && !IpAddress::parse(host)) vendor_domains_.emplace(domain);
  }
  for (const auto& user : users) learn_word("user", user);
}

void Redactor::learn_word(const std::string& kind, const std::string& word) {
  // Such a name reveals nothing, and our own sentences are full of it ("Measured at ..", an
  // interface that is called "Wi-Fi").
  if (word.size() < 2 || is_common_word(word)) return;
  const auto name = kind == "host" ? pseudonyms_.host(word) : pseudonyms_.word(kind, word);
  words_.emplace(lower_case(with_plain_separators(word)), name);
}

// What a server chose to say, or what a user called a place: replaced as a whole in any quotation.
void Redactor::learn_said(const std::string& said) {
  if (said.size() < 2 || vendors_.values.contains(said)) return;
  auto shown = this->said(said);
  if (shown != said) words_.emplace(lower_case(with_plain_separators(said)), std::move(shown));
}

std::string Redactor::said(std::string_view text) const {
  // One of our own details reveals nothing, whoever says it.
  const bool known = vendors_.values.contains(std::string(text)) || parse<DetailCode>(text);
  if (known) return std::string(text);
  return RedactedText(*this, text, true).take();
}

// A name that the user gave to a place: a vantage, the text of --place.
std::string Redactor::place(const std::string& name) const {
  return is_everybodys_word(name) ? name : pseudonyms_.word("place", name);
}

std::string Redactor::own(const std::string& kind, const std::string& real) const {
  return real.empty() ? real : pseudonyms_.word(kind, real);
}

// The names of the parts of the user's own set, which sentences quote.
void Redactor::learn_names(const SetResult& set) {
  if (vendors_.sets.contains(set.id)) {
    for (const auto& row : set.requirements) {
      for (const auto& rule : row.rules) {
        for (const auto& peer : rule.peers) {
          const bool name = peer.kind == PeerKind::name && !IpAddress::parse(peer.text);
          if (name && !is_public_host(lower_case(peer.text))) learn_host(peer.text);
        }
      }
    }
    return;
  }
  const auto learn_own = [&](const std::string& kind, const std::string& name) {
    if (!is_everybodys_word(name)) learn_word(kind, name);
  };
  learn_own("set", set.id);
  learn_own("set", set.title);
  for (const auto* text : {&set.edition, &set.document, &set.evidence_note}) {
    learn_own("note", *text);
  }
  for (const auto& item : set.advice) {
    for (const auto* text : {&item.id, &item.text, &item.source}) learn_own("note", *text);
  }
  for (const auto& capability : set.capabilities) {
    learn_own("capability", capability.title);
  }
  for (const auto& row : set.requirements) {
    learn_own("row", row.title);
    learn_own("note", row.source);
    for (const auto& text : row.error_texts) learn_own("note", text);
    for (const auto& rule : row.rules) {
      for (const auto member :
           {&FirewallRule::purposes, &FirewallRule::sources, &FirewallRule::clients,
            &FirewallRule::notes, &FirewallRule::conditions, &FirewallRule::fallback_for,
            &FirewallRule::remarks, &FirewallRule::your_ports}) {
        for (const auto& text : rule.*member) learn_own("note", text);
      }
      learn_own("note", rule.your_transport);
      for (const auto& peer : rule.peers) {
        learn_own("note", peer.note);
        if (in_words(peer) && !vendors_.values.contains(peer.text)) learn_own("note", peer.text);
      }
    }
  }
}

// Rows, clients and regions of the user's own sets that options named, including those in no set of
// the report, whose owner is unknown.
void Redactor::learn_part(const Report& report) {
  std::set<std::string_view> vendors_rows;
  bool own_sets = false;
  for (const auto& set : report.sets) {
    if (!vendors_.sets.contains(set.id)) {
      own_sets = true;
      continue;
    }
    for (const auto& row : set.requirements) vendors_rows.insert(row.id);
  }
  const auto learn_option = [&](const std::string& option) {
    const auto id = option.substr(option.find(' ') + 1);
    if (option.starts_with("--client ") || option.starts_with("--region ")) {
      if (own_sets) learn_said(id);
      return;
    }
    const auto slash = id.find('/');
    const bool vendors = slash == std::string::npos ? !own_sets || vendors_rows.contains(id)
                                                    : vendors_.sets.contains(id.substr(0, slash));
    const auto row = slash == std::string::npos ? id : id.substr(slash + 1);
    if (!vendors && !is_everybodys_word(row)) learn_word("row", row);
  };
  // A merged report has the options of each of its vantages.
  if (report.vantages.empty()) std::ranges::for_each(report.part, learn_option);
  for (const auto& vantage : report.vantages) std::ranges::for_each(vantage.part, learn_option);
}

// A host that is the site's, by name or by address.
void Redactor::learn_host(const std::string& host) {
  if (const auto address = IpAddress::parse(host)) {
    own_addresses_.insert(*address);
  } else {
    learn_word("host", host);
  }
}

void Redactor::learn_url(const std::string& url) {
  const auto scheme = url.find("://");
  auto host = url.substr(scheme == std::string::npos ? 0 : scheme + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host = host.substr(0, host.find(':'));
  }
  learn_host(host);
}

void Redactor::learn(const Site& site) {
  learn_word("site", site.name);
  learn_word("host", site.host);
  const auto dot = site.host.find('.');
  if (dot != std::string::npos) learn_word("host", site.host.substr(0, dot));
  for (const auto& interface : site.interfaces) {
    learn_word("interface", interface.name);
    own_addresses_.insert(interface.addresses.begin(), interface.addresses.end());
  }
  for (const auto& link : site.links.value_or(std::vector<LinkInfo>())) {
    learn_word("interface", link.name);
  }
  for (const auto& gateway : site.gateways) {
    learn_word("interface", gateway.interface);
    own_addresses_.insert(gateway.address);
  }
  for (const auto& way : site.ways) {
    learn_word("interface", way.interface);
    if (way.gateway) own_addresses_.insert(*way.gateway);
  }
  for (const auto& way : site.ways) {
    for (const auto& host : way.hosts) {
      if (!IpAddress::parse(host) && !is_public_host(lower_case(host))) learn_host(host);
    }
  }
  for (const auto& resolver : site.resolvers) learn_url(resolver);
  for (const auto& link : site.resolver_links) learn_word("interface", link.interface);
  if (site.proxy) learn_url(*site.proxy);
  own_addresses_.insert(site.public_addresses.begin(), site.public_addresses.end());
  for (const auto& host : site.own_hosts) learn_host(host);
  for (const auto& host : site.proxy_exceptions) learn_host(host);
  // Findings quote the policies.
  for (const auto& policy : site.browser_policies) {
    const auto& value = policy.value;
    if (value.size() < 3 || names_nobody(value) || is_public_host(lower_case(value))) continue;
    words_.emplace(lower_case(with_plain_separators(value)), without_names(value));
  }
}

void Redactor::learn_public_address(const IpAddress& address) {
  if (!address.is_special()) public_addresses_.insert(address);
}

void Redactor::learn_certificates(const ProbeResult& result, bool vendors) {
  const bool listed = has_public_root(result.observation);
  for (const auto& evidence : result.observation.evidence) {
    if (evidence.kind != EvidenceKind::certificate && evidence.kind != EvidenceKind::chain_root) {
      continue;
    }
    if (listed && vendors) {
      words_of(text_fact(evidence, Fact::names), [&](const std::string& name) {
        if (!IpAddress::parse(name)) vendors_.hosts.insert(lower_case(name));
      });
      continue;
    }
    // A public authority's own name stays: it is everybody's.
    const bool leaf = number_fact(evidence, Fact::position).value_or(0) < 1;
    for (const auto name : {Fact::issuer, Fact::subject}) {
      if (listed && (name == Fact::issuer || !leaf)) continue;
      for (const auto& value : values_of_name(text_fact(evidence, name))) {
        if (looks_like_domain(value)) continue;
        if (said(value) != value) learn_word("authority", value);
      }
    }
    // Anyone who has the site's certificate could recognise it by these.
    if (listed && !leaf) continue;
    for (const auto name : {Fact::sha256, Fact::public_key_sha256}) {
      learn_word("digest", text_fact(evidence, name));
    }
  }
}

void Redactor::learn(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  if (seen.local) own_addresses_.insert(seen.local->address);
  if (seen.media && seen.media->first_hop) own_addresses_.insert(seen.media->first_hop->router);
  if (!probe.target.route.direct()) learn_url(probe.target.route.proxy);
  const auto host = lower_case(probe.target.host);
  const auto literal = IpAddress::parse(host);
  const bool vendors = literal ? is_public(*literal) : is_public_host(host);
  if (!vendors && !literal && !host.empty()) learn_host(host);
  for (const auto& [name, value] : probe.with) learn_said(value);
  learn_said(probe.region);
  if (probe.vantage != place(probe.vantage)) learn_word("place", probe.vantage);
  for (const auto& evidence : seen.evidence) {
    const auto type = text_fact(evidence, Fact::type);
    const bool candidate =
        evidence.kind == EvidenceKind::ice_candidate &&
        (type == "host" || type == "srflx");  // RFC 8839; a relay is the vendor's
    if (evidence.kind == EvidenceKind::mapped_address || candidate) {
      const auto address = IpAddress::parse(text_fact(evidence, Fact::address));
      if (address && !address->is_special()) own_addresses_.insert(*address);
    }
    for (const auto& [name, value] : evidence.facts) {
      const auto* chosen = std::get_if<std::string>(&value);
      if (chosen == nullptr) continue;
      if (owner_of(name) == FactOwner::said) learn_said(*chosen);
      if (owner_of(name) == FactOwner::file) learn_word("file", *chosen);
    }
    if (!vendors) continue;
    // What the vendor's names resolve to, and which addresses its servers report as their own.
    for (const auto name : {Fact::records, Fact::other_address, Fact::response_origin}) {
      words_of(text_fact(evidence, name), [&](const std::string& word) {
        if (const auto address = IpAddress::parse(word)) learn_public_address(*address);
      });
    }
  }
  if (vendors && probe.target.route.direct() && seen.address) learn_public_address(*seen.address);
  learn_certificates(result, vendors);
}

bool Redactor::is_public(const IpAddress& address) const {
  if (own_addresses_.contains(address) || address.is_special()) return false;
  if (public_addresses_.contains(address)) return true;
  const auto& blocks = vendors_.addresses;
  return std::any_of(blocks.begin(), blocks.end(), [&](const auto& block) {
    if (const auto* single = std::get_if<IpAddress>(&block)) return *single == address;
    if (const auto* range = std::get_if<AddressRange>(&block)) return range->contains(address);
    return std::get<Network>(block).contains(address);
  });
}

bool Redactor::is_public_host(std::string_view lower_name) const {
  const std::string name(lower_name);
  if (words_.contains(name)) return false;
  if (vendors_.hosts.contains(name)) return true;
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (vendors_.domains.contains(name.substr(dot + 1))) return true;
  }
  if (vendors_.domains.contains(name)) return true;
  return vendor_domains_.contains(std::string(registered_domain(name)));
}

IpAddress Redactor::address(const IpAddress& real) const {
  return is_public(real) ? real : pseudonyms_.address(real);
}

std::string Redactor::text(std::string_view text) const { return RedactedText(*this, text).take(); }

// The place in the note of --place; empty for other notes.
static std::string place_of(const std::string& note) {
  if (!note.starts_with(place_words)) return {};
  return note.substr(place_words.size(), note.size() - place_words.size() - note.ends_with('.'));
}

void Redactor::learn_place(const std::string& note) {
  const auto name = place_of(note);
  if (name != place(name)) learn_word("place", name);
}

Text Redactor::sentence(const Text& sentence) const {
  return sentence.rewritten([this](const std::string& plain) { return text(plain); });
}

Text Redactor::note(const Text& note) const {
  const auto name = place_of(note.string());
  return name.empty() ? sentence(note) : Text(std::string(place_words) + place(name) + '.');
}

// Ids of the built-in sets stay as they are.
std::string Redactor::row_id(const std::string& id) const {
  const auto slash = id.find('/');
  const auto set = id.substr(0, slash);
  if (vendors_.sets.contains(set)) return id;
  if (slash == std::string::npos) return own("set", set);
  return own("set", set) + '/' + own("row", id.substr(slash + 1));
}

Site Redactor::site(Site site) const {
  if (!site.name.empty()) site.name = pseudonyms_.word("site", site.name);
  if (!site.host.empty()) site.host = pseudonyms_.host(site.host);
  for (auto& interface : site.interfaces) {
    interface.name = pseudonyms_.word("interface", interface.name);
    for (auto& one : interface.addresses) one = pseudonyms_.address(one);
  }
  if (site.links) {
    for (auto& link : *site.links) link.name = pseudonyms_.word("interface", link.name);
  }
  for (auto& gateway : site.gateways) {
    gateway.interface = pseudonyms_.word("interface", gateway.interface);
    gateway.address = pseudonyms_.address(gateway.address);
  }
  for (auto& way : site.ways) {
    if (!way.interface.empty()) way.interface = pseudonyms_.word("interface", way.interface);
    if (way.gateway) way.gateway = pseudonyms_.address(*way.gateway);
    for (auto& host : way.hosts) host = text(host);
  }
  for (auto& resolver : site.resolvers) resolver = said(resolver);
  for (auto& link : site.resolver_links) {
    link.resolver = said(link.resolver);
    link.interface = pseudonyms_.word("interface", link.interface);
  }
  if (site.proxy) site.proxy = text(*site.proxy);
  for (auto& one : site.public_addresses) one = pseudonyms_.address(one);
  for (auto& host : site.own_hosts) host = text(host);
  for (auto& host : site.proxy_exceptions) host = text(host);
  for (auto& policy : site.browser_policies) {
    policy.value = without_names(policy.value);
    policy.place = text(policy.place);
  }
  for (auto& place : site.unread_policies) place = text(place);
  for (const auto member :
       {&Site::nat_mapping, &Site::nat_filtering, &Site::nat_port_preservation, &Site::nat_hairpin,
        &Site::nat_translations, &Site::nat_binding_lifetime}) {
    if (site.*member) site.*member = text(*(site.*member));  // callready's own words
  }
  return site;
}

ProbeResult Redactor::probe(ProbeResult result) const {
  auto& [probe, seen] = result;
  probe.id = text(probe.id);
  probe.target.host = text(probe.target.host);
  if (!probe.target.route.direct()) probe.target.route.proxy = text(probe.target.route.proxy);
  for (auto& [name, value] : probe.with) value = said(value);
  probe.region = said(probe.region);
  probe.vantage = place(probe.vantage);
  if (seen.address) seen.address = address(*seen.address);
  if (seen.local) seen.local->address = pseudonyms_.address(seen.local->address);
  if (seen.media && seen.media->first_hop) {
    auto& router = seen.media->first_hop->router;
    router = pseudonyms_.address(router);
  }
  for (auto& evidence : seen.evidence) {
    evidence.text = sentence(evidence.text);
    for (auto& [name, fact] : evidence.facts) {
      auto* value = std::get_if<std::string>(&fact);
      if (value == nullptr) continue;
      const auto owner = owner_of(name);
      const bool whole = owner == FactOwner::said || name == Fact::names;
      *value = owner == FactOwner::file ? own("file", *value) : whole ? said(*value) : text(*value);
    }
  }
  return result;
}

FirewallRule Redactor::rule(FirewallRule rule) const {
  const bool everybodys = vendors_.sets.contains(rule.set);
  for (auto& peer : rule.peers) {
    if (!everybodys && in_words(peer) && !vendors_.values.contains(peer.text)) {
      peer.text = own("note", peer.text);
    } else {
      peer.text = peer.kind == PeerKind::name ? said(peer.text) : text(peer.text);
    }
    if (!everybodys) peer.region = said(peer.region);
    peer.note = everybodys ? text(peer.note) : own("note", peer.note);
  }
  const auto hidden = [&](const std::string& value) {
    return everybodys ? text(value) : own("note", value);
  };
  for (const auto member : {&FirewallRule::remarks, &FirewallRule::your_ports}) {
    for (auto& value : rule.*member) value = hidden(value);
  }
  rule.your_transport = hidden(rule.your_transport);
  if (everybodys) return rule;
  rule.set = own("set", rule.set);
  for (auto& id : rule.requirements) id = own("row", id);
  for (auto& title : rule.titles) title = own("row", title);
  for (auto& title : rule.fallback_for) title = own("row", title);
  for (const auto member : {&FirewallRule::purposes, &FirewallRule::sources, &FirewallRule::clients,
                            &FirewallRule::notes, &FirewallRule::conditions}) {
    for (auto& value : rule.*member) value = own("note", value);
  }
  return rule;
}

SetResult Redactor::set(SetResult set) const {
  const bool everybodys = vendors_.sets.contains(set.id);
  const auto hide = [&](const char* kind, std::string& value) {
    if (!everybodys) value = own(kind, value);
  };
  hide("set", set.id);
  hide("set", set.title);
  for (auto* value : {&set.edition, &set.document, &set.evidence_note}) hide("note", *value);
  if (!everybodys) set.sha256.clear();
  for (auto& note : set.notes) note = sentence(note);
  for (auto& item : set.advice) {
    for (auto* value : {&item.id, &item.text, &item.source}) hide("note", *value);
  }
  for (auto& capability : set.capabilities) {
    hide("capability", capability.id);
    hide("capability", capability.title);
    capability.summary = sentence(capability.summary);
    for (auto& id : capability.requirements) hide("row", id);
    for (auto& need : capability.needs) {
      for (auto& alternative : need.alternatives) {
        for (auto& id : alternative) hide("row", id);
      }
    }
  }
  for (auto& row : set.requirements) {
    hide("row", row.id);
    hide("row", row.title);
    hide("note", row.source);
    row.summary = sentence(row.summary);
    row.sampled = sentence(row.sampled);
    for (auto& id : row.probes) id = text(id);
    for (auto& missed : row.missed) missed.probe = text(missed.probe);
    for (auto& one : row.rules) one = rule(std::move(one));
    for (auto& seen : row.error_texts) hide("note", seen);
    if (!vendors_.sets.contains(row.of_set)) row.of_set = own("set", row.of_set);
  }
  for (auto& needed : set.leans_on) {
    if (vendors_.sets.contains(needed.id)) continue;
    needed.id = own("set", needed.id);
    needed.title = own("set", needed.title);
    needed.evidence_note = own("note", needed.evidence_note);
    needed.sha256.clear();
  }
  return set;
}

Finding Redactor::finding(Finding finding) const {
  finding.title = sentence(finding.title);
  finding.fix = sentence(finding.fix);
  if (finding.runner_up) {
    finding.runner_up->cause = sentence(finding.runner_up->cause);
    finding.runner_up->tells = sentence(finding.runner_up->tells);
  }
  for (auto& affected : finding.affects) {
    if (vendors_.sets.contains(affected.set)) continue;
    affected.set = own("set", affected.set);
    for (auto& id : affected.capabilities) id = own("capability", id);
  }
  for (auto& id : finding.explains) id = row_id(id);
  for (auto& one : finding.rules) one = rule(std::move(one));
  for (auto& item : finding.evidence) {
    item.probe = text(item.probe);
    item.text = sentence(item.text);
  }
  for (auto& name : finding.seen_from) name = place(name);
  return finding;
}

void Redactor::learn(const Report& report) {
  learn(report.site);
  for (const auto& vantage : report.vantages) {
    learn(vantage.site);
    if (vantage.name != place(vantage.name)) learn_word("place", vantage.name);
  }
  for (const auto& note : report.notes) learn_place(note.string());
  for (const auto& result : report.probes) learn(result);
  for (const auto& set : report.sets) learn_names(set);
  learn_part(report);
  for (const auto& vantage : report.vantages) {
    for (const auto& set : vantage.sets) learn_names(set);
    for (const auto& note : vantage.notes) learn_place(note.string());
  }
}

Report Redactor::report(const Report& report) {
  if (!report.redacted.empty()) return report;
  learn(report);
  auto out = report;
  out.redacted = key_name();
  const auto rewrite = [&](auto& part) {
    part.site = site(std::move(part.site));
    for (auto& one : part.sets) one = set(std::move(one));
    for (auto& one : part.findings) one = finding(std::move(one));
    for (auto& one : part.notes) one = note(one);
    for (auto& one : part.part) one = text(one);
  };
  rewrite(out);
  for (auto& one : out.probes) one = probe(std::move(one));
  for (auto& vantage : out.vantages) {
    rewrite(vantage);
    vantage.name = place(vantage.name);
  }
  return out;
}

}  // namespace callready
