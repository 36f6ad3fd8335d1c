// The question that would settle most, of all that known hosts could be asked next.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "probe/diagnosis/reach/read.hpp"
#include "tests/worlds/shadow.hpp"

namespace callready::reach {
namespace {

constexpr std::size_t most_hosts = 40;

using Key = std::tuple<HostId, bool, std::uint16_t, Cargo, bool>;

Key question_key(const Packet& packet) {
  return {packet.host, packet.udp, packet.port, packet.cargo, packet.ends_early};
}

struct Candidate {
  Packet packet;
  PacketFlow flow;
};

// Packets to known hosts: the whole way, to ports that they listen on and were not asked; and as
// far as the last router, of every kind that any host was asked.
std::vector<Candidate> candidates(const Report& report, const Sight& sight) {
  std::set<Key> asked;
  std::map<HostId, PacketFlow> hosts;
  std::set<std::tuple<bool, std::uint16_t, Cargo>> kinds;
  bool routers_speak = false;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& packet = sight.packets[i];
    const auto& event = sight.events.flows[i];
    asked.insert(question_key(packet));
    hosts.try_emplace(packet.host, event.flow);
    kinds.emplace(packet.udp, packet.port, packet.cargo);
    routers_speak |= event.seen == Seen::expired;
  }
  std::vector<Candidate> found;
  const auto offer = [&](const PacketFlow& flow, bool ends_early) {
    auto packet = sight.packet_of(flow);
    packet.ends_early = ends_early;
    if (asked.insert(question_key(packet)).second) found.push_back({packet, flow});
  };
  for (const auto& [probe, seen] : report.probes) {
    const bool listener = probe.target.route.direct() && probe.target.port() != 0 &&
                          probe.check != CheckKind::hop && probe.check != CheckKind::dns &&
                          probe.check != CheckKind::media && probe.check != CheckKind::ice;
    if (!listener) continue;
    for (const auto& flow : flows_of(probe, seen)) offer(flow, false);
  }
  if (!routers_speak) return found;
  std::size_t count = 0;
  for (const auto& [host, like] : hosts) {
    if (count++ == most_hosts) break;
    for (const auto& [udp, port, cargo] : kinds) {
      offer({udp, like.host, like.address, port, cargo, {}}, true);
    }
  }
  return found;
}

}  // namespace

std::optional<Question> next_question(const Report& report, const Sight& sight, const Boxes& boxes,
                                      const std::vector<World>& worlds) {
  const auto known = candidates(report, sight);
  std::vector<Packet> packets;
  for (const auto& candidate : known) packets.push_back(candidate.packet);
  const auto best = most_telling(packets, 0, boxes, worlds, 1);
  if (best.empty()) return std::nullopt;
  const auto& [packet, flow] = known[best.front()];
  std::map<std::string_view, double> answers;
  const auto probability = of_the_likeliest(worlds);
  for (std::size_t i = 0; i < probability.size(); ++i) {
    answers[answer_to(fate_in(worlds[i], boxes, packet).fate, packet)] += probability[i];
  }
  Question question{flow, packet.ends_early, 0, {answers.begin(), answers.end()}};
  for (const auto& [answer, share] : answers) question.gain -= share * std::log2(share);
  return question;
}

std::string in_words(const Question& question) {
  const auto& flow = question.flow;
  return fmt::format("{} to {} {} {}{}", to_string(flow.cargo), flow.host, flow.udp ? "UDP" : "TCP",
                     flow.port,
                     question.as_far_as_the_last_router ? ", as far as the last router" : "");
}

}  // namespace callready::reach
