// Text for a terminal: makes what came from the network harmless, measures it in columns, wraps it.
// Pure functions over UTF-8, independent of the locale. Internal to reports/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/format.hpp"
#include "reports/words/marks.hpp"

namespace callready {

// One line of printable UTF-8 out of anything, so that no server can move the cursor, change the
// colours or turn the writing direction: control characters become visible escapes ("\x1b"), as do
// direction overrides ("\u202e") and bytes that are not UTF-8 ("\xff"); a line break or tab becomes
// a space.
std::string harmless(std::string_view text);

// The same in ASCII: letters lose their accents, punctuation gets its plain form, the rest is "?".
std::string plain_ascii(std::string_view harmless_text);

// The columns that harmless UTF-8 takes: two for East Asian wide characters, none for combining
// marks.
int columns(std::string_view text);

// Breaks harmless text at spaces into lines of at most `width` columns (at least 1). A longer word,
// such as a URL, is broken where necessary. The first line may have a different width.
std::vector<std::string> wrap(std::string_view text, int width);
std::vector<std::string> wrap(std::string_view text, int first_width, int width);

// The text, or its beginning and "..." if it takes more than `width` columns.
std::string shortened(std::string_view text, int width);

enum class Style { plain, bold, dim, good, warning, bad, unknown };

Style style_of(Mark mark);

// Collects lines; makes everything that goes in harmless and fits it to the width.
class Page {
 public:
  explicit Page(const RenderOptions& options);

  int width() const { return width_; }
  // The text as this page can show it: harmless, and in ASCII if the page is.
  std::string clean(std::string_view text) const;
  int mark_width() const { return unicode_ ? 1 : 2; }

  // A line as it is, made harmless; the caller has laid it out.
  void preformatted(std::string_view text) { line(clean(text)); }
  void blank();  // an empty line, but never two, and none at the start
  void heading(std::string_view text);
  // Text wrapped to the width, its first line in the first column, the others indented by `hang`,
  // so that nothing from the network can begin a line in the verdicts' column.
  void paragraph(std::string_view text, Style style = Style::plain, int hang = 2);
  // "label  text", the text wrapped in a column next to the label.
  void labelled(std::string_view label, std::string_view text, int indent, int label_width);
  // "MARK name   text": the name padded to `name_width`; if they do not fit side by side, the text
  // follows below.
  void row(Mark mark, std::string_view name, std::string_view text, int name_width);
  // Like `labelled`, on at most `most` lines; a text that needs more is cut and ends with `rest`.
  void labelled_in_short(std::string_view label, std::string_view text, int indent, int label_width,
                         std::size_t most, std::string_view rest);

  // "MARK WORD  text", the word coloured and padded to `word_width`.
  void verdict(Mark mark, std::string_view word, std::string_view text, int word_width);

  // The same on one line, however long.
  void whole_verdict(Mark mark, std::string_view word, std::string_view text, int word_width);

  // Columns of equal width in all rows, the first row bold. If the page is too narrow, the column
  // `flexible` is shortened first, then the widest ones.
  void table(const std::vector<std::vector<std::string>>& rows, std::size_t flexible);

  void append(Page&& other);  // another page's lines
  int lines() const { return lines_; }
  std::string take() { return std::move(out_); }

 private:
  std::string styled(std::string_view text, Style style) const;
  std::string mark_text(Mark mark) const;
  std::string verdict_start(Mark mark, std::string_view word, int word_width) const;
  void line(std::string_view finished);

  bool colour_, unicode_;
  int width_;
  int lines_ = 0;
  bool last_blank_ = true;
  std::string out_;
};

}  // namespace callready
