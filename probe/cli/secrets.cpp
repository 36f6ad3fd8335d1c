#include "probe/cli/secrets.hpp"

#include <fmt/format.h>

#include <array>
#include <sstream>

#include "probe/cli/saved_report.hpp"
#include "probe/platform/system.hpp"

namespace callready {
namespace {

struct Secret {
  const char* name;
  std::string checks::Credentials::*member;
};
constexpr std::array<Secret, 6> secrets{{
    {"CALLREADY_TURN_USER", &checks::Credentials::turn_user},
    {"CALLREADY_TURN_PASSWORD", &checks::Credentials::turn_password},
    {"CALLREADY_TURN_SECRET", &checks::Credentials::turn_secret},
    {"CALLREADY_MEDIA_KEY", &checks::Credentials::media_key},
    {"CALLREADY_PROXY_USER", &checks::Credentials::proxy_user},
    {"CALLREADY_PROXY_PASSWORD", &checks::Credentials::proxy_password},
}};

// Which hosts they are for: names, separated by commas or blanks.
struct Hosts {
  const char* name;
  std::vector<std::string> checks::Credentials::*member;
};
constexpr std::array<Hosts, 2> hosts{{
    {"CALLREADY_TURN_HOST", &checks::Credentials::turn_hosts},
    {"CALLREADY_PROXY_HOST", &checks::Credentials::proxy_hosts},
}};

std::vector<std::string> names_in(std::string text) {
  std::vector<std::string> names;
  for (auto& c : text) c = c == ',' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::istringstream words(text);
  for (std::string word; words >> word;) names.push_back(word);
  return names;
}

constexpr auto push_token = "CALLREADY_PUSH_TOKEN";

// False: nothing has that name.
bool take(CredentialsResult& result, std::string_view name, const std::string& value) {
  auto& credentials = result.credentials;
  if (name == push_token) return result.push_token = value, true;
  for (const auto& secret : secrets) {
    if (name == secret.name) return credentials.*secret.member = value, true;
  }
  for (const auto& list : hosts) {
    if (name == list.name) return credentials.*list.member = names_in(value), true;
  }
  return false;
}

}  // namespace

CredentialsResult read_credentials(const std::string& file) {
  constexpr std::size_t most = 65'536;
  CredentialsResult result;
  for (const auto& secret : secrets) {
    take(result, secret.name, platform::environment(secret.name));
  }
  for (const auto& list : hosts) {
    take(result, list.name, platform::environment(list.name));
  }
  take(result, push_token, platform::environment(push_token));
  if (file.empty()) return result;
  const auto input = file == "-" ? read_standard_input(most) : platform::read_input(file, most);
  if (!input.error.empty()) result.error = file + ": cannot be read: " + input.error;
  if (input.text.size() > most) result.error = file + ": is too large for a file of credentials";
  if (!result.error.empty()) return result;
  if (input.others_may_read) {
    result.warning = file + ": other users of this computer may read these secrets: chmod 600 it";
  }
  std::istringstream lines(input.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string::npos ||
        !take(result, line.substr(0, equals), line.substr(equals + 1))) {
      result.error = fmt::format("{}:{}: expected NAME=VALUE with a name such as {}", file, number,
                                 secrets.front().name);
      return result;
    }
  }
  return result;
}

}  // namespace callready
