// Families of causes that worlds decide (reach/): each is a row of the table of rules, with words
// of its own. What an earlier rule has explained stays explained by that.
#include <algorithm>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/reach/diagnose.hpp"

namespace callready::findings {

const reach::Diagnosis& Diagnosis::worlds() const {
  if (!worlds_) {
    std::vector<const Finding*> contents;
    for (const auto& finding : contents_) contents.push_back(&finding);
    worlds_ = std::make_shared<const reach::Diagnosis>(
        reach::find_worlds(facts.report, {}, std::move(contents)));
  }
  return *worlds_;
}

namespace {

// The worlds' cause of that family, without words; nothing where there is none, nobody misses what
// it closes, or it is one of several that are as good and nothing is lost by it. `may_fail_by_it`:
// probes that it is known to be behind; where none is, worlds need not be drawn.
template <typename Wanted>
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     Wanted may_fail_by_it) {
  const auto& facts = context.facts;
  const auto open = [&](const ProbeResult& result) {
    return failing(result) && may_fail_by_it(result) && !context.explained(result);
  };
  const auto& probes = facts.report.probes;
  if (std::none_of(probes.begin(), probes.end(), open)) return std::nullopt;
  const auto& causes = context.worlds().explained.causes;
  const auto said = std::find_if(causes.begin(), causes.end(),
                                 [&](const reach::Cause& one) { return one.code == family; });
  if (said == causes.end() || !said->is_said()) return std::nullopt;
  Cause cause;
  for (const auto& id : said->lost) {
    const auto* result = facts.find(id);
    const auto& known = cause.explained;
    const bool fresh = std::find(known.begin(), known.end(), result) == known.end();
    if (result != nullptr && fresh && open(*result)) cause.explained.push_back(result);
  }
  auto& finding = cause.finding;
  finding.code = reach::words_of(family).finding;
  finding.owner = said->owner;
  finding.confidence = reach::confidence_of(said->sure);
  const bool weak = finding.confidence == Confidence::possible;
  if (!context.affects_requirement(cause.explained)) return std::nullopt;
  if (weak && !context.breaks_capability(cause.explained)) return std::nullopt;
  return cause;
}

std::vector<std::uint16_t> ports_of(const std::vector<const ProbeResult*>& probes) {
  std::set<std::uint16_t> ports;
  for (const auto* result : probes) ports.insert(result->probe.target.port());
  return {ports.begin(), ports.end()};
}

}  // namespace

// Only where a packet that was to end on the way was answered: a device that carries connections on
// is as near, and servers that answer no strangers are as mute.
Causes find_taken_connections(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto& probes = facts.report.probes;
  if (std::none_of(probes.begin(), probes.end(), is_taken_near)) return {};
  auto cause = cause_by_worlds(context, reach::Code::connections_taken,
                               [](const ProbeResult& result) {  // that stood, and died
                                 return !is_udp(result) && result.observation.round_trip;
                               });
  if (!cause) return {};
  auto& finding = cause->finding;
  finding.title = phrase("A device in the path answers TCP to {} itself and passes nothing on",
                         named_ports(ports_of(cause->explained)));
  finding.fix = phrase(
      "Exempt this traffic from the firewall's transparent proxy or inspection, and allow {}, with "
      "return traffic: {}.{}",
      from_users(facts), asked_flows(facts, *cause), where_the_list_is(facts, cause->explained));
  for (const auto& result : probes) {
    const auto* hop = is_taken_near(result) ? evidence_of(result, EvidenceKind::hop) : nullptr;
    if (hop == nullptr || finding.evidence.size() == 2) continue;
    finding.evidence.push_back({result.probe.id, hop->text + "."});
  }
  add_what_they_saw(finding.evidence, cause->explained, 6);
  return {*cause};
}

// TLS greetings that are cut off or get no answer, by a firewall's category filter, or by the
// servers themselves.
Causes find_tls_filter(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto is_greeting = [&](const ProbeResult& result) {
    return is_direct(result) && result.probe.target.transport == Transport::tls &&
           !facts.inside(result);
  };
  auto cause = cause_by_worlds(context, reach::Code::tls_filtered, [&](const ProbeResult& result) {
    return is_greeting(result) && chain_of(result).empty();  // what came later had a certificate
  });
  if (!cause) return {};
  auto& finding = cause->finding;
  const auto hosts = hosts_of(cause->explained);
  const auto ports = ports_of(cause->explained);
  const auto names = listed(hosts);
  // Of the same ports: greetings that were answered, and what else the servers answer.
  bool tls_works = false;
  std::vector<const ProbeResult*> contrast;
  for (const auto& result : facts.report.probes) {
    const auto& target = result.probe.target;
    const bool same_port = std::find(ports.begin(), ports.end(), target.port()) != ports.end();
    if (!same_port || !is_direct(result) || is_udp(result)) continue;
    // A certificate answers the greeting, whatever is wrong with it.
    const bool tls = is_greeting(result);
    const bool came =
        result.observation.outcome == Outcome::answered || (tls && !chain_of(result).empty());
    if (!came) continue;
    tls_works |= tls;
    const bool same_host = std::find(hosts.begin(), hosts.end(), target.host) != hosts.end();
    if (same_host && (!tls || result.probe.purpose == Purpose::other_server_name))
      contrast.push_back(&result);
  }
  const bool alone = finding.confidence == Confidence::possible;
  finding.title =
      alone       ? phrase("TLS connections to {} are cut off, in transit or by the server", names)
      : tls_works ? phrase("TLS connections to {} are cut off in transit", names)
                  : phrase("TLS connections on {} are cut off in transit", named_ports(ports));
  finding.fix = phrase(
      "Exempt these destinations from blocking and inspection, on the firewall or web filter that "
      "inspects TLS: {}.{}{}",
      flows_in_words(facts, cause->explained),
      alone ? phrase(" If the result is the same from another line, ask the servers' operator.")
            : "",
      where_the_list_is(facts, cause->explained));
  add_what_they_saw(finding.evidence, cause->explained, 1);
  for (const auto* result : contrast) {
    const auto& probe = result->probe;
    const auto name = probe.with.find("server_name");  // a report from elsewhere may lack it
    const bool other_name = probe.purpose == Purpose::other_server_name && name != probe.with.end();
    if (!other_name) {
      finding.evidence.push_back(what_it_saw(*result));
      continue;
    }
    finding.evidence.push_back(
        {probe.id, phrase("With another name in the TLS greeting ({}), {} answers: the block "
                          "matches on its name.",
                          name->second, probe.target.host)});
  }
  finding.evidence.push_back(
      {"", phrase("TCP to {} connects, but then the TLS greeting is cut off or not answered: {}.",
                  named_ports(ports), names)});
  return {*cause};
}

}  // namespace callready::findings
