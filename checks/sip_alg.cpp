// sip-alg: does a device on the way rewrite SIP messages (an "application layer gateway")?
//
// Sends up to four OPTIONS (RFC 3261 section 11), a second apart, from one UDP socket or over one
// TCP connection to one server, which need not cooperate: any SIP server copies the request's Via
// into its reply (section 8.2.6.2) and adds which address it saw, as `received` (section 18.2.1)
// and `rport` (RFC 3581 section 4). They differ in the Via's address:
//   unrelated       probe.invalid, which no gateway takes for an address of its own: the server
//                   tells the true mapped address
//   mapped          the mapped address, as a gateway itself writes it: it is rewritten on the way
//                   back only, and so comes back changed
//   own_no_rport    the socket's address without `rport`: behind a NAT the server must add
//                   `received`, unless a gateway has made the Via fit the mapped address. The reply
//                   goes to the Via's port: it comes back where the NAT has kept the port
//   own             the socket's address, which a gateway rewrites on the way out and back: sent if
//                   own_no_rport does not come back, or shows that something is wrong
// Without address translation a gateway has nothing to rewrite: then only `own` is sent, too. Over
// UDP what stays unanswered is sent again while fewer than four have gone out.
//   other_port      with the parameter `contrast`, and only where these leave it open: `own` once
//                   more, to another port of the server, which gateways leave alone
//   session         with `mirror`, or with `sdp`, which only the planner sets, when the user asks
//                   for it and only for the user's own server: an UPDATE outside a dialog with a
//                   session description (RFC 3311 section 5.2), which is answered 481 and rings
//                   nobody. Whether the description was changed shows only if the server mirrors
//                   what it received (sip.hpp, mirrored_changes)
//
// Outcomes: `answered` with
//   "rewritten"           certain: a Via came back changed, or `received` or `rport` name this
//                         computer's own address where the server saw another, or a mirror shows it
//   "suspected"           likely: `received` differs in another way between messages of one flow,
//                         or is missing where the server had to add it, or the other port sees us
//                         differently
//   "no_rewriting_seen"   none of these. Gateways vary
//   "inconclusive"        the first was answered, but one that the judgement needs was not
// if not even the first is answered, as `sip`. Evidence: `sip_alg`, the basis of the judgement;
// `sip_alg_message`, one for each message, in the order sent.
//
// Parameters: `domain` as in `sip`; `contrast`, another port of the same server; `mirror`, the
// server mirrors what it receives: then messages are long enough for that.
#include <algorithm>
#include <random>

#include "checks/kinds.hpp"
#include "checks/sip_alg_line.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

// On one line; in all there may be two more, one to another port and one with a session.
constexpr int most_on_a_line = 4;

// For a server that mirrors but sends no more than it receives: as long as the reply, and short
// enough for UDP (RFC 3261 section 18.1.1).
constexpr std::size_t mirrored_size = 1'250;

struct Prober {
  Context& context;
  Job job;
  AlgBudget budget;
  std::vector<AlgMessage> messages;
  bool mirror = job.parameter("mirror") == "true";
};

AlgMessage make(const Prober& prober, std::string name, std::uint16_t port,
                const SocketAddress& local) {
  AlgMessage message;
  message.name = std::move(name);
  message.port = port;
  message.local = local;
  message.options = sip_options(prober.context, prober.job, local);
  if (prober.mirror) message.options.size = mirrored_size;
  return message;
}

asio::awaitable<void> ask_further(Prober& prober, AlgLine& line, AlgMessage message, int tries) {
  if (prober.budget.left <= 0) co_return;
  sip::Collector collector(message.options.transaction);
  const SocketAddress server{prober.job.remote().address, message.port};
  co_await ask_alg(prober.context, line, prober.budget, server, message, tries, collector);
  prober.messages.push_back(std::move(message));
}

