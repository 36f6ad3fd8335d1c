// media: a call-like stream against a STAMP reflector (RFC 8762, RFC 8972).
//
// First sends one packet four times a second until one comes back (`silent`, `refused` and
// `rejected` as for any request), then a packet every 20 ms, as large as those of a call with G.711
// (172 bytes of UDP payload; with Opus 112) and marked EF (RFC 4594 section 4.1): for 15 s, in a
// thorough run 60 s, and half a second more that is not measured, but shows what became of the last
// ones. With a key every packet is authenticated. Sequence number 1 is never sent: a reflector that
// counts what it receives (section 4.3, "stateful") falls behind by one there, and so shows in
// which direction each packet was lost; one that does not is recognised by that, and then only the
// loss of the round trip is known.
// Where nothing comes back, a second session begins without the mark: `failed` with "marked_silent"
// if that one is answered.
// Outcomes: `skipped` with "no_key" if the reflector needs one and there is none;
// `answered` with "streamed", or with "unfit" if this computer could not tell when its packets
// left: then its own lateness is in delay and jitter, which are not judged; losses are still the
// network's. What was seen is in `media` of the observation. What comes later than half a second
// after the last packet counts as lost. What this computer's firewall or buffers kept is left out
// of all figures: evidence "error" says how much that was; a stream that loses its route is not
// measured: `skipped` with "route_lost". A stream that goes silent until its end is followed by a
// new session, and if the row has `counts` and `public_key_sha256`, the far end is asked over TLS
// what it received, to know in which direction the rest was lost. `skipped` with "far_end_busy" if
// it says that it had no room. With `turn` the far end is two relays of that server
// (media_relays.hpp). With the run's --calls N that many simultaneous calls follow, in steps
// (media_calls.hpp).
#include <algorithm>

#include "checks/dial.hpp"
#include "checks/far_counts.hpp"
#include "checks/kinds.hpp"
#include "checks/media_calls.hpp"
#include "checks/media_parts.hpp"
#include "checks/media_relays.hpp"
#include "probe/media/outage.hpp"
#include "probe/media/stamp.hpp"
#include "probe/media/stream_figures.hpp"
#include "probe/net/own_state.hpp"
#include "probe/net/together.hpp"
#include "probe/net/udp.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

using namespace media;

// A number from the row's parameters; nothing if it is not a number within the bounds.
std::optional<int> number(const Job& job, const std::string& name, int fallback, int low,
                          int high) {
  const auto value = whole_number<std::uint16_t>(job.parameter(name, std::to_string(fallback)));
  return value && *value >= low && *value <= high ? std::optional<int>(*value) : std::nullopt;
}

