#include "probe/engine/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "probe/platform/system.hpp"

namespace callready {
namespace {

// Often enough to look alive, seldom enough to cost nothing.
constexpr milliseconds redraw_after{80};
// While no endpoint finishes, the time goes on in steps that the eye can follow.
constexpr milliseconds redraw_by_itself_after{200};
const std::string clear_line = "\r\033[K";  // ECMA-48: EL
constexpr int longest_bar = 40, shortest_bar = 5;

}  // namespace

std::string progress_line(std::size_t done, std::size_t total, Milliseconds passed,
                          Milliseconds limit, int width, std::string_view whom) {
  // The last column stays free: some terminals wrap when it is written to.
  const int most = std::max(width - 1, 0);
  auto text = fmt::format("{} of {} endpoints, {:.1f} s", done, total, passed.count() / 1000);
  const auto in_full = fmt::format("{} of at most {:.0f} s", text, limit.count() / 1000);
  const auto fits = [&](const std::string& line) {
    return static_cast<int>(line.size()) + shortest_bar + 3 <= most;
  };
  if (fits(in_full)) text = in_full;
  const auto waiting = whom.empty() ? text : fmt::format("{}, waiting for {}", text, whom);
  if (fits(waiting)) text = waiting;
  const int room = std::min(most - static_cast<int>(text.size()) - 3, longest_bar);
  if (room < shortest_bar || total == 0) return text.substr(0, static_cast<std::size_t>(most));
  const auto filled = static_cast<std::size_t>(room) * std::min(done, total) / total;
  const auto empty = static_cast<std::size_t>(room) - filled;
  return fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(empty, '.'), text);
}

Progress::Progress(Clock& clock, bool visible, int width, Milliseconds limit)
    : clock_(clock),
      visible_(visible),
      width_(width),
      limit_(limit),
      start_(clock.now()),
      drawn_(start_) {
  if (visible_) draw_by_itself();
}

Progress::~Progress() { clear(); }

void Progress::update(std::size_t done, std::size_t total) {
  done_ = done;
  total_ = total;
  if (visible_ && clock_.now() >= drawn_ + redraw_after) draw();
}

void Progress::draw() {
  drawn_ = clock_.now();
  on_screen_ = true;
  platform::write_standard_error(clear_line + progress_line(done_, total_, elapsed(start_, drawn_),
                                                            limit_, width_,
                                                            whom_ ? whom_() : std::string()));
}

void Progress::draw_by_itself() {
  timer_ = clock_.call_at(clock_.now() + redraw_by_itself_after, [this] {
    if (total_ > 0) draw();
    draw_by_itself();
  });
}

void Progress::clear() {
  timer_.reset();
  if (!on_screen_) return;
  on_screen_ = false;
  platform::write_standard_error(clear_line);
}

}  // namespace callready
