// Pieces of the HTML report. Markup is only ever a literal of this program; every value put into it
// is text, made harmless and escaped, unless it is a finished piece itself. Internal to reports/
// and to the page of `callready ui`.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace callready {

// Text for an element or a quoted attribute, in HTML and XML: no character of it can end either,
// and none is a control character or changes the writing direction.
std::string html_escaped(std::string_view text);

class Html {
 public:
  Html() = default;

  // Appends `markup` with the arguments in its placeholders: numbers and pieces as they are, all
  // other text escaped.
  template <typename... Args>
  Html& put(
      fmt::format_string<
          std::conditional_t<std::is_same_v<Args, Html>, std::string_view,
                             std::conditional_t<std::is_arithmetic_v<Args>, Args, std::string>>...>
          markup,
      const Args&... args) {
    text_ += fmt::format(markup, value(args)...);
    return *this;
  }
  Html& put(const Html& piece) {
    text_ += piece.text_;
    return *this;
  }
  // For the program's own source only (its style and its script).
  Html& source(std::string_view own) {
    text_ += own;
    return *this;
  }

  bool empty() const { return text_.empty(); }
  std::string_view view() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  static std::string_view value(const Html& piece) { return piece.text_; }
  template <typename T>
  requires std::is_arithmetic_v<T>
  static T value(T number) { return number; }
  template <typename T>
  requires std::convertible_to<T, std::string_view>
  static std::string value(const T& text) { return html_escaped(text); }

  std::string text_;
};

}  // namespace callready
