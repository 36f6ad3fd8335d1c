// What people read: sentences, each an English template with its arguments, so that the same text
// can be said in another language later (reports/words/language.hpp has the translations). Names,
// numbers and addresses are plain and never translated.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callready {

// A language other than English.
class Language {
 public:
  virtual ~Language() = default;
  virtual std::string_view code() const = 0;  // "de" (ISO 639-1)
  // The translation of a template, for that count if it counts something; nothing: English is used.
  virtual std::optional<std::string_view> find(std::string_view words,
                                               std::optional<std::uint64_t> count) const = 0;
};

// While one of these lives, everything that this thread makes with phrase() and plural() is in that
// language; null: English. For renderers: what a report holds is made without one.
class Speaking {
 public:
  explicit Speaking(const Language* language);
  ~Speaking();
  Speaking(const Speaking&) = delete;
  Speaking& operator=(const Speaking&) = delete;

 private:
  const Language* before_;
};

// The language that is spoken now; null: English.
const Language* spoken_language();

class Text {
 public:
  struct Part {
    std::string words;  // a template, or the text itself where it is plain
    std::string many;   // the template for other counts than 1; empty: it counts nothing
    std::uint64_t count = 0;
    std::vector<Text> arguments{};
    bool plain = false;
  };

  static constexpr auto npos = std::string::npos;

  Text() = default;
  // Plain.
  Text(std::string plain);
  Text(std::string_view plain) : Text(std::string(plain)) {}
  Text(const char* plain) : Text(std::string(plain)) {}
  explicit Text(std::vector<Part> parts);

  // In English, or in the language that was spoken when it was made.
  const std::string& string() const { return said_; }
  operator std::string_view() const { return said_; }
  explicit operator const std::string&() const { return said_; }

  std::string in(const Language* language) const;

  // Empty where all of it is plain.
  const std::vector<Part>& parts() const { return parts_; }

  bool empty() const { return said_.empty(); }
  std::size_t size() const { return said_.size(); }
  std::size_t find(std::string_view wanted, std::size_t from = 0) const {
    return said_.find(wanted, from);
  }
  bool starts_with(std::string_view start) const { return said_.starts_with(start); }
  bool ends_with(std::string_view end) const { return said_.ends_with(end); }
  void clear() { *this = Text(); }

  Text& operator+=(const Text& more);
  Text& operator+=(char more) { return *this += Text(std::string(1, more)); }
  friend Text operator+(Text a, const Text& b) { return std::move(a += b); }
  friend Text operator+(Text a, char b) { return std::move(a += b); }

  friend bool operator==(const Text& a, const Text& b) { return a.said_ == b.said_; }
  template <typename String>
  requires(std::convertible_to<const String&, std::string_view> &&
           !std::same_as<String, Text>) friend bool
  operator==(const Text& a, const String& b) {
    return a.said_ == std::string_view(b);
  }
  friend std::strong_ordering operator<=>(const Text& a, const Text& b) {
    return a.said_ <=> b.said_;
  }

  friend std::ostream& operator<<(std::ostream& out, const Text& text) { return out << text.said_; }

  // Puts the other text in place of the first occurrence of `old`. False: there is none.
  bool replace(std::string_view old, const Text& other);
  // Rewrites all plain texts in it, arguments too, with `change`. If that gives another result than
  // changing the whole text at once, the whole text counts, and can no longer be translated.
  template <typename Change>
  Text rewritten(Change change) const {
    Text whole(change(said_));
    if (parts_.empty()) return whole;
    auto copy = *this;
    copy.rewrite_plain(change);
    return copy.said_ == whole.said_ ? copy : whole;
  }

 private:
  template <typename Change>
  void rewrite_plain(const Change& change) {
    if (parts_.empty()) {
      said_ = change(said_);
      return;
    }
    for (auto& part : parts_) {
      if (part.plain) part.words = change(part.words);
      for (auto& argument : part.arguments) argument.rewrite_plain(change);
    }
    said_ = in(nullptr);
  }

  std::string said_;
  std::vector<Part> parts_;
};

namespace words_detail {

void places_do_not_match();  // not constant: names the fault in the compiler's message

// A template for that many arguments: "{}" in sequence, or "{0}" and so on; "{{" is a brace.
template <std::size_t Arguments>
class Template {
 public:
  consteval Template(const char* words) : words_(words) {
    std::size_t in_order = 0;
    bool numbered = false;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const char c = words_[i];
      if (c != '{' && c != '}') continue;
      if (++i == words_.size()) places_do_not_match();
      if (words_[i] == c) continue;
      if (c == '}') places_do_not_match();
      if (words_[i] == '}') {
        ++in_order;
        continue;
      }
      const char digit = words_[i];
      if (digit < '0' || digit > '9' || ++i == words_.size() || words_[i] != '}') {
        places_do_not_match();
      }
      numbered = true;
      if (static_cast<std::size_t>(digit - '0') >= Arguments) places_do_not_match();
    }
    if (numbered ? in_order != 0 : in_order != Arguments) places_do_not_match();
  }
  std::string_view words() const { return words_; }

 private:
  std::string_view words_;
};

template <typename T>
Text argument(const T& value) {
  if constexpr (std::convertible_to<const T&, Text>) {
    return value;
  } else if constexpr (requires { value.to_string(); }) {  // addresses, ranges of ports
    return Text(value.to_string());
  } else {
    return Text(fmt::to_string(value));
  }
}

Text made(std::string_view one, std::string_view many, std::uint64_t count,
          std::vector<Text> arguments);

}  // namespace words_detail

// "UDP to {} is dropped" with its arguments; numbers are written as fmt does.
template <typename... Args>
Text phrase(words_detail::Template<sizeof...(Args)> words, const Args&... args) {
  return words_detail::made(words.words(), {}, 0, {words_detail::argument(args)...});
}

// "{} row" for 1, otherwise "{} rows"; the count is the first argument.
template <std::integral Count, typename... Args>
Text plural(Count count, words_detail::Template<sizeof...(Args) + 1> one,
            words_detail::Template<sizeof...(Args) + 1> many, const Args&... args) {
  return words_detail::made(one.words(), many.words(), static_cast<std::uint64_t>(count),
                            {Text(fmt::to_string(count)), words_detail::argument(args)...});
}

// Marks a table's text as a template without placeholders, for translators; marked_text() says it.
consteval std::string_view marked(const char* words) { return words; }
template <typename... Args>
Text marked_text(std::string_view marked, const Args&... args) {
  return words_detail::made(marked, {}, 0, {words_detail::argument(args)...});
}

// "12" and "12.3": numbers are the same in every language.
inline std::string whole(double value) { return fmt::format("{:.0f}", value); }
inline std::string tenths(double value) { return fmt::format("{:.1f}", value); }

template <typename List>
Text joined_texts(const List& list, std::string_view separator = ", ") {
  Text all;
  bool first = true;
  for (const auto& item : list) {
    if (!first) all += Text(separator);
    first = false;
    all += words_detail::argument(item);
  }
  return all;
}

}  // namespace callready

template <>
struct fmt::formatter<callready::Text> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const callready::Text& text, Context& context) const {
    return fmt::formatter<std::string_view>::format(text.string(), context);
  }
};
