// Secrets come from the environment or a file, and never come back in an error.
#include "probe/cli/secrets.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/environment.hpp"

namespace callready {
namespace {

using test::set_variable;

class SecretsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : names) set_variable(name, "");
    path_ = testing::TempDir() + "callready-secrets-" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override {
    for (const auto* name : names) set_variable(name, "");
    std::filesystem::remove(path_);
  }
  CredentialsResult read(const std::string& content) {
    std::ofstream(path_) << content;
    return read_credentials(path_);
  }

  static constexpr const char* names[] = {"CALLREADY_TURN_USER",      "CALLREADY_TURN_PASSWORD",
                                          "CALLREADY_TURN_SECRET",    "CALLREADY_PROXY_USER",
                                          "CALLREADY_PROXY_PASSWORD", "CALLREADY_TURN_HOST",
                                          "CALLREADY_PROXY_HOST",     "CALLREADY_PUSH_TOKEN"};
  std::string path_;
};

TEST_F(SecretsTest, AreReadFromTheEnvironment) {
  set_variable("CALLREADY_TURN_USER", "a");
  set_variable("CALLREADY_TURN_PASSWORD", "b");
  set_variable("CALLREADY_TURN_SECRET", "c");
  set_variable("CALLREADY_PROXY_USER", "d");
  set_variable("CALLREADY_PROXY_PASSWORD", "e");
  set_variable("CALLREADY_TURN_HOST", "Turn.example.com, 192.0.2.1");
  set_variable("CALLREADY_PUSH_TOKEN", "f");
  const auto [credentials, token, warning, error] = read_credentials("");
  EXPECT_EQ(error, "");
  EXPECT_EQ(warning, "");
  EXPECT_EQ(credentials.turn_hosts, (std::vector<std::string>{"turn.example.com", "192.0.2.1"}));
  EXPECT_EQ(credentials.turn_user, "a");
  EXPECT_EQ(credentials.turn_password, "b");
  EXPECT_EQ(credentials.turn_secret, "c");
  EXPECT_EQ(credentials.proxy_user, "d");
  EXPECT_EQ(credentials.proxy_password, "e");
  EXPECT_EQ(token, "f");
}

TEST_F(SecretsTest, AFileWinsOverTheEnvironment) {
  set_variable("CALLREADY_TURN_USER", "environment");
  set_variable("CALLREADY_PROXY_USER", "stays");
  set_variable("CALLREADY_PUSH_TOKEN", "environment");
  const auto [credentials, token, warning, error] = read(
      "# a comment\n\nCALLREADY_TURN_USER=file\r\nCALLREADY_TURN_PASSWORD= spaces and = signs \n"
      "CALLREADY_PUSH_TOKEN=g\n");
  EXPECT_EQ(error, "");
  EXPECT_EQ(credentials.turn_user, "file");
  EXPECT_EQ(credentials.turn_password, " spaces and = signs ");
  EXPECT_EQ(credentials.proxy_user, "stays");
  EXPECT_EQ(token, "g");
#ifdef _WIN32
  EXPECT_EQ(warning, "");  // the profile's access list keeps others out
#else
  EXPECT_NE(warning.find("other users"), std::string::npos);
#endif
  std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
  EXPECT_EQ(read_credentials(path_).warning, "");
}

TEST_F(SecretsTest, ErrorsNameTheLineAndNotTheValue) {
  for (const auto* line : {"CALLREADY_TURN_PASWORD=hunter2", "hunter2", "=hunter2",
                           "export CALLREADY_TURN_PASSWORD=hunter2"}) {
    const auto result = read(std::string("CALLREADY_TURN_USER=a\n") + line + "\n");
    EXPECT_EQ(result.error,
              path_ + ":2: expected NAME=VALUE with a name such as CALLREADY_TURN_USER");
  }
}

TEST_F(SecretsTest, AFileThatCannotBeReadIsAnError) {
  EXPECT_EQ(read_credentials("/nowhere/secrets").error,
            "/nowhere/secrets: cannot be read: No such file or directory");
  EXPECT_NE(read_credentials("/dev/zero").error, "") << "it has no end";
  EXPECT_NE(read_credentials(testing::TempDir()).error, "") << "a folder is no file";
}

}  // namespace
}  // namespace callready
