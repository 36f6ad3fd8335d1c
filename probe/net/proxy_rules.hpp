// How a user's programs choose a proxy: the environment's variables by libcurl's rules, and the
// answer of a PAC file. Text in, values out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/probe.hpp"

namespace callready {

// A proxy as people write it: "proxy:3128", "http://alice:secret@proxy:3128/".
struct ProxySetting {
  std::string url;             // "http://proxy:3128", or https://; no credentials
  std::string user, password;  // decoded; empty where there are none
};

// Nothing if it is not an HTTP proxy (socks5://, a bad port). The scheme defaults to http, the port
// as in libcurl to 1080 for http and 443 for https.
std::optional<ProxySetting> read_proxy_setting(std::string_view text);

// NO_PROXY, by libcurl's rules: a list separated by commas or blanks; `*` alone means all; a name
// covers itself and its subdomains, with or without a leading dot; an address is matched by itself
// or by a network (10.0.0.0/8, fd00::/8), however it is written. As in other programs an entry may
// end in a port, and then applies to that port only; in libcurl such an entry never matches.
// `<local>`, as on Windows, means all names without a dot.
class NoProxy {
 public:
  explicit NoProxy(std::string_view list = {});
  bool covers(std::string_view host, std::uint16_t port) const;

 private:
  struct Entry {
    std::string name;  // without dots around it, lower case; empty: a network
    std::optional<Network> network;
    std::uint16_t port = 0;  // 0: any
  };
  bool all_ = false;
  std::vector<Entry> entries_;
};

// What the environment says about proxies.
struct ProxyEnvironment {
  // For plain HTTP and for everything else, with the name of the variable that it came from.
  struct Choice {
    std::string variable;
    std::optional<ProxySetting> proxy;
  };
  Choice http, https;
  std::string no_proxy_variable;
  NoProxy none;
  std::vector<std::string> unusable;  // variables whose value is not an HTTP proxy

  bool empty() const { return !http.proxy && !https.proxy; }
  // The proxy for that probe, or null.
  const ProxySetting* choose(const Probe& probe) const;
};

// `variable` gives a variable's value, empty where it is not set. Lower case wins; HTTP_PROXY in
// upper case is not read, because a web server sets it from a request's header (CGI).
ProxyEnvironment read_proxy_environment(
    const std::function<std::string(const std::string&)>& variable);

// The URL with which a browser would ask for a proxy for that probe: "http://host/" for plain HTTP,
// "wss://host/" and "ws://host/" for WebSocket, otherwise "https://host:port/", which browsers use
// for TURN over TCP and TLS as well. Without a path: PAC files do not get to see those of https.
std::string proxy_question(const Probe& probe);

// True for what no program sends through a proxy unless told to: this computer itself.
bool is_this_computer(std::string_view host);

// One alternative of what FindProxyForURL returned.
struct PacRoute {
  enum class Kind { direct, proxy, unsupported };  // unsupported: SOCKS
  Kind kind = Kind::direct;
  std::string url;   // of `proxy`
  std::string text;  // as it was written
};

// "PROXY a:8080; HTTPS b:443; DIRECT". Empty text, or nothing known in it, means direct.
std::vector<PacRoute> read_pac_answer(std::string_view text);

// Where a computer in these domains looks for a PAC file (draft-ietf-wrec-wpad-01 section 4.4.4,
// DNS): "http://wpad.lyon.example.com/wpad.dat", then with one label less each, as long as that is
// somebody's domain and not a public suffix.
std::vector<std::string> wpad_urls(const std::vector<std::string>& domains);

}  // namespace callready
