// The page's own style and script, from reports/page/, built into the program, with the SHA-256 of
// each: the page's Content-Security-Policy allows these two and nothing else.
#pragma once

#include <string_view>

namespace callready {

struct PageSource {
  std::string_view text;
  std::string_view sha256;  // in hexadecimal digits
};

PageSource page_style();
PageSource page_script();

}  // namespace callready
