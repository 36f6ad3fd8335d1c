// The whole report as JSON; its schema, with the meaning of every member, is
// schema/callready.report-1.schema.json. The rule for what is not there: a member without a value
// is left out, never null; lists and objects that the schema requires are there even when empty.
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "reports/json/parts.hpp"
#include "reports/json/text.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;  // members in the order in which a person wants to read them

double rounded(double milliseconds) { return as_written(Milliseconds(milliseconds)).count(); }

Json interface_json(const InterfaceInfo& interface) {
  Json json = {{"name", interface.name},
               {"addresses", json_texts(interface.addresses)},
               {"default_route", interface.default_route}};
  if (interface.tunnel) json["tunnel"] = true;
  return json;
}

Json link_json(const LinkInfo& link) {
  Json json = {{"name", link.name}, {"state", to_string(link.state)}};
  if (link.wireless) json["wireless"] = *link.wireless;
  return json;
}

Json policy_json(const BrowserPolicy& policy) {
  Json json = {{"browser", policy.browser},
               {"name", policy.name},
               {"value", policy.value},
               {"place", policy.place}};
  if (policy.recommended) json["recommended"] = true;
  return json;
}

Json gateway_json(const GatewayInfo& gateway) {
  Json json = {{"address", gateway.address.to_string()}, {"interface", gateway.interface}};
  if (gateway.answers) json["answers"] = *gateway.answers;
  return json;
}

Json way_json(const EgressPath& way) {
  Json json = {{"interface", way.interface}};
  if (way.gateway) json["gateway"] = way.gateway->to_string();
  json["tunnel"] = way.tunnel;
  json["default_route"] = way.default_route;
  json["hosts"] = way.hosts;
  return json;
}

}  // namespace

Json site_json(const Site& site) {
  auto json = Json::object();
  set_if_any(json, "name", site.name);
  set_if_any(json, "host", site.host);
  json["interfaces"] = json_list(site.interfaces, interface_json);
  if (site.links) json["links"] = json_list(*site.links, link_json);
  set_if_any(json, "gateways", json_list(site.gateways, gateway_json));
  set_if_any(json, "ways", json_list(site.ways, way_json));
  json["resolvers"] = site.resolvers;
  if (site.proxy) json["proxy"] = *site.proxy;
  if (site.proxy_sought) json["proxy_sought"] = true;
  json["public_addresses"] = json_texts(site.public_addresses);
  json["nat"] = Json::object();
  const auto set_nat = [&](const char* name, const std::optional<std::string>& value) {
    if (value) json["nat"][name] = *value;
  };
  set_nat("mapping", site.nat_mapping);
  set_nat("filtering", site.nat_filtering);
  set_nat("port_preservation", site.nat_port_preservation);
  set_nat("hairpin", site.nat_hairpin);
  set_nat("translations", site.nat_translations);
  set_nat("binding_lifetime_s", site.nat_binding_lifetime);
  if (site.vantage) json["vantage"] = to_string(*site.vantage);
  set_if_any(json, "own_hosts", site.own_hosts);
  for (const auto& agent : site.agents) {
    json["agents"].push_back({{"name", agent.name}, {"seen", agent.seen}});
  }
  set_if_any(json, "browser_policies", json_list(site.browser_policies, policy_json));
  set_if_any(json, "unread_policies", site.unread_policies);
  return json;
}

namespace {

void add_standing(Json& json, const std::optional<Standing>& standing) {
  if (!standing) return;
  json["standing"] = {{"since", format_rfc3339(standing->since)},
                      {"runs", standing->runs},
                      {"began", standing->began}};
}

Json capability_json(const CapabilityResult& capability) {
  Json json = {{"id", capability.id},
               {"title", capability.title},
               {"verdict", to_string(capability.verdict)},
               {"summary", capability.summary.string()},
               {"requirements", capability.requirements}};
  add_words(json, "summary", capability.summary);
  if (!capability.calls) json["calls"] = false;
  if (capability.fallback) json["fallback"] = true;
  for (const auto& need : capability.needs) {
    Json one{{"alternatives", need.alternatives}, {"equal", need.equal}};
    if (!need.equal && need.preferred != 1) one["preferred"] = need.preferred;
    json["needs"].push_back(std::move(one));
  }
  add_standing(json, capability.standing);
  return json;
}

Json requirement_json(const RequirementResult& requirement) {
  Json json = {{"id", requirement.id},
               {"title", requirement.title},
               {"severity", to_string(requirement.severity)},
               {"status", to_string(requirement.status)},
               {"summary", requirement.summary.string()}};
  set_if_any(json, "sampled", requirement.sampled.string());
  add_words(json, "summary", requirement.summary);
  add_words(json, "sampled", requirement.sampled);
  json["reached"] = requirement.reached;
  json["total"] = requirement.total;
  json["source"] = requirement.source;
  json["probes"] = requirement.probes;
  if (requirement.elsewhere) json["elsewhere"] = true;
  if (requirement.left_out) json["left_out"] = true;
  if (requirement.poor) json["poor"] = true;
  set_if_any(json, "missed", json_list(requirement.missed, missed_json));
  if (requirement.closed_by) json["closed_by"] = to_string(*requirement.closed_by);
  if (requirement.impaired) json["impaired"] = true;
  if (requirement.lost) json["lost"] = true;
  set_if_any(json, "error_texts", requirement.error_texts);
  set_if_any(json, "of_set", requirement.of_set);
  set_if_any(json, "rules", json_list(requirement.rules, rule_json));
  return json;
}

}  // namespace