std::optional<StreamWish> wish_of(const Context& context, const Job& job) {
  StreamWish wish;
  const auto codec = job.parameter("codec", "g711");
  wish.opus = codec == "opus";
  if (!wish.opus && codec != "g711") return std::nullopt;
  if (wish.opus) wish.bytes = 112;
  const auto seconds = number(job, "seconds", context.settings.thorough ? 60 : 15, 1, 60);
  const auto buffer = number(job, "jitter_buffer_ms", 40, 0, 1'000);
  if (!seconds || !buffer) return std::nullopt;
  wish.packets = *seconds * packets_per_second;
  wish.jitter_buffer_ms = *buffer;
  if (job.parameter("authenticated") == "true") {
    const auto& key = context.settings.credentials.media_key;
    wish.key.assign(key.begin(), key.end());
  }
  return wish;
}

class CallStream {
 public:
  // `dscp`: the code point that the socket's packets bear.
  CallStream(Context& context, UdpSocket& socket, const StreamWish& wish,
             std::uint8_t dscp = expedited)
      : context_(context),
        socket_(socket),
        wish_(wish),
        dscp_(dscp),
        begin_(context.scope.clock.now()) {}

  // Sends until the first reply, or for that long; returns the failure if none comes.
  asio::awaitable<std::optional<Failure>> begin(milliseconds wait = timeouts::udp_reply) {
    const auto give_up = begin_ + wait;
    for (auto due = begin_; due < give_up; due += timeouts::media_lead) {
      const auto sent = send(due);
      if (sent) co_return *sent;
      const auto failure = co_await listen(due + timeouts::media_lead, true);
      if (failure && failure->kind != FailureKind::timed_out) co_return failure;
      if (!replies_.empty()) co_return std::nullopt;
    }
    co_return timed_out();
  }

  // Shortens the stream to the time that is left of the run.
  void fit_into(Instant deadline) {
    const auto left = deadline - context_.scope.clock.now() - 3 * timeouts::media_tail;
    const auto packets = static_cast<int>(left / call_interval);
    wish_.packets = std::clamp(packets, 1, wish_.packets);
  }

  // The stream itself, and the packets that show how it ended.
  asio::awaitable<std::optional<Failure>> run() {
    skip_one();
    asked_ = {next_, wish_.packets, never_sent};
    constexpr int after = timeouts::media_tail / call_interval;
    auto due = context_.scope.clock.now() + call_interval;
    for (int i = 0; i < wish_.packets + after; ++i, due += call_interval) {
      auto failure = co_await listen(due, false);
      if (failure && failure->kind != FailureKind::timed_out) co_return failure;
      failure = send(due);
      if (!failure) continue;
      // A lost route ends the call, too: what remains of it would look flawless.
      const bool passing =
          failure->kind == FailureKind::kept_here || failure->kind == FailureKind::out_of_resources;
      if (!passing) co_return failure;
      ++kept_;
      why_kept_ = std::move(failure);
    }
    asked_.count = std::min(wish_.packets, static_cast<int>(next_ - asked_.first));
    if (asked_.count == 0) co_return why_kept_;
    last_ = next_ - 1;
    const auto failure = co_await listen(due + timeouts::media_tail, false);
    if (failure && failure->kind != FailureKind::timed_out) co_return failure;
    co_return std::nullopt;
  }

  bool fell_silent() const {
    return ends_in_silence(asked_, last_, replies_, in_ms(call_interval));
  }
  // A queue may merely be longer than the wait. False: something came after all, or may have.
  asio::awaitable<bool> stays_silent() {
    const auto known = replies_.size();
    const auto until = context_.scope.clock.now() + timeouts::media_tail;
    const auto failure = co_await listen(until, false);
    const bool silent = failure->kind == FailureKind::timed_out && replies_.size() == known;
    co_return silent;
  }
  void end_in_silence(bool new_session, const std::optional<FarEndCount>& count) {
    new_session_ = new_session;
    far_count_ = count;
  }
  std::uint16_t ssid() const { return ssid_; }

  int attempts() const { return static_cast<int>(attempts_sent_) - 1; }
  std::optional<Milliseconds> first_round_trip() const { return first_round_trip_; }
  void say_what_was_kept(Observation& observation) const {
    if (kept_ > 0) add_kept(observation, kept_, *why_kept_);
  }

  MediaStream figures() {
    auto result = described(wish_, late_ms_, clock_error_ms_);
    std::vector<double> trips;
    for (const auto& reply : replies_) {
      if (reply.sequence < asked_.first || !is_timed(reply.sequence - asked_.first)) continue;
      trips.push_back(reply.arrived - reply.sent - (reply.reflected - reply.received));
    }
    set_round_trips(result, trips);
    auto options = options_of(wish_);
    options.least_round_trip_ms = result.round_trip_least_ms;
    auto apart = tell_apart(asked_, replies_);
    for (auto& one : apart.up.arrivals) one.timed = is_timed(one.sequence);
    result.round_trip_loss = share_of(apart.lost_both_ways, asked_.count);
    if (new_session_ || !fell_silent()) {
      result.outage = outage_of(asked_, last_, replies_, result.interval_ms, far_count_);
    }
    if (result.outage && result.outage->to_the_end) result.outage->new_session = new_session_;
    if (!apart.counted) {
      result.loop = there_and_back(options);
      if (result.outage && !result.outage->to_the_end) result.outage->way.reset();
      return result;
    }
    if (far_count_) tell_the_end(asked_, last_, replies_, *far_count_, apart);
    const double skew = clock_skew(apart.up.arrivals, apart.down.arrivals);
    options.skew = skew;
    result.up = figures_of(apart.up, options);
    options.skew = -skew;
    result.down = figures_of(apart.down, options);
    // Without the counts of Direct Measurement, duplicates that an authenticated reflector of ours
    // received are not known.
    if (!wish_.key.empty() && !counts_) result.up->duplicates.reset();
    result.up->dscp_sent = expedited;
    result.up->dscp_arrived = arrived_there_.usual();
    if (arrived_there_.usual()) result.down->dscp_sent = expedited;
    result.down->dscp_arrived = arrived_here_.usual();
    // If nobody knows how a call ended, a score for what came before says nothing.
    if (result.outage && result.outage->to_the_end && !result.outage->way) {
      for (auto* direction : {&*result.up, &*result.down}) {
        direction->score.reset();
        direction->score_fixed.reset();
      }
    }
    return result;
  }

 private:
  // `number`: counts the measured packets from 0.
  bool is_timed(std::uint32_t number) const {
    return number >= clock_error_ms_.size() || clock_error_ms_[number] <= most_off_ms;
  }

  // For a far end that does not count: jitter and lateness are those of the round trip.
  MediaDirection there_and_back(const FigureOptions& options) const {
    Trace trace;
    trace.fates.assign(static_cast<std::size_t>(asked_.count), Fate::lost);
    for (const auto& reply : replies_) {
      const auto at = reply.sequence - asked_.first;  // earlier ones wrap around
      if (at >= trace.fates.size() || trace.fates[at] == Fate::arrived) continue;
      trace.fates[at] = Fate::arrived;
      const double there = reply.reflected - reply.received;
      trace.arrivals.push_back({at, reply.sent, reply.arrived - there, is_timed(at)});
    }
    return media::figures_of(trace, options);
  }

  void skip_one() {
    if (next_ != never_sent) return;
    ++next_;
    sent_ms_.push_back(0);
  }

  // The number of the next packet, and its TLVs where the size leaves room for them.
  stamp::SenderPacket next_packet() {
    stamp::SenderPacket packet;
    skip_one();
    packet.sequence = next_++;
    packet.ssid = ssid_;
    stamp::Tlvs tlvs;
    tlvs.class_of_service = stamp::ClassOfService{dscp_, 0, 0, false};
    tlvs.direct_measurement = stamp::DirectMeasurement{attempts_sent_++, 0, 0};
    if (stamp::size_of(tlvs, !wish_.key.empty()) <= wish_.bytes) packet.tlvs = tlvs;
    return packet;
  }

  std::optional<Failure> send(Instant due) {
    auto packet = next_packet();
    const auto& clock = context_.scope.clock;
    packet.sent = stamp::to_timestamp(clock.wall_now());
    const auto bytes = stamp::encode(packet, wish_.bytes, wish_.key);
    const auto now = clock.now();
    const auto sent = socket_.send(bytes);
    if (sent.has_error()) {
      --next_;  // the next one gets its number: the far end counts what it gets
      --attempts_sent_;
      return sent.error();
    }
    sent_ms_.push_back(in_ms(now - begin_));
    if (asked_.count > 0) {
      late_ms_.push_back(std::max(0.0, in_ms(now - due)));
      clock_error_ms_.push_back(in_ms(clock.now() - now));  // it left within that
    }
    return std::nullopt;
  }

  // Takes what comes until then, or only until the first reply if `first` is set.
  // An ICMP error ends it only before anything has come: later it is one packet's fate.
  asio::awaitable<std::optional<Failure>> listen(Instant until, bool first) {
    for (int seen = 0; seen < most_foreign; ++seen) {
      auto event = co_await socket_.receive(context_.scope, until);
      if (event.has_error()) co_return event.error();
      if (const auto* datagram = std::get_if<Datagram>(&*event)) {
        take(*datagram);
        if (first && !replies_.empty()) co_return std::nullopt;
      } else if (replies_.empty()) {
        auto& icmp = std::get<IcmpError>(*event);
        if (icmp.kind == IcmpKind::time_exceeded) continue;
        co_return classify(asio::error::connection_refused, std::move(icmp));
      }
    }
    co_return flooded();
  }

  void take(const Datagram& datagram) {
    const auto packet = stamp::parse_reply(datagram.bytes, wish_.key);
    // TWAMP Light has no SSID.
    if (!packet || (packet->ssid != ssid_ && packet->ssid != 0)) return;
    if (packet->sender_sequence >= sent_ms_.size() || packet->sender_sequence == never_sent) return;
    if (replies_.size() > 4 * sent_ms_.size()) return;  // no stream: a flood
    if (replies_.empty()) far_start_ = packet->received;
    auto reply = reply_of(*packet, sent_ms_[packet->sender_sequence],
                          in_ms(datagram.arrived - begin_), far_start_);
    if (packet->tlvs.direct_measurement) {
      reply.received_count = packet->tlvs.direct_measurement->received;
      counts_ = true;
    }
    if (!first_round_trip_) first_round_trip_ = Milliseconds(reply.arrived - reply.sent);
    if (datagram.traffic_class) arrived_here_.add(*datagram.traffic_class >> 2);
    if (packet->tlvs.class_of_service) arrived_there_.add(packet->tlvs.class_of_service->arrived);
    replies_.push_back(reply);
  }

  Context& context_;
  UdpSocket& socket_;
  StreamWish wish_;
  std::uint8_t dscp_;
  Instant begin_;
  const std::uint16_t ssid_ = random_number<std::uint16_t>();
  std::uint32_t next_ = 0, attempts_sent_ = 1;
  Asked asked_{0, 0, never_sent};
  stamp::Timestamp far_start_ = 0;
  std::vector<double> sent_ms_, late_ms_, clock_error_ms_;  // by sequence number
  std::uint32_t last_ = 0;                                  // number of the last packet sent
  int kept_ = 0;                                            // packets that were not let out
  std::optional<Failure> why_kept_;                         // of the last of them
  std::optional<bool> new_session_;
  std::optional<FarEndCount> far_count_;
  std::vector<Reply> replies_;
  std::optional<Milliseconds> first_round_trip_;
  CodePoints arrived_there_, arrived_here_;
  bool counts_ = false;
};

Result<UdpSocket> open_socket(const Context& context, const Job& job) {
  auto socket = open_udp(context, job.remote(), {.headers = true});
  if (!socket.has_error()) socket->set_traffic_class(expedited << 2);
  return socket;
}

// For a stream that fell silent: is it the line, or only this flow?
asio::awaitable<void> find_the_end(Context& context, Job job, const StreamWish& wish,
                                   FarCounts& far_end, CallStream& stream) {
  const bool silent = co_await stream.stays_silent();
  if (!silent) co_return;
  auto socket = open_socket(context, job);
  if (socket.has_error()) co_return;
  CallStream again(context, *socket, wish);
  const auto failure = co_await again.begin();
  const bool unasked = failure && (failure->kind == FailureKind::kept_here ||
                                   outcome_of(*failure) == Outcome::skipped);
  if (unasked) co_return;
  const auto told = co_await far_end.stream(stream.ssid());
  std::optional<FarEndCount> count;
  if (told) count = {told->received, told->elsewhere};
  stream.end_in_silence(!failure, count);
}

// For a session that nobody answers: is it the mark?
asio::awaitable<bool> answers_without_mark(Context& context, UdpSocket& socket,
                                           const StreamWish& wish) {
  if (!socket.set_traffic_class(0)) co_return false;
  CallStream unmarked(context, socket, wish, 0);
  const auto failure = co_await unmarked.begin(timeouts::media_unmarked);
  co_return !failure;
}

// Against a reflector.
asio::awaitable<void> stream_to_reflector(Context& context, Job job, const StreamWish& wish,
                                          Observation& observation) {
  auto socket = open_socket(context, job);
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return;
  }
  FarCounts far_end(context, job);
  observation.local = socket->local();
  std::optional<CallStream> stream;
  std::optional<Failure> failure;
  bool busy = false;
  for (bool again = true;; again = false) {
    stream.emplace(context, *socket, wish);
    failure = co_await stream->begin();
    busy = false;
    // Why nobody answered: the far end may have no room.
    if (failure && failure->kind == FailureKind::timed_out) {
      const auto count = co_await far_end.stream(stream->ssid());
      busy = count && count->refused > 0;
    }
    if (!busy || !again) break;
    const auto later = context.scope.clock.now() + timeouts::far_end_again;
    const bool going_on = co_await sleep_until(context.executor, context.scope, later);
    if (!going_on) {
      record(observation, stopped());
      co_return;
    }
  }
  const bool under_way = !failure;
  if (under_way) {
    stream->fit_into(context.deadline);
    failure = co_await stream->run();
  }
  observation.attempts = stream->attempts();
  if (failure) {
    record(observation, *failure);
    if (busy) {
      record_busy(observation);
    } else if (under_way && failure->kind == FailureKind::no_route) {
      observation.detail = DetailCode::route_lost;
    } else if (failure->kind == FailureKind::timed_out) {
      const bool unmarked = co_await answers_without_mark(context, *socket, wish);
      if (unmarked) set_outcome(observation, Outcome::failed, DetailCode::marked_silent);
    }
    co_return;
  }
  if (stream->fell_silent()) co_await find_the_end(context, job, wish, far_end, *stream);
  stream->say_what_was_kept(observation);
  observation.round_trip = stream->first_round_trip();
  auto seen = stream->figures();
  if (seen.up && seen.up->lost > 0) {
    // The far end may have been too slow to read all of those.
    const auto count = co_await far_end.stream(stream->ssid());
    if (count && count->dropped >= seen.up->lost) {
      record_busy(observation);
      co_return;
    }
  }
  observation.media = std::move(seen);
  if (context.settings.calls > 0 && observation.media->up) {
    const auto& stream_seen = *observation.media;
    CallLoad load{context.settings.calls, wish.bytes, wish.key, stream_seen.up->loss.high,
                  stream_seen.down->loss.high};
    observation.media->calls = co_await carry_calls(context, job, std::move(load));
  }
  set_outcome(observation, Outcome::answered,
              observation.media->fit ? DetailCode::streamed : DetailCode::unfit);
}

