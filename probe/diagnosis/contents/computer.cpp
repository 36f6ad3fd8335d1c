// What this computer does to itself: its own firewall stops packets, its hosts file leads astray, a
// program on it takes connections in everybody's name and carries some of them nowhere, and what
// administrators have set for browsers forbids what a row needs. (This program is not a browser:
// its own packets are not affected.)
#include <algorithm>
#include <ranges>
#include <tuple>

#include "probe/diagnosis/contents/names.hpp"
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// What it keeps from a proxy is reported with what waits for that proxy.
bool is_kept_here(const ProbeResult& result) {
  // Sending there takes a permission of its own, which nothing else needs.
  static const auto everybody = IpAddress::v4({255, 255, 255, 255});
  const auto& seen = result.observation;
  return (seen.detail == DetailCode::kept_here || seen.detail == DetailCode::partly_kept_here) &&
         is_direct(result) && seen.address != everybody;
}

bool is_answer_too_long(const ProbeResult& result) {
  return flag_of(result, EvidenceKind::dns_no_answer, Fact::truncated_over_udp) == true;
}

// Of a question whose answer did not fit, TCP was kept.
bool is_kept_over_udp(const ProbeResult& result) {
  return is_udp(result) && !is_answer_too_long(result);
}

// The system itself said so: if it only could not send a connection request again, there may be
// other reasons.
bool said_by_the_system(const ProbeResult* result) {
  if (is_kept_over_udp(*result)) return true;
  return std::ranges::any_of(result->observation.evidence, [](const Evidence& evidence) {
    return evidence.kind == EvidenceKind::icmp_error ||
           (evidence.kind == EvidenceKind::refuser &&
            text_fact(evidence, Fact::who) == "this_computer") ||
           (evidence.kind == EvidenceKind::error &&
            number_fact(evidence, Fact::code).value_or(0) != 0);
  });
}

// Of a media range, from the first to the last of its sample that was kept.
PortRange kept_ports(const ProbeResult& result) {
  if (asks_system_resolvers(result.probe)) return {53, 53};
  const auto& ports = result.probe.target.ports;
  if (result.observation.detail == DetailCode::kept_here) return ports;
  PortRange kept{ports.last, ports.first};
  for (const auto& evidence : all_evidence(result.observation, EvidenceKind::udp_port)) {
    const auto port = port_fact(evidence, Fact::port);
    if (!port || detail_fact(evidence, Fact::result) != DetailCode::kept_here) continue;
    kept = {std::min(kept.first, *port), std::max(kept.last, *port)};
  }
  return kept.first <= kept.last ? kept : ports;
}

// "UDP 3478 and 49152-65535; TCP 443".
Text what_is_kept(const Probes& kept) {
  std::vector<Text> kinds;
  for (const bool udp : {true, false}) {
    std::set<PortRange> ranges;
    for (const auto* result : kept) {
      if (is_kept_over_udp(*result) == udp) ranges.insert(kept_ports(*result));
    }
    if (!ranges.empty()) kinds.push_back((udp ? "UDP " : "TCP ") + listed(ranges));
  }
  return joined_texts(kinds, "; ");
}

// What a DNS server, the site's or another, has for the name instead: an address of the same IP
// version, since a name may have one of each.
const NameAnswer* other_answer(const Name& name) {
  const auto same_kind = [&](const IpAddress& address) {
    return address.is_v6() == name.address->is_v6();
  };
  const auto tells = [&](const NameAnswer& answer) {
    const auto addresses = addresses_in(*answer.evidence);
    return std::ranges::any_of(addresses, same_kind) && !addresses.contains(*name.address);
  };
  const auto* here = first_that(name.here, tells);
  return here != nullptr ? here : first_that(name.elsewhere, tells);
}

bool stood_in_vain(const ProbeResult& result) {
  const auto& seen = result.observation;
  return seen.outcome == Outcome::failed && !has_certificate(result) &&
         (got_no_answer(result) || seen.detail == DetailCode::timed_out ||
          seen.detail == DetailCode::connection_reset || seen.detail == DetailCode::closed_by_peer);
}

// RFC 8828 section 5.2, mode 4: nothing over UDP but through a proxy that carries it.
constexpr std::string_view no_udp = "disable_non_proxied_udp";

struct Forbidden {
  Text what;  // "from using UDP for media"
  Text fix;
  bool everywhere = true;  // false: on some pages
};

