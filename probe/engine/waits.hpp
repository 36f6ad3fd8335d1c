// What a run waits for, judged by when the probes of each kind end.
#pragma once

#include <map>

#include "probe/model/report.hpp"
#include "probe/net/clock.hpp"

namespace callready {

class Waits {
 public:
  explicit Waits(Instant start) : start_(start) {}

  void note_begin(CheckKind check);
  void note_end(CheckKind check, Outcome outcome, Instant when);

  // The check that most probes at work now make; nothing if none is.
  std::optional<CheckKind> now() const;
  // The longest time by which one kind of probes ended later than the kind that ended before it.
  // Nothing if no probe was sent.
  std::optional<LongestWait> longest() const;

 private:
  Instant start_;
  std::map<CheckKind, int> at_work_;
  // The last end of each kind, separately for probes that were answered and for others.
  std::map<std::pair<CheckKind, bool>, Instant> ended_;
};

}  // namespace callready
