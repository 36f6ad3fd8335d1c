// What people want to send, according to the sets' rows: the packets that their probes stand for,
// and what is known about each probe in any world.
#pragma once

#include <optional>
#include <set>

#include "probe/diagnosis/reach/world.hpp"
#include "probe/model/report.hpp"

namespace callready::reach {

struct AskedProbe {
  const ProbeResult* result = nullptr;
  std::vector<std::size_t> packets;   // places in Asked::packets
  std::optional<std::size_t> lookup;  // the packet that finds its name first
  HostId host = 0;
  bool by_proxy = false;  // a proxy carries it
  bool broken = false;    // a sign says so, whatever the way
  bool arrived = false;   // the whole way; for a range: a packet to one of its ports got out
};

struct Asked {
  std::vector<Packet> packets;  // each once
  std::vector<AskedProbe> probes;
};

// The flows of all probes, and the targets of rows, before there is a Sight to put them in.
std::vector<PacketFlow> flows_asked_for(const Report& report);
std::vector<const Target*> targets_of_rows(const Report& report);

Asked asked_by(const Report& report, const Sight& sight);

// True if that box alone holds some of it back.
bool hurts_rows(const Box& box, const Asked& asked);

// Signs that make a service useless, however it is reached.
bool breaks(Sign sign);

// What the probe stands for. For a range, its sample and those of `ports` that are in it.
std::vector<Packet> packets_of(const Asked& asked, const AskedProbe& probe,
                               const std::set<std::uint16_t>& ports);

// True for checks that say by themselves whether the service was reached.
bool is_exchange(CheckKind check);

// What becomes of each packet of `asked` in that world.
std::vector<Met> fates_in(const World& world, const Boxes& boxes, const Asked& asked);
// True if the probe fails in that world, in which its packets have these fates.
bool fails(const AskedProbe& probe, const std::vector<Met>& fates, const World& world,
           const Boxes& boxes);

}  // namespace callready::reach
