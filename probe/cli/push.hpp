// `check --push-to URL`: sends a run's report to an OpenTelemetry collector, from computers that
// nobody can scrape (OTLP/HTTP, opentelemetry.io/docs/specs/otlp). What cannot be sent now waits in
// a spool, and goes with the next run.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/cli/arguments.hpp"
#include "probe/model/report.hpp"
#include "probe/net/upload.hpp"

namespace callready {

inline constexpr std::uintmax_t largest_spool = 10 << 20;

// One request's worth.
struct PushDocument {
  std::string path;  // "/v1/logs"
  std::string body;
};

struct PushResult {
  std::size_t sent = 0;     // documents, those of earlier runs too
  std::size_t waiting = 0;  // in the spool now
  std::size_t dropped = 0;  // the spool was full
  // What the server said when it refused these documents, and those of earlier runs, which are
  // never sent again; empty: it did not.
  std::string refused, refused_earlier;
  std::string not_reached;  // why the rest waits
};

// The outside world, which a test can replace.
struct PushMeans {
  std::function<Upload(const PushDocument&)> send;
  std::function<void(milliseconds)> wait;
};

// Sends what waits in the folder, oldest first, and then these. A 4xx is not tried again; a 5xx, a
// 429 and silence are, three times, and then the rest waits in the folder: the newest largest_spool
// bytes.
PushResult push(const std::vector<PushDocument>& documents, const std::string& folder,
                const PushMeans& means);

// True for an http(s) URL of a host and, if there is one, a port from 1 to 65535, whatever follows.
bool names_a_server(std::string_view url);

// What is wrong with that URL, or nothing.
std::optional<std::string> push_problem(const std::string& url);

// The whole step of the command, with its complaints; false where the server refused this report.
bool push_report(const Report& report, const std::string& url, const std::string& token);

}  // namespace callready
