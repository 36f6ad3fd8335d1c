// Who answers everybody, and did not: the reason why a packet that was seen to leave the site may
// still have come to nothing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "probe/diagnosis/finding_facts.hpp"

namespace callready::findings {

// True where its far end answered: over UDP a port-unreachable comes back where no reply does.
bool heard(const Flow& flow);

// Of a media range: no more came than refusals in the far end's name.
bool only_refused(const ProbeResult& result);

class Silence {
 public:
  // `explained`: probes whose silence has a cause that is known. Both outlive this.
  Silence(const Facts& facts, const std::set<std::string>& explained);

  // Why a probe that was seen to leave the site may come to nothing; empty: no reason is known.
  Text about(const ProbeResult& result) const;

 private:
  // Over UDP or over TCP: who was heard, and who was not although they answer everybody.
  struct Answers {
    std::set<std::uint16_t> heard;                          // ports
    std::map<std::uint16_t, std::set<std::string>> silent;  // parties by port

    bool any_heard_from(std::uint16_t port) const { return heard.lower_bound(port) != heard.end(); }
    std::size_t silent_from(std::uint16_t port) const;
    Text doubt(const PortRange& ports, std::string_view over) const;
  };
  using HostOverUdp = std::pair<std::string, bool>;

  void note(const Flow& flow);
  void note_refusals(const Flow& flow);
  bool should_answer(const FlowSample& sample) const;

  const Facts& facts_;
  const std::set<std::string>& explained_;
  std::set<std::string> vendors_;
  std::set<std::pair<bool, std::uint16_t>> left_to_others_;  // ports over UDP (true) or TCP
  std::set<std::uint16_t> own_silent_;  // UDP ports on which the vendor's servers should answer
  Answers udp_, tcp_;
  // Hosts that should answer on some port, and do on none, over UDP (true) or TCP.
  std::set<HostOverUdp> dead_, alive_;
  // Hosts of which connections are turned away by a device, and none is let out.
  std::set<std::string> turned_away_;
  // Hosts of which ports that a row names as a service's refuse us over UDP.
  std::set<std::string> refuse_their_service_;
  bool any_heard_ = false, any_silent_ = false, public_refusals_ = false, resets_ = false;
};

}  // namespace callready::findings
