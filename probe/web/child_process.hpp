// A child that is trusted as much as this program: passes on its output as it comes, and its end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/net/clock.hpp"

namespace callready {

class ChildProcess {
 public:
  struct Options {
    std::string program;
    std::vector<std::string> arguments;
    std::string input;  // for its standard input, which is closed behind it
    std::function<void(std::string_view)> on_output;
    // Once, after all output. Negative: ended by a signal, or by force. `errors`: what it said on
    // standard error, or the end of it if there is much, which says why.
    std::function<void(int status, const std::string& errors)> on_end;
  };

  // Nothing where it could not be started, and errno says why.
  static std::unique_ptr<ChildProcess> start(const asio::any_io_executor& executor, Clock& clock,
                                             Options options);
  // Ends it where it still runs. Nothing is called any more.
  ~ChildProcess();

  // Asks it to come to an end by itself.
  void interrupt();
  // Ends it by force; its end is reported like any other.
  void end();

 private:
  struct Core;
  explicit ChildProcess(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  std::shared_ptr<Core> core_;
};

// What a complaint of this program says: its last line, without the program's name. `said`: on
// standard error.
std::string last_complaint_in(std::string_view said);

}  // namespace callready
