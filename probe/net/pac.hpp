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

// The most that is read of a file, as in browsers.
inline constexpr std::size_t pac_limit = 1U << 20U;

// For fetching a PAC file: from a nearby server of the site, and programs wait for it at every
// start.
inline constexpr milliseconds pac_fetch_time = timeouts::dns_total;
// For evaluating it for all hosts of a run: milliseconds, apart from its own DNS lookups and one
// resolver that does not answer (timeouts::dns_total).
inline constexpr milliseconds pac_script_time = timeouts::tcp_connect + timeouts::stream_reply;

struct PacQuestion {
  std::string url, host;  // as FindProxyForURL gets them
};

struct PacAnswers {
  // What FindProxyForURL returned for each question, in order; empty where it failed for one.
  std::vector<std::string> answers;
  std::string error;  // what the script did wrong, in words; empty: nothing
};

// What is kept of a script's answer: printable, and if it is unreasonably long, cut after an item.
// Half an item would name another proxy.
std::string kept_answer(std::string_view returned);

// Runs the script in this process, however long it takes. `own_address`: what myIpAddress()
// returns; empty: what this computer's name resolves to, which often is loopback.
PacAnswers evaluate_pac(const std::string& script, const std::vector<PacQuestion>& questions,
                        const std::string& own_address = {});

struct PacSource {
  std::string script;
  std::string url;      // where it came from; empty: a file
  std::string program;  // the file of this program
};

// The same in a child, or by the system's own engine (Windows, which takes only a URL). The failure
// is timed_out if the script did not end, closed_by_peer if it brought its process down.
asio::awaitable<Result<PacAnswers>> ask_pac(asio::any_io_executor executor, PacSource source,
                                            std::vector<PacQuestion> questions, Scope scope,
                                            Instant deadline);

// What the child does: reads its standard input, answers on its standard output. Exit status.
int run_pac_child();

}  // namespace callready
