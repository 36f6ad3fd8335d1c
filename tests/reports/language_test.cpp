#include "reports/words/language.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "reports/words/phrases.hpp"
#include "tests/reports/samples.hpp"

namespace callready::language_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string error_of(std::string_view text) { return read_catalogue(text, "x.po", "de").error; }

// What the catalogue of one entry says of a text.
std::string said(std::string_view entry, const Text& text, std::string_view code = "de") {
  const auto read = read_catalogue(entry, "x.po", code);
  EXPECT_EQ(read.error, "");
  return read.catalogue ? text.in(&*read.catalogue) : "";
}

TEST(Catalogue, ReadsEntriesPluralsAndEscapes) {
  EXPECT_EQ(said("# c\n#: a.cpp\nmsgid \"port \"\n\"{}\"\nmsgstr \"Port \\\"{}\\\"\"\n",
                 phrase("port {}", 1)),
            "Port \"1\"");
  constexpr auto rows =
      "msgid \"{} row\"\nmsgid_plural \"{} rows\"\nmsgstr[0] \"{} Zeile\"\nmsgstr[1] \"{} "
      "Zeilen\"\n";
  EXPECT_EQ(said(rows, plural(0, "{} row", "{} rows")), "0 Zeilen");
  EXPECT_EQ(said(rows, plural(0, "{} row", "{} rows"), "fr"), "0 Zeile");
  EXPECT_EQ(said(rows, plural(1, "{} row", "{} rows")), "1 Zeile");
}

TEST(Catalogue, LeavesOutWhatIsNoTranslation) {
  const auto text = phrase("port {}", 1);
  for (const auto* entry :
       {"msgid \"port {}\"\nmsgstr \"\"\n", "#, fuzzy\nmsgid \"port {}\"\nmsgstr \"Port {}\"\n",
        "msgid \"port {}\"\nmsgstr \"Port {1}\"\n", "msgid \"port {}\"\nmsgstr \"Port {} {}\"\n",
        "msgid \"port {}\"\nmsgstr \"Port {:x}\"\n", ""}) {
    EXPECT_EQ(said(entry, text), "port 1") << entry;
  }
}

TEST(Catalogue, SaysWhereAFaultIs) {
  EXPECT_EQ(error_of("msgid \"a\"\nmsgid \"b\"\n"), "x.po:2:1: expected msgstr");
  EXPECT_EQ(error_of("msgid \"a\"\nmsgstr x\n"), "x.po:2:8: expected a text in quotes");
  EXPECT_EQ(error_of("msgid \"a\nmsgstr \"\"\n"), "x.po:1:9: this text has no end");
  EXPECT_EQ(error_of("msgid \"\\q\"\n"), "x.po:1:9: this escape is not known");
  EXPECT_EQ(error_of("what\n"), "x.po:1:1: expected msgid");
  EXPECT_EQ(error_of("msgid \"a\"\nmsgstr \"b\"\n\nmsgid \"a\"\nmsgstr \"c\"\n"),
            "x.po:4:1: this entry is there twice");
  EXPECT_THAT(error_of(std::string(5 << 20, '#')), HasSubstr("too large"));
}

TEST(Language, BuiltInCataloguesCanBeRead) {
  for (const auto code : language_codes()) {
    if (code == "en") continue;
    ASSERT_NE(find_language(code), nullptr) << code;
    EXPECT_EQ(find_language(code)->code(), code);
  }
  EXPECT_EQ(find_language("en"), nullptr);
  EXPECT_EQ(find_language("xx"), nullptr);
}

TEST(Language, IsKnownByItsLocale) {
  EXPECT_EQ(known_language("de_CH.UTF-8"), "de");
  EXPECT_EQ(known_language("FR-be"), "fr");
  EXPECT_EQ(known_language("nl"), "nl");
  EXPECT_EQ(known_language("C.UTF-8"), "en");
  EXPECT_EQ(known_language("POSIX"), "en");
  EXPECT_EQ(known_language("den"), std::nullopt);
  EXPECT_EQ(known_language(""), std::nullopt);
}