asio::awaitable<void> watch_beside(Context& context, SocketAddress remote, Instant until,
                                   const bool& over, std::optional<FirstHop>& hop) {
  const auto seen = co_await watch_first_hop(context.executor, context.scope, remote,
                                             context.settings.interface, until, over);
  if (seen) hop = figures_of(*seen);
}

asio::awaitable<void> end_watch(TaskGroup beside, bool& over) {
  over = true;
  co_await beside.join();
}

}  // namespace

asio::awaitable<Observation> run_media(Context& context, Job job) {
  auto observation = begin_check(context, job);
  const auto wish = wish_of(context, job);
  if (!wish) {
    observation.detail = DetailCode::bad_parameter;
    co_return observation;
  }
  if (wish->key.empty() && job.parameter("authenticated") == "true") {
    observation.detail = DetailCode::no_key;
    co_return observation;
  }
  bool over = false;
  std::optional<FirstHop> hop;
  TaskGroup beside(context.executor);
  const auto remote = job.remote();
  const auto until = context.scope.clock.now() + wish->packets * call_interval;
  const auto watch = [&] { return watch_beside(context, remote, until, over, hop); };
  const auto& interface_name = context.settings.interface;
  const auto before = own_state(remote.address, interface_name);
  auto stream = job.parameter("turn").empty()
                    ? stream_to_reflector(context, job, *wish, observation)
                    : stream_between_relays(context, job, *wish, observation);
  auto end = end_watch(beside, over);
  auto both = in_turn(std::move(stream), std::move(end));
  beside.start(watch);  // last: from here on it has to be waited for
  co_await std::move(both);
  if (!observation.media) co_return observation;
  const auto after = own_state(remote.address, interface_name);
  observation.media->first_hop = hop;
  observation.media->wifi_before = before.wifi;
  observation.media->wifi_after = after.wifi;
  observation.media->busy_percent = busy_percent(before, after);
  co_return observation;
}

}  // namespace callready::checks
