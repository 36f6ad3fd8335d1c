#include "probe/model/url.hpp"

#include <algorithm>
#include <utility>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// What ends a URL in running text.
constexpr std::string_view outside = " \t\r\n\"'<>";

// "host" and "host:80"; in "alice:pa", the start of "alice:pa/ss@host", a name of a user.
bool may_be_host(std::string_view authority) {
  const auto colon = authority.rfind(':');
  return authority.starts_with('[') || colon == authority.npos ||
         (colon + 1 < authority.size() &&
          authority.find_first_not_of("0123456789", colon + 1) == authority.npos);
}

// The end of the login that `text`, a URL from its authority on, begins with. "alice:12/34@host" is
// taken for a host and its port.
std::size_t login_end(std::string_view text) {
  constexpr std::size_t longest_login = 1'024;
  const auto authority = text.substr(0, text.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  const auto host = authority.substr(at == text.npos ? 0 : at + 1);
  // People write a password as it is, with the "/", "?" and "#" that a URL would have as "%2F".
  return may_be_host(host.substr(0, host.find_first_of(",;")))
             ? at
             : text.substr(0, longest_login).rfind('@');
}

std::string shown(std::string_view word) {
  std::string result;
  for (bool whole = true;;) {
    const auto mark = word.find("://");
    const auto begin = mark == word.npos ? 0 : mark + 3;
    const auto end = login_end(word.substr(begin));
    const auto at = end == word.npos ? end : begin + end;
    const auto colon = word.find(':');
    // Without a scheme "alice@example.com" is somebody's address, "sip:a@b" a protocol's, and
    // "C:/Users/alice@corp" a path.
    const bool other = word.starts_with("sip:") || word.starts_with("sips:") ||
                       (at != word.npos && word.find_first_of("/\\") < at);
    const bool login = at != word.npos && (mark != word.npos || (colon < at && !other));
    result += word.substr(0, begin);
    word.remove_prefix(login ? at + 1 : begin);
    if (mark != word.npos && std::exchange(whole, false)) {
      word = word.substr(0, word.find_first_of("?#"));
    }
    // Two URLs may have only a comma between them.
    if (word.find("://") == word.npos) return result.append(word);
  }
}

}  // namespace

bool is_web_url(std::string_view text) {
  return starts_but_for_case(text, "http://") || starts_but_for_case(text, "https://");
}

bool has_login(std::string_view url) {
  const auto mark = url.find("://");
  return mark != url.npos && login_end(url.substr(mark + 3)) != url.npos;
}

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
