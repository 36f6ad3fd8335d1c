// turn: an allocation on a TURN server over UDP, TCP or TLS (RFC 8656; credentials: RFC 8489
// section 9.2), and with credentials data through the relay.
//
// Sends one Allocate without credentials. Where the run has none that is all: `answered` with "401"
// (the challenge: TURN is spoken, and no more is claimed), or with "allocated" (an open relay; it
// is given back). After a challenge over TCP or TLS a Binding request follows (to three hosts per
// run): it shows the address that the server sees, which may differ from the one over UDP
// ("mapped_address"). With credentials (a user and password, or a shared secret for time-limited
// ones) it goes on: Allocate, CreatePermission for our own mapped address, data through the relay
// in both directions, and if that fails from one relay to another, for which the site need not let
// out UDP to the relay's port. Always ends with a Refresh of zero, also when the run is stopped.
// The relay has the family that the server was reached by, or that of the parameter `relay`. An
// error 300 is followed to the server that it names, at most twice: the rest is then about the last
// one, and evidence "alternate_server" names each. With `hold` the relay carries small packets to
// itself for 20 s instead, four a second: evidence "relay_life" says until when.
//
// `answered`: "relayed" (data came through), "allocated" (it could not be measured; the evidence
// "relay_trip" says why), "300" (not followed: evidence "alternate_server" says why). `denied`: the
// error code: "401" to real credentials, "403", "437" (twice, from two ports), "440" (no relays of
// that family), "441", "442" (no UDP relays), "486" (quota),
// "508" (no free relays), and others. `failed`: "relay_dead" (granted, but carries nothing;
// "relay_trip" has outbound and inbound), "relay_dies" (with `hold`), "fell_silent" (a challenge or
// an allocation came, and no answer to anything after it), "stale_nonce" (438 without end),
// "bad_challenge", "bad_redirect" (a 300 that names no server, or one of another
// family), "redirect_loop", "redirect_failed" (no valid answer there), "wrong_integrity",
// "no_relayed_address" (none, or one that nothing is sent to: evidence "relay"), an error code of
// 500 and more, and all that stun.cpp has for what is not STUN. `silent`, `refused`, `rejected` as
// there ("kept_here" also where a redirect leads to); over TLS a certificate that this machine does
// not trust is `failed`, as there.
#include <fmt/format.h>

#include "checks/certificate_evidence.hpp"
#include "checks/kinds.hpp"
#include "checks/refuser.hpp"
#include "checks/relay_server.hpp"
#include "probe/model/describe.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

Text meaning(int code, bool with_credentials) {
  switch (code) {
    case 300:
      return phrase("the server redirects to another server");
    case 401:
      return with_credentials ? phrase("the server does not accept these credentials")
                              : phrase("the server asks for credentials, as a TURN server does");
    case 403:
      return phrase("the server forbids it");
    case 437:
      return phrase("the server has another allocation for this address and port");
    case 438:
      return phrase("the server rejects every nonce as stale, even its own");
    case 440:
      return phrase("the server has no relays of this address family");
    case 441:
      return phrase("the allocation belongs to other credentials");
    case 442:
      return phrase("the server does not relay UDP");
    case 486:
      return phrase("this user has reached the allocation quota");
    case 508:
      return phrase("the server has no free relays");
    default:
      return phrase("the server refuses");
  }
}

Outcome outcome_of_code(int code, bool with_credentials) {
  if (code == 300) return Outcome::answered;
  // Without credentials these are how servers ask for them, well or badly.
  if (code == 400 || code == 401 || code == 420) {
    return with_credentials ? Outcome::denied : Outcome::answered;
  }
  if (code == 508 || (code >= 400 && code < 500)) return Outcome::denied;
  return Outcome::failed;
}

