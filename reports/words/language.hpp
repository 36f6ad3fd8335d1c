// The languages of reports and pages for people. Their sentences are in po/*.po, which are built
// in: nothing has to be installed, and the system's locales are not used.
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

// A file in GNU gettext's .po format: UTF-8, with two plural forms.
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

// At most 4 MiB. Leaves out entries that are fuzzy, untranslated, or whose placeholders are not the
// template's.
ReadCatalogue read_catalogue(std::string_view text, std::string_view name, std::string_view code);

// "en" and the catalogues' codes, sorted.
std::span<const std::string_view> language_codes();
// Null for English, and for an unknown code.
const Language* find_language(std::string_view code);
// The code for a locale or a tag: "de" for "de_CH.UTF-8" and "de-AT"; "en" for "C", "POSIX".
// Nothing if we do not have the language.
std::optional<std::string_view> known_language(std::string_view locale);
// The language that a browser's Accept-Language (RFC 9110) prefers among ours; otherwise "en".
std::string_view accepted_language(std::string_view header);

// The same report with its sentences in that language, for renderers for people.
Report translated(const Report& report, const Language& language);

}  // namespace callready
