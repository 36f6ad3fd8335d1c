#include "targets/syntax.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "probe/model/ip.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

std::vector<std::string_view> labels(std::string_view name) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    name.remove_prefix(dot + 1);
  }
}

// One label of a name; `star` says whether "*" counts as a letter.
std::optional<std::string> label_problem(std::string_view label, bool star) {
  const std::string shown = "the part \"" + std::string(label) + "\" ";
  if (label.empty()) return "there is nothing between two dots, or before or after one";
  if (label.size() > 63) return shown + "is longer than 63 characters";
  for (std::size_t i = 0; i < label.size(); ++i) {
    const char c = label[i];
    const bool service_underscore = c == '_' && i == 0 && label.size() > 1;
    if (is_letter(c) || is_digit(c) || c == '-' || (star && c == '*') || service_underscore) {
      continue;
    }
    if ((static_cast<unsigned char>(c) & 0x80u) != 0) {
      return shown + "is not ASCII; write it in its xn-- form";
    }
    return shown + "holds '" + c + "'; expected letters, digits and \"-\"";
  }
  const auto rest = label.front() == '_' ? label.substr(1) : label;
  if (rest.front() == '-' || rest.back() == '-') return shown + "begins or ends with \"-\"";
  return std::nullopt;
}

// What people paste instead of a host name.
std::optional<std::string> not_even_a_name(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.find("://") != std::string_view::npos) {
    return "it is a URL; write the host alone, the path goes into 'with'";
  }
  if (IpAddress::parse(text) || Network::parse(text) || AddressRange::parse(text)) {
    return "it is an address; list it under 'addresses'";
  }
  if (text.find('/') != std::string_view::npos) {
    return "it holds \"/\"; one name each, and a path goes into 'with'";
  }
  if (text.find(':') != std::string_view::npos) {
    return "it holds \":\"; write the host alone, the port goes into 'ports', or with --var into a "
           "variable of its own";
  }
  if (text.size() > 253) return "it is longer than 253 characters";
  return std::nullopt;
}

std::optional<std::string> name_problem(std::string_view text, bool star) {
  if (auto problem = not_even_a_name(text)) return problem;
  const auto parts = labels(text);
  for (const auto label : parts) {
    if (auto problem = label_problem(label, star)) return problem;
  }
  // RFC 1123 section 2.1: the top label has a letter, which distinguishes names from addresses.
  if (std::all_of(parts.back().begin(), parts.back().end(), is_digit)) {
    return "its last part is a number: neither a host name nor an address";
  }
  return std::nullopt;
}

std::optional<int> number(std::string_view digits) {
  int value = 0;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace

bool is_id(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() == '-' || text.back() == '-') return false;
  if (text.find("--") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_variable_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_lower(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool names_a_secret(std::string_view text) {
  static constexpr std::array<std::string_view, 9> words = {"password",   "passwd", "passphrase",
                                                            "pwd",        "secret", "token",
                                                            "credential", "apikey", "privatekey"};
  std::string letters;  // "API-Key", "api_key" and "apiKey" are one word
  for (const char c : text) {
    if (is_letter(c)) letters += static_cast<char>(c | 0x20);
  }
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return letters.find(word) != std::string::npos;
  });
}

std::optional<std::string> host_name_problem(std::string_view text) {
  if (text.find('*') != std::string_view::npos && text.find('/') == std::string_view::npos) {
    return "it holds \"*\"; list it under 'wildcards' with an example host";
  }
  return name_problem(text, false);
}

std::optional<std::string> wildcard_problem(std::string_view text) {
  if (auto problem = name_problem(text, true)) return problem;
  const auto parts = labels(text);
  const auto has_star = [](std::string_view label) {
    return label.find('*') != std::string_view::npos;
  };
  if (std::none_of(parts.begin(), parts.end(), has_star)) {
    return "it holds no \"*\"; list it under 'hosts'";
  }
  if (std::all_of(parts.begin(), parts.end(), has_star)) {
    return "it matches every name; expected at least one part without \"*\"";
  }
  return std::nullopt;
}

bool matches_wildcard(std::string_view name, std::string_view pattern) {
  // Greedy, backtracking to the last "*" only: linear in practice, quadratic at worst.
  std::size_t n = 0, p = 0, retry_name = 0, after_star = std::string_view::npos;
  const auto same = [](char a, char b) {
    return (is_letter(a) ? a | 0x20 : a) == (is_letter(b) ? b | 0x20 : b);
  };
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      retry_name = ++n;  // "*" takes at least one character
    } else if (p < pattern.size() && same(name[n], pattern[p])) {
      ++n, ++p;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      n = ++retry_name;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

std::optional<std::string> date_problem(std::string_view text, bool less_will_do) {
  const std::string expected =
      less_will_do ? "expected YYYY-MM-DD, YYYY-MM or YYYY" : "expected YYYY-MM-DD";
  const bool has_day = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const bool has_month = has_day || (text.size() == 7 && text[4] == '-');
  if (!has_day && !(less_will_do && (has_month || text.size() == 4))) return expected;
  const auto year = number(text.substr(0, 4));
  const auto month = has_month ? number(text.substr(5, 2)) : std::optional<int>(1);
  const auto day = has_day ? number(text.substr(8, 2)) : std::optional<int>(1);
  if (!year || !month || !day) return expected;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return "there is no such day; " + expected;
  if (*year < 1990) return "it is before 1990; " + expected;
  return std::nullopt;
}

std::optional<std::string> url_problem(std::string_view text) {
  const auto scheme = text.substr(0, text.find("://"));
  if (scheme != "http" && scheme != "https") return "expected https://... or http://...";
  const auto rest = text.substr(std::min(text.size(), scheme.size() + 3));
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return "it holds a user name or a password, which never belong in a target set";
  }
  if (authority.empty()) return "it names no host";
  if (text.find(' ') != std::string_view::npos) return "it holds a space";
  return std::nullopt;
}

bool holds_sha256(std::string_view parameter) {
  return parameter == "sha256" || parameter == "public_key_sha256";
}

std::optional<std::string> sha256_digits(std::string_view text) {
  constexpr std::size_t bytes = 32, with_colons = 3 * bytes - 1;
  const bool colons = text.size() == with_colons;
  if (!colons && text.size() != 2 * bytes) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (colons && i % 3 == 2) {
      if (text[i] != ':') return std::nullopt;
      continue;
    }
    const char digit = lower(text[i]);
    if ((digit < '0' || digit > '9') && (digit < 'a' || digit > 'f')) return std::nullopt;
    digits += digit;
  }
  return digits;
}

VariableUse variables_in(std::string_view text) {
  VariableUse use;
  for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    const auto end = text.find('}', at);
    if (end == std::string_view::npos) {
      use.problem = "\"${\" is not closed by \"}\"";
      return use;
    }
    const auto name = text.substr(at + 2, end - at - 2);
    if (!is_variable_name(name)) {
      use.problem = "\"${" + std::string(name) +
                    "}\" is no variable; expected lower case letters, digits and \"_\"";
      return use;
    }
    use.names.emplace_back(name);
    at = end;
  }
  return use;
}

}  // namespace callready
