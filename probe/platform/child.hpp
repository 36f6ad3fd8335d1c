// A child process that works on what it is told and answers: for code that must not hang or bring
// down the program.
#pragma once

#include <string>
#include <vector>

namespace callready::platform {

// The file that this program was started from; empty where the system does not say.
std::string own_program();

struct Child {
  long id = -1;     // -1: there is none
  int input = -1;   // write to it; close it when all is said
  int output = -1;  // what it prints
  bool started() const { return id > 0; }
};

// Starts `program` with these arguments and two pipes for its standard input and output; its
// standard error goes nowhere. Where that fails, `started()` is false and errno says why.
Child start_child(const std::string& program, const std::vector<std::string>& arguments);

// Ends it where it still runs, and waits for its end. The pipes are the caller's to close.
void end_child(const Child& child);

// For the child itself: closes what it inherited but its standard streams, and has the system end
// it after so many seconds, or of processor time, or when it wants more than so much memory.
void confine_this_process(unsigned seconds, unsigned long megabytes);

}  // namespace callready::platform
