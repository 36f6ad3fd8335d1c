// What people want to send, by the rows of the sets: the packets that each row's probes stand for,
// and what is known of each probe whatever the world.
#pragma once

#include <map>
#include <set>

#include "probe/diagnosis/reach/world.hpp"
#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready::reach {

// How many of its endpoints a row needs, by "set/row"; all of them where it is not here. (A saved
// report does not hold it.)
using RowReach = std::map<std::string, Reach>;

enum class Works {
  yes,
  no,
  unknown,
  untried,
  gone,  // its name no longer exists: an old list, beside others that are there
};

struct AskedProbe {
  const ProbeResult* result = nullptr;
  std::vector<std::size_t> packets;   // places in Asked::packets
  std::optional<std::size_t> lookup;  // the packet that finds its name first
  HostId host = 0;
  bool by_proxy = false;  // a proxy carries it
  bool broken = false;    // a sign says so, whatever the way
  bool measured = false;  // it was sent
  bool arrived = false;   // the whole way, or, of a range, a packet to one of its ports got out
  bool died = false;      // a packet of a range, where the control passed
  bool by_rules = false;  // media, calls, what the site's resolver says: contents
};

struct AskedRow {
  const SetResult* set = nullptr;
  const RequirementResult* row = nullptr;
  std::vector<std::size_t> probes;  // places in Asked::probes
  Reach reach;
  bool spoilt = false;     // a rule about contents says that it fails
  bool worse = false;      // one says that it works with limits
  bool nat = false;        // it asks what kind of NAT there is
  bool sip_alg = false;    // it asks whether SIP is rewritten
  bool plain_sip = false;  // it asks for SIP that a device can read
};

struct Asked {
  std::vector<Packet> packets;  // each once
  std::vector<AskedProbe> probes;
  std::vector<AskedRow> rows;
};

// The flows of all probes, and those that rows ask for, before there is a Sight that they are part
// of.
std::vector<PacketFlow> flows_asked_for(const Report& report);
std::vector<RowFlow> flows_of_rows(const Report& report);

Asked asked_by(const Report& report, const Sight& sight, const RowReach& reach,
               const std::vector<const Finding*>& contents);

// Signs that leave a service of no use, whatever the way there.
bool breaks(Sign sign);

// What the probe stands for. A range is more than its sample: also those of `ports` that are in it.
std::vector<Packet> packets_of(const Asked& asked, const AskedProbe& probe,
                               const std::set<std::uint16_t>& ports);

// What a world makes of each probe, and of a row.
std::vector<Works> works(const Asked& asked, const World& world, const Boxes& boxes);
Works works(const Asked& asked, const AskedRow& row, const std::vector<Works>& probes);

}  // namespace callready::reach
