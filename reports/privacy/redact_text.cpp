#include "reports/privacy/redact_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"
#include "reports/privacy/redact_owners.hpp"

namespace callready {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Non-ASCII bytes belong to words: "Münster".
bool is_word(char c) { return is_digit(c) || is_alpha(c) || c == '_' || (c & 0x80) != 0; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool in_run(char c) { return is_word(c) || c == '.' || c == ':' || c == '-' || c == '%'; }

bool all(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

// "aa:bb:cc:dd:ee:ff", "aa-bb-cc-dd-ee-ff" or "aabb.ccdd.eeff".
bool is_mac(std::string_view text) {
  const auto groups = [&](char separator, std::size_t size, std::size_t count) {
    if (text.size() != count * (size + 1) - 1) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool between = i % (size + 1) == size;
      if (between ? text[i] != separator : !is_hex(text[i])) return false;
    }
    return true;
  };
  return groups(':', 2, 6) || groups('-', 2, 6) || groups('.', 4, 3);
}

// Removes punctuation that may follow an address or a name.
std::string_view without_stop(std::string_view text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ':' || text.back() == '-')) {
    if (text.ends_with("::")) break;  // "2001:db8::"
    text.remove_suffix(1);
  }
  return text;
}

// "ip-10-20-0-7", "10.20.0.7_5060": four numbers in a row, as in names that contain an address.
// "4.5.1.1" is a version: no private address has single digits only.
bool holds_an_address(std::string_view text) {
  std::vector<std::string_view> parts;
  std::string marks;  // the one after each part
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find_first_of(".-_", start), text.size());
    parts.push_back(text.substr(start, end - start));
    marks += end < text.size() ? text[end] : ' ';
    start = end + 1;
  }
  const auto is_number = [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && all(part, is_digit);
  };
  const auto is_digit_alone = [](std::string_view part) { return part.size() == 1; };
  for (std::size_t i = 0; i + 4 <= parts.size(); ++i) {
    const std::span four(parts.data() + i, 4);
    const bool alike = marks[i] == marks[i + 1] && marks[i] == marks[i + 2];
    const bool version = marks[i] == '.' && std::ranges::all_of(four, is_digit_alone);
    if (alike && !version && std::ranges::all_of(four, is_number)) return true;
  }
  return false;
}

// File names have a dot in them too.
constexpr std::array<std::string_view, 13> file_endings = {
    "json", "yaml", "yml", "html", "xml", "csv", "txt", "pac", "pem", "php", "asp", "aspx", "js"};

// Each has thousands of customers: a vendor's host there says nothing about its neighbours.
constexpr std::array<std::string_view, 12> shared_domains = {
    "amazonaws.com",      "windows.net",           "azure.com",
    "azurewebsites.net",  "cloudapp.net",          "cloudfront.net",
    "trafficmanager.net", "akamaiedge.net",        "akamaihd.net",
    "edgekey.net",        "googleusercontent.com", "in-addr.arpa"};

}  // namespace

std::string with_plain_separators(std::string_view text) {
  std::string shadow;
  shadow.reserve(text.size());
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    const auto size = std::max<std::size_t>(bytes, 1);
    const bool ascii = bytes == 1;
    const bool letter = bytes > 1 && value >= 0xC0 && !(value >= 0x2000 && value <= 0x2BFF) &&
                        !(value >= 0x3000 && value <= 0x303F) && value < 0xFFF0;
    if (ascii || letter) {
      shadow += text.substr(0, size);
    } else {
      shadow.append(size, ' ');
    }
    text.remove_prefix(size);
  }
  return shadow;
}

std::string_view registered_domain(std::string_view name) {
  const auto last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return {};
  auto start = name.rfind('.', last - 1);
  const auto second = name.substr(start + 1, last - start - 1);  // npos + 1 is 0
  // "co.uk", "com.au": registrations are one level below.
  const bool country = name.size() - last - 1 == 2;
  if (country && second.size() <= 3 && start != std::string_view::npos && start > 0) {
    start = name.rfind('.', start - 1);
  }
  const auto domain = start == std::string_view::npos ? name : name.substr(start + 1);
  return contains(shared_domains, domain) ? name : domain;
}

bool looks_like_domain(std::string_view text) {
  if (text.size() > 253 || text.find('.') == std::string_view::npos) return false;
  std::string_view label;
  for (const auto part : split(text, ".")) {
    label = part;
    const bool good =
        !label.empty() && label.size() <= 63 &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_word(c) || c == '-'; });
    if (!good) return false;
  }
  const bool top = (label.size() >= 2 && all(label, is_alpha)) || label.starts_with("xn--") ||
                   (label.front() & 0x80) != 0;
  return top && !contains(file_endings, lower_case(label));
}

