// PAC files: JavaScript that says which proxy leads to which host. It is somebody else's program,
// so it runs in a child process, which is this program again with one argument; there it can use
// the processor, read files, ask DNS over UDP, and nothing else (probe/platform/child.hpp), and it
// is ended when its time is up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/net/guard.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {

// The argument with which this program becomes such a child.
inline constexpr auto pac_child_argument = "--evaluate-pac";

// The most of a file that is read, as browsers do.
inline constexpr std::size_t pac_limit = 1U << 20U;

// Fetching a PAC file: a server of the site, near, and a program that waits for it at every start.
inline constexpr milliseconds pac_fetch_time = timeouts::dns_total;
// Evaluating it for all hosts of a run: milliseconds, but for the names that it asks DNS for, and
// one resolver that does not answer (timeouts::dns_total).
inline constexpr milliseconds pac_script_time = timeouts::tcp_connect + timeouts::stream_reply;

struct PacQuestion {
  std::string url, host;  // as FindProxyForURL gets them
};

struct PacAnswers {
  // What FindProxyForURL returned for each question, in order; empty where it failed for one.
  std::vector<std::string> answers;
  std::string error;  // what the script did wrong, in words; empty: nothing
};

// What a script returned, as it is kept: printable, and where it is longer than anybody's, cut
// behind an item. Half an item is another proxy.
std::string kept_answer(std::string_view returned);

// Runs the script in this process, however long it takes. `own_address`: what myIpAddress()
// returns; empty: what this computer's name is looked up as, which often is its loopback.
PacAnswers evaluate_pac(const std::string& script, const std::vector<PacQuestion>& questions,
                        const std::string& own_address = {});

struct PacSource {
  std::string script;
  std::string url;      // where it came from; empty: a file
  std::string program;  // the file of this program
};

// The same in a child, or by the system's own engine (Windows, which takes the URL alone). The
// failure is timed_out where the script did not come to an end, closed_by_peer where it brought its
// process down.
asio::awaitable<Result<PacAnswers>> ask_pac(asio::any_io_executor executor, PacSource source,
                                            std::vector<PacQuestion> questions, Scope scope,
                                            Instant deadline);

// What the child does: reads its standard input, answers on its standard output. Exit status.
int run_pac_child();

}  // namespace callready
