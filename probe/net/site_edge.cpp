#include "probe/net/site_edge.hpp"

#include <algorithm>

#include "probe/model/port_order.hpp"
#include "probe/net/own_site.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// A climb goes on as long as one of this many routers in a row answers: some never do.
constexpr int at_once = 4;
// Over TCP, towards a listener; no path today is that long.
constexpr int deepest = 16;
// Over UDP: what listens at a media network's address is somebody else's machine.
constexpr int deepest_by_udp = 8;
// How many targets of a run get a climb of their own, per address family.
constexpr std::size_t most_climbs = 4;
// How often routers that answered nobody are asked again: another run at this site may have used up
// their answers, and they have a new one each second.
constexpr int most_searches = 3;
// The same where none was heard, not even one within the site: such routers hardly ever speak.
constexpr int most_searches_in_silence = 1;
// How many listeners are remembered, in case something nearby accepts connections to some of them.
constexpr std::size_t most_listeners = 16;

bool outside(const IpAddress& router, int ttl, const IpAddress& own) {
  return ttl >= 2 && beyond_the_edge(router) && !of_our_site(router, own);
}

// Far enough from each other that their ways part beyond the provider.
bool far_apart(const IpAddress& one, const IpAddress& other) {
  const Network network{one, one.is_v6() ? 32 : 16};
  return !network.masked().contains(other);
}

// True where the way over UDP got as far as the way over TCP, or left it.
bool parts(const Routers& over_tcp, const std::optional<Hop>& end_of_udp) {
  if (!end_of_udp) return false;
  const auto there = over_tcp.find(end_of_udp->ttl);
  const bool goes_on = there != over_tcp.end() && there->second == end_of_udp->address &&
                       over_tcp.rbegin()->first > end_of_udp->ttl;
  return !goes_on;
}

}  // namespace

bool turned_away(const IcmpError& error, const IpAddress& target) {
  const bool says_no =
      error.kind == IcmpKind::prohibited || error.kind == IcmpKind::port_unreachable;
  return says_no && error.sender != target && far_apart(target, error.sender);
}

bool knows_no_way(const IcmpError& error) {
  return error.kind == IcmpKind::network_unreachable || error.kind == IcmpKind::host_unreachable;
}

bool was_not_sent(const IcmpError& error) { return error.own && knows_no_way(error); }

bool beyond_the_edge(const IpAddress& router) {
  return !router.is_private() && !router.is_link_local() && !router.is_loopback() &&
         !router.is_unspecified();
}

bool of_our_site(const IpAddress& router, const IpAddress& own) {
  if (router.is_v6() != own.is_v6()) return false;
  const Network ours{own, own.is_v6() ? 48 : 24};
  return ours.masked().contains(router);
}

std::optional<Hop> nearest_outside(const Routers& routers, const IpAddress& own) {
  for (const auto& [ttl, router] : routers) {
    if (outside(router, ttl, own)) return Hop{ttl, router};
  }
  return std::nullopt;
}

std::optional<Hop> farthest_outside(const Routers& routers, const IpAddress& own) {
  for (auto at = routers.rbegin(); at != routers.rend(); ++at) {
    if (outside(at->second, at->first, own)) return Hop{at->first, at->second};
  }
  return std::nullopt;
}

Routers shared(const Routers& one, const Routers& other) {
  Routers both;
  std::set_intersection(one.begin(), one.end(), other.begin(), other.end(),
                        std::inserter(both, both.end()));
  return both;
}

std::optional<Hop> SiteEdge::Climb::farthest() const {
  auto before = routers;
  std::erase_if(before, [&](const auto& at) { return at.second == flow.address; });
  return farthest_outside(before, own);
}

milliseconds SiteEdge::patience() const {
  const auto timeout = round_trips_.timeout();
  if (!timeout) return timeouts::icmp_reply_unknown;
  return std::clamp(std::chrono::ceil<milliseconds>(*timeout), timeouts::icmp_reply,
                    timeouts::icmp_reply_slow);
}

