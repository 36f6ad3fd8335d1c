// The page in another language: its markup stays as it is, and each of its texts is looked up.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "probe/ui/page.hpp"
#include "reports/words/language.hpp"

namespace callready::ui {
namespace {

class Invented : public Language {
 public:
  std::string_view code() const override { return "xx"; }
  std::optional<std::string_view> find(std::string_view words,
                                       std::optional<std::uint64_t>) const override {
    const auto found = told.find(std::string(words));
    return found == told.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }
  std::map<std::string, std::string> told;
};

bool holds(const std::string& text, std::string_view wanted) {
  return text.find(wanted) != text.npos;
}

TEST(PageFiles, AreAsBuiltInEnglish) {
  EXPECT_EQ(page_file("", nullptr)->text, page_html());
  EXPECT_EQ(page_file("words.js", nullptr)->text, "export const words = {};\n");
  EXPECT_EQ(page_file("words.json", nullptr), std::nullopt);
}

TEST(PageFiles, SayTextsLabelsAndPlaceholdersInTheLanguage) {
  Invented language;
  language.told = {{"Which service?", "<Was> & \"wie\"?"},
                   {"What to do with this result", "Ergebnis"},
                   {"Lyon, 2nd floor", "Ulm"},
                   {"in a new tab", "im neuen Tab"},
                   {"div", "not a tag"}};
  const auto page = page_file("", &language)->text;
  EXPECT_TRUE(holds(page, "<html lang=\"xx\">"));
  EXPECT_TRUE(holds(page, "<h2 id=\"service-title\">&lt;Was&gt; &amp; &quot;wie&quot;?</h2>"))
      << page;
  EXPECT_TRUE(holds(page, "role=\"group\" aria-label=\"Ergebnis\">"));
  EXPECT_TRUE(holds(page, "placeholder=\"Ulm\">"));
  EXPECT_TRUE(holds(page, "<span class=\"offscreen\"> im neuen Tab</span>")) << "its blank is kept";
  EXPECT_TRUE(holds(page, "<div id=\"result\" hidden>"));
  EXPECT_TRUE(holds(page, "Search by name")) << "without a translation it stays";
}

// Also that tests/lint/catalogue.py finds the same texts as the page looks up.
TEST(PageFiles, HaveATranslationOfAllThatIsLookedUp) {
  struct Ledger : Language {
    std::string_view code() const override { return "xx"; }
    std::optional<std::string_view> find(std::string_view words,
                                         std::optional<std::uint64_t>) const override {
      asked.emplace(words);
      return std::nullopt;
    }
    mutable std::set<std::string> asked;
  };
  const Ledger ledger;
  page_file("", &ledger);
  page_file("words.js", &ledger);
  EXPECT_GT(ledger.asked.size(), 100u);
  for (const auto code : {"de", "es", "fr", "nl"}) {
    for (const auto& words : ledger.asked) {
      const bool plain = words.starts_with("http") || words.starts_with("callready ");
      EXPECT_NE(find_language(code)->find(words, std::nullopt).has_value(), plain)
          << code << ": " << words;
    }
  }
}

TEST(PageFiles, GiveTheScriptItsWords) {
  Invented language;
  language.told = {{"Testing {}", "{} wird geprüft"}, {"Which service?", "Was?"}};
  EXPECT_EQ(page_file("words.js", &language)->text,
            "export const words = {\"Testing {}\":\"{} wird geprüft\"};\n");
}

}  // namespace
}  // namespace callready::ui
