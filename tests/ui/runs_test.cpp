// A run's life, with children that the test plays.
#include "probe/ui/runs.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/manual_clock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/ui/fakes.hpp"

namespace callready::ui {
namespace {

namespace files = std::filesystem;
using std::chrono::minutes, std::chrono::seconds;

struct Fixture {
  Fixture() {
    for (const auto* part : {"/own", "/history"}) files::create_directories(folder + part);
  }

  std::string start(const std::string& service = "zoom") {
    return runs.start({service, {"--quality"}, ""});
  }
  // The child leaves its report, and ends.
  void finish(const std::string& text, int status = 0) {
    std::ofstream(children.last().option("report=json")) << text;
    children.last().exit(status, "");
  }
  nlohmann::json state() const { return nlohmann::json::parse(runs.state()); }
  static std::string text_of(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  static std::vector<std::string> own_options(const std::string&) { return {"--no-anchors"}; }

  test::TemporaryFolder temporary;
  std::string folder = temporary.path();
  test::ManualClock clock;
  FakeChildren children;
  int changes = 0;
  Runs runs{clock, children, {folder + "/own", folder + "/history", own_options, {}}, [this] {
              ++changes;
            }};
};

TEST(UiRuns, TellsOfProgressAndOfItsEnd) {
  Fixture f;
  EXPECT_EQ(f.state()["state"], "idle");
  EXPECT_EQ(f.start(), "");
  EXPECT_EQ(f.state()["state"], "running");
  f.children.last().print("{\"event\": \"started\", \"probes\": 7}\n{\"event\": \"pro");
  EXPECT_EQ(f.state()["total"], 7);
  f.children.last().print(
      "be\", \"done\": 3, \"total\": 8, \"probe\": {\"target\": {\"host\": \"a.example\"}}}\n");
  EXPECT_EQ(f.state()["done"], 3);
  EXPECT_EQ(f.state()["total"], 8);
  EXPECT_EQ(f.state()["now"], "a.example");
  EXPECT_EQ(f.changes, 3);
  f.finish("report", 4);
  EXPECT_EQ(f.state()["state"], "ended");
  EXPECT_EQ(f.state()["report"], true);
  EXPECT_EQ(f.state()["before"], false);
  EXPECT_EQ(f.text_of(f.runs.report()), "report");
}

TEST(UiRuns, WhatIsNoEventIsNoProgress) {
  Fixture f;
  f.start();
  f.children.last().print(
      "hello\n[1]\n{\"event\": 7}\n{\"event\":\"probe\",\"probe\":7,\"done\":-1}\n");
  EXPECT_EQ(f.state()["done"], 0);
  EXPECT_EQ(f.state()["now"], "");
}

TEST(UiRuns, ArgumentsAndSecrets) {
  Fixture f;
  f.runs.start({"zoom", {"--quality"}, "CALLREADY_TURN_PASSWORD=x\n"});
  const auto& child = f.children.last();
  EXPECT_EQ(child.arguments.front(), "check");
  EXPECT_EQ(child.arguments.back(), "zoom");
  EXPECT_EQ(child.option("history"), f.folder + "/history/zoom.json");
  EXPECT_EQ(child.option("credentials"), "-");
  EXPECT_EQ(child.input, "CALLREADY_TURN_PASSWORD=x\n");
  for (const auto& word : child.arguments) EXPECT_EQ(word.find("PASSWORD"), word.npos);
  for (const auto* word : {"--json", "--follow", "--no-keep", "--no-anchors", "--quality"}) {
    EXPECT_EQ(std::count(child.arguments.begin(), child.arguments.end(), word), 1) << word;
  }
}

TEST(UiRuns, TheDemoIsNoCheck) {
  Fixture f;
  f.start("demo");
  EXPECT_EQ(f.children.last().arguments.front(), "demo");
  EXPECT_EQ(f.children.last().option("history"), "");
}

TEST(UiRuns, OneAtATime) {
  Fixture f;
  f.start();
  EXPECT_NE(f.start(), "");
  EXPECT_EQ(f.children.all.size(), 1u);
  f.finish("one");
  EXPECT_EQ(f.start(), "");
  EXPECT_EQ(f.children.all.size(), 2u);
  EXPECT_FALSE(f.children.all.front()->held);
}

TEST(UiRuns, ComparesWithTheRunBeforeOfTheSameService) {
  Fixture f;
  std::ofstream(f.folder + "/history/zoom.json") << "yesterday";
  f.start();
  std::ofstream(f.folder + "/history/zoom.json") << "one";  // as --history does
  f.finish("one");
  EXPECT_EQ(f.state()["before"], true);
  EXPECT_EQ(f.text_of(f.runs.before()), "yesterday");
  f.start();
  f.finish("two");
  EXPECT_EQ(f.text_of(f.runs.before()), "one");
  EXPECT_EQ(f.text_of(f.runs.report()), "two");
  f.start("webex");
  f.finish("three");
  EXPECT_EQ(f.state()["before"], false) << "of another service";
  EXPECT_EQ(f.text_of(f.runs.report()), "three");
  int left = 0;
  for (const auto& entry : files::directory_iterator(f.folder + "/own"))
    left += entry.is_regular_file();
  EXPECT_EQ(left, 1) << "what nobody can ask for any more is gone";
}

TEST(UiRuns, ARunThatFailsLeavesTheLastReport) {
  Fixture f;
  f.start();
  f.finish("one");
  f.start();
  f.children.last().exit(2, "something\ncallready: unknown target set 'zoom'\n");
  EXPECT_EQ(f.state()["state"], "ended");
  EXPECT_EQ(f.state()["problem"], "unknown target set 'zoom'");
  EXPECT_EQ(f.state()["report"], false);
  EXPECT_EQ(f.text_of(f.runs.report()), "one");
}

TEST(UiRuns, IsStoppedAndEndedIfThatDoesNotHelp) {
  Fixture f;
  f.runs.stop();  // nothing runs
  f.start();
  f.runs.stop();
  f.runs.stop();
  EXPECT_EQ(f.children.last().interrupted, 1);
  EXPECT_EQ(f.state()["stopping"], true);
  f.clock.advance(seconds(9));
  EXPECT_EQ(f.children.last().ended, 0);
  f.clock.advance(seconds(2));
  EXPECT_EQ(f.children.last().ended, 1);
  f.children.last().exit(-9, "");
  EXPECT_NE(f.state()["problem"], "");
}

TEST(UiRuns, ARunThatDoesNotEndIsStopped) {
  Fixture f;
  f.start();
  f.clock.advance(minutes(29));
  EXPECT_EQ(f.children.last().interrupted, 0);
  f.clock.advance(minutes(2));
  EXPECT_EQ(f.children.last().interrupted, 1);
}

TEST(UiRuns, ThatCannotBeStarted) {
  Fixture f;
  f.children.none = true;
  EXPECT_NE(f.start(), "");
  EXPECT_EQ(f.state()["state"], "ended");
}

}  // namespace
}  // namespace callready::ui
