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

  // Makes the session report to this follower, which must outlive it.
  void listen_to(SessionOptions& options);
  // After the run: its result.
  void finish(const Report& report);
  // Why events were lost, or "". A reader that has gone is not a failure: it had what it wanted,
  // the run was stopped for it, and reports in files say that they are incomplete.
  const std::string& failure() const { return failure_; }

 private:
  bool write(const std::string& line);

  Privacy& privacy_;
  std::vector<std::string> sets_;
  bool open_ = true;
  std::string failure_;
};

}  // namespace callready
