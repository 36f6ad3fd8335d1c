#include "probe/net/proxy_rules.hpp"

#include <libpsl.h>

#include <algorithm>

#include "probe/net/address.hpp"
#include "probe/net/http.hpp"
#include "probe/net/pac.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

constexpr std::uint16_t curl_http_port = 1080;
constexpr std::uint16_t curl_https_port = 443;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 3986 section 2.1; anything that is not an escape stays as it is.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      result += text[i];
      continue;
    }
    result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return result;
}

std::string_view without_dots(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_at_or_below(std::string_view host, std::string_view name) {
  if (!host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

// "10.0.0.0/8", or one address.
std::optional<Network> network_of(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return Network{*address, address->bits()};
  return Network::parse(text);
}

// The first of these variables that is set, as a choice.
ProxyEnvironment::Choice first_set(const std::function<std::string(const std::string&)>& variable,
                                   std::initializer_list<const char*> names,
                                   std::vector<std::string>& unusable) {
  ProxyEnvironment::Choice choice;
  for (const auto* name : names) {
    const auto value = variable(name);
    if (value.empty()) continue;
    choice.variable = name;
    choice.proxy = read_proxy_setting(value);
    if (!choice.proxy) add_once(unusable, name);
    break;
  }
  return choice;
}

// According to the list of https://publicsuffix.org that is built into the library.
bool is_public_suffix(const std::string& domain) {
  return psl_is_public_suffix(psl_builtin(), domain.c_str()) != 0;
}

bool is_plain_http(const Probe& probe) {
  return probe.check == CheckKind::http && probe.target.transport == Transport::tcp &&
         !probe.with.contains("upgrade");
}

}  // namespace

std::optional<ProxySetting> read_proxy_setting(std::string_view text) {
  text = trimmed(text);
  std::string scheme = "http";
  if (const auto mark = text.find("://"); mark != text.npos) {
    scheme = lower_case(text.substr(0, mark));
    text.remove_prefix(mark + 3);
  }
  if (scheme != "http" && scheme != "https") return std::nullopt;
  text = text.substr(0, text.find_first_of("/?#"));
  ProxySetting setting;
  if (const auto at = text.rfind('@'); at != text.npos) {
    const auto login = text.substr(0, at);
    const auto colon = login.find(':');
    setting.user = decoded(login.substr(0, colon));
    if (colon != login.npos) setting.password = decoded(login.substr(colon + 1));
    text.remove_prefix(at + 1);
  }
  std::string_view host;
  std::uint16_t port = 0;
  if (!split_port(text, host, port)) return std::nullopt;
  if (port == 0) port = scheme == "https" ? curl_https_port : curl_http_port;
  setting.url = scheme + "://" + authority(lower_case(host), port);
  if (!parse_proxy_url(setting.url)) return std::nullopt;
  return setting;
}

NoProxy::NoProxy(std::string_view list) {
  all_ = trimmed(list) == "*";
  for (const auto item : split(list, ", \t")) {
    if (item.empty()) continue;
    Entry entry;
    // A network first: its colons do not introduce a port.
    auto plain = item;
    if (plain.starts_with('[') && plain.ends_with(']')) plain = plain.substr(1, plain.size() - 2);
    entry.network = network_of(plain);
    std::string_view host = item;
    if (!entry.network && split_port(item, host, entry.port)) entry.network = network_of(host);
    if (!entry.network) {
      entry.name = lower_case(without_dots(host));
      // "*.example.com" is common elsewhere; libcurl takes it for a literal name, which nobody has.
      if (entry.name.empty() || entry.name.find('*') != entry.name.npos) continue;
    }
    entries_.push_back(std::move(entry));
  }
}

bool NoProxy::covers(std::string_view host, std::uint16_t port) const {
  if (all_) return true;
  const auto address = IpAddress::parse(host);
  const auto name = lower_case(without_dots(host));
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    if (entry.port != 0 && entry.port != port) return false;
    if (address) return entry.network && entry.network->contains(*address);
    if (entry.name == "<local>") return name.find('.') == name.npos;
    return !entry.network && is_at_or_below(name, entry.name);
  });
}

