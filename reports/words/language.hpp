// The languages that reports and pages for people can be in. Their sentences are in po/*.po, which
// are built in: nothing has to be installed, and no locale of the system is used.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/text.hpp"

namespace callready {

// A file in GNU gettext's .po format: UTF-8, with two forms for what counts something.
class Catalogue : public Language {
 public:
  std::string_view code() const override { return code_; }
  std::optional<std::string_view> find(std::string_view words,
                                       std::optional<std::uint64_t> count) const override;
  std::size_t size() const { return entries_.size(); }

 private:
  friend struct ReadCatalogue read_catalogue(std::string_view, std::string_view, std::string_view);

  struct Entry {
    std::string one, many;
  };
  std::string code_;
  bool zero_is_one_ = false;  // French: "0 ligne"
  std::map<std::string, Entry, std::less<>> entries_;
};

struct ReadCatalogue {
  std::optional<Catalogue> catalogue;
  std::string error;  // "FILE:LINE:COLUMN: ..."
};

// At most 4 MiB. Entries that are marked as fuzzy, or have no translation, are left out; so are
// those whose places are not the template's.
ReadCatalogue read_catalogue(std::string_view text, std::string_view name, std::string_view code);

// "en" and those of the catalogues, sorted.
std::span<const std::string_view> language_codes();
// Null for English, and for a code that is not known.
const Language* find_language(std::string_view code);
// The code of a locale or a tag: "de" of "de_CH.UTF-8" and "de-AT"; "en" of "C", "POSIX". Nothing
// where it is no language of ours.
std::optional<std::string_view> known_language(std::string_view locale);
// Of a browser's Accept-Language (RFC 9110): of those that it takes, the one it prefers; else "en".
std::string_view accepted_language(std::string_view header);

// The same report with its sentences in that language, for renderers for people.
Report translated(const Report& report, const Language& language);

}  // namespace callready