void record_reply(Observation& observation, const TurnClient& client, const TurnReply& reply) {
  if (reply.answer) {
    add_reply_evidence(observation, *reply.answer);
    add_loss_evidence(observation, reply.attempts);
    observation.timing_ms[Timing::reply] = reply.answer->took.count();
    if (!client.channel().reliable()) observation.round_trip = reply.answer->round_trip;
    const auto& message = reply.answer->message;
    if (message.realm) {
      const auto realm = stun::printable(*message.realm);
      add_evidence(observation, EvidenceKind::turn_challenge,
                   phrase("the server's realm is \"{}\"", realm),
                   {{Fact::realm, realm}, {Fact::nonce, message.nonce.has_value()}});
    }
  }
  const bool with_credentials = client.authenticated();
  switch (reply.status) {
    case TurnStatus::granted:
      set_outcome(observation, Outcome::answered, DetailCode::allocated);
      add_evidence(observation, EvidenceKind::relay,
                   phrase("the server provides a relay at {} for {} s",
                          client.relayed().to_string(), client.lifetime()),
                   {{Fact::address, client.relayed().address.to_string()},
                    {Fact::port, client.relayed().port},
                    {Fact::lifetime_s, client.lifetime()}});
      if (!with_credentials) {
        add_evidence(observation, EvidenceKind::open_relay,
                     phrase("the server relays for anybody, without credentials"), {});
      }
      break;
    case TurnStatus::challenged:
    case TurnStatus::refused:
      set_outcome(observation, outcome_of_code(reply.code, with_credentials),
                  Detail::status(reply.code));
      add_evidence(observation, EvidenceKind::turn_refusal, meaning(reply.code, with_credentials),
                   {{Fact::code, reply.code}, {Fact::with_credentials, with_credentials}});
      break;
    case TurnStatus::stale_nonce:
      set_outcome(observation, Outcome::failed, DetailCode::stale_nonce);
      add_evidence(observation, EvidenceKind::turn_refusal, meaning(438, with_credentials),
                   {{Fact::code, 438}, {Fact::with_credentials, with_credentials}});
      break;
    case TurnStatus::bad_challenge:
      set_outcome(observation, Outcome::failed, DetailCode::bad_challenge);
      break;
    case TurnStatus::wrong_integrity:
      set_outcome(observation, Outcome::failed, DetailCode::wrong_integrity);
      break;
    case TurnStatus::no_relay:
      set_outcome(observation, Outcome::failed, DetailCode::no_relayed_address);
      if (const auto& named = reply.answer->message.xor_relayed_address) {
        add_evidence(
            observation, EvidenceKind::relay,
            phrase("the server names {} as its relay: nothing is sent there", named->to_string()),
            {{Fact::address, named->address.to_string()}, {Fact::port, named->port}});
      }
      break;
    case TurnStatus::no_answer:
      record_no_answer(observation, client.channel(), reply.failure);
      // It has sent a challenge.
      if (client.challenge() && reply.failure.kind == FailureKind::timed_out)
        set_outcome(observation, Outcome::failed, DetailCode::fell_silent);
      return;
  }
  add_stray_evidence(observation, client.channel());
}

void record_trip(Observation& observation, const TurnClient& client, const RelayTrip& trip) {
  FactMap facts;
  facts[Fact::relay_port] = client.relayed().port;
  if (trip.outbound) facts[Fact::outbound] = *trip.outbound;
  if (trip.inbound) facts[Fact::inbound] = *trip.inbound;
  if (trip.outbound_took) facts[Fact::outbound_ms] = trip.outbound_took->count();
  if (trip.inbound_took) facts[Fact::inbound_ms] = trip.inbound_took->count();
  if (trip.icmp) facts[Fact::icmp_sender] = trip.icmp->sender.to_string();
  Text text;
  if (!trip.not_measured.empty()) {
    facts[Fact::not_measured] = trip.not_measured.string();
    text = phrase("not measured: {}", trip.not_measured);
  } else {
    const auto port = client.relayed().port;
    text = *trip.outbound ? phrase("UDP from here to the relay's port {} arrived", port)
                          : phrase("UDP from here to the relay's port {} did not arrive", port);
    text += *trip.inbound ? phrase("; UDP from the relay to here arrived")
                          : phrase("; UDP from the relay to here did not arrive");
  }
  add_evidence(observation, EvidenceKind::relay_trip, std::move(text), std::move(facts));
}

