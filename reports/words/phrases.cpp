#include "reports/words/phrases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "probe/model/describe.hpp"
#include "probe/model/set_age.hpp"
#include "probe/util/text.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

std::string capability_title(const SetResult* set, const std::string& id) {
  const auto* capability = set == nullptr ? nullptr : find_by_id(set->capabilities, id);
  return capability == nullptr ? id : title_of(*capability);
}

// Details that say no more than the outcome does.
bool says_nothing_new(const Observation& seen) {
  using enum DetailCode;
  constexpr DetailCode known[] = {
      connected, connection_refused, left_site, no_such_name, prohibited, records, replied,
      success,   synchronised,       timed_out, trusted};
  return seen.detail.empty() || detail_has_words(seen) ||
         std::find(std::begin(known), std::end(known), seen.detail) != std::end(known);
}

std::string words_of(std::string detail) {
  std::replace(detail.begin(), detail.end(), '_', ' ');
  return detail;
}

// "the NAT ..." begins a sentence; "openrainbow.com:443 ..." is a name and stays as it is.
void begin_with_a_capital(std::string& text) {
  const auto end = text.find(' ');
  const auto first = std::string_view(text).substr(0, end);
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool word = end != std::string::npos && !first.empty() &&
                    std::all_of(first.begin(), first.end(), is_small);
  if (word) text[0] = static_cast<char>(text[0] - 'a' + 'A');
}

std::string name_of(const ToolInfo& tool) {
  return tool.version.empty() ? tool.name : tool.name + ' ' + tool.version;
}

}  // namespace

