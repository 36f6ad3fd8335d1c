// The page's own files, and their words in another language: texts of index.html, its placeholders
// and labels, and what the scripts say by t('...').
#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "probe/ui/page.hpp"
#include "reports/html/markup.hpp"
#include "reports/page.hpp"

namespace callready::ui {
namespace {

constexpr std::string_view blanks = " \n";

// A text, with the blanks around it kept.
std::string said(std::string_view text, const Language& language) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return std::string(text);
  const auto end = text.find_last_not_of(blanks) + 1;
  const auto told = language.find(text.substr(first, end - first), std::nullopt);
  if (!told) return std::string(text);
  return fmt::format("{}{}{}", text.substr(0, first), html_escaped(*told), text.substr(end));
}

std::string tag_in(std::string_view tag, const Language& language) {
  if (tag == "<html lang=\"en\">") return fmt::format("<html lang=\"{}\">", language.code());
  for (const std::string_view name : {" placeholder=\"", " aria-label=\""}) {
    const auto found = tag.find(name);
    if (found == tag.npos) continue;
    const auto start = found + name.size(), end = tag.find('"', start);
    return fmt::format("{}{}{}", tag.substr(0, start),
                       said(tag.substr(start, end - start), language), tag.substr(end));
  }
  return std::string(tag);
}

std::string html_in(std::string_view html, const Language& language) {
  std::string page;
  while (!html.empty()) {
    const bool tag = html.front() == '<';
    const auto end = tag ? html.find('>') + 1 : std::min(html.find('<'), html.size());
    const auto part = html.substr(0, end);
    page += tag ? tag_in(part, language) : said(part, language);
    html.remove_prefix(end);
  }
  return page;
}

// A module with the translations of what a script says: "export const words = {...};".
std::string words_in(const Language* language) {
  auto words = nlohmann::json::object();
  for (auto script : {page_script(), page_result()}) {
    constexpr std::string_view call = "t('";
    for (auto at = script.find(call); language != nullptr && at != script.npos;
         at = script.find(call, at + 1)) {
      if (std::isalnum(static_cast<unsigned char>(script[at - 1])) != 0) continue;  // element('p')
      const auto start = at + call.size();
      const auto text = script.substr(start, script.find('\'', start) - start);
      if (const auto told = language->find(text, std::nullopt)) words[std::string(text)] = *told;
    }
  }
  return fmt::format("export const words = {};\n", words.dump());
}

}  // namespace

std::optional<PageFile> page_file(std::string_view path, const Language* language) {
  constexpr auto script = "text/javascript; charset=utf-8";
  const auto file = [&](std::string type, std::string text) {
    return PageFile{std::string(path), std::move(type), std::move(text)};
  };
  if (path.empty()) {
    return file("text/html; charset=utf-8",
                language == nullptr ? std::string(page_html()) : html_in(page_html(), *language));
  }
  // The page looks like the HTML report, and adds what that lacks.
  if (path == "style.css") {
    return file("text/css; charset=utf-8",
                fmt::format("{}{}", callready::page_style(), page_style()));
  }
  if (path == "script.js") return file(script, std::string(page_script()));
  if (path == "result.js") return file(script, std::string(page_result()));
  if (path == "words.js") return file(script, words_in(language));
  if (path == "icon.svg") return file("image/svg+xml", std::string(page_icon()));
  return std::nullopt;
}

}  // namespace callready::ui