RedactedText::RedactedText(const Redactor& redactor, std::string_view text, bool chosen)
    : redactor_(redactor),
      original_(text),
      shadow_(with_plain_separators(text)),
      text_(shadow_),
      lower_(lower_case(shadow_)),
      chosen_(chosen) {}

std::string RedactedText::take() {
  out_.reserve(text_.size());
  while (at_ < text_.size()) {
    const bool starts = at_ == 0 || !is_word(text_[at_ - 1]);
    if (starts && known_word()) continue;
    if (starts && is_word(text_[at_])) {
      run();
    } else if (text_.substr(at_, 2) == "::" && (at_ == 0 || !in_run(text_[at_ - 1]))) {
      run();  // "::1"
    } else {
      out_ += original_[at_++];
    }
  }
  return std::move(out_);
}

// Replaces a learned name, but only as a whole: "vm" neither in "vmware" nor in "vm.example.com",
// which is a different name.
bool RedactedText::known_word() {
  const auto& words = redactor_.words_;
  const auto rest = std::string_view(lower_).substr(at_);
  const auto ends_at = [&](std::size_t length) {
    const auto after = rest.substr(length);
    if (!after.empty() && is_word(after[0])) return false;
    const bool joined = after.size() > 1 && is_word(after[1]);
    return !joined || (after[0] != '.' && after[0] != '-');
  };
  // The longest word that is a prefix of `rest` sorts before `rest`, and only words that begin with
  // it are in between: each step back shortens the prefix that can still match.
  for (auto window = rest; !window.empty();) {
    auto found = words.upper_bound(window);
    if (found == words.begin()) return false;
    --found;
    const std::string_view word = found->first;
    const auto same = static_cast<std::size_t>(
        std::mismatch(word.begin(), word.end(), window.begin(), window.end()).first - word.begin());
    if (same == word.size() && ends_at(same)) {
      out_ += found->second;
      at_ += same;
      return true;
    }
    window = window.substr(0, same == word.size() ? same - 1 : same);
  }
  return false;
}

// "/home/jane", "/Users/jane", "C:\\Users\\jane": the user's name follows.
bool RedactedText::is_home_folder() const {
  const auto before = std::string_view(lower_).substr(0, at_);
  return before.ends_with("/home/") || before.ends_with("/users/") || before.ends_with("\\users\\");
}

// Word by word: "nginx/1.22 (pbx7)" keeps the words of common software.
void RedactedText::words(std::string_view piece) {
  for (std::size_t start = 0; start < piece.size();) {
    auto end = start;
    while (end < piece.size() && is_word(piece[end])) ++end;
    const auto word = piece.substr(start, end - start);
    out_ += is_everybodys_word(word) ? original_.substr(at_, word.size())
                                     : redactor_.pseudonyms_.word("word", word);
    at_ += word.size();
    for (start = end; start < piece.size() && !is_word(piece[start]); ++start) {
      out_ += original_[at_++];
    }
  }
}

// Handles a run of characters that can be part of addresses and names.
void RedactedText::run() {
  std::size_t end = at_;
  while (end < text_.size() && in_run(text_[end])) ++end;
  const auto run = text_.substr(at_, end - at_);
  if (whole_run(without_stop(run))) return;
  at_ += piece(run.substr(0, std::min(run.find(':'), run.size())));
  // ":" and "%" separate pieces.
  while (at_ < end && (text_[at_] == ':' || text_[at_] == '%')) out_ += text_[at_++];
}

// Handles what contains colons: hardware addresses and IPv6.
bool RedactedText::whole_run(std::string_view run) {
  if (is_mac(run)) {
    out_ += redactor_.pseudonyms_.mac(run);
    at_ += run.size();
    return true;
  }
  if (std::count(run.begin(), run.end(), ':') < 2) return false;
  // A zone, or the other end of a range, may follow.
  const auto address = run.substr(0, run.find_first_of("%-"));
  return address_and_prefix(address, address.size());
}

