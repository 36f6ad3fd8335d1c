#include "reports/json/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "probe/util/text.hpp"
#include "reports/json/node.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

std::string text_or_empty(const Node& node, std::string_view key) {
  const auto member = node.optional(key);
  return member ? member->text() : std::string();
}

std::optional<std::string> optional_text(const Node& node, std::string_view key) {
  const auto member = node.optional(key);
  return member ? std::optional(member->text()) : std::nullopt;
}

std::vector<std::string> texts_of(const Node& node) {
  return node.list([](const Node& item) { return item.text(); });
}

std::vector<std::string> texts_or_none(const Node& node, std::string_view key) {
  const auto member = node.optional(key);
  return member ? texts_of(*member) : std::vector<std::string>();
}

template <typename Read>
auto list_or_none(const Node& node, std::string_view key, Read read) {
  const auto member = node.optional(key);
  return member ? member->list(read) : decltype(member->list(read))();
}

template <typename Enum>
Enum word_or(const Node& node, std::string_view key, Enum otherwise) {
  const auto member = node.optional(key);
  return member ? member->word<Enum>() : otherwise;
}

bool flag_or(const Node& node, std::string_view key, bool otherwise) {
  const auto member = node.optional(key);
  return member ? member->boolean() : otherwise;
}

std::vector<IpAddress> addresses_of(const Node& node) {
  return node.list([](const Node& item) { return item.address(); });
}

WallTime moment(const Node& node) {
  return node.parsed(parse_rfc3339, "a time like 2026-11-20T08:39:29.125Z");
}

std::uint16_t port(const Node& node) { return static_cast<std::uint16_t>(node.integer(0, 65535)); }

EgressPath read_way(const Node& node) {
  EgressPath way;
  way.interface = node.member("interface").text();
  if (const auto gateway = node.optional("gateway")) way.gateway = gateway->address();
  way.tunnel = node.member("tunnel").boolean();
  way.default_route = node.member("default_route").boolean();
  way.hosts = texts_of(node.member("hosts"));
  return way;
}

LinkInfo read_link(const Node& node) {
  LinkInfo link{node.member("name").text(), node.member("state").word<LinkState>(), {}};
  if (const auto wireless = node.optional("wireless")) link.wireless = wireless->boolean();
  return link;
}

GatewayInfo read_gateway(const Node& node) {
  GatewayInfo gateway{node.member("address").address(), node.member("interface").text(), {}};
  if (const auto answers = node.optional("answers")) gateway.answers = answers->boolean();
  return gateway;
}

BrowserPolicy read_policy(const Node& node) {
  return {node.member("browser").text(), node.member("name").text(), node.member("value").text(),
          node.member("place").text(), flag_or(node, "recommended", false)};
}

Site read_site(const Node& node) {
  Site site;
  site.name = text_or_empty(node, "name");
  site.host = text_or_empty(node, "host");
  site.interfaces = node.member("interfaces").list([](const Node& item) {
    InterfaceInfo interface;
    interface.name = item.member("name").text();
    interface.addresses = addresses_of(item.member("addresses"));
    interface.default_route = item.member("default_route").boolean();
    interface.tunnel = flag_or(item, "tunnel", false);
    return interface;
  });
  if (const auto links = node.optional("links")) site.links = links->list(read_link);
  site.gateways = list_or_none(node, "gateways", read_gateway);
  site.ways = list_or_none(node, "ways", read_way);
  site.resolvers = texts_of(node.member("resolvers"));
  site.proxy = optional_text(node, "proxy");
  site.proxy_sought = flag_or(node, "proxy_sought", false);
  site.public_addresses = addresses_of(node.member("public_addresses"));
  const auto nat = node.member("nat");
  site.nat_mapping = optional_text(nat, "mapping");
  site.nat_filtering = optional_text(nat, "filtering");
  site.nat_port_preservation = optional_text(nat, "port_preservation");
  site.nat_hairpin = optional_text(nat, "hairpin");
  site.nat_translations = optional_text(nat, "translations");
  site.nat_binding_lifetime = optional_text(nat, "binding_lifetime_s");
  if (const auto vantage = node.optional("vantage")) site.vantage = vantage->word<Vantage>();
  site.own_hosts = texts_or_none(node, "own_hosts");
  site.agents = list_or_none(node, "agents", [](const Node& item) {
    return AgentInfo{item.member("name").text(), item.member("seen").text()};
  });
  site.browser_policies = list_or_none(node, "browser_policies", read_policy);
  site.unread_policies = texts_or_none(node, "unread_policies");
  return site;
}

