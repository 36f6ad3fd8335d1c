// Finds addresses and names in free text. Internal to reports/.
#pragma once

#include <string>
#include <string_view>

#include "probe/util/text.hpp"
#include "reports/privacy/redact.hpp"

namespace callready {

class RedactedText {
 public:
  // `chosen`: the text was chosen by somebody at the site or by a server, not by us, so each word
  // that is not everybody's is hidden.
  RedactedText(const Redactor& redactor, std::string_view text, bool chosen = false);
  std::string take();

 private:
  bool known_word();
  void run();
  bool whole_run(std::string_view run);
  std::size_t piece(std::string_view rest);
  bool address_and_prefix(std::string_view text, std::size_t length);
  bool name(std::string_view piece);
  void words(std::string_view piece);
  bool is_home_folder() const;

  const Redactor& redactor_;
  std::string_view original_;
  std::string shadow_;
  std::string_view text_;  // the shadow, which decisions are based on; same length as the original
  std::string lower_;      // the same in lower case
  bool chosen_;
  std::size_t at_ = 0;
  std::string out_;
};

// The same text with a space for each byte of typographic quotes, dashes and spaces, and each byte
// that is not UTF-8. Names end there.
std::string with_plain_separators(std::string_view text);

// The registered domain of a name, by rule of thumb: "example.com" for "a.b.example.com",
// "example.co.uk" for "www.example.co.uk"; empty for a single label.
std::string_view registered_domain(std::string_view name);

// True for a domain name of at least two labels that is not a number, a version or a file name.
bool looks_like_domain(std::string_view text);

}  // namespace callready
