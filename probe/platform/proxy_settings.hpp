// The proxy that the system's settings name, where the system has such settings besides the
// environment, and its own reading of a PAC file.
#pragma once

#include <string>
#include <vector>

namespace callready::platform {

struct ProxySettings {
  std::string pac_url;  // "use setup script"
  std::string http, https;  // host:port or a URL; empty: none
  std::string bypass;       // as no_proxy has it
};
ProxySettings proxy_settings();

struct ProxyAnswers {
  std::vector<std::string> answers;  // in PAC's words, one for each URL; empty where it failed
  std::string error;                 // in words; empty: none
};

// Lets the system fetch that PAC file and evaluate it; takes as long as the file does. An error
// where the system has no reader of its own.
ProxyAnswers ask_system_for_proxies(const std::string& pac_url,
                                    const std::vector<std::string>& urls);

}  // namespace callready::platform
