// The page's own files, from probe/ui/page/, built into the program.
#pragma once

#include <string>
#include <string_view>

namespace callready::ui {

std::string_view page_html();
std::string_view page_style();
std::string_view page_script();
std::string_view page_result();
std::string_view page_icon();

struct PageFile {
  std::string path, content_type, text;
};
// By its path behind the folder; null: there is none.
const PageFile* find_page_file(std::string_view path);

}  // namespace callready::ui
