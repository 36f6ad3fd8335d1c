#include "probe/cli/secrets.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "probe/platform/system.hpp"

namespace callready {
namespace {

struct Secret {
  const char* name;
  std::string checks::Credentials::*member;
};

constexpr std::array<Secret, 5> secrets{{
    {"CALLREADY_TURN_USER", &checks::Credentials::turn_user},
    {"CALLREADY_TURN_PASSWORD", &checks::Credentials::turn_password},
    {"CALLREADY_TURN_SECRET", &checks::Credentials::turn_secret},
    {"CALLREADY_PROXY_USER", &checks::Credentials::proxy_user},
    {"CALLREADY_PROXY_PASSWORD", &checks::Credentials::proxy_password},
}};

const Secret* find(const std::string& name) {
  for (const auto& secret : secrets) {
    if (name == secret.name) return &secret;
  }
  return nullptr;
}

}  // namespace

CredentialsResult read_credentials(const std::string& file) {
  CredentialsResult result;
  for (const auto& secret : secrets) {
    result.credentials.*secret.member = platform::environment(secret.name);
  }
  if (file.empty()) return result;
  std::ifstream input(file);
  if (!input) {
    result.error = file + ": cannot be read";
    return result;
  }
  std::string line;
  for (int number = 1; std::getline(input, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    const auto* secret = find(line.substr(0, equals));
    if (equals == std::string::npos || secret == nullptr) {
      result.error = fmt::format("{}:{}: expected NAME=VALUE with a name such as {}", file, number,
                                 secrets.front().name);
      return result;
    }
    result.credentials.*secret->member = line.substr(equals + 1);
  }
  if (input.bad()) result.error = file + ": cannot be read to its end";
  return result;
}

}  // namespace callready
