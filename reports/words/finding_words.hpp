// What each finding code means, in words without names, addresses or numbers of this site: for
// docs/findings.md, and for labels and alerts, which must be few and reveal nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "probe/model/finding_code.hpp"
#include "reports/format.hpp"

namespace callready {

struct FindingWords {
  FindingCode code;
  std::string_view title, meaning, known_by, fix;
};

// One for each code, in the order of the codes.
std::span<const FindingWords> finding_words();

// What to do about a finding with that code; for a code of another edition, where to read more.
std::string_view fix_in_short(FindingCode code);

// What one of them means, for a terminal.
std::string explanation_of(FindingCode code, const RenderOptions& options);

// docs/findings.md.
std::string findings_page();

}  // namespace callready