// The source ports of a row that was tried from here: a policy with none of them contradicts the
// document. Rows between servers, or towards this site, have their own.
std::optional<std::string> other_source_ports(const Facts& facts, const BrowserPolicy& policy) {
  const auto allowed = PortRange::parse(policy.value);
  if (!allowed) return std::nullopt;
  for (const auto& row : rows_of(facts.report.sets)) {
    const auto tried = facts.probes_of(row);
    if (std::ranges::none_of(tried, [](const auto* one) { return is_udp(*one); })) continue;
    for (const auto& rule : row.rules) {
      const auto& wanted = rule.source_ports;
      if (rule.transport != Transport::udp || wanted.empty()) continue;
      const bool any = std::ranges::any_of(
          wanted, [&](const PortRange& range) { return range.overlaps(*allowed); });
      if (!any) return source_ports_in_words(rule);
    }
  }
  return std::nullopt;
}

std::optional<Forbidden> forbidden_by(const Facts& facts, const BrowserPolicy& policy) {
  const bool by_page = policy.name == "WebRtcIPHandlingUrl";
  const bool handling =
      by_page || policy.name == "WebRtcIPHandling" || policy.name == "WebRtcLocalhostIpHandling";
  if (handling && policy.value.find(no_udp) != std::string::npos) {
    return Forbidden{phrase("from using UDP for media"),
                     phrase("to a value that lets WebRTC use UDP, at least for the service's pages "
                            "(WebRtcIPHandlingUrl)"),
                     !by_page};
  }
  if (policy.name == "media.peerconnection.enabled" && policy.value == "false")
    return Forbidden{phrase("from making calls (WebRTC)"), phrase("to true")};
  if (policy.name != "WebRtcUdpPortRange") return std::nullopt;
  const auto wanted = other_source_ports(facts, policy);
  if (!wanted) return std::nullopt;
  return Forbidden{phrase("from using the service's source ports ({})", *wanted),
                   phrase("to a range with {}", *wanted)};
}

}  // namespace

Cause kept_by_own_firewall(const Probes& kept, const Text& what, const Text& flows) {
  Cause cause(kept);
  const bool said = std::ranges::any_of(kept, said_by_the_system);
  cause.name(FindingCode::computer_firewall, said || kept.size() > 1 ? certain : likely);
  cause.title = phrase("This computer's own firewall blocks {}", what);
  cause.fix = phrase(
      "Ask the administrator of this computer to let {} out in its own firewall or security "
      "software (Linux: nft list ruleset, iptables -S; Windows: outbound rules in wf.msc). Change "
      "nothing on the network.",
      flows);
  cause.show(kept);
  for (const auto* result : kept) {
    const auto* error = evidence_of(*result, EvidenceKind::error);
    if (error == nullptr) error = evidence_of(*result, EvidenceKind::icmp_error);
    const auto* reset = evidence_of(*result, EvidenceKind::refuser);
    if (error == nullptr && reset == nullptr) continue;
    cause.tell(reset != nullptr ? reset->text + "."
                                : phrase("This computer's operating system says: {}", error->text),
               result);
    break;
  }
  return cause;
}

Causes find_own_firewall(const Diagnosis& context) {
  const auto kept = context.probes_that([&](const ProbeResult& result) {
    return is_kept_here(result) && !context.explained(result);
  });
  // Whose names have answers too long for UDP: the others may be missing for that reason, too.
  std::set<std::string> owners;
  for (const auto* result : kept) {
    const bool looks_up = asks_system_resolvers(result->probe) && is_answer_too_long(*result);
    if (looks_up) owners.insert(registrable_domain(name_asked_for(result->probe)));
  }
  const auto missing = missing_names_of(context, owners);
  if (!context.affects_requirement(kept) && !context.affects_requirement(missing)) return {};
  const auto what = what_is_kept(kept), tried = tried_flows_in_words(context, kept);
  auto cause = kept_by_own_firewall(kept, what, tried.empty() || !missing.empty() ? what : tried);
  const auto flow_of = [](const ProbeResult& result) {
    const auto& target = result.probe.target;
    return std::tuple(is_udp(result), target.host, target.port(), is_direct(result));
  };
  const auto flows = set_of(kept, flow_of);
  // What was tried beside them on the same flow, and not heard of again.
  append(cause.explained, context.probes_that([&](const ProbeResult& result) {
    return got_no_answer(result) && flows.contains(flow_of(result));
  }));
  append(cause.explained, missing);
  const auto hosts = hosts_of(missing);
  if (!hosts.empty())
    cause.tell(phrase("Because of this, these names are missing: {}.", listed(hosts)));
  return {cause};
}