Json set_json(const SetResult& set) {
  Json json = {{"id", set.id}, {"title", set.title}};
  set_if_any(json, "edition", set.edition);
  set_if_any(json, "published", set.published);
  set_if_any(json, "verified", set.verified);
  set_if_any(json, "document", set.document);
  json["evidence"] = to_string(set.evidence);
  set_if_any(json, "evidence_note", set.evidence_note);
  set_if_any(json, "sha256", set.sha256);
  json["verdict"] = to_string(set.verdict);
  json["notes"] = set.notes;
  add_words(json, "notes", set.notes);
  json["capabilities"] = json_list(set.capabilities, capability_json);
  json["requirements"] = json_list(set.requirements, requirement_json);
  for (const auto& advice : set.advice) {
    Json item = {{"id", advice.id}, {"text", advice.text}};
    set_if_any(item, "source", advice.source);
    json["advice"].push_back(std::move(item));
  }
  for (const auto& needed : set.leans_on) {
    Json item = {{"id", needed.id}, {"title", needed.title}};
    set_if_any(item, "published", needed.published);
    set_if_any(item, "verified", needed.verified);
    item["evidence"] = to_string(needed.evidence);
    set_if_any(item, "evidence_note", needed.evidence_note);
    set_if_any(item, "sha256", needed.sha256);
    json["needs_sets"].push_back(std::move(item));
  }
  add_standing(json, set.standing);
  return json;
}

Json finding_json(const Finding& finding) {
  Json json = {{"code", to_string(finding.code)},
               {"title", finding.title.string()},
               {"confidence", to_string(finding.confidence)},
               {"owner", to_string(finding.owner)},
               {"fix", finding.fix.string()}};
  add_words(json, "title", finding.title);
  add_words(json, "fix", finding.fix);
  json["affects"] = Json::array();
  for (const auto& affected : finding.affects) {
    json["affects"].push_back({{"set", affected.set}, {"capabilities", affected.capabilities}});
  }
  json["explains"] = finding.explains;
  set_if_any(json, "rules", json_list(finding.rules, rule_json));
  json["evidence"] = Json::array();
  for (const auto& evidence : finding.evidence) {
    auto item = Json::object();
    set_if_any(item, "probe", evidence.probe);
    item["text"] = evidence.text.string();
    add_words(item, "text", evidence.text);
    json["evidence"].push_back(std::move(item));
  }
  if (finding.runner_up) {
    const auto& [cause, tells] = *finding.runner_up;
    auto& other = json["could_also_be"];
    other = {{"cause", cause.string()}, {"tells", tells.string()}};
    add_words(other, "cause", cause);
    add_words(other, "tells", tells);
  }
  set_if_any(json, "seen_from", finding.seen_from);
  add_standing(json, finding.standing);
  return json;
}

namespace {

// Facts stand beside `kind` and `text`, in alphabetical order, as `Fact` is; one that is not a
// number (an infinite delay) is left out.
Json evidence_json(const Evidence& evidence) {
  Json json = {{"kind", to_string(evidence.kind)}, {"text", evidence.text.string()}};
  add_words(json, "text", evidence.text);
  for (const auto& [name, value] : evidence.facts) {
    const auto word = to_string(name);
    Json fact;
    std::visit([&](const auto& known) { fact = known; }, value);
    if (fact.is_number_float()) {
      if (!std::isfinite(fact.get<double>())) continue;
      if (word.ends_with("_ms")) fact = rounded(fact.get<double>());
    }
    json[std::string(word)] = fact;
  }
  return json;
}

Json target_json(const Target& target, const std::optional<IpAddress>& address) {
  Json json = {{"host", target.host}};
  if (address) json["address"] = address->to_string();
  if (!target.ports.single()) {
    json["ports"] = target.ports.to_string();
  } else if (target.port() != 0) {
    json["port"] = target.port();
  }
  if (!target.sample.empty()) json["sample"] = target.sample;
  json["transport"] = to_string(target.transport);
  json["route"] = target.route.to_string();
  return json;
}

}  // namespace