std::string as_sentence(std::string text) {
  begin_with_a_capital(text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (!text.empty() && text.find_last_of(".!?:") != text.size() - 1) text += '.';
  return text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string listed(const std::vector<std::string>& titles) {
  const bool commas = std::any_of(titles.begin(), titles.end(), [](const auto& title) {
    return title.find(',') != std::string::npos;
  });
  return joined(titles, commas ? "; " : ", ");
}

std::string verdict_word(Verdict verdict) {
  static constexpr Word<Verdict> table[] = {
      {Verdict::ready, marked("READY")},
      {Verdict::degraded, marked("DEGRADED")},
      {Verdict::blocked, marked("BLOCKED")},
      {Verdict::unknown, marked("NOT DECIDED")},
  };
  return say_word(table, verdict);
}

std::string status_word(Status status) {
  static constexpr Word<Status> table[] = {
      {Status::pass, marked("good")},          {Status::warn, marked("works, with problems")},
      {Status::fail, marked("does not work")}, {Status::unknown, marked("not decided")},
      {Status::skip, marked("not tested")},
  };
  return say_word(table, status);
}

std::string severity_word(Severity severity) {
  static constexpr Word<Severity> table[] = {
      {Severity::required, marked("required")},
      {Severity::recommended, marked("recommended")},
      {Severity::optional, marked("optional")},
  };
  return say_word(table, severity);
}

std::string confidence_word(Confidence confidence) {
  static constexpr Word<Confidence> table[] = {
      {Confidence::certain, marked("certain")},
      {Confidence::likely, marked("likely")},
      {Confidence::possible, marked("possible")},
  };
  return say_word(table, confidence);
}

std::string source_words(SourceQuality evidence, const std::string& note) {
  static constexpr Word<SourceQuality> table[] = {
      {SourceQuality::vendor_page, marked("the vendor's own page")},
      {SourceQuality::vendor_feed, marked("the vendor's own feed")},
      {SourceQuality::second_hand, marked("a second-hand list")},
      {SourceQuality::old_edition, marked("an old edition")},
  };
  const auto words = say_word(table, evidence);
  return note.empty() ? words : say("{}: {}", words, note);
}

bool has_no_source(const SetText& set) {
  return set.document.empty() && set.evidence == SourceQuality::vendor_page;
}

bool doubtful(SourceQuality evidence) {
  return evidence == SourceQuality::second_hand || evidence == SourceQuality::old_edition;
}

std::string source_doubt(const SetResult& set) {
  if (!doubtful(set.evidence)) return {};
  const auto source = set.evidence == SourceQuality::second_hand
                          ? say("a second-hand list, not the vendor's own")
                          : say("an old edition of the vendor's document");
  const auto text = say("The verdict on {} is based on {}", set_name(set), source);
  return set.evidence_note.empty() ? text : say("{}: {}", text, set.evidence_note);
}

std::string source_doubt_in_short(const SetResult& set) {
  if (!doubtful(set.evidence)) return {};
  return say("{} is based on {}: see callready show {}", set_name(set),
             source_words(set.evidence, ""), set.id);
}

std::string set_and_source(const SetResult& set) {
  auto text = set_name(set);
  if (!set.document.empty()) {
    text += set.published.empty()
                ? say(", from \"{}\" (undated)", set.document)
                : say(", from \"{}\" (published {})", set.document, published_words(set.published));
  }
  const bool cites = !set.document.empty();
  if (!set.verified.empty()) {
    text += cites ? say(", last checked against it on {}", set.verified)
                  : say(", last checked on {}", set.verified);
  }
  if (!has_no_source(set)) text += say(", from {}", source_words(set.evidence, ""));
  if (!set.sha256.empty()) text += say("; SHA-256 of the list: {}", set.sha256);
  return text;
}

std::string set_name(const SetResult& set) {
  const auto& title = title_of(set);
  return set.edition.empty() ? title : fmt::format("{} ({})", title, set.edition);
}

std::string source_of(const SetResult& set, const RequirementResult& row) {
  for (const auto& needed : set.leans_on) {
    if (needed.id == row.of_set) return say("{}: {}", needed.title, row.source);
  }
  return row.source;
}

std::string standing_in_words(const std::optional<Standing>& standing) {
  if (!standing) return {};
  if (standing->runs == 1) {
    return standing->began ? say("New in this run") : say("Seen for the first time");
  }
  const auto day = format_rfc3339(standing->since);
  return say("{} {} {} UTC; present in the last {} runs",
             standing->began ? say("First seen") : say("Seen since at least"), day.substr(0, 10),
             day.substr(11, 5), standing->runs);
}

std::string command_for_the_list(std::string_view sets, bool is_last) {
  const auto command = fmt::format("callready firewall{} --missing --from", sets);
  return is_last ? say("{} (or REPORT.json)", command + " last") : command + " REPORT.json";
}

bool is_in_the_list(const Finding& finding) { return finding.code != FindingCode::tls_intercepted; }

std::string team(Owner owner) {
  static constexpr Word<Owner> table[] = {
      {Owner::user, marked("you, on this computer")},
      {Owner::helpdesk, marked("your helpdesk")},
      {Owner::network, marked("your firewall team")},
      {Owner::proxy, marked("your proxy team")},
      {Owner::dns, marked("your DNS team")},
      {Owner::security, marked("your security team")},
      {Owner::vendor, marked("the vendor's support")},
      {Owner::lan, marked("your network team")},
      {Owner::provider, marked("your network team or Internet provider")},
      {Owner::vpn, marked("the team that runs your VPN")},
  };
  return say_word(table, owner);
}

std::string caution(const Finding& finding) {
  const bool only_seen = finding.code == FindingCode::network_unexplained;
  if (finding.confidence == Confidence::certain || only_seen) return {};
  return finding.confidence == Confidence::likely ? say("likely") : say("possible, not proven");
}

std::string endpoint(const Probe& probe) {
  const auto& target = probe.target;
  auto text = target.host.empty() ? say("this network") : authority(target.host, target.ports);
  if (!target.host.empty() && target.port() == 0) text.erase(text.rfind(':'));
  text += fmt::format("/{}", to_string(target.transport));
  if (!target.ports.single()) {
    text += say(", {} tried", say_plural(target.sample.size(), "{} port", "{} ports"));
  }
  if (probe.check == CheckKind::ipv6) text += say(" (IPv6 test)");
  if (!target.route.direct()) text += say(" through {}", target.route.proxy);
  return text;
}

std::string endpoint(const ProbeResult& result) {
  auto probe = result.probe;
  if (auto tried = ports_tried(probe.target, result.observation)) {
    tried->sample.insert(tried->sample.end(), tried->relays.begin(), tried->relays.end());
    probe.target.sample = std::move(tried->sample);
  }
  return endpoint(probe);
}

std::string endpoint(const RoutePair& pair) {
  auto probe = pair.proxied->probe;
  probe.target.route = {};
  return endpoint(probe);
}

std::string outcome_in_full(const ProbeResult& result) {
  const auto& seen = result.observation;
  auto text = outcome_in_words(seen).string();
  std::vector<std::string> aside;
  if (!says_nothing_new(seen)) aside.push_back(words_of(seen.detail.text()));
  if (seen.outcome == Outcome::silent && seen.attempts > 1) {
    text += say(" ({} tries)", seen.attempts);
  }
  if (seen.round_trip) {
    const auto time = duration_phrase(*seen.round_trip);
    if (reached(seen.outcome)) {
      text += say(" in {}", time);
    } else {
      aside.push_back(time);
    }
  }
  if (!aside.empty()) text += fmt::format(" ({})", joined(aside));
  if (seen.address && seen.address->to_string() != result.probe.target.host) {
    text += say(", at {}", seen.address->to_string());
  }
  if (result.probe.control()) text += say(", for comparison");
  // The last thing seen is what went wrong; all of it is in the JSON.
  if (!reached(seen.outcome) && !seen.evidence.empty()) {
    text = say("{}: {}", text, seen.evidence.back().text);
  }
  return text;
}

// The set's rows that the finding explains, but not the optional ones; empty: none.
std::string explained_rows(const Finding& finding, const SetResult& set) {
  constexpr std::size_t most = 3;
  std::vector<std::string> titles;
  for (const auto& row : set.requirements) {
    const bool hurts = row.severity != Severity::optional;
    if (hurts && contains(finding.explains, set.id + '/' + row.id)) add_once(titles, row.title);
  }
  if (titles.size() <= most) return listed(titles);
  const auto more = titles.size() - most;
  titles.resize(most);
  return say("{} and {} more", listed(titles), more);
}

// Rows that are met although probes of theirs, which the finding shows, did not get through.
std::vector<std::string> rows_met_all_the_same(const Finding& finding, const Report& report) {
  std::set<std::string_view> lost;
  for (const auto& result : report.probes) {
    const auto outcome = result.observation.outcome;
    if (reached(outcome) || outcome == Outcome::skipped) continue;
    const bool shown =
        std::ranges::count(finding.evidence, result.probe.id, &FindingEvidence::probe) > 0;
    if (shown) lost.insert(result.probe.id);
  }
  std::vector<std::string> titles;
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      const bool met = row.status == Status::pass || row.status == Status::warn;
      const auto its = [&](const std::string& id) { return lost.contains(id); };
      if (met && std::ranges::any_of(row.probes, its)) add_once(titles, title_of(row));
    }
  }
  return titles;
}

