#include "reports/words/terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "probe/util/utf8.hpp"
#include "reports/words/unicode.hpp"

namespace callready {
namespace {

constexpr int narrowest = 40, widest = 200;
// Longer lines are hard to read, however wide the terminal is.
constexpr int widest_text = 120;
constexpr std::size_t most_beside = 4;  // lines of text next to a row's name

std::string spaces(int count) {
  return std::string(static_cast<std::size_t>(std::max(0, count)), ' ');
}

// The longest prefix of `text` that takes at most `width` columns, but at least one character.
std::string_view head(std::string_view text, int width) {
  std::size_t end = 0;
  int used = 0;
  while (end < text.size()) {
    const auto c = decode_utf8(text.substr(end));
    used += character_width(c.value);
    if (used > width && end > 0) break;
    end += std::max<std::size_t>(c.bytes, 1);
  }
  return text.substr(0, end);
}

struct StyleRow {
  Style style;
  std::string_view sgr;  // the parameters of Select Graphic Rendition (ECMA-48)
};

constexpr std::array<StyleRow, 7> style_rows = {{
    {Style::plain, ""},
    {Style::bold, "1"},
    {Style::dim, "2"},
    {Style::good, "1;32"},
    {Style::warning, "1;33"},
    {Style::bad, "1;31"},
    {Style::unknown, "1;35"},
}};
static_assert(in_their_places(style_rows, &StyleRow::style));

struct MarkOnTerminal {
  Mark mark;
  std::string_view wide, ascii;
  Style style;
};

constexpr std::array<MarkOnTerminal, 6> terminal_marks = {{
    {Mark::good, "✔", "ok", Style::good},
    {Mark::warning, "!", "!!", Style::warning},
    {Mark::bad, "✘", "XX", Style::bad},
    {Mark::unknown, "?", "??", Style::unknown},
    {Mark::skipped, "–", "--", Style::dim},
    {Mark::none, " ", "  ", Style::plain},
}};
static_assert(in_their_places(terminal_marks, &MarkOnTerminal::mark));

const MarkOnTerminal& on_terminal(Mark mark) {
  return terminal_marks[static_cast<std::size_t>(mark)];
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = decode_utf8(text);
    if (c.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (c.value == '\n' || c.value == '\t' || c.value == '\r') {
      if (!out.ends_with(' ')) out += ' ';
    } else if (is_control(c.value)) {
      const auto value = static_cast<std::uint32_t>(c.value);
      out += value <= 0xFF ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return out;
}

std::string plain_ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = decode_utf8(text);
    out += ascii_spelling(c.value);
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return out;
}

int columns(std::string_view text) {
  int sum = 0;
  while (!text.empty()) {
    const auto c = decode_utf8(text);
    sum += character_width(c.value);
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return sum;
}

std::vector<std::string> wrap(std::string_view text, int width) { return wrap(text, width, width); }

std::vector<std::string> wrap(std::string_view text, int first_width, int width) {
  std::vector<std::string> lines;
  std::string line;
  int used = 0;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) break;
    auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const auto room = [&] { return std::max(1, lines.empty() ? first_width : width); };
    if (used > 0 && used + 1 + columns(word) > room()) {
      lines.push_back(std::move(line));
      line.clear();
      used = 0;
    }
    // Measured only as far as it fits: a saved report may hold a word of megabytes.
    for (auto part = head(word, room()); part.size() < word.size(); part = head(word, room())) {
      lines.emplace_back(part);
      word.remove_prefix(part.size());
    }
    if (used > 0) line += ' ';
    line += word;
    used = columns(line);
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string shortened(std::string_view text, int width) {
  if (columns(text) <= width) return std::string(text);
  std::string cut(head(text, std::max(1, width - 3)));
  while (cut.ends_with(' ')) cut.pop_back();
  return cut + "...";
}

Style style_of(Mark mark) { return on_terminal(mark).style; }

Page::Page(const RenderOptions& options)
    : colour_(options.colour),
      unicode_(options.unicode),
      width_(std::clamp(options.width, narrowest, widest)) {}

std::string Page::clean(std::string_view text) const {
  auto safe = harmless(text);
  return unicode_ ? safe : plain_ascii(safe);
}

std::string Page::styled(std::string_view text, Style style) const {
  if (!colour_ || style == Style::plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", style_rows[static_cast<std::size_t>(style)].sgr, text);
}

std::string Page::mark_text(Mark mark) const {
  const auto& row = on_terminal(mark);
  return styled(unicode_ ? row.wide : row.ascii, row.style);
}

void Page::line(std::string_view finished) {
  const auto end = finished.find_last_not_of(' ');
  out_ += finished.substr(0, end == std::string_view::npos ? 0 : end + 1);
  out_ += '\n';
  ++lines_;
  last_blank_ = false;
}

void Page::blank() {
  if (last_blank_) return;
  line("");
  last_blank_ = true;
}

void Page::heading(std::string_view text) {
  blank();
  paragraph(text, Style::bold);
}

void Page::paragraph(std::string_view text, Style style, int hang) {
  int indent = 0;
  const int width = std::min(width_, widest_text);
  for (const auto& part : wrap(clean(text), width, width - hang)) {
    line(spaces(indent) + styled(part, style));
    indent = hang;
  }
}

void Page::labelled(std::string_view label, std::string_view text, int indent, int label_width) {
  const auto name = clean(label);  // other languages' are not ASCII
  auto left = spaces(indent) + styled(name, Style::dim) + spaces(label_width - columns(name) + 1);
  const int hang = indent + label_width + 1;
  for (const auto& part : wrap(clean(text), std::min(width_, widest_text) - hang)) {
    line(left + part);
    left = spaces(hang);
  }
}

void Page::labelled_in_short(std::string_view label, std::string_view text, int indent,
                             int label_width, std::size_t most, std::string_view rest) {
  const int width = std::min(width_, widest_text) - indent - label_width - 1;
  auto parts = wrap(clean(text), width);
  if (parts.size() > most) {
    parts.resize(std::max<std::size_t>(most, 1));
    auto& last = parts.back();
    last = fmt::format("{} {}", shortened(last + " ...", width - columns(rest) - 1), rest);
  }
  labelled(label, fmt::format("{}", fmt::join(parts, " ")), indent, label_width);
}

void Page::row(Mark mark, std::string_view name, std::string_view text, int name_width) {
  const int hang = mark_width() + 1;
  const auto left = clean(name), right = clean(text);
  const auto start = mark_text(mark) + ' ';
  // A name that is too long for its column may still fit on one line with a short text.
  const int both = hang + columns(left) + 2 + columns(right);
  if (columns(left) > name_width && !right.empty() && both <= width_) {
    line(start + left + "  " + right);
    return;
  }
  // Next to the name only if at least a third of the page is left for the text.
  const int column = hang + std::max(name_width, columns(left)) + 2;
  if (columns(left) <= name_width && width_ - column >= std::min(columns(right), width_ / 3)) {
    const auto parts = wrap(right, width_ - column);
    // A tall narrow column is harder to read than a few whole lines.
    const bool tall = parts.size() > most_beside;
    if (!tall || wrap(right, width_ - hang - 2).size() + 1 >= parts.size()) {
      line(start + left + spaces(column - hang - columns(left)) + (parts.empty() ? "" : parts[0]));
      for (std::size_t i = 1; i < parts.size(); ++i) line(spaces(column) + parts[i]);
      return;
    }
  }
  auto before = start;
  for (const auto& part : wrap(left, width_ - hang)) {
    line(before + part);
    before = spaces(hang);
  }
  for (const auto& part : wrap(right, width_ - hang - 2)) line(spaces(hang + 2) + part);
}

std::string Page::verdict_start(Mark mark, std::string_view word, int word_width) const {
  const auto said = clean(word);
  return mark_text(mark) + ' ' + styled(said, style_of(mark)) +
         spaces(word_width + 2 - columns(said));
}

void Page::verdict(Mark mark, std::string_view word, std::string_view text, int word_width) {
  const int hang = mark_width() + 1 + word_width + 2;
  auto start = verdict_start(mark, word, word_width);
  for (const auto& part : wrap(clean(text), std::min(width_, widest_text) - hang)) {
    line(start + part);
    start = spaces(hang);
  }
}

void Page::whole_verdict(Mark mark, std::string_view word, std::string_view text, int word_width) {
  line(verdict_start(mark, word, word_width) + clean(text));
}

void Page::append(Page&& other) {
  out_ += other.out_;
  lines_ += other.lines_;
  last_blank_ = other.last_blank_;
}

void Page::table(const std::vector<std::vector<std::string>>& rows, std::size_t flexible) {
  if (rows.empty()) return;
  constexpr int gap = 2;
  std::vector<int> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], columns(clean(row[i])));
    }
  }
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(),
                           gap * (static_cast<int>(widths.size()) - 1));
  };
  constexpr int least = 4;  // one character and "..."
  while (total() > width_) {
    auto& column = widths[flexible] > least ? widths[flexible]
                                            : *std::max_element(widths.begin(), widths.end());
    if (column <= least) break;
    --column;
  }
  auto style = Style::bold;
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      const auto cell = shortened(clean(row[i]), widths[i]);
      text += cell + spaces(widths[i] - columns(cell) + gap);
    }
    while (text.ends_with(' ')) text.pop_back();
    line(styled(text, style));
    style = Style::plain;
  }
}

}  // namespace callready
