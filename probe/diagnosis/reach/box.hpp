// A box: a device or a fault on the way, and what it does to packets. Pure: no memory, no chance,
// and no box knows of another. A new kind is one row of `kinds()` and its two functions: what it
// does to a packet, and when it is worth considering.
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <vector>

#include "probe/diagnosis/reach/bits.hpp"
#include "probe/diagnosis/reach/sight.hpp"
#include "probe/model/finding_code.hpp"
#include "probe/model/ip.hpp"

namespace callready::reach {

// What becomes of a packet.
enum class Fate : std::uint8_t {
  pass,
  drop,
  deaf,       // it arrives, and no reply comes back
  down,       // nobody is there
  closed,     // the far end refuses
  prohibit,   // a device on the way says no: ICMP
  refuse,     // the same, by a TCP reset, or port unreachable in its own name
  forge,      // the same in the far end's name
  mute,       // a connection is established, and what it carries dies
  cut,        // a connection is established, and what it carries is answered by a reset
  take,       // a device takes the connection, and carries nothing on
  carry,      // a device takes the connection, and carries it on
  big,        // full-size packets die
  portal,     // a device answers with a page of its own
  elsewhere,  // it goes to somebody else
  maybe,      // about half of them pass
  rarely,     // a few of them pass
  half,       // half of all flows pass; the others never do, however often they are sent again
  close,      // it passes, and the far end is not far
  ignore,     // it arrives, and the server answers nobody that it does not know
  unheard,    // a device takes the connection, and carries it on to such a server
  ration,     // like `prohibit`, but mostly silent: routers ration their ICMP
  severed,    // it had begun to pass when a device started to drop: what was still to come is lost
};

inline constexpr std::size_t fate_count = static_cast<std::size_t>(Fate::severed) + 1;

// True if nobody knows which of them pass.
constexpr bool is_chance(Fate fate) {
  return fate == Fate::maybe || fate == Fate::rarely || fate == Fate::half;
}

// True if nothing useful gets through.
constexpr bool loses(Fate fate) {
  return fate != Fate::pass && fate != Fate::carry && !is_chance(fate) && fate != Fate::ignore &&
         fate != Fate::unheard && fate != Fate::close && fate != Fate::severed;
}

// True if the first packet of a flow, or its answer, is lost or refused: not if the connection is
// established, or somebody else answers.
constexpr bool stops(Fate fate) {
  return loses(fate) && fate != Fate::mute && fate != Fate::cut && fate != Fate::take &&
         fate != Fate::big && fate != Fate::portal && fate != Fate::elsewhere;
}

enum class Kind : std::uint8_t {
  rule,
  hosts,
  inspect,
  accept,
  far_end,
  limit,
  ban,
  portal,
  fact,
  reticent,
  resolver,
  neighbour,
  path,
};

enum class Protocol : std::uint8_t { any, udp, tcp };

inline bool matches(Protocol protocol, bool udp) {
  return protocol == Protocol::any || (protocol == Protocol::udp) == udp;
}

// What a rule lets through all the same.
struct Spared {
  PortRange ports;
  Protocol protocol = Protocol::any;
  friend auto operator<=>(const Spared&, const Spared&) = default;
};

constexpr std::uint32_t bit(Cargo cargo) { return 1U << static_cast<unsigned>(cargo); }
constexpr std::uint32_t bit(Sign sign) { return 1U << static_cast<unsigned>(sign); }

// What a proxy says about itself: it is there, and answers.
inline constexpr std::uint32_t signs_of_proxy = bit(Sign::proxy_works) | bit(Sign::proxy_login) |
                                                bit(Sign::proxy_denied) | bit(Sign::proxy_error);

// The finding that a box becomes. `apart`: a world with such a box differs from a world with
// another box of the same finding.
struct Code {
  std::optional<FindingCode> finding;  // none: a note, since nothing is wrong with it
  bool apart = false;

  constexpr Code() = default;
  constexpr Code(FindingCode said, bool differs = false) : finding(said), apart(differs) {}
  friend constexpr auto operator<=>(const Code&, const Code&) = default;
};

inline constexpr Code connections_taken{FindingCode::firewall_tcp_port_blocked, true},
    destination_silent{FindingCode::firewall_destination_blocked, true},
    flow_silent{FindingCode::firewall_flow_blocked, true},
    ntp_filtered{FindingCode::firewall_udp_port_blocked, true},
    sip_swallowed{FindingCode::firewall_sip_filtered, true};  // on its usual port

// Only silence shows it, and anything may be behind that.
constexpr bool is_mere_silence(const Code& code) {
  return code == destination_silent || code == flow_silent;
}

struct Box {
  Kind kind = Kind::rule;
  Code code{};
  Bits prior = 0;  // how rare it is
  Fate fate = Fate::pass;
  // What it acts on; empty: any.
  Protocol protocol = Protocol::any;
  std::vector<PortRange> ports{};  // ascending, without overlaps
  std::vector<Spared> spared{};
  Hosts hosts{}, spared_hosts{};
  bool spares_asked = false;  // spares the flows that rows ask for
  std::uint32_t cargoes = 0;  // of bit(Cargo)
  // Beyond the last router that speaks, or on the way back: packets with short TTLs end before it.
  bool beyond = false;
  double since_ms = 0;
  int per_second = 0;          // about this many new flows pass
  std::uint32_t explains = 0;  // of bit(Sign)
  Hosts names{};               // whose signs or look-ups; empty: anybody's

  friend auto operator<=>(const Box&, const Box&) = default;
};

struct Clues;
using Boxes = std::vector<Box>;

// What a box does to a packet that it acts on (`covers`).
using FateBy = Fate(const Box&, const Packet&);
// Boxes of one kind that may explain what was seen.
using Propose = void(const Clues&, Boxes&);

struct KindOfBox {
  Kind kind;
  FateBy* fate;
  Propose* propose;
};

std::span<const KindOfBox> kinds();

// True if the packet gets to the box, and is one that it acts on.
bool covers(const Box& box, const Packet& packet);

// What that box alone does to the packet: the forward function.
Fate fate_of(const Box& box, const Packet& packet);

// True if `whole` does all that `part` does: two firewall rules, one wider than the other.
bool is_wider(const Box& whole, const Box& part);

// True if the box explains that sign.
bool tells(const Box& box, Sign sign, HostId host);

// True if the device that refuses does so from its own address.
constexpr bool names_itself(Fate fate) { return fate == Fate::prohibit || fate == Fate::ration; }

constexpr bool at_far_end(const Box& box) {
  return box.kind == Kind::far_end || box.kind == Kind::reticent || box.kind == Kind::neighbour;
}
// Where boxes act: nearer ones first.
enum class BoxPlace : std::uint8_t { at_site, beyond_it, at_far_end };
// A box that drops replies acts after the far end has answered.
constexpr BoxPlace place_of(const Box& box, Fate fate) {
  if (at_far_end(box) || fate == Fate::deaf) return BoxPlace::at_far_end;
  return box.beyond ? BoxPlace::beyond_it : BoxPlace::at_site;
}

}  // namespace callready::reach
