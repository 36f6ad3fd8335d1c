// What the parts of the second round share: the list of its questions, and when a port is in doubt.
#pragma once

#include <set>

#include "probe/diagnosis/finding_facts.hpp"
#include "probe/diagnosis/follow_up.hpp"

namespace callready {

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
  std::size_t room_, room_for_names_;
  std::set<std::string> ids_;
  std::vector<Probe> list_;
};

// A flow that a row misses, and of which more can be known.
bool doubtful(const findings::Facts& facts, const findings::Flow& flow);

// True where the second round has shown already that no UDP leaves the site, whatever the port:
// what else is silent over UDP is so because of that, and need not be asked for one by one.
bool udp_is_shut(const findings::Facts& facts);

// follow_up_ways.cpp: do packets to the ports in doubt leave the site, and do such to the same
// ports elsewhere? Do hosts that are silent on their one port live at all? Does what answered at
// first answer still?
void ask_for_ways(const findings::Facts& facts, Questions& questions, bool hurried);
void ask_for_neighbours(const findings::Facts& facts, Questions& questions);
void ask_again(const findings::Facts& facts, Questions& questions);

}  // namespace callready
