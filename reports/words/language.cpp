#include "reports/words/language.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "probe/util/text.hpp"
#include "reports/words/languages.hpp"

namespace callready {
namespace {

constexpr std::size_t largest_catalogue = std::size_t{4} * 1024 * 1024;

// How often each placeholder occurs, to compare a translation with its template.
std::optional<std::array<int, 10>> places_of(std::string_view words) {
  std::array<int, 10> places{};
  std::size_t next = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    if (c != '{' && c != '}') continue;
    const char after = i + 1 < words.size() ? words[i + 1] : '\0';
    if (after == c) {
      ++i;
      continue;
    }
    if (c == '}') return std::nullopt;
    if (after == '}') {
      if (next == places.size()) return std::nullopt;
      ++places[next++];
      ++i;
      continue;
    }
    if (after < '0' || after > '9' || i + 2 >= words.size() || words[i + 2] != '}') {
      return std::nullopt;
    }
    ++places[static_cast<std::size_t>(after - '0')];
    i += 2;
  }
  return places;
}

// True if it has no placeholder that the template lacks; a singular form may omit the number.
bool fits(std::string_view words, std::string_view translation) {
  const auto wanted = places_of(words), has = places_of(translation);
  if (!wanted || !has) return false;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    if ((*has)[i] > 0 && (*wanted)[i] == 0) return false;
  }
  return true;
}

struct Fault {
  std::size_t at;
  std::string_view why;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Moves to a keyword or a string's first quote; false at the end. Skips comments, but notes the
  // flag "fuzzy".
  bool next() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        const auto end = std::min(text_.find('\n', at_), text_.size());
        const auto line = text_.substr(at_, end - at_);
        if (line.starts_with("#,") && line.find("fuzzy") != line.npos) fuzzy_ = true;
        at_ = end;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        ++at_;
      } else {
        return true;
      }
    }
    return false;
  }

  bool take(std::string_view keyword) {
    if (!next() || !text_.substr(at_).starts_with(keyword)) return false;
    const auto after = at_ + keyword.size();
    if (after < text_.size() && text_[after] != ' ' && text_[after] != '\t' && text_[after] != '"')
      return false;
    at_ = after;
    return true;
  }

  std::string string() {
    std::string value;
    bool any = false;
    while (next() && text_[at_] == '"') {
      any = true;
      piece(value);
    }
    if (!any) throw Fault{at_, "expected a text in quotes"};
    return value;
  }

  std::size_t at() const { return at_; }
  bool was_fuzzy() { return std::exchange(fuzzy_, false); }

 private:
  void piece(std::string& value) {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      char c = text_[at_];
      if (c == '\n') break;
      if (c == '\\') {
        if (++at_ == text_.size()) break;
        c = text_[at_];
        if (c == 'n') {
          c = '\n';
        } else if (c == 't') {
          c = '\t';
        } else if (c != '"' && c != '\\') {
          throw Fault{at_, "this escape is not known"};
        }
      }
      value += c;
    }
    if (at_ >= text_.size() || text_[at_] != '"') throw Fault{at_, "this text has no end"};
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool fuzzy_ = false;
};

struct BuiltIn {
  std::string_view code;
  std::string_view (*text)();
};
constexpr BuiltIn built_in[] = {
    {"de", languages::de}, {"es", languages::es}, {"fr", languages::fr}, {"nl", languages::nl}};

const Catalogue* catalogue_of(const BuiltIn& language) {
  static std::map<std::string_view, Catalogue> known;
  static std::mutex access;
  const std::lock_guard lock(access);
  const auto found = known.find(language.code);
  if (found != known.end()) return &found->second;
  auto read = read_catalogue(language.text(), fmt::format("{}.po", language.code), language.code);
  // The tests find a broken catalogue; here it counts as missing.
  auto& place = known[language.code];
  if (read.catalogue) place = std::move(*read.catalogue);
  return &place;
}

}  // namespace

std::optional<std::string_view> Catalogue::find(std::string_view words,
                                                std::optional<std::uint64_t> count) const {
  const auto found = entries_.find(words);
  if (found == entries_.end()) return std::nullopt;
  const bool one = !count || *count == 1 || (*count == 0 && zero_is_one_);
  return one ? found->second.one : found->second.many;
}