std::string affected_by(const Finding& finding, const Report& report) {
  if (finding.affects.empty()) {
    if (!finding.explains.empty()) return say("no capability");
    const auto met = rows_met_all_the_same(finding, report);
    return met.empty() ? say("no requirement that was tested")
                       : say("no requirement yet (met all the same: {})", listed(met));
  }
  std::vector<std::string> parts;
  for (const auto& affected : finding.affects) {
    const auto* set = find_by_id(report.sets, affected.set);
    std::vector<std::string> titles;
    for (const auto& id : affected.capabilities) titles.push_back(capability_title(set, id));
    // All capabilities work, but not as the vendor wants.
    const bool by_rows = titles.empty() && set != nullptr;
    const auto what = by_rows ? explained_rows(finding, *set) : listed(titles);
    const auto& name = set == nullptr ? affected.set : title_of(*set);
    auto part = what.empty() ? name : what;
    if (!what.empty() && report.sets.size() > 1) part = say("{}: {}", name, part);
    add_once(parts, part);
  }
  return joined(parts, ". ");
}

std::string seen_by_users(const Finding& finding, const Report& report) {
  std::vector<std::string> quotes;
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      if (row.error_texts.empty() || !contains(finding.explains, set.id + '/' + row.id)) continue;
      for (const auto& text : row.error_texts) add_once(quotes, '"' + text + '"');
    }
  }
  return joined(quotes);
}

