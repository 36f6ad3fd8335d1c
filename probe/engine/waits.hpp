// What a run waits for, told by when the probes of each kind end.
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

  // What most probes that are at work now ask; nothing where none is.
  std::optional<CheckKind> now() const;
  // By so much one kind of probes ended later than the kind that ended before it: the most of these
  // times. Nothing where no probe was sent.
  std::optional<LongestWait> longest() const;

 private:
  Instant start_;
  std::map<CheckKind, int> at_work_;
  // The last end of each, of the answered and the others apart.
  std::map<std::pair<CheckKind, bool>, Instant> ended_;
};

}  // namespace callready
