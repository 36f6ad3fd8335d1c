#include "probe/model/url.hpp"

#include <algorithm>

namespace callready {
namespace {

// What ends a URL in running text.
constexpr std::string_view outside = " \t\r\n\"'<>|\\^`{}";

std::string shown(std::string_view word) {
  const auto mark = word.find("://");
  const auto begin = mark == word.npos ? 0 : mark + 3;
  const auto authority_end = std::min(word.find_first_of("/?#", begin), word.size());
  const auto at = word.substr(0, authority_end).rfind('@');
  const auto colon = word.find(':', begin);
  // Without a scheme "alice@example.com" is somebody's address and "sip:a@b" a protocol's.
  const bool address = word.starts_with("sip:") || word.starts_with("sips:");
  const bool login =
      at != word.npos && at >= begin && (mark != word.npos || (colon < at && !address));
  std::string result(word.substr(0, begin));
  word.remove_prefix(login ? at + 1 : begin);
  if (mark != word.npos || begin > 0) word = word.substr(0, word.find_first_of("?#"));
  return result.append(word);
}

}  // namespace

std::string without_secrets(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto size = std::min(text.find_first_of(outside), text.size());
    const auto word = text.substr(0, size);
    // Punctuation behind a URL is the sentence's.
    result += word.find("://") == word.npos && word.find('@') == word.npos ? std::string(word)
                                                                           : shown(word);
    text.remove_prefix(size);
    if (text.empty()) break;
    result += text.front();
    text.remove_prefix(1);
  }
  return result;
}

}  // namespace callready