void record_life(Observation& observation, Transport transport, const RelayLife& life) {
  FactMap facts{{Fact::transport, std::string(to_string(transport))}};
  Text text;
  if (!life.not_measured.empty()) {
    facts[Fact::not_measured] = life.not_measured.string();
    text = phrase("not tested over time: {}", life.not_measured);
  } else {
    facts[Fact::sent] = life.sent;
    facts[Fact::received] = life.heard;
    facts[Fact::alive_ms] = life.alive.count();
    facts[Fact::carried] = !life.died;
    if (life.server_answers) facts[Fact::answered] = *life.server_answers;
    observation.detail = life.died ? DetailCode::relay_dies : DetailCode::relayed;
    if (life.died) observation.outcome = Outcome::failed;
    const auto seconds = life.alive.count() / 1000;
    text =
        life.died
            ? plural(life.heard, "the relay over {1} died after {0} packet, {2} s; the server {3}",
                     "the relay over {1} died after {0} packets, {2} s; the server {3}",
                     in_capitals(transport), fmt::format("{:.1f}", seconds),
                     life.server_answers.value_or(false) ? phrase("still answers on that flow")
                                                         : phrase("no longer answers on that flow"))
            : phrase("the relay over {} carried {} of {} packets in {} s", in_capitals(transport),
                     life.heard, life.sent, fmt::format("{:.0f}", seconds));
  }
  add_evidence(observation, EvidenceKind::relay_life, std::move(text), std::move(facts));
}

// A second allocation, and data from relay to relay. Nothing: not measured, and the evidence says
// why.
asio::awaitable<std::optional<bool>> try_between_relays(
    Context& context, Job job, const std::vector<SocketAddress>& redirected_by, TurnClient& first,
    Scope cleanup, Observation& observation) {
  std::optional<bool> carried;
  Text why = phrase("too many relays are in use");
  const auto patience = context.scope.clock.now() + timeouts::relay_trip;
  const auto place = co_await context.pairs.enter(context.executor, context.scope, patience);
  if (!place && context.scope.stop.stopped()) why = stopped().text;
  RelayServer server{job.probe, job.address, first.challenge(), first.relayed().address.is_v6(),
                     redirected_by};
  Relay second;
  if (place) second = co_await open_relay(context, server);
  if (second.client && second.why.empty()) {
    carried = co_await between_relays(context, first, *second.client, why);
  } else if (place) {
    why = phrase("no second allocation: {}", second.why);
  }
  if (second.client) co_await second.client->deallocate(cleanup);
  FactMap facts;
  if (carried) {
    facts[Fact::carried] = *carried;
    why = *carried ? phrase("data gets from one relay of the server to another and back")
                   : phrase("data does not get from one relay of the server to another");
  } else {
    facts[Fact::not_measured] = why.string();
    why = phrase("relay to relay was not measured: {}", why);
  }
  add_evidence(observation, EvidenceKind::relay_to_relay, std::move(why), std::move(facts));
  co_return carried;
}

// An allocation, and where we have credentials a place for it: taken only once the server has
// challenged us, so that no place waits for a handshake.
asio::awaitable<TurnReply> allocate_in_place(Context& context, Job job, TurnClient& client,
                                             Scope cleanup, Semaphore::Permit& place) {
  auto reply = co_await client.ask_for_challenge(context.scope);
  if (reply.answer && context.first_reply) context.first_reply(job.probe);
  const bool granted = reply.status == TurnStatus::granted;
  if (reply.status != TurnStatus::challenged && !granted) co_return reply;
  if (credential_for(context, job.probe.target.host).username.empty()) co_return reply;
  // An open relay granted one at once. Where we have to wait for a place, it is not held meanwhile.
  const auto until = granted ? context.scope.clock.now() : context.deadline;
  if (!place) place = co_await context.relays.enter(context.executor, context.scope, until);
  if (granted && place) co_return reply;
  if (granted) {
    co_await client.deallocate(cleanup);
    place = co_await context.relays.enter(context.executor, context.scope, context.deadline);
  }
  if (!place) {
    reply.status = TurnStatus::no_answer;
    reply.failure = stopped();
    co_return reply;
  }
  reply = co_await client.allocate(context.scope);
  co_return reply;
}

