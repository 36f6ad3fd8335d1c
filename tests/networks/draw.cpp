#include "tests/networks/draw.hpp"

#include <algorithm>
#include <random>

namespace callready::networks {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value_or(IpAddress{}); }

class Drawing {
 public:
  explicit Drawing(std::uint64_t number) : random_(number * 0x9e3779b97f4a7c15U + 1) {}

  networks::Network make() {
    network_.chance = random_() % 1'000'000;
    ask();
    place();
    line();
    const auto faults = pick({0, 1, 1, 1, 2, 2, 3, 4});
    for (int i = 0; i < faults; ++i) fault();
    if (one_in(10)) by_flows(BoxKind::first);
    if (one_in(20)) by_flows(BoxKind::branch);
    return std::move(network_);
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return list.begin()[below(static_cast<int>(list.size()))];
  }
  template <typename Item>
  const Item& one_of(const std::vector<Item>& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }

  void ask() {
    const auto sets = one_in(5) ? 2U : 1U;
    while (network_.sets.size() < sets) add_once(network_.sets, one_of(vendors()));
    std::ranges::sort(network_.sets);
    network_.anchors = !one_in(4);
    network_.credentials = one_in(4);
    network_.variables = one_in(4);
  }

  // `outside`: it translates to that address.
  void hop(const char* address, bool inside, const char* outside = nullptr) {
    const bool speaks = !one_in(8), limited = !one_in(5);
    network_.hops.push_back({ip(address), speaks, limited, inside});
    if (outside != nullptr) nat(static_cast<int>(network_.hops.size()), outside);
  }

  void nat(int at, const char* outside) {
    network_.boxes.push_back({BoxKind::nat, at});
    network_.boxes.back().outside = ip(outside);
  }

  // Where the computer is, and what is between it and the world.
  void place() {
    network_.pc = ip("192.168.1.23");
    switch (below(6)) {
      case 0:
      case 1:  // a home, a small office
        hop("192.168.1.1", true, "84.199.10.2");
        break;
      case 2:  // a company of several routers
        hop("192.168.1.1", true);
        hop("10.0.0.1", true, "84.199.10.2");
        break;
      case 3:  // a campus with public addresses, the firewall further out
        network_.pc = ip("130.60.1.23");
        hop("130.60.1.1", true);
        hop("130.60.40.1", true);
        hop("130.60.80.1", true);
        break;
      case 4:  // a provider with carrier NAT
        hop("192.168.1.1", true, "100.64.9.2");
        hop("100.64.0.1", false);
        nat(3, "84.199.10.2");
        break;
      default:  // two routers at home
        hop("192.168.1.1", true, "10.0.0.2");
        hop("10.0.0.1", true, "84.199.10.2");
    }
    network_.line = network_.routers_inside();
    hop("84.199.10.1", false);
    hop("62.4.8.1", false);
    if (one_in(2)) hop("62.4.8.9", false);
    network_.mute_far = one_in(3);
    network_.resolver_outside = one_in(5);
    network_.media_answers = one_in(6);
    network_.sip_ignores_strangers = one_in(8);
    network_.ipv6 = pick({Ipv6::none, Ipv6::none, Ipv6::works});
    if (one_in(5)) network_.proxy.given = true;
  }

  void line() {
    network_.delay_ms = pick({0.5, 2.0, 5.0, 5.0, 15.0, 30.0, 60.0, 100.0, 200.0, 300.0});
    if (one_in(3)) {
      network_.loss_out = pick({0.001, 0.005, 0.01, 0.03, 0.05, 0.1});
      network_.loss_in = one_in(3) ? 0 : network_.loss_out;
    }
    network_.dns_ms = pick({1.0, 3.0, 20.0, 60.0});
  }

  // The program has no name for a box like `first`: it must not call anything likely because of it.
  void by_flows(BoxKind kind) {
    auto& one = box(kind);
    one.action = Action::drop;
    one.matches = {any(pick({Proto::udp, Proto::tcp, Proto::any}))};
  }

  // A target that the run probes.
  const Target& some_target() {
    // For a set that asks nothing without the user's own values.
    static const Target somewhere{"192.0.2.1", {443, 443}, {}, Transport::tcp, {}};
    const auto& probes = scene_of(network_).plan.probes;
    if (probes.empty()) return somewhere;
    for (int i = 0; i < 50; ++i) {
      const auto& probe = one_of(probes).probe;
      if (!probe.target.host.empty()) return probe.target;
    }
    return probes.front().probe.target;
  }

  int some_place() {
    // Mostly at the site's own routers, now and then at the provider's.
    return 1 + below(network_.line + (one_in(4) ? 1 : 0));
  }

