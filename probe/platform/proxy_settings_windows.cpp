// Windows: what "Proxy settings" says for this user (WinHTTP), and PAC files by its own engine.
#include "probe/platform/proxy_settings.hpp"

#include <windows.h>
#include <winhttp.h>

#include <memory>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

std::string take(wchar_t* text) {
  if (text == nullptr) return {};
  auto utf8 = to_utf8(text);
  GlobalFree(text);
  return utf8;
}

// "proxy:8080" for all, or "http=proxy:8080;https=other:8080".
std::string proxy_for(const std::string& list, const std::string& scheme) {
  if (list.find('=') == list.npos) return list.substr(0, list.find(';'));
  const auto at = (';' + list).find(';' + scheme + '=');
  if (at == list.npos) return {};
  const auto begin = at + scheme.size() + 1;
  return list.substr(begin, list.find(';', begin) - begin);
}

struct CloseSession {
  void operator()(void* session) const { WinHttpCloseHandle(session); }
};
using Session = std::unique_ptr<void, CloseSession>;

// "proxy:8080;other:8080" in PAC's syntax.
std::string in_words_of_pac(const std::string& list) {
  std::string answer;
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find_first_of("; ", at), list.size());
    if (end > at) answer += (answer.empty() ? "PROXY " : "; PROXY ") + list.substr(at, end - at);
    at = end + 1;
  }
  return answer.empty() ? "DIRECT" : answer;
}

}  // namespace

std::map<std::string, std::string> proxy_settings() {
  std::map<std::string, std::string> settings;
  WINHTTP_CURRENT_USER_IE_PROXY_CONFIG found{};
  if (WinHttpGetIEProxyConfigForCurrentUser(&found) == FALSE) return settings;
  const auto proxies = take(found.lpszProxy);
  settings["auto_proxy"] = take(found.lpszAutoConfigUrl);
  settings["http_proxy"] = proxy_for(proxies, "http");
  settings["https_proxy"] = proxy_for(proxies, "https");
  settings["no_proxy"] = as_no_proxy(take(found.lpszProxyBypass));
  std::erase_if(settings, [](const auto& one) { return one.second.empty(); });
  return settings;
}

ProxyAnswers ask_system_for_proxies(const std::string& pac_url,
                                    const std::vector<std::string>& urls) {
  ProxyAnswers result;
  result.answers.resize(urls.size());
  const Session session(WinHttpOpen(L"callready", WINHTTP_ACCESS_TYPE_NO_PROXY,
                                    WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS, 0));
  if (!session) {
    result.error = "WinHTTP: " + words_of_system(GetLastError());
    return result;
  }
  const auto place = to_wide(pac_url);
  WINHTTP_AUTOPROXY_OPTIONS options{};
  options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
  options.lpszAutoConfigUrl = place.c_str();
  for (std::size_t i = 0; i < urls.size(); ++i) {
    WINHTTP_PROXY_INFO info{};
    if (WinHttpGetProxyForUrl(session.get(), to_wide(urls[i]).c_str(), &options, &info) == FALSE) {
      result.error = "WinHTTP: " + words_of_system(GetLastError());
      return result;
    }
    result.answers[i] = in_words_of_pac(take(info.lpszProxy));
    take(info.lpszProxyBypass);
  }
  return result;
}

}  // namespace callready::platform
