// The queue of packets that end on the way, and the waves that they go out in.
#include "probe/net/site_edge.hpp"

#include <algorithm>

#include "probe/model/port_order.hpp"

namespace callready {

namespace {

// How many ICMP errors a run takes from one router while all is well: half of what most send in a
// burst, so that another run, or another computer at the site, finds some left.
constexpr int most_answers = 3;

// The lowest goes first; the last ones do not wait.
int rank(SiteEdge::Need need) {
  switch (need) {
    case SiteEdge::Need::decides:
    case SiteEdge::Need::confirms:
      return 0;
    case SiteEdge::Need::supports:
      return 1;
    case SiteEdge::Need::another_host:
    case SiteEdge::Need::another_port:
      return 2;
    case SiteEdge::Need::rounds_off:
      return 3;
  }
  return 3;
}

bool waits(SiteEdge::Need need) { return rank(need) < rank(SiteEdge::Need::another_host); }

// The last packet of a wave to a hop: one that it should answer.
asio::awaitable<void> control(asio::any_io_executor executor,
                              std::shared_ptr<std::set<Hop>> answered, Hop hop, SocketAddress flow,
                              bool by_tcp, std::string interface, milliseconds patience,
                              Scope scope) {
  std::optional<IcmpError> icmp;
  if (by_tcp) {
    ConnectOptions options;
    options.interface = interface;
    options.ttl = hop.ttl;
    options.timeout = patience;
    auto connected = co_await connect_tcp(executor, scope, flow, options);
    if (connected.has_error()) icmp = connected.error().icmp;
  } else {
    UdpSocket::Options options;
    options.interface = interface;
    options.ttl = hop.ttl;
    auto socket = UdpSocket::open(executor, flow, options);
    if (socket.has_error()) co_return;
    const std::array<std::uint8_t, 12> payload{0x80};
    const auto sent = socket->send(payload);
    if (sent.has_error()) co_return;
    const auto deadline = scope.clock.now() + patience;
    const auto heard = co_await socket->receive_icmp(scope, deadline);
    if (heard.has_value()) icmp = *heard;
  }
  if (!icmp) co_return;
  const bool expired = icmp->kind == IcmpKind::time_exceeded && beyond_the_edge(icmp->sender);
  const bool refused = turned_away(*icmp, flow.address) && icmp->sender == hop.address;
  if (expired || refused) answered->insert(hop);
}

}  // namespace

Hop SiteEdge::Question::hop() const {
  if (!beyond) return way.hop;
  return {way.refused->refused->ttl, way.refused->refused->error.sender};
}

bool SiteEdge::Question::decided(const SiteEdge& edge) const {
  if (!row) return false;
  return by_tcp ? edge.syn_passed(remote.address, *row).has_value()
                : edge.passed(*row, remote.address.is_v6());
}

bool SiteEdge::Question::is_about_more_ports() const {
  return !by_tcp && (need == Need::another_port || need == Need::rounds_off);
}

// Over TCP, where a row has few hosts, it speaks for its own host only, and waits alone for the
// router's next answer: ten SYNs at once would leave none for the control.
bool SiteEdge::Question::stands_for(const Question& other) const {
  const auto decides = [](const Question& one) {
    return one.row && one.need == Need::decides && (one.by_tcp || !one.controlled);
  };
  const bool same_way = by_tcp ? remote.address == other.remote.address
                               : remote.address.is_v6() == other.remote.address.is_v6();
  return by_tcp == other.by_tcp && same_way && decides(*this) && decides(other) &&
         other.row->contains(remote.port);
}

bool SiteEdge::Question::tells_more_than(const Question& other, const SiteEdge& edge) const {
  const auto trunk = edge.trunks_.find(remote.address.is_v6());
  const bool any_known = !by_tcp && !other.by_tcp && trunk != edge.trunks_.end();
  if (!any_known || remote.port == other.remote.port) return false;
  const auto& passed = trunk->second.passed;
  return distance_to_nearest(remote.port, passed) > distance_to_nearest(other.remote.port, passed);
}

milliseconds SiteEdge::patience(const Question& question) const {
  const auto& trips = question.climb()->round_trips;
  const auto known = trips.find(question.hop().ttl);
  if (known == trips.end()) return patience();
  RoundTrips trip;
  trip.add(known->second);
  return std::clamp(std::chrono::ceil<milliseconds>(*trip.timeout()), timeouts::icmp_reply,
                    timeouts::icmp_reply_slow);
}

asio::awaitable<SiteEdge::Answer> SiteEdge::ask(UdpSocket& socket,
                                                std::vector<std::uint8_t> payload, Need need,
                                                Scope scope, Instant until,
                                                std::optional<PortRange> row) {
  const OneShot<Answer> answer(executor_);
  Question made{false, &socket, std::move(payload), socket.remote(), "", need, scope, until, answer,
                {},    row};
  const auto question = std::make_shared<Question>(std::move(made));
  auto result = co_await put(question);
  co_return result;
}

asio::awaitable<SiteEdge::Answer> SiteEdge::ask_syn(SocketAddress remote, std::string interface,
                                                    Need need, Scope scope, Instant until,
                                                    std::optional<PortRange> row) {
  const OneShot<Answer> answer(executor_);
  Question made{true,  nullptr, {}, remote, std::move(interface), need, scope,
                until, answer,  {}, row};
  const auto question = std::make_shared<Question>(std::move(made));
  auto result = co_await put(question);
  co_return result;
}

asio::awaitable<SiteEdge::Answer> SiteEdge::put(std::shared_ptr<Question> question) {
  Answer nothing;
  auto way = way_to(question->remote);
  if (!way) co_return nothing;
  question->way = std::move(*way);
  question->beyond = question->way.refused && !question->by_tcp;
  // A question without time for a try without a control gets one at once.
  const bool in_a_hurry = question->until < question->scope.clock.now() + 4 * patience(*question);
  question->controlled = question->need == Need::confirms || (in_a_hurry && waits(question->need));
  queue_.push_back(question);
  if (!std::exchange(working_, true) &&
      !tasks_.start([&] { return make_waves(question->scope); })) {
    working_ = false;
    queue_.clear();
    co_return nothing;
  }
  // make_waves() answers every question, at the latest when the run is stopped: the socket must not
  // be given up while a wave may still listen to it.
  StopSignal never;
  const Scope unhurried{question->scope.clock, never};
  const auto& clock = question->scope.clock;
  auto limit = std::max(question->until, clock.now()) + 4 * timeouts::icmp_refill;
  auto result = co_await question->answer.wait(unhurried, limit);
  while (result.has_error() && question->listening) {
    limit = clock.now() + timeouts::icmp_reply;
    result = co_await question->answer.wait(unhurried, limit);
  }
  question->socket = nullptr;
  if (result.has_error()) result = question->heard;
  // Routers send few errors, and this one is about the whole host.
  const auto known = no_way_.find(question->remote.address);
  const bool silent = !result->icmp && !result->taken && !result->reset && !result->kept_here;
  if (silent && known != no_way_.end()) result->icmp = known->second;
  co_return *result;
}

asio::awaitable<void> SiteEdge::make_waves(Scope scope) {
  // Whatever happens, nobody is left waiting.
  struct End {
    SiteEdge& edge;
    ~End() {
      for (const auto& question : edge.queue_) question->answer.deliver({});
      edge.queue_.clear();
      edge.working_ = false;
    }
  };
  const End end{*this};
  while (!queue_.empty()) co_await make_next_wave(scope);
}

// The answers that it has given, and those that this wave's questions (`asked`) will cost it.
int SiteEdge::answers_of(const IpAddress& router, const std::map<IpAddress, int>& asked) const {
  const auto given = heard_.find(router);
  const auto due = asked.find(router);
  return (given == heard_.end() ? 0 : given->second) + (due == asked.end() ? 0 : due->second);
}

// Chooses the farthest router on the way, beyond the edge, that has not given its share: nearer
// ones show as much about a packet that is lost before them. False if there is none.
bool SiteEdge::find_unspent_hop(Question& question, const std::map<IpAddress, int>& asked) const {
  const auto unspent = [&](const IpAddress& router, int most) {
    return answers_of(router, asked) < most;
  };
  const int share = most_answers + (question.need == Need::another_port ? 1 : 0);
  if (question.beyond) return unspent(question.hop().address, share);
  const auto& climb = *question.way.climb;
  const auto nearest = nearest_outside(climb.routers, climb.own);
  for (auto at = climb.routers.rbegin(); nearest && at != climb.routers.rend(); ++at) {
    if (at->first > question.way.hop.ttl || at->first < nearest->ttl) continue;
    // Climbs that are under way may get one more answer from the routers that they pass.
    const bool nearer = at->first < question.way.hop.ttl;
    const int most = nearer ? share - 1 : share;
    if (!beyond_the_edge(at->second) || !unspent(at->second, most)) continue;
    question.nearer = nearer;
    question.way.hop = {at->first, at->second};
    return true;
  }
  return false;
}

// If the farthest router on the way has given its share, chooses another one between it and the end
// of what all ways have in common, which proves as much. If all have, it stays.
void SiteEdge::spread(Question& question, const std::map<IpAddress, int>& asked) const {
  const auto end = end_of_trunk(question.remote);
  const auto unspent = [&](const IpAddress& router) {
    return answers_of(router, asked) < most_answers;
  };
  const auto& farthest = question.way.hop;
  if (!end || !end->speaks_for_others) return;
  if (farthest.ttl <= end->hop.ttl || unspent(farthest.address)) return;
  auto between = question.way.climb->routers;
  between.emplace(end->hop.ttl, end->hop.address);
  for (auto at = between.rbegin(); at != between.rend(); ++at) {
    const bool between_them = at->first < farthest.ttl && at->first >= end->hop.ttl;
    if (!between_them || !beyond_the_edge(at->second) || !unspent(at->second)) continue;
    question.way.hop = {at->first, at->second};
    return;
  }
}

// Takes the next ones out of the queue: all of the most urgent need, even if the hop has run out,
// since packets that are lost on the way cost it nothing, and one control speaks for all of them.
// The others must not use up their answers. A question that does not wait and gets no turn is told
// so.
SiteEdge::Questions SiteEdge::next_questions(Instant soon) {
  std::erase_if(queue_, [&](const auto& question) {
    if (question->need != Need::decides || !question->decided(*this)) return false;
    question->need = Need::another_host;
    // Another port of the same host would say nothing about another way.
    if (question->by_tcp) question->answer.deliver({});
    return question->by_tcp;
  });
  int first = rank(Need::rounds_off);
  for (const auto& question : queue_) first = std::min(first, rank(question->need));
  std::set<Hop> doubted;
  for (const auto& question : queue_) {
    if (question->controlled) doubted.insert(question->hop());
  }
  // A question for which this wave is the last one joins it: if it only waited for others, it would
  // end with nothing.
  const auto last = soon + 2 * patience() + timeouts::icmp_refill;
  Questions chosen;
  std::map<IpAddress, int> asked;
  std::deque<std::shared_ptr<Question>> rest;
  Questions more_ports;
  for (const auto& question : queue_) {
    const bool last_wave = question->need == Need::supports && question->until < last;
    if (rank(question->need) != first && !last_wave && question->until > soon) {
      rest.push_back(question);
      continue;
    }
    if (waits(question->need) && doubted.contains(question->hop())) question->controlled = true;
    const bool frugal = !waits(question->need) && !question->controlled;
    if (frugal && question->is_about_more_ports()) {
      more_ports.push_back(question);
      continue;
    }
    if (frugal && !find_unspent_hop(*question, asked)) {
      question->answer.deliver({});
      continue;
    }
    // In a wide range, the port that is farthest from the known ones goes first.
    const bool another_decides =
        std::ranges::any_of(chosen,
                            [&](const auto& other) { return other->stands_for(*question); }) ||
        std::ranges::any_of(queue_, [&](const auto& other) {
          return other->stands_for(*question) && other->tells_more_than(*question, *this);
        });
    if (another_decides) {
      rest.push_back(question);
      continue;
    }
    if (!frugal && !question->controlled && !question->beyond) spread(*question, asked);
    ++asked[question->hop().address];
    chosen.push_back(question);
  }
  choose_ports(std::move(more_ports), asked, chosen);
  queue_ = std::move(rest);
  return chosen;
}

// The port that is farthest from all that are known goes first, whichever host it belongs to: two
// hosts of a row need not show the same ports.
void SiteEdge::choose_ports(Questions open, std::map<IpAddress, int>& asked,
                            Questions& chosen) const {
  std::map<bool, std::set<std::uint16_t>> known;  // by IPv6
  for (const auto& [v6, trunk] : trunks_) known[v6] = trunk.passed;
  for (const auto& question : chosen) {
    if (!question->by_tcp) known[question->remote.address.is_v6()].insert(question->remote.port);
  }
  const auto distance = [&](const std::shared_ptr<Question>& question) {
    const auto& remote = question->remote;
    return distance_to_nearest(remote.port, known[remote.address.is_v6()]);
  };
  while (!open.empty()) {
    const auto farthest = std::ranges::max_element(open, {}, distance);
    const auto question = *farthest;
    open.erase(farthest);
    if (!find_unspent_hop(*question, asked)) {
      question->answer.deliver({});
      continue;
    }
    known[question->remote.address.is_v6()].insert(question->remote.port);
    ++asked[question->hop().address];
    chosen.push_back(question);
  }
}

// Notes what a question that was just asked has shown.
void SiteEdge::note(const Question& question) {
  const auto& icmp = question.heard.icmp;
  if (!icmp) return;
  note_error(*icmp, question.remote.address);
  const bool expired = icmp->kind == IcmpKind::time_exceeded && beyond_the_edge(icmp->sender);
  if (!expired || question.beyond || question.nearer) return;
  if (question.by_tcp) {
    syn_passed_.insert(question.remote);
  } else {
    trunks_[question.remote.address.is_v6()].passed.insert(question.remote.port);
  }
}

asio::awaitable<void> SiteEdge::make_next_wave(Scope scope) {
  // Questions that are asked at the same moment share a wave and its control.
  const auto soon = scope.clock.now() + timeouts::icmp_gather;
  bool going_on = co_await sleep_until(executor_, scope, soon);
  const auto questions = next_questions(soon);
  const auto sent = scope.clock.now();
  std::set<Hop> answered;
  std::exception_ptr thrown;
  try {
    if (going_on) answered = co_await make_wave(scope, questions);
  } catch (...) {
    thrown = std::current_exception();
    going_on = false;
  }
  for (const auto& question : questions) note(*question);
  for (const auto& hop : answered) ++heard_[hop.address];
  const bool short_of_answers =
      std::any_of(questions.begin(), questions.end(), [&](const auto& question) {
        return question->controlled && !question->settled() && !answered.contains(question->hop());
      });
  exhausted_ |= short_of_answers;
  const auto now = scope.clock.now();
  // Routers count from their last answer, and what they left unanswered costs them nothing.
  const auto next = std::max(now, sent + timeouts::icmp_refill);
  std::size_t again = 0;
  const auto put_back = [&](const std::shared_ptr<Question>& question) {
    queue_.insert(queue_.begin() + static_cast<std::ptrdiff_t>(again++), question);
  };
  for (const auto& question : questions) {
    const bool control_answered = answered.contains(question->hop());
    if (question->beyond && control_answered && !question->settled() && going_on) {
      question->beyond = false;
      put_back(question);
      continue;
    }
    const bool settled = question->settled() || control_answered || !going_on;
    const bool alone = !settled && !question->controlled;
    if (alone && now + patience(*question) <= question->until) {
      question->controlled = true;
      put_back(question);
    } else if (settled || alone || !waits(question->need) ||
               next + patience(*question) > question->until) {
      Answer answer = question->heard;
      answer.control_answered =
          control_answered && question->sent && question->way.speaks_for_others;
      answer.hop = question->hop();
      question->answer.deliver(std::move(answer));
    } else {
      put_back(question);
    }
  }
  if (thrown) std::rethrow_exception(thrown);
  if (short_of_answers) tell_the_hasty(next + patience());
  if (short_of_answers && !queue_.empty()) {
    co_await sleep_until(executor_, scope, next);  // stopped: the next turn answers everybody
  }
}

// Questions that have come meanwhile and cannot wait for the hop's next answers need not wait for
// the next wave either.
void SiteEdge::tell_the_hasty(Instant next_answers) {
  std::erase_if(queue_, [&](const auto& question) {
    if (waits(question->need) && question->until >= next_answers) return false;
    question->answer.deliver(question->heard);
    return true;
  });
}

// One round of packets: ends when each has its answer or its time is up. Returns the hops whose
// controls were answered.
asio::awaitable<std::set<Hop>> SiteEdge::make_wave(Scope scope, const Questions& questions) {
  const auto answered = std::make_shared<std::set<Hop>>();
  auto longest = timeouts::icmp_reply;
  for (const auto& question : questions) longest = std::max(longest, patience(*question));
  const auto deadline = scope.clock.now() + longest;
  std::map<Hop, std::shared_ptr<const Climb>> controls;
  TaskGroup wave(executor_);
  for (const auto& question : questions) {
    const auto hop = question->hop();
    if (question->controlled) controls.try_emplace(hop, question->climb());
    question->sent = question->by_tcp;
    if (question->by_tcp) {
      question->heard.asked = true;
      wave.start([&] { return connect(executor_, question, longest); });
      continue;
    }
    if (question->socket == nullptr) continue;
    question->socket->set_ttl(hop.ttl);
    const auto sent = question->socket->send(question->payload);
    question->socket->set_ttl(0);
    question->heard.kept_here = sent.has_error() && sent.error().kind == FailureKind::kept_here;
    question->sent = !sent.has_error();
    question->heard.asked |= question->sent || question->heard.kept_here;
    if (sent.has_error()) continue;
    question->listening = true;
    if (!wave.start([&] { return hear(question, deadline); })) question->listening = false;
  }
  for (const auto& [hop, climb] : controls) {
    wave.start([&] {
      return control(executor_, answered, hop, climb->flow, climb->by_tcp, climb->interface,
                     longest, scope);
    });
  }
  auto thrown = co_await wave.ended();
  if (thrown) std::rethrow_exception(thrown);
  co_return *answered;
}

asio::awaitable<void> SiteEdge::hear(std::shared_ptr<Question> question, Instant deadline) {
  struct End {
    Question& question;
    ~End() { question.listening = false; }
  };
  const End end{*question};
  const auto icmp = co_await question->socket->receive_icmp(question->scope, deadline);
  if (icmp.has_error()) {
    question->sent = icmp.error().kind == FailureKind::timed_out;
  } else {
    question->heard.icmp = *icmp;
  }
}

asio::awaitable<void> SiteEdge::connect(asio::any_io_executor executor,
                                        std::shared_ptr<Question> question, milliseconds patience) {
  ConnectOptions options;
  options.interface = question->interface;
  options.ttl = question->hop().ttl;
  options.timeout = patience;
  const auto scope = question->scope;
  const auto remote = question->remote;
  auto connected = co_await connect_tcp(executor, scope, remote, options);
  if (!connected.has_error()) {
    question->heard.taken = true;
  } else if (connected.error().kind == FailureKind::kept_here) {
    question->heard.kept_here = true;
  } else if (connected.error().icmp) {
    question->heard.icmp = connected.error().icmp;
  } else if (connected.error().kind == FailureKind::connection_refused) {
    question->heard.reset = true;
  } else {
    // Any other failure means that this computer lacks a socket, or a route there.
    question->sent = connected.error().kind == FailureKind::timed_out;
  }
}

}  // namespace callready
