// Which packets divide the likely worlds best.
#include "probe/diagnosis/reach/question.hpp"

#include <gtest/gtest.h>

namespace callready::reach::reach_question_test {
namespace {

constexpr HostId here = 1, there = 2;

Packet to(HostId host, std::uint16_t port, Cargo cargo = Cargo::rtp) {
  Packet packet;
  packet.udp = true;
  packet.port = port;
  packet.host = packet.name = host;
  packet.cargo = cargo;
  packet.ends_early = true;
  return packet;
}

Box dropping(Kind kind, std::vector<PortRange> ports, Hosts hosts = {}) {
  Box box;
  box.kind = kind;
  box.fate = Fate::drop;
  box.ports = std::move(ports);
  box.hosts = std::move(hosts);
  return box;
}

World of(std::vector<std::uint32_t> boxes, double probability) {
  World world;
  world.boxes = std::move(boxes);
  world.probability = probability;
  return world;
}

// A port, whatever the host; a host, whatever the port; or nothing on the way.
const Boxes boxes{dropping(Kind::rule, {{3478, 3478}}), dropping(Kind::hosts, {}, {here})};
const std::vector<World> worlds{of({0}, .5), of({1}, .3), of({}, .2)};

using Numbers = std::vector<std::size_t>;

TEST(MostTelling, ChoosesWhatDividesBestAndThenWhatIsLeft) {
  // The first says whether anything is on the way, the others whether it is this one.
  const std::vector<Packet> packets{to(here, 3478), to(there, 3478), to(here, 443)};
  EXPECT_EQ(most_telling(packets, 0, boxes, worlds, 9), (Numbers{1, 0}));
  EXPECT_EQ(most_telling(packets, 0, boxes, worlds, 1), (Numbers{1}));
}

TEST(MostTelling, AsksNothingThatAllWorldsAnswerAlikeOrThatIsAskedAnyway) {
  EXPECT_EQ(most_telling({to(there, 443)}, 0, boxes, worlds, 9), Numbers{});
  const std::vector<Packet> packets{to(there, 3478), to(there, 3478, Cargo::stun), to(here, 443)};
  EXPECT_EQ(most_telling(packets, 0, boxes, worlds, 9), (Numbers{0, 2})) << "two say the same";
  EXPECT_EQ(most_telling(packets, 1, boxes, worlds, 9), (Numbers{2}));
}

// A SYN that ends on the way shows that somebody takes it, not what becomes of the connection.
TEST(MostTelling, ASynTellsNotWhoCarriesOn) {
  Box take = dropping(Kind::accept, {}), carry = take;
  take.fate = Fate::take;
  carry.fate = Fate::carry;
  auto syn = to(here, 443, Cargo::none);
  syn.udp = false;
  const Boxes devices{take, carry};
  EXPECT_EQ(most_telling({syn}, 0, devices, {of({0}, .5), of({1}, .5)}, 9), Numbers{});
  EXPECT_EQ(most_telling({syn}, 0, devices, {of({1}, .5), of({}, .5)}, 9), (Numbers{0}));
}

}  // namespace
}  // namespace callready::reach::reach_question_test
