#include "checks/media_relays.hpp"

#include <algorithm>

#include "checks/relay_server.hpp"
#include "checks/turn_relay.hpp"
#include "probe/net/together.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/network_order.hpp"

namespace callready::checks {
namespace {

constexpr std::uint16_t to_the_other = 0x4000, to_itself = 0x4001;  // channels
constexpr std::size_t token_at = 8, token_bytes = 8;

// One stream from a relay to a relay.
struct RelayedWay {
  TurnClient* from;
  TurnClient* to;
  std::uint16_t channel;
  std::uint8_t number;
  std::vector<double> sent_ms{};
  std::vector<bool> left{};           // this computer let it out
  std::vector<bool> came{}, timed{};  // the time of leaving is known well
  media::Trace trace{};

  std::size_t out() const {
    return static_cast<std::size_t>(std::count(left.begin(), left.end(), true));
  }
  bool whole() const { return trace.arrivals.size() == out(); }
};

class RelayedStreams {
 public:
  RelayedStreams(Context& context, const StreamWish& wish, TurnClient& a, TurnClient& b, bool loop)
      : context_(context), wish_(wish), a_(a), b_(b), begin_(context.scope.clock.now()) {
    fill_with_random(token_);
    ways_.push_back({&b, &a, to_the_other, 0});
    ways_.push_back({&a, &b, to_the_other, 1});
    if (loop) ways_.push_back({&b, &b, to_itself, 2});
    for (auto& way : ways_) way.trace.duplicates = 0;
  }

  // False: a connection broke, or the run was stopped.
  asio::awaitable<bool> run() {
    end_ = begin_ + wish_.packets * call_interval + timeouts::media_tail;
    std::vector<asio::awaitable<bool>> work;
    for (auto& way : ways_) work.push_back(send_all(way));
    work.push_back(hear_until(a_, end_));
    work.push_back(hear_until(b_, end_));
    const auto done = co_await together(context_.executor, std::move(work));
    if (std::find(done.begin(), done.end(), false) != done.end()) co_return false;
    if (ways_[0].whole() && ways_[1].whole()) co_return true;
    // What TCP still holds back is late, not lost: a reply over it comes after all of that.
    const auto peer = b_.relayed();
    const auto reply = co_await a_.create_permission(peer, context_.scope);
    if (reply.status != TurnStatus::granted) co_return false;
    const auto now = context_.scope.clock.now();
    const bool a_open = co_await hear_until(a_, now);
    const bool b_open = co_await hear_until(b_, now + timeouts::media_tail);
    const bool both_open = a_open && b_open;
    co_return both_open;
  }

  int attempts() const { return static_cast<int>(ways_.size()) * wish_.packets; }
  void say_what_was_kept(Observation& observation) const {
    std::size_t kept = 0;
    for (const auto& way : ways_) kept += way.left.size() - way.out();
    if (kept > 0) add_kept(observation, static_cast<int>(kept), *why_kept_);
  }
  // Why this computer sent nothing in one direction; nothing if it sent in both.
  std::optional<Failure> kept_all() const {
    const bool all_kept = ways_[0].out() == 0 || ways_[1].out() == 0;
    return all_kept ? why_kept_ : std::nullopt;
  }
  // Those from `b`, the only ones that leave this computer over UDP.
  bool lost_all_marked() const { return ways_[0].trace.arrivals.empty(); }
  bool carried() const {
    return !ways_[0].trace.arrivals.empty() && !ways_[1].trace.arrivals.empty();
  }

  MediaStream figures() {
    auto stream = described(wish_, late_ms_, clock_error_ms_);
    stream.by_relays = true;
    const auto options = options_of(wish_);
    for (auto& way : ways_) {
      for (std::size_t i = 0; i < way.came.size(); ++i) {
        const auto missing = way.left[i] ? media::Fate::lost : media::Fate::unknown;
        way.trace.fates.push_back(way.came[i] ? media::Fate::arrived : missing);
      }
    }
    stream.up = counts_of(ways_[0].trace, options);
    stream.down = counts_of(ways_[1].trace, options);
    const auto& timed = ways_.size() > 2 ? ways_[2] : steadier();
    std::vector<double> trips;
    for (const auto& one : timed.trace.arrivals) {
      if (one.timed) trips.push_back(one.arrived_ms - one.sent_ms);
    }
    set_round_trips(stream, trips);
    if (ways_.size() == 2) {
      // Each packet went in one direction over UDP: this is what both lost there.
      stream.round_trip_loss =
          media::share_of(stream.up->lost + stream.down->lost, stream.up->sent + stream.down->sent);
      return stream;
    }
    stream.loop = media::figures_of(timed.trace, options);
    stream.loop->dscp_sent = expedited;
    stream.loop->dscp_arrived = came_back_as_.usual();
    stream.round_trip_loss = stream.loop->loss;
    for (auto* direction : {&*stream.up, &*stream.down}) estimate(*direction, stream, options);
    return stream;
  }

