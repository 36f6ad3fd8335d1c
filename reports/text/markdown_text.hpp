// Text within Markdown. Internal to reports/.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/words/terminal.hpp"

namespace callready {

// Escapes every character that could begin markup where we place text: never at the start of a
// line, so list bullets and the like need none. "http://" and "www." would become links.
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

// A code block of these lines, made harmless: nothing in them is markup, since the fence around
// them is longer than any in them (CommonMark, section 4.5).
inline std::string markdown_block(const std::vector<std::string>& lines,
                                  std::string_view language = "") {
  std::string body;
  for (const auto& line : lines) body += harmless(line) + '\n';
  std::size_t longest = 2, run = 0;  // of backticks
  for (const char c : body) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fence + std::string(language) + '\n' + body + fence + '\n';
}

}  // namespace callready