// Waits longer if the round trips that are learnt meanwhile ask for it.
asio::awaitable<Result<IcmpError>> SiteEdge::receive_with_patience(UdpSocket& socket, Scope scope) {
  const auto start = scope.clock.now();
  for (auto waited = timeouts::icmp_reply;;) {
    auto icmp = co_await socket.receive_icmp(scope, start + waited);
    const bool late = icmp.has_error() && icmp.error().kind == FailureKind::timed_out;
    const auto patient = patience();
    if (!late || patient <= waited) co_return icmp;
    waited = patient;
  }
}

void SiteEdge::note_error(const IcmpError& error, const IpAddress& target) {
  ++heard_[error.sender];
  if (knows_no_way(error) && !error.own) no_way_.emplace(target, error);
}

// The parameters live in the coroutine's frame: it may outlast its starter.
asio::awaitable<void> SiteEdge::ask_router(std::shared_ptr<Climb> climb, int ttl, Scope scope) {
  // Runs at the end of one question, however that comes.
  struct End {
    std::shared_ptr<Climb> climb;
    ~End() {
      if (--climb->running == 0) climb->ended.deliver(true);
    }
  };
  const End end{climb};
  std::optional<IpAddress> router;
  const auto asked = scope.clock.now();
  if (climb->by_tcp) {
    ConnectOptions options;
    options.interface = climb->interface;
    options.ttl = ttl;
    options.timeout = patience();
    const auto remote = climb->flow;
    auto connected = co_await connect_tcp(executor_, scope, remote, options);
    // Where the system reports the error without its sender (Windows), the router stays unknown.
    if (connected.has_error() && connected.error().icmp) {
      const auto& icmp = *connected.error().icmp;
      note_error(icmp, remote.address);
      if (icmp.kind == IcmpKind::time_exceeded) router = icmp.sender;
    }
    const auto own = connected.has_error() ? IpAddress() : (*connected)->local().address;
    if (!own.is_unspecified()) climb->own = own;
    climb->taken_near |= !connected.has_error() && ttl == 1;
  } else {
    UdpSocket::Options options;
    options.interface = climb->interface;
    options.ttl = ttl;
    auto socket = UdpSocket::open(executor_, climb->flow, options);
    if (socket.has_error()) co_return;
    climb->own = socket->local().address;
    const std::array<std::uint8_t, 12> payload{0x80};  // an RTP header (RFC 3550), all else zero
    const auto sent = socket->send(payload);
    if (sent.has_error()) co_return;
    climb->sent = true;
    const auto icmp = co_await receive_with_patience(*socket, scope);
    if (icmp.has_error()) co_return;
    note_error(*icmp, climb->flow.address);
    if (icmp->kind == IcmpKind::time_exceeded) router = icmp->sender;
    const bool refused = turned_away(*icmp, climb->flow.address);
    if (refused && (!climb->refused || ttl < climb->refused->ttl)) climb->refused = {ttl, *icmp};
  }
  if (!router) co_return;
  climb->routers.emplace(ttl, *router);
  climb->round_trips.emplace(ttl, elapsed(asked, scope.clock.now()));
  const bool v6 = climb->flow.address.is_v6();
  const auto trunk = trunks_.find(v6);  // which may wait for something to compare
  if (!recalled_.empty() && trunk != trunks_.end() && trunk->second.over_udp == climb &&
      trunk->second.wanted)
    lengthen_trunk(v6, climb->interface, scope);
  if (climb->hasty && beyond_the_edge(*router)) {
    climb->ended.deliver(true);
    co_return;
  }
  go_on(climb, ttl + at_once, scope);
}

void SiteEdge::go_on(const std::shared_ptr<Climb>& climb, int until, Scope scope) {
  const int last = std::min(until, climb->by_tcp ? deepest : deepest_by_udp);
  while (climb->begun < last && !scope.stop.stopped()) {
    const int ttl = ++climb->begun;
    ++climb->running;
    const bool started = tasks_.start([&] { return ask_router(climb, ttl, scope); });
    if (!started && --climb->running == 0) climb->ended.deliver(true);
  }
}

std::shared_ptr<SiteEdge::Climb> SiteEdge::start(SocketAddress flow, bool by_tcp, int from,
                                                 std::string interface, Scope scope) {
  const auto climb = std::make_shared<Climb>(executor_, flow, by_tcp, std::move(interface));
  climb->begun = from - 1;
  go_on(climb, from - 1 + at_once, scope);
  if (climb->running == 0) climb->ended.deliver(true);
  return climb;
}