  // Adds a box; what it acts on is drawn afterwards.
  Box& box(BoxKind kind) {
    auto& one = network_.boxes.emplace_back();
    one.kind = kind;
    one.hop = some_place();
    one.bridge = one_in(4);
    one.action = pick({Action::drop, Action::drop, Action::drop, Action::prohibit, Action::prohibit,
                       Action::refuse, Action::refuse, Action::forge});
    return one;
  }
  // Adds a rule that acts on everything but these.
  void all_but(std::vector<Match> matches) {
    auto& one = box(BoxKind::rule);
    one.except = true;
    one.matches = std::move(matches);
  }

  static Match any(Proto proto, std::uint16_t first = 1, std::uint16_t last = 65535) {
    return {proto, {first, last}, {}};
  }
  static Match to(std::vector<std::string> hosts, Proto proto = Proto::any) {
    return {proto, {1, 65535}, std::move(hosts)};
  }
  static Match port_of(const Target& target) { return {proto_of(target), target.ports, {}}; }

  // Except the anchors'.
  std::vector<std::string> all_hosts() {
    std::set<std::string> hosts;
    for (const auto& planned : scene_of(network_).plan.probes) {
      if (planned.probe.control()) continue;
      if (!planned.probe.target.host.empty()) hosts.insert(planned.probe.target.host);
    }
    return {hosts.begin(), hosts.end()};
  }

  void fault() {
    // The first ten are rules, those after them other boxes, and the last none.
    static constexpr BoxKind others[] = {BoxKind::replies,      BoxKind::rate,      BoxKind::ban,
                                         BoxKind::protocol,     BoxKind::protocol,  BoxKind::names,
                                         BoxKind::redirect_dns, BoxKind::intercept, BoxKind::accept,
                                         BoxKind::portal,       BoxKind::sip_alg,   BoxKind::mtu};
    const int number = below(28);
    Box none;
    auto& one = number < 10 ? box(BoxKind::rule) : number < 22 ? box(others[number - 10]) : none;
    one.matches = spoil(number, one);
  }

