#include "probe/ui/page.hpp"

#include "reports/page.hpp"

namespace callready::ui {

const PageFile* find_page_file(std::string_view path) {
  // The page looks like the HTML report, and adds what that has not.
  static const PageFile files[] = {
      {"", "text/html; charset=utf-8", std::string(page_html())},
      {"style.css", "text/css; charset=utf-8",
       std::string(callready::page_style()) + std::string(page_style())},
      {"script.js", "text/javascript; charset=utf-8", std::string(page_script())},
      {"result.js", "text/javascript; charset=utf-8", std::string(page_result())},
      {"icon.svg", "image/svg+xml", std::string(page_icon())},
  };
  for (const auto& file : files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace callready::ui
