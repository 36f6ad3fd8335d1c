// Text within Markdown. Internal to reports/.
#pragma once

#include <string>
#include <string_view>

#include "reports/words/terminal.hpp"

namespace callready {

// Every character that could begin markup where we place text: never at the start of a line, so
// list bullets and the like need no escape. "http://" and "www." would become links by themselves.
inline std::string escaped_markdown(std::string_view text) {
  constexpr std::string_view special = "\\`*_[]<>#|~&!@";
  const auto safe = harmless(text);
  std::string out;
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const std::string_view rest(safe.data() + i, safe.size() - i);
    const bool link = rest.starts_with("://") || (rest.starts_with('.') && out.ends_with("www"));
    if (link || special.find(safe[i]) != std::string_view::npos) out += '\\';
    out += safe[i];
  }
  return out;
}

}  // namespace callready
