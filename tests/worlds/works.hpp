// Whether probes and rows work in a world.
#pragma once

#include <map>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "probe/model/target_set.hpp"

namespace callready::reach {

// How many of its endpoints a row needs, by "set/row"; all of them if it is not listed. (A saved
// report does not say it.)
using RowReach = std::map<std::string, Reach>;

enum class Works {
  yes,
  no,
  unknown,
  untried,
  gone,  // its name no longer exists: an old list, beside others that are there
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

struct AskedRows {
  std::vector<AskedRow> rows;  // of all sets, in the report's order
  // Of each asked probe: one of its packets died on the way, and the control did not.
  std::vector<bool> died;
};

AskedRows rows_of(const Report& report, const Drawn& drawn, const RowReach& reach,
                  const std::vector<Finding>& contents);

// What a world makes of each asked probe, and of a row.
std::vector<Works> works(const Drawn& drawn, const AskedRows& rows, const World& world);
Works works(const Asked& asked, const AskedRow& row, const std::vector<Works>& probes);

}  // namespace callready::reach