ReadCatalogue read_catalogue(std::string_view text, std::string_view name, std::string_view code) {
  const auto refuse = [&](std::size_t at, std::string_view why) {
    return ReadCatalogue{std::nullopt,
                         fmt::format("{}:{}: {}", name, place_in_text(text, at), why)};
  };
  if (text.size() > largest_catalogue) return refuse(0, "this file is too large for a catalogue");
  Catalogue catalogue;
  catalogue.code_ = code;
  catalogue.zero_is_one_ = code == "fr";
  Reader reader(text);
  try {
    while (reader.next()) {
      const auto start = reader.at();
      if (!reader.take("msgid")) return refuse(start, "expected msgid");
      const auto words = reader.string();
      const bool fuzzy = reader.was_fuzzy();
      Catalogue::Entry entry;
      std::string plural;
      if (reader.take("msgid_plural")) {
        plural = reader.string();
        if (!reader.take("msgstr[0]")) return refuse(reader.at(), "expected msgstr[0]");
        entry.one = reader.string();
        if (!reader.take("msgstr[1]")) return refuse(reader.at(), "expected msgstr[1]");
        entry.many = reader.string();
      } else {
        if (!reader.take("msgstr")) return refuse(reader.at(), "expected msgstr");
        entry.one = entry.many = reader.string();
      }
      const auto& most = plural.empty() ? words : plural;
      if (words.empty() || fuzzy || entry.one.empty() || entry.many.empty()) continue;
      if (!fits(most, entry.one) || !fits(most, entry.many)) continue;
      if (!catalogue.entries_.emplace(words, std::move(entry)).second) {
        return refuse(start, "this entry is there twice");
      }
    }
  } catch (const Fault& fault) {
    return refuse(fault.at, fault.why);
  }
  return {std::move(catalogue), {}};
}

std::span<const std::string_view> language_codes() {
  static constexpr std::string_view codes[] = {"de", "en", "es", "fr", "nl"};
  return codes;
}

const Language* find_language(std::string_view code) {
  for (const auto& language : built_in) {
    if (language.code == code) return catalogue_of(language);
  }
  return nullptr;
}

std::optional<std::string_view> known_language(std::string_view locale) {
  if (locale == "C" || locale == "POSIX" || locale.starts_with("C.")) return "en";
  const auto end = std::min(locale.find_first_of("_-.@"), locale.size());
  const auto code = lower_case(locale.substr(0, end));
  for (const auto known : language_codes()) {
    if (known == code) return known;
  }
  return std::nullopt;
}

std::string_view accepted_language(std::string_view header) {
  std::string_view best = "en";
  int most = 0;  // thousandths
  for (auto item : split(header, ",")) {
    while (item.starts_with(' ')) item.remove_prefix(1);
    const auto known = known_language(item.substr(0, item.find_first_of("; ")));
    int weight = 1000;
    if (const auto q = item.find("q="); q != item.npos) {
      const auto digits = item.substr(q + 2);
      weight = digits.starts_with('1') ? 1000 : 0;
      int place = 100;
      for (std::size_t i = 2; weight < 1000 && i < std::min<std::size_t>(digits.size(), 5); ++i) {
        if (digits[i] < '0' || digits[i] > '9') break;
        weight += (digits[i] - '0') * place;
        place /= 10;
      }
    }
    if (known && weight > most) {
      best = *known;
      most = weight;
    }
  }
  return best;
}

namespace {

void translate(Text& text, const Language& language) {
  if (!text.parts().empty()) text = Text(text.in(&language));
}

void translate(std::vector<Finding>& findings, const Language& language) {
  for (auto& finding : findings) {
    translate(finding.title, language);
    translate(finding.fix, language);
    if (finding.runner_up) {
      translate(finding.runner_up->cause, language);
      translate(finding.runner_up->tells, language);
    }
    for (auto& evidence : finding.evidence) translate(evidence.text, language);
  }
}

void translate(std::vector<SetResult>& sets, const Language& language) {
  for (auto& set : sets) {
    for (auto& note : set.notes) translate(note, language);
    for (auto& capability : set.capabilities) translate(capability.summary, language);
    for (auto& row : set.requirements) {
      translate(row.summary, language);
      translate(row.sampled, language);
    }
  }
}

}  // namespace

Report translated(const Report& report, const Language& language) {
  auto copy = report;
  const auto part = [&](auto& one) {
    translate(one.findings, language);
    translate(one.sets, language);
    for (auto& note : one.notes) translate(note, language);
  };
  part(copy);
  for (auto& vantage : copy.vantages) part(vantage);
  for (auto& probe : copy.probes) {
    for (auto& evidence : probe.observation.evidence) translate(evidence.text, language);
  }
  return copy;
}

}  // namespace callready
