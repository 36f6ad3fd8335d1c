#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>

#include "probe/net/stun.hpp"
#include "probe/util/network_order.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/dtls.hpp"
#include "probe/webrtc/ice_call.hpp"
#include "probe/webrtc/libnice_posix.hpp"
#include "probe/webrtc/long_hello.hpp"

namespace callready::webrtc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr guint component = 1;
// How often timers are looked at: a fraction of the 20 ms between two packets.
constexpr guint beat_ms = 4;
constexpr std::chrono::milliseconds between_packets(20), give_back(500);
constexpr std::size_t g711_payload = 160;
// RFC 8445 sections 16.1 and 5.1.2: what a check says about its sender.
constexpr std::uint16_t ice_controlling = 0x802A;
constexpr std::uint32_t peer_priority = 0x6EFFFFFF;

struct Unref {
  void operator()(NiceAgent* agent) const { nice().g_object_unref(agent); }
  void operator()(GMainContext* context) const { nice().g_main_context_unref(context); }
};

// Makes our own context the thread's default one while we work with it: libnice delivers its
// answers through that.
class Pushed {
 public:
  explicit Pushed(GMainContext* context) : context_(context) {
    nice().g_main_context_push_thread_default(context);
    timer_ = nice().g_timeout_source_new(beat_ms);
    nice().g_source_set_callback(
        timer_, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr, nullptr);
    nice().g_source_attach(timer_, context);
  }
  ~Pushed() {
    nice().g_source_destroy(timer_);
    nice().g_source_unref(timer_);
    nice().g_main_context_pop_thread_default(context_);
  }
  Pushed(const Pushed&) = delete;
  Pushed& operator=(const Pushed&) = delete;

 private:
  const InLibnice inside_;
  GMainContext* context_;
  GSource* timer_ = nullptr;
};

std::optional<SocketAddress> from_nice(const NiceAddress& address) {
  std::array<char, NICE_ADDRESS_STRING_LEN + 1> text{};
  nice().nice_address_to_string(&address, text.data());
  const auto parsed = IpAddress::parse(text.data());
  if (!parsed) return std::nullopt;
  return SocketAddress{*parsed, static_cast<std::uint16_t>(nice().nice_address_get_port(&address))};
}

NiceAddress to_nice(const SocketAddress& address) {
  NiceAddress native;
  nice().nice_address_init(&native);
  nice().nice_address_set_from_string(&native, address.address.to_string().c_str());
  nice().nice_address_set_port(&native, address.port);
  return native;
}

CandidateType type_of(NiceCandidateType type) {
  switch (type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
      return CandidateType::server_reflexive;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
      return CandidateType::peer_reflexive;
    case NICE_CANDIDATE_TYPE_RELAYED:
      return CandidateType::relayed;
    case NICE_CANDIDATE_TYPE_HOST:
      break;
  }
  return CandidateType::host;
}

NiceCandidateType to_nice(CandidateType type) {
  switch (type) {
    case CandidateType::server_reflexive:
      return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case CandidateType::peer_reflexive:
      return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case CandidateType::relayed:
      return NICE_CANDIDATE_TYPE_RELAYED;
    case CandidateType::host:
      break;
  }
  return NICE_CANDIDATE_TYPE_HOST;
}

std::optional<Candidate> from_nice(const NiceCandidate& candidate) {
  const auto address = from_nice(candidate.addr);
  if (!address) return std::nullopt;
  return Candidate{type_of(candidate.type), *address, candidate.priority, candidate.foundation};
}

class NiceCall final : public IceCall {
 public:
  explicit NiceCall(CallOptions options) : options_(std::move(options)) {}