bool affects_all(const Finding& finding, const Report& report) {
  std::size_t hurt = 0;
  for (const auto& set : report.sets) {
    for (const auto& capability : set.capabilities) {
      if (capability.verdict == Verdict::ready) continue;
      const bool here = std::any_of(
          finding.affects.begin(), finding.affects.end(), [&](const FindingAffects& affected) {
            const auto& ids = affected.capabilities;
            return affected.set == set.id && (ids.empty() || contains(ids, capability.id));
          });
      if (!here) return false;
      ++hurt;
    }
  }
  std::size_t named = 0;
  for (const auto& affected : finding.affects) named += affected.capabilities.size();
  // The verdicts do not name affected capabilities that work all the same.
  return hurt > 1 && named <= hurt;
}

ExplainedRows::ExplainedRows(const Report& report) {
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    for (const auto& row : report.findings[i].explains) numbers_.try_emplace(row, i + 1);
  }
}

std::size_t ExplainedRows::by(const SetResult& set, const RequirementResult& requirement) const {
  const auto found = numbers_.find(set.id + '/' + requirement.id);
  return found == numbers_.end() ? 0 : found->second;
}

std::vector<UnexplainedRow> unexplained(const Report& report) {
  const ExplainedRows explained(report);
  std::vector<UnexplainedRow> found;
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      if (row.status != Status::fail || explained.by(set, row) != 0) continue;
      const auto& title = title_of(row);
      found.push_back({set.id + '/' + row.id,
                       report.sets.size() > 1 ? say("{}: {}", title_of(set), title) : title,
                       row.severity == Severity::optional});
    }
  }
  return found;
}

std::vector<std::string> unexplained_titles(const Report& report) {
  std::vector<std::string> titles;
  for (auto& row : unexplained(report)) {
    if (!row.optional) titles.push_back(std::move(row.title));
  }
  return titles;
}

std::string cause(const Finding& finding, std::size_t most, bool count) {
  // Sentences that begin alike say the same about different hosts: prefer those that differ.
  const auto beginning = [](const std::string& sentence) {
    std::size_t at = 0;
    for (int word = 0; word < 3 && at != std::string::npos; ++word) {
      at = sentence.find(' ', at == 0 ? 0 : at + 1);
    }
    return sentence.substr(0, at);
  };
  std::vector<std::string> all;
  for (const auto& evidence : finding.evidence) all.push_back(as_sentence(evidence.text.string()));
  std::vector<std::string> sentences;
  std::set<std::string_view> known;
  std::set<std::string> beginnings;
  for (const bool alike : {false, true}) {
    for (const auto& sentence : all) {
      if (sentences.size() == most) break;
      if (alike ? known.contains(sentence) : beginnings.contains(beginning(sentence))) continue;
      sentences.push_back(sentence);
      known.insert(sentence);
      beginnings.insert(beginning(sentence));
    }
  }
  const auto told = std::count_if(all.begin(), all.end(),
                                  [&](const auto& sentence) { return known.contains(sentence); });
  if (const auto more = all.size() - static_cast<std::size_t>(told); count && more > 0) {
    sentences.push_back(say("({} more: --verbose)", more));
  }
  return joined(sentences, " ");
}

std::string summary_and_sample(const RequirementResult& requirement) {
  auto text = requirement.summary.string();
  if (text.empty()) text = status_word(requirement.status);
  if (!requirement.sampled.empty()) text += say(" (tried: {})", requirement.sampled);
  return text;
}

std::string resent_in_words(const Report& report) {
  std::size_t sent = 0, again = 0;
  for (const auto& [probe, seen] : report.probes) {
    // The test for an ALG shares the exchanges of `sip`, which are counted there. Where answers are
    // counted ("flows"), the attempts are separate requests.
    if (!reached(seen.outcome) || probe.check == CheckKind::sip_alg || probe.with.contains("flows"))
      continue;
    const bool udp = probe.target.transport == Transport::udp;
    double tries = 1;
    // Over TCP, the SYN.
    bool counted = !udp && probe.target.route.direct() && seen.timing_ms.contains(Timing::connect);
    if (udp) {
      counted = probe.check == CheckKind::stun || probe.check == CheckKind::ntp ||
                probe.check == CheckKind::sip;
      if (counted) tries = std::max(seen.attempts, 1);
    }
    for (const auto& evidence : seen.evidence) {
      const auto told = evidence.kind == EvidenceKind::retransmitted
                            ? number_fact(evidence, Fact::attempts)
                            : std::nullopt;
      if (!told) continue;
      counted = true;
      // A saved report may hold any number.
      tries = std::min(std::max(tries, *told), 1e6);
    }
    if (!counted && probe.check != CheckKind::turn) continue;
    sent += static_cast<std::size_t>(tries);
    again += static_cast<std::size_t>(tries) - 1;
  }
  if (again == 0) return {};
  return say("{} of {} packets had to be resent (lost or late).", again, sent);
}

