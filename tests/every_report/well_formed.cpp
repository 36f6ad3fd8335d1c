#include "tests/every_report/well_formed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "probe/util/utf8.hpp"

namespace callready::every_report {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// Elements closed in their order, attributes in quotes, no bare "&" (XML 1.0, section 2.1; HTML's
// elements without an end are given).
std::string markup_fault(std::string_view text, std::initializer_list<std::string_view> endless) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '&') {
      const auto end = text.find(';', at);
      const auto entity = text.substr(at + 1, end == text.npos ? 0 : end - at - 1);
      if (entity.empty() || entity.size() > 8) return fmt::format("a bare & at {}", at);
      at = end + 1;
      continue;
    }
    if (c != '<') {
      ++at;
      continue;
    }
    if (text.substr(at).starts_with("<?") || text.substr(at).starts_with("<!")) {
      at = text.find('>', at);
      continue;
    }
    const bool closing = text.substr(at).starts_with("</");
    auto end = at + (closing ? 2 : 1);
    const auto start = end;
    while (end < text.size() && (is_word(text[end]) || text[end] == '-')) ++end;
    const std::string name(text.substr(start, end - start));
    if (name.empty()) return fmt::format("a bare < at {}", at);
    bool quoted = false;
    while (end < text.size() && (quoted || text[end] != '>')) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return fmt::format("< in a tag at {}", end);
      ++end;
    }
    if (end == text.size()) return fmt::format("a tag without an end at {}", at);
    const bool empty = text[end - 1] == '/' || std::ranges::count(endless, name) > 0;
    if (closing) {
      if (open.empty() || open.back() != name) return fmt::format("</{}> at {}", name, at);
      open.pop_back();
    } else if (!empty) {
      open.push_back(name);
    }
    at = end + 1;
    // What is in them is no markup.
    if (!closing && (name == "script" || name == "style")) at = text.find("</" + name, at);
  }
  return open.empty() ? "" : fmt::format("<{}> is not closed", open.back());
}

// RFC 4180: as many cells in each record.
std::string csv_fault(std::string_view text) {
  std::size_t cells = 1, first = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') ++cells;
    if (c != '\n') continue;
    if (first == 0) first = cells;
    if (cells != first) return fmt::format("{} cells, and {} in the head", cells, first);
    cells = 1;
  }
  return quoted ? "a quote without an end" : "";
}

std::string without_returns(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!text.substr(i).starts_with("\r\n")) out += text[i];
  }
  return out;
}

std::string metrics_fault(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const bool good = line.starts_with("# HELP callready_") ||
                      line.starts_with("# TYPE callready_") || line.starts_with("callready_");
    if (!good) return fmt::format("an odd line: {}", line);
    text.remove_prefix(line.size() + 1);
  }
  return "";
}

// The first line that has one, as it can be shown.
std::string line_with_control(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (has_control_characters(line)) return printable(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return "";
}

}  // namespace

std::string fault_in(std::string_view format, std::string_view text) {
  if (text.empty()) return "";
  if (const auto bad = find_invalid_utf8(text)) return fmt::format("no UTF-8 at {}", *bad);
  if (!text.ends_with('\n')) return "no line break at its end";
  if (format == "csv") {  // its lines end in CR LF
    const auto line = line_with_control(without_returns(text));
    return line.empty() ? csv_fault(text) : "a control character in: " + line;
  }
  if (const auto line = line_with_control(text); !line.empty()) {
    return "a control character in: " + line;
  }
  if (format == "json" || format == "summary") {
    return nlohmann::json::accept(text) ? "" : "not JSON";
  }
  if (format == "html") {
    return markup_fault(text, {"meta", "link", "br", "input", "hr", "img", "col", "wbr"});
  }
  if (format == "junit") return markup_fault(text, {});
  if (format == "prometheus" || format == "exporter") return metrics_fault(text);
  if (format == "nagios") return std::ranges::count(text, '\n') == 1 ? "" : "not one line";
  return "";
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
}

bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool starts =
        at == 0 || (!is_word(text[at - 1]) && text[at - 1] != ':' && text[at - 1] != '.');
    const bool ends =
        end == text.size() || (!is_word(text[end]) && text[end] != ':' && text[end] != '.');
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace callready::every_report
