// Whose a text is that a report holds: the vendor's, callready's own, or the site's. What is not
// known to be one of the first two is the site's. Internal to reports/.
#pragma once

#include <string_view>

#include "probe/model/report.hpp"

namespace callready {

// What the text of a fact is. Numbers and flags are never hidden, so owner_of() does not list the
// facts that hold nothing else: a text in their place, in a report that somebody changed, is hidden
// as if it had been said.
enum class FactOwner {
  program,      // a word or a date that callready chose from a list
  certificate,  // the names in one, or a digest that tells it by itself
  said,         // by whoever answered: names, realms, software, reasons; and all not listed
  file,         // where something was read from
};
FactOwner owner_of(Fact fact);

// True for words that say nothing of a site wherever they stand: of protocols and their reason
// phrases, of software that everybody runs, and versions.
bool is_everybodys_word(std::string_view word);

// True where the chain ends in a root of the public bundle, not in one that --ca-file brought.
bool has_public_root(const Observation& seen);

}  // namespace callready
