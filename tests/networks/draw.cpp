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
    if (one_in(10)) foreign_device();
    return std::move(network_);
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return list.begin()[below(static_cast<int>(list.size()))];
  }

  void ask() {
    const auto& all = vendors();
    const int sets = one_in(5) ? 2 : 1;
    while (network_.sets.size() < static_cast<std::size_t>(sets)) {
      const auto& id = all[static_cast<std::size_t>(below(static_cast<int>(all.size())))];
      const auto& known = network_.sets;
      if (std::find(known.begin(), known.end(), id) == known.end()) network_.sets.push_back(id);
    }
    std::sort(network_.sets.begin(), network_.sets.end());
    network_.anchors = !one_in(4);
    network_.credentials = one_in(4);
    network_.variables = one_in(4);
  }

  void hop(const char* address, bool inside) {
    Hop one;
    one.address = ip(address);
    one.inside = inside;
    one.speaks = !one_in(8);
    one.limited = !one_in(5);
    network_.hops.push_back(one);
  }

  void nat(int at, const char* outside) {
    Box box;
    box.kind = BoxKind::nat;
    box.hop = at;
    box.outside = ip(outside);
    network_.boxes.push_back(box);
  }

  // Where the computer is, and what is between it and the world.
  void place() {
    network_.pc = ip("192.168.1.23");
    switch (below(6)) {
      case 0:
      case 1:  // a home, a small office
        hop("192.168.1.1", true);
        nat(1, "84.199.10.2");
        break;
      case 2:  // a company of several routers
        hop("192.168.1.1", true);
        hop("10.0.0.1", true);
        nat(2, "84.199.10.2");
        break;
      case 3:  // a campus with public addresses, the firewall further out
        network_.pc = ip("130.60.1.23");
        hop("130.60.1.1", true);
        hop("130.60.40.1", true);
        hop("130.60.80.1", true);
        break;
      case 4:  // a provider that translates
        hop("192.168.1.1", true);
        nat(1, "100.64.9.2");
        network_.line = 1;
        hop("100.64.0.1", false);
        nat(3, "84.199.10.2");
        break;
      default:  // two routers at home
        hop("192.168.1.1", true);
        nat(1, "10.0.0.2");
        hop("10.0.0.1", true);
        nat(2, "84.199.10.2");
    }
    int inside = 0;
    for (const auto& one : network_.hops) inside += one.inside ? 1 : 0;
    network_.line = inside;
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

  // What no cause that the program names is: nothing may be likely because of it.
  void foreign_device() {
    auto one = box(BoxKind::branch);
    one.action = Action::drop;
    one.matches = {any(pick({Proto::udp, Proto::tcp, Proto::any}))};
    network_.boxes.push_back(one);
  }

  // For a set that asks nothing without the user's own values.
  static const Probe& somewhere() {
    static const auto probe = [] {
      Probe made;
      made.check = CheckKind::tcp;
      made.target.host = "192.0.2.1";
      made.target.ports = {443, 443};
      return made;
    }();
    return probe;
  }

  // A host that the run asks, and its port.
  const Probe& some_probe() {
    const auto& probes = scene_of(network_).plan.probes;
    if (probes.empty()) return somewhere();
    for (int i = 0; i < 50; ++i) {
      const auto& probe =
          probes[static_cast<std::size_t>(below(static_cast<int>(probes.size())))].probe;
      if (!probe.target.host.empty()) return probe;
    }
    return probes.front().probe;
  }

  int some_place() {
    // Mostly at the site's own routers, now and then at the provider's.
    return 1 + below(network_.line + (one_in(4) ? 1 : 0));
  }

  Box box(BoxKind kind) {
    Box one;
    one.kind = kind;
    one.hop = some_place();
    one.bridge = one_in(4);
    one.action = pick({Action::drop, Action::drop, Action::drop, Action::prohibit, Action::prohibit,
                       Action::refuse, Action::refuse, Action::forge});
    return one;
  }

  static Match any(Proto proto, std::uint16_t first = 1, std::uint16_t last = 65535) {
    Match match;
    match.proto = proto;
    match.ports = {first, last};
    return match;
  }

  std::vector<std::string> all_hosts(bool with_anchors) {
    std::set<std::string> hosts;
    for (const auto& planned : scene_of(network_).plan.probes) {
      if (planned.probe.control() && !with_anchors) continue;
      if (!planned.probe.target.host.empty()) hosts.insert(planned.probe.target.host);
    }
    return {hosts.begin(), hosts.end()};
  }

  void fault() {
    auto& boxes = network_.boxes;
    switch (below(28)) {
      case 0: {  // all UDP, but perhaps DNS
        auto one = box(BoxKind::rule);
        one.matches = {any(Proto::udp, 1, 52), any(Proto::udp, 54, 65535)};
        boxes.push_back(one);
        break;
      }
      case 1:
      case 2: {  // a port
        auto one = box(BoxKind::rule);
        const auto& target = some_probe().target;
        const bool udp = target.transport == Transport::udp;
        one.matches = {any(udp ? Proto::udp : Proto::tcp, target.ports.first, target.ports.last)};
        boxes.push_back(one);
        break;
      }
      case 3: {  // a part of the high ports
        auto one = box(BoxKind::rule);
        const auto first = static_cast<std::uint16_t>(pick({1024, 10'000, 16'384, 20'000, 40'000}));
        const auto last =
            one_in(2) ? std::uint16_t{65535} : static_cast<std::uint16_t>(first + 8'000);
        one.matches = {any(Proto::udp, first, last)};
        boxes.push_back(one);
        break;
      }
      case 4: {  // a host
        auto one = box(BoxKind::rule);
        one.matches = {any(Proto::any)};
        one.matches[0].hosts = {some_probe().target.host};
        boxes.push_back(one);
        break;
      }
      case 5: {  // one flow
        auto one = box(BoxKind::rule);
        const auto& target = some_probe().target;
        const bool udp = target.transport == Transport::udp;
        one.matches = {any(udp ? Proto::udp : Proto::tcp, target.ports.first, target.ports.last)};
        one.matches[0].hosts = {target.host};
        boxes.push_back(one);
        break;
      }
      case 6: {  // a network
        auto one = box(BoxKind::rule);
        one.matches = {any(Proto::any)};
        const auto address = Internet::address_of(some_probe().target.host);
        one.matches[0].hosts = {callready::Network{address, 16}.masked().to_string()};
        boxes.push_back(one);
        break;
      }
      case 7:
      case 8: {  // only web gets out
        auto one = box(BoxKind::rule);
        one.except = true;
        one.matches = {any(Proto::tcp, 80, 80), any(Proto::tcp, 443, 443)};
        if (!one_in(4)) one.matches.push_back(any(Proto::udp, 53, 53));
        boxes.push_back(one);
        break;
      }
      case 9: {  // only the vendor's own list gets out
        auto one = box(BoxKind::rule);
        one.except = true;
        one.matches = {any(Proto::any), any(Proto::udp, 53, 53)};
        one.matches[0].hosts = all_hosts(false);
        boxes.push_back(one);
        break;
      }
      case 10: {  // no answers over UDP
        auto one = box(BoxKind::replies);
        one.matches = {any(Proto::udp, 54, 65535)};
        if (one_in(2)) one.matches = {any(Proto::udp, some_probe().target.ports.first, 65535)};
        boxes.push_back(one);
        break;
      }
      case 11: {
        auto one = box(BoxKind::rate);
        one.limit = pick({5, 10, 20, 40});
        one.matches = {any(pick({Proto::udp, Proto::udp, Proto::tcp, Proto::any}))};
        boxes.push_back(one);
        break;
      }
      case 12: {
        auto one = box(BoxKind::ban);
        one.limit = pick({10, 15, 20, 30});
        boxes.push_back(one);
        break;
      }
      case 13:
      case 14: {
        auto one = box(BoxKind::protocol);
        one.payload = pick({Payload::stun, Payload::sip, Payload::tls});
        one.matches = {any(pick({Proto::udp, Proto::any}))};
        if (one.payload == Payload::tls) one.matches = {any(Proto::tcp, 444, 65535)};
        boxes.push_back(one);
        break;
      }
      case 15: {
        auto one = box(BoxKind::names);
        if (one.action == Action::prohibit) one.action = Action::refuse;
        one.matches = {any(Proto::tcp)};
        one.matches[0].hosts = {some_probe().target.host};
        boxes.push_back(one);
        break;
      }
      case 16: {
        auto one = box(BoxKind::redirect_dns);
        boxes.push_back(one);
        network_.dns = pick({Dns::no_such_name, Dns::sinkhole, Dns::works});
        if (network_.dns != Dns::works) network_.dns_names = {some_probe().target.host};
        break;
      }
      case 17: {
        auto one = box(BoxKind::intercept);
        one.matches = {any(Proto::tcp, 443, 443)};
        boxes.push_back(one);
        break;
      }
      case 18: {
        auto one = box(BoxKind::accept);
        one.matches = {any(Proto::tcp)};
        boxes.push_back(one);
        break;
      }
      case 19: {
        auto one = box(BoxKind::portal);
        one.hop = 1;
        if (one.action == Action::prohibit) one.action = Action::drop;
        boxes.push_back(one);
        break;
      }
      case 20: {
        auto one = box(BoxKind::sip_alg);
        one.hop = 1;
        boxes.push_back(one);
        break;
      }
      case 21: {
        auto one = box(BoxKind::mtu);
        one.limit = pick({1300, 1400, 1460});
        boxes.push_back(one);
        break;
      }
      case 22:
        for (auto& one : boxes) {
          if (one.kind != BoxKind::nat) continue;
          one.mapping = pick({Behaviour::address, Behaviour::address_and_port});
          break;
        }
        break;
      case 23:
        network_.dns =
            pick({Dns::dead, Dns::refused, Dns::servfail, Dns::no_such_name, Dns::sinkhole});
        if (network_.dns != Dns::dead && one_in(2)) {
          network_.dns_names = {some_probe().target.host};
        }
        break;
      case 26: {  // the web everywhere, and UDP only to the vendor's own networks
        auto one = box(BoxKind::rule);
        one.except = true;
        one.matches = {any(Proto::tcp), any(Proto::udp, 53, 53), any(Proto::udp)};
        one.matches[2].hosts = all_hosts(false);
        boxes.push_back(one);
        break;
      }
      case 24: {
        const auto host = some_probe().target.host;
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
          default: {  // nothing gets out but by the proxy
            auto one = box(BoxKind::rule);
            one.hop = 1;
            one.except = true;
            one.matches = {any(Proto::udp, 53, 53)};
            boxes.push_back(one);
          }
        }
        break;
      default:
        network_.ipv6 = Ipv6::broken;
    }
  }

  std::mt19937_64 random_;
  networks::Network network_;
};

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
      attempt([&](auto& next) {
        // Private addresses do not get anywhere untranslated.
        if (next.boxes[i].kind != BoxKind::nat) {
          next.boxes.erase(next.boxes.begin() + static_cast<std::ptrdiff_t>(i));
        }
      });
    }
    for (std::size_t i = 0; i < network.far.size(); ++i) {
      attempt(
          [&](auto& next) { next.far.erase(next.far.begin() + static_cast<std::ptrdiff_t>(i)); });
    }
    for (std::size_t i = 0; network.sets.size() > 1 && i < network.sets.size(); ++i) {
      attempt(
          [&](auto& next) { next.sets.erase(next.sets.begin() + static_cast<std::ptrdiff_t>(i)); });
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
    attempt([&](auto& next) { next.anchors = true; });
    attempt([&](auto& next) { next.variables = false; });
    attempt([&](auto& next) { next.credentials = false; });
    attempt([&](auto& next) { next.mute_far = false; });
    attempt([&](auto& next) { next.media_answers = false; });
    attempt([&](auto& next) { next.sip_ignores_strangers = false; });
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
      for (std::size_t m = 0; m < network.boxes[i].matches.size(); ++m) {
        if (network.boxes[i].matches.size() < 2) break;
        attempt([&](auto& next) {
          auto& matches = next.boxes[i].matches;
          matches.erase(matches.begin() + static_cast<std::ptrdiff_t>(m));
        });
      }
    }
  }
  return network;
}

}  // namespace callready::networks