TEST(Language, IsWhatTheBrowserPrefers) {
  EXPECT_EQ(accepted_language("pl, es;q=0.5, de-AT;q=0.8, en;q=0.1"), "de");
  EXPECT_EQ(accepted_language("fr"), "fr");
  EXPECT_EQ(accepted_language("en-GB, de;q=0.9"), "en");
  EXPECT_EQ(accepted_language("de;q=0, es;q=0.001"), "es");
  EXPECT_EQ(accepted_language("*"), "en");
  EXPECT_EQ(accepted_language(""), "en");
  EXPECT_EQ(accepted_language(",;q=,,"), "en");
}

// A language in which each template is in brackets: what has none was not translated.
class Brackets final : public Language {
 public:
  std::string_view code() const override { return "de"; }
  std::optional<std::string_view> find(std::string_view words,
                                       std::optional<std::uint64_t>) const override {
    return said_.emplace_back('[' + std::string(words) + ']');
  }

 private:
  mutable std::list<std::string> said_;
};

Report with_words() {
  auto report = samples::blocked();
  report.findings.front().title = phrase("The firewall blocks {}", "UDP");
  report.findings.front().fix = phrase("Allow {}.", plural(2, "{} port", "{} ports")) + " Then.";
  report.notes.push_back(phrase("A note of {}.", "192.0.2.77"));
  return report;
}

TEST(Language, RenderersForPeopleSpeakIt) {
  const Brackets brackets;
  RenderOptions options;
  options.language = &brackets;
  for (const auto* name : {"text", "html", "ticket"}) {
    const auto said = find_format(name)->render(with_words(), options);
    EXPECT_THAT(said, HasSubstr("[The firewall blocks UDP]")) << name;
    EXPECT_THAT(said, HasSubstr("[Allow [2 port].] Then.")) << name;
  }
  EXPECT_THAT(find_format("html")->render(with_words(), options), HasSubstr("<html lang=\"de\">"));
  {
    const Speaking speaking(&brackets);
    EXPECT_EQ(command_for_the_list(" a", true),
              "[callready firewall a --missing --from last (or REPORT.json)]");
  }
  for (const auto* name : {"json", "csv", "junit", "prometheus", "nagios"}) {
    EXPECT_EQ(find_format(name)->render(with_words(), options),
              find_format(name)->render(with_words(), {}))
        << name;
  }
}

TEST(Language, FrenchSetsColonsApartFromNames) {
  RenderOptions options;
  options.language = find_language("fr");
  for (const auto* name : {"text", "html", "ticket"}) {
    const auto said = find_format(name)->render(samples::blocked(), options);
    EXPECT_THAT(said, HasSubstr("Cloudoe\u00a0: ")) << name;
    for (const auto* close : {"Rainbow: ", "Cloudoe: ", "(Ed 36): "}) {
      EXPECT_THAT(said, Not(HasSubstr(close))) << name;
    }
  }
}

TEST(Language, ASavedReportIsReadWithItsWords) {
  const auto json = render_json(with_words(), {});
  const auto read = read_report(json, "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_TRUE(read.unknown.empty());
  const Brackets brackets;
  const auto& finding = read.report->findings.front();
  EXPECT_EQ(finding.title, "The firewall blocks UDP");
  EXPECT_EQ(finding.title.in(&brackets), "[The firewall blocks UDP]");
  EXPECT_EQ(finding.fix.in(&brackets), "[Allow [2 port].] Then.");
  EXPECT_EQ(read.report->notes.back().in(&brackets), "[A note of 192.0.2.77.]");
  EXPECT_EQ(render_json(*read.report, {}), json);
}

TEST(Language, WordsThatAreNotTheTextsAreNotBelieved) {
  auto json = render_json(with_words(), {});
  const std::string old = "\"words\": \"The firewall blocks {}\"";
  const auto at = json.find(old);
  ASSERT_NE(at, json.npos);
  json.replace(at, old.size(), "\"words\": \"All is well with {}\"");
  const auto read = read_report(json, "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(read.report->findings.front().title, "The firewall blocks UDP");
  EXPECT_TRUE(read.report->findings.front().title.parts().empty());
}

}  // namespace
}  // namespace callready::language_test
