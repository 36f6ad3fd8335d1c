// The run that the page asked for, one at a time: a child of this program, whose events become the
// page's progress and whose report stays in a file. Knows nothing about what a report says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/ui/order.hpp"
#include "probe/web/child_process.hpp"

namespace callready::ui {

// Starts children of this program; tests have their own.
class Children {
 public:
  virtual ~Children() = default;
  class Child {
   public:
    virtual ~Child() = default;  // ends it; nothing is called any more
    virtual void interrupt() = 0;
    virtual void end() = 0;
  };
  // Null: it could not be started.
  virtual std::unique_ptr<Child> start(std::vector<std::string> arguments, std::string input,
                                       std::function<void(std::string_view)> on_output,
                                       std::function<void(int, const std::string&)> on_end) = 0;
};

class Runs {
 public:
  struct Places {
    std::string own;      // folder of this program, for this user alone; ends with it
    std::string history;  // folder of the last reports of all such programs
    // For a check of that service.
    std::function<std::vector<std::string>(const std::string& service)> options;
    std::vector<std::string> sets;  // "--set=FILE", for `list` and `show`
  };
  // `changed`: called when the state has changed.
  Runs(Clock& clock, Children& children, Places places, std::function<void()> changed);

  // Why not, in words for the page; "": it runs.
  std::string start(Order order);
  // The child is asked to report what it has, and ended if it does not.
  void stop();

  // For the page: JSON.
  std::string state() const;
  // Files of the last run with a report, and of the one before it of the same service; "": none.
  const std::string& report() const { return report_; }
  const std::string& before() const { return before_; }

 private:
  enum class State { idle, running, ended };
  void take(std::string_view output);
  void take_line(std::string_view line);
  void ended(int status, const std::string& said);
  std::vector<std::string> arguments(const Order& order) const;

  Clock& clock_;
  Children& children_;
  Places places_;
  std::function<void()> changed_;

  State state_ = State::idle;
  int number_ = 0;
  std::string service_, now_, problem_, file_, earlier_;  // of the run that is or was
  std::size_t done_ = 0, total_ = 0;
  bool stopping_ = false;
  std::string line_;  // begun, and not ended
  std::string report_, before_, reported_;
  std::unique_ptr<Children::Child> child_;
  std::unique_ptr<Clock::Timer> timer_;
};

}  // namespace callready::ui
