#include "probe/model/text.hpp"

#include <gtest/gtest.h>

#include <map>

namespace callready {
namespace {

class German final : public Language {
 public:
  std::string_view code() const override { return "de"; }
  std::optional<std::string_view> find(std::string_view words,
                                       std::optional<std::uint64_t> count) const override {
    static const std::map<std::string_view, std::pair<std::string_view, std::string_view>> known = {
        {"UDP to {} is dropped by {}", {"{1} verwirft UDP zu {0}", {}}},
        {"port {}", {"Port {}", {}}},
        {"{} row", {"{} Zeile", "{} Zeilen"}}};
    const auto found = known.find(words);
    if (found == known.end()) return std::nullopt;
    return count.value_or(1) == 1 ? found->second.first : found->second.second;
  }
};

const German german;

TEST(Text, IsWhatTheTemplateSaysInEnglish) {
  EXPECT_EQ(phrase("UDP to {} is dropped by {}", "a.example", 7),
            "UDP to a.example is dropped by 7");
  EXPECT_EQ(phrase("{{}} and {1}, {0}", "a", "b"), "{} and b, a");
  EXPECT_EQ(plural(1, "{} row", "{} rows"), "1 row");
  EXPECT_EQ(plural(0, "{} row", "{} rows"), "0 rows");
  EXPECT_EQ(phrase(""), "");
  EXPECT_TRUE(phrase("").empty());
}

TEST(Text, TranslatesTemplatesAndNeverWhatIsPlain) {
  const auto text = phrase("UDP to {} is dropped by {}", phrase("port {}", 53), "port 53");
  EXPECT_EQ(text, "UDP to port 53 is dropped by port 53");
  EXPECT_EQ(text.in(&german), "port 53 verwirft UDP zu Port 53");
  EXPECT_EQ(text.in(nullptr), text);
  EXPECT_EQ(plural(3u, "{} row", "{} rows").in(&german), "3 Zeilen");
  EXPECT_EQ(plural(1u, "{} row", "{} rows").in(&german), "1 Zeile");
  EXPECT_EQ(phrase("not in the catalogue: {}", plural(2, "{} row", "{} rows")).in(&german),
            "not in the catalogue: 2 Zeilen");
}

TEST(Text, SentencesFollowEachOther) {
  Text text = "a: ";
  text += phrase("port {}", 1);
  text += "; ";
  text += phrase("port {}", 2);
  text += text;
  EXPECT_EQ(text, "a: port 1; port 2a: port 1; port 2");
  EXPECT_EQ(text.in(&german), "a: Port 1; Port 2a: Port 1; Port 2");
  EXPECT_EQ(joined_texts(std::vector<Text>{phrase("port {}", 1), "x"}).in(&german), "Port 1, x");
}

TEST(Text, IsMadeInTheLanguageThatIsSpoken) {
  {
    const Speaking speaking(&german);
    const auto text = phrase("UDP to {} is dropped by {}", phrase("port {}", 53), 1);
    EXPECT_EQ(text, "1 verwirft UDP zu Port 53");
    EXPECT_TRUE(text.parts().empty());
    EXPECT_EQ(spoken_language(), &german);
  }
  EXPECT_EQ(phrase("port {}", 53), "port 53");
  EXPECT_EQ(spoken_language(), nullptr);
}

TEST(Text, ReplacesAnArgumentAndStaysASentence) {
  auto text = phrase("Allow {}.", phrase("port {}", 53)) + " End.";
  EXPECT_TRUE(text.replace("port 53", phrase("port {}", 54)));
  EXPECT_EQ(text, "Allow port 54. End.");
  EXPECT_EQ(text.in(&german), "Allow Port 54. End.");
  EXPECT_FALSE(text.replace("port 53", "x"));
  EXPECT_TRUE(text.replace("54. E", "5"));  // across sentences
  EXPECT_EQ(text, "Allow port 5nd.");
  EXPECT_EQ(text.in(&german), text);
}

TEST(Text, RewritesArgumentsAndIsPlainWhereThatIsNotTheSame) {
  const auto hidden = [](std::string text) {
    for (auto at = text.find("secret"); at != text.npos; at = text.find("secret")) {
      text.replace(at, 6, "x");
    }
    return text;
  };
  const auto text = phrase("port {}", "secret").rewritten(hidden);
  EXPECT_EQ(text, "port x");
  EXPECT_EQ(text.in(&german), "Port x");
  // What is hidden stands across the template and its argument.
  const auto across = phrase("port sec{}", "ret").rewritten(hidden);
  EXPECT_EQ(across, "port x");
  EXPECT_TRUE(across.parts().empty());
}

TEST(Text, KeepsPlacesThatHaveNoArgument) {
  Text::Part part;
  part.words = "{} {5} {";
  part.arguments = {"a"};
  EXPECT_EQ(Text(std::vector{part}), "a {5} {");
}

}  // namespace
}  // namespace callready