 private:
  asio::awaitable<bool> send_all(RelayedWay& way) {
    // Staggered, so that no two streams send at once.
    const auto start = begin_ + way.number *
                                    std::chrono::duration_cast<Instant::duration>(call_interval) /
                                    static_cast<int>(ways_.size());
    way.came.assign(static_cast<std::size_t>(wish_.packets), false);
    for (int i = 0; i < wish_.packets; ++i) {
      const auto due = start + i * call_interval;
      const bool going_on = co_await sleep_until(context_.executor, context_.scope, due);
      if (!going_on) co_return false;
      const auto packet = packet_of(way, static_cast<std::uint32_t>(i));
      const auto now = context_.scope.clock.now();
      late_ms_.push_back(std::max(0.0, in_ms(now - due)));
      way.sent_ms.push_back(in_ms(now - begin_));
      const auto sent = co_await way.from->send_data(way.channel, packet, context_.scope);
      clock_error_ms_.push_back(in_ms(context_.scope.clock.now() - now));
      way.timed.push_back(clock_error_ms_.back() <= most_off_ms);
      way.left.push_back(!sent.has_error());
      if (!sent.has_error()) continue;
      if (way.from == &a_) co_return false;
      why_kept_ = sent.error();
    }
    co_return true;
  }

  // Like a call's: RTP's first two bytes, then what distinguishes it from anything else.
  std::vector<std::uint8_t> packet_of(const RelayedWay& way, std::uint32_t sequence) const {
    std::vector<std::uint8_t> packet(wish_.bytes);
    packet[0] = 0x80;
    packet[3] = way.number;
    put_number(packet, 4, sequence);
    std::copy(token_.begin(), token_.end(), packet.begin() + token_at);
    return packet;
  }

  asio::awaitable<bool> hear_until(TurnClient& client, Instant until) {
    for (;;) {
      const auto data = co_await client.next_data(context_.scope, until);
      if (data.has_error()) co_return data.error().kind == FailureKind::timed_out;
      take(client, *data);
    }
  }

  void take(TurnClient& client, const ChannelData& data) {
    const auto& bytes = data.bytes;
    if (bytes.size() != wish_.bytes || bytes[3] >= ways_.size()) return;
    if (!std::equal(token_.begin(), token_.end(), bytes.begin() + token_at)) return;
    auto& way = ways_[bytes[3]];
    const auto sequence = number_at<std::uint32_t>(bytes, 4);
    if (way.to != &client || sequence >= way.sent_ms.size()) return;
    if (way.came[sequence]) {
      ++*way.trace.duplicates;
      return;
    }
    way.came[sequence] = true;
    const bool timed = sequence >= way.timed.size() || way.timed[sequence];
    way.trace.arrivals.push_back(
        {sequence, way.sent_ms[sequence], in_ms(data.arrived - begin_), timed});
    if (way.channel == to_itself && data.traffic_class) came_back_as_.add(*data.traffic_class >> 2);
  }

  // Only what that direction lost; its times are TCP's as much as the line's.
  static MediaDirection counts_of(const media::Trace& trace, const media::FigureOptions& options) {
    auto direction = media::figures_of(trace, options);
    direction.late = 0;
    direction.late_fixed.reset();
    direction.buffer_ms.reset();
    direction.jitter_ms.reset();
    direction.jitter_most_ms.reset();
    direction.variation_ms.reset();
    direction.histogram.clear();
    for (auto& second : direction.seconds) {
      second.delay_ms.reset();
      second.delay_most_ms.reset();
    }
    return direction;
  }

  // The one whose TCP part loses less: that is the direction of the other one's UDP part.
  const RelayedWay& steadier() const {
    return ways_[0].trace.arrivals.size() < ways_[1].trace.arrivals.size() ? ways_[0] : ways_[1];
  }

  // Half of the round trip, and with it a score: at worst all lateness was in this direction.
  static void estimate(MediaDirection& direction, const MediaStream& stream,
                       const media::FigureOptions& options) {
    if (!stream.round_trip_ms) return;
    direction.delay_ms = direction.delay_uncertainty_ms = *stream.round_trip_ms / 2;
    const auto& loop = *stream.loop;
    direction.score = media::score_of(direction, {loop.buffer_ms.value_or(0), loop.late}, options);
    direction.score_fixed = media::score_of(
        direction, {options.jitter_buffer_ms, loop.late_fixed.value_or(0)}, options);
  }

