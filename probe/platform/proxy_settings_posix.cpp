#include "probe/platform/proxy_settings.hpp"

namespace callready::platform {

std::map<std::string, std::string> proxy_settings() { return {}; }

ProxyAnswers ask_system_for_proxies(const std::string&, const std::vector<std::string>& urls) {
  return {std::vector<std::string>(urls.size()), "this system reads no PAC files"};
}

}  // namespace callready::platform
