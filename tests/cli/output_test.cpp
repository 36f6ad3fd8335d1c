// Where reports go, and what keeps them from getting there.
#include "probe/cli/output.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace callready {
namespace {

namespace fs = std::filesystem;

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "callready-output-" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    report_.tool.version = "1.2.3";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static std::string content(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  std::string delivered(const Arguments& arguments) {
    testing::internal::CaptureStdout();
    const auto failure = deliver(report_, arguments);
    failure_ = failure.value_or("");
    return testing::internal::GetCapturedStdout();
  }

  std::string folder_, failure_;
  Report report_;
};

TEST_F(OutputTest, StandardOutputGetsTheTextUnlessAnotherIsAskedFor) {
  Arguments arguments;
  const auto text = delivered(arguments);
  EXPECT_EQ(failure_, "");
  EXPECT_NE(text, "");
  arguments.json = true;
  const auto json = delivered(arguments);
  EXPECT_TRUE(json.starts_with("{")) << json.substr(0, 40);
  arguments.json = false;
  arguments.reports = {{"json", ""}};
  EXPECT_EQ(delivered(arguments), json);
}

TEST_F(OutputTest, FilesAreWrittenBesideStandardOutput) {
  Arguments arguments;
  arguments.reports = {{"json", path("a.json")}, {"text", path("a.txt")}};
  const auto text = delivered(arguments);
  EXPECT_EQ(failure_, "");
  EXPECT_TRUE(content(path("a.json")).starts_with("{"));
  EXPECT_NE(content(path("a.txt")), "");
  EXPECT_NE(text, "") << "standard output has its report all the same";
  EXPECT_EQ(files(), 2u) << "nothing else is left behind";
}

TEST_F(OutputTest, ReportsInFilesHaveNoColour) {
  Arguments arguments;
  arguments.colour = ColourChoice::always;
  arguments.reports = {{"text", path("a.txt")}};
  EXPECT_NE(delivered(arguments).find("\033["), std::string::npos);
  EXPECT_EQ(content(path("a.txt")).find("\033["), std::string::npos);
}

TEST_F(OutputTest, WhatCannotBeWrittenIsSaidBeforeTheRun) {
  const auto why = [&](const std::string& file) {
    Arguments arguments;
    arguments.reports = {{"json", file}};
    return why_not_deliverable(arguments).value_or("");
  };
  EXPECT_EQ(why(path("a.json")), "");
  EXPECT_EQ(files(), 0u) << "asking leaves nothing behind";
  EXPECT_EQ(why(path("nowhere/a.json")), path("nowhere/a.json") + ": No such file or directory");
  EXPECT_EQ(why(folder_), folder_ + ": Is a directory");
}

TEST_F(OutputTest, StandardOutputHoldsOneReport) {
  Arguments arguments;
  arguments.json = true;
  arguments.reports = {{"json", ""}};
  EXPECT_EQ(why_not_deliverable(arguments), std::nullopt);
  arguments.reports = {{"text", ""}};
  EXPECT_EQ(why_not_deliverable(arguments),
            "standard output can hold one report, not both json and text: use --report text=FILE");
}

TEST_F(OutputTest, OneFileHoldsOneReport) {
  const auto why = [&](const std::string& first, const std::string& second) {
    Arguments arguments;
    arguments.reports = {{"json", first}, {"csv", second}};
    return why_not_deliverable(arguments).value_or("");
  };
  fs::create_directory(path("folder"));
  fs::create_directory_symlink(path("folder"), path("link"));
  EXPECT_EQ(why(path("a"), path("b")), "");
  EXPECT_EQ(why(path("a"), path("a")),
            path("a") + ": two reports cannot be one file (json and csv)");
  EXPECT_NE(why(path("a"), path("folder/../a")), "");
  EXPECT_NE(why(path("folder/a"), path("link/a")), "");
  std::ofstream(path("there")) << "x";
  fs::create_hard_link(path("there"), path("too"));
  EXPECT_NE(why(path("there"), path("too")), "");
}

TEST_F(OutputTest, NagiosHasStandardOutput) {
  Arguments arguments;
  arguments.nagios = true;
  EXPECT_TRUE(delivered(arguments).starts_with("CALLREADY UNKNOWN - "));
  arguments.reports = {{"json", ""}};
  EXPECT_EQ(why_not_deliverable(arguments),
            "standard output can hold one report, not both nagios and json: use --report json=FILE");
}

TEST_F(OutputTest, AFileThatFailsDoesNotKeepTheOthersBack) {
  Arguments arguments;
  arguments.reports = {{"json", path("nowhere/a.json")}, {"json", path("b.json")}};
  EXPECT_NE(delivered(arguments), "");
  EXPECT_EQ(failure_, path("nowhere/a.json") + ": No such file or directory");
  EXPECT_NE(content(path("b.json")), "");
}

TEST_F(OutputTest, AFullDiskIsSaid) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Arguments arguments;
  arguments.reports = {{"json", "/dev/full"}};
  EXPECT_EQ(why_not_deliverable(arguments), std::nullopt);
  delivered(arguments);
  EXPECT_EQ(failure_, "/dev/full: No space left on device");
  EXPECT_FALSE(fs::is_regular_file("/dev/full")) << "a device must not be replaced by a file";
}

}  // namespace
}  // namespace callready
