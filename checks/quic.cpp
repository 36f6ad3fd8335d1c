// quic: does a server speak QUIC, and do its packets get through (RFC 9000)?
//
// First a long header of a reserved version, in a datagram of 1,200 bytes, sent twice at most: any
// server that speaks QUIC has to answer it with its versions (section 6). Only where it does, an
// Initial packet with a TLS ClientHello for the host's name and HTTP/3 (RFC 9001 sections 4 and
// 5.2), like a browser's first; once that is answered, a CONNECTION_CLOSE (RFC 9000 section 10.2),
// so that the server forgets us. Outcomes: `answered`, since something came back in either case:
// with "quic_spoken" if both are answered (by the handshake, a Retry, or a server that says no).
// If only the second is not, the first is asked again, from another port: if that is answered,
// with "initial_silent", or "initial_rejected" if a device refuses it, otherwise with neither.
// `silent` proves nothing, since many web servers do not speak QUIC, and some drop what they do not
// know. `refused` and `rejected` as for any request, `failed` with "malformed" if something other
// than QUIC comes back. Evidence "quic", one per question: `payload` ("version_negotiation",
// "initial"), `result`.
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "checks/refuser.hpp"
#include "probe/net/quic.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

struct Asked {
  std::optional<quic::Reply> reply;
  Failure failure;  // where there is none
  int attempts = 0;
  std::optional<Milliseconds> round_trip;
};

asio::awaitable<Asked> ask(Context& context, UdpSocket& socket, const quic::Attempt& attempt,
                           const quic::Bytes& packet, bool versions, UdpPatience patience) {
  Asked asked;
  std::optional<Failure> malformed;
  const UdpMatch matches = [&](const Datagram& datagram) {
    auto reply = quic::parse_reply(datagram.bytes, attempt);
    if (reply.has_error()) {
      malformed = reply.error();
      return false;
    }
    // A second answer to the previous question does not answer this one.
    if ((reply->packet == quic::Packet::versions) != versions) return false;
    asked.reply = std::move(*reply);
    return true;
  };
  const auto outcome = co_await udp_request(socket, context.scope, packet, matches, patience);
  if (outcome.has_error()) {
    const auto& failure = outcome.error();
    asked.attempts = failure.attempts;
    const bool other = malformed && failure.failure.kind == FailureKind::timed_out;
    asked.failure = other ? *malformed : failure.failure;
    co_return asked;
  }
  asked.attempts = outcome->attempts;
  asked.round_trip = outcome->round_trip;
  co_return asked;
}

void add(Observation& observation, const Job& job, std::string_view payload, DetailCode result,
         Text text) {
  FactMap facts{{Fact::payload, std::string(payload)},
                {Fact::result, std::string(to_string(result))},
                {Fact::port, job.probe.target.port()}};
  add_evidence(observation, EvidenceKind::quic, std::move(text), std::move(facts));
}

Text in_words(const quic::Reply& reply) {
  if (reply.closed) {
    return phrase("the server answers a greeting by closing (error {})",
                  fmt::format("0x{:x}", *reply.closed));
  }
  return reply.packet == quic::Packet::retry
             ? phrase("the server answers a greeting by asking for another one (Retry)")
             : phrase("the server answers a greeting with its name");
}

// A failure of this computer, or the run's end: the server had nothing to answer, or no time to.
bool is_ours(const Failure& failure) {
  return failure.kind == FailureKind::kept_here || outcome_of(failure) == Outcome::skipped;
}

// The first question once more, from another port: if the server answers this network no more at
// all, it is not only the greeting that is lost. Nothing: it could not be asked, or was cut short.
asio::awaitable<std::optional<bool>> still_answers(Context& context, const Job& job) {
  auto socket = open_udp(context, job.remote());
  if (socket.has_error()) co_return std::nullopt;
  const auto attempt = quic::new_attempt();
  const auto question = quic::version_question(attempt);
  const UdpPatience patience{2, timeouts::quic_reply};
  const auto asked = co_await ask(context, *socket, attempt, question, true, patience);
  if (!asked.reply && is_ours(asked.failure)) co_return std::nullopt;
  co_return asked.reply.has_value();
}

asio::awaitable<void> conclude(Context& context, const Job& job, const Asked& greeted,
                               Observation& observation) {
  const auto& failure = greeted.failure;
  if (greeted.reply) {
    observation.detail = DetailCode::quic_spoken;
    add(observation, job, "initial", DetailCode::replied, in_words(*greeted.reply));
    co_return;
  }
  if (is_ours(failure)) co_return;
  const auto said = co_await still_answers(context, job);
  if (!said) co_return;
  if (!*said) {
    add(observation, job, "version_negotiation", DetailCode::silent,
        phrase("after a greeting that got no answer, the server does not list its versions again"));
    co_return;
  }
  if (failure.icmp) {
    Observation refusal;
    record(refusal, failure);
    for (auto& evidence : refusal.evidence) observation.evidence.push_back(std::move(evidence));
    observation.detail = DetailCode::initial_rejected;
    add(observation, job, "initial", DetailCode::prohibited,
        phrase("{} refuses a greeting with the server's name", failure.icmp->sender.to_string()));
    co_return;
  }
  observation.detail = DetailCode::initial_silent;
  add(observation, job, "initial", DetailCode::silent,
      plural(greeted.attempts, "{} greeting with the server's name gets no answer",
             "{} greetings with the server's name get no answer"));
}

}  // namespace

asio::awaitable<Observation> run_quic(Context& context, Job job) {
  auto observation = begin_check(context, job);
  auto socket = open_udp(context, job.remote());
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return observation;
  }
  observation.local = socket->local();
  const auto attempt = quic::new_attempt();
  auto question = quic::version_question(attempt);
  const UdpPatience patience{2, timeouts::quic_reply};
  const auto asked = co_await ask(context, *socket, attempt, question, true, patience);
  observation.attempts = asked.attempts;
  if (!asked.reply) {
    record(observation, asked.failure);
    co_await ask_who_refused(context, job, std::move(question), observation);
    co_return observation;
  }
  observation.outcome = Outcome::answered;
  observation.round_trip = asked.round_trip;
  add(observation, job, "version_negotiation", DetailCode::replied,
      plural(asked.reply->versions.size(), "the server lists {} version of QUIC",
             "the server lists {} versions of QUIC"));
  const bool address = IpAddress::parse(job.probe.target.host).has_value();
  const auto name = address ? std::string() : job.probe.target.host;
  const auto initial = quic::client_initial(attempt, name);
  if (!initial) co_return observation;
  const auto longer = patience_with(asked.round_trip);
  const auto greeted = co_await ask(context, *socket, attempt, *initial, false, longer);
  co_await conclude(context, job, greeted, observation);
  const bool stands =
      greeted.reply && !greeted.reply->closed && greeted.reply->packet != quic::Packet::retry;
  if (!stands) co_return observation;
  const auto close = quic::client_close(attempt, greeted.reply->server);
  if (close) (void)socket->send(*close);
  co_return observation;
}

}  // namespace callready::checks