void SiteEdge::reached(SocketAddress listener, Milliseconds took, const std::string& interface,
                       Scope scope) {
  if (beyond_the_edge(listener.address)) round_trips_.add(took);
  reached(listener, interface, scope);
}

void SiteEdge::reached(SocketAddress listener, const std::string& interface, Scope scope) {
  if (listener.address.is_special()) return;
  auto& trunk = trunks_[listener.address.is_v6()];
  auto& known = trunk.listeners;
  if (known.size() < most_listeners) add_once(known, listener);
  if (trunk.wanted) lengthen_trunk(listener.address.is_v6(), interface, scope);
}

// One listener's way is enough to find the trunk if the way over UDP gets as far, or leaves it:
// each further one costs every router on it an answer.
std::size_t SiteEdge::ways_wanted(const Trunk& trunk) const {
  if (!trunk.over_udp) return 2;
  if (!trunk.over_udp->ended.delivered()) return 1;
  if (trunk.ways.empty() || !trunk.ways.front()->ended.delivered()) return 1;
  const auto& way = *trunk.ways.front();
  const bool told = parts(way.routers, trunk.over_udp->farthest()) &&
                    far_apart(way.flow.address, trunk.over_udp->flow.address);
  return told ? 1 : 2;
}

bool SiteEdge::is_known(const Trunk& trunk) const {
  const auto ended = [](const auto& way) { return way->ended.delivered(); };
  return (!trunk.over_udp || ended(trunk.over_udp)) && trunk.ways.size() >= ways_wanted(trunk) &&
         std::all_of(trunk.ways.begin(), trunk.ways.end(), ended);
}

// The listener's way as recalled, if this run's climb over UDP shares routers with it beyond the
// edge.
std::shared_ptr<SiteEdge::Climb> SiteEdge::recalled_climb(const Trunk& trunk,
                                                          const SocketAddress& listener) {
  if (!trunk.over_udp) return nullptr;
  const auto& here = *trunk.over_udp;
  for (const auto& way : recalled_) {
    if (way.listener != listener || way.own != here.own) continue;
    if (!farthest_outside(shared(way.routers, here.routers), here.own)) continue;
    const auto climb = std::make_shared<Climb>(executor_, listener, true, here.interface);
    climb->recalled = &way;
    climb->own = way.own;
    climb->routers = way.routers;
    climb->ended.deliver(true);
    return climb;
  }
  return nullptr;
}

// Climbs towards the first listeners that are far apart, as many as are wanted. Recalled ways go
// first, once the climb over UDP shows something to compare them with.
void SiteEdge::lengthen_trunk(bool v6, const std::string& interface, Scope scope) {
  auto& trunk = trunks_[v6];
  auto& ways = trunk.ways;
  const auto& over_udp = trunk.over_udp;
  const bool comparing = !recalled_.empty() && over_udp && !over_udp->ended.delivered() &&
                         !nearest_outside(over_udp->routers, over_udp->own);
  if (comparing) return;
  const auto wanted = [&](const SocketAddress& listener) {
    return ways.size() < ways_wanted(trunk) && !trunk.intercepted.contains(listener.port) &&
           (ways.empty() || far_apart(ways[0]->flow.address, listener.address));
  };
  for (const auto& listener : trunk.listeners) {
    auto climb = wanted(listener) ? recalled_climb(trunk, listener) : nullptr;
    if (climb) ways.push_back(std::move(climb));
  }
  for (const auto& listener : trunk.listeners) {
    if (!wanted(listener)) continue;
    const auto climb = start(listener, true, 1, interface, scope);
    ways.push_back(climb);
    tasks_.start([this, climb, scope] { return follow(climb, scope); });
  }
}

std::vector<KnownWay> SiteEdge::known_ways(WallTime now) const {
  std::vector<KnownWay> known;
  for (const auto& [v6, trunk] : trunks_) {
    for (const auto& way : trunk.ways) {
      if (way->recalled || !way->ended.delivered() || !way->farthest()) continue;
      known.push_back({way->flow, way->own, way->routers, now});
    }
  }
  const auto fresh = known;
  for (const auto& way : recalled_) {
    const auto again = [&](const KnownWay& one) { return one.listener == way.listener; };
    if (std::none_of(fresh.begin(), fresh.end(), again)) known.push_back(way);
  }
  return known;
}

