// Target sets as JSON. It mirrors the model. Members of the first edition are always present, empty
// if the document says nothing; figures that are not given, and later members that would be empty,
// are left out.
#include <nlohmann/json.hpp>

#include "reports/json/text.hpp"
#include "reports/text/show.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

// What the customer fills in is in the same list, as "${variable}".
Json with_variables(Json json, const std::vector<std::string>& variables) {
  for (const auto& variable : variables) json.push_back(variable);
  return json;
}

Json host_json(const Host& host) {
  return {{"name", host.name},
          {"region", host.region},
          {"lifecycle", to_string(host.lifecycle)},
          {"note", host.note}};
}

Json wildcard_json(const Wildcard& wildcard) {
  return {{"pattern", wildcard.pattern}, {"examples", json_list(wildcard.examples, host_json)}};
}

Json address_json(const AddressBlock& block) {
  static constexpr const char* kinds[] = {"address", "network", "range"};
  return {{"value", block.to_string()},
          {"kind", kinds[block.value.index()]},
          {"region", block.region},
          {"lifecycle", to_string(block.lifecycle)},
          {"note", block.note}};
}

Json addresses_json(const Requirement& requirement) {
  auto json = json_list(requirement.addresses, address_json);
  for (const auto& block : requirement.variable_addresses) {
    json.push_back({{"value", block.text},
                    {"kind", "variable"},
                    {"region", block.region},
                    {"lifecycle", to_string(block.lifecycle)},
                    {"note", block.note}});
  }
  return json;
}

Json reach_json(const Reach& reach) {
  switch (reach.kind) {
    case Reach::Kind::all:
      return {{"kind", "all"}};
    case Reach::Kind::any:
      return {{"kind", "any"}};
    case Reach::Kind::at_least:
      return {{"kind", "at_least"}, {"count", reach.count}};
    case Reach::Kind::nearest:
      return {{"kind", "nearest"}, {"count", reach.count}};
  }
  return {{"kind", "all"}};
}

Json figures_json(const auto& of) {
  auto json = Json::object();
  each_figure(of, [&](const char* name, auto, auto, const std::optional<double>& figure) {
    if (figure) json[name] = *figure;
  });
  return json;
}

Json quality_json(const MediaQuality& quality) {
  auto json = figures_json(quality);
  if (quality.bandwidth_up_kbps) json["bandwidth_up_kbps"] = *quality.bandwidth_up_kbps;
  if (quality.bandwidth_down_kbps) json["bandwidth_down_kbps"] = *quality.bandwidth_down_kbps;
  for (const auto& one : quality.bandwidths) {
    Json entry = {{"what", one.what}};
    if (one.up_kbps) entry["up_kbps"] = *one.up_kbps;
    if (one.down_kbps) entry["down_kbps"] = *one.down_kbps;
    json["bandwidths"].push_back(std::move(entry));
  }
  set_if_any(json, "dscp", quality.dscp);
  json["source"] = quality.source;
  return json;
}

