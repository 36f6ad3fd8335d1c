#include "probe/cli/say.hpp"

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "probe/model/url.hpp"
#include "probe/platform/last_words.hpp"
#include "probe/platform/system.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

std::string& complaint() {
  static std::string last;
  return last;
}

Trouble trouble_of(int error, const char* words) {
  if (error == EMFILE || error == ENFILE) {
    return {"this computer lets the program open too few files (ulimit -n): ", words};
  }
  // From starting a thread: there is no memory for one, or no process may have more.
  if (error == EAGAIN) return {"out of threads: ", words};
  return {error == ENOMEM ? "out of memory: " : "internal error: ", words};
}

[[noreturn]] void last_words() noexcept {
  Trouble why{"internal error", {}};
  if (std::current_exception()) why = trouble_in_flight();
  platform::end_program(why.what, why.more);
}

}  // namespace

void say(std::string_view lines) noexcept {
  try {
    while (lines.ends_with('\n')) lines.remove_suffix(1);
    std::string text;
    while (!lines.empty()) {
      const auto end = std::min(lines.find('\n'), lines.size());
      text += harmless(without_secrets(lines.substr(0, end))) + '\n';
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    platform::write_standard_error(text);
  } catch (const std::bad_alloc&) {
    platform::write_standard_error("callready: out of memory\n");
  } catch (...) {
    // A failure of what only prints does not end the program.
  }
}

void complain(const std::string& message) noexcept {
  try {
    say("callready: " + message);
  } catch (const std::bad_alloc&) {
    platform::write_standard_error("callready: out of memory\n");
  }
  keep_complaint(message);
}

void keep_complaint(const std::string& message) noexcept {
  try {
    complaint() = harmless(without_secrets(message));
  } catch (const std::bad_alloc&) {
    complaint().clear();
  }
}

const std::string& last_complaint() { return complaint(); }

Trouble trouble_in_flight() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {"out of memory", {}};
  } catch (const std::system_error& error) {
    return trouble_of(error.code().value(), error.what());
  } catch (const boost::system::system_error& error) {
    return trouble_of(error.code().value(), error.what());
  } catch (const std::exception& error) {
    return {"internal error: ", error.what()};
  } catch (...) {
    return {"internal error", {}};
  }
}

void end_with_a_line() noexcept {
  std::set_terminate(&last_words);
  platform::end_program_without_memory();
}

}  // namespace callready
