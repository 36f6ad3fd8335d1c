// The endpoints of a row that a run may try, in the order in which a sample takes them.
#pragma once

#include <string>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

struct Candidate {
  std::string host;  // a name or an address; empty: the check needs none (nat)
  std::string region;
  // "Europe" of the region "Europe / France": hosts of one area are near each other. The region
  // itself where its title names no area.
  std::string area;
};

// Every host once: what the document lists, then examples of its wildcards, then what it is about
// to drop; never what it says was removed. Each kind in turns over the regions, far ones first, so
// that a prefix of any length is a fair sample. A network or a range gives one address; where there
// are some of both families, only those of the wanted one do, as the site may have no way to the
// others. `row` with its variables filled in; `regions`: only endpoints of these, or of none;
// empty: all.
std::vector<Candidate> candidates_of(const TargetSet& set, const Requirement& row,
                                     const std::vector<std::string>& regions, bool v4 = true);

// True if only the row's hosts are asked, and its networks, where nothing is known to listen, are
// listed for the firewall only. A media range is sent to networks all the same.
bool asks_only_hosts(const Requirement& row);

// What the address of a row may be called in reverse DNS, as the check `dns` wants it (`expect`);
// empty if the row gives no such names, or `host` is neither an address nor one of them.
std::string reverse_names(const Requirement& row, const std::string& host);

}  // namespace callready
