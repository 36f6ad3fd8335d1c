// What the operating system knows: files, streams, interfaces.
#include "probe/platform/system.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace callready {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "callready-files-" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  static std::string content(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  std::string folder_;
};

TEST_F(FilesTest, AreWrittenWhole) {
  const std::string big(3'000'000, 'x');
  EXPECT_EQ(platform::write_whole_file(path("a"), "first"), std::nullopt);
  EXPECT_EQ(content(path("a")), "first");
  EXPECT_EQ(platform::write_whole_file(path("a"), big), std::nullopt);
  EXPECT_EQ(content(path("a")), big);
  EXPECT_EQ(platform::write_whole_file(path("a"), ""), std::nullopt);
  EXPECT_EQ(content(path("a")), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FilesTest, HaveTheModeThatTheUserWants) {
  const mode_t before = umask(027);
  EXPECT_EQ(platform::write_whole_file(path("a"), "x"), std::nullopt);
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(FilesTest, SymbolicLinksStayLinks) {
  EXPECT_EQ(platform::write_whole_file(path("real"), "old"), std::nullopt);
  fs::create_symlink("real", path("link"));
  EXPECT_EQ(platform::why_not_writable(path("link")), std::nullopt);
  EXPECT_EQ(platform::write_whole_file(path("link"), "new"), std::nullopt);
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content(path("real")), "new");
}

TEST_F(FilesTest, DevicesAndPipesStayWhatTheyAre) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(platform::why_not_writable(path("pipe")), std::nullopt);
  EXPECT_EQ(platform::write_whole_file("/dev/null", "x"), std::nullopt);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(FilesTest, ErrorsAreInWords) {
  EXPECT_EQ(platform::write_whole_file(path("no/a"), "x"), "No such file or directory");
  EXPECT_EQ(platform::why_not_writable(path("no/a")), "No such file or directory");
  EXPECT_EQ(platform::why_not_writable(folder_), "Is a directory");
  EXPECT_EQ(platform::write_whole_file(folder_, "x"), "Is a directory");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 0);
}

TEST_F(FilesTest, AreFilesOnlyWhereTheyCanBeRead) {
  EXPECT_FALSE(platform::is_file(path("a")));
  EXPECT_FALSE(platform::is_file(folder_));
  std::ofstream(path("a")) << "x";
  EXPECT_TRUE(platform::is_file(path("a")));
}

TEST(Environment, UnsetAndEmptyAreTheSame) {
  unsetenv("CALLREADY_TEST");
  EXPECT_EQ(platform::environment("CALLREADY_TEST"), "");
  setenv("CALLREADY_TEST", "x", 1);
  EXPECT_EQ(platform::environment("CALLREADY_TEST"), "x");
  unsetenv("CALLREADY_TEST");
}

TEST(Environment, TheConfigurationFolderFollowsXdg) {
  const std::string home = platform::environment("HOME");
  const std::string xdg = platform::environment("XDG_CONFIG_HOME");
  setenv("HOME", "/home/someone", 1);
  setenv("XDG_CONFIG_HOME", "/etc/xdg", 1);
  EXPECT_EQ(platform::configuration_folder(), "/etc/xdg/callready");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_EQ(platform::configuration_folder(), "/home/someone/.config/callready");
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(platform::configuration_folder(), "/home/someone/.config/callready");
  unsetenv("HOME");
  EXPECT_EQ(platform::configuration_folder(), "");
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
  if (!xdg.empty()) setenv("XDG_CONFIG_HOME", xdg.c_str(), 1);
}

TEST(Interfaces, AreThereOrNot) {
  EXPECT_TRUE(platform::is_interface("lo"));
  EXPECT_FALSE(platform::is_interface("nosuch0"));
  EXPECT_FALSE(platform::is_interface(""));
  for (const auto& interface : platform::interfaces()) {
    EXPECT_NE(interface.name, "lo");
    EXPECT_TRUE(platform::is_interface(interface.name));
  }
}

TEST(Streams, ThatTheCallerClosedFailAndAreNobodyElses) {
  EXPECT_EXIT(
      {
        close(STDOUT_FILENO);
        platform::prepare_program();
        const int file = dup(STDERR_FILENO);
        const bool fails = write(STDOUT_FILENO, "x", 1) == -1;
        _exit(file > STDERR_FILENO && fails ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace callready
