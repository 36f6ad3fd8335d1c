// What the causes of a run make of its probes: which are lost although nothing proves it by itself,
// which only seemed to work, and which work less well than the vendor asks. Rows are judged by it,
// so that a verdict never contradicts a finding (docs/design.md, "The verdict follows from the
// diagnosis").
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// All that a cause closes, whether it was tried or not.
enum class Closes {
  nothing_more,   // than what it explains
  everything,     // nothing gets out of here, or back
  direct,         // whatever does not go through a proxy
  direct_tcp,     // the same, but UDP gets out
  udp,            // whatever goes over UDP, except DNS
  high_udp,       // UDP, except to the well-known ports
  all_but_https,  // everything direct but TCP 443
  all_but_web,    // everything direct but TCP 80 and 443
};

inline constexpr std::uint16_t last_well_known_port = 1023;  // RFC 6335 section 6

// True where it closes that port. `proxied`: the packets go through a proxy.
bool closes(Closes closed, Transport transport, std::uint16_t port, bool proxied);
// The same for a range: if one has an open port in it, something works.
bool closes_all_of(Closes closed, Transport transport, const PortRange& range);

// What the causes make of probes, which are named by their ids.
struct Attribution {
  // One cause that is likely or certain: what is only possible changes no verdict.
  struct Entry {
    FindingCode code = FindingCode::other;
    Text title;
    std::set<std::string> lost;      // probes that it explains or contradicts
    std::set<std::string> impaired;  // probes that work, but not as the vendor asks
    Closes closed = Closes::nothing_more;
  };

  std::vector<Entry> entries{};
  std::map<std::string, Text> doubted{};  // probes that show less than it seems, and why
  // Probes that got no answer, and are lost whichever of the possible causes is the right one.
  std::set<std::string> given_up{};
  std::set<std::string> got_out{};  // probes whose packets got out when they were sent again

  // The first cause that closes this probe's way: what was reached was not the service, what is
  // unknown is lost. Null: none does.
  const Entry* loss_of(const std::string& probe) const;
  bool loses(const std::string& probe) const { return loss_of(probe) != nullptr; }
  // The finding's title where a cause impairs the probe; empty: none does.
  Text impairment(const std::string& probe) const;
  // Why what a probe has shown is in doubt; empty: it is not.
  Text doubt_about(const std::string& probe) const;
  // The cause that closes every port of the row: all that leaves this computer, or leaves it
  // directly, if no proxy may carry the row. It cannot work, tried or not. Null: there is none.
  const Entry* closure(const Requirement& row) const;
};

}  // namespace callready