std::optional<Standing> read_standing(const Node& node) {
  const auto standing = node.optional("standing");
  if (!standing) return std::nullopt;
  return Standing{moment(standing->member("since")), standing->member("runs").integer(1, any_count),
                  standing->member("began").boolean()};
}

CapabilityResult read_capability(const Node& node) {
  CapabilityResult capability;
  capability.id = node.member("id").text();
  capability.title = node.member("title").text();
  capability.verdict = node.member("verdict").word<Verdict>();
  capability.summary = read_text(node, "summary");
  capability.requirements = texts_of(node.member("requirements"));
  capability.calls = flag_or(node, "calls", true);
  capability.fallback = flag_or(node, "fallback", false);
  capability.needs = list_or_none(node, "needs", [](const Node& item) {
    Need need{item.member("alternatives").list(texts_of), item.member("equal").boolean()};
    if (const auto preferred = item.optional("preferred")) {
      need.preferred = static_cast<std::size_t>(preferred->integer(1, any_count));
    }
    return need;
  });
  capability.standing = read_standing(node);
  return capability;
}

// Anything that is not a port stands in words for one that the customer knows.
void read_ports(const Node& node, std::vector<PortRange>& ports, std::vector<std::string>& yours) {
  for (const auto& text : texts_of(node)) {
    if (const auto range = PortRange::parse(text)) {
      ports.push_back(*range);
    } else {
      yours.push_back(text);
    }
  }
}

FirewallRule read_rule(const Node& node) {
  FirewallRule rule;
  rule.set = node.member("set").text();
  rule.requirements = texts_of(node.member("requirements"));
  rule.titles = texts_of(node.member("titles"));
  rule.sources = texts_of(node.member("sources"));
  rule.severity = node.member("severity").word<Severity>();
  rule.direction = node.member("direction").word<Direction>();
  const auto& protocol = node.member("protocol").text();
  if (protocol == "UDP") {
    rule.transport = Transport::udp;
  } else if (protocol == "TCP" || protocol == "TCP (TLS)") {
    rule.transport = protocol == "TCP" ? Transport::tcp : Transport::tls;
  } else if (protocol != "any") {
    rule.your_transport = protocol;
  }
  std::vector<std::string> none;
  read_ports(node.member("source_ports"), rule.source_ports, none);
  read_ports(node.member("ports"), rule.ports, rule.your_ports);
  const bool inbound = rule.direction == Direction::in;
  rule.peers =
      node.member(inbound ? "sources_of_traffic" : "destinations").list([](const Node& item) {
        return RulePeer{item.member("text").text(), item.member("kind").word<PeerKind>(),
                        text_or_empty(item, "region"), text_or_empty(item, "note"),
                        word_or(item, "lifecycle", Lifecycle::current)};
      });
  rule.allow_by = node.member("allow_by").word<AllowBy>();
  rule.proxy = node.member("proxy").word<ProxyUse>();
  rule.lifecycle = word_or(node, "lifecycle", Lifecycle::current);
  rule.evidence = word_or(node, "evidence", SourceQuality::vendor_page);
  rule.vantages =
      list_or_none(node, "vantages", [](const Node& item) { return item.word<Vantage>(); });
  rule.clients = texts_or_none(node, "clients");
  rule.purposes = texts_or_none(node, "purposes");
  rule.fallback_for = texts_or_none(node, "fallback_for");
  rule.conditions = texts_or_none(node, "conditions");
  rule.remarks = texts_or_none(node, "remarks");
  rule.notes = texts_or_none(node, "notes");
  return rule;
}

MissedFigure read_missed(const Node& node) {
  MissedFigure missed;
  missed.figure = node.member("figure").word<QualityFigure>();
  missed.way = node.member("way").word<MediaWay>();
  missed.measured = node.member("measured").number();
  missed.bound = node.member("bound").number();
  missed.wanted = node.member("wanted").number();
  missed.probe = node.member("probe").text();
  missed.usual = flag_or(node, "usual", false);
  return missed;
}