Causes find_hosts_file(const Diagnosis& context) {
  Cause cause;
  std::vector<std::string> astray;
  for (const auto& [text, name] : read_names(context)) {
    if (!name.from_hosts_file || !is_public_name(text) || !name.address) continue;
    const auto* other = other_answer(name);
    if (works(name) || (other == nullptr && !name.address->is_special())) continue;
    astray.push_back(text);
    add_astray(cause, context, name);
    cause.tell(phrase("This computer's hosts file has {} at {}.", text, *name.address),
               name.probes.front());
    if (other != nullptr) cause.tell({other->probe, phrase("DNS says: {}", other->evidence->text)});
  }
  if (cause.explained.empty() && cause.contradicted.empty()) return {};
  cause.name(FindingCode::computer_hosts_file, certain);
  cause.title = phrase("This computer's hosts file sends {} to a wrong address", listed(astray));
  cause.fix = phrase(
      "Ask the administrator of this computer to remove {} from its hosts file (Linux, macOS: "
      "/etc/hosts; Windows: C:\\Windows\\System32\\drivers\\etc\\hosts). Change nothing on the DNS "
      "servers.",
      listed(astray));
  return {cause};
}

Causes find_agent(const Diagnosis& context) {
  Probes proof, lost;
  std::set<std::uint16_t> taken, answering;  // ports
  bool said = false;                         // by the system
  for (const auto& result : context.report.probes) {
    const auto port = result.probe.target.port();
    const auto who = text_of(result, EvidenceKind::hop, Fact::who);
    // The system says so, or it is too near for anybody else.
    if (is_taken_near(result) && !who.empty()) {
      said |= who == "this_computer";
      proof.push_back(&result);
      taken.insert(port);
    }
    if (is_udp(result) || !is_direct(result) || is_inside(result)) continue;
    const auto outcome = result.observation.outcome;
    if (outcome == Outcome::answered || outcome == Outcome::denied || has_certificate(result))
      answering.insert(port);
    if (stood_in_vain(result) && !context.explained(result)) lost.push_back(&result);
  }
  if (proof.empty()) return {};
  // A program that takes two ports, and lets nothing through, takes them all.
  const bool all = answering.empty() && taken.size() > 1;
  lost = those_that(lost, [&](const ProbeResult& result) {
    return all || taken.contains(result.probe.target.port());
  });
  if (!context.affects_requirement(lost)) return {};
  const auto ports = ports_of(lost);
  const bool carries_some = std::ranges::find_first_of(ports, answering) != ports.end();
  Cause cause(lost);
  // What it carries elsewhere may be lost there.
  cause.name(FindingCode::computer_agent, carries_some                        ? possible
                                          : said && hosts_of(lost).size() > 1 ? certain
                                                                              : likely);
  const auto which = listed(ports, 4);
  cause.title =
      carries_some
          ? phrase("A program on this computer intercepts TCP {} and does not pass all of it on",
                   which)
          : phrase("A program on this computer intercepts TCP {} and passes nothing on", which);
  cause.fix = phrase(
      "Ask this computer's administrator which program intercepts these connections (a security "
      "agent, a web shield, a local proxy), and exempt the following in it: {}. {}",
      tried_flows_in_words(context, lost),
      carries_some ? phrase("Check that program's log first: what it passes on may be lost further "
                            "along the path.")
                   : phrase("The network needs no change."));
  for (const auto* result : proof | std::views::take(2))
    cause.tell(evidence_of(*result, EvidenceKind::hop)->text + ".", result);
  for (const auto& agent : context.report.site.agents) {
    cause.tell(phrase("{} runs here ({}); it is not known whether it is the cause.", agent.name,
                      agent.seen));
  }
  cause.show(lost, 6);
  return {cause};
}

Causes find_browser_policies(const Diagnosis& context) {
  // Media over UDP, or what leads to it, that a row asks for.
  const auto media = context.probes_that([&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool of_calls = check == CheckKind::turn || check == CheckKind::stun ||
                          check == CheckKind::udp_range || check == CheckKind::media;
    return of_calls && is_udp(result) && context.asked_for(result);
  });
  Causes causes;
  if (media.empty()) return causes;
  for (const auto& policy : context.report.site.browser_policies) {
    const auto forbidden = forbidden_by(context, policy);
    if (!forbidden) continue;
    auto& cause = causes.emplace_back();
    cause.name(FindingCode::computer_browser_policy,
               forbidden->everywhere && !policy.recommended ? likely : possible);
    cause.title =
        forbidden->everywhere
            ? phrase("A policy stops {} {}", policy.browser, forbidden->what)
            : phrase("A policy stops {} {} on some pages", policy.browser, forbidden->what);
    cause.fix = phrase(
        "Ask the administrator of this computer to set {} {}, in {}. Until then, use another "
        "browser, or the service's own program. For this, change nothing on the network.",
        policy.name, forbidden->fix, policy.place);
    cause.tell(phrase("{} is {} in {}{}.", policy.name, policy.value, policy.place,
                      policy.recommended ? phrase(" (users may change it)") : ""));
    cause.affects = sets_of(context, media);
  }
  return causes;
}

}  // namespace callready::findings
