#include "tests/networks/traffic.hpp"

#include <algorithm>

namespace callready::networks {
namespace {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 1469598103934665603U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
  return hash;
}

// SplitMix64.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

std::uint64_t hash_of(const IpAddress& address) { return hash_of(address.to_string()); }

// "turn.example.com" -> "example.com": one operator's hosts are near each other.
std::string_view operator_of(std::string_view host) {
  const auto last = host.rfind('.');
  if (last == host.npos || last == 0) return host;
  const auto before = host.rfind('.', last - 1);
  return before == host.npos ? host : host.substr(before + 1);
}

// Boxes that take a packet for themselves do so before its TTL is looked at.
bool takes(BoxKind kind) {
  return kind == BoxKind::redirect_dns || kind == BoxKind::intercept || kind == BoxKind::accept ||
         kind == BoxKind::portal;
}

Fate::Kind fate_of(Action action) {
  if (action == Action::drop) return Fate::dropped;
  return action == Action::prohibit ? Fate::prohibited : Fate::refused;
}

}  // namespace

IpAddress outside_resolver() { return IpAddress::v4({62, 4, 1, 53}); }

IpAddress resolver_of(const networks::Network& network) {
  return network.resolver_outside ? outside_resolver() : IpAddress::v4({192, 168, 1, 53});
}

Proto proto_of(const Target& target) {
  return target.transport == Transport::udp ? Proto::udp : Proto::tcp;
}

bool connects(const ProxyBox& proxy, const Probe& probe) {
  const auto port = probe.target.port();
  // Plain HTTP needs no tunnel.
  const bool plain = probe.check == CheckKind::http && probe.target.transport == Transport::tcp;
  return (plain && port == 80) ||
         std::ranges::any_of(proxy.ports, [&](auto& range) { return range.contains(port); });
}

void Internet::listen(const std::string& host, Proto proto, PortRange ports) {
  open_[{address_of(host), proto == Proto::udp}].push_back(ports);
}

// Every name has an address of its own; an operator's share a /16.
IpAddress Internet::address_of(const std::string& host) {
  if (const auto literal = IpAddress::parse(host)) return *literal;
  static thread_local std::map<std::string, IpAddress, std::less<>> known;
  const auto found = known.find(host);
  if (found != known.end()) return found->second;
  const auto party = hash_of(operator_of(host)), own = hash_of(host);
  constexpr std::uint8_t first[] = {3, 13, 20, 34, 52, 62, 104, 151};
  const auto address =
      IpAddress::v4({first[party % 8], static_cast<std::uint8_t>(party >> 8U),
                     static_cast<std::uint8_t>(own >> 8U), static_cast<std::uint8_t>(own)});
  known.emplace(host, address);
  return address;
}

bool Internet::listens(const IpAddress& address, Proto proto, std::uint16_t port) const {
  const auto found = open_.find({address, proto == Proto::udp});
  return found != open_.end() &&
         std::ranges::any_of(found->second, [&](auto& range) { return range.contains(port); });
}

Traffic::Addresses::Addresses(const Match& of) : match(of) {
  for (const auto& host : match.hosts) {
    if (host.find('/') == host.npos) {
      single.push_back(Internet::address_of(host));
    } else if (const auto whole = callready::Network::parse(host)) {
      networks.push_back(*whole);
    }
  }
  std::ranges::sort(single);
}

Traffic::Traffic(const networks::Network& network, const Internet& internet)
    : network_(network), internet_(internet) {
  for (const auto& box : network.boxes) {
    addresses_.emplace_back(box.matches.begin(), box.matches.end());
    spared_.emplace_back(box.spares.begin(), box.spares.end());
  }
  for (const bool portal : {true, false}) {
    for (std::size_t i = 0; i < network.boxes.size(); ++i) {
      if ((network.boxes[i].kind == BoxKind::portal) == portal) order_.push_back(i);
    }
  }
  for (const auto& far : network.far) far_[Internet::address_of(far.host)] = far.fault;
  for (const auto& way : network.mute_ways) mute_[Internet::address_of(way.host)] = way.from;
}