// What an edition knows of its own. A word of a later one is left out: nothing, and `key` is
// listed.
template <typename Read>
auto known_word(const Node& node, std::string_view key, Read read) {
  auto value = read(node.member(key).text());
  if (!value) node.leave_out(key);
  return value;
}

RequirementResult read_requirement(const Node& node) {
  RequirementResult requirement;
  requirement.id = node.member("id").text();
  requirement.title = node.member("title").text();
  requirement.source = node.member("source").text();
  requirement.severity = node.member("severity").word<Severity>();
  requirement.status = node.member("status").word<Status>();
  requirement.summary = read_text(node, "summary");
  // Reports before 2026-11-25 only have the words for it.
  const auto left_out = node.optional("left_out");
  requirement.left_out =
      left_out ? left_out->boolean() : requirement.summary.find("left out") != std::string::npos;
  if (node.optional("sampled")) requirement.sampled = read_text(node, "sampled");
  requirement.reached = node.member("reached").integer(0, any_count);
  requirement.total = node.member("total").integer(0, any_count);
  requirement.probes = texts_of(node.member("probes"));
  requirement.elsewhere = flag_or(node, "elsewhere", false);
  requirement.poor = flag_or(node, "poor", false);
  requirement.missed = list_or_none(node, "missed", read_missed);
  if (node.optional("closed_by")) {
    requirement.closed_by =
        known_word(node, "closed_by", parse<FindingCode>).value_or(FindingCode::other);
  }
  requirement.impaired = flag_or(node, "impaired", false);
  requirement.lost = flag_or(node, "lost", false);
  requirement.error_texts = texts_or_none(node, "error_texts");
  requirement.of_set = text_or_empty(node, "of_set");
  requirement.rules = list_or_none(node, "rules", read_rule);
  return requirement;
}

SetHead read_needed(const Node& node) {
  SetHead needed;
  needed.id = node.member("id").text();
  needed.title = node.member("title").text();
  needed.published = text_or_empty(node, "published");
  needed.verified = text_or_empty(node, "verified");
  needed.evidence = node.member("evidence").word<SourceQuality>();
  needed.evidence_note = text_or_empty(node, "evidence_note");
  needed.sha256 = text_or_empty(node, "sha256");
  return needed;
}

SetResult read_set(const Node& node) {
  SetResult set;
  set.id = node.member("id").text();
  set.title = node.member("title").text();
  set.edition = text_or_empty(node, "edition");
  set.published = text_or_empty(node, "published");
  set.verified = text_or_empty(node, "verified");
  set.document = text_or_empty(node, "document");
  set.evidence = word_or(node, "evidence", SourceQuality::vendor_page);
  set.evidence_note = text_or_empty(node, "evidence_note");
  set.sha256 = text_or_empty(node, "sha256");
  set.verdict = node.member("verdict").word<Verdict>();
  set.notes = read_texts(node, "notes");
  set.capabilities = node.member("capabilities").list(read_capability);
  set.requirements = node.member("requirements").list(read_requirement);
  set.advice = list_or_none(node, "advice", [](const Node& item) {
    return SetAdvice{item.member("id").text(), item.member("text").text(),
                     text_or_empty(item, "source")};
  });
  set.leans_on = list_or_none(node, "needs_sets", read_needed);
  set.standing = read_standing(node);
  return set;
}

Finding read_finding(const Node& node) {
  Finding finding;
  finding.code = known_word(node, "code", parse<FindingCode>).value_or(FindingCode::other);
  finding.title = read_text(node, "title");
  finding.confidence = node.member("confidence").word<Confidence>();
  finding.owner = node.member("owner").word<Owner>();
  finding.fix = read_text(node, "fix");
  finding.affects = node.member("affects").list([](const Node& item) {
    return FindingAffects{item.member("set").text(), texts_of(item.member("capabilities"))};
  });
  finding.explains = texts_of(node.member("explains"));
  finding.rules = list_or_none(node, "rules", read_rule);
  finding.evidence = node.member("evidence").list([](const Node& item) {
    return FindingEvidence{text_or_empty(item, "probe"), read_text(item, "text")};
  });
  if (const auto other = node.optional("could_also_be"))
    finding.runner_up = RunnerUp{read_text(*other, "cause"), read_text(*other, "tells")};
  finding.seen_from = texts_or_none(node, "seen_from");
  finding.standing = read_standing(node);
  return finding;
}

