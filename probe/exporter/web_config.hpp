// TLS and logins of the exporter's web server, from the file that Prometheus' exporters share
// (https://github.com/prometheus/exporter-toolkit, docs/web-configuration.md). Settings that this
// server cannot honour are refused, not ignored.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probe/net/asio.hpp"
#include "targets/problem.hpp"

namespace callready::exporter {

struct WebConfig {
  std::shared_ptr<asio::ssl::context> tls;                   // null: plain
  std::vector<std::pair<std::string, std::string>> headers;  // of every reply
  std::map<std::string, std::string> users;                  // name, bcrypt; empty: everybody

  // If this is false, nobody needs a login.
  bool asks_for_login() const { return !users.empty(); }
};

struct WebConfigResult {
  std::optional<WebConfig> config;
  std::vector<Problem> problems;
};

// File names in it are relative to its own folder.
WebConfigResult load_web_config(const std::string& path);

// Whether the password matches the hash; takes as long as the hash wants (bcrypt: tenths of a
// second), even without one: nobody may learn which users there are. Thread-safe.
bool is_password(const std::string& password, const std::string& hash);

// From "Basic ..." (RFC 7617): name and password; nothing for anything else.
std::optional<std::pair<std::string, std::string>> read_login(std::string_view authorization);

}  // namespace callready::exporter