// An address, with its prefix length if one follows.
bool RedactedText::address_and_prefix(std::string_view text, std::size_t length) {
  const auto address = IpAddress::parse(text);
  if (!address) return false;
  at_ += length;
  const auto rest = text_.substr(at_);
  int prefix = -1;
  std::size_t digits = 0;
  if (rest.size() > 1 && rest[0] == '/' && is_digit(rest[1])) {
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), prefix);
    digits = error == std::errc() ? static_cast<std::size_t>(end - rest.data()) : 0;
    if (digits == 0 || prefix > address->bits()) prefix = -1;
  }
  if (prefix < 0) {
    out_ += redactor_.address(*address).to_string();
    return true;
  }
  const Network network{*address, prefix};
  if (redactor_.is_public(*address)) {
    out_ += network.to_string();
  } else if (network.aligned()) {
    out_ += redactor_.pseudonyms_.network(network).to_string();
  } else {
    // An interface's address with its prefix length.
    out_ += Network{redactor_.address(*address), prefix}.to_string();
  }
  at_ += digits;
  return true;
}

// Handles a piece without colons. Returns the length that was written but not yet skipped.
std::size_t RedactedText::piece(std::string_view rest) {
  const auto bare = without_stop(rest.substr(0, rest.find('%')));
  const auto start = at_;
  const auto emit = [&](std::size_t size) {
    out_ += original_.substr(start, size);
    return size;
  };
  // "10.0.0.1-10.0.0.9": the second address starts after the hyphen.
  const auto hyphen = bare.find('-');
  for (const auto length : {bare.size(), hyphen}) {
    if (length == std::string_view::npos || length > bare.size()) continue;
    if (!address_and_prefix(bare.substr(0, length), length)) continue;
    if (at_ < text_.size() && text_[at_] == '-') out_ += text_[at_++];
    return 0;
  }
  // USER@HOST, but not "host:443@http://proxy", which occurs in probe ids.
  const auto behind = text_.substr(start + bare.size());
  const bool user = !bare.empty() && behind.size() > 1 && behind[0] == '@' && is_word(behind[1]) &&
                    !behind.starts_with("@http://") && !behind.starts_with("@https://");
  const bool login = !bare.empty() && behind.size() > 1 && behind[0] == '\\' && is_word(behind[1]);
  if (user) {
    // Ours: anonymous@anonymous.invalid. Look only at this host, not at the rest of the sentence.
    std::size_t end = 1;
    while (end < behind.size() && in_run(behind[end]) && behind[end] != ':') ++end;
    const auto host = behind.substr(1, end - 1);
    const bool ours = host.ends_with(".invalid") || host.ends_with(".invalid.");
    out_ += ours ? std::string(bare) : redactor_.pseudonyms_.word("user", bare);
    return bare.size();
  }
  if (login) {
    auto end = start + bare.size() + 1;
    while (end < text_.size() && (is_word(text_[end]) || text_[end] == '.' || text_[end] == '-')) {
      ++end;
    }
    const auto name =
        without_stop(text_.substr(start + bare.size() + 1, end - start - bare.size() - 1));
    out_ += redactor_.pseudonyms_.word("domain", bare) + '\\' +
            redactor_.pseudonyms_.word("user", name);
    return bare.size() + 1 + name.size();
  }
  if (is_home_folder() && !bare.empty()) {
    out_ += redactor_.pseudonyms_.word("user", bare);
    return bare.size();
  }
  if (name(bare)) return bare.size();
  // A domain name that gets here is public.
  if (chosen_ && !bare.empty() && !looks_like_domain(bare)) {
    if (holds_an_address(bare)) {
      out_ += redactor_.pseudonyms_.word("word", bare);
      return bare.size();
    }
    words(bare);
    return 0;
  }
  return emit(std::max<std::size_t>(bare.size(), 1));
}

bool RedactedText::name(std::string_view piece) {
  if (!looks_like_domain(piece)) return false;
  const auto lower = lower_case(piece);
  if (lower.ends_with(".invalid") || redactor_.is_public_host(lower)) return false;
  // "1.0.20.10.in-addr.arpa" (RFC 1035, section 3.5) is an address.
  constexpr std::string_view reverse = ".in-addr.arpa";
  if (lower.ends_with(reverse)) {
    std::string turned;
    std::string_view labels(lower.data(), lower.size() - reverse.size());
    while (!labels.empty()) {
      const auto dot = labels.rfind('.');
      turned += turned.empty() ? "" : ".";
      turned += labels.substr(dot == std::string_view::npos ? 0 : dot + 1);
      labels = labels.substr(0, dot == std::string_view::npos ? 0 : dot);
    }
    const auto address = IpAddress::parse(turned);
    if (address && redactor_.is_public(*address)) return false;
  }
  out_ += redactor_.pseudonyms_.host(piece);
  return true;
}

}  // namespace callready