std::optional<Evidence> read_evidence(const Node& node) {
  Evidence evidence;
  evidence.text = read_text(node, "text");
  node.members([&](const std::string& name, const Node& value) {
    if (name == "kind" || name == "text" || name == "words") return;
    // A list or an object beside the facts is something that a later edition added.
    const auto fact = parse<Fact>(name);
    if (value.composite() || !fact) return node.leave_out(name);
    evidence.facts.emplace(*fact, value.fact());
  });
  const auto kind = known_word(node, "kind", parse<EvidenceKind>);
  if (!kind) return std::nullopt;
  evidence.kind = *kind;
  return evidence;
}

template <typename T>
std::vector<T> without_unknown(std::vector<std::optional<T>> read) {
  std::vector<T> known;
  for (auto& value : read) {
    if (value) known.push_back(std::move(*value));
  }
  return known;
}

PortRange read_ports(const Node& target) {
  if (const auto range = target.optional("ports")) {
    return range->parsed(PortRange::parse, "a port range like 10000-20000");
  }
  const auto single = target.optional("port");
  const auto only = single ? port(*single) : std::uint16_t{0};
  return {only, only};
}

std::optional<ProbeResult> read_probe(const Node& node) {
  ProbeResult result;
  auto& [probe, seen] = result;
  probe.id = node.member("id").text();
  const auto check = known_word(node, "check", parse<CheckKind>);
  const auto target = node.member("target");
  probe.target.host = target.member("host").text();
  if (const auto tried = target.optional("address")) seen.address = tried->address();
  probe.target.ports = read_ports(target);
  if (const auto sample = target.optional("sample")) probe.target.sample = sample->list(port);
  probe.target.transport = target.member("transport").word<Transport>();
  const auto& route = target.member("route").text();
  if (route != "direct") probe.target.route.proxy = route;
  if (const auto with = node.optional("with")) {
    with->members([&](const std::string& name, const Node& value) {
      probe.with.emplace(name, value.text());
    });
  }
  probe.region = text_or_empty(node, "region");
  const bool told = node.optional("purpose").has_value();
  if (node.member("control").boolean()) {
    probe.purpose = told ? known_word(node, "purpose", parse<Purpose>).value_or(Purpose::control)
                         : likely_purpose(probe);
  }
  probe.vantage = text_or_empty(node, "vantage");
  if (const auto local = node.optional("local")) {
    seen.local = SocketAddress{local->member("address").address(), port(local->member("port"))};
  }
  if (const auto sent = node.optional("sent_at")) seen.sent_at = moment(*sent);
  seen.outcome = node.member("outcome").word<Outcome>();
  seen.detail = known_word(node, "detail", Detail::parse).value_or(Detail());
  if (const auto trip = node.optional("round_trip_ms")) {
    seen.round_trip = Milliseconds(trip->number());
  }
  const auto timings = node.member("timing_ms");
  timings.members([&](const std::string& name, const Node& value) {
    const auto part = parse<Timing>(name);
    if (!part) return timings.leave_out(name);
    seen.timing_ms.emplace(*part, value.number());
  });
  seen.attempts = node.member("attempts").integer(0, any_count);
  if (const auto media = node.optional("media")) {
    seen.media = read_media(*media);
  }
  seen.evidence = without_unknown(node.member("evidence").list(read_evidence));
  if (!check) return std::nullopt;
  probe.check = *check;
  return result;
}

void check_schema(const Node& root) {
  root.check_object();
  const auto schema = root.optional("schema");
  if (!schema) throw Unreadable{"this is not a callready report: it has no \"schema\""};
  const auto& name = schema->text();
  if (name == Report::schema) return;
  if (name.starts_with("callready.report/")) {
    throw Unreadable{
        fmt::format("this report is in the format {}, and this callready reads {} only: a newer "
                    "callready made it, so read it with that one, or a newer one still",
                    name.substr(0, 60), Report::schema)};
  }
  throw Unreadable{fmt::format("this is not a callready report: its schema is \"{}\", expected {}",
                               name.substr(0, 60), Report::schema)};
}