// Acts on the climb once it has ended. If somebody near accepted its connection, it shows nothing:
// another one takes its place.
asio::awaitable<void> SiteEdge::follow(std::shared_ptr<Climb> climb, Scope scope) {
  const auto limit = scope.clock.now() + timeouts::climb;
  co_await climb->ended.wait(scope, limit);
  const bool v6 = climb->flow.address.is_v6();
  auto& trunk = trunks_[v6];
  if (climb->taken_near) {
    trunk.intercepted.insert(climb->flow.port);
    std::erase(trunk.ways, climb);
  }
  const bool stopped = scope.stop.stopped();
  if (!stopped && trunk.wanted) lengthen_trunk(v6, climb->interface, scope);
  if (!is_known(trunk) && !stopped) co_return;
  for (const auto& waiter : trunk.waiting) waiter.deliver(true);
  trunk.waiting.clear();
}

// Waits as long as listeners may take to be reached, and then for the climbs that were begun.
asio::awaitable<void> SiteEdge::wait_for_trunk(bool v6, std::string interface, Scope scope) {
  auto& trunk = trunks_[v6];
  if (!trunk.wanted) trunk.wanted = scope.clock.now();
  lengthen_trunk(v6, interface, scope);
  if (is_known(trunk)) co_return;
  const OneShot<bool> told(executor_);
  trunk.waiting.push_back(told);
  auto until = scope.clock.now() + timeouts::edge_search;
  const auto waited = co_await told.wait(scope, until);
  const auto at_last = *trunk.wanted + timeouts::edge_search_slow;
  if (waited.has_error() && trunk.listeners.empty() && until < at_last && !scope.stop.stopped()) {
    until = at_last;
    co_await told.wait(scope, until);
  }
  const auto begun = trunk.ways;
  for (const auto& way : begun) {
    co_await way->ended.wait(scope, until + timeouts::climb);
  }
}

bool SiteEdge::may_search_again(const Trunk& trunk) const {
  const auto silent = [](const auto& climb) { return climb->routers.empty(); };
  const bool all_silent =
      (!trunk.over_udp || silent(trunk.over_udp)) && std::ranges::all_of(trunk.ways, silent);
  const int most = all_silent ? most_searches_in_silence : most_searches;
  return !trunk.listeners.empty() && trunk.searches < most;
}

// Waits for the trunk and for the first climb over UDP. If no router beyond the edge answered
// although connections were established, both climb again as soon as routers have new answers.
asio::awaitable<void> SiteEdge::search(SocketAddress target, std::string interface, Scope scope) {
  const auto v6 = target.address.is_v6();
  auto& trunk = trunks_[v6];
  for (;;) {
    co_await wait_for_trunk(v6, interface, scope);
    if (const auto over_udp = trunk.over_udp) {
      const auto until = scope.clock.now() + timeouts::climb;
      co_await over_udp->ended.wait(scope, until);
    }
    if (way_to(target) || !may_search_again(trunk) || scope.stop.stopped()) co_return;
    const bool leads = !std::exchange(trunk.searching, true);
    const auto next = scope.clock.now() + timeouts::icmp_refill;
    const bool slept = co_await sleep_until(executor_, scope, next);
    if (!leads || !slept) continue;
    trunk.searching = false;
    ++trunk.searches;
    // Ways that are known need no second answer: there may be one for the others.
    std::erase_if(trunk.ways, [](const auto& way) { return !way->farthest(); });
    if (trunk.over_udp && !trunk.over_udp->farthest()) {
      trunk.over_udp = start(trunk.over_udp->flow, false, 2, interface, scope);
      const auto climb = trunk.over_udp;
      climbs_[climb->flow.address] = climb;
      tasks_.start([&] { return follow(climb, scope); });
    }
  }
}

