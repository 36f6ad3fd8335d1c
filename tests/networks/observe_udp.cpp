// How far packets get, and the checks that are made of datagrams.
#include <algorithm>
#include <cmath>

#include "tests/networks/observe.hpp"
#include "tests/networks/words.hpp"

namespace callready::networks {
namespace {

constexpr double icmp_reply_ms = 500, icmp_unknown_ms = 1000, icmp_slow_ms = 1200;
constexpr double icmp_refill_ms = 1100, edge_search_ms = 1000, edge_search_slow_ms = 2000;
constexpr int at_once = 4, deepest = 16, deepest_by_udp = 8;  // of a climb
constexpr std::size_t most_climbs = 4;
constexpr int most_searches = 3, most_answers = 3;

bool beyond_the_edge(const IpAddress& router) {
  return !router.is_private() && !router.is_link_local() && !router.is_loopback() &&
         !router.is_unspecified();
}

// A router, by its TTL.
bool outside(const std::pair<const int, IpAddress>& router, const IpAddress& own) {
  return router.first >= 2 && beyond_the_edge(router.second) &&
         !callready::Network{own, 24}.masked().contains(router.second);
}

}  // namespace

double Observer::icmp_patience(double at_ms) const {
  RoundTrips trips;
  for (const auto& [when, took] : round_trips_) {
    if (when <= at_ms) trips.add(Milliseconds(took));
  }
  const auto timeout = trips.timeout();
  return timeout ? std::clamp(timeout->count(), icmp_reply_ms, icmp_slow_ms) : icmp_unknown_ms;
}

double Observer::growing_patience(double at_ms) const {
  double patience = icmp_reply_ms;
  for (;;) {
    const auto now = icmp_patience(at_ms + patience);
    if (now <= patience) return patience;
    patience = now;
  }
}

// One packet whose TTL ends on the way.
Observer::Expired Observer::expire(const Packet& packet, int ttl, double at_ms,
                                   double patience_ms) {
  Expired answer;
  answer.ended_ms = at_ms + patience_ms;
  if (packet.proto == Proto::tcp) {
    const auto connection = connect(packet.to, packet.port, at_ms, ttl, patience_ms);
    answer.ended_ms = connection.at_ms;
    if (connection.stands) answer.kind = Expired::taken;
    answer.sender = connection.heard.sender;
    if (connection.heard.kind == Heard::expired) answer.kind = Expired::expired;
    if (connection.heard.kind == Heard::refused) answer.kind = Expired::reset;
    if (connection.heard.kind == Heard::prohibited) answer.kind = Expired::prohibited;
    return answer;
  }
  if (packet.to.is_unspecified()) {  // this computer itself, which does not listen
    answer.kind = Expired::port_unreachable;
    answer.sender = IpAddress::v4({127, 0, 0, 1});
    answer.ended_ms = at_ms;
    return answer;
  }
  const auto fate = traffic_.send(packet, at_ms, ttl);
  const auto took = traffic_.round_trip_to(fate.hop);
  if (took > patience_ms) return answer;
  if (fate.kind == Fate::expires && traffic_.says_expired(fate.hop, packet.to, at_ms)) {
    answer.kind = Expired::expired;
    answer.sender = traffic_.router(fate.hop, packet.to);
  } else if (fate.kind == Fate::prohibited && traffic_.says_refused(fate.hop, packet.to, at_ms)) {
    answer.kind = Expired::prohibited;
    answer.sender = traffic_.router(fate.hop, packet.to);
  } else if (fate.kind == Fate::refused && traffic_.says_refused(fate.hop, packet.to, at_ms)) {
    answer.kind = Expired::port_unreachable;
    answer.sender = traffic_.refuser(fate, packet);
  } else {
    return answer;
  }
  answer.ended_ms = at_ms + took;
  return answer;
}

// probe/net/site_edge.cpp
Observer::Climb Observer::climb(Proto proto, const IpAddress& to, std::uint16_t port, int from,
                                double at_ms, bool hasty) {
  Climb climb;
  climb.proto = proto;
  climb.to = to;
  climb.port = port;
  climb.ended_ms = at_ms;
  const int most = proto == Proto::tcp ? deepest : deepest_by_udp;
  int last = from - 1 + at_once;
  for (int ttl = from; ttl <= std::min(last, most); ++ttl) {
    Packet packet;
    packet.proto = proto;
    packet.to = to;
    packet.port = port;
    packet.from = traffic_.new_port_on_the_way();
    if (proto == Proto::udp) packet.payload = Payload::rtp;
    const auto patience = proto == Proto::tcp ? icmp_patience(at_ms) : growing_patience(at_ms);
    const auto answer = expire(packet, ttl, at_ms, patience);
    climb.ended_ms = std::max(climb.ended_ms, answer.ended_ms);
    climb.taken_near |= ttl == 1 && answer.kind == Expired::taken;
    const bool says_no =
        answer.kind == Expired::prohibited || answer.kind == Expired::port_unreachable;
    const bool its_own = callready::Network{to, 16}.masked().contains(answer.sender);
    if (says_no && !its_own && !climb.refused) climb.refused = End{ttl, answer.sender};
    if (answer.kind == Expired::expired || says_no) ++heard_[answer.sender];
    if (answer.kind != Expired::expired) continue;
    climb.routers.emplace(ttl, answer.sender);
    climb.round_trips.emplace(ttl, answer.ended_ms - at_ms);
    last = ttl + at_once;
    if (!hasty || !beyond_the_edge(answer.sender)) continue;
    climb.ended_ms = answer.ended_ms;
    break;
  }
  return climb;
}

// Towards the first two listeners that are reached and far apart, and whose connections nobody near
// takes for himself.
void Observer::find_trunk(double& at_ms) {
  if (trunk_) {
    for (const auto& way : *trunk_) at_ms = std::max(at_ms, way.ended_ms);
    return;
  }
  trunk_.emplace();
  if (search_trunk(at_ms, edge_search_ms)) return;
  search_trunk(at_ms, edge_search_slow_ms);
}

// False where nobody was reached in that time; else `at_ms` becomes when that was known.
bool Observer::search_trunk(double& at_ms, double limit_ms) {
  std::set<std::uint16_t> intercepted;
  double ended = at_ms + limit_ms;
  bool any = false;
  for (const auto& [host, port] : listeners_) {
    if (trunk_->size() == 2 || intercepted.contains(port) || trunk_is_told()) continue;
    const auto found = resolve(host, at_ms);
    if (!found.address || found.address->is_special()) continue;
    const auto& to = *found.address;
    const bool near =
        !trunk_->empty() && callready::Network{trunk_->front().to, 16}.masked().contains(to);
    const auto when = at_ms + found.took_ms + 1.5 * traffic_.round_trip(to);
    Packet syn;
    syn.proto = Proto::tcp;
    syn.to = to;
    syn.port = port;
    const auto fate = traffic_.always(syn);
    const bool listens = traffic_.internet().listens(to, Proto::tcp, port);
    const auto far = traffic_.far(to);
    const bool up = far != FarFault::down && far != FarFault::refuses && far != FarFault::gone;
    const bool stands = fate.kind == Fate::taken || (fate.kind == Fate::arrives && listens && up);
    if (!stands || when > at_ms + limit_ms) continue;
    any = any_listener_ = true;
    if (near) continue;
    auto way = climb(Proto::tcp, to, port, 1, when);
    if (way.taken_near) {
      intercepted.insert(port);
      continue;
    }
    trunk_->push_back(std::move(way));
  }
  if (trunk_->size() == 2 || trunk_is_told()) {
    ended = std::max(trunk_->front().ended_ms, trunk_->back().ended_ms);
  }
  if (any || limit_ms > edge_search_ms) at_ms = ended;
  return any;
}

// SiteEdge::ways_wanted(): one listener's way is enough where UDP's own gets as far, or leaves it.
bool Observer::trunk_is_told() const {
  if (!over_udp_ || !trunk_ || trunk_->size() != 1) return false;
  const auto& way = trunk_->front();
  const auto udp = climbs_.find(over_udp_->first);
  if (udp == climbs_.end()) return false;
  const auto end = farthest(udp->second);
  if (!end || callready::Network{way.to, 16}.masked().contains(over_udp_->first)) return false;
  const auto there = way.routers.find(end->ttl);
  return there == way.routers.end() || there->second != end->address ||
         way.routers.rbegin()->first <= end->ttl;
}

std::optional<Observer::End> Observer::farthest(const Climb& climb) const {
  for (auto at = climb.routers.rbegin(); at != climb.routers.rend(); ++at) {
    if (at->second != climb.to && outside(*at, traffic_.network().pc)) {
      return End{at->first, at->second};
    }
  }
  return std::nullopt;
}

std::optional<Observer::Way> Observer::end_of_trunk(const IpAddress& target) const {
  if (!trunk_ || trunk_->empty()) {
    for (const auto& [address, climb] : climbs_) {
      for (const auto& at : climb.routers) {
        if (outside(at, traffic_.network().pc)) return Way{{at.first, at.second}, climb};
      }
    }
    return std::nullopt;
  }
  const auto& first = trunk_->front();
  for (const auto& way : *trunk_) {
    if (way.to != target) continue;
    if (const auto hop = farthest(way)) return Way{*hop, way};
  }
  if (trunk_->size() == 2 || trunk_is_told()) {
    auto both = first;
    const auto& others =
        trunk_->size() == 2 ? trunk_->back().routers : climbs_.at(over_udp_->first).routers;
    std::erase_if(both.routers, [&](const auto& at) {
      const auto other = others.find(at.first);
      return other == others.end() || other->second != at.second;
    });
    if (const auto hop = farthest(both)) return Way{*hop, first};
  }
  for (const auto& at : first.routers) {
    if (outside(at, traffic_.network().pc)) return Way{{at.first, at.second}, first};
  }
  return std::nullopt;
}

std::optional<Observer::Way> Observer::way_to(const IpAddress& target) const {
  auto way = known_way_to(target);
  const auto climb = climbs_.find(target);
  if (!way || climb == climbs_.end()) return way;
  const auto& refused = climb->second.refused;
  if (refused && refused->ttl > way->hop.ttl) way->refused = climb->second;
  return way;
}

std::optional<Observer::Way> Observer::known_way_to(const IpAddress& target) const {
  const auto trunk = end_of_trunk(target);
  const auto climb = climbs_.find(target);
  if (climb == climbs_.end()) return trunk;
  const auto hop = farthest(climb->second);
  if (!hop) return trunk;
  if (!trunk) return Way{*hop, climb->second};
  const auto& further = trunk->climb.routers;
  const auto there = further.find(hop->ttl);
  const bool passed_by =
      there != further.end() && there->second == hop->address && further.rbegin()->first > hop->ttl;
  if (hop->ttl > trunk->hop.ttl || (hop->ttl == trunk->hop.ttl && !passed_by)) {
    return Way{*hop, climb->second};
  }
  return trunk;
}

// SiteEdge::search()
void Observer::search(const IpAddress& target, double& at_ms) {
  for (;;) {
    find_trunk(at_ms);
    if (over_udp_) at_ms = std::max(at_ms, climbs_.at(over_udp_->first).ended_ms);
    if (way_to(target) || !any_listener_ || searches_ >= most_searches) return;
    ++searches_;
    at_ms += icmp_refill_ms;
    trunk_.reset();
    if (!over_udp_) continue;
    const auto [to, port] = *over_udp_;
    climbs_.insert_or_assign(to, climb(Proto::udp, to, port, 2, at_ms));
  }
}

// A port of 0: no climb to the target where the trunk is known.
std::optional<Observer::Way> Observer::find_way(const IpAddress& target, std::uint16_t port,
                                                double& at_ms, bool& by_this_call) {
  by_this_call = false;
  if (port != 0 && !over_udp_) {
    climbs_.insert_or_assign(target, climb(Proto::udp, target, port, 1, at_ms));
    over_udp_.emplace(target, port);
  }
  search(target, at_ms);
  const auto end = end_of_trunk(target);
  const auto first = over_udp_ ? farthest(climbs_.at(over_udp_->first)) : std::nullopt;
  const bool own_speak = end && first && first->ttl > end->hop.ttl;
  if (port != 0 && own_speak && !climbs_.contains(target) && climbs_.size() < most_climbs) {
    climbs_.emplace(target, climb(Proto::udp, target, port, end->hop.ttl + 1, at_ms, true));
  }
  const auto own = climbs_.find(target);
  if (own != climbs_.end()) at_ms = std::max(at_ms, own->second.ended_ms);
  auto way = way_to(target);
  by_this_call = way && own != climbs_.end() && way->climb.proto == Proto::udp &&
                 way->climb.to == target && way->climb.port == port;
  if (by_this_call) passed_.insert(port);
  return way;
}

std::optional<IpAddress> Observer::refused_climb(const IpAddress& target,
                                                 std::uint16_t port) const {
  const auto climb = climbs_.find(target);
  if (climb == climbs_.end() || climb->second.port != port) return std::nullopt;
  if (!climb->second.refused) return std::nullopt;
  return climb->second.refused->address;
}

int Observer::far_from_begun(int port) const {
  int nearest = 65'536;
  for (const int other : begun_) nearest = std::min(nearest, std::abs(port - other));
  return nearest;
}

bool Observer::passed(const PortRange& row) const {
  const auto port = passed_.lower_bound(row.first);
  return port != passed_.end() && *port <= row.last;
}

// The farthest router on the way, beyond the edge, that has answers to spare.
bool Observer::find_unspent_hop(Way& way, bool& nearer) const {
  const auto& routers = way.climb.routers;
  const auto farthest = way.hop.ttl;
  for (auto at = routers.rbegin(); at != routers.rend(); ++at) {
    if (at->first > farthest || !outside(*at, traffic_.network().pc)) continue;
    const auto given = heard_.find(at->second);
    const bool before = at->first < farthest;
    const int most = before ? most_answers - 1 : most_answers;
    if (given != heard_.end() && given->second >= most) continue;
    nearer = before;
    way.hop = {at->first, at->second};
    return true;
  }
  return false;
}

// ask() and ask_syn() of the same: alone at first; what gets no answer again with a control, and
// again while the router has none. Who said no to a climb to the same host, beyond the hop, is
// asked first.
Observer::Expired Observer::ask_edge(Packet packet, Need need, double at_ms, double until_ms,
                                     const PortRange* row) {
  auto way = way_to(packet.to);
  Expired nothing;
  nothing.ended_ms = at_ms;
  if (!way) return nothing;
  if (need == Need::decides && row != nullptr && passed(*row)) need = Need::another_host;
  const bool waits = need < Need::another_host;
  const bool in_a_hurry = until_ms < at_ms + 4 * icmp_patience(at_ms);
  bool controlled = need == Need::confirms || (in_a_hurry && waits), nearer = false;
  bool beyond = packet.proto == Proto::udp && way->refused;
  if (!waits && !beyond && !find_unspent_hop(*way, nearer)) return nothing;
  for (double now = at_ms + 2;;) {
    const auto& climb = beyond ? *way->refused : way->climb;
    const auto& hop = beyond ? *climb.refused : way->hop;
    const auto known = climb.round_trips.find(hop.ttl);
    const auto patience = known == climb.round_trips.end()
                              ? icmp_patience(now)
                              : std::clamp(3 * known->second, icmp_reply_ms, icmp_slow_ms);
    auto answer = controlled ? ask_at(packet, hop, climb, patience, now)
                             : expire(packet, hop.ttl, now, patience);
    answer.asked = true;
    const bool answered = answer.kind != Expired::nothing;
    if (answered && answer.kind != Expired::taken && answer.kind != Expired::reset) {
      ++heard_[answer.sender];
    }
    const bool as_far = answer.kind == Expired::expired && packet.proto == Proto::udp && !beyond &&
                        !nearer && beyond_the_edge(answer.sender);
    if (as_far) passed_.insert(packet.port);
    if (beyond && !answered && answer.control_answered) {
      beyond = false;
      now = answer.ended_ms;
      continue;
    }
    if (!answered && !controlled && answer.ended_ms + patience <= until_ms) {
      controlled = true;
      now = answer.ended_ms;
      continue;
    }
    const auto next = answer.ended_ms + icmp_refill_ms;
    const bool settled = answered || answer.control_answered || !controlled;
    if (settled || !waits || next + patience > until_ms) return answer;
    now = next;
  }
}

// One packet and its control, which goes out last.
Observer::Expired Observer::ask_at(const Packet& packet, const End& hop, const Climb& climb,
                                   double patience_ms, double at_ms) {
  traffic_.forget_shortage();
  auto answer = expire(packet, hop.ttl, at_ms, patience_ms);
  const bool short_of_answers = traffic_.was_short();
  Packet control;
  control.proto = climb.proto;
  control.to = climb.to;
  control.port = climb.port;
  control.from = traffic_.new_port_on_the_way();
  if (control.proto == Proto::udp) control.payload = Payload::rtp;
  // One control for all that goes out together.
  auto wave = std::find_if(waves_.begin(), waves_.end(), [&](const Wave& one) {
    return std::abs(one.at_ms - at_ms) < 5 && one.hop == hop;
  });
  if (wave == waves_.end()) {
    const auto told = expire(control, hop.ttl, at_ms + 0.1, patience_ms);
    const bool heard = (told.kind == Expired::expired && beyond_the_edge(told.sender)) ||
                       (climb.refused == hop && told.sender == hop.address);
    wave = waves_.insert(waves_.end(), Wave{at_ms, hop, heard, told.ended_ms});
  }
  // It finds what the others have left.
  if (short_of_answers) wave->answered = false;
  answer.control_answered = wave->answered;
  answer.ended_ms = std::max(answer.ended_ms, wave->ended_ms);
  return answer;
}

// checks/refuser.cpp
void Observer::ask_who_refused(const Job& job, Packet packet, Seen& seen) {
  auto& observation = seen.observation;
  if (observation.outcome != Outcome::refused || job.address.is_special()) return;
  const auto port = std::pair(packet.proto == Proto::udp, packet.port);
  const bool suspected = refused_near_.contains(port);
  if (!suspected && refusals_ >= 4) return;
  if (!suspected) ++refusals_;
  const auto unmeasured = [&] { add(observation, "refuser", {{"who", text("not_measured")}}); };
  constexpr std::uint16_t unused_port = 33'434;
  double now = seen.ended_ms;
  bool unused = false;
  const auto found = find_way(job.address, unused_port, now, unused);
  seen.ended_ms = now;
  if (!found) return unmeasured();
  const auto beyond = [&](const Expired& answer) {
    return answer.kind == Expired::expired && answer.sender != job.address &&
           beyond_the_edge(answer.sender);
  };
  Expired answer;
  bool refusal = false;
  for (int attempt = 0; attempt < 3; ++attempt) {
    answer = ask_edge(packet, Need::supports, now, now + 4000);
    now = answer.ended_ms;
    refusal = answer.kind == Expired::reset || answer.kind == Expired::port_unreachable;
    if (answer.kind != Expired::nothing || !answer.control_answered) break;
    now += icmp_refill_ms;
  }
  seen.ended_ms = now;
  if (beyond(answer)) {
    add(observation, "refuser",
        {{"who", text("beyond")}, {"by", text(found->hop.address.to_string())}});
    return;
  }
  if (!refusal) return unmeasured();
  bool outside = suspected;
  if (!outside) {
    Packet other = packet;
    other.proto = Proto::udp;
    other.payload = Payload::other;
    other.port = unused_port;
    auto there = ask_edge(other, Need::supports, now, now + 4000);
    outside = beyond(there);
    if (!outside) {
      other.proto = Proto::tcp;
      other.payload = Payload::none;
      other.port = packet.port == 443 ? 80 : 443;
      there = ask_edge(other, Need::supports, there.ended_ms, there.ended_ms + 4000);
      outside = beyond(there);
    }
    seen.ended_ms = there.ended_ms;
  }
  if (!outside) return unmeasured();
  refused_near_.insert(port);
  say(observation, Outcome::rejected, "refused_on_the_way");
  std::optional<IpAddress> device;
  for (const auto& [ttl, router] : found->climb.routers) {
    if (ttl > found->hop.ttl) break;
    const auto near = expire(packet, ttl, seen.ended_ms, icmp_patience(seen.ended_ms));
    const bool refused = near.kind == Expired::reset || near.kind == Expired::port_unreachable;
    if (refused && ttl == 1) device = router;
    if (refused || packet.proto == Proto::udp) break;
    device = near.kind == Expired::expired ? std::optional(router) : std::nullopt;
  }
  auto& evidence = add(observation, "refuser", {{"who", text("on_the_way")}});
  if (device) evidence.facts[fact_of("by")] = text(device->to_string());
}

void Observer::mapped_address(Observation& observation, const Job& job) const {
  const auto local = observation.local.value_or(SocketAddress{traffic_.network().pc, 0});
  const auto [address, port] = traffic_.mapped(local.port, job.address, job.probe.target.port());
  add(observation, "mapped_address",
      {{"address", text(address.to_string())},
       {"port", number(port)},
       {"translated", address != local.address || port != local.port}});
}

// A request over UDP, and what the observation says of it but the reply's own content.
Observer::Heard Observer::ask_once(const Job& job, Packet& request, Seen& seen) {
  auto& observation = seen.observation;
  observation.address = job.address;
  observation.local = SocketAddress{traffic_.network().pc, request.from};
  const auto heard = ask_udp(request, job.at_ms);
  observation.attempts = heard.attempts;
  seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
  if (heard.kind != Heard::answer) {
    record(observation, heard);
    ask_who_refused(job, request, seen);
  } else if (heard.round_trip) {
    observation.round_trip = Milliseconds(*heard.round_trip);
  }
  return heard;
}

// What `stun` and `turn` have in common: dialled, asked, and not answered.
Seen Observer::over_stun(Job& job, Payload payload, bool& answered) {
  Seen seen;
  auto& observation = seen.observation;
  answered = false;
  if (job.probe.target.transport == Transport::udp) {
    auto request = packet(job, payload);
    const auto heard = ask_once(job, request, seen);
    answered = heard.kind == Heard::answer;
    if (answered) observation.timing_ms[Timing::reply] = heard.took_ms;
    return seen;
  }
  auto connection = open(job, seen);
  if (!connection.stands) return seen;
  std::string fault;
  if (job.probe.target.transport == Transport::tls) {
    if (!open_tls(job, connection, seen)) return seen;
    fault = certificates(job, connection, observation);
    observation.detail = {};
    if (connection.box != nullptr && connection.box->kind == BoxKind::intercept) {
      // Who opens TLS expects HTTP inside, and says so.
      say(observation, Outcome::failed, fault.empty() ? "not_stun" : fault);
      return seen;
    }
  }
  const bool tls = job.probe.target.transport == Transport::tls;
  auto heard = Heard();
  heard.kind = Heard::answer;
  heard.took_ms = traffic_.round_trip(job.address);
  if (!connection.proxied) {
    heard = exchange(connection, packet(job, tls ? Payload::other : payload), 2500);
  }
  seen.ended_ms = connection.at_ms + heard.took_ms;
  if (heard.kind != Heard::answer) {
    say(observation, Outcome::failed,
        heard.kind == Heard::refused ? "connection_reset" : "stun_timed_out");
    return seen;
  }
  observation.timing_ms[Timing::reply] = heard.took_ms;
  if (!fault.empty()) {
    say(observation, Outcome::failed, fault);
    return seen;
  }
  answered = true;
  return seen;
}

// checks/stun_flows.cpp
Seen Observer::count_stun_answers(const Job& job) {
  constexpr int requests = 20;
  constexpr double gap_ms = 40;
  Seen seen;
  auto& observation = seen.observation;
  auto request = packet(job, Payload::stun);
  observation.address = job.address;
  observation.local = SocketAddress{traffic_.network().pc, request.from};
  int answered = 0, counted = 0;
  const bool one = job.with("flows") == "one";
  for (int i = 0; i < requests; ++i) {
    if (i > 0 && !one) request.from = traffic_.new_port();
    const auto heard = ask_udp(request, job.at_ms + gap_ms * i, 1, 1000);
    answered += heard.kind == Heard::answer ? 1 : 0;
    counted += answered > 0 || !one ? 1 : 0;
  }
  observation.attempts = requests;
  say(observation, answered > 0 ? Outcome::answered : Outcome::silent,
      answered > 0 ? "success" : "timed_out");
  add(observation, "udp_sample", {{"sent", number(counted)}, {"answered", number(answered)}});
  seen.ended_ms = seen.first_reply_ms = job.at_ms + gap_ms * requests + 1000;
  return seen;
}

Seen Observer::stun(Job job) {
  if (!job.with("flows").empty()) return count_stun_answers(job);
  bool answered = false;
  auto seen = over_stun(job, Payload::stun, answered);
  if (!answered) return seen;
  auto& observation = seen.observation;
  say(observation, Outcome::answered, "success");
  add(observation, "stun_reply", {{"success", true}});
  mapped_address(observation, job);
  if (observation.attempts > 1) {
    add(observation, "retransmitted", {{"attempts", number(observation.attempts)}});
  }
  return seen;
}

Seen Observer::turn(Job job) {
  bool answered = false;
  auto seen = over_stun(job, Payload::turn, answered);
  if (!answered) return seen;
  auto& observation = seen.observation;
  add(observation, "stun_reply", {{"success", false}, {"code", number(401)}});
  if (!traffic_.network().credentials) {
    say(observation, Outcome::answered, "401");
    add(observation, "turn_challenge", {{"realm", text("example")}, {"nonce", true}});
    add(observation, "turn_refusal", {{"code", number(401)}, {"with_credentials", false}});
    return seen;
  }
  mapped_address(observation, job);
  add(observation, "relay", {{"port", number(50'000)}, {"lifetime_s", number(600)}});
  Packet data = packet(job, Payload::rtp);
  data.proto = Proto::udp;
  data.port = static_cast<std::uint16_t>(49'152 + traffic_.new_port() % 16'000);
  bool outbound = false, inbound = false;
  for (int i = 0; i < 3; ++i) {
    outbound |= traffic_.send(data, seen.ended_ms + 250 * i).kind == Fate::arrives;
    // From the relay: a NAT or firewall lets in what we have sent to.
    inbound |= outbound && traffic_.comes_back(data);
  }
  add(observation, "relay_trip",
      {{"relay_port", number(data.port)}, {"outbound", outbound}, {"inbound", inbound}});
  seen.ended_ms += outbound && inbound ? 3 * traffic_.round_trip(job.address) : 3000;
  say(observation, Outcome::answered, "relayed");
  if (!outbound || !inbound) add(observation, "relay_to_relay", {{"carried", true}});
  return seen;
}

Seen Observer::ntp(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  auto request = packet(job, Payload::ntp);
  const auto heard = ask_udp(request, job.at_ms);
  observation.address = job.address;
  observation.local = SocketAddress{traffic_.network().pc, request.from};
  observation.attempts = heard.attempts;
  seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
  if (heard.kind != Heard::answer) {
    record(observation, heard);
    return seen;
  }
  if (heard.round_trip) observation.round_trip = Milliseconds(*heard.round_trip);
  say(observation, Outcome::answered, "synchronised");
  add(observation, "ntp_reply",
      {{"stratum", number(2)}, {"leap", number(0)}, {"version", number(4)}});
  add(observation, "clock_offset", {{"offset_ms", 1.0}, {"exact", heard.attempts == 1}});
  return seen;
}

// Whoever is asked speaks QUIC there, and nobody on the way minds its greeting.
Seen Observer::quic(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  auto question = packet(job, Payload::other);
  question.bytes = 1'228;
  observation.address = job.address;
  observation.local = SocketAddress{traffic_.network().pc, question.from};
  const auto heard = ask_udp(question, job.at_ms, 2, 750);
  observation.attempts = heard.attempts;
  seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
  if (heard.kind != Heard::answer) {
    record(observation, heard);
    ask_who_refused(job, question, seen);
    return seen;
  }
  if (heard.round_trip) observation.round_trip = Milliseconds(*heard.round_trip);
  say(observation, Outcome::answered, "quic_spoken");
  for (const auto* payload : {"version_negotiation", "initial"}) {
    add(observation, "quic",
        {{"payload", text(payload)}, {"result", text("replied")}, {"port", number(443)}});
  }
  return seen;
}

namespace {

void add_sip_reply(Observation& observation) {
  add(observation, "sip_reply",
      {{"status", number(200)},
       {"reason", text("OK")},
       {"final", true},
       {"body_bytes", number(0)}});
}

}  // namespace

Seen Observer::sip(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  if (job.with("srv") == "true") {
    add(observation, "sip_target",
        {{"host", text(job.probe.target.host)}, {"port", number(job.probe.target.port())}});
  }
  bool altered = false;  // by a device that rewrites
  const auto* alg = traffic_.find(BoxKind::sip_alg);
  if (job.probe.target.transport == Transport::udp) {
    auto request = packet(job, Payload::sip);
    observation.address = job.address;
    observation.local = SocketAddress{traffic_.network().pc, request.from};
    const auto heard = ask_udp(request, job.at_ms);
    observation.attempts = heard.attempts;
    seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
    if (heard.kind != Heard::answer) {
      record(observation, heard);
      return seen;
    }
    if (heard.round_trip) observation.round_trip = Milliseconds(*heard.round_trip);
    observation.timing_ms[Timing::reply] = heard.took_ms;
    altered = alg != nullptr && request.port == 5060;
  } else {
    auto connection = open(job, seen);
    if (!connection.stands) return seen;
    const bool tls = job.probe.target.transport == Transport::tls;
    std::string fault;
    if (tls) {
      if (!open_tls(job, connection, seen)) return seen;
      fault = certificates(job, connection, observation);
      observation.detail = {};
    }
    const bool opened = connection.box != nullptr && connection.box->kind == BoxKind::intercept;
    auto heard = Heard();
    heard.kind = Heard::answer;
    heard.took_ms = traffic_.round_trip(job.address);
    if (!connection.proxied && !opened) {
      heard = exchange(connection, packet(job, tls ? Payload::other : Payload::sip), 2500);
      if (traffic_.network().sip_ignores_strangers && heard.kind == Heard::answer) {
        heard.kind = Heard::nothing;
        heard.took_ms = 2500;
      }
    }
    seen.ended_ms = connection.at_ms + heard.took_ms;
    if (!fault.empty()) {
      say(observation, Outcome::failed, fault);
      return seen;
    }
    if (heard.kind != Heard::answer) {
      say(observation, Outcome::failed,
          heard.kind == Heard::refused ? "connection_reset" : "sip_timed_out");
      return seen;
    }
    observation.timing_ms[Timing::reply] = heard.took_ms;
  }
  say(observation, Outcome::answered, "200");
  add_sip_reply(observation);
  const auto local = *observation.local;
  const auto [address, port] = traffic_.mapped(local.port, job.address, job.probe.target.port());
  const bool translated = address != local.address || port != local.port;
  // A device that rewrites puts our own address back where it stood.
  auto& via = add(observation, "sip_via", {{"rewritten", false}, {"vias", number(1)}});
  via.facts[fact_of("translated")] = translated && !altered;
  via.facts[fact_of("received")] = (altered ? local.address : address).to_string();
  return seen;
}

Seen Observer::sip_alg(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  const bool datagrams = job.probe.target.transport == Transport::udp;
  Connection connection;
  Packet request;
  if (datagrams) {
    request = packet(job, Payload::sip);
    observation.address = job.address;
    observation.local = SocketAddress{traffic_.network().pc, request.from};
  } else {
    connection = open(job, seen);
    if (!connection.stands) return seen;
    request = packet(job, Payload::sip);
  }
  double now = datagrams ? job.at_ms : connection.at_ms;
  int left = 4, sent = 0;
  const auto no_reply = [&](const Heard& heard) {
    if (datagrams) return record(observation, heard);
    const bool reset = heard.kind == Heard::refused;
    say(observation, Outcome::failed, reset ? "connection_reset" : "sip_timed_out");
  };
  const auto one = [&](const char* name, std::uint16_t port, int tries) {
    bool answered = false;
    auto message = request;
    message.port = port;
    if (port != request.port) message.from = traffic_.new_port();
    for (int i = 0; i < (datagrams ? tries : 1) && left > 0 && !answered; ++i) {
      const bool once_more = i + 1 < tries && left > 1;
      const double patience = once_more ? 1000 : 1500;
      Heard heard;
      if (datagrams) {
        heard = ask_udp(message, now, 1, patience);
      } else {
        heard = exchange(connection, message, patience);
        if (traffic_.network().sip_ignores_strangers) heard.kind = Heard::nothing;
      }
      --left;
      ++sent;
      answered = heard.kind == Heard::answer;
      if (sent == 1 && !answered) no_reply(heard);
      if (answered && seen.first_reply_ms == 0) {
        seen.first_reply_ms = now + heard.took_ms;
        if (sent == 1) observation.round_trip = Milliseconds(heard.took_ms);
      }
      now += answered ? std::max(heard.took_ms, 1000.0) : patience;
      if (heard.kind == Heard::refused || heard.kind == Heard::prohibited) break;
    }
    (void)name;
    return answered;
  };
  const auto port = job.probe.target.port();
  const bool altered = traffic_.find(BoxKind::sip_alg) != nullptr && port == 5060 && datagrams;
  const auto local = *observation.local;
  const auto [address, shown] = traffic_.mapped(local.port, job.address, port);
  const bool translated = address != local.address || shown != local.port;
  const bool first = one("unrelated", port, 2);
  std::string detail, basis, confidence;
  if (first) {
    add_sip_reply(observation);
    bool own = false, mapped = false, no_rport = false;
    if (!translated) {
      own = one("own", port, 2);
    } else if (datagrams && shown != local.port) {
      own = one("own", port, 2);
      mapped = one("mapped", port, 2);
      one("own_no_rport", port, 1);  // its reply goes to a port that the NAT does not know
    } else {
      mapped = one("mapped", port, 1);
      no_rport = one("own_no_rport", port, 1);
      if (!no_rport || altered) {
        own = one("own", port, 1);
      } else if (!mapped && datagrams) {
        mapped = one("mapped", port, 1);
      }
    }
    auto& via = add(observation, "sip_via", {{"rewritten", false}});
    via.facts[fact_of("translated")] = translated && !(altered && own);
    const bool seen_own = own || no_rport;
    if (altered && translated && (own || mapped)) {
      detail = "rewritten";
      basis = mapped ? "via_changed" : "received_differs";
      confidence = "certain";
    } else if (altered && translated && no_rport) {
      detail = "suspected";
      basis = "received_missing";
      confidence = "likely";
    } else if (seen_own && (!translated || mapped)) {
      detail = "no_rewriting_seen";
    } else {
      detail = "inconclusive";
    }
    say(observation, Outcome::answered, detail);
  }
  const auto contrast = job.with("contrast");
  if (detail == "inconclusive" && !contrast.empty() && datagrams) {
    left = 1;
    one("other_port", static_cast<std::uint16_t>(std::stoi(contrast)), 1);
  }
  observation.attempts = sent;
  seen.ended_ms = now;
  if (seen.first_reply_ms == 0) seen.first_reply_ms = now;
  if (detail.empty()) return seen;
  auto& evidence = add(observation, "sip_alg", {{"messages", number(sent)}, {"sdp_tested", false}});
  if (!basis.empty()) {
    evidence.facts[fact_of("basis")] = text(basis);
    evidence.facts[fact_of("confidence")] = text(confidence);
  }
  return seen;
}

Seen Observer::nat(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  auto request = packet(job, Payload::stun);
  const auto heard = ask_once(job, request, seen);
  if (heard.kind != Heard::answer) return seen;
  add(observation, "stun_reply", {{"success", true}});
  mapped_address(observation, job);
  const auto local = *observation.local;
  const auto here = traffic_.mapped(local.port, job.address, request.port);
  const bool translated = here != std::pair(local.address, local.port);
  const auto property = [&](const char* kind, std::string value) {
    add(observation, kind, {{"value", text(std::move(value))}});
  };
  std::string mapping = translated ? "not_measured" : "none";
  const auto other = job.with("other");
  double now = seen.ended_ms;
  if (translated && !other.empty()) {
    const auto colon = other.rfind(':');
    const auto host = other.substr(0, colon);
    auto second = request;
    second.port = static_cast<std::uint16_t>(std::stoi(other.substr(colon + 1)));
    const auto found = resolve(host, now);
    second.to = found.address.value_or(IpAddress{});
    const auto there = found.address ? ask_udp(second, now) : Heard();
    now += there.took_ms;
    if (there.kind == Heard::answer && second.to != request.to) {
      mapping = traffic_.mapped(local.port, second.to, second.port) == here
                    ? "endpoint_independent"
                    : "destination_dependent";
    }
  }
  property("nat_mapping", mapping);
  property("nat_filtering", "not_measured");
  add(observation, "port_preservation",
      {{"value", text(here.second == local.port ? "all" : "none")}});
  property("hairpin", "not_measured");
  std::string translations = translated ? "not_measured" : "none";
  if (translated && local.address.is_shared()) translations = "carrier";
  if (translated && !local.address.is_shared()) {
    if (climbs_.empty()) {
      climbs_.emplace(job.address, climb(Proto::udp, job.address, request.port, 1, now));
    }
    const auto& near = climbs_.begin()->second;
    now = std::max(now, near.ended_ms);
    auto routers = near.routers;
    const auto edge = std::find_if(routers.begin(), routers.end(), [&](const auto& at) {
      return outside(at, traffic_.network().pc);
    });
    if (edge != routers.end()) {
      translations = "one";
      routers.erase(std::next(edge), routers.end());
    }
    for (const auto& [ttl, router] : routers) {
      if (ttl < 2 || (!router.is_shared() && !router.is_private())) continue;
      translations = router.is_shared() ? "carrier" : "two";
      break;
    }
  }
  property("nat_translations", translations);
  property("nat_lifetime", "not_measured");
  say(observation, Outcome::answered, mapping);
  seen.ended_ms = now + 4 * traffic_.round_trip(job.address);
  return seen;
}

// checks/hop.cpp
Seen Observer::hop(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  observation.address = job.address;
  const bool udp = job.probe.target.transport == Transport::udp;
  const auto word = job.with("payload").empty() ? std::string("rtp") : job.with("payload");
  auto question = packet(job, !udp             ? Payload::none
                              : word == "stun" ? Payload::stun
                              : word == "turn" ? Payload::turn
                              : word == "sip"  ? Payload::sip
                                               : Payload::rtp);
  if (udp) observation.local = SocketAddress{traffic_.network().pc, question.from};
  // checks/hop.cpp, "spared": over TCP one port speaks for those of its kind.
  auto* const passes = !udp && job.with("control").empty()
                           ? &syns_that_pass_[{job.address, question.port < 1024}]
                           : nullptr;
  if (passes != nullptr && *passes != 0) {
    say(observation, Outcome::skipped, "spared");
    add(observation, "hop", {{"result", text("spared")}, {"port", number(*passes)}});
    seen.ended_ms = seen.first_reply_ms = job.at_ms;
    return seen;
  }
  double now = job.at_ms;
  bool unused = false;
  std::optional<Way> found;
  if (!udp || !job.with("control").empty()) found = find_way(job.address, 0, now, unused);
  if (!found) found = find_way(job.address, question.port, now, unused);
  const auto conclude = [&](Outcome outcome, const char* result,
                            std::optional<IpAddress> by = std::nullopt) {
    say(observation, outcome, result);
    auto& evidence = add(observation, "hop", {{"result", text(result)}});
    if (found) evidence.facts[fact_of("ttl")] = number(found->hop.ttl);
    if (by) evidence.facts[fact_of("by")] = text(by->to_string());
    if (udp) evidence.facts[fact_of("payload")] = text(word);
  };
  seen.ended_ms = seen.first_reply_ms = now;
  if (!found) {
    conclude(Outcome::silent, "silent");
    return seen;
  }
  for (int strikes = 0; strikes < 2; ++strikes) {
    const bool all_there_is = !udp || !job.with("control").empty();
    const auto need = strikes > 0 ? Need::confirms : all_there_is ? Need::decides : Need::supports;
    const auto answer = ask_edge(question, need, now, job.at_ms + (all_there_is ? 12'000 : 4'000));
    ++observation.attempts;
    now = seen.ended_ms = answer.ended_ms;
    switch (answer.kind) {
      case Expired::expired:
        if (!beyond_the_edge(answer.sender)) break;
        conclude(Outcome::passed, "left_site", answer.sender);
        if (passes != nullptr) *passes = question.port;
        return seen;
      case Expired::prohibited:
      case Expired::port_unreachable:
        conclude(Outcome::rejected, "prohibited", answer.sender);
        return seen;
      case Expired::reset:
        conclude(Outcome::rejected, "refused_on_the_way");
        return seen;
      case Expired::taken:
        conclude(Outcome::connected, "answered_on_the_way");
        return seen;
      case Expired::nothing:
        break;
    }
    if (!answer.control_answered) {
      conclude(Outcome::silent, "silent");
      return seen;
    }
  }
  conclude(Outcome::silent, "dropped");
  return seen;
}

Seen Observer::path(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  const auto* hole = traffic_.find(BoxKind::mtu);
  observation.address = job.address;
  if (job.probe.target.transport == Transport::udp) {
    auto small = packet(job, Payload::stun);
    auto heard = ask_udp(small, job.at_ms);
    observation.local = SocketAddress{traffic_.network().pc, small.from};
    observation.attempts = heard.attempts;
    seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
    if (heard.kind != Heard::answer) {
      record(observation, heard);
      return seen;
    }
    if (heard.round_trip) observation.round_trip = Milliseconds(*heard.round_trip);
    auto large = packet(job, Payload::stun);
    large.bytes = 1500;
    heard = ask_udp(large, seen.ended_ms);
    observation.attempts += heard.attempts;
    seen.ended_ms += heard.took_ms;
    if (heard.kind == Heard::answer) {
      say(observation, Outcome::answered, "full_size");
      add(observation, "path_mtu", {{"full", number(1500)}, {"passes", number(1500)}});
      return seen;
    }
    if (heard.kind != Heard::nothing) {
      record(observation, heard);
      return seen;
    }
    int passes = 0, vanishes = 1500;
    const auto searched = seen.ended_ms;
    for (const int size : {1492, 1476, 1460, 1440, 1420, 1400, 1360, 1280, 1000, 576}) {
      auto sized = packet(job, Payload::stun);
      sized.bytes = size;
      const auto reply = ask_udp(sized, searched);
      seen.ended_ms = std::max(seen.ended_ms, searched + reply.took_ms);
      if (reply.kind == Heard::answer) passes = std::max(passes, size);
      if (reply.kind != Heard::answer && size > passes) vanishes = std::min(vanishes, size);
    }
    observation.attempts += 10;
    if (passes == 0) {
      say(observation, Outcome::answered, "padding_ignored");
      return seen;
    }
    say(observation, Outcome::failed, "black_hole");
    add(observation, "path_mtu",
        {{"full", number(1500)}, {"passes", number(passes)}, {"vanishes", number(vanishes)}});
    return seen;
  }
  auto connection = open(job, seen);
  if (!connection.stands) return seen;
  auto& reply = seen.observation;
  const bool tls = job.probe.target.transport == Transport::tls;
  const bool at_once = job.probe.purpose == Purpose::repeat;
  if (at_once) reply.attempts = 2;
  const bool broken = tls && !open_tls(job, connection, seen);
  if (broken && reply.detail != detail_of("tls_timed_out")) return seen;
  auto heard = Heard();
  if (!broken) {
    heard = exchange(connection, packet(job, Payload::http), 2500);
    seen.ended_ms = connection.at_ms + heard.took_ms;
  }
  if (heard.kind == Heard::answer && hole == nullptr) {
    say(reply, Outcome::answered, "full_size");
    return seen;
  }
  if (!broken) say(reply, Outcome::failed, "http_timed_out");
  // Once more with small segments.
  Seen again;
  Job small = job;
  if (!at_once) small.at_ms = seen.ended_ms;
  auto second = open(small, again);
  reply.attempts = 2;
  seen.ended_ms = std::max(seen.ended_ms, again.ended_ms);
  if (!second.stands) return seen;
  auto hello = packet(job, tls ? Payload::tls : Payload::http);
  hello.name = job.probe.target.host;
  heard = exchange(second, hello, tls ? 3000 : 2500, tls ? 3 : 1);
  seen.ended_ms = std::max(seen.ended_ms, second.at_ms + heard.took_ms);
  if (heard.kind != Heard::answer) return seen;
  say(reply, Outcome::failed, "black_hole");
  add(reply, "path_mtu", {{"full", number(1500)}});
  return seen;
}

}  // namespace callready::networks
