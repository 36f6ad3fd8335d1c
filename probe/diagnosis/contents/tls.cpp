// Certificates: who opens TLS on the way, and what is wrong with servers' own (docs/design.md, "How
// neighbours are told apart", 7). The clock was judged before.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/rules_to_allow.hpp"
#include "probe/model/day.hpp"
#include "probe/util/text.hpp"

namespace callready::findings {
namespace {

// Inspection products that write their name into the issuers that they make.
constexpr std::string_view products[] = {
    "Zscaler",        "Sophos",      "Netskope",   "Check Point",    "Barracuda",
    "WatchGuard",     "SonicWall",   "Forcepoint", "Cisco Umbrella", "Cato Networks",
    "Menlo Security", "iboss",       "Smoothwall", "Untangle",       "Securly",
    "ContentKeeper",  "mitmproxy",   "pfSense",    "OPNsense",       "Sangfor",
    "Hillstone",      "Stormshield", "Clavister",  "A10 Networks",   "Gigamon"};

// And those that write this, in lower case.
struct Product {
  std::string_view mark, name;
  bool local = false;  // it runs on the computer itself
};
constexpr Product marked_products[] = {
    {"fortinet", "Fortinet FortiGate"},
    {"fortigate", "Fortinet FortiGate"},
    {"palo alto", "Palo Alto Networks"},
    {"goskope", "Netskope"},
    {"blue coat", "Symantec (Blue Coat) ProxySG"},
    {"bluecoat", "Symantec (Blue Coat) ProxySG"},
    {"proxysg", "Symantec (Blue Coat) ProxySG"},
    {"checkpoint", "Check Point"},
    {"websense", "Forcepoint (Websense)"},
    {"mcafee web gateway", "Skyhigh (McAfee) Web Gateway"},
    {"skyhigh", "Skyhigh Secure Web Gateway"},
    {"ironport", "Cisco Secure Web Appliance"},
    {"lightspeed", "Lightspeed Systems"},
    {"gfi software", "GFI"},
    {"trend micro web", "Trend Micro"},
    {"eset ssl filter", "ESET", true},
    {"avg web/mail shield", "AVG", true},
    {"norton web/mail shield", "Norton", true},
    {"avast", "Avast", true},
    {"bitdefender", "Bitdefender", true},
    {"charles proxy", "Charles Proxy", true},
    {"kaspersky", "Kaspersky", true},
    {"squid proxy", "Squid"},
    {"do_not_trust_fiddlerroot", "Fiddler", true},
    {"f5 ssl orchestrator", "F5"},
};

// The product that issued this chain, by its name in an issuer; without a name where none is known.
// What signs only itself is the device's own page, reached as a server.
Product product_of(const std::vector<Certificate>& chain) {
  if (chain.size() == 1 && chain.front().self_signed) return {};
  for (const auto& certificate : chain) {
    const auto issuer = lower_case(certificate.issuer);
    for (const auto name : products) {
      if (issuer.find(lower_case(name)) != std::string::npos) return {name, name};
    }
    for (const auto& product : marked_products) {
      if (issuer.find(product.mark) != std::string::npos) return product;
    }
  }
  return {};
}

// A chain that does not end in the public bundle or in a root given for this run. Nothing where the
// report does not say: then only what this machine does not trust counts.
bool is_foreign(const ProbeResult& result) {
  if (flag_of(result, EvidenceKind::chain_root, Fact::expected)) return has_foreign_root(result);
  return result.observation.detail == DetailCode::untrusted ||
         result.observation.detail == DetailCode::unexpected_issuer;
}

// All certificates that were sent are still valid, so what has expired is the root, which is not
// sent. It is a private one: public authorities log what they sign (RFC 6962).
bool has_expired_private_root(const Facts& facts, const ProbeResult& result) {
  const auto chain = chain_of(result);
  const auto today = day_of(facts.report.finished_at);
  return result.observation.detail == DetailCode::expired && !chain.empty() &&
         !chain.front().publicly_logged &&
         std::ranges::all_of(chain, [&](const Certificate& one) { return one.not_after > today; });
}

// The root was given for this run (--ca-file), and may be an inspection device's: one that this
// user's programs trust anyway is the user's own authority.
bool has_given_root(const ProbeResult& result) {
  return flag_of(result, EvidenceKind::chain_root, Fact::given) == true &&
         flag_of(result, EvidenceKind::chain_root, Fact::trusted_anyway) != true;
}

std::string last_issuer(const ProbeResult& result) { return chain_of(result).back().issuer; }

// Those issuers of given roots that sign for well-known public servers, too: inspection devices.
// Through a proxy, that is what it was given for.
std::set<std::string> given_inspectors(const Facts& facts) {
  std::set<std::string> issuers;
  for (const auto& result : facts.report.probes) {
    if (result.probe.control() && is_direct(result) && has_certificate(result) &&
        has_given_root(result))
      issuers.insert(last_issuer(result));
  }
  return issuers;
}

bool ends_in_a_public_root(const ProbeResult& result) {
  return flag_of(result, EvidenceKind::chain_root, Fact::expected) == true;
}

// Only a public authority's certificates are logged (RFC 6962), and no inspection device's: where
// this computer does not know its root, its own list is old.
bool is_of_unknown_public_authority(const ProbeResult& result) {
  const auto chain = chain_of(result);
  return result.observation.outcome == Outcome::failed &&
         result.observation.detail == DetailCode::untrusted && !chain.empty() &&
         (chain.front().publicly_logged || ends_in_a_public_root(result)) &&
         product_of(chain).name.empty();
}

// Issuers of lone certificates of several owners' servers, a control among them: servers do not all
// forget the same intermediate, and public authorities log what they sign (RFC 6962).
std::set<std::string> issuers_for_all(const Facts& facts) {
  std::map<std::string, Probes> by_issuer;
  for (const auto& result : facts.report.probes) {
    const auto chain = chain_of(result);
    const bool lone = result.observation.detail == DetailCode::incomplete_chain && !chain.empty();
    if (lone && is_direct(result) && !chain.front().publicly_logged)
      by_issuer[chain.back().issuer].push_back(&result);
  }
  std::set<std::string> issuers;
  for (const auto& [issuer, probes] : by_issuer) {
    const bool any_control = std::ranges::any_of(
        probes, [](const ProbeResult* result) { return result->probe.control(); });
    if (any_control && parties_of(probes).size() > 1) issuers.insert(issuer);
  }
  return issuers;
}

FindingEvidence certificate_in_words(const ProbeResult& result) {
  const auto name = chain_of(result).front().issuer;
  const auto issuer = name.empty() ? phrase("an issuer without a name") : Text(name);
  return {result.probe.id, phrase("The certificate received for {} was issued by {}.",
                                  result.probe.target.host, issuer)};
}

// What inspection does to contents other than web pages, and which hosts are left alone: both tell
// whoever runs the device what to change.
void add_effects(const Facts& facts, const Probes& inspected, Cause& cause) {
  for (const auto* result : inspected) {
    const auto& [probe, seen] = *result;
    const bool inside = probe.check == CheckKind::turn || probe.check == CheckKind::stun ||
                        probe.check == CheckKind::sip || probe.with.contains("upgrade");
    const bool by_certificate =
        seen.detail == DetailCode::untrusted || seen.detail == DetailCode::unexpected_issuer;
    if (inside && failing(*result) && !by_certificate) cause.tell(what_it_saw(*result));
  }
  const auto hosts = hosts_of(inspected);
  const auto spared = hosts_of(facts.probes_that([&](const ProbeResult& result) {
    return ends_in_a_public_root(result) && !contains(hosts, result.probe.target.host) &&
           facts.asked_for(result);
  }));
  if (!spared.empty()) cause.tell(phrase("Not inspected: {}.", listed(spared, 8)));
}

struct Fault {
  DetailCode detail;
  FindingCode code;
  Confidence confidence;
  std::string_view title, fix;
};

// What can be wrong with a server's own certificate. `{0}`: the hosts, `{1}`: the issuer or the
// date.
constexpr Fault faults[] = {
    {DetailCode::untrusted, FindingCode::tls_untrusted, likely,
     marked("Certificate from an unknown issuer: {0}"),
     marked(
         "Find out who \"{1}\" is, the issuer of the certificate of {0}. If it is an inspection "
         "device of this site, exempt {0} from inspection; if it is the service's own authority, "
         "install its root certificate on the computers and devices, or ask the vendor for it.")},
    {DetailCode::unexpected_issuer, FindingCode::tls_untrusted, likely,
     marked("Certificate from an unexpected issuer: {0}"),
     marked("Find out who \"{1}\" is, the issuer of the certificate of {0}: the vendor names a "
            "different issuer. If it is an inspection device of this site, exempt {0} from "
            "inspection.")},
    {DetailCode::expired, FindingCode::tls_expired, certain,
     marked("The certificate of {0} has expired"),
     marked("Ask the operator of {0} to renew the certificate, which was valid until {1}.")},
    {DetailCode::not_yet_valid, FindingCode::tls_expired, certain,
     marked("The certificate of {0} is not valid yet"),
     marked("Ask the operator of {0} to install a certificate that is valid now: this one is valid "
            "only from {1}.")},
    {DetailCode::wrong_name, FindingCode::tls_wrong_name, certain,
     marked("The certificate of {0} is for a different name"),
     marked("Check first whether DNS at this site sends {0} to a different server than DNS "
            "elsewhere does, and correct that. Otherwise, ask the operator of {0} to install a "
            "certificate for that name.")},
    {DetailCode::incomplete_chain, FindingCode::tls_incomplete_chain, likely,
     marked("Incomplete certificate chain from {0}"),
     marked("Ask the operator of {0} to configure the intermediate certificate of \"{1}\" on the "
            "server: browsers often find it on their own, but phones and calling applications do "
            "not. If the issuer is your company's own root, install its certificate on the "
            "computers instead.")},
    // Nothing is signed yet when a server says so: a device on the way may say it.
    {DetailCode::tls_version, FindingCode::tls_outdated, likely,
     marked("Only outdated TLS versions are supported by {0}"),
     marked(
         "If a proxy or firewall of this site opens TLS, enable TLS 1.2 or 1.3 there. Otherwise, "
         "ask the operator of {0} to enable TLS 1.2 or 1.3 (RFC 8996 deprecates older versions).")},
};

std::string subject_of_fix(const Fault& fault, const ProbeResult& result) {
  const auto chain = chain_of(result);
  if (chain.empty()) return {};
  if (fault.detail == DetailCode::not_yet_valid) return chain.front().not_before;
  if (fault.detail != DetailCode::expired) return chain.back().issuer;
  // The first of the chain to end is the one that has expired.
  return std::ranges::min_element(chain, {}, &Certificate::not_after)->not_after;
}

// True where others' certificates were taken at the same time, or time servers agree with the
// local clock: it is then not the clock.
bool clock_is_right(const Facts& facts, const ProbeResult& result) {
  if (time_is_known(facts)) return true;
  return facts.any_probe([&](const ProbeResult& other) {
    return has_certificate(other) && other.observation.outcome == Outcome::answered &&
           registrable_domain(other.probe.target.host) !=
               registrable_domain(result.probe.target.host);
  });
}

// Probes that share operators or leaf certificates.
struct Group {
  std::set<std::string> marks;  // these operators and certificates
  Probes probes;
};

// One certificate on several hosts, and one operator's lapse, are one cause.
std::vector<Group> by_cause(const Probes& all) {
  std::vector<Group> groups;
  for (const auto* result : all) {
    Group merged;
    merged.marks = {registrable_domain(result->probe.target.host)};
    const auto chain = chain_of(*result);
    if (!chain.empty()) merged.marks.insert(chain.front().sha256);
    merged.marks.erase("");
    std::erase_if(groups, [&](const Group& group) {
      const bool shared = std::ranges::any_of(
          group.marks, [&](const std::string& mark) { return merged.marks.contains(mark); });
      if (!shared) return false;
      merged.marks.insert(group.marks.begin(), group.marks.end());
      append(merged.probes, group.probes);
      return true;
    });
    merged.probes.push_back(result);
    groups.push_back(std::move(merged));
  }
  return groups;
}

// TCP connections that a device took itself, on the ports on which it inspects those of `own`: what
// they carry is hardly left alone.
Probes answered_on_same_ports(const Diagnosis& context, const Probes& own) {
  const auto ports = ports_of(own);
  return context.probes_that([&](const ProbeResult& result) {
    return is_taken_near(result) && !is_udp(result) && context.asked_for(result) &&
           ports.contains(result.probe.target.port());
  });
}

// The document's names, not only those that were tried.
Text to_exempt(const Diagnosis& context, const Probes& own, const Probes& let_through) {
  constexpr std::size_t most = 12;
  auto lost = own;
  append(lost, let_through);
  if (!has_rules(context)) return listed(hosts_of(lost), most);
  const auto rules = rules_to_allow(context, lost);
  if (!is_cut_short(rules)) return in_short(rules);
  std::vector<std::string> names;
  for (const auto severity : {Severity::required, Severity::recommended, Severity::optional}) {
    for (const auto& rule : rules) {
      if (rule.severity != severity) continue;
      for (const auto& peer : rule.peers) add_once(names, peer.text);
    }
  }
  return listed(names, most);
}

// Servers of the user's own show certificates that they have signed themselves.
bool is_home_made(const Facts& facts, const ProbeResult& result) {
  const auto chain = chain_of(result);
  return result.observation.detail == DetailCode::untrusted && chain.size() == 1 &&
         chain.front().self_signed && are_own(facts, {result.probe.target.host});
}

}  // namespace

Causes find_interception(const Diagnosis& context) {
  // By the issuer that the chain ends with: an inspection device signs all of them.
  std::map<std::string, Probes> by_issuer;
  const auto inspectors = given_inspectors(context);
  const auto for_everybody = issuers_for_all(context);
  for (const auto& result : context.report.probes) {
    if (!has_certificate(result) || is_inside(result) || context.explained(result)) continue;
    if (is_of_unknown_public_authority(result)) continue;
    const bool by_inspector = has_given_root(result) && inspectors.contains(last_issuer(result));
    const bool for_all = result.observation.detail == DetailCode::incomplete_chain &&
                         for_everybody.contains(last_issuer(result));
    if (by_inspector || for_all || is_foreign(result) ||
        has_expired_private_root(context, result) || !product_of(chain_of(result)).name.empty())
      by_issuer[last_issuer(result)].push_back(&result);
  }
  Causes causes;
  for (const auto& [issuer, probes] : by_issuer) {
    const auto inspector = product_of(chain_of(*probes.front()));
    const auto product = inspector.name;
    const auto parties = parties_of(probes);
    const auto own = asked_for_ones(context, probes);
    // This machine takes the chain although its root is none of the public ones.
    const bool trusted = std::ranges::any_of(probes, [](const ProbeResult* result) {
      return (has_foreign_root(*result) || has_given_root(*result)) &&
             result->observation.outcome == Outcome::answered;
    });
    const bool expired = std::ranges::all_of(probes, [&](const ProbeResult* result) {
      return has_expired_private_root(context, *result);
    });
    // Seen at the service's own hosts alone, and at no control: it may be the vendors' own
    // authority.
    if (expired && own.size() == probes.size()) continue;
    // What is exempt from inspection is none of the service's business.
    if (own.empty() || (product.empty() && !trusted && parties.size() < 2)) continue;
    auto& cause = causes.emplace_back(probes);
    // One vendor's names may be of several domains, and have an authority of its own: where one set
    // asks for all of them.
    const bool of_one_set = std::ranges::any_of(context.sets_of(own), [&](const std::string& set) {
      return std::ranges::all_of(
          own, [&](const auto* result) { return contains(context.sets_of(*result), set); });
    });
    const bool unrelated = own.size() < probes.size() || !of_one_set;
    const bool sure = unrelated || trusted || !product.empty();
    cause.name(FindingCode::tls_intercepted, sure ? certain : likely);
    cause.title =
        expired ? phrase("The root certificate of a TLS inspection device has expired")
        : product.empty()
            ? sure ? phrase("A device in the path decrypts TLS traffic (TLS inspection)")
                   : phrase("A device in the path may decrypt TLS traffic (TLS inspection)")
            : phrase("{} decrypts TLS traffic (TLS inspection)", product);
    cause.let_through = answered_on_same_ports(context, own);
    if (expired) {
      cause.fix = phrase(
          "Renew the root certificate of \"{}\" on the device that inspects TLS, and install the "
          "new one on the computers. ",
          issuer);
    }
    if (inspector.local) cause.owner = Owner::helpdesk;
    cause.fix += phrase(
        "Exempt the service's hosts from inspection (bypass or \"do not decrypt\") {}: {}. "
        "{}{}{}{}",
        inspector.local ? phrase("in the web scanning of {} on this computer", product)
                        : phrase("on the device that inspects TLS"),
        to_exempt(context, own, cause.let_through),
        trusted
            ? phrase("This computer trusts the device's certificates. Calling applications, "
                     "phones and room devices often accept only the vendor's own.")
            : phrase("Calling applications, phones and room devices often accept only the vendor's "
                     "own certificate."),
        sure ? ""
             : phrase(" If the issuer is the service's own authority, install its root certificate "
                      "instead, or ask the vendor for it."),
        where_the_list_is(context, own), advice_in_words(context, own, {"inspect"}));
    const auto blocked = those_that(own, may_be_a_block_page);
    for (const auto* result : blocked) cause.tell(what_it_saw(*result));
    if (!blocked.empty()) {
      cause.fix += phrase(" Check whether it blocks {} by category or address as well.",
                          listed(hosts_of(blocked)));
    }
    for (const auto* result : own) cause.tell(certificate_in_words(*result));
    auto domains = parties;
    std::erase_if(domains, [](const std::string& party) { return !is_name(party); });
    const auto contrast =
        domains.size() > 1
            ? phrase("One issuer, {}, signs for several domains: {}.", issuer, listed(domains))
            : phrase("{} is not a public certificate authority.", issuer);
    if (!issuer.empty()) cause.contrast({"", contrast});
    add_effects(context, own, cause);
  }
  return causes;
}

Causes find_old_authorities(const Diagnosis& context) {
  Cause cause;
  std::vector<std::string> issuers;
  for (const auto& result : context.report.probes) {
    if (context.explained(result) || !is_of_unknown_public_authority(result)) continue;
    cause.explained.push_back(&result);
    add_once(issuers, last_issuer(result));
  }
  if (!context.affects_requirement(cause.explained)) return {};
  cause.name(FindingCode::tls_untrusted, likely);
  cause.title = phrase("This computer's list of public certificate authorities may be out of date");
  cause.fix = phrase(
      "Update this computer's list of certificate authorities (system updates; on Linux, the "
      "ca-certificates package). It does not recognize the issuer of {}: {}.",
      listed(hosts_of(cause.explained), 8), listed(issuers));
  for (const auto* result : cause.explained) cause.tell(certificate_in_words(*result));
  const bool public_root = std::ranges::all_of(
      cause.explained, [](const auto* result) { return ends_in_a_public_root(*result); });
  cause.contrast(
      {"", public_root
               ? phrase("The chain ends in a public root certificate.")
               : phrase("It carries certificate transparency timestamps (RFC 6962), as "
                        "certificates from public authorities do; those of inspection devices "
                        "usually do not.")});
  return {cause};
}

// A `callready serve` that turns down this run's key answers nothing else that needs one, either.
Causes find_refused_media_keys(const Diagnosis& context) {
  const auto denied = context.probes_that([](const ProbeResult& result) {
    return result.probe.with.contains("authenticated") &&
           result.observation.outcome == Outcome::denied &&
           result.observation.detail == Detail::status(401);
  });
  if (denied.empty()) return {};
  const auto hosts = hosts_of(denied);
  Cause cause(context.probes_that([&](const ProbeResult& result) {
    const bool its = contains(hosts, result.probe.target.host);
    return its && failing(result) && result.probe.with.contains("authenticated");
  }));
  append(cause.explained, denied);
  cause.name(FindingCode::target_outdated, likely);
  cause.owner = Owner::helpdesk;
  cause.title =
      phrase("callready serve at {} turns down this run's CALLREADY_MEDIA_KEY", listed(hosts));
  cause.fix = phrase(
      "Set CALLREADY_MEDIA_KEY to the key that callready serve at {} was started with, and run "
      "this again. For this, change nothing on the network.",
      listed(hosts));
  cause.show(denied);
  return {cause};
}

// The certificate of a `callready serve` is its own, and pinned: another key is another far end's,
// or the same one's after it was given another secret. Its rows stay undecided.
Causes find_other_far_ends(const Diagnosis& context) {
  Cause cause(context.probes_that([](const ProbeResult& result) {
    return result.observation.detail == DetailCode::another_far_end;
  }));
  if (cause.explained.empty()) return {};
  const auto hosts = listed(hosts_of(cause.explained));
  cause.name(FindingCode::target_outdated, possible);
  cause.owner = Owner::helpdesk;
  cause.title = phrase("callready serve at {} has a different key than this set", hosts);
  cause.fix = phrase(
      "Use the set that callready serve at {} prints now (standard output), and its "
      "CALLREADY_MEDIA_KEY. A set stays valid as long as that key and the host's name stay the "
      "same. For this, change nothing on the network.",
      hosts);
  for (const auto* result : cause.explained) {
    if (has_certificate(*result)) cause.tell(certificate_in_words(*result));
  }
  return {cause};
}

Causes find_certificate_faults(const Diagnosis& context) {
  Causes causes;
  for (const auto& fault : faults) {
    const auto all = context.probes_that([&](const ProbeResult& result) {
      if (result.observation.outcome != Outcome::failed || context.explained(result)) return false;
      // Details are words of a check's own; those of a certificate come with one.
      const bool tls = has_certificate(result) || fault.detail == DetailCode::tls_version;
      return tls && result.observation.detail == fault.detail;
    });
    for (const auto& [marks, probes] : by_cause(all)) {
      if (!context.affects_requirement(probes)) continue;
      auto& cause = causes.emplace_back(probes);
      cause.name(fault.code, fault.confidence);
      // Who inspects TLS knows the issuer.
      if (fault.code == FindingCode::tls_untrusted) cause.owner = Owner::security;
      // A control shares the fault, and nobody here can ask its operator.
      const auto asked_for = asked_for_ones(context, probes);
      const auto hosts = listed(hosts_of(asked_for));
      const auto detail = subject_of_fix(fault, *asked_for.front());
      const bool home_made = std::ranges::all_of(
          asked_for, [&](const auto* one) { return is_home_made(context, *one); });
      if (home_made) {
        cause.owner = Owner::helpdesk;
        cause.title = phrase("Self-signed certificate: {}", hosts);
        cause.fix = phrase(
            "{0} has signed its certificate itself. Install one from an authority that phones and "
            "applications trust, or install this one on them (to test with it: --ca-file FILE). If "
            "the server has another certificate, find out what answers in its place.",
            hosts);
      } else {
        cause.title = marked_text(fault.title, hosts, detail);
        cause.fix = marked_text(fault.fix, hosts, detail);
      }
      const bool own = are_own(context, hosts_of(asked_for));
      if (own && cause.owner != Owner::security) cause.owner = Owner::helpdesk;
      // A private root's certificates may say as well where to get the issuer's.
      const bool logged = std::ranges::all_of(asked_for, [](const ProbeResult* one) {
        const auto chain = chain_of(*one);
        return !chain.empty() && chain.front().publicly_logged;
      });
      if (fault.code == FindingCode::tls_incomplete_chain && logged) cause.confidence = certain;
      if (fault.code == FindingCode::tls_expired && !clock_is_right(context, *probes.front()))
        cause.confidence = likely;
      for (const auto* result : probes) {
        cause.tell(what_it_saw(*result));
        cause.tell(EvidenceKind::certificate, *result);
      }
    }
  }
  return causes;
}

}  // namespace callready::findings