// Three hosts are enough for a run. Those that were asked may be asked again.
bool may_ask_how_seen(Context& context, const Job& job) {
  constexpr std::size_t most = 3;
  auto& asked = context.asked_how_seen;
  if (asked.size() < most) asked.insert(job.probe.target.host);
  return asked.contains(job.probe.target.host);
}

// Only for the evidence: not every server answers it there.
asio::awaitable<void> ask_how_seen(Context& context, TurnClient& client, Observation& observation) {
  InnerScope in_time(context.scope, context.scope.clock.now() + timeouts::how_seen);
  stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
  stun::add_software(builder, context.settings.user_agent);
  const auto request = builder.finish();
  auto& channel = client.channel();
  const auto scope = in_time.scope();
  const auto exchange = co_await channel.request(request, scope);
  if (!exchange.answer.has_error()) add_mapped_address(observation, exchange.answer->message);
}

// What happens between the reply and the release. True where nothing more was heard on that flow.
asio::awaitable<bool> measure(Context& context, Job job,
                              const std::vector<SocketAddress>& redirected_by, TurnClient& client,
                              TurnStatus status, Scope cleanup, Observation& observation) {
  const bool have_credentials = !credential_for(context, job.probe.target.host).username.empty();
  const bool challenged = status == TurnStatus::challenged && client.channel().reliable();
  if (challenged && may_ask_how_seen(context, job) && !context.scope.stop.stopped()) {
    co_await ask_how_seen(context, client, observation);
  }
  if (status != TurnStatus::granted || !have_credentials) co_return false;
  if (job.parameter("hold") == "true") {
    const auto life = co_await hold_relay(context, client);
    record_life(observation, job.probe.target.transport, life);
    co_return false;
  }
  const auto trip = co_await trip_through_relay(context, client);
  record_trip(observation, client, trip);
  if (trip.complete()) {
    observation.detail = DetailCode::relayed;
    co_return false;
  }
  const bool unheard = trip.unanswered || (trip.outbound == false && trip.inbound == false);
  if (context.scope.stop.stopped() || !trip.not_measured.empty()) co_return unheard;
  const auto carried =
      co_await try_between_relays(context, job, redirected_by, client, cleanup, observation);
  if (!carried) co_return unheard;
  observation.detail = DetailCode::relayed;
  if (!*carried) set_outcome(observation, Outcome::failed, DetailCode::relay_dead);
  co_return false;
}

enum class Round { first, last };  // of two ports

struct Tried {
  bool port_taken = false;  // the server wants another port of ours (RFC 8656 section 7.4)
  bool answered = false;    // by the server itself, as its certificate says over TLS
  std::optional<stun::Message> redirect;  // its error 300
};

