// ice: a WebRTC call as a browser makes it: ICE (RFC 8445) by libnice, DTLS-SRTP (RFC 5764), media
// (RFC 3711) to a far end that sends it back, found by WHIP (RFC 9725) over TLS.
//
// Gathers candidates: this computer's own addresses, with `stun` the one beyond the NAT, with
// `turn` and credentials a relay's; offers an audio call (POST), lets ICE find a pair, does the
// DTLS handshake, compares the certificate with the answer's fingerprint, and sends half a second
// of G.711. With --quality it sends ten seconds, with consent checks (RFC 7675), and `media` of the
// observation says what was lost, in each direction if the far end says how much it received.
// `answered` with "called": media came back. `failed`: "ice_silent" (no pair of addresses
// connects), "dtls_silent" (a pair connects, but the ClientHello, sent six times, gets no DTLS
// packet back), "dtls_failed", "wrong_fingerprint", "media_silent"; "no_call" if the answer takes
// no call or names no address to send to, "oversized" if it is longer than a session description
// may be, "unexpected_issuer" if the certificate is not the pinned one: then nothing is sent to it.
// `denied` with the status of a WHIP endpoint that refuses.
// Otherwise the outcomes of `tls`; `skipped` with "no_key", "no_ice" if libnice is missing,
// "local_error" if no DTLS or media packet could be sent, or "far_end_busy" if the far end had no
// room, twice. At the end the far end is asked what arrived (evidence "call_arrived").
// After the media, `callready serve` is sent four DTLS greetings as long as a browser's, each in
// two datagrams (RFC 6347 section 4.2.3), which it counts but does not answer ("call_greeting").
//
// With `only_gather` there is no call: `answered` with "gathered" if a server reported an address,
// otherwise `skipped` with "only_host". Nothing is judged by that: it shows what browsers would
// offer here. libnice asks as in RFC 3489, so an answer does not prove that today's STUN works.
#include <algorithm>

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/ice_report.hpp"
#include "checks/kinds.hpp"
#include "checks/media_parts.hpp"
#include "checks/turn_tunnel.hpp"
#include "probe/net/far_end.hpp"
#include "probe/net/http.hpp"
#include "probe/net/in_thread.hpp"
#include "probe/net/together.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/ice_call.hpp"
#include "probe/webrtc/token.hpp"
#include "probe/webrtc/whip_client.hpp"

namespace callready::checks {
namespace {

using webrtc::CallSeen;
using webrtc::CallStage;
using webrtc::CandidateType;
using webrtc::Gathered;
using webrtc::WhipReply;
using webrtc::WhipRequest;

// Ends what blocks when the run is stopped, and gives back what was allocated.
class Rehearsal {
 public:
  Rehearsal(Context& context, std::shared_ptr<webrtc::IceCall> call)
      : context_(context), call_(std::move(call)) {
    handle_ = context_.scope.stop.subscribe([call = call_] { call->stop(); });
  }
  ~Rehearsal() { context_.scope.stop.unsubscribe(handle_); }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  asio::awaitable<Result<Gathered>> gather() {
    std::function<Gathered()> work = [call = call_] { return call->gather(); };
    const auto deadline = context_.scope.clock.now() + 2 * timeouts::ice_gather;
    auto result =
        co_await in_thread<Gathered>(context_.executor, std::move(work), context_.scope, deadline);
    co_return result;
  }

  asio::awaitable<Result<CallSeen>> call(webrtc::Keys other,
                                         std::vector<webrtc::Candidate> candidates) {
    std::function<CallSeen()> work = [call = call_, other = std::move(other),
                                      candidates = std::move(candidates)] {
      return call->call(other, candidates);
    };
    const auto deadline = context_.deadline;
    auto result =
        co_await in_thread<CallSeen>(context_.executor, std::move(work), context_.scope, deadline);
    co_return result;
  }

  asio::awaitable<void> end(Scope cleanup) {
    call_->stop();  // an abandoned step still holds it
    std::function<bool()> work = [call = call_] {
      call->end();
      return true;
    };
    const auto deadline = cleanup.clock.now() + timeouts::drain;
    co_await in_thread<bool>(context_.executor, std::move(work), cleanup, deadline);
  }