const ProxySetting* ProxyEnvironment::choose(const Probe& probe) const {
  const auto& target = probe.target;
  if (none.covers(target.host, target.port()) || is_this_computer(target.host)) return nullptr;
  const auto& choice = is_plain_http(probe) ? http : https;
  return choice.proxy ? &*choice.proxy : nullptr;
}

ProxyEnvironment read_proxy_environment(
    const std::function<std::string(const std::string&)>& variable) {
  ProxyEnvironment found;
  found.http = first_set(variable, {"http_proxy", "all_proxy", "ALL_PROXY"}, found.unusable);
  found.https =
      first_set(variable, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}, found.unusable);
  for (const auto* name : {"no_proxy", "NO_PROXY"}) {
    const auto value = variable(name);
    if (value.empty()) continue;
    found.no_proxy_variable = name;
    found.none = NoProxy(value);
    break;
  }
  return found;
}

std::string proxy_question(const Probe& probe) {
  const auto& target = probe.target;
  const bool tls = target.transport == Transport::tls;
  std::string scheme = is_plain_http(probe) ? "http" : "https";
  if (probe.with.contains("upgrade")) scheme = tls ? "wss" : "ws";
  const bool plain = scheme == "http" || scheme == "ws";
  const std::uint16_t usual = plain ? 80 : 443;
  const auto port = target.port() == 0 ? usual : target.port();
  return scheme + "://" + authority(target.host, port, usual) + "/";
}

bool is_this_computer(std::string_view host) {
  if (const auto address = IpAddress::parse(host)) return address->is_loopback();
  const auto name = lower_case(without_dots(host));
  return is_at_or_below(name, "localhost");
}

std::vector<PacRoute> read_pac_answer(std::string_view text) {
  std::vector<PacRoute> routes;
  for (const auto part : split(text, ";")) {
    const auto item = trimmed(part);
    if (item.empty()) continue;
    const auto blank = item.find_first_of(" \t");
    const auto word = lower_case(item.substr(0, blank));
    const auto where = blank == item.npos ? std::string_view() : trimmed(item.substr(blank));
    PacRoute route;
    route.text = std::string(item);
    if (word == "direct") {
      routes.push_back(std::move(route));
    } else if (word == "proxy" || word == "http" || word == "https") {
      std::string_view host;
      std::uint16_t port = 0;
      if (!split_port(where, host, port)) continue;
      const bool tls = word == "https";
      // The browsers' own defaults: 80 and 443.
      if (port == 0) port = tls ? 443 : 80;
      route.kind = PacRoute::Kind::proxy;
      route.url = (tls ? "https://" : "http://") + authority(lower_case(host), port);
      if (parse_proxy_url(route.url)) routes.push_back(std::move(route));
    } else if (word.starts_with("socks")) {
      route.kind = PacRoute::Kind::unsupported;
      routes.push_back(std::move(route));
    }
  }
  if (routes.empty()) routes.push_back({PacRoute::Kind::direct, "", "DIRECT"});
  return routes;
}

std::vector<std::string> wpad_urls(const std::vector<std::string>& domains) {
  std::vector<std::string> urls;
  for (const auto& given : domains) {
    auto domain = lower_case(without_dots(given));
    // Never wpad.com or wpad.co.uk: its owner would be everybody's proxy.
    while (domain.find('.') != domain.npos && !is_public_suffix(domain)) {
      add_once(urls, "http://wpad." + domain + "/wpad.dat");
      domain.erase(0, domain.find('.') + 1);
    }
  }
  return urls;
}

std::string kept_answer(std::string_view returned) {
  constexpr std::size_t most = 1'000;
  auto text = printable(returned.substr(0, pac_limit), pac_limit);
  if (text.size() <= most) return text;
  const auto end = text.rfind(';', most);
  text.resize(end == std::string::npos ? 0 : end);
  return text;
}

}  // namespace callready