std::optional<Milliseconds> round_trip_of(const Observation& seen) {
  using enum Outcome;
  const bool by_a_router =
      seen.outcome == passed || seen.outcome == silent || seen.outcome == rejected;
  return by_a_router ? std::nullopt : seen.round_trip;
}

std::vector<std::pair<Timing, double>> parts_of_time(const ProbeResult& result) {
  using enum Timing;
  const auto& timing = result.observation.timing_ms;
  std::vector<std::pair<Timing, double>> parts;
  double before = 0;
  for (const auto part : {dns, tunnel, connect, handshake, tls, reply}) {
    const auto found = timing.find(part);
    if (found == timing.end() || !std::isfinite(found->second) || found->second < 0) continue;
    // `http` has curl's times, each of which is measured from the start (set_up_ms).
    const bool from_start =
        result.probe.check == CheckKind::http && (part == connect || part == tls || part == reply);
    parts.emplace_back(part, std::max(found->second - (from_start ? before : 0), 0.0));
    if (from_start) before = std::max(before, found->second);
  }
  return parts;
}

EndpointCount count_endpoints(const Report& report) {
  struct Seen {
    bool of_service = false, by_service = false, by_control = false;
  };
  std::map<std::tuple<std::string_view, PortRange, bool>, Seen> endpoints;
  for (const auto& [probe, observation] : report.probes) {
    const auto& target = probe.target;
    // The host may be a name that DNS servers are asked to resolve.
    const bool name = probe.check == CheckKind::dns && !probe.with.contains("server");
    if (observation.outcome == Outcome::skipped || target.host.empty() || name) continue;
    auto& seen = endpoints[{target.host, target.ports, target.transport == Transport::udp}];
    const bool there = reached(observation.outcome);
    seen.of_service |= !probe.control();
    (probe.control() ? seen.by_control : seen.by_service) |= there;
  }
  EndpointCount count{endpoints.size(), 0};
  for (const auto& [endpoint, seen] : endpoints) {
    if (seen.of_service ? seen.by_service : seen.by_control) ++count.reached;
  }
  return count;
}

std::string duration_phrase(Milliseconds duration) {
  // As exact as a saved report has it, so that it says the same.
  const double ms = std::round(duration.count() * 1000) / 1000;
  if (!std::isfinite(ms)) return say("an unknown time");
  if (ms < 9.95) return fmt::format("{:.1f} ms", ms);
  if (ms < 999.5) return fmt::format("{:.0f} ms", ms);
  if (ms < 59'950) return fmt::format("{:.1f} s", ms / 1000);
  const double seconds = std::round(ms / 1000);
  const double minutes = std::floor(seconds / 60);
  return fmt::format("{:.0f} min {:.0f} s", minutes, seconds - minutes * 60);
}

std::string minute_of(WallTime time) {
  auto when = format_rfc3339(time).substr(0, 16);
  when[10] = ' ';
  return when + " UTC";
}

std::string when_and_where(const Report& report) {
  const auto& site = report.site;
  const auto when = minute_of(report.started_at);
  const auto& tool = report.tool;
  if (!site.name.empty() && !site.host.empty()) {
    return say("Measured at {} from {} on {} with {}.", site.name, site.host, when, name_of(tool));
  }
  if (!site.name.empty())
    return say("Measured at {} on {} with {}.", site.name, when, name_of(tool));
  if (!site.host.empty())
    return say("Measured from {} on {} with {}.", site.host, when, name_of(tool));
  return say("Measured on {} with {}.", when, name_of(tool));
}

}  // namespace callready