 private:
  Context& context_;
  std::shared_ptr<webrtc::IceCall> call_;
  StopSignal::Handle handle_;
};

bool goes_by_ipv6(const Job& job) { return job.address && job.address->is_v6(); }

// A relay for the call, if the server first grants one to our own TURN client: libnice does not
// survive every challenge (an empty realm ends it), and does not say why it has no relay.
asio::awaitable<void> add_relay(Context& context, Job job, webrtc::CallOptions& options,
                                TurnTunnel& tunnel, Scope cleanup) {
  const auto text = job.parameter("turn");
  const auto credential = credential_for(context, text);
  if (text.empty() || credential.username.empty()) co_return;
  const bool v6 = goes_by_ipv6(job);
  auto server = co_await find_relay_server(context, text, v6);
  if (server.has_error() && v6) server = co_await find_relay_server(context, text, false);
  if (server.has_error()) co_return;
  auto relay = co_await open_relay(context, *server);
  if (!relay.client) co_return;
  const auto challenge = relay.client->challenge();
  co_await relay.client->deallocate(cleanup);
  const bool usable = relay.why.empty() && challenge &&
                      challenge->realm.find_first_not_of('"') != std::string::npos;
  if (!usable) co_return;
  webrtc::TurnLogin login;
  login.server = {*server->address, server->probe.target.port()};
  if (server->probe.target.transport == Transport::tls) {
    const auto door = tunnel.open(*server, v6);
    if (door.has_error()) co_return;
    login.server = *door;
  }
  login.tcp = server->probe.target.transport != Transport::udp;
  login.user = credential.username;
  login.password = credential.password;
  options.turn.push_back(std::move(login));
}

// The transport to the job's relay.
std::optional<Transport> relay_transport(const Job& job) {
  const auto text = job.parameter("turn");
  return text.empty() ? std::nullopt : transport_of_server(text);
}

asio::awaitable<webrtc::CallOptions> options_for(Context& context, Job job, TurnTunnel& tunnel,
                                                 Scope cleanup) {
  webrtc::CallOptions options;
  options.gather = timeouts::ice_gather;
  options.connect = timeouts::ice_connect;
  options.handshake = timeouts::dtls_handshake;
  options.media = timeouts::call_media;
  // A far end with a key is a `callready serve`.
  if (job.parameter("authenticated") == "true") {
    options.greetings = 4;
    options.greeting_gap = timeouts::greeting_gap;
  }
  if (context.settings.quality) {
    options.packets = static_cast<int>(timeouts::call_quality / call_interval);
    options.consent = timeouts::call_consent;
  }
  const auto stun = job.parameter("stun");
  if (!stun.empty()) {
    const bool v6 = goes_by_ipv6(job);
    auto found = co_await find_endpoint(context, stun, v6);
    if (found.has_error() && v6) found = co_await find_endpoint(context, stun, false);
    if (!found.has_error()) options.stun = *found;
  }
  co_await add_relay(context, job, options, tunnel, cleanup);
  co_return options;
}

// The connection that the call is offered over: to the right server, or none.
asio::awaitable<std::unique_ptr<Stream>> reach(Context& context, Job job,
                                               Observation& observation) {
  const DialOptions wanted{.tls = true, .alpn = {"http/1.1"}};
  auto dialled = co_await dial(context, job, wanted, observation);
  const auto pin = pin_of(job);
  const bool named = !pin.empty() && pin.fits(dialled.tls);
  // Nobody vouches for the pinned certificate, and nobody needs to.
  if (!named) add_tls_evidence(observation, dialled.tls);
  if (!dialled.stream) co_return nullptr;
  const auto fault = certificate_fault(dialled.tls, pin);
  if (fault.empty()) co_return std::move(dialled.stream);
  record_fault(observation, fault);
  co_return nullptr;
}

struct Endpoint {
  std::string host, path, token, user_agent;

