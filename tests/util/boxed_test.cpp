#include "probe/util/boxed.hpp"

#include <gtest/gtest.h>

#include <string>

namespace callready {
namespace {

TEST(Boxed, IsEmptyFirst) {
  const Boxed<std::string> box;
  EXPECT_FALSE(box);
  EXPECT_FALSE(Boxed<std::string>(box));
}

TEST(Boxed, CopiesTheValue) {
  Boxed<std::string> one = std::string("stream");
  auto other = one;
  *other += 's';
  EXPECT_EQ(*one, "stream");
  EXPECT_EQ(other->size(), 7u);
  one = other;
  EXPECT_EQ(*one, "streams");
  one = Boxed<std::string>();
  EXPECT_FALSE(one);
  EXPECT_TRUE(other);
}

TEST(Boxed, TakesNoMoreThanAPointer) {
  EXPECT_EQ(sizeof(Boxed<std::string>), sizeof(void*));
}

}  // namespace
}  // namespace callready
