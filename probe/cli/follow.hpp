// --json --follow: the events of a run on standard output, as they happen.
#pragma once

#include <string>

#include "probe/cli/privacy.hpp"
#include "probe/model/report.hpp"

namespace callready {

struct SessionOptions;

class Follower {
 public:
  explicit Follower(Privacy& privacy) : privacy_(privacy) {}

  // Makes the session report to this follower, which must outlive it. `vantage`: where it is one of
  // several runs that are merged, its name.
  void listen_to(SessionOptions& options, const std::string& vantage = {});
  // After the run: its result.
  void finish(const Report& report);
  // Why events were lost, or "". A reader that has gone is not a failure: it had what it wanted,
  // the run was stopped for it, and reports in files say that they are incomplete.
  const std::string& failure() const { return failure_; }

 private:
  bool write(const std::string& line);

  Privacy& privacy_;
  std::size_t before_ = 0, done_ = 0;  // probes: of earlier runs, and of all
  bool open_ = true, started_ = false;
  std::string failure_;
};

}  // namespace callready
