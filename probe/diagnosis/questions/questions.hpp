// What the parts of the second round share: the list of its questions, and when a port is in doubt.
#pragma once

#include <functional>
#include <set>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/questions/follow_up.hpp"

namespace callready {

// For each port in doubt: two hosts show what one cannot, more show no more.
inline constexpr std::size_t hosts_per_port = 2;

class Questions {
 public:
  explicit Questions(const findings::Facts& facts);

  // Nothing where it has been asked already, or where there are enough. `proxy`: its URL; empty:
  // directly.
  void ask(Purpose purpose, CheckKind check, Transport transport, std::string host,
           std::uint16_t port, std::map<std::string, std::string> with = {},
           std::string proxy = {});
  std::vector<Probe> take() { return std::move(list_); }

 private:
  std::size_t& room_for(Purpose purpose);

  const findings::Facts& facts_;
  std::size_t room_, room_for_names_, room_for_repeats_;
  std::set<std::string> ids_;
  std::vector<Probe> list_;
};

// A flow that a row misses, and of which more can be known.
bool doubtful(const findings::Facts& facts, const findings::Flow& flow);

// How UDP fares as a whole, by worlds. Where the second round has shown already that none leaves
// the site, whatever the port, or that no reply comes back, what else is silent over UDP is so
// because of that, and need not be asked for one by one.
enum class UdpAsAWhole { open, shut, unanswered };
UdpAsAWhole udp_as_a_whole(const findings::Facts& facts);

// What goes with every question of a kind: the control, the payload.
using With = std::map<std::string, std::string>;

// media.cpp: hosts of which two ports, one of them over TCP, are seen to be blocked, and
// nothing was heard; hosts of such flows whose packets the second round has seen to leave. Do media
// ports that died to one network die to others? Ports that could not be measured, hosts of which
// nothing is known: do their packets leave?
std::set<std::string> shut_hosts(const findings::Facts& facts);
std::size_t hosts_that_left(const findings::Facts& facts,
                            const std::function<bool(const findings::Flow&)>& such);
void ask_for_ranges(const findings::Facts& facts, const findings::Flow& control, const With& with,
                    Questions& questions);
void ask_for_silent_ports(const findings::Facts& facts, const With& with, Questions& questions);
void ask_for_silent_ranges(const findings::Facts& facts, const With& with, Questions& questions,
                           bool hurried);

// flows.cpp: do packets to the ports in doubt leave the site, and do such to the same
// ports elsewhere? Do hosts that are silent on their one port live at all? Does what answered at
// first answer still?
void ask_for_ways(const findings::Facts& facts, Questions& questions, UdpAsAWhole udp,
                  bool hurried);
void ask_for_neighbours(const findings::Facts& facts, Questions& questions, UdpAsAWhole udp);
void ask_again(const findings::Facts& facts, Questions& questions);

}  // namespace callready
