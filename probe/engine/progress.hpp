// A bar on a terminal while a run goes on; silence anywhere else.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "probe/net/clock.hpp"

namespace callready {

class Progress {
 public:
  // `visible`: standard error is a terminal and nobody asked for quiet. `limit`: how long the run
  // may take. Until the last endpoint has answered, the time goes on by itself.
  Progress(Clock& clock, bool visible, int width, Milliseconds limit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::size_t done, std::size_t total);
  // Asked whenever the line is drawn; empty: nobody in particular.
  void say_what_is_waited_for(std::function<std::string()> whom) { whom_ = std::move(whom); }
  void clear();

 private:
  void draw();
  void draw_by_itself();

  Clock& clock_;
  bool visible_, on_screen_ = false;
  int width_;
  Milliseconds limit_;
  Instant start_, drawn_;
  std::size_t done_ = 0, total_ = 0;
  std::function<std::string()> whom_;
  std::unique_ptr<Clock::Timer> timer_;
};

// "[#########..........] 12 of 38 endpoints, 1.2 s of at most 20 s, waiting for SIP servers", at
// most `width` - 1 columns.
std::string progress_line(std::size_t done, std::size_t total, Milliseconds passed,
                          Milliseconds limit, int width, std::string_view whom = {});

}  // namespace callready