  WhipRequest request(std::string method, std::string where, std::string body) const {
    return {std::move(method), host, std::move(where), token, user_agent, std::move(body)};
  }
};

Endpoint endpoint_of(const Context& context, const Job& job) {
  const auto& target = job.probe.target;
  Endpoint endpoint;
  endpoint.host = authority(target.host, target.port());
  endpoint.path = job.parameter("path", "/whip");
  endpoint.user_agent = context.settings.user_agent;
  if (job.parameter("authenticated") != "true") return endpoint;
  const auto& key = context.settings.credentials.media_key;
  endpoint.token = webrtc::whip_token(bytes_of(key), target.host);
  return endpoint;
}

// The far end's part of the call: where it can be reached and how it proves itself.
struct FarEnd {
  webrtc::Keys keys;
  std::vector<webrtc::Candidate> candidates;
};

std::optional<FarEnd> far_end_of(const WhipReply& reply) {
  const auto answer = webrtc::parse_sdp(reply.body);
  if (!answer || answer->media.empty()) return std::nullopt;
  const auto& media = answer->media.front();
  FarEnd other{answer->keys_of(media), media.candidates};
  const bool whole = media.port != 0 && !other.keys.ufrag.empty() && !other.keys.password.empty() &&
                     !other.keys.fingerprint.empty();
  return whole ? std::optional(std::move(other)) : std::nullopt;
}

// The far end's answer to the offer. One that has no room is asked again, once.
asio::awaitable<Result<WhipReply>> offer_call(Context& context, const Endpoint& endpoint,
                                              Stream& stream, const Gathered& gathered) {
  for (bool again = true;; again = false) {
    auto offer = endpoint.request("POST", endpoint.path, print_offer(gathered.end));
    const auto asked = context.scope.clock.now();
    auto reply = co_await webrtc::whip_request(stream, std::move(offer), context.scope,
                                               asked + timeouts::stream_reply);
    const bool busy = !reply.has_error() && reply->status != 201 && reply->goes_on &&
                      far_end::says_busy(reply->body);
    if (!busy || !again) co_return reply;
    const auto later = context.scope.clock.now() + timeouts::far_end_again;
    const bool going_on = co_await sleep_until(context.executor, context.scope, later);
    if (!going_on) co_return reply;
  }
}

// Ends the call that the far end took. Returns what it counted, if it says so.
asio::awaitable<std::optional<WhipReply>> end_call(const Endpoint& endpoint, Stream& stream,
                                                   const WhipReply& taken, Scope cleanup) {
  const auto resource = webrtc::whip_resource(taken.location, endpoint.host);
  if (resource.empty() || !taken.goes_on) co_return std::nullopt;
  auto end = endpoint.request("DELETE", resource, {});
  const auto now = cleanup.clock.now();
  auto counts =
      co_await webrtc::whip_request(stream, std::move(end), cleanup, now + timeouts::stream_reply);
  if (counts.has_error()) co_return std::nullopt;
  co_return std::move(*counts);
}

asio::awaitable<void> make_call(Context& context, Job job, Stream& stream, Rehearsal& rehearsal,
                                const Gathered& gathered, Scope cleanup, Observation& observation) {
  const auto endpoint = endpoint_of(context, job);
  const auto reply = co_await offer_call(context, endpoint, stream, gathered);
  if (reply.has_error()) {
    record_connected(observation, reply.error(), DetailCode::http_timed_out);
    co_return;
  }
  if (reply->status != 201) {
    set_outcome(observation, reply->status >= 500 ? Outcome::failed : Outcome::denied,
                Detail::status(reply->status));
    if (far_end::says_busy(reply->body)) record_busy(observation);
    co_return;
  }
  if (reply->too_long) {
    record(observation, Failure{FailureKind::oversized, "more than 64 KiB", 0, {}});
    co_return;
  }
  auto other = far_end_of(*reply);
  if (!other) {
    set_outcome(observation, Outcome::failed, DetailCode::no_call);
    co_await end_call(endpoint, stream, *reply, cleanup);
    co_return;
  }
  add_call_answer(observation, other->candidates);
  const bool nowhere = other->candidates.empty();  // it may still send first
  const auto seen = co_await rehearsal.call(std::move(other->keys), std::move(other->candidates));
  // What was cut short was not silent.
  const bool cut =
      !seen.has_error() && seen->failed != CallStage::done && context.scope.stop.stopped();
  if (seen.has_error() || cut) {
    record(observation, cut ? stopped() : seen.error());
  } else {
    conclude_call(observation, *seen, relay_transport(job));
    if (nowhere && seen->failed == CallStage::connect) observation.detail = DetailCode::no_call;
  }
  std::optional<int> arrived;
  const auto counts = co_await end_call(endpoint, stream, *reply, cleanup);
  if (counts) {
    arrived = add_call_arrived(observation, *counts);
    if (!seen.has_error()) add_greetings(observation, *seen, *counts);
  }
  const bool measured = !cut && !seen.has_error() && seen->failed == CallStage::done;
  if (measured && context.settings.quality) observation.media = call_stream_of(*seen, arrived);
}

void only_gathered(Observation& observation, const Gathered& gathered) {
  const bool told_by_server =
      std::any_of(gathered.candidates.begin(), gathered.candidates.end(),
                  [](const auto& one) { return one.type != CandidateType::host; });
  observation.outcome = told_by_server ? Outcome::answered : Outcome::skipped;
  observation.detail = told_by_server ? DetailCode::gathered : DetailCode::only_host;
}

// The call is offered over `stream`; null: only gather.
asio::awaitable<void> gather_and_call(Context& context, Job job, Stream* stream,
                                      Rehearsal& rehearsal, Scope cleanup,
                                      Observation& observation) {
  const auto gathered = co_await rehearsal.gather();
  if (gathered.has_error()) {
    record(observation, gathered.error());
  } else if (context.scope.stop.stopped()) {
    record(observation, stopped());
  } else {
    add_call_candidates(observation, *gathered);
    observation.attempts = 1;
    if (stream == nullptr) {
      only_gathered(observation, *gathered);
    } else {
      co_await make_call(context, job, *stream, rehearsal, *gathered, cleanup, observation);
    }
  }
}

asio::awaitable<void> rehearse(Context& context, Job job, Stream* stream, TurnTunnel& tunnel,
                               Scope cleanup, Observation& observation) {
  auto options = co_await options_for(context, job, tunnel, cleanup);
  // To this computer itself, or over an interface that the user chose: from that address only.
  if (stream && (stream->remote().address.is_loopback() || !context.settings.interface.empty())) {
    options.local = {stream->local().address};
  }
  Rehearsal rehearsal(context, webrtc::IceCall::make(std::move(options)));
  auto work = gather_and_call(context, job, stream, rehearsal, cleanup, observation);
  auto end = rehearsal.end(cleanup);
  co_await in_turn(std::move(work), std::move(end));
}

// In a thread of its own: the first call is slow.
asio::awaitable<Result<bool>> can_call(Context& context) {
  std::function<bool()> work = [] { return webrtc::IceCall::available(); };
  const auto deadline = context.deadline;
  auto found = co_await in_thread<bool>(context.executor, std::move(work), context.scope, deadline);
  co_return found;
}

}  // namespace

asio::awaitable<Observation> run_ice(Context& context, Job job) {
  Observation observation;
  observation.address = job.address;
  const bool only_gather = job.parameter("only_gather") == "true";
  const bool no_key =
      job.parameter("authenticated") == "true" && context.settings.credentials.media_key.empty();
  if (no_key && !only_gather) {
    observation.detail = DetailCode::no_key;
    co_return observation;
  }
  const auto ready = co_await can_call(context);
  if (ready.has_error() || !*ready) {
    observation.detail = DetailCode::no_ice;
    if (ready.has_error()) record(observation, ready.error());
    co_return observation;
  }
  CleanupScope after(context.scope, timeouts::deallocate);
  const auto cleanup = after.scope();
  std::unique_ptr<Stream> stream;
  if (!only_gather) {
    stream = co_await reach(context, job, observation);
    if (!stream) co_return observation;
  }
  observation.sent_at = context.scope.clock.wall_now();
  Semaphore::Permit place;
  if (!job.parameter("turn").empty()) {
    place = co_await context.relays.enter(context.executor, context.scope, context.deadline);
  }
  TurnTunnel tunnel(context);
  auto work = rehearse(context, job, stream.get(), tunnel, cleanup, observation);
  auto closing = tunnel.close();
  co_await in_turn(std::move(work), std::move(closing));
  co_return observation;
}

}  // namespace callready::checks