// What a report and one that became a part of another have in common.
void read_head(const Node& node, auto& report) {
  const auto tool = node.member("tool");
  report.tool.name = tool.member("name").text();
  report.tool.version = tool.member("version").text();
  report.started_at = moment(node.member("started_at"));
  report.finished_at = moment(node.member("finished_at"));
  report.duration = Milliseconds(node.member("duration_ms").number());
  report.complete = node.member("complete").boolean();
  report.site = read_site(node.member("site"));
  report.sets = node.member("sets").list(read_set);
  report.findings = node.member("findings").list(read_finding);
  report.notes = read_texts(node, "notes");
}

VantageReport read_vantage(const Node& node) {
  VantageReport vantage;
  vantage.name = node.member("name").text();
  read_head(node, vantage);
  return vantage;
}

Report read_document(const Node& root) {
  check_schema(root);
  Report report;
  read_head(root, report);
  if (const auto loop_stall = root.optional("held_up_ms")) {
    report.loop_stall = Milliseconds(loop_stall->number());
  }
  if (const auto wait = root.optional("longest_wait")) {
    // A later version's kind of check is no reason to refuse the report.
    const auto check = known_word(*wait, "check", parse<CheckKind>);
    const Milliseconds took(wait->member("ms").number());
    const bool answered = wait->member("answered").boolean();
    if (check) report.longest_wait = LongestWait{took, *check, answered};
  }
  report.probes = without_unknown(root.member("probes").list(read_probe));
  report.vantages = list_or_none(root, "vantages", read_vantage);
  report.redacted = text_or_empty(root, "redacted");
  root.optional("unexplained");  // known, and always worked out anew
  return report;
}

// Where brackets are nested deeper than any report's, or its values are more than the largest has:
// checked before parsing, which takes up to a hundred bytes for each.
std::optional<std::size_t> too_much_at(std::string_view text) {
  constexpr std::size_t most_values = 1'500'000;
  int depth = 0;
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest_report) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && ++values > most_values) {
      return i;
    }
  }
  return std::nullopt;
}

// What nlohmann says after "... while parsing value - ", without the text that it last read.
std::string syntax_message(std::string_view what) {
  const auto reason = what.find(" - ");
  std::string message(what.substr(reason == std::string_view::npos ? 0 : reason + 3));
  const auto read = message.find("; last read: ");
  if (read == std::string::npos) return message;
  const auto expected = message.rfind("; expected ");
  const auto end = expected == std::string::npos || expected < read ? message.size() : expected;
  return message.erase(read, end - read);
}

}  // namespace

ReadResult read_report(std::string_view text, std::string_view name) {
  const auto refuse = [&](std::string_view separator, std::string_view why) {
    return ReadResult{std::nullopt, harmless(fmt::format("{}{}{}", name, separator, why)), {}};
  };
  if (text.size() > largest_report) {
    return refuse(": ", fmt::format("{} bytes are more than a report may have ({} MiB)",
                                    text.size(), largest_report / (1024 * 1024)));
  }
  if (const auto byte = too_much_at(text)) {
    return refuse(
        ":", fmt::format("{}: nested more than {} deep, or too many values: this is not a report",
                         place_in_text(text, *byte), deepest_report));
  }
  try {
    const auto json = ReadJson::parse(text);
    Asked asked;
    ReadResult result{read_document(Node(json, asked)), {}, {}};
    for (const auto& way : asked.unknown(json)) result.unknown.push_back(harmless(way));
    return result;
  } catch (const ReadJson::parse_error& error) {
    // `byte` is 1-based and counts the character at which the parser gave up.
    const auto byte = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    return refuse(":", place_in_text(text, byte) + ": " + syntax_message(error.what()));
  } catch (const ReadJson::out_of_range&) {
    return refuse(": ", "a number in it is larger than any that a report can hold");
  } catch (const Unreadable& error) {
    return refuse(": ", error.why);
  }
}

}  // namespace callready
