// The command line as plain values, and one line for each way to get it wrong.
#include "probe/cli/arguments.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

ParseResult parse(std::vector<const char*> words) {
  words.insert(words.begin(), "callready");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

Arguments parsed(const std::vector<const char*>& words) {
  const auto result = parse(words);
  EXPECT_EQ(result.exit_status, std::nullopt);
  return result.arguments;
}

TEST(Arguments, CheckHasItsDefaults) {
  const auto arguments = parsed({"check", "rainbow", "webex"});
  EXPECT_EQ(arguments.command, Command::check);
  EXPECT_EQ(arguments.names, (std::vector<std::string>{"rainbow", "webex"}));
  EXPECT_TRUE(arguments.anchors);
  EXPECT_TRUE(arguments.v4);
  EXPECT_TRUE(arguments.v6);
  EXPECT_FALSE(arguments.all);
  EXPECT_FALSE(arguments.fast);
  EXPECT_FALSE(arguments.timeout_s);
  EXPECT_EQ(arguments.colour, ColourChoice::automatic);
  EXPECT_EQ(arguments.from, std::nullopt);
}

TEST(Arguments, SelectionIsRead) {
  const auto arguments =
      parsed({"check",       "--scenario", "hub",     "--scenario", "hybrid", "--from",
              "room-device", "--client",   "android", "--region",   "france", "--var",
              "a=1",         "--var",      "b=x=y",   "--only",     "r1",     "--skip",
              "r2",          "--all",      "--set",   "own.yaml",   "rainbow"});
  EXPECT_EQ(arguments.names, std::vector<std::string>{"rainbow"}) << "options take one value each";
  EXPECT_EQ(arguments.scenarios, (std::vector<std::string>{"hub", "hybrid"}));
  EXPECT_EQ(arguments.from, Vantage::room_device);
  EXPECT_EQ(arguments.client, "android");
  EXPECT_EQ(arguments.regions, std::vector<std::string>{"france"});
  EXPECT_EQ(arguments.variables, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x=y"}}));
  EXPECT_EQ(arguments.only, std::vector<std::string>{"r1"});
  EXPECT_EQ(arguments.skip, std::vector<std::string>{"r2"});
  EXPECT_EQ(arguments.set_files, std::vector<std::string>{"own.yaml"});
  EXPECT_TRUE(arguments.all);
}

TEST(Arguments, NetworkIsRead) {
  const auto arguments = parsed(
      {"check",        "rainbow",   "--pace",        "fast",          "--thorough", "--timeout",
       "2.5",          "--proxy",   "http://p:3128", "--dns",         "192.0.2.53", "--dns",
       "[::1]:53",     "--ca-file", "root.pem",      "--interface",   "eth0",       "-4",
       "--no-anchors", "--site",    "Lyon",          "--credentials", "secrets"});
  EXPECT_TRUE(arguments.fast);
  EXPECT_TRUE(arguments.thorough);
  EXPECT_EQ(arguments.timeout_s, 2.5);
  EXPECT_EQ(arguments.proxy, "http://p:3128");
  EXPECT_EQ(arguments.dns_servers, (std::vector<std::string>{"192.0.2.53", "[::1]:53"}));
  EXPECT_EQ(arguments.ca_files, std::vector<std::string>{"root.pem"});
  EXPECT_EQ(arguments.interfaces.front(), "eth0");
  EXPECT_TRUE(arguments.v4);
  EXPECT_FALSE(arguments.v6);
  EXPECT_FALSE(arguments.anchors);
  EXPECT_EQ(arguments.site, "Lyon");
  EXPECT_EQ(arguments.credentials_file, "secrets");
  EXPECT_FALSE(parsed({"check", "rainbow", "-6"}).v4);
}

TEST(Arguments, OutputIsRead) {
  const auto arguments = parsed({"check", "--report", "json=a=b.json", "--report", "text",
                                 "rainbow", "-v", "--color", "never", "-d", "-d"});
  ASSERT_EQ(arguments.reports.size(), 2u);
  EXPECT_EQ(arguments.reports[0].format, "json");
  EXPECT_EQ(arguments.reports[0].file, "a=b.json");
  EXPECT_EQ(arguments.reports[1].format, "text");
  EXPECT_EQ(arguments.reports[1].file, "");
  EXPECT_EQ(arguments.names, std::vector<std::string>{"rainbow"});
  EXPECT_TRUE(arguments.verbose);
  EXPECT_EQ(arguments.colour, ColourChoice::never);
  EXPECT_EQ(arguments.log_level, 2);
  EXPECT_EQ(parsed({"check", "x", "--color", "always"}).colour, ColourChoice::always);
  EXPECT_EQ(parsed({"render", "x", "--lang", "de"}).language, "de");
  EXPECT_EQ(parsed({"render", "x"}).language, "");
}

TEST(Arguments, WhatStandsBehindTheMarkIsForTheRunsOfThePage) {
  const auto given = [](std::vector<const char*> words) {
    words.insert(words.begin(), {"callready", "ui"});
    return parse_arguments(static_cast<int>(words.size()), words.data());
  };
  const auto plain = given({});
  EXPECT_FALSE(plain.exit_status);
  EXPECT_EQ(plain.arguments.command, Command::ui);
  EXPECT_TRUE(plain.arguments.browser);
  EXPECT_TRUE(plain.arguments.names.empty());
  const auto both = given({"--no-browser", "--", "--interface", "eth0", "--no-anchors"});
  EXPECT_FALSE(both.exit_status);
  EXPECT_FALSE(both.arguments.browser);
  EXPECT_EQ(both.arguments.names,
            (std::vector<std::string>{"--interface", "eth0", "--no-anchors"}));
  // They are read at once, not at the first run.
  for (const auto* wrong : {"--no-browser", "--interface", "rainbow"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(given({"--", wrong}).exit_status, 2) << wrong;
    EXPECT_NE(testing::internal::GetCapturedStderr().find(wrong), std::string::npos);
  }
  EXPECT_EQ(given({"--interface", "eth0"}).exit_status, 2);
}

TEST(Arguments, OtherCommandsAreKnown) {
  EXPECT_EQ(parsed({"list", "--json"}).command, Command::list);
  EXPECT_EQ(parsed({"show", "rainbow"}).command, Command::show);
  EXPECT_EQ(parsed({"validate", "a.yaml", "b.yaml"}).names.size(), 2u);
  EXPECT_EQ(parsed({"render", "r.json", "--report", "text=x"}).command, Command::render);
  EXPECT_EQ(parsed({"demo"}).command, Command::demo);
}

TEST(Arguments, ARecordedFaultTakesNothingThatIsForARun) {
  EXPECT_EQ(parsed({"demo", "--fault", "udp-blocked", "--quiet"}).fault, "udp-blocked");
  EXPECT_EQ(parse({"demo", "--fault", "nobody-knows"}).exit_status, 2);
  EXPECT_EQ(parse({"demo", "--fault", "udp-blocked", "--skip", "media"}).exit_status, 2);
  EXPECT_EQ(parse({"demo", "--fault", "udp-blocked", "--json", "--follow"}).exit_status, 2);
}

TEST(Arguments, HelpAndVersionGoToStandardOutput) {
  for (const auto* word : {"--help", "--version", "help"}) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto result = parse({word});
    EXPECT_NE(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(result.exit_status, 0);
  }
}

TEST(Arguments, HelpOfACommandIsThatCommands) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(parse({"help", "firewall"}).exit_status, 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("fortigate"), std::string::npos);
}

// Every line leads on: to a command that the program has.
TEST(Arguments, AloneItSaysWhatToDoNext) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse({}).exit_status, 2);
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 6) << said;
  for (const auto* command : {"list", "check", "ui", "demo", "help"}) {
    EXPECT_NE(said.find(std::string("\n  callready ") + command + ' '), std::string::npos) << said;
  }
}