// What follows the first message, which was answered.
asio::awaitable<void> ask_the_others(Prober& prober, AlgLine& line) {
  const auto port = prober.job.probe.target.port();
  const auto local = line.local();
  const auto first = prober.messages[0].reading;
  const bool port_known = first.seen_as && first.seen_as->port != 0;
  auto own = make(prober, "own", port, local);
  if (!port_known || !first.translated.value_or(false)) {
    co_await ask_further(prober, line, std::move(own), 2);
    co_return;
  }
  const auto make_mapped = [&] {
    auto mapped = make(prober, "mapped", port, local);
    mapped.options.sent_by_host = first.seen_as->address.to_string();
    mapped.options.sent_by_port = first.seen_as->port;
    return mapped;
  };
  auto no_rport = make(prober, "own_no_rport", port, local);
  no_rport.options.rport = false;
  const bool comes_back = !line.repeats() || first.seen_as->port == local.port;
  if (!comes_back) {
    co_await ask_further(prober, line, std::move(own), 2);
    auto mapped = make_mapped();
    co_await ask_further(prober, line, std::move(mapped), 2);
    co_await ask_further(prober, line, std::move(no_rport), 1);
    co_return;
  }
  auto mapped = make_mapped();
  co_await ask_further(prober, line, std::move(mapped), 1);
  co_await ask_further(prober, line, std::move(no_rport), 1);
  const bool clean = prober.messages.back().reading.seen_as.has_value();
  const bool mapped_lost = !prober.messages[1].reply;
  if (!clean) {
    co_await ask_further(prober, line, std::move(own), 1);
  } else if (mapped_lost && line.repeats()) {
    auto again = make_mapped();
    co_await ask_further(prober, line, std::move(again), 1);
  }
}

// A new media port each time: gateways remember those that they have seen for a while.
std::uint16_t media_port() {
  std::random_device device;
  return static_cast<std::uint16_t>(20'000 +
                                    2 * std::uniform_int_distribution<int>(0, 9'999)(device));
}

asio::awaitable<void> ask_with_session(Prober& prober, AlgLine& line) {
  const auto local = line.local();
  auto session = make(prober, "session", prober.job.probe.target.port(), local);
  session.options.transaction.method = "UPDATE";
  session.options.sdp = sip::make_sdp({local.address, media_port()});
  prober.budget.left = 1;
  co_await ask_further(prober, line, std::move(session), 1);
}

std::optional<std::uint16_t> contrast_port(const Job& job) {
  const auto port = whole_number<std::uint16_t>(job.parameter("contrast"));
  const bool another = port && *port != 0 && *port != job.probe.target.port();
  return another ? port : std::nullopt;
}

asio::awaitable<void> ask_another_port(Prober& prober) {
  const auto port = contrast_port(prober.job);
  if (!port) co_return;
  Observation unused;
  std::optional<Failure> failure;
  const auto line = co_await open_alg_line(prober.context, prober.job, *port, unused, failure);
  if (!line) co_return;
  auto message = make(prober, "other_port", *port, line->local());
  prober.budget.left = 1;
  co_await ask_further(prober, *line, std::move(message), 1);
}

}  // namespace

asio::awaitable<Observation> run_sip_alg(Context& context, Job job) {
  Observation observation;
  std::optional<Failure> failure;
  const auto server = job.remote();
  Prober prober{context, job, {most_on_a_line, 0, {}}, {}};
  const auto line = co_await open_alg_line(context, job, server.port, observation, failure);
  if (!line) co_return observation;

  auto first = make(prober, "unrelated", server.port, line->local());
  first.options.sent_by_host = "probe.invalid";
  sip::Collector collector(first.options.transaction);
  const auto start = context.scope.clock.now();
  failure = co_await ask_alg(context, *line, prober.budget, server, first, 2, collector);
  const bool answered = first.reply.has_value();
  prober.messages.push_back(std::move(first));
  if (answered) {
    if (prober.budget.sent == 1) {
      observation.round_trip = elapsed(start, context.scope.clock.now());
    }
    if (context.first_reply) context.first_reply(job.probe);
    add_sip_reply(observation, *prober.messages[0].reply);
    co_await ask_the_others(prober, *line);
    const auto own = std::find_if(prober.messages.begin(), prober.messages.end(),
                                  [](const auto& message) { return message.name == "own"; });
    const auto& shown = own == prober.messages.end() ? prober.messages[0] : *own;
    if (shown.reply) add_sip_via(observation, *shown.reply, shown.options, shown.local);
    if (prober.mirror || job.parameter("sdp") == "true") co_await ask_with_session(prober, *line);
  } else {
    conclude_sip(observation, collector, failure, !line->repeats());
    add_sip_discarded(observation, collector);
  }
  auto judgement = judge_alg(prober.messages);
  if (answered && wants_contrast(prober.messages, judgement)) {
    co_await ask_another_port(prober);
    judgement = judge_alg(prober.messages);
  }
  // Those of the message that was sent most often: the other messages are not repetitions.
  observation.attempts = std::ranges::max(prober.messages, {}, &AlgMessage::sent).sent;
  if (answered) observation.outcome = Outcome::answered;
  if (!judgement.detail.empty()) {
    observation.detail = judgement.detail;
    add_alg_evidence(observation, prober.messages, judgement, prober.budget.sent);
  }
  co_return observation;
}

}  // namespace callready::checks
