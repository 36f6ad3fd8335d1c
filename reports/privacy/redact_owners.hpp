// Whose a text in a report is: the vendor's, callready's own, or the site's. What is not known to
// be one of the first two is the site's. Internal to reports/.
#pragma once

#include <string_view>

#include "probe/model/report.hpp"

namespace callready {

// What the text of a fact is. Numbers and flags are never hidden, so owner_of() does not list the
// facts that hold nothing else: if somebody put a text there in a changed report, it is hidden like
// `said`.
enum class FactOwner {
  program,      // a word or a date that callready chose from a list
  certificate,  // the names in one, or a digest that identifies it
  said,         // by the peer: names, realms, software, reasons; and all not listed
  file,         // where something was read from
};
FactOwner owner_of(Fact fact);

// True for words that our own sentences and everybody's networks are full of: "proxy", "Wi-Fi".
bool is_common_word(std::string_view word);

// True for words that reveal nothing about a site wherever they appear: common ones, protocols and
// their reason phrases, software that everybody runs, and versions.
bool is_everybodys_word(std::string_view word);

// True if the chain ends in a root of the public bundle, not in one from --ca-file.
bool has_public_root(const Observation& seen);

}  // namespace callready
