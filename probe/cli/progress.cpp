#include "probe/cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace callready {
namespace {

// Often enough to look alive, seldom enough to cost nothing.
constexpr milliseconds redraw_after{80};

}  // namespace

std::string progress_line(std::size_t done, std::size_t total, double seconds, int width) {
  const auto text = fmt::format(" {} of {} endpoints, {:.1f} s", done, total, seconds);
  const int room = std::min(width - static_cast<int>(text.size()) - 3, 40);
  if (room < 5 || total == 0)
    return text.substr(1, static_cast<std::size_t>(std::max(width - 1, 0)));
  const auto filled = static_cast<std::size_t>(room) * std::min(done, total) / total;
  const auto empty = static_cast<std::size_t>(room) - filled;
  return '[' + std::string(filled, '#') + std::string(empty, '.') + ']' + text;
}

Progress::Progress(const Clock& clock, bool visible, int width)
    : clock_(clock), visible_(visible), width_(width), start_(clock.now()), drawn_(start_) {}

Progress::~Progress() { clear(); }

void Progress::update(std::size_t done, std::size_t total) {
  const auto now = clock_.now();
  if (!visible_ || now < drawn_ + redraw_after) return;
  drawn_ = now;
  const auto line = progress_line(done, total, elapsed(start_, now).count() / 1000, width_);
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void Progress::clear() {
  if (!visible_ || drawn_ == start_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = start_;
}

}  // namespace callready