  Gathered gather() override {
    const std::lock_guard lock(busy_);
    Gathered gathered;
    const auto begin = Clock::now();
    const InLibnice inside;
    context_.reset(nice().g_main_context_new());
    const Pushed pushed(context_.get());
    start_agent();
    nice().nice_agent_gather_candidates(agent_.get(), stream_);
    run_until(begin + options_.gather, [this] { return gathering_done_; });
    gathered.took = Clock::now() - begin;
    read_candidates(gathered.candidates);
    auto& end = gathered.end;
    gchar *ufrag = nullptr, *password = nullptr;
    if (nice().nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &password)) {
      end.keys.ufrag = ufrag;
      end.keys.password = password;
      own_ufrag_ = ufrag;
    }
    nice().g_free(ufrag);
    nice().g_free(password);
    identity_.emplace();
    end.keys.fingerprint = identity_->fingerprint();
    end.keys.setup = "actpass";
    end.candidates = gathered.candidates;
    end.session = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()) >> 1;
    return gathered;
  }

  CallSeen call(const Keys& other, const std::vector<Candidate>& candidates) override {
    const std::lock_guard lock(busy_);
    const Pushed pushed(context_.get());
    begin_ = Clock::now();
    set_remote(other, candidates);
    const bool connected =
        run_until(begin_ + options_.connect, [this] { return ready_; }) && read_pair();
    if (!connected) return std::move(seen_);
    seen_.connected = since_begin();
    // The answerer may only be passive or active; we offered both.
    const bool client = other.setup != "active";
    dtls_.emplace(*identity_, client, other.fingerprint);
    seen_.failed = CallStage::handshake;
    if (client) dtls_->begin();
    send_flights();
    run_until(Clock::now() + options_.handshake,
              [this] { return dtls_->state() != Dtls::State::handshake; });
    seen_.flights_sent = dtls_->flights();
    if (dtls_->state() == Dtls::State::wrong_fingerprint) seen_.failed = CallStage::fingerprint;
    const auto keys = dtls_->keys();
    if (!keys) return std::move(seen_);
    seen_.secured = since_begin();
    seen_.version = dtls_->version();
    seen_.gcm = keys->profile == SrtpProfile::aead_aes_128_gcm;
    seen_.failed = CallStage::media;
    srtp_ = Srtp::make(*keys);
    if (!srtp_) return std::move(seen_);
    other_ = other;
    next_packet_ = next_consent_ = Clock::now();
    came_.assign(static_cast<std::size_t>(options_.packets), false);
    const auto first = next_packet_ + options_.media;
    run_until(first, [this] { return !seen_.heard.empty(); });
    if (seen_.heard.empty()) return std::move(seen_);
    run_until(first + options_.packets * between_packets,
              [this] { return seen_.packets_back() >= options_.packets; });
    seen_.failed = CallStage::done;
    read_pair();  // a better one than the first may have connected since
    for (int i = 0; i < options_.greetings && !stopped_; ++i) {
      greet_again();
      run_until(Clock::now() + options_.greeting_gap, [] { return false; });
    }
    return std::move(seen_);
  }

  void end() override {
    const std::lock_guard lock(busy_);
    if (!agent_) return;
    const InLibnice inside;
    {
      const Pushed pushed(context_.get());
      srtp_.reset();
      nice().nice_agent_attach_recv(agent_.get(), stream_, component, context_.get(), nullptr,
                                    nullptr);
      stopped_ = false;  // giving back outlasts the stop
      closed_ = false;
      nice().nice_agent_close_async(
          agent_.get(),
          [](GObject*, GAsyncResult*, gpointer self) {
            static_cast<NiceCall*>(self)->closed_ = true;
          },
          this);
      run_until(Clock::now() + give_back, [this] { return closed_; });
      nice().g_signal_handlers_disconnect_matched(agent_.get(), G_SIGNAL_MATCH_DATA, 0, 0, nullptr,
                                                  nullptr, this);
    }
    agent_.reset();
    context_.reset();
  }

  void stop() override { stopped_ = true; }

 private:
  void start_agent() {
    agent_.reset(nice().nice_agent_new(context_.get(), NICE_COMPATIBILITY_RFC5245));
    auto* agent = agent_.get();
    nice().g_object_set(agent, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode", TRUE,
                        "keepalive-conncheck", TRUE, nullptr);
    if (options_.stun) {
      nice().g_object_set(agent, "stun-server", options_.stun->address.to_string().c_str(),
                          "stun-server-port", static_cast<guint>(options_.stun->port), nullptr);
    }
    for (const auto& address : options_.local) {
      auto native = to_nice({address, 0});
      nice().nice_agent_add_local_address(agent, &native);
    }
    connect("candidate-gathering-done",
            G_CALLBACK(+[](NiceAgent*, guint, NiceCall* self) { self->gathering_done_ = true; }));
    connect("component-state-changed",
            G_CALLBACK(+[](NiceAgent*, guint, guint, guint state, NiceCall* self) {
              self->ready_ |= state == NICE_COMPONENT_STATE_READY;
            }));
    stream_ = nice().nice_agent_add_stream(agent, 1);
    for (const auto& turn : options_.turn) {
      nice().nice_agent_set_relay_info(
          agent, stream_, component, turn.server.address.to_string().c_str(), turn.server.port,
          turn.user.c_str(), turn.password.c_str(),
          turn.tcp ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP);
    }
    nice().nice_agent_attach_recv(
        agent, stream_, component, context_.get(),
        [](NiceAgent*, guint, guint, guint size, gchar* bytes, gpointer self) {
          const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes);
          static_cast<NiceCall*>(self)->take({begin, size});
        },
        this);
  }

  void connect(const char* signal, GCallback callback) {
    nice().g_signal_connect_data(agent_.get(), signal, callback, this, nullptr, GConnectFlags{});
  }

  // True once `done` says so; false at the deadline, or after stop().
  template <typename Done>
  bool run_until(Clock::time_point deadline, Done done) {
    while (!done()) {
      if (stopped_ || Clock::now() >= deadline) return false;
      nice().g_main_context_iteration(context_.get(), TRUE);
      tick();
    }
    return true;
  }

  Milliseconds since_begin() const { return Clock::now() - begin_; }

  void read_candidates(std::vector<Candidate>& all) {
    GSList* list = nice().nice_agent_get_local_candidates(agent_.get(), stream_, component);
    for (GSList* item = list; item != nullptr; item = item->next) {
      const auto& native = *static_cast<const NiceCandidate*>(item->data);
      if (native.transport != NICE_CANDIDATE_TRANSPORT_UDP) continue;
      auto one = from_nice(native);
      // Browsers leave link-local addresses out (RFC 8445 section 5.1.1.1).
      if (one && !one->address.address.is_link_local()) all.push_back(std::move(*one));
    }
    nice().g_slist_free_full(list, reinterpret_cast<GDestroyNotify>(nice().nice_candidate_free));
  }

  void set_remote(const Keys& other, const std::vector<Candidate>& candidates) {
    // As many checks as ice_connect has room for: on a bad line three of three fail in one run of
    // sixty. With relays, libnice would wait so long for the direct pairs that no time is left for
    // those.
    if (options_.turn.empty()) {
      nice().g_object_set(agent_.get(), "stun-max-retransmissions", guint{6}, nullptr);
    }
    nice().nice_agent_set_remote_credentials(agent_.get(), stream_, other.ufrag.c_str(),
                                             other.password.c_str());
    GSList* list = nullptr;
    for (const auto& one : candidates) {
      NiceCandidate* native = nice().nice_candidate_new(to_nice(one.type));
      native->transport = NICE_CANDIDATE_TRANSPORT_UDP;
      native->component_id = component;
      native->stream_id = stream_;
      native->addr = to_nice(one.address);
      native->base_addr = native->addr;
      native->priority = one.priority;
      const auto size = std::min(one.foundation.size(), sizeof native->foundation - 1);
      std::memcpy(native->foundation, one.foundation.data(), size);
      list = nice().g_slist_prepend(list, native);
    }
    nice().nice_agent_set_remote_candidates(agent_.get(), stream_, component, list);
    nice().g_slist_free_full(list, reinterpret_cast<GDestroyNotify>(nice().nice_candidate_free));
  }

  bool read_pair() {
    NiceCandidate *local = nullptr, *remote = nullptr;
    if (!nice().nice_agent_get_selected_pair(agent_.get(), stream_, component, &local, &remote)) {
      return false;
    }
    seen_.local = from_nice(*local);
    seen_.remote = from_nice(*remote);
    return seen_.local && seen_.remote;
  }

  void take(std::span<const std::uint8_t> datagram) {
    if (datagram.empty()) return;
    // RFC 7983.
    if (datagram[0] <= 3) return take_consent(datagram);
    if (datagram[0] >= 20 && datagram[0] <= 63 && dtls_) {
      ++seen_.datagrams_got;
      dtls_->take(datagram);
      return send_flights();
    }
    if (datagram[0] < 128 || datagram[0] > 191 || !srtp_) return;
    const auto rtp = srtp_->unprotect(datagram);
    if (!rtp || rtp->size() != 12 + g711_payload) return;
    const std::size_t number = number_at<std::uint16_t>(*rtp, 2);
    if (number >= sent_at_.size()) return;
    if (came_[number]) {
      ++seen_.duplicates;
      return;
    }
    came_[number] = true;
    const auto sent = Milliseconds(sent_at_[number] - begin_), now = since_begin();
    seen_.heard.push_back({static_cast<std::uint32_t>(number), sent.count(), now.count()});
    if (seen_.first_media) return;
    seen_.first_media = now;
    seen_.round_trip = now - sent;
  }

  void take_consent(std::span<const std::uint8_t> datagram) {
    const auto reply = stun::parse(datagram);
    if (reply.has_error() || consent_.empty()) return;
    const auto asked = std::find_if(consent_.begin(), consent_.end(), [&](const auto& id) {
      return reply->answers(stun::Method::binding, id);
    });
    if (asked == consent_.end()) return;
    ++seen_.consent_back;
    consent_.erase(consent_.begin(), std::next(asked));  // those before it are lost
    seen_.consent_silent = static_cast<int>(consent_.size());
  }

  // Like RFC 7675 section 5.1, but more often, and done here: libnice does not report its own
  // checks, and swallows every answer that has a FINGERPRINT. `callready serve` answers without one
  // if the request had none.
  void ask_consent() {
    stun::Builder builder(stun::Class::request, stun::Method::binding,
                          consent_.emplace_back(stun::new_transaction_id()));
    builder.add_text(stun::Attribute::username, other_.ufrag + ':' + own_ufrag_)
        .add_bytes(static_cast<stun::Attribute>(ice_controlling), std::span(tie_breaker_).first(8))
        .add_u32(stun::Attribute::priority, peer_priority);
    const auto request = builder.finish(bytes_of(other_.password));
    if (!send(request)) {
      consent_.pop_back();
      return;
    }
    ++seen_.consent_sent;
    seen_.consent_silent = static_cast<int>(consent_.size());
  }

  // For a new association, which nobody answers.
  void greet_again() {
    bool both = true;
    for (const auto& datagram : long_client_hello()) both &= send(datagram);
    if (both) ++seen_.greetings_sent;
  }

  void send_flights() {
    for (const auto& datagram : dtls_->outgoing()) {
      if (send(datagram)) ++seen_.datagrams_left;
    }
  }

  // True where it has left this computer.
  bool send(const Bytes& datagram) {
    return nice().nice_agent_send(agent_.get(), stream_, component,
                                  static_cast<guint>(datagram.size()),
                                  reinterpret_cast<const gchar*>(datagram.data())) > 0;
  }

  void tick() {
    if (!dtls_) return;
    dtls_->tick();
    send_flights();
    const auto now = Clock::now();
    if (!srtp_) return;
    for (; sent_at_.size() < came_.size() && now >= next_packet_; next_packet_ += between_packets) {
      send_packet();
    }
    const bool asks = options_.consent.count() > 0 && sent_at_.size() < came_.size();
    if (!asks || now < next_consent_) return;
    ask_consent();
    next_consent_ = now + options_.consent;
  }

  // RTP (RFC 3550 section 5.1) with payload type 0 and silence of G.711 u-law.
  void send_packet() {
    Bytes rtp(12 + g711_payload, 0xFF);
    const auto number = static_cast<std::uint32_t>(sent_at_.size());
    const auto time = static_cast<std::uint32_t>(number * g711_payload);
    constexpr std::uint32_t source = 0x63617265;
    rtp[0] = 0x80;
    rtp[1] = static_cast<std::uint8_t>(number == 0 ? 0x80 : 0);
    put_number(rtp, 2, static_cast<std::uint16_t>(number));
    put_number(rtp, 4, time);
    put_number(rtp, 8, source);
    sent_at_.push_back(Clock::now());
    const auto late = Milliseconds(sent_at_.back() - next_packet_).count();
    seen_.late_ms.push_back(std::max(0.0, late - beat_ms));
    const auto packet = srtp_->protect(rtp);
    seen_.left.push_back(packet && send(*packet));
    if (seen_.left.back()) ++seen_.packets_sent;
  }

  CallOptions options_;
  std::mutex busy_;  // an abandoned step ends before the next one begins
  std::atomic<bool> stopped_{false};
  std::unique_ptr<GMainContext, Unref> context_;
  std::unique_ptr<NiceAgent, Unref> agent_;  // before its context
  guint stream_ = 0;
  bool gathering_done_ = false, ready_ = false, closed_ = false;
  std::optional<Identity> identity_;
  std::optional<Dtls> dtls_;
  std::optional<Srtp> srtp_;
  CallSeen seen_;
  Clock::time_point begin_, next_packet_, next_consent_;
  std::vector<Clock::time_point> sent_at_;
  std::vector<bool> came_;  // back, by number
  Keys other_;
  std::string own_ufrag_;
  const stun::TransactionId tie_breaker_ = stun::new_transaction_id();
  std::vector<stun::TransactionId> consent_;  // asked for, and not yet answered
};

}  // namespace

bool IceCall::available() { return nice().complete(); }

std::shared_ptr<IceCall> IceCall::make(CallOptions options) {
  return std::make_shared<NiceCall>(std::move(options));
}

}  // namespace callready::webrtc