IpAddress Traffic::router(int hop, const IpAddress& to) const {
  const auto at = static_cast<std::size_t>(hop) - 1;
  if (at < network_.hops.size()) return network_.hops[at].address;
  auto bytes = to.bytes();
  bytes[3] = bytes[3] == 1 ? 2 : 1;  // the first of the destination's own network
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

bool Traffic::matches(std::size_t box, const Packet& packet) const {
  const auto covers = [&](const Addresses& one) {
    const auto& [proto, ports, hosts] = one.match;
    if (proto != Proto::any && proto != packet.proto) return false;
    if (!ports.contains(packet.port)) return false;
    return hosts.empty() || std::ranges::binary_search(one.single, packet.to) ||
           std::ranges::any_of(one.networks,
                               [&](auto& network) { return network.contains(packet.to); });
  };
  if (std::ranges::any_of(spared_[box], covers)) return network_.boxes[box].except;
  return std::ranges::any_of(addresses_[box], covers);
}

// Nothing: it lets the packet pass.
std::optional<Fate::Kind> Traffic::act(std::size_t index, const Packet& packet) const {
  const auto& box = network_.boxes[index];
  const auto where = [](bool acts, Fate::Kind kind) {
    return acts ? std::optional(kind) : std::nullopt;
  };
  const auto own = fate_of(box.action);
  switch (box.kind) {
    case BoxKind::rule:
      return where(matches(index, packet) != box.except, own);
    case BoxKind::protocol: {
      const bool turn_too = box.payload == Payload::stun && packet.payload == Payload::turn;
      const bool its = packet.payload == box.payload || turn_too;
      return where(its != box.except && matches(index, packet), own);
    }
    case BoxKind::names: {
      const auto named = [&](const Match& match) { return contains(match.hosts, packet.name); };
      return where(packet.payload == Payload::tls && std::ranges::any_of(box.matches, named), own);
    }
    case BoxKind::redirect_dns:
      return where(packet.port == 53 && packet.proto == Proto::udp,
                   packet.payload == Payload::dns ? Fate::taken : Fate::dropped);
    case BoxKind::intercept:
    case BoxKind::accept: {
      const bool opening = packet.proto == Proto::tcp && packet.payload == Payload::none;
      return where(opening && matches(index, packet), Fate::taken);
    }
    case BoxKind::portal:
      return where(packet.port != 53,
                   packet.proto == Proto::tcp && packet.port == 80 ? Fate::taken : own);
    case BoxKind::mtu:
      return where(packet.bytes > box.limit, Fate::dropped);
    // These keep state (send() asks them), or change the packet or its reply.
    case BoxKind::nat:
    case BoxKind::replies:
    case BoxKind::sip_alg:
    case BoxKind::rate:
    case BoxKind::ban:
    case BoxKind::branch:
    case BoxKind::first:
      break;
  }
  return std::nullopt;
}

Fate Traffic::beyond(const Packet& packet, int from, int ttl) const {
  const auto& boxes = network_.boxes;
  for (int hop = from + 1; hop <= last_router(); ++hop) {
    for (const bool first : {true, false}) {
      for (const auto i : order_) {
        if (boxes[i].hop != hop || (boxes[i].bridge || takes(boxes[i].kind)) != first) continue;
        if (const auto kind = act(i, packet)) return {*kind, hop, &boxes[i]};
      }
      if (first && ttl == hop) return {Fate::expires, hop, nullptr};
    }
  }
  return {Fate::arrives, last_router() + 1, nullptr};
}

Fate Traffic::carried_on(const Packet& packet, int hop) const {
  auto fate = beyond(packet, hop);
  while (fate.kind == Fate::taken && fate.box->kind == BoxKind::accept) {
    fate = beyond(packet, fate.hop);
  }
  return fate;
}

const Box* Traffic::last_taker(const Packet& packet, const Box* box) const {
  while (box->kind == BoxKind::accept || box->kind == BoxKind::intercept) {
    const auto onward = beyond(packet, box->hop);
    if (onward.kind != Fate::taken) break;
    box = onward.box;
  }
  return box;
}

// True if the box's limit is reached, or if it sends this flow down the dead path.
bool Traffic::stops(std::size_t index, const Packet& packet, double at_ms) {
  const auto& box = network_.boxes[index];
  if (!box.matches.empty() && !matches(index, packet)) return false;
  if (box.kind == BoxKind::branch) {
    const auto ports = std::uint64_t{packet.port} << 16U | packet.from;
    return mixed(hash_of(packet.to) ^ ports) % 2 == 0;
  }
  auto& memory = memory_[index];
  const Flow flow{packet.proto, packet.to, packet.port, packet.from};
  if (box.kind == BoxKind::first) return memory.flows.insert(flow).second;
  if (box.kind == BoxKind::rate) {
    if (memory.flows.contains(flow)) return false;
    if (memory.new_flows[static_cast<long>(at_ms / 1000)] >= box.limit) return true;
    ++memory.new_flows[static_cast<long>(at_ms / 1000)];
    memory.flows.insert(flow);
    return false;
  }
  // A modelled check is computed when it begins, so this packet may be earlier than the last one.
  // What was answered stays answered.
  if (at_ms >= memory.banned_since) return true;
  memory.met.emplace(at_ms, packet.to);
  for (auto last = memory.met.lower_bound(at_ms); last != memory.met.end(); ++last) {
    if (last->first > at_ms + 10'000 || last->first >= memory.banned_since) break;
    std::set<IpAddress> hosts;
    auto met = memory.met.upper_bound(last->first - 10'000);
    for (; met != std::next(last); ++met) hosts.insert(met->second);
    if (std::ssize(hosts) > box.limit) memory.banned_since = last->first;
  }
  return at_ms >= memory.banned_since;
}

void Traffic::sends(const Packet& packet, int ttl) {
  if (!network_.loses_packets()) return;
  auto what = mixed(network_.chance);
  for (const auto byte : packet.to.bytes()) what = (what ^ byte) * 1099511628211U;
  const auto kind =
      static_cast<unsigned>(packet.proto) * 256U + static_cast<unsigned>(packet.payload);
  for (const auto number :
       {std::uint64_t{packet.port}, std::uint64_t{kind}, static_cast<std::uint64_t>(ttl),
        static_cast<std::uint64_t>(packet.bytes)}) {
    what = mixed(what ^ number);
  }
  luck_ = mixed(what + static_cast<std::uint64_t>(++sent_so_often_[what]));
}

bool Traffic::chance(double p) {
  luck_ = mixed(luck_);
  return p > 0 && static_cast<double>(luck_ >> 11U) * 0x1p-53 < p;
}

Fate Traffic::send(const Packet& packet, double at_ms, int ttl) {
  sends(packet, ttl);
  auto fate = always(packet, ttl);
  const auto& boxes = network_.boxes;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto& box = boxes[i];
    const bool meets_it = box.bridge ? fate.hop >= box.hop : fate.hop > box.hop;
    if (goes_by_flows(box.kind) && meets_it && stops(i, packet, at_ms)) {
      fate = {Fate::dropped, box.hop, &box};
    }
  }
  if (fate.hop > network_.line && lost_out()) fate = {Fate::lost, network_.line, nullptr};
  return fate;
}

const Box* Traffic::swallows_replies(const Packet& packet) const {
  for (std::size_t i = 0; i < network_.boxes.size(); ++i) {
    const auto& box = network_.boxes[i];
    const bool its = box.kind == BoxKind::replies && packet.proto == Proto::udp;
    if (its && matches(i, packet)) return &box;
  }
  return nullptr;
}

IpAddress Traffic::signer(const Fate& fate, const IpAddress& to) const {
  const bool forged = fate.box != nullptr && fate.box->action == Action::forge;
  return forged ? to : router(fate.hop, to);
}

bool Traffic::comes_back(const Packet& packet) {
  return swallows_replies(packet) == nullptr && !lost_in();
}

bool Traffic::says_so(const Fate& fate, const IpAddress& to, double at_ms) {
  const auto at = static_cast<std::size_t>(fate.hop) - 1;
  const auto* hop = at < network_.hops.size() ? &network_.hops[at] : nullptr;
  const auto mute = mute_.find(to);
  const bool too_far = mute != mute_.end() && fate.hop >= mute->second;
  const bool speaks = !too_far && (hop == nullptr ? !network_.mute_far : hop->speaks);
  if (fate.kind == Fate::expires && !speaks) return false;
  if (hop == nullptr || hop->limited) {
    const auto& limit = network_.icmp;
    auto& answers = answers_.try_emplace(router(fate.hop, to), Answers{limit.left}).first->second;
    if (at_ms > answers.at_ms) {
      answers.left = std::min(limit.burst, answers.left + (at_ms - answers.at_ms) / limit.every_ms);
      answers.at_ms = at_ms;
    }
    if (answers.left < 1) return false;
    answers.left -= 1;
  }
  return fate.hop <= network_.line || !lost_in();
}

double Traffic::round_trip_to(int hop) const {
  return 0.4 * hop + (hop > network_.line ? 2 * network_.delay_ms : 0);
}

double Traffic::round_trip(const IpAddress& to) const {
  return round_trip_to(last_router()) + 2 + static_cast<double>(hash_of(to) % 30);
}

SocketAddress Traffic::mapped(std::uint16_t local, const SocketAddress& to) const {
  SocketAddress seen{network_.pc, local};
  for (int hop = 1; hop <= last_router(); ++hop) {
    for (const auto& box : network_.boxes) {
      if (box.kind != BoxKind::nat || box.hop != hop) continue;
      seen.address = box.outside;
      if (box.mapping == Behaviour::independent) continue;  // keeps the port
      auto key = to.address.to_string();
      if (box.mapping == Behaviour::address_and_port) key += ':' + std::to_string(to.port);
      seen.port = static_cast<std::uint16_t>(1024 + (hash_of(key) + seen.port * 7919U) % 60'000);
    }
  }
  return seen;
}

std::optional<FarFault> Traffic::far(const IpAddress& address) const {
  const auto found = far_.find(address);
  if (found == far_.end()) return std::nullopt;
  return found->second;
}

bool Traffic::is_served(const Packet& packet) const {
  const auto fault = far(packet.to);
  return fault != FarFault::down && fault != FarFault::refuses && fault != FarFault::gone &&
         internet_.listens(packet.to, packet.proto, packet.port);
}

}  // namespace callready::networks
