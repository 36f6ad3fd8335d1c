// The model of NetEQ held against NetEQ: headless Chromium 156 had calls with `callready serve`
// over lines of tests/site's callready-wan, and told by getStats what its buffer did
// (concealedSamples of totalSamplesReceived, jitterBufferDelay by jitterBufferEmittedCount). A
// file's first line is that: percent, and milliseconds by which sound came out later than the
// fastest packet could have. Then for each packet, 20 ms apart, how much later than the fastest one
// it came, in tenths of a millisecond; "-" is lost.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "probe/media/e_model.hpp"
#include "probe/media/jitter_buffer.hpp"
#include "probe/media/stream_figures.hpp"
#include "tests/support/source_folder.hpp"

namespace callready::media {
namespace {

constexpr double interval_ms = 20;

double score(double concealed_percent, double held_ms) {
  Path path;
  path.delay_ms = 20 + interval_ms + held_ms;
  path.loss_percent = concealed_percent;
  return mos(rate(path).r);
}

TEST(Neteq, TheModelsScoreIsNearItsOwn) {
  int kinds = 0;
  const auto folder = test::source_folder() + "/tests/media/neteq";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    double concealed_percent = 0, held_ms = 0;
    ASSERT_TRUE(file >> concealed_percent >> held_ms) << entry.path();
    std::vector<Arrival> arrivals;
    std::uint32_t count = 0;
    for (std::string late; file >> late; ++count) {
      const double sent = interval_ms * count;
      if (late != "-") arrivals.push_back({count, sent, sent + std::stod(late) / 10});
    }
    ASSERT_GT(count, 800u) << entry.path();
    const auto model = play(arrivals, static_cast<int>(count), interval_ms);
    const double percent = 100 * model.concealed_ms / (interval_ms * count);
    EXPECT_NEAR(score(percent, model.held_ms), score(concealed_percent, held_ms), 0.15)
        << entry.path() << ": " << percent << " %, " << model.held_ms << " ms";
    ++kinds;
  }
  EXPECT_EQ(kinds, 13);
}

}  // namespace
}  // namespace callready::media