Json requirement_json(const Requirement& requirement) {
  Json json = {{"id", requirement.id},
               {"title", requirement.title},
               {"purpose", requirement.purpose},
               {"source", requirement.source},
               {"note", requirement.note},
               {"severity", to_string(requirement.severity)},
               {"direction", to_string(requirement.direction)},
               {"lifecycle", to_string(requirement.lifecycle)},
               {"proxy", to_string(requirement.proxy)},
               {"allow_by", to_string(requirement.allow_by)},
               {"reach", reach_json(requirement.reach)},
               {"scenarios", requirement.scenarios},
               {"vantages", json_words(requirement.vantages)},
               {"clients", requirement.clients},
               {"source_ports", json_texts(requirement.source_ports)},
               {"check", requirement.check ? to_string(*requirement.check) : ""},
               {"unprobed", requirement.unprobed},
               {"transports", with_variables(json_words(requirement.transports),
                                             requirement.variable_transports)},
               {"ports", with_variables(json_texts(requirement.ports), requirement.variable_ports)},
               {"with", requirement.with},
               {"hosts", json_list(requirement.hosts, host_json)},
               {"reverse_dns", json_list(requirement.reverse_dns, host_json)},
               {"wildcards", json_list(requirement.wildcards, wildcard_json)},
               {"addresses", addresses_json(requirement)},
               {"service_tags", requirement.service_tags},
               {"listening", requirement.listening},
               {"conditions", requirement.conditions},
               {"thresholds", figures_json(requirement.thresholds)}};
  set_if_any(json, "local_peers", requirement.local_peers);
  set_if_any(json, "error_texts", requirement.error_texts);
  if (requirement.priority) json["priority"] = to_string(*requirement.priority);
  set_if_any(json, "feed", requirement.feed);
  if (requirement.evidence) json["evidence"] = to_string(*requirement.evidence);
  set_if_any(json, "of_set", requirement.of_set);
  return json;
}

Json scenario_json(const Scenario& scenario) {
  return {{"id", scenario.id}, {"title", scenario.title}, {"default", scenario.by_default}};
}

Json region_json(const Region& region) { return {{"id", region.id}, {"title", region.title}}; }

Json variable_json(const Variable& variable) {
  Json json = {{"name", variable.name}, {"title", variable.title}};
  if (variable.fallback) json["default"] = *variable.fallback;
  json["example"] = variable.example;
  if (variable.optional) json["optional"] = true;
  return json;
}

Json need_json(const Need& need) {
  return {{"alternatives", need.alternatives},
          {"equal", need.equal},
          {"preferred", need.equal ? need.alternatives.size() : need.preferred}};
}

Json capability_json(const Capability& capability) {
  Json json = {{"id", capability.id},
               {"title", capability.title},
               {"scenarios", capability.scenarios},
               {"needs", json_list(capability.needs, need_json)}};
  if (!capability.calls) json["calls"] = false;
  if (capability.quality) json["quality"] = quality_json(*capability.quality);
  if (capability.sign_in) json["sign_in"] = true;
  return json;
}

Json head_json(const SetHead& set) {
  Json json = {{"id", set.id},
               {"title", set.title},
               {"vendor", set.vendor},
               {"edition", set.edition},
               {"published", set.published},
               {"verified", set.verified},
               {"evidence", to_string(set.evidence)}};
  set_if_any(json, "evidence_note", set.evidence_note);
  if (set.kind) json["kind"] = to_string(*set.kind);
  json["aliases"] = set.aliases;
  json["former_names"] = set.former_names;
  for (const auto& needed : set.needs_sets) json["needs_sets"].push_back(needed.set);
  json["origin"] = set.origin;
  return json;
}

Json advice_json(const Advice& advice) {
  return {{"id", advice.id},
          {"text", advice.text},
          {"source", advice.source},
          {"scenarios", advice.scenarios},
          {"vantages", json_words(advice.vantages)}};
}

}  // namespace

std::string show_json(const TargetSet& set) {
  Json json = {{"schema", "callready.set/1"}};
  json.update(head_json(set));
  json.update({{"sha256", set.sha256},
               {"document", set.document},
               {"url", set.url},
               {"scenarios", json_list(set.scenarios, scenario_json)},
               {"regions", json_list(set.regions, region_json)},
               {"variables", json_list(set.variables, variable_json)},
               {"capabilities", json_list(set.capabilities, capability_json)},
               {"requirements", json_list(set.requirements, requirement_json)},
               {"advice", json_list(set.advice, advice_json)}});
  return json_text(json);
}

std::string list_json(std::span<const ListedSet> sets) {
  auto json = Json::array();
  for (const auto& [set, requirements] : sets) {
    auto item = head_json(set);
    item["requirements"] = requirements;
    json.push_back(std::move(item));
  }
  return json_text(json);
}

}  // namespace callready
