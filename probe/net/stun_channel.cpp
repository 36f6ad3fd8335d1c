#include "probe/net/stun_channel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

constexpr std::size_t most_strangers = 4;
constexpr std::size_t most_indications = 64;
constexpr std::size_t most_data = 4'096;  // some 80 s of a call
// What one request reads from a stream before it gives up on a server that never stops talking.
constexpr std::size_t most_buffered = 65'536;

// Takes the first element; there is one.
template <class Queue>
auto taken_from(Queue& queue) {
  auto first = std::move(queue.front());
  queue.pop_front();
  return first;
}

class UdpChannel final : public StunChannel {
 public:
  UdpChannel(UdpSocket socket, UdpPatience patience)
      : socket_(std::move(socket)), patience_(patience) {}

  asio::awaitable<StunExchange> request(std::span<const std::uint8_t> request,
                                        Scope scope) override {
    StunExchange exchange;
    const auto parsed = stun::parse(request);
    stun::Message answer;
    const UdpMatch matches = [&](const Datagram& datagram) {
      if (takes_data(datagram)) return false;
      return take(datagram.bytes, datagram.from, datagram.from == socket_.remote(), &*parsed,
                  answer);
    };
    auto outcome = co_await udp_request(socket_, scope, request, matches, patience_);
    if (outcome.has_error()) {
      exchange.attempts = outcome.error().attempts;
      exchange.answer = outcome.error().failure;
      co_return exchange;
    }
    patience_ = {};
    exchange.attempts = outcome->attempts;
    StunAnswer taken;
    taken.message = std::move(answer);
    taken.bytes = std::move(outcome->datagram.bytes);
    taken.round_trip = outcome->round_trip;
    taken.took = outcome->since_first;
    exchange.answer = std::move(taken);
    co_return exchange;
  }

  asio::awaitable<Result<void>> send(std::span<const std::uint8_t> bytes, Scope) override {
    co_return socket_.send(bytes);
  }

  asio::awaitable<Result<stun::Message>> next_indication(Scope scope, Instant deadline) override {
    const auto failure = co_await read_until_any(indications_, scope, deadline);
    if (failure) co_return *failure;
    co_return taken_from(indications_);
  }

  void expect_channel_data() override { channels_bound_ = true; }

  asio::awaitable<Result<ChannelData>> next_data(Scope scope, Instant deadline) override {
    const auto failure = co_await read_until_any(data_, scope, deadline);
    if (failure) co_return *failure;
    co_return taken_from(data_);
  }

  void set_traffic_class(int traffic_class) override { socket_.set_traffic_class(traffic_class); }
  SocketAddress local() const override { return socket_.local(); }
  SocketAddress remote() const override { return socket_.remote(); }
  bool reliable() const override { return false; }

 private:
  template <class Queue>
  asio::awaitable<std::optional<Failure>> read_until_any(const Queue& queue, Scope scope,
                                                         Instant deadline) {
    for (int seen = 0; queue.empty(); ++seen) {
      if (seen == most_foreign) co_return flooded();
      auto event = co_await socket_.receive(scope, deadline);
      if (event.has_error()) co_return event.error();
      const auto* datagram = std::get_if<Datagram>(&*event);
      if (datagram == nullptr || takes_data(*datagram)) continue;
      stun::Message unused;
      take(datagram->bytes, datagram->from, datagram->from == socket_.remote(), nullptr, unused);
    }
    co_return std::nullopt;
  }

  // True where it is the server's ChannelData, whole or not.
  bool takes_data(const Datagram& datagram) {
    const auto& bytes = datagram.bytes;
    const bool channel = channels_bound_ && datagram.from == socket_.remote() && !bytes.empty() &&
                         bytes[0] >> 4 == 4;
    if (!channel) return false;
    stun::Framer framer(/*channels_bound=*/true);
    framer.push(bytes);
    framer.push(std::array<std::uint8_t, 3>{});  // over UDP nobody pads it
    auto frame = framer.next();
    if (frame) {
      keep({frame->channel, std::move(frame->bytes), datagram.arrived, datagram.traffic_class});
    }
    return true;
  }

