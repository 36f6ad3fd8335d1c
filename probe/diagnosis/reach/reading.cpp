#include "probe/diagnosis/reach/reading.hpp"

#include <algorithm>
#include <array>

namespace callready::reach {
namespace {

// Of sorted values.
std::optional<double> lower_quartile(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return values[values.size() / 4];
}

// Of sorted round trips over UDP: what a host outside takes that is not especially near. A device
// on the way may answer two in their place (NTP); three that are near show that hosts are near, and
// that the others' times are distance, or this computer's own load.
std::optional<double> nearest_of_many(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return values[std::min<std::size_t>(2, values.size() / 4)];
}

// Requests over UDP are sent again after these times; on a slow line, that is before an answer can
// be there, and does not mean loss.
constexpr std::array sent_again_ms{250.0, 750.0, 1500.0};

}  // namespace

double milliseconds(WallTime at) {
  return std::chrono::duration<double, std::milli>(at.time_since_epoch()).count();
}

Line line_of(const Report& report) {
  Line line;
  line.start = milliseconds(report.started_at);
  std::vector<double> udp, tcp;
  std::optional<double> nearest, first_reply;  // over TCP, and over UDP
  for (const auto& result : report.probes) {
    const auto& [probe, seen] = result;
    if (findings::is_inside(result)) continue;
    const auto trip = seen.round_trip ? seen.round_trip->count() : 0.0;
    const bool spoke = seen.outcome == Outcome::answered || seen.outcome == Outcome::connected;
    if (spoke && seen.round_trip && probe.target.route.direct())
      keep_least(line.shortest, probe.target.host, trip);
    if (!findings::is_udp(result)) {
      if (trip > 0) tcp.push_back(trip);
      const bool outside =
          probe.target.route.direct() && seen.address && !seen.address->is_special();
      if (trip > 0 && outside && seen.outcome == Outcome::answered) {
        nearest = std::min(nearest.value_or(trip), trip);
      }
      continue;
    }
    if (trip > 0 && probe.check != CheckKind::dns) udp.push_back(trip);
    const auto reply = found_in(seen.timing_ms, Timing::reply);
    if (seen.outcome == Outcome::answered && reply > 0)
      first_reply = std::min(first_reply.value_or(reply), reply);
  }
  std::ranges::sort(udp);
  std::ranges::sort(tcp);
  // First packets may have waited for somebody to look up an address, or were sent again.
  line.by_tcp = lower_quartile(tcp).value_or(0);
  const auto by_udp = nearest_of_many(udp);
  line.usual = by_udp ? by_udp : nearest;
  line.longest = std::max({line.by_tcp, udp.empty() ? 0.0 : udp.back(), first_reply.value_or(0)});
  line.early = static_cast<int>(std::ranges::count_if(
      sent_again_ms, [&](double after) { return after < line.longest * 1.1; }));
  return line;
}

PacketFlow flow_of(const Probe& probe, const Observation& seen, std::uint16_t port) {
  PacketFlow flow;
  flow.udp = probe.target.transport == Transport::udp;
  flow.address = seen.address ? seen.address->to_string() : std::string();
  flow.host = probe.target.host.empty() ? flow.address : probe.target.host;
  flow.port = port;
  flow.cargo = findings::cargo_of(probe);
  if (flow.cargo != Cargo::tls) return flow;
  flow.name = parameter_of(probe, "server_name", flow.host);
  return flow;
}

std::optional<Milliseconds> time_of_answer(const Reading& reading, Seen word) {
  constexpr std::array no_answers{Seen::nothing, Seen::dropped, Seen::mute, Seen::one_way,
                                  Seen::sample};
  if (contains(no_answers, word)) return std::nullopt;
  Milliseconds took = reading.seen.round_trip.value_or(Milliseconds(0)), parts{0};
  for (const auto& [part, milliseconds] : reading.seen.timing_ms) {
    // The name was looked up before the first packet; curl counts each part from the start.
    if (part == Timing::dns && reading.probe.check != CheckKind::dns) continue;
    if (reading.probe.check == CheckKind::http) {
      took = std::max(took, Milliseconds(milliseconds));
    } else {
      parts += Milliseconds(milliseconds);
    }
  }
  return std::max(took, parts);
}

FlowEvent event_of(const Reading& reading, Seen seen) {
  FlowEvent event;
  event.probe = reading.probe.id;
  event.flow = flow_of(reading.probe, reading.seen, reading.probe.target.port());
  event.seen = seen;
  event.at = reading.at;
  event.took = time_of_answer(reading, seen);
  event.control = reading.probe.control();
  // A guess: nobody is known to listen there, and a refusal is as good as an answer.
  const auto purpose = reading.probe.purpose;
  event.expected = purpose != Purpose::neighbour && purpose != Purpose::other_sip_port;
  return event;
}

void sign(const Reading& reading, FlowEvents& events, Sign sign, std::string about) {
  if (about.empty()) about = reading.probe.target.host;
  events.signs.push_back({reading.probe.id, sign, std::move(about)});
}

}  // namespace callready::reach