  // Sets what is wrong, and returns what the box acts on.
  std::vector<Match> spoil(int number, Box& one) {
    const auto names = any(Proto::udp, 53, 53);
    switch (number) {
      case 0:  // all UDP, but perhaps DNS
        return {any(Proto::udp, 1, 52), any(Proto::udp, 54, 65535)};
      case 1:
      case 2:  // a port
        return {port_of(some_target())};
      case 3: {  // a part of the high ports
        const auto first = static_cast<std::uint16_t>(pick({1024, 10'000, 16'384, 20'000, 40'000}));
        const auto last =
            one_in(2) ? std::uint16_t{65535} : static_cast<std::uint16_t>(first + 8'000);
        return {any(Proto::udp, first, last)};
      }
      case 4:  // a host
        return {to({some_target().host})};
      case 5: {  // one flow
        const auto& target = some_target();
        return {{proto_of(target), target.ports, {target.host}}};
      }
      case 6: {  // a network
        const auto address = Internet::address_of(some_target().host);
        return {to({callready::Network{address, 16}.masked().to_string()})};
      }
      case 7:
      case 8: {  // only web gets out
        one.except = true;
        std::vector<Match> web{any(Proto::tcp, 80, 80), any(Proto::tcp, 443, 443)};
        if (!one_in(4)) web.push_back(names);
        return web;
      }
      case 9:  // only the vendor's own list gets out
        one.except = true;
        return {to(all_hosts()), names};
      case 10: {  // no answers over UDP
        const auto first = one_in(2) ? some_target().ports.first : std::uint16_t{54};
        return {any(Proto::udp, first, 65535)};
      }
      case 11:
        one.limit = pick({5, 10, 20, 40});
        return {any(pick({Proto::udp, Proto::udp, Proto::tcp, Proto::any}))};
      case 12:
        one.limit = pick({10, 15, 20, 30});
        break;
      case 13:
      case 14: {
        one.payload = pick({Payload::stun, Payload::sip, Payload::tls});
        const auto proto = pick({Proto::udp, Proto::any});
        return {one.payload == Payload::tls ? any(Proto::tcp, 444, 65535) : any(proto)};
      }
      case 15:
        if (one.action == Action::prohibit) one.action = Action::refuse;
        return {to({some_target().host}, Proto::tcp)};
      case 16:
        network_.dns = pick({Dns::no_such_name, Dns::sinkhole, Dns::works});
        if (network_.dns != Dns::works) network_.dns_names = {some_target().host};
        break;
      case 17:
        return {any(Proto::tcp, 443, 443)};
      case 18:
        return {any(Proto::tcp)};
      case 19:
        if (one.action == Action::prohibit) one.action = Action::drop;
        [[fallthrough]];
      case 20:
        one.hop = 1;
        break;
      case 21:
        one.limit = pick({1300, 1400, 1460});
        break;
      case 22: {
        auto& boxes = network_.boxes;
        const auto nat = std::ranges::find(boxes, BoxKind::nat, &Box::kind);
        if (nat != boxes.end())
          nat->mapping = pick({Behaviour::address, Behaviour::address_and_port});
        break;
      }
      case 23:
        network_.dns =
            pick({Dns::dead, Dns::refused, Dns::servfail, Dns::no_such_name, Dns::sinkhole});
        if (network_.dns != Dns::dead && one_in(2)) network_.dns_names = {some_target().host};
        break;
      case 24: {
        const auto host = some_target().host;
        if (IpAddress::parse(host)) break;
        network_.far.push_back(
            {host, pick({FarFault::down, FarFault::refuses, FarFault::error, FarFault::expired,
                         FarFault::untrusted, FarFault::wrong_name, FarFault::gone})});
        break;
      }
      case 25:
        network_.proxy.given = !one_in(3);
        switch (below(4)) {
          case 0:
            network_.proxy.up = false;
            break;
          case 1:
            network_.proxy.login = true;
            break;
          case 2:
            network_.proxy.ports = {{443, 443}, {1024, 65535}};
            break;
          default:  // nothing gets out except through the proxy
            all_but({names});
            network_.boxes.back().hop = 1;
        }
        break;
      case 26:  // the web everywhere, and UDP only to the vendor's own networks
        all_but({any(Proto::tcp), names, to(all_hosts(), Proto::udp)});
        break;
      default:
        network_.ipv6 = Ipv6::broken;
    }
    return {};
  }

  std::mt19937_64 random_;
  networks::Network network_;
};

template <typename Item>
void erase_at(std::vector<Item>& list, std::size_t at) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

networks::Network draw(std::uint64_t number) { return Drawing(number).make(); }

networks::Network shrink(networks::Network network,
                         const std::function<bool(const networks::Network&)>& still) {
  const networks::Network plain;
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto attempt = [&](auto&& change) {
      auto next = network;
      change(next);
      if (next == network || !still(next)) return;
      network = std::move(next);
      smaller = true;
    };
    for (std::size_t i = 0; i < network.boxes.size(); ++i) {
      // Private addresses do not get anywhere untranslated.
      if (network.boxes[i].kind == BoxKind::nat) continue;
      attempt([&](auto& next) { erase_at(next.boxes, i); });
    }
    for (std::size_t i = 0; i < network.far.size(); ++i) {
      attempt([&](auto& next) { erase_at(next.far, i); });
    }
    for (std::size_t i = 0; network.sets.size() > 1 && i < network.sets.size(); ++i) {
      attempt([&](auto& next) { erase_at(next.sets, i); });
    }
    attempt([&](auto& next) { next.loss_out = next.loss_in = 0; });
    attempt([&](auto& next) { next.delay_ms = plain.delay_ms; });
    attempt([&](auto& next) { next.dns_ms = plain.dns_ms; });
    attempt([&](auto& next) {
      next.dns = plain.dns;
      next.dns_names.clear();
    });
    attempt([&](auto& next) { next.resolver_outside = false; });
    attempt([&](auto& next) { next.proxy = plain.proxy; });
    attempt([&](auto& next) { next.proxy.ports = plain.proxy.ports; });
    attempt([&](auto& next) { next.ipv6 = plain.ipv6; });
    using networks::Network;
    for (const auto flag :
         {&Network::anchors, &Network::variables, &Network::credentials, &Network::mute_far,
          &Network::media_answers, &Network::sip_ignores_strangers}) {
      attempt([&](auto& next) { next.*flag = plain.*flag; });
    }
    attempt([&](auto& next) { next.chance = 1; });
    for (std::size_t i = 0; i < network.hops.size(); ++i) {
      attempt([&](auto& next) { next.hops[i].speaks = true; });
      attempt([&](auto& next) { next.hops[i].limited = false; });
    }
    for (std::size_t i = 0; i < network.boxes.size(); ++i) {
      attempt([&](auto& next) { next.boxes[i].bridge = false; });
      attempt([&](auto& next) { next.boxes[i].action = Action::drop; });
      attempt([&](auto& next) { next.boxes[i].mapping = Behaviour::independent; });
      attempt([&](auto& next) {
        auto& one = next.boxes[i];
        if (one.kind != BoxKind::nat && one.hop > 1) one.hop = 1;
      });
      const auto matches = [&] { return network.boxes[i].matches.size(); };
      for (std::size_t m = 0; matches() > 1 && m < matches(); ++m) {
        attempt([&](auto& next) { erase_at(next.boxes[i].matches, m); });
      }
    }
  }
  return network;
}

}  // namespace callready::networks