  bool channels_bound_ = false;
  UdpSocket socket_;
  UdpPatience patience_;
};

class StreamChannel final : public StunChannel {
 public:
  explicit StreamChannel(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  asio::awaitable<StunExchange> request(std::span<const std::uint8_t> request,
                                        Scope scope) override {
    StunExchange exchange;
    const auto parsed = stun::parse(request);
    const auto start = scope.clock.now();
    const auto deadline = start + timeouts::stream_reply;
    const auto written = co_await stream_->write(request, scope, deadline);
    exchange.attempts = 1;
    if (written.has_error()) {
      exchange.answer = written.error();
      co_return exchange;
    }
    budget_ = most_buffered;
    for (;;) {
      auto frame = co_await next_frame(scope, deadline);
      if (frame.has_error()) {
        exchange.answer = frame.error();
        co_return exchange;
      }
      StunAnswer taken;
      if (takes_data(*frame, scope)) continue;
      const bool answered = take(frame->bytes, stream_->remote(), true, &*parsed, taken.message);
      if (!answered) continue;
      taken.bytes = std::move(frame->bytes);
      taken.took = elapsed(start, scope.clock.now());
      taken.round_trip = taken.took;
      exchange.answer = std::move(taken);
      co_return exchange;
    }
  }

  asio::awaitable<Result<void>> send(std::span<const std::uint8_t> bytes, Scope scope) override {
    const auto deadline = scope.clock.now() + timeouts::stream_reply;
    auto written = co_await stream_->write(bytes, scope, deadline);
    co_return written;
  }

  asio::awaitable<Result<stun::Message>> next_indication(Scope scope, Instant deadline) override {
    const auto failure = co_await read_until_any(indications_, scope, deadline);
    if (failure) co_return *failure;
    co_return taken_from(indications_);
  }

  void expect_channel_data() override { framer_.expect_channels(); }

  asio::awaitable<Result<ChannelData>> next_data(Scope scope, Instant deadline) override {
    const auto failure = co_await read_until_any(data_, scope, deadline);
    if (failure) co_return *failure;
    co_return taken_from(data_);
  }

  void set_traffic_class(int) override {}
  SocketAddress local() const override { return stream_->local(); }
  SocketAddress remote() const override { return stream_->remote(); }
  bool reliable() const override { return true; }

 private:
  template <class Queue>
  asio::awaitable<std::optional<Failure>> read_until_any(const Queue& queue, Scope scope,
                                                         Instant deadline) {
    budget_ = most_buffered;
    while (queue.empty()) {
      auto frame = co_await next_frame(scope, deadline);
      if (frame.has_error()) co_return frame.error();
      if (takes_data(*frame, scope)) continue;
      stun::Message unused;
      take(frame->bytes, stream_->remote(), true, nullptr, unused);
    }
    co_return std::nullopt;
  }

  bool takes_data(stun::Frame& frame, Scope scope) {
    if (!frame.channel_data) return false;
    keep({frame.channel, std::move(frame.bytes), scope.clock.now(), std::nullopt});
    return true;
  }

  asio::awaitable<Result<stun::Frame>> next_frame(Scope scope, Instant deadline) {
    for (;;) {
      auto frame = framer_.next();
      if (frame) co_return std::move(*frame);
      if (framer_.fault()) {
        auto failure = co_await describe(scope, deadline);
        co_return failure;
      }
      if (budget_ == 0) {
        note({stream_->remote(), true, DetailCode::endless,
              "more than 64 KiB, none of it the answer"});
        co_return Failure{FailureKind::oversized, "the server keeps sending without end", 0, {}};
      }
      std::array<std::uint8_t, 4'096> buffer;
      const std::span<std::uint8_t> room(buffer.data(), std::min(buffer.size(), budget_));
      const auto size = co_await stream_->read_some(room, scope, deadline);
      if (size.has_error()) {
        // An end of the stream in the middle of a message means a truncated message.
        if (!framer_.pending().empty() && size.error().kind == FailureKind::closed_by_peer) {
          note({stream_->remote(), true, DetailCode::truncated,
                "the connection ended within a message"});
        }
        co_return size.error();
      }
      budget_ -= *size;
      framer_.push(room.first(*size));
    }
  }

  // What answers here, if not STUN: waits a moment for the rest of the first line.
  asio::awaitable<Failure> describe(Scope scope, Instant deadline) {
    const auto fault = *framer_.fault();
    stun::Bytes seen(framer_.pending().begin(), framer_.pending().end());
    const auto patience = std::min(deadline, scope.clock.now() + timeouts::non_stun_line);
    while (fault == stun::Fault::not_stun && seen.size() < 256 && !contains(seen, '\n')) {
      std::array<std::uint8_t, 256> buffer;
      const std::span<std::uint8_t> room(buffer);
      const auto size = co_await stream_->read_some(room, scope, patience);
      if (size.has_error()) break;
      seen.insert(seen.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*size));
    }
    UnexpectedReply reply;
    reply.from = stream_->remote();
    reply.reason = detail_of(fault);
    reply.text = stun::describe_non_stun(seen);
    auto failure = malformed("not STUN: " + reply.text);
    if (fault == stun::Fault::oversized) failure.kind = FailureKind::oversized;
    note(std::move(reply));
    co_return failure;
  }