  Context& context_;
  const StreamWish wish_;
  TurnClient &a_, &b_;
  Instant begin_, end_{};
  std::array<std::uint8_t, token_bytes> token_{};
  std::vector<RelayedWay> ways_;  // up, down, there and back
  std::vector<double> late_ms_, clock_error_ms_;
  CodePoints came_back_as_;
  std::optional<Failure> why_kept_;
};

void not_measured(Observation& observation, Text why) {
  observation.detail = DetailCode::no_relays;
  FactMap facts{{Fact::not_measured, why.string()}};
  add_evidence(observation, EvidenceKind::relay_to_relay,
               phrase("the stream between two relays was not measured: {}", why), std::move(facts));
}

asio::awaitable<void> measure_between(Context& context, StreamWish wish, TurnClient& a,
                                      TurnClient& b, Observation& observation) {
  const auto a_address = a.relayed(), b_address = b.relayed();
  const auto there = co_await a.bind_channel(to_the_other, b_address, context.scope);
  const auto back = co_await b.bind_channel(to_the_other, a_address, context.scope);
  const auto& refused = there.status != TurnStatus::granted ? there : back;
  if (refused.status != TurnStatus::granted) {
    not_measured(observation, phrase("the server does not let its relays talk to each other: {}",
                                     refusal_in_words(refused)));
    co_return;
  }
  const auto self = co_await b.bind_channel(to_itself, b_address, context.scope);
  b.set_traffic_class(expedited << 2);
  const auto left = context.deadline - context.scope.clock.now() - timeouts::media_unmarked -
                    6 * timeouts::media_tail;
  wish.packets = std::clamp(static_cast<int>(left / call_interval), 1, wish.packets);
  RelayedStreams streams(context, wish, a, b, self.status == TurnStatus::granted);
  const bool whole = co_await streams.run();
  observation.attempts = streams.attempts();
  if (!whole) {
    if (context.scope.stop.stopped()) {
      record(observation, stopped());
    } else {
      not_measured(observation, phrase("the connection to the server broke"));
    }
    co_return;
  }
  if (const auto kept = streams.kept_all()) {
    record(observation, *kept);
    co_return;
  }
  if (!streams.carried()) {
    b.set_traffic_class(0);  // is it the mark?
    auto few = wish;
    few.packets =
        std::min(wish.packets, static_cast<int>(timeouts::media_unmarked / call_interval));
    RelayedStreams unmarked(context, few, a, b, false);
    const bool ended = co_await unmarked.run();
    if (context.scope.stop.stopped()) {
      record(observation, stopped());
      co_return;
    }
    const bool by_mark = ended && streams.lost_all_marked() && unmarked.carried();
    set_outcome(observation, Outcome::failed,
                by_mark ? DetailCode::marked_silent : DetailCode::relay_dead);
    co_return;
  }
  streams.say_what_was_kept(observation);
  observation.media = streams.figures();
  set_outcome(observation, Outcome::answered,
              observation.media->fit ? DetailCode::streamed : DetailCode::unfit);
  add_evidence(observation, EvidenceKind::relay_to_relay,
               phrase("packets went between the relays {} (reached over a connection) and {} "
                      "(reached over UDP)",
                      a_address.to_string(), b_address.to_string()),
               {{Fact::carried, true}});
}

}  // namespace

asio::awaitable<void> stream_between_relays(Context& context, Job job, StreamWish wish,
                                            Observation& observation) {
  const auto text = job.parameter("turn");
  if (credential_for(context, text).username.empty()) {
    observation.detail = DetailCode::no_turn_login;
    co_return;
  }
  const bool v6 = job.remote().address.is_v6();
  auto server = co_await find_relay_server(context, text, v6);
  if (server.has_error()) {
    not_measured(observation, server.error().text);
    co_return;
  }
  if (server->probe.target.transport == Transport::udp) {
    observation.detail = DetailCode::bad_parameter;
    co_return;
  }
  // The same server, where one name has many addresses.
  if (server->probe.target.host == job.probe.target.host) server->address = job.address;
  CleanupScope after(context.scope, timeouts::deallocate);
  const auto cleanup = after.scope();
  const auto patience = context.scope.clock.now() + timeouts::relay_trip;
  const auto one = co_await context.relays.enter(context.executor, context.scope, patience);
  const auto two = co_await context.pairs.enter(context.executor, context.scope, patience);
  if (context.scope.stop.stopped()) {
    record(observation, stopped());
    co_return;
  }
  if (!one || !two) {
    not_measured(observation, phrase("too many relays are in use"));
    co_return;
  }
  RelayServer by_udp{job.probe, job.address, std::nullopt, v6};
  by_udp.probe.check = CheckKind::turn;
  auto a = co_await open_relay(context, *server);
  Relay b;
  if (a.why.empty()) {
    by_udp.challenge = server->challenge;
    b = co_await open_relay(context, by_udp);
  }
  if (a.why.empty() && b.why.empty()) {
    observation.local = b.client->channel().local();
    co_await measure_between(context, wish, *a.client, *b.client, observation);
  } else {
    not_measured(observation, a.why.empty() ? phrase("no second relay: {}", b.why) : a.why);
  }
  if (b.client) co_await b.client->deallocate(cleanup);
  if (a.client) co_await a.client->deallocate(cleanup);
}

}  // namespace callready::checks