// One allocation from a socket of its own. `redirected_by`: the servers that led there.
asio::awaitable<Tried> try_once(Context& context, Job job,
                                const std::vector<SocketAddress>& redirected_by, Scope cleanup,
                                Round which, Observation& observation) {
  Tried tried;
  Semaphore::Permit place;  // given back after the relay
  auto dialled = co_await dial_stun(context, job, observation);
  if (!dialled.channel) co_return tried;
  const auto fault = certificate_fault(dialled.tls);
  if (!redirected_by.empty() && !fault.empty()) {
    set_outcome(observation, Outcome::failed, fault);
    co_return tried;
  }
  const auto family = job.parameter("relay", job.remote().address.is_v6() ? "ipv6" : "ipv4");
  TurnClient client(std::move(dialled.channel), credential_for(context, job.probe.target.host),
                    family == "ipv6");
  const auto reply = co_await allocate_in_place(context, job, client, cleanup, place);
  observation.attempts = reply.attempts;
  const bool refused = reply.status == TurnStatus::refused;
  tried.port_taken = refused && reply.code == 437 && which == Round::first;
  if (tried.port_taken) co_return tried;
  record_reply(observation, client, reply);
  if (!client.challenge()) note_short_wait(observation, job, patience_for(job).reply);
  const bool unheard =
      co_await measure(context, job, redirected_by, client, reply.status, cleanup, observation);
  const bool given_back = co_await client.deallocate(cleanup);
  if (!given_back) {
    if (unheard && !context.scope.stop.stopped())
      set_outcome(observation, Outcome::failed, DetailCode::fell_silent);
    add_evidence(
        observation, EvidenceKind::allocation_left,
        phrase("the server did not confirm that the allocation was released; it expires by itself"),
        {});
  }
  if (!fault.empty()) {
    set_outcome(observation, Outcome::failed, fault);
    co_return tried;
  }
  tried.answered = reply.status != TurnStatus::no_answer;
  if (refused && reply.code == 300) tried.redirect = reply.answer->message;
  co_return tried;
}

// Goes on to the servers that errors 300 name. How those were reached is not reported as the result
// of the probe's own server, which has answered.
asio::awaitable<void> follow(Context& context, Job job, Scope cleanup, stun::Message message,
                             Observation& observation) {
  RelayServer server{job.probe, job.address, std::nullopt, false};
  std::vector<Evidence> way;
  for (;;) {
    auto redirect = follow_redirect(server, message);
    way.push_back(std::move(redirect.evidence));
    if (!redirect.fault.empty()) set_outcome(observation, Outcome::failed, redirect.fault);
    if (!redirect.followed) break;
    Observation seen;
    const Job there{server.probe, server.address};
    auto tried =
        co_await try_once(context, there, server.redirected_by, cleanup, Round::last, seen);
    auto& evidence = way.back();
    evidence.facts[Fact::outcome] = std::string(to_string(seen.outcome));
    if (!tried.answered) {
      evidence.text = phrase("{}: {}", evidence.text, outcome_in_words(seen));
      if (seen.outcome == Outcome::skipped) break;  // not measured
      set_outcome(observation, Outcome::failed, DetailCode::redirect_failed);
      if (seen.detail == DetailCode::kept_here) {
        set_outcome(observation, seen.outcome, seen.detail);
        append(observation.evidence, seen.evidence);
      }
      break;
    }
    if (tried.redirect) {
      message = std::move(*tried.redirect);
      continue;
    }
    seen.address = observation.address;
    observation = std::move(seen);
    break;
  }
  append(observation.evidence, way);
}

}  // namespace

asio::awaitable<Observation> run_turn(Context& context, Job job) {
  Observation observation;
  CleanupScope after(context.scope, timeouts::deallocate);
  const auto cleanup = after.scope();
  const std::vector<SocketAddress> nobody;
  auto tried = co_await try_once(context, job, nobody, cleanup, Round::first, observation);
  const bool port_taken = tried.port_taken;
  if (port_taken) {
    observation = Observation();
    tried = co_await try_once(context, job, nobody, cleanup, Round::last, observation);
  }
  if (tried.redirect) {
    auto message = std::move(*tried.redirect);
    co_await follow(context, job, cleanup, std::move(message), observation);
  }
  if (port_taken) {
    add_evidence(observation, EvidenceKind::port_taken,
                 phrase("the server held an allocation for our first port (error 437)"), {});
  }
  stun::Builder builder(stun::Class::request, stun::Method::allocate, stun::new_transaction_id());
  builder.add_u32(stun::Attribute::requested_transport, 17u << 24);
  auto payload = builder.finish();
  co_await ask_who_refused(context, job, std::move(payload), observation);
  co_return observation;
}

}  // namespace callready::checks