struct BadCase {
  const char* name;
  std::vector<const char*> words;
  const char* says;
};

class BadArguments : public testing::TestWithParam<BadCase> {};

TEST_P(BadArguments, AreOneLineOnStandardError) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto result = parse(GetParam().words);
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_TRUE(said.starts_with("callready: ")) << said;
  EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
}

const BadCase bad_cases[] = {
    {"OnlyAnOption", {"-d"}, "A subcommand is required"},
    {"AServiceIsNoCommand", {"rainbow"}, "callready check rainbow"},
    {"AServiceMisspelt", {"rainbwo"}, "callready check rainbow"},
    {"OptionMisspelt", {"check", "x", "--porxy", "none"}, "did you mean '--proxy'?"},
    {"TicketAndJson", {"check", "x", "--ticket", "--json"}, "excludes"},
    {"UnknownCommand", {"chek"}, "unknown command 'chek'; did you mean 'check'?"},
    {"UnknownOption", {"check", "--foo"}, "--foo"},
    {"UnknownVantage", {"check", "x", "--from", "desk"}, "desk"},
    {"UnknownFormat", {"check", "x", "--report", "pdf"}, "unknown report format 'pdf'; known are:"},
    {"NoFileAfterFormat", {"check", "x", "--report", "json="}, "no file after 'json='"},
    {"VariableWithoutValue", {"check", "x", "--var", "pbx"}, "expected NAME=VALUE, got 'pbx'"},
    {"VariableWithoutName", {"check", "x", "--var", "=1"}, "expected NAME=VALUE"},
    {"TimeoutTooShort", {"check", "x", "--timeout", "0"}, "--timeout"},
    {"TimeoutNotANumber", {"check", "x", "--timeout", "soon"}, "--timeout"},
    {"TimeoutNaN", {"check", "x", "--timeout", "nan"}, "--timeout"},
    {"BothFamiliesExcluded", {"check", "x", "-4", "-6"}, "excludes"},
    {"UnknownPace", {"check", "x", "--pace", "slow"}, "slow"},
    {"UnknownColour", {"check", "x", "--color", "pink"}, "pink"},
    {"UnknownLanguage", {"check", "x", "--lang", "xx"}, "xx"},
    {"TwoFilesToRender", {"render", "a", "b"}, "b"},
    {"UnknownFinding", {"explain", "firewall.upd_blocked"}, "firewall.upd_blocked"},
};

