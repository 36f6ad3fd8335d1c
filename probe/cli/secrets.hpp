// Secrets from the environment or from a file; never from an argument (other users see those).
#pragma once

#include <string>

#include "checks/check.hpp"

namespace callready {

// The fewest characters of a key that somebody chose: for `serve`, for --redact.
inline constexpr std::size_t shortest_key = 16;

struct CredentialsResult {
  checks::Credentials credentials;
  std::string push_token;  // CALLREADY_PUSH_TOKEN
  std::string warning;     // others may read the file
  std::string error;       // file:line and what is wrong, without values; empty: none
};

// `file`: lines NAME=VALUE with the environment's names, "#" starts a comment; it wins over the
// environment; "-" is standard input. "" reads only the environment.
CredentialsResult read_credentials(const std::string& file);

}  // namespace callready
