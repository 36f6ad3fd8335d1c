// How the program ends where it cannot go on.
#include "probe/platform/last_words.hpp"

#include <gtest/gtest.h>

#include <new>

namespace callready::platform {
namespace {

using LastWordsDeathTest = testing::Test;

TEST(LastWordsDeathTest, AreOneLine) {
  EXPECT_EXIT(end_program("libnice: ", "no thread"), testing::ExitedWithCode(2),
              "^callready: libnice: no thread\n$");
}

TEST(LastWordsDeathTest, AreNagiosToo) {
  EXPECT_EXIT(
      {
        end_program_with_nagios_line();
        end_program("out of memory");
      },
      testing::ExitedWithCode(3), "^callready: out of memory\n$");
}

TEST(LastWordsDeathTest, AreSaidWithoutMemory) {
  EXPECT_EXIT(
      {
        end_program_without_memory();
        std::get_new_handler()();
      },
      testing::ExitedWithCode(2), "^callready: out of memory\n$");
  EXPECT_EXIT(or_end_program(nullptr), testing::ExitedWithCode(2), "^callready: out of memory\n$");
  char byte = 0;
  EXPECT_EQ(or_end_program(&byte), &byte);
}

}  // namespace
}  // namespace callready::platform
