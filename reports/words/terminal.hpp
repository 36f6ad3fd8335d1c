// Text for a terminal: what came from the network made harmless, measured in columns, wrapped.
// Pure functions over UTF-8; the locale is not asked. Internal to reports/.
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

// The same in ASCII: letters lose their accents, punctuation gets its plain form, and the rest "?".
std::string plain_ascii(std::string_view harmless_text);

// Columns that harmless UTF-8 takes: East Asian wide characters two, combining marks none.
int columns(std::string_view text);

// Breaks harmless text at spaces into lines of at most `width` columns (at least 1). A word that is
// longer, such as a URL, is broken where it must be. The first line may have another width.
std::vector<std::string> wrap(std::string_view text, int width);
std::vector<std::string> wrap(std::string_view text, int first_width, int width);

// The text, or its beginning and "..." where it takes more than `width` columns.
std::string shortened(std::string_view text, int width);

enum class Style { plain, bold, dim, good, warning, bad, unknown };

Style style_of(Mark mark);

// Collects lines; everything that goes in is made harmless and fits the width.
class Page {
 public:
  explicit Page(const RenderOptions& options);

  int width() const { return width_; }
  // The text as this page can show it: harmless, and in ASCII where the page is.
  std::string clean(std::string_view text) const;
  int mark_width() const { return unicode_ ? 1 : 2; }

  // A line as it is, made harmless; the caller has laid it out.
  void preformatted(std::string_view text) { line(clean(text)); }
  void blank();  // an empty line, but never two, and none at the start
  void heading(std::string_view text);
  // Text wrapped within the width, its first line in the first column, the others `hang` columns
  // in: what comes from the network cannot begin a line where the verdicts stand.
  void paragraph(std::string_view text, Style style = Style::plain, int hang = 2);
  // "label  text", the text wrapped beside the label.
  void labelled(std::string_view label, std::string_view text, int indent, int label_width);
  // "MARK name   text": the name padded to `name_width`; where name or text do not fit beside each
  // other, the text follows below.
  void row(Mark mark, std::string_view name, std::string_view text, int name_width);
  // The same on `most` lines; where the text needs more, it ends with `rest`.
  void labelled_in_short(std::string_view label, std::string_view text, int indent, int label_width,
                         std::size_t most, std::string_view rest);

  // "MARK WORD  text", the word coloured and padded to `word_width`.
  void verdict(Mark mark, std::string_view word, std::string_view text, int word_width);

  // The same on one line, however long.
  void whole_verdict(Mark mark, std::string_view word, std::string_view text, int word_width);

  // Columns of equal width in all rows, the first row bold. Where the page is too narrow, first the
  // column `flexible` is shortened, then the widest ones.
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
