// The proxy that the system's settings name, where the system has such settings besides the
// environment, and its own reading of a PAC file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace callready::platform {

// By the variables that say the same in an environment: http_proxy, https_proxy, no_proxy,
// auto_proxy (a PAC file's address). Those that are empty are not in it.
std::map<std::string, std::string> proxy_settings();

// Windows' exceptions, "*.corp.example;10.*;<local>", as no_proxy has them: 10.* is a network, and
// `<local>` stays. What has a star elsewhere is left out: a proxy is tried there.
std::string as_no_proxy(std::string_view bypass);

struct ProxyAnswers {
  std::vector<std::string> answers;  // in PAC's words, one for each URL; empty where it failed
  std::string error;                 // in words; empty: none
};

// Lets the system fetch that PAC file and evaluate it; takes as long as the file does. An error
// where the system has no reader of its own.
ProxyAnswers ask_system_for_proxies(const std::string& pac_url,
                                    const std::vector<std::string>& urls);

}  // namespace callready::platform
