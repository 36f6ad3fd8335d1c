// The timeouts of everything around a run (servers, children, downloads), each with its reason;
// those of a run are in timeouts.hpp.
#pragma once

#include <chrono>

namespace callready::timeouts {

using std::chrono::milliseconds;

// For a web server: for a client's request to arrive whole, and for the reply to leave, over the
// slowest line that carries calls.
inline constexpr milliseconds web_request{30'000}, web_reply{30'000};
// The same for the servers of the demo and of `serve`, whose clients are this program.
inline constexpr milliseconds served_request{10'000};
// For one connection to these, however busy: longer than any run needs one.
inline constexpr milliseconds served_connection{60'000};
// The same for other web servers, whose clients (Prometheus, a browser) like to keep one.
inline constexpr milliseconds web_connection{600'000};
// How long a connection is idle before it makes room for another one from its own address: a
// request that was on its way has arrived by then.
inline constexpr milliseconds idle_enough{3'000};
// For a client that is turned away to read that, and to close.
inline constexpr milliseconds turned_away{1'000};
// A WebRTC call that is sent back to its caller: in all, and since consent was last proved (RFC
// 7675, section 5.1). And how often that is checked.
inline constexpr milliseconds served_call{90'000}, served_consent{30'000}, served_call_look{50};
// Out of file descriptors: asking again at once would be a busy loop.
inline constexpr milliseconds without_descriptors{200};
// For checking a password with a library that is slow on purpose, behind two other checks.
inline constexpr milliseconds password{10'000};

// A child's run ends by itself; one that does not is a fault of this program, and must not hold up
// others for ever. The largest set at the usual pace takes some minutes.
inline constexpr milliseconds child_run{1'800'000};
// The same on top of the time that it was given: for its start, its end and the report.
inline constexpr milliseconds child_beyond{30'000};
// For a child to write its report, after it was asked to end.
inline constexpr milliseconds child_stop{10'000};
// Between the end of a child's output and its exit, since it has nothing left to do. And how often
// that is checked.
inline constexpr milliseconds child_end{5'000}, child_look{20};
// For what is under way when a server of ours is told to end: people press Ctrl-C again after that.
inline constexpr milliseconds server_end{3'000};

// The share of Prometheus' own timeout that is left for the way there and back.
inline constexpr milliseconds scrape_way{500};

// One file of some 20 KB, over the slowest line that carries calls; a server that sends more slowly
// means to keep us waiting.
inline constexpr milliseconds update_file{10'000};
// A vendor's list of some megabytes, over that line.
inline constexpr milliseconds feed{60'000};
// One upload of a report to a collector, over that line.
inline constexpr milliseconds upload{15'000};
// Before an upload is tried again: the first time, and at most, whatever the server wants.
inline constexpr milliseconds upload_again{1'000}, upload_again_most{10'000};

// For the page in a browser to come back: one that is reloaded is away for a moment, and one on a
// computer that sleeps for longer.
inline constexpr milliseconds after_last_page{60'000};
// Until somebody opens the first.
inline constexpr milliseconds before_first_page{600'000};

}  // namespace callready::timeouts
