#include "checks/stun_flows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/net/stun.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

constexpr std::size_t requests = 20;
// How many of the unanswered are sent again from the same ports, and how often: after a lossy line
// or a limit they get through then, on a dead path they do not. Fewer may be lost by chance.
constexpr std::size_t fewest_again = 3, most_again = 4;
constexpr int most_times_again = 2;

struct Request {
  stun::TransactionId id;
  std::size_t number = 0;  // of those that were sent, from 0
};

struct Flow {
  UdpSocket socket;
  std::vector<Request> waiting;  // for their answers
  int seen = 0;                  // of all that came
};

struct Answers {
  std::size_t count = 0, first = requests;  // the number of the first that was answered
};

// Collects what has come by now; true if nothing is missing any more.
bool collect(std::vector<Flow>& flows, const Clock& clock, Answers& answers) {
  bool all = true;
  for (auto& flow : flows) {
    while (flow.seen < most_foreign) {
      const auto event = flow.socket.poll(clock);
      if (!event || event->has_error()) break;
      ++flow.seen;
      const auto* datagram = std::get_if<Datagram>(&**event);
      if (datagram == nullptr) continue;
      const auto parsed = stun::parse(datagram->bytes);
      if (parsed.has_error()) continue;
      answers.count += std::erase_if(flow.waiting, [&](const Request& request) {
        const bool its = parsed->answers(stun::Method::binding, request.id);
        if (its) answers.first = std::min(answers.first, request.number);
        return its;
      });
    }
    all &= flow.waiting.empty();
  }
  return all;
}

asio::awaitable<void> wait_for(Context& context, std::vector<Flow>& flows, Answers& answers) {
  const auto until = context.scope.clock.now() + timeouts::flow_reply;
  while (!collect(flows, context.scope.clock, answers) && context.scope.clock.now() < until) {
    const auto next = context.scope.clock.now() + timeouts::flow_gap;
    const bool slept = co_await sleep_until(context.executor, context.scope, next);
    if (!slept) break;
  }
}

bool is_flooded(const Flow& flow) { return flow.seen == most_foreign && !flow.waiting.empty(); }

// A request that this computer does not let out is not waited for, and was not lost on the way.
Result<void> send(const Context& context, Flow& flow, std::size_t number) {
  const auto id = stun::new_transaction_id();
  stun::Builder builder(stun::Class::request, stun::Method::binding, id);
  stun::add_software(builder, context.settings.user_agent);
  auto sent = flow.socket.send(builder.finish());
  if (!sent.has_error()) flow.waiting.push_back({id, number});
  return sent;
}

// Sends again on the first few flows whose request was not answered, by turns, until it is.
asio::awaitable<void> ask_again(Context& context, std::vector<Flow>& flows, Instant began,
                                Evidence& evidence) {
  std::erase_if(flows, [](const Flow& flow) { return flow.waiting.empty(); });
  if (flows.size() < fewest_again) co_return;
  while (flows.size() > most_again) flows.pop_back();
  auto next = context.scope.clock.now();
  const auto after = next - began;
  std::int64_t again = 0;
  Answers answers;
  for (auto& flow : flows) flow.waiting.clear();  // from now on, an answer is to what is sent here
  for (std::size_t i = 0; i < most_times_again * flows.size(); ++i) {
    auto& flow = flows[i % flows.size()];
    const bool first = i < flows.size();
    collect(flows, context.scope.clock, answers);
    if (!first && flow.waiting.empty()) continue;
    flow.waiting.clear();
    const auto sent = send(context, flow, i);
    if (first && !sent.has_error()) ++again;
    next += timeouts::flow_again;
    const bool slept = co_await sleep_until(context.executor, context.scope, next);
    if (!slept) co_return;
  }
  co_await wait_for(context, flows, answers);
  // What was cut short is not lost.
  if (context.scope.stop.stopped() || std::ranges::any_of(flows, is_flooded)) co_return;
  evidence.facts[Fact::again] = again;
  evidence.facts[Fact::attempts] = most_times_again;
  evidence.facts[Fact::again_answered] = static_cast<std::int64_t>(answers.count);
  evidence.facts[Fact::again_after_ms] = std::chrono::duration_cast<milliseconds>(after).count();
}

}  // namespace

asio::awaitable<Observation> count_stun_answers(Context& context, Job job) {
  auto observation = begin_check(context, job);
  const bool one = job.parameter("flows") == "one";
  std::vector<Flow> flows;
  Answers answers;
  std::optional<Failure> kept;  // of the last that was not sent
  const auto began = context.scope.clock.now();
  auto next = began;
  for (std::size_t i = 0; i < requests; ++i) {
    if (i == 0 || !one) {
      auto opened = open_udp(context, job.remote());
      if (opened.has_error()) {
        record(observation, opened.error());
        co_return observation;
      }
      flows.push_back({std::move(*opened), {}});
    }
    const auto number = static_cast<std::size_t>(observation.attempts);
    const auto sent = send(context, flows.back(), number);
    if (sent.has_error()) {
      kept = sent.error();
    } else {
      ++observation.attempts;
    }
    next += timeouts::flow_gap;
    const bool slept = co_await sleep_until(context.executor, context.scope, next);
    if (!slept) break;
  }
  observation.local = flows.front().socket.local();
  if (kept && observation.attempts == 0) {
    record(observation, *kept);
    co_return observation;
  }
  co_await wait_for(context, flows, answers);
  const auto all = static_cast<std::size_t>(observation.attempts);
  const auto counted = one ? all - std::min(all, answers.first) : all;
  if (std::ranges::any_of(flows, is_flooded)) {
    record(observation, flooded());
    co_return observation;
  }
  observation.outcome = answers.count > 0 ? Outcome::answered : Outcome::silent;
  observation.detail = answers.count > 0 ? DetailCode::success : DetailCode::timed_out;
  // What was cut short was neither silent nor lost.
  const bool cut = context.scope.stop.stopped() && answers.count < all;
  if (cut && answers.count == 0) record(observation, stopped());
  if (cut) co_return observation;
  Evidence evidence;
  evidence.kind = EvidenceKind::udp_sample;
  evidence.text = plural(
      answers.count, "{} of {} requests was answered, {}", "{} of {} requests were answered, {}",
      counted,
      one ? phrase("all sent from one port, counting from the first request that was answered")
          : phrase("each sent from a port of its own"));
  evidence.facts[Fact::sent] = static_cast<std::int64_t>(counted);
  evidence.facts[Fact::answered] = static_cast<std::int64_t>(answers.count);
  if (!one && answers.count > 0) {
    co_await ask_again(context, flows, began, evidence);
  }
  observation.evidence.push_back(std::move(evidence));
  co_return observation;
}

}  // namespace callready::checks
