// Fetches one file from a web server, whole or not at all, and blocks meanwhile: for `update` and
// `import`, which run when the user says so, never for a check.
#pragma once

#include <string>

#include "probe/net/clock.hpp"

namespace callready {

struct DownloadRequest {
  // http or https; a redirection leads to http only from a URL that begins with "http://".
  std::string url;
  std::size_t most = 0;  // bytes; more than this ends the transfer
  milliseconds limit = milliseconds::zero();
  std::string user_agent;
  std::string etag;  // "If-None-Match"
};

struct Download {
  std::string problem;  // in words; empty where there is an answer
  long status = 0;      // 200, 304, 404 ...
  std::string body;     // of 200
  std::string etag;
};

// The proxy is the environment's (https_proxy, no_proxy), the roots are the system's. At most three
// redirections.
Download download(const DownloadRequest& request);

}  // namespace callready
