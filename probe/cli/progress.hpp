// A bar on a terminal while a run goes on; silence anywhere else.
#pragma once

#include <cstddef>

#include "probe/net/clock.hpp"

namespace callready {

class Progress {
 public:
  // `visible`: standard error is a terminal and nobody asked for quiet.
  Progress(const Clock& clock, bool visible, int width);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::size_t done, std::size_t total);
  void clear();

 private:
  const Clock& clock_;
  bool visible_;
  int width_;
  Instant start_, drawn_;
};

// "[#########..........] 12 of 38 endpoints, 1.2 s", at most `width` columns.
std::string progress_line(std::size_t done, std::size_t total, double seconds, int width);

}  // namespace callready
