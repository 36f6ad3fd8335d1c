// How many descriptors there are, and what happens without.
#include "probe/platform/descriptor.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/few_descriptors.hpp"

namespace callready {
namespace {

TEST(Descriptors, AreCounted) {
  const auto before = platform::descriptors();
  EXPECT_GE(before.open, 3);
  EXPECT_EQ(before.left(), before.allowed - before.open);
  const platform::OwnedDescriptor one(platform::duplicate(0));
  EXPECT_EQ(platform::descriptors().open, before.open + 1);
}

TEST(Descriptors, WithoutOneItIsSaidWhy) {
  EXPECT_EQ(platform::why_no_socket(), 0);
  {
    const test::NoDescriptorsLeft none;
    EXPECT_EQ(platform::why_no_socket(), EMFILE);
  }
  EXPECT_EQ(platform::why_no_socket(), 0);
}

TEST(Descriptors, AsManyAreAskedForAsTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto few = std::min<rlim_t>(before.rlim_max, 64);
  const rlimit soft{few, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &soft), 0);
  platform::allow_more_descriptors();
  const auto allowed = platform::descriptors().allowed;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto expected = std::min<rlim_t>(before.rlim_max, platform::most_counted);
  EXPECT_EQ(static_cast<rlim_t>(allowed), expected);
  platform::allow_more_descriptors();
  EXPECT_GE(static_cast<rlim_t>(platform::descriptors().allowed),
            std::min<rlim_t>(before.rlim_cur, platform::most_counted));
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace callready