Json probe_json(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  Json json = {{"id", probe.id}, {"check", to_string(probe.check)}};
  json["target"] = target_json(probe.target, seen.address);
  if (!probe.with.empty()) json["with"] = probe.with;
  set_if_any(json, "region", probe.region);
  json["control"] = probe.control();
  if (probe.control()) json["purpose"] = to_string(probe.purpose);
  set_if_any(json, "vantage", probe.vantage);
  if (seen.local) {
    json["local"] = {{"address", seen.local->address.to_string()}, {"port", seen.local->port}};
  }
  if (seen.sent_at) json["sent_at"] = format_rfc3339(*seen.sent_at);
  json["outcome"] = to_string(seen.outcome);
  json["detail"] = seen.detail.text();
  if (seen.round_trip && std::isfinite(seen.round_trip->count())) {
    json["round_trip_ms"] = rounded(seen.round_trip->count());
  }
  json["timing_ms"] = Json::object();
  for (const auto& [name, milliseconds] : seen.timing_ms) {
    if (std::isfinite(milliseconds))
      json["timing_ms"][std::string(to_string(name))] = rounded(milliseconds);
  }
  json["attempts"] = seen.attempts;
  if (seen.media) json["media"] = media_json(*seen.media);
  json["evidence"] = json_list(seen.evidence, evidence_json);
  return json;
}

Json tool_json(const ToolInfo& tool) { return {{"name", tool.name}, {"version", tool.version}}; }

double duration_json(Milliseconds duration) {
  return std::isfinite(duration.count()) ? rounded(duration.count()) : 0.0;
}

namespace {

// What a report and one that became a part of another have in common.
void add_head(Json& json, const auto& report) {
  json["tool"] = tool_json(report.tool);
  json["started_at"] = format_rfc3339(report.started_at);
  json["finished_at"] = format_rfc3339(report.finished_at);
  json["duration_ms"] = duration_json(report.duration);
  json["complete"] = report.complete;
  json["site"] = site_json(report.site);
  json["sets"] = json_list(report.sets, set_json);
  json["findings"] = json_list(report.findings, finding_json);
}

}  // namespace

bool write_json(const Report& report, const JsonTaker& take) {
  Json json = {{"schema", Report::schema}};
  if (!report.redacted.empty()) json["redacted"] = report.redacted;
  add_head(json, report);
  if (report.loop_stall) json["held_up_ms"] = duration_json(*report.loop_stall);
  if (const auto& wait = report.longest_wait) {
    json["longest_wait"] = {{"ms", duration_json(wait->took)},
                            {"check", to_string(wait->check)},
                            {"answered", wait->answered}};
  }
  json["unexplained"] =
      json_list(unexplained(report), [](const UnexplainedRow& row) { return row.id; });
  json["probes"] = Json::array();
  json["notes"] = report.notes;
  add_words(json, "notes", report.notes);
  for (const auto& vantage : report.vantages) {
    Json part = {{"name", vantage.name}};
    add_head(part, vantage);
    part["notes"] = vantage.notes;
    add_words(part, "notes", vantage.notes);
    json["vantages"].push_back(std::move(part));
  }
  const auto whole = json_text(json);
  if (report.probes.empty()) return take(whole);
  // Probes are most of a long report: they go one by one into their place, of which there is one,
  // since a line break in a text is written otherwise.
  constexpr std::string_view place = "\n  \"probes\": [";
  const auto inside = whole.find(place) + place.size();
  if (!take(std::string_view(whole).substr(0, inside))) return false;
  for (const auto& probe : report.probes) {
    std::string piece = &probe == &report.probes.front() ? "" : ",";
    const auto text = json_text(probe_json(probe));
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);  // of each line; the text ends in one
      piece += "\n    ";
      piece.append(text, at, end - at);
      at = end + 1;
    }
    if (!take(piece)) return false;
  }
  return take("\n  " + whole.substr(inside));
}

std::string render_json(const Report& report, const RenderOptions&) {
  std::string text;
  write_json(report, [&text](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

}  // namespace callready
