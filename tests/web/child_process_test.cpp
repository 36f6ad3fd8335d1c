// Children that are real: what they print, how they end, and that none is left.
#include "probe/web/child_process.hpp"

#include <gtest/gtest.h>

namespace callready::child_process_test {
namespace {

using std::chrono::seconds;

struct Fixture {
  bool start(const std::string& script, std::string input = "") {
    ChildProcess::Options options{"/bin/sh", {"-c", script}, std::move(input), {}, {}};
    options.on_output = [this](std::string_view text) { output += text; };
    options.on_end = [this](int its_status, const std::string& its_errors) {
      status = its_status;
      errors = its_errors;
      child.reset();  // as its owner may
    };
    child = ChildProcess::start(loop.get_executor(), clock, std::move(options));
    return child != nullptr;
  }
  void run() { loop.run_for(seconds(60)); }

  asio::io_context loop{1};
  SystemClock clock{loop.get_executor()};
  std::unique_ptr<ChildProcess> child;
  std::string output, errors;
  std::optional<int> status;
};

TEST(ChildProcess, TakesInputAndTellsAll) {
  Fixture f;
  ASSERT_TRUE(f.start("read line; echo \"got $line\"; echo oh >&2; exit 3", "hello\n"));
  f.run();
  EXPECT_EQ(f.output, "got hello\n");
  EXPECT_EQ(f.errors, "oh\n");
  EXPECT_EQ(f.status, 3);
}

TEST(ChildProcess, WhatItSaysLastIsKept) {
  Fixture f;
  ASSERT_TRUE(f.start("yes warning | head -c 100000 >&2; echo callready: the reason >&2; exit 2"));
  f.run();
  EXPECT_EQ(last_complaint_in(f.errors), "the reason");
  EXPECT_LT(f.errors.size(), 10'000u);
}

TEST(ChildProcess, IsAskedToEnd) {
  Fixture f;
  ASSERT_TRUE(f.start("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done"));
  while (f.output.empty() && f.loop.run_one_for(seconds(60)) != 0) {
  }
  f.child->interrupt();
  f.run();
  EXPECT_EQ(f.output, "up\nbye\n");
  EXPECT_EQ(f.status, 5);
}

TEST(ChildProcess, IsEndedByForce) {
  Fixture f;
  ASSERT_TRUE(f.start("trap '' TERM; echo up; exec sleep 1000"));
  while (f.output.empty() && f.loop.run_one_for(seconds(60)) != 0) {
  }
  f.child->end();
  f.run();
  ASSERT_TRUE(f.status);
  EXPECT_LT(*f.status, 0);
}

TEST(ChildProcess, ThatNobodyHoldsEndsAndTellsNothing) {
  Fixture f;
  ASSERT_TRUE(f.start("exec sleep 1000"));
  f.child.reset();
  f.run();  // nothing is left to wait for
  EXPECT_FALSE(f.status);
  EXPECT_TRUE(f.loop.stopped());
}

}  // namespace
}  // namespace callready::child_process_test
