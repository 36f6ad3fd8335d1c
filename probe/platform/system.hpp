// What only the operating system knows about this machine, its terminal and its user.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::platform {

struct Interface {
  std::string name;
  std::vector<IpAddress> addresses;
  bool up = false;
  bool signal = false;           // a cable is plugged in, or a Wi-Fi is joined
  std::optional<bool> wireless;  // nothing where the system does not say
  // Packets go to a single peer, inside those of another network: tun, WireGuard, GRE, PPP.
  bool tunnel = false;
};

// Without loopback. Empty where the system does not say.
std::vector<Interface> interfaces();

// True where this machine has a network interface of that name, loopback too.
bool is_interface(const std::string& name);

// Whether that interface is Wi-Fi; nothing where the system does not say.
std::optional<bool> is_wireless(const std::string& name);

std::string host_name();

struct Terminal {
  bool interactive = false;  // a person looks at it
  bool utf8 = false;         // according to the locale
  bool obeys = false;        // has colours and a movable cursor, according to TERM
  int width = 80;            // columns
};
Terminal standard_output();
Terminal standard_error();

// An environment variable; empty and unset are the same.
std::string environment(const char* name);

// $XDG_CONFIG_HOME/callready or its like; empty if there is none.
std::string configuration_folder();

// $XDG_DATA_HOME/callready or its like; empty if there is none.
std::string data_folder();

// $XDG_STATE_HOME/callready or its like; empty if there is none.
std::string state_folder();

// A file that can be opened for reading.
bool is_file(const std::string& path);

// Where this system keeps the roots that it trusts, as one PEM file; empty if it has none.
std::string trusted_roots();

// Writes `content` to `path` whole or not at all (a new file beside it, then a rename), with the
// owner and the mode of the old one: if these cannot be kept, it refuses. A symbolic link stays
// one, but where all may write (/tmp) another user's is not followed; what is not a file but can be
// written to (/dev/stdout, a pipe) is written to directly. Returns the error in words, or nothing.
std::optional<std::string> write_whole_file(const std::string& path, const std::string& content);

// Makes a file that only the user can read, and the folders that lead to it. If there is one of
// that name already, it stays as it is, and that is not an error. Returns the error in words, or
// nothing.
std::optional<std::string> write_private_file(const std::string& path, const std::string& content);

// The same, but replaces one of that name. It does not wait for the disk: a power failure may lose
// it.
std::optional<std::string> replace_private_file(const std::string& path,
                                                const std::string& content);

// True if both name the same file, whether it exists already or not.
bool is_same_file(const std::string& one, const std::string& other);

// Writes as much of it as can be written; needs no memory.
void write_standard_output(std::string_view text) noexcept;
void write_standard_error(std::string_view text) noexcept;

// Threads share one heap: where the address space is limited, a heap for each would use it up.
void keep_one_heap();

// Call it first of all. No file or socket of the program becomes its standard input, output or
// error because the caller closed those: these then fail as if they were still closed. A reader
// that went away (`| head`) makes a write fail instead of ending the program; so does a file that
// becomes larger than the user may have (ulimit -f). A console takes UTF-8 and colours.
void prepare_program();

// The command line, in UTF-8.
std::vector<std::string> arguments(int argc, char** argv);

// True if started by a click and not by a command: the console is this program's own, and closes
// when it ends.
bool was_double_clicked();
void wait_for_a_key();

// An interrupt (Ctrl-C, SIGTERM) ends the program, even if the caller had blocked it. After the
// second call the next one only sets what interrupted() returns: the run answers it with a report.
// After the third the next one is ignored: the report is just being written. Either way the one
// after it ends the program.
void release_interrupts();
void watch_interrupts();
bool interrupted() noexcept;
void forgive_one_interrupt();

// Nothing if such a file could be written now; otherwise why not, in words. Leaves no file behind.
std::optional<std::string> why_not_writable(const std::string& path);

}  // namespace callready::platform
