// A child process that takes a task and answers: for code that must not hang or bring down the
// program.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace callready::platform {

// The file that this program was started from; empty where the system does not say.
std::string own_program();

struct Child {
  long id = -1;     // -1: there is none; on Windows its handle
  int input = -1;   // write to it; close it when all is written; on Windows these are sockets
  int output = -1;  // what it prints
  int errors = -1;  // its standard error, if that was asked for
  bool started() const { return id > 0; }
};

// Starts `program` with these arguments and two pipes for its standard input and output; its
// standard error is discarded, and it gets only those environment variables that the system's
// libraries read: no secrets. If that fails, `started()` is false and errno says why.
Child start_child(const std::string& program, const std::vector<std::string>& arguments);

// The same for a child that is trusted as much as this program: it gets the whole environment, and
// its standard error is a third pipe.
Child start_own_child(const std::string& program, const std::vector<std::string>& arguments);

// Its exit status if it has ended, negative for a signal or if the system does not say; it is
// reaped then. Nothing if it still runs.
std::optional<int> exit_status(const Child& child);
// Asks it to end by itself: with SIGTERM, which on Windows callready raises in itself.
void interrupt_child(const Child& child);

// How a child came to its end.
enum class ChildEnd { itself, killed, out_of_time };  // out_of_time: of the processor's

// Kills it if it still runs, and waits for its end. The caller closes the pipes.
ChildEnd end_child(const Child& child);

// From now on no other process of the user can look into this one (ptrace(2), /proc), and it leaves
// no core file.
void forbid_inspection();

struct Confinement {
  unsigned seconds = 1;            // wall-clock time
  unsigned processor_seconds = 1;  // CPU time
  unsigned long megabytes = 64;
};

// For the child itself: closes what it inherited except its standard streams, and has the system
// end it when it takes more than that, or when its parent ends. From then on it can read the
// system's files and ask DNS over UDP; it cannot connect to anything, write a file, start a
// program, signal or look into another process, or read the user's files (seccomp(2), with a list
// of what is allowed, and landlock(7), where the kernel has it). False: that was not possible; a
// stranger's script must not run then.
[[nodiscard]] bool confine_this_process(const Confinement& confinement);

}  // namespace callready::platform