std::optional<SiteEdge::Way> SiteEdge::end_of_trunk(const SocketAddress& target) const {
  const auto found = trunks_.find(target.address.is_v6());
  if (found == trunks_.end() || found->second.ways.empty()) {
    // Somebody near may accept every connection: then go as far as UDP to another target was seen
    // to get.
    for (const auto& [address, climb] : climbs_) {
      if (address.is_v6() != target.address.is_v6()) continue;
      const auto hop = nearest_outside(climb->routers, climb->own);
      if (hop) return Way{*hop, climb};
    }
    return std::nullopt;
  }
  const auto& ways = found->second.ways;
  const auto& first = ways.front();
  for (const auto& way : ways) {
    if (way->flow.address != target.address) continue;
    if (const auto hop = way->farthest()) return Way{*hop, way};
  }
  const auto& over_udp = found->second.over_udp;
  const Climb* other = nullptr;
  if (ways.size() == 2) other = ways.back().get();
  if (ways.size() == 1 && over_udp && parts(first->routers, over_udp->farthest()))
    other = over_udp.get();
  if (other != nullptr) {
    const auto hop = farthest_outside(shared(first->routers, other->routers), first->own);
    if (hop) return Way{*hop, first};
  }
  // One way alone does not show which of its routers are on other ways, too.
  const auto hop = nearest_outside(first->routers, first->own);
  if (!hop) return std::nullopt;
  Way way{*hop, first};
  // If the other way has routers outside, too, but none of these, then none of these is on every
  // way.
  way.speaks_for_others = other == nullptr || !nearest_outside(other->routers, first->own);
  return way;
}

std::optional<SiteEdge::Way> SiteEdge::way_to(const SocketAddress& target) const {
  auto way = farthest_on_way_to(target);
  const auto climb = climbs_.find(target.address);
  if (!way || climb == climbs_.end()) return way;
  const auto& refused = climb->second->refused;
  if (refused && refused->ttl > way->hop.ttl) way->refused = climb->second;
  return way;
}

std::optional<SiteEdge::Way> SiteEdge::farthest_on_way_to(const SocketAddress& target) const {
  const auto trunk = end_of_trunk(target);
  const auto climb = climbs_.find(target.address);
  if (climb == climbs_.end()) return trunk;
  const auto farthest = climb->second->farthest();
  if (!farthest) return trunk;
  const Way own{*farthest, climb->second};
  if (!trunk) return own;
  // If another way, which works, goes on beyond this router, something may still stop packets
  // there.
  const bool as_far = farthest->ttl == trunk->hop.ttl && parts(trunk->climb->routers, farthest);
  return farthest->ttl > trunk->hop.ttl || as_far ? own : trunk;
}

bool SiteEdge::passed(const PortRange& ports, bool v6) const {
  const auto trunk = trunks_.find(v6);
  if (trunk == trunks_.end()) return false;
  const auto& passed = trunk->second.passed;
  const auto first = passed.lower_bound(ports.first), end = passed.upper_bound(ports.last);
  if (first == end) return false;
  return !is_wide(ports) || *std::prev(end) - *first >= static_cast<int>(ports.count() / 3);
}

std::optional<std::uint16_t> SiteEdge::syn_passed(const IpAddress& address,
                                                  const PortRange& ports) const {
  const auto found = syn_passed_.lower_bound({address, ports.first});
  const bool its = found != syn_passed_.end() && found->address == address;
  return its && ports.contains(found->port) ? std::optional(found->port) : std::nullopt;
}

milliseconds SiteEdge::backlog() const {
  const auto ahead = std::count_if(queue_.begin(), queue_.end(), [](const auto& question) {
    return question->need == Need::decides || question->need == Need::confirms;
  });
  return ahead * timeouts::icmp_refill;
}

std::size_t SiteEdge::begin_with(const std::vector<std::uint16_t>& sample, bool v6) {
  auto& begun = trunks_[v6].begun;
  // Packets that pass to a system port say nothing about the ports that media uses.
  auto media = std::lower_bound(sample.begin(), sample.end(), first_user_port);
  if (media == sample.end()) media = sample.begin();
  const auto farthest = farthest_first({media, sample.end()}, begun).front();
  begun.insert(farthest);
  return static_cast<std::size_t>(std::ranges::find(sample, farthest) - sample.begin());
}

