// The page's own files, from probe/ui/page/, built into the program.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reports/words/language.hpp"

namespace callready::ui {

std::string_view page_html();
std::string_view page_style();
std::string_view page_script();
std::string_view page_result();
std::string_view page_icon();

struct PageFile {
  friend bool operator==(const PageFile&, const PageFile&) = default;
  std::string path, content_type, text;
};
// Found by its path after the folder, with its words in that language (null: English); nothing:
// there is none. What has no translation stays English.
std::optional<PageFile> page_file(std::string_view path, const Language* language);

}  // namespace callready::ui
