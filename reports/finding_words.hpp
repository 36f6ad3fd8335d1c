// What each code of a finding means, in words without a name, an address or a number of this site:
// for docs/findings.md, and for labels and alerts, which must be few and tell nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

struct FindingWords {
  std::string_view code, title, meaning, known_by, who, fix;
};

// One for each code, sorted by it.
std::span<const FindingWords> finding_words();

// What to do about a finding of that code; of a code that is not known here, where to read on.
std::string_view fix_in_short(std::string_view code);

// All that have one, sorted.
std::vector<std::string_view> codes_with_fixes();

// docs/findings.md.
std::string findings_page();

}  // namespace callready
