// The members of a report: one list of names, for both writing and reading. Those of a stream's
// figures are in media_fields.hpp. Internal to reports/.
//
// Each `fields(part, visit)` passes its members to `visit` in the order in which a person wants to
// read them:
//   visit(name, member)                 always present; an optional one only if it has a value
//   visit.if_any(name, member)          left out if it is empty, 0 or false
//   visit.or_else(name, member, other)  left out if it is `other`
//   visit.later(name, member)           always written; absent from reports of earlier editions
//   visit.from_one(name, number)        always present, and at least 1
//   visit.object(name, fill)            an object with the members that `fill(visit)` passes
// Members with a special form have their own functions: ports, range, protocol, purpose and
// facts.
#pragma once

#include "probe/model/report.hpp"
#include "reports/json/media_fields.hpp"

namespace callready {

template <MaybeConst<ToolInfo> Any, typename Visit>
void fields(Any& tool, Visit visit) {
  visit("name", tool.name);
  visit("version", tool.version);
}

template <MaybeConst<InterfaceInfo> Any, typename Visit>
void fields(Any& interface, Visit visit) {
  visit("name", interface.name);
  visit("addresses", interface.addresses);
  visit("default_route", interface.default_route);
  visit.if_any("tunnel", interface.tunnel);
}

template <MaybeConst<LinkInfo> Any, typename Visit>
void fields(Any& link, Visit visit) {
  visit("name", link.name);
  visit("state", link.state);
  visit("wireless", link.wireless);
}

template <MaybeConst<GatewayInfo> Any, typename Visit>
void fields(Any& gateway, Visit visit) {
  visit("address", gateway.address);
  visit("interface", gateway.interface);
  visit("answers", gateway.answers);
}

template <MaybeConst<EgressPath> Any, typename Visit>
void fields(Any& way, Visit visit) {
  visit("interface", way.interface);
  visit("gateway", way.gateway);
  visit("tunnel", way.tunnel);
  visit("default_route", way.default_route);
  visit("hosts", way.hosts);
}

template <MaybeConst<ResolverLink> Any, typename Visit>
void fields(Any& link, Visit visit) {
  visit("resolver", link.resolver);
  visit("interface", link.interface);
}

template <MaybeConst<AgentInfo> Any, typename Visit>
void fields(Any& agent, Visit visit) {
  visit("name", agent.name);
  visit("seen", agent.seen);
}

template <MaybeConst<BrowserPolicy> Any, typename Visit>
void fields(Any& policy, Visit visit) {
  visit("browser", policy.browser);
  visit("name", policy.name);
  visit("value", policy.value);
  visit("place", policy.place);
  visit.if_any("recommended", policy.recommended);
}

template <MaybeConst<Site> Any, typename Visit>
void fields(Any& site, Visit visit) {
  visit.if_any("name", site.name);
  visit.if_any("host", site.host);
  visit("interfaces", site.interfaces);
  visit("links", site.links);
  visit.if_any("gateways", site.gateways);
  visit.if_any("ways", site.ways);
  visit("resolvers", site.resolvers);
  visit.if_any("resolver_links", site.resolver_links);
  visit("proxy", site.proxy);
  visit.if_any("proxy_sought", site.proxy_sought);
  visit.if_any("proxy_exceptions", site.proxy_exceptions);
  visit("public_addresses", site.public_addresses);
  visit.object("nat", [&](auto nat) {
    nat("mapping", site.nat_mapping);
    nat("filtering", site.nat_filtering);
    nat("port_preservation", site.nat_port_preservation);
    nat("hairpin", site.nat_hairpin);
    nat("translations", site.nat_translations);
    nat("binding_lifetime_s", site.nat_binding_lifetime);
  });
  visit("vantage", site.vantage);
  visit.if_any("own_hosts", site.own_hosts);
  visit.if_any("agents", site.agents);
  visit.if_any("browser_policies", site.browser_policies);
  visit.if_any("unread_policies", site.unread_policies);
}

template <MaybeConst<Standing> Any, typename Visit>
void fields(Any& standing, Visit visit) {
  visit("since", standing.since);
  visit.from_one("runs", standing.runs);
  visit("began", standing.began);
}

template <MaybeConst<Need> Any, typename Visit>
void fields(Any& need, Visit visit) {
  visit("alternatives", need.alternatives);
  visit("equal", need.equal);
  if (!need.equal) visit.or_else("preferred", need.preferred, std::size_t{1});
}

template <MaybeConst<CapabilityResult> Any, typename Visit>
void fields(Any& capability, Visit visit) {
  visit("id", capability.id);
  visit("title", capability.title);
  visit("verdict", capability.verdict);
  visit("summary", capability.summary);
  visit("requirements", capability.requirements);
  visit.or_else("calls", capability.calls, true);
  visit.if_any("fallback", capability.fallback);
  visit.if_any("needs", capability.needs);
  visit("standing", capability.standing);
}

template <MaybeConst<MissedFigure> Any, typename Visit>
void fields(Any& missed, Visit visit) {
  visit("figure", missed.figure);
  visit("way", missed.way);
  visit("measured", missed.measured);
  visit("bound", missed.bound);
  visit("wanted", missed.wanted);
  visit("probe", missed.probe);
  visit.if_any("usual", missed.usual);
}

template <MaybeConst<RulePeer> Any, typename Visit>
void fields(Any& peer, Visit visit) {
  visit("text", peer.text);
  visit("kind", peer.kind);
  visit.if_any("region", peer.region);
  visit.or_else("lifecycle", peer.lifecycle, Lifecycle::current);
  visit.if_any("note", peer.note);
}

// The same in a report and in the output of `firewall`. A port that only the customer knows is
// written in words.
template <MaybeConst<FirewallRule> Any, typename Visit>
void fields(Any& rule, Visit visit) {
  visit("set", rule.set);
  visit("requirements", rule.requirements);
  visit("titles", rule.titles);
  visit("sources", rule.sources);
  visit("severity", rule.severity);
  visit("direction", rule.direction);
  visit.protocol("protocol", rule);
  visit("source_ports", rule.source_ports);
  visit(rule.direction == Direction::in ? "sources_of_traffic" : "destinations", rule.peers);
  visit.ports("ports", rule.ports, rule.your_ports);
  visit("allow_by", rule.allow_by);
  visit("proxy", rule.proxy);
  visit.or_else("lifecycle", rule.lifecycle, Lifecycle::current);
  visit.or_else("evidence", rule.evidence, SourceQuality::vendor_page);
  visit.if_any("vantages", rule.vantages);
  visit.if_any("clients", rule.clients);
  visit.if_any("purposes", rule.purposes);
  visit.if_any("fallback_for", rule.fallback_for);
  visit.if_any("conditions", rule.conditions);
  visit.if_any("remarks", rule.remarks);
  visit.if_any("notes", rule.notes);
}

template <MaybeConst<RequirementResult> Any, typename Visit>
void fields(Any& requirement, Visit visit) {
  visit("id", requirement.id);
  visit("title", requirement.title);
  visit("severity", requirement.severity);
  visit("status", requirement.status);
  visit("summary", requirement.summary);
  visit.if_any("sampled", requirement.sampled);
  visit("reached", requirement.reached);
  visit("total", requirement.total);
  visit("source", requirement.source);
  visit("probes", requirement.probes);
  visit.if_any("elsewhere", requirement.elsewhere);
  visit.if_any("left_out", requirement.left_out);
  visit.if_any("poor", requirement.poor);
  visit.if_any("missed", requirement.missed);
  visit("closed_by", requirement.closed_by);
  visit.if_any("impaired", requirement.impaired);
  visit.if_any("lost", requirement.lost);
  visit.if_any("error_texts", requirement.error_texts);
  visit.if_any("of_set", requirement.of_set);
  visit.if_any("rules", requirement.rules);
}

template <MaybeConst<SetAdvice> Any, typename Visit>
void fields(Any& advice, Visit visit) {
  visit("id", advice.id);
  visit("text", advice.text);
  visit.if_any("source", advice.source);
}

template <MaybeConst<SetHead> Any, typename Visit>
void fields(Any& set, Visit visit) {
  visit("id", set.id);
  visit("title", set.title);
  visit.if_any("published", set.published);
  visit.if_any("verified", set.verified);
  visit("evidence", set.evidence);
  visit.if_any("evidence_note", set.evidence_note);
  visit.if_any("sha256", set.sha256);
}

template <MaybeConst<SetResult> Any, typename Visit>
void fields(Any& set, Visit visit) {
  visit("id", set.id);
  visit("title", set.title);
  visit.if_any("edition", set.edition);
  visit.if_any("published", set.published);
  visit.if_any("verified", set.verified);
  visit.if_any("document", set.document);
  visit.later("evidence", set.evidence);
  visit.if_any("evidence_note", set.evidence_note);
  visit.if_any("sha256", set.sha256);
  visit("verdict", set.verdict);
  visit("notes", set.notes);
  visit("capabilities", set.capabilities);
  visit("requirements", set.requirements);
  visit.if_any("advice", set.advice);
  visit.if_any("needs_sets", set.leans_on);
  visit("standing", set.standing);
}

template <MaybeConst<FindingAffects> Any, typename Visit>
void fields(Any& affects, Visit visit) {
  visit("set", affects.set);
  visit("capabilities", affects.capabilities);
}

template <MaybeConst<FindingEvidence> Any, typename Visit>
void fields(Any& evidence, Visit visit) {
  visit.if_any("probe", evidence.probe);
  visit("text", evidence.text);
}

template <MaybeConst<RunnerUp> Any, typename Visit>
void fields(Any& other, Visit visit) {
  visit("cause", other.cause);
  visit("tells", other.tells);
}

template <MaybeConst<Finding> Any, typename Visit>
void fields(Any& finding, Visit visit) {
  visit("code", finding.code);
  visit("title", finding.title);
  visit("confidence", finding.confidence);
  visit("owner", finding.owner);
  visit("fix", finding.fix);
  visit("affects", finding.affects);
  visit("explains", finding.explains);
  visit.if_any("rules", finding.rules);
  visit("evidence", finding.evidence);
  visit("could_also_be", finding.runner_up);
  visit.if_any("seen_from", finding.seen_from);
  visit("standing", finding.standing);
}

// Facts are on the same level as `kind` and `text`, in alphabetical order, like `Fact` itself.
template <MaybeConst<Evidence> Any, typename Visit>
void fields(Any& evidence, Visit visit) {
  visit("kind", evidence.kind);
  visit("text", evidence.text);
  visit.facts(evidence.facts);
}

template <MaybeConst<SocketAddress> Any, typename Visit>
void fields(Any& local, Visit visit) {
  visit("address", local.address);
  visit("port", local.port);
}

template <MaybeConst<ProbeResult> Any, typename Visit>
void fields(Any& result, Visit visit) {
  auto& probe = result.probe;
  auto& seen = result.observation;
  visit("id", probe.id);
  visit("check", probe.check);
  visit.object("target", [&](auto target) {
    target("host", probe.target.host);
    target("address", seen.address);
    target.range(probe.target.ports);
    target.if_any("sample", probe.target.sample);
    target("transport", probe.target.transport);
    target("route", probe.target.route);
  });
  visit.if_any("with", probe.with);
  visit.if_any("region", probe.region);
  visit.purpose(probe);
  visit.if_any("vantage", probe.vantage);
  visit("local", seen.local);
  visit("sent_at", seen.sent_at);
  visit("outcome", seen.outcome);
  visit("detail", seen.detail);
  visit("round_trip_ms", seen.round_trip);
  visit("timing_ms", seen.timing_ms);
  visit("attempts", seen.attempts);
  visit("media", seen.media);
  visit("evidence", seen.evidence);
}

template <MaybeConst<LongestWait> Any, typename Visit>
void fields(Any& wait, Visit visit) {
  visit("ms", wait.took);
  visit("check", wait.check);
  visit("answered", wait.answered);
}

// What a report and one merged into another have in common, up to their notes.
template <std::derived_from<RunReport> Any, typename Visit>
void run_fields(Any& report, Visit visit) {
  visit("tool", report.tool);
  visit("started_at", report.started_at);
  visit("finished_at", report.finished_at);
  visit("duration_ms", report.duration);
  visit("complete", report.complete);
  visit.if_any("part", report.part);
  visit("site", report.site);
  visit("sets", report.sets);
  visit("findings", report.findings);
}

template <MaybeConst<VantageReport> Any, typename Visit>
void fields(Any& vantage, Visit visit) {
  visit("name", vantage.name);
  run_fields(vantage, visit);
  visit("notes", vantage.notes);
}

}  // namespace callready