asio::awaitable<SiteEdge::Found> SiteEdge::find(SocketAddress target, std::string interface,
                                                Scope scope) {
  Found found;
  if (target.address.is_loopback()) co_return found;
  const auto v6 = target.address.is_v6();
  auto& trunk = trunks_[v6];
  if (!trunk.over_udp) {
    trunk.over_udp = start(target, false, 1, interface, scope);
    const auto climb = trunk.over_udp;
    climbs_[target.address] = climb;
    tasks_.start([&] { return follow(climb, scope); });
  }
  co_await search(target, interface, scope);
  const auto same = std::count_if(climbs_.begin(), climbs_.end(),
                                  [&](const auto& climb) { return climb.first.is_v6() == v6; });
  // Where routers answer beyond what all ways have in common, the target's own are asked: nobody
  // else needs their answers.
  const auto end = end_of_trunk(target);
  const auto farthest = trunk.over_udp->farthest();
  const bool own_speak = end && farthest && farthest->ttl > end->hop.ttl;
  const bool first = !climbs_.contains(target.address);
  if (first && own_speak && static_cast<std::size_t>(same) < most_climbs) {
    const auto climb = start(target, false, end->hop.ttl + 1, interface, scope);
    climb->hasty = true;
    climbs_[target.address] = climb;
  }
  const auto known = climbs_.find(target.address);
  const auto climb = known == climbs_.end() ? nullptr : known->second;
  if (climb) {
    const auto until = scope.clock.now() + timeouts::climb;
    co_await climb->ended.wait(scope, until);
  }
  found.sent = climb && climb->flow == target && climb->sent;
  if (const auto way = way_to(target)) {
    found.hop = way->hop;
    found.by_this_call = climb && way->climb == climb && climb->flow == target;
    if (found.by_this_call) trunk.passed.insert(target.port);
  }
  if (climb && climb->flow.port == target.port) found.refused = climb->refused;
  co_return found;
}

asio::awaitable<SiteEdge::Found> SiteEdge::find_trunk(SocketAddress target, std::string interface,
                                                      Scope scope) {
  Found found;
  co_await search(target, interface, scope);
  if (const auto way = way_to(target)) {
    found.hop = way->hop;
    co_return found;
  }
  found = co_await find(target, std::move(interface), scope);
  co_return found;
}

Routers SiteEdge::routers(const SocketAddress& target) const {
  const auto way = way_to(target);
  if (!way) return {};
  auto routers = way->climb->routers;
  if (way->climb->recalled) {  // this run saw only those that its own climb passed, too
    routers = shared(routers, trunks_.at(target.address.is_v6()).over_udp->routers);
  }
  routers.erase(routers.upper_bound(way->hop.ttl), routers.end());
  // The gateway is common to all, and only the first climb asks for it.
  for (const auto& [address, climb] : climbs_) {
    const auto gateway = climb->routers.find(1);
    const bool same_family = address.is_v6() == target.address.is_v6();
    if (same_family && gateway != climb->routers.end()) routers.insert(*gateway);
  }
  return routers;
}

asio::awaitable<Routers> SiteEdge::look_around(SocketAddress target, std::string interface,
                                               Scope scope) {
  Routers routers;
  const auto v6 = target.address.is_v6();
  // Only the trunk's climb and one of our own ask all routers from the first on.
  const auto trunk = trunks_.find(v6);
  auto climb = trunk == trunks_.end() ? nullptr : trunk->second.over_udp;
  const auto any = std::find_if(climbs_.begin(), climbs_.end(),
                                [&](const auto& one) { return one.first.is_v6() == v6; });
  if (!climb && any != climbs_.end()) climb = any->second;
  if (!climb) {
    climb = start(target, false, 1, std::move(interface), scope);
    climbs_.try_emplace(climb->flow.address, climb);
  }
  const auto until = scope.clock.now() + timeouts::climb;
  co_await climb->ended.wait(scope, until);
  routers = climb->routers;
  const auto edge = nearest_outside(routers, climb->own);
  if (edge) routers.erase(routers.upper_bound(edge->ttl), routers.end());
  co_return routers;
}

}  // namespace callready
