// "It left the site" is weak evidence: a router on the way saw the packet, and nobody has said that
// it arrived, or that anything comes back. It is taken for a way that is open, unless the worlds in
// which it is lost add up to 5 %, or nothing comes back over UDP at all.
#pragma once

#include <map>
#include <set>
#include <string>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

// Probes whose packets died before they left, or that nobody answered, and that got out or were
// answered when they were sent again: a bad line.
std::set<std::string> got_out_after_all(const Facts& facts);

// Probes that were only seen to leave the site, or to connect, and of which more is in doubt, or
// that were lost where a bad line loses more, with the reason in words. `explained`: probes whose
// silence has a cause that is known.
std::map<std::string, Text> doubted(const Diagnosis& context,
                                    const std::set<std::string>& explained);

}  // namespace callready::findings
