// The fix of a finding in one sentence without a name, an address or a number of this site: for
// labels and alerts, which must be few and tell nothing. The report has the whole of it.
#pragma once

#include <string_view>
#include <vector>

#include "probe/model/words.hpp"

namespace callready {

// What to do about a finding of that code; of a code that is not known here, where to read on.
std::string_view fix_in_short(std::string_view code);

// All that have one, sorted.
std::vector<std::string_view> codes_with_fixes();

}  // namespace callready