INSTANTIATE_TEST_SUITE_P(Arguments, BadArguments, testing::ValuesIn(bad_cases),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(Arguments, SecretsAreNotRepeated) {
  testing::internal::CaptureStderr();
  parse({"check", "x", "--turn-password=hunter2", "--proxy_user=bob"});
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
  EXPECT_EQ(said.find("bob"), std::string::npos) << said;
  EXPECT_NE(said.find("--turn-password"), std::string::npos) << said;
  testing::internal::CaptureStderr();
  parse({"update", "--token", "hunter2"});
  const auto of_two_words = testing::internal::GetCapturedStderr();
  EXPECT_EQ(of_two_words.find("hunter2"), std::string::npos) << of_two_words;
  EXPECT_NE(of_two_words.find("--token"), std::string::npos) << of_two_words;
  testing::internal::CaptureStderr();
  parse({"check", "x", "--media-key=hunter2"});
  parse({"serve", "x", "--key=hunter2"});
  const auto of_keys = testing::internal::GetCapturedStderr();
  EXPECT_EQ(of_keys.find("hunter2"), std::string::npos) << of_keys;
}

TEST(Arguments, AreReadHoweverLongTheyAre) {
  const std::string word(120'000, 'x');  // Linux takes 128 KiB for one argument
  const auto* const longest = word.c_str();
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse({"list", "--nope", ("--turn-password=" + word).c_str()}).exit_status, 2);
  EXPECT_EQ(parse({"list", longest, "--token"}).exit_status, 2);
  EXPECT_LT(testing::internal::GetCapturedStderr().size(), 1'000u);
  for (const auto* option : {"--table", "--chain"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse({"firewall", "x", option, longest}).exit_status, 2);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("expected a "), std::string::npos);
  }
}

}  // namespace
}  // namespace callready
