// Sends one document to a web server, and blocks meanwhile: for `check --push-to`, after the run.
#pragma once

#include <optional>
#include <string>

#include "probe/net/clock.hpp"

namespace callready {

struct UploadRequest {
  std::string url;  // http or https
  std::string body, content_type;
  std::string token;  // "Authorization: Bearer"; empty: none
  std::string user_agent;
  milliseconds limit = milliseconds::zero();
};

struct Upload {
  std::string problem;  // in words; empty where there is an answer
  long status = 0;
  std::string answer;                       // the beginning of what the server says, printable
  std::optional<milliseconds> retry_after;  // as the server asks (RFC 9110 section 10.2.3)
};

// The proxy is the environment's (https_proxy, no_proxy), the roots are the system's. A redirection
// is an answer like any other: the document and the token go to nobody else.
Upload upload(const UploadRequest& request);

}  // namespace callready
