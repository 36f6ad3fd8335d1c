// The forward function: what becomes of a packet in a world.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "probe/diagnosis/reach/world.hpp"
#include "tests/worlds/words.hpp"

namespace callready::reach::reach_forward_test {
namespace {

constexpr HostId here = 1, there = 2;

Packet udp(std::uint16_t port, Cargo cargo = Cargo::rtp, HostId host = here) {
  Packet packet;
  packet.udp = true;
  packet.port = port;
  packet.cargo = cargo;
  packet.host = packet.name = host;
  return packet;
}
Packet tcp(std::uint16_t port, Cargo cargo = Cargo::tls, HostId host = here) {
  auto packet = udp(port, cargo, host);
  packet.udp = false;
  return packet;
}
Packet early(Packet packet) {
  packet.ends_early = true;
  return packet;
}
Packet at(Packet packet, double ms) {
  packet.at_ms = ms;
  return packet;
}
Packet named(Packet packet, HostId name) {
  packet.name = name;
  return packet;
}

Box box(Kind kind, Fate fate, Protocol protocol = Protocol::any) {
  Box made;
  made.kind = kind;
  made.fate = fate;
  made.protocol = protocol;
  return made;
}
Box ports(Box made, std::vector<PortRange> ranges) {
  made.ports = std::move(ranges);
  return made;
}
Box of(Box made, Hosts hosts) {
  made.hosts = std::move(hosts);
  return made;
}
Box carrying(Box made, std::uint32_t cargoes) {
  made.cargoes = cargoes;
  return made;
}
Box beyond(Box made) {
  made.beyond = true;
  return made;
}
Box sparing(Box made, std::vector<Spared> spared) {
  made.spared = std::move(spared);
  return made;
}

TEST(ReachForward, ARuleActsOnItsProtocolPortsAndHosts) {
  const auto high = ports(box(Kind::rule, Fate::drop, Protocol::udp), {{10000, 65535}});
  EXPECT_EQ(fate_of(high, udp(10000)), Fate::drop);
  EXPECT_EQ(fate_of(high, udp(9999)), Fate::pass);
  EXPECT_EQ(fate_of(high, tcp(10000)), Fate::pass);
  const auto list = ports(box(Kind::rule, Fate::drop), {{80, 80}, {443, 443}, {5000, 6000}});
  using Numbers = std::initializer_list<std::uint16_t>;
  for (const auto port : Numbers{80, 443, 5000, 5500, 6000}) {
    EXPECT_EQ(fate_of(list, tcp(port)), Fate::drop) << port;
  }
  for (const auto port : Numbers{79, 81, 4999, 6001}) {
    EXPECT_EQ(fate_of(list, tcp(port)), Fate::pass) << port;
  }
  const auto host = of(box(Kind::hosts, Fate::refuse), {there});
  EXPECT_EQ(fate_of(host, tcp(443, Cargo::tls, there)), Fate::refuse);
  EXPECT_EQ(fate_of(host, tcp(443)), Fate::pass);
  const auto but = sparing(box(Kind::rule, Fate::drop),
                           {{{53, 53}, Protocol::any}, {{443, 443}, Protocol::tcp}});
  EXPECT_EQ(fate_of(but, udp(53, Cargo::dns)), Fate::pass);
  EXPECT_EQ(fate_of(but, tcp(443)), Fate::pass);
  EXPECT_EQ(fate_of(but, udp(443)), Fate::drop);
}

TEST(ReachForward, WhatIsBeyondTheRoutersDoesNotActOnWhatEndsThere) {
  const auto rule = box(Kind::rule, Fate::drop);
  EXPECT_EQ(fate_of(rule, early(udp(5060))), Fate::drop);
  EXPECT_EQ(fate_of(beyond(rule), early(udp(5060))), Fate::pass);
  EXPECT_EQ(fate_of(beyond(rule), udp(5060)), Fate::drop);
  EXPECT_EQ(fate_of(box(Kind::far_end, Fate::down), early(udp(5060))), Fate::pass);
}

TEST(ReachForward, AHostsRuleDoesNotShutTheLookUpOfItsName) {
  const auto host = of(box(Kind::hosts, Fate::drop), {there});
  EXPECT_EQ(fate_of(host, named(udp(53, Cargo::dns), there)), Fate::pass);
}

TEST(ReachForward, AListOfHostsAndPortsSparesWhatRowsAskFor) {
  auto list = box(Kind::hosts, Fate::drop);
  list.spares_asked = true;
  auto asked = tcp(443);
  asked.asked = true;
  EXPECT_EQ(fate_of(list, asked), Fate::pass);
  EXPECT_EQ(fate_of(list, tcp(8443)), Fate::drop) << "another port of that host";
  EXPECT_EQ(fate_of(list, udp(443, Cargo::quic, there)), Fate::drop);
}

TEST(ReachForward, AnInspectorGoesByPayloadAndByTheNameInAGreeting) {
  const auto stun = carrying(box(Kind::inspect, Fate::drop, Protocol::udp), bit(Cargo::stun));
  EXPECT_EQ(fate_of(stun, udp(3478, Cargo::stun)), Fate::drop);
  EXPECT_EQ(fate_of(stun, udp(3478, Cargo::rtp)), Fate::pass);
  const auto greeting =
      of(carrying(box(Kind::inspect, Fate::cut, Protocol::tcp), bit(Cargo::tls)), {there});
  EXPECT_EQ(fate_of(greeting, named(tcp(443), there)), Fate::cut);
  EXPECT_EQ(fate_of(greeting, named(tcp(443, Cargo::tls, there), here)), Fate::pass);
  EXPECT_EQ(fate_of(greeting, early(named(tcp(443), there))), Fate::pass) << "a SYN has no name";
  const auto sip = carrying(box(Kind::inspect, Fate::mute), bit(Cargo::sip));
  EXPECT_EQ(fate_of(sip, tcp(5060, Cargo::sip)), Fate::mute);
  EXPECT_EQ(fate_of(sip, udp(5060, Cargo::sip)), Fate::drop);
  EXPECT_EQ(fate_of(beyond(sip), udp(5060, Cargo::sip)), Fate::deaf);
}

TEST(ReachForward, WhoOpensTlsUnderstandsNothingButHttp) {
  const auto opener = box(Kind::fact, Fate::carry, Protocol::tcp);
  EXPECT_EQ(fate_of(opener, tcp(443)), Fate::carry);
  EXPECT_EQ(fate_of(opener, tcp(443, Cargo::inside)), Fate::mute);
  EXPECT_EQ(fate_of(opener, udp(443)), Fate::pass);
  const auto splicer = box(Kind::accept, Fate::carry, Protocol::tcp);
  EXPECT_EQ(fate_of(splicer, tcp(443, Cargo::inside)), Fate::carry);
}

TEST(ReachForward, APortalAnswersTheWebAndActsOnTheRest) {
  const auto portal = sparing(box(Kind::portal, Fate::refuse), {{{53, 53}, Protocol::any}});
  EXPECT_EQ(fate_of(portal, tcp(80, Cargo::http)), Fate::portal);
  EXPECT_EQ(fate_of(portal, tcp(443)), Fate::refuse);
  EXPECT_EQ(fate_of(portal, udp(3478)), Fate::drop);
  EXPECT_EQ(fate_of(portal, udp(53, Cargo::dns)), Fate::pass);
}

TEST(ReachForward, ABanActsFromItsMomentOnAndOnWhatWillBeSent) {
  auto ban = box(Kind::ban, Fate::drop);
  ban.since_ms = 1000;
  EXPECT_EQ(fate_of(ban, at(udp(5060), 100)), Fate::pass);
  EXPECT_EQ(fate_of(ban, at(udp(5060), 900)), Fate::severed) << "it had just begun";
  auto answered = at(udp(5060), 900);
  answered.answered_ms = 950;
  EXPECT_EQ(fate_of(ban, answered), Fate::pass);
  answered.answered_ms = 1001;
  EXPECT_EQ(fate_of(ban, answered), Fate::severed);
  EXPECT_EQ(fate_of(ban, at(udp(5060), 1000)), Fate::maybe) << "which of these came first?";
  EXPECT_EQ(fate_of(ban, at(udp(5060), 1001)), Fate::drop);
  EXPECT_EQ(fate_of(ban, at(udp(5060), std::numeric_limits<double>::infinity())), Fate::drop);
}

TEST(ReachForward, ALimitDropsWhatIsBeyondItsNumber) {
  auto limit = box(Kind::limit, Fate::rarely, Protocol::udp);
  limit.per_second = 5;
  const auto in_a_crowd = [](Packet packet, int began, int passed) {
    packet.crowd = {began, passed};
    return packet;
  };
  const auto whole_way = udp(3478, Cargo::stun);
  EXPECT_EQ(fate_of(limit, in_a_crowd(whole_way, 11, 5)), Fate::rarely);
  EXPECT_EQ(fate_of(limit, in_a_crowd(whole_way, 11, 4)), Fate::pass) << "fewer have passed";
  EXPECT_EQ(fate_of(limit, in_a_crowd(whole_way, 10, 5)), Fate::pass)
      << "those that were left pass a second later";
  EXPECT_EQ(fate_of(limit, in_a_crowd(early(whole_way), 6, 5)), Fate::rarely)
      << "it is not sent again for so long";
  EXPECT_EQ(fate_of(limit, whole_way), Fate::rarely) << "at a time that is not known";
}

TEST(ReachForward, AResolverKeepsSilentOfSomeNames) {
  auto resolver = of(ports(box(Kind::resolver, Fate::drop, Protocol::udp), {{53, 53}}), {here});
  resolver.names = {there};
  EXPECT_EQ(fate_of(resolver, named(udp(53, Cargo::dns), there)), Fate::drop);
  EXPECT_EQ(fate_of(resolver, udp(53, Cargo::dns)), Fate::pass);
}

TEST(ReachForward, TheNearestThatLetsNothingPassDecides) {
  const Boxes boxes{beyond(box(Kind::rule, Fate::drop)), box(Kind::rule, Fate::refuse),
                    box(Kind::limit, Fate::maybe), box(Kind::far_end, Fate::closed)};
  World world;
  const auto fate = [&](std::vector<std::uint32_t> numbers) {
    world.boxes = std::move(numbers);
    return fate_in(world, boxes, udp(5060)).fate;
  };
  EXPECT_EQ(fate({}), Fate::pass);
  EXPECT_EQ(fate({0, 1}), Fate::refuse);
  EXPECT_EQ(fate({0, 2}), Fate::drop) << "who lets some pass saves nothing from who lets none";
  EXPECT_EQ(fate({2, 3}), Fate::closed);
  EXPECT_EQ(fate({0, 3}), Fate::drop);
}

// A device that carries connections on stands for what is behind it, in whatever order the boxes
// come.
TEST(ReachForward, WhoCarriesConnectionsStandsForWhatIsBehind) {
  const Boxes boxes{box(Kind::accept, Fate::carry), box(Kind::far_end, Fate::down),
                    box(Kind::reticent, Fate::ignore), beyond(box(Kind::rule, Fate::drop))};
  const auto fate = [&](std::vector<std::uint32_t> numbers) {
    std::set<Fate> found;
    std::sort(numbers.begin(), numbers.end());
    do {
      World world;
      world.boxes = numbers;
      found.insert(fate_in(world, boxes, tcp(5061)).fate);
    } while (std::next_permutation(numbers.begin(), numbers.end()));
    EXPECT_EQ(found.size(), 1U);
    return *found.begin();
  };
  EXPECT_EQ(fate({0}), Fate::carry);
  EXPECT_EQ(fate({0, 1}), Fate::take);
  EXPECT_EQ(fate({0, 2}), Fate::unheard);
  EXPECT_EQ(fate({0, 1, 2}), Fate::take);
  EXPECT_EQ(fate({0, 3}), Fate::take);
  EXPECT_EQ(fate({0, 1, 3}), Fate::take);
  EXPECT_EQ(fate({0, 1, 2, 3}), Fate::take);
}

// The connection stands with the nearer device; of two at one place, nobody knows which is nearer.
TEST(ReachForward, WhoOpensTlsTakesWhatItCannotCarryOn) {
  const Boxes boxes{box(Kind::fact, Fate::carry, Protocol::tcp), box(Kind::hosts, Fate::drop),
                    beyond(box(Kind::hosts, Fate::drop))};
  const auto fate = [&](std::uint32_t list, Seen seen) {
    World world;
    world.boxes = {0, list};
    Sight sight;
    sight.packets = {tcp(443)};
    sight.events.flows.resize(1);
    sight.events.flows.front().seen = seen;
    return fate_in(world, boxes, sight, 0).fate;
  };
  EXPECT_EQ(fate(1, Seen::mute), Fate::take);
  EXPECT_EQ(fate(1, Seen::nothing), Fate::drop);
  EXPECT_EQ(fate(2, Seen::mute), Fate::take);
  EXPECT_EQ(fate(2, Seen::nothing), Fate::take);
}

// What ended where a device may not have looked at it is no proof for or against one.
TEST(ReachForward, NothingActsOnWhatEndedAtADevice) {
  auto packet = early(udp(5060));
  EXPECT_EQ(fate_of(box(Kind::rule, Fate::drop), packet), Fate::drop);
  packet.ends_at_device = true;
  EXPECT_EQ(fate_of(box(Kind::rule, Fate::drop), packet), Fate::pass);
}

// What a narrower rule says is true where a wider one stands.
TEST(ReachForward, AWiderRuleDoesAllThatANarrowerOneDoes) {
  const auto sip = ports(box(Kind::rule, Fate::drop, Protocol::tcp), {{5060, 5060}, {5061, 5061}});
  const auto but_web = sparing(box(Kind::rule, Fate::drop, Protocol::tcp),
                               {{{80, 80}, Protocol::tcp}, {{443, 443}, Protocol::tcp}});
  EXPECT_TRUE(is_wider(but_web, sip));
  EXPECT_FALSE(is_wider(sip, but_web));
  EXPECT_TRUE(is_wider(box(Kind::rule, Fate::refuse), sip));
  EXPECT_FALSE(is_wider(box(Kind::rule, Fate::drop, Protocol::udp), sip));
  EXPECT_FALSE(is_wider(but_web, ports(sip, {{443, 443}})));
  EXPECT_FALSE(is_wider(of(but_web, {here}), sip));
  EXPECT_TRUE(is_wider(but_web, of(sip, {here})));
  EXPECT_TRUE(is_wider(ports(sip, {{1024, 65535}}), sip));
  EXPECT_FALSE(is_wider(box(Kind::far_end, Fate::down), sip)) << "no rule of a firewall's";
}

TEST(ReachForward, EachKindHasItsRow) {
  for (const auto& kind : kinds()) {
    EXPECT_NE(kind.fate, nullptr) << static_cast<int>(kind.kind);
    EXPECT_NE(kind.propose, nullptr) << static_cast<int>(kind.kind);
  }
}

}  // namespace
}  // namespace callready::reach::reach_forward_test
