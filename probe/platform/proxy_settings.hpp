// The proxy that the system's settings name, where the system has such settings besides the
// environment, and its own evaluation of a PAC file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace callready::platform {

// By the environment variables that mean the same: http_proxy, https_proxy, no_proxy, auto_proxy (a
// PAC file's address). Empty ones are left out.
std::map<std::string, std::string> proxy_settings();

// Windows' exceptions, "*.corp.example;10.*;<local>", in the form of no_proxy: 10.* becomes a
// network, and `<local>` stays. Entries with a star elsewhere are left out: a proxy is tried there.
std::string as_no_proxy(std::string_view bypass);

struct ProxyAnswers {
  std::vector<std::string> answers;  // in PAC's syntax, one for each URL; empty where it failed
  std::string error;                 // in words; empty: none
};

// Lets the system fetch that PAC file and evaluate it; takes as long as the file does. An error if
// the system has no PAC engine of its own.
ProxyAnswers ask_system_for_proxies(const std::string& pac_url,
                                    const std::vector<std::string>& urls);

}  // namespace callready::platform
