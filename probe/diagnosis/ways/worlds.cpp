// A device that takes connections, and greetings of TLS that are cut off.
#include <algorithm>

#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready::findings {

// Connections that are established too soon, and stay silent: a device that carries connections on
// is as near, and servers that ignore strangers are as silent. So it is certain only if a packet
// that was to end on the way was answered.
Causes find_taken_connections(const Diagnosis& context) {
  auto cause = cause_by_worlds(context, reach::connections_taken,
                               [](const ProbeResult& result) {  // that stood, and died
                                 return !is_udp(result) && result.observation.round_trip;
                               });
  if (!cause) return {};
  if (!context.any_probe(is_taken_near)) cause->confidence = std::max(cause->confidence, likely);
  cause->title = phrase("A device in the path answers TCP to {} itself and passes nothing on",
                        named_ports(ports_of(cause->explained)));
  cause->fix = phrase(
      "Exempt this traffic from the firewall's transparent proxy or inspection, and allow it (and "
      "return traffic) {}: {}.{}",
      from_users(context), asked_flows(context, *cause),
      where_the_list_is(context, cause->explained));
  for (const auto& result : context.report.probes) {
    const auto* hop = is_taken_near(result) ? evidence_of(result, EvidenceKind::hop) : nullptr;
    if (hop == nullptr || cause->evidence.size() == 2) continue;
    cause->tell(hop->text + ".", &result);
  }
  cause->show(cause->explained, 6);
  return {*cause};
}

// TLS greetings that are cut off or get no answer, by a firewall's category filter, or by the
// servers themselves.
Causes find_tls_filter(const Diagnosis& context) {
  const auto is_greeting = [&](const ProbeResult& result) {
    return result.probe.target.transport == Transport::tls && context.goes_outside(result);
  };
  auto cause =
      cause_by_worlds(context, FindingCode::firewall_tls_filtered, [&](const ProbeResult& result) {
        // What fails later did get a certificate.
        return is_greeting(result) && chain_of(result).empty();
      });
  if (!cause) return {};
  const auto hosts = hosts_of(cause->explained);
  const auto ports = ports_of(cause->explained);
  const auto names = listed(hosts);
  cause->show(cause->explained, 1);
  // Of the same ports: greetings that were answered, and what else the servers answer.
  bool tls_works = false;
  for (const auto& result : context.report.probes) {
    const auto& [probe, seen] = result;
    const auto& target = probe.target;
    if (!contains(ports, target.port()) || !is_direct(result) || is_udp(result)) continue;
    // A certificate answers the greeting, whatever is wrong with it.
    const bool tls = is_greeting(result);
    if (seen.outcome != Outcome::answered && (!tls || chain_of(result).empty())) continue;
    tls_works |= tls;
    const bool other_name = probe.purpose == Purpose::other_server_name;
    if (!contains(hosts, target.host) || (tls && !other_name)) continue;
    const auto name = probe.with.find("server_name");  // a report from elsewhere may lack it
    if (!other_name || name == probe.with.end()) {
      cause->tell(what_it_saw(result));
      continue;
    }
    cause->tell(phrase("With another name in the TLS greeting ({}), {} answers: the block matches "
                       "on its name.",
                       name->second, target.host),
                &result);
  }
  const bool alone = cause->confidence == possible;
  cause->title =
      alone       ? phrase("TLS connections to {} are cut off, in transit or by the server", names)
      : tls_works ? phrase("TLS connections to {} are cut off in transit", names)
                  : phrase("TLS connections on {} are cut off in transit", named_ports(ports));
  cause->fix = phrase(
      "Exempt these destinations from blocking and inspection, on the firewall or web filter that "
      "inspects TLS: {}.{}{}",
      flows_in_words(context, cause->explained),
      alone ? phrase(" If the result is the same from another line, ask the servers' operator.")
            : "",
      where_the_list_is(context, cause->explained));
  cause->tell(
      phrase("TCP to {} connects, but then the TLS greeting is cut off or not answered: {}.",
             named_ports(ports), names));
  return {*cause};
}

}  // namespace callready::findings