  std::unique_ptr<Stream> stream_;
  stun::Framer framer_;
  std::size_t budget_ = 0;
};

}  // namespace

void StunChannel::keep(ChannelData data) {
  if (data_.size() < most_data) data_.push_back(std::move(data));
}

void StunChannel::note(UnexpectedReply reply) {
  if (unexpected_.size() < most_strangers) unexpected_.push_back(std::move(reply));
}

bool StunChannel::take(std::span<const std::uint8_t> bytes, const SocketAddress& from,
                       bool from_server, const stun::Message* request, stun::Message& answer) {
  UnexpectedReply reply;
  reply.from = from;
  reply.from_server = from_server;
  auto parsed = stun::parse(bytes);
  if (parsed.has_error()) {
    reply.reason = detail_of(parsed.error());
    reply.text = stun::describe_non_stun(bytes);
    note(std::move(reply));
    return false;
  }
  const bool matches = request != nullptr &&
                       parsed->answers(static_cast<stun::Method>(request->method), request->id);
  const bool discarded =
      parsed->message_class == stun::Class::success && parsed->not_understood.has_value();
  if (matches && from_server && !discarded) {
    answer = std::move(*parsed);
    return true;
  }
  if (matches && from_server) {
    reply.reason = DetailCode::malformed;
    reply.text =
        fmt::format("a response with the unknown attribute 0x{:04x}", *parsed->not_understood);
  } else if (matches) {
    reply.reason = DetailCode::wrong_source;
    reply.text = "the answer to our request";
  } else if (parsed->message_class == stun::Class::indication && from_server) {
    if (indications_.size() < most_indications) indications_.push_back(std::move(*parsed));
    return false;
  } else if (parsed->message_class == stun::Class::success ||
             parsed->message_class == stun::Class::error) {
    // A late answer to an earlier request is nobody's fault: it is unexpected only where something
    // else is awaited.
    if (request == nullptr) return false;
    reply.reason = DetailCode::wrong_transaction_id;
    reply.text = "a response to a request that is not ours";
  } else {
    reply.reason = DetailCode::not_a_response;
    reply.text = "a STUN message that is no response";
  }
  note(std::move(reply));
  return false;
}

std::unique_ptr<StunChannel> make_stun_channel(UdpSocket socket, UdpPatience patience) {
  return std::make_unique<UdpChannel>(std::move(socket), patience);
}

std::unique_ptr<StunChannel> make_stun_channel(std::unique_ptr<Stream> stream) {
  return std::make_unique<StreamChannel>(std::move(stream));
}

}  // namespace callready
