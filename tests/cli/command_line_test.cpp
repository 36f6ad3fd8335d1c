#include "probe/cli/command_line.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace callready {
namespace {

CommandLine sample() {
  CLI::App app("Does a thing.", "callready");
  app.set_version_flag("--version", "1");
  auto* check = app.add_subcommand("check", "It's [odd]: \\ all");
  std::vector<std::string> names, files;
  std::string word, proxy, site;
  bool quiet = false;
  check->add_option("SET", names, "Sets")->expected(0, -1);
  check->add_option("--set", files, "A file, repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  check->add_option("--pace", word, "How fast")
      ->type_name("PACE")
      ->check(CLI::IsMember({"slow", "fast"}));
  check->add_option("--proxy", proxy, "One")->type_name("URL|auto|none");
  check->add_option("--site", site, ".begins with a dot")->type_name("NAME");
  check->add_option("--listen", site, "Where")->type_name("ADDR:PORT");
  check->add_flag("-q,--quiet", quiet, "Less");
  check->footer("Exit status.\n.5 is none");
  app.add_subcommand("secret", "Not shown")->group("");
  return describe(app);
}

const CommandLineOption& option(const CommandLine& command, const std::string& name) {
  for (const auto& one : command.options) {
    for (const auto& own : one.names) {
      if (own == name) return one;
    }
    if (one.names.empty() && one.label == name) return one;
  }
  throw std::runtime_error(name + " is not there");
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST(CommandLine, IsWhatTheAppSays) {
  const auto line = sample();
  ASSERT_EQ(line.commands.size(), 1u) << "hidden commands stay hidden";
  const auto& check = line.commands[0];
  EXPECT_EQ(check.name, "check");
  EXPECT_EQ(option(check, "SET").value, ValueKind::set);
  EXPECT_TRUE(option(check, "SET").repeatable);
  EXPECT_EQ(option(check, "--set").value, ValueKind::file);
  EXPECT_EQ(option(check, "--pace").value, ValueKind::word);
  EXPECT_EQ(option(check, "--pace").words, (std::vector<std::string>{"slow", "fast"}));
  EXPECT_EQ(option(check, "--pace").label, "PACE");
  EXPECT_EQ(option(check, "--proxy").words, (std::vector<std::string>{"auto", "none"}));
  EXPECT_EQ(option(check, "--listen").label, "ADDR:PORT");
  EXPECT_EQ(option(check, "--site").value, ValueKind::text);
  EXPECT_EQ(option(check, "--quiet").value, ValueKind::none);
  EXPECT_EQ(option(check, "-q").names, (std::vector<std::string>{"-q", "--quiet"}));
  EXPECT_EQ(option(line, "--version").value, ValueKind::none);
}

TEST(CommandLine, IsQuotedForEachReader) {
  const auto line = sample();
  EXPECT_TRUE(holds(fish_completion(line), "-d 'It'\\''s [odd]: \\ all'")) << fish_completion(line);
  EXPECT_TRUE(holds(zsh_completion(line), "'check:It'\\''s \\[odd\\]\\: \\\\ all'"))
      << zsh_completion(line);
  const auto page = manual_page(line, "1.2.3");
  EXPECT_TRUE(holds(page, "It's [odd]: \\e all.\n")) << page;
  EXPECT_TRUE(holds(page, "\n\\&.begins with a dot\n")) << page;
  EXPECT_TRUE(holds(page, "\n\\&.5 is none\n")) << page;
  EXPECT_TRUE(holds(page, "\\fB\\-q\\fR, \\fB\\-\\-quiet\\fR\n")) << page;
}

}  // namespace
}  // namespace callready
