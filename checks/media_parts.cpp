#include "checks/media_parts.hpp"

#include <algorithm>

namespace callready::checks {
namespace {

// The share of packets whose sending time must be known that well for the stream to be judged. It
// does not matter by itself how late packets leave: each carries the time when it did.
constexpr double enough_timed = 0.9;

}  // namespace

double in_ms(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

media::Reply reply_of(const media::stamp::ReflectorPacket& packet, double sent, double arrived,
                      media::stamp::Timestamp far_start) {
  media::Reply reply;
  reply.sequence = packet.sender_sequence;
  reply.counter = packet.sequence;
  reply.sent = sent;
  reply.received = in_ms(media::stamp::between(far_start, packet.received));
  reply.reflected = in_ms(media::stamp::between(far_start, packet.sent));
  reply.arrived = arrived;
  return reply;
}

MediaStream described(const StreamWish& wish, const std::vector<double>& late_ms,
                      const std::vector<double>& clock_error_ms) {
  MediaStream stream;
  stream.codec = wish.opus ? "opus" : "g711";
  stream.packet_bytes = static_cast<int>(wish.bytes);
  stream.interval_ms = in_ms(call_interval);
  stream.jitter_buffer_ms = wish.jitter_buffer_ms;
  stream.sender_late_ms = media::percentile(late_ms, 0.99);
  stream.clock_error_ms = media::percentile(clock_error_ms, 0.99);
  stream.fit = media::percentile(clock_error_ms, enough_timed) <= most_off_ms;
  return stream;
}

media::FigureOptions options_of(const StreamWish& wish) {
  media::FigureOptions options;
  options.opus = wish.opus;
  options.interval_ms = in_ms(call_interval);
  options.jitter_buffer_ms = wish.jitter_buffer_ms;
  return options;
}

void set_round_trips(MediaStream& stream, const std::vector<double>& trips) {
  if (trips.empty()) return;
  stream.round_trip_ms = media::percentile(trips, 0.5);
  stream.round_trip_least_ms = std::max(0.0, *std::ranges::min_element(trips));
}

FirstHop figures_of(const FirstHopSeen& seen) {
  FirstHop hop;
  hop.router = seen.router;
  hop.echo = seen.echo;
  hop.wireless = seen.wireless;
  hop.sent = seen.sent;
  hop.answered = static_cast<int>(seen.took_ms.size());
  hop.loss = media::share_of(hop.sent - hop.answered, hop.sent);
  hop.median_ms = media::percentile(seen.took_ms, 0.5);
  hop.jitter_ms = media::jitter_of(seen.took_ms);
  return hop;
}

void add_kept(Observation& observation, int kept, const Failure& why) {
  add_evidence(observation, EvidenceKind::error,
               plural(kept,
                      "this computer could not send {} packet of the stream, which is not "
                      "counted: {}",
                      "this computer could not send {} packets of the stream, which are not "
                      "counted: {}",
                      why.text),
               {{Fact::code, why.code}, {Fact::count, kept}});
}

std::optional<int> CodePoints::usual() const {
  const auto most =
      std::max_element(counts_.begin(), counts_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counts_.end()) return std::nullopt;
  return most->first;
}

}  // namespace callready::checks
