#include <curl/curl.h>
#include <openssl/evp.h>

#include "probe/model/url.hpp"
#include "probe/net/address.hpp"
#include "probe/net/http.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/text.hpp"

namespace callready {

std::string ProxyEndpoint::url() const {
  return (https ? "https://" : "http://") + authority(host, port);
}

std::optional<ProxyEndpoint> parse_proxy_url(std::string_view url) {
  if (!is_web_url(url)) return std::nullopt;
  ProxyEndpoint endpoint;
  endpoint.https = starts_but_for_case(url, "https");
  url.remove_prefix(url.find("://") + 3);
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find_first_of("@/?# \t\\") != url.npos) return std::nullopt;
  std::string_view host;
  if (!split_port(url, host, endpoint.port)) return std::nullopt;
  const bool sound =
      url.starts_with('[') ? IpAddress::parse(host).has_value() : host.find(':') == host.npos;
  if (!sound) return std::nullopt;
  endpoint.host = host;
  if (endpoint.port == 0) endpoint.port = endpoint.https ? 443 : 80;
  return endpoint;
}

std::string authority(std::string_view host, std::uint16_t port, std::uint16_t usual_port) {
  auto text = authority(host, port);
  if (port == usual_port) text.erase(text.rfind(':'));
  return text;
}

std::optional<std::int64_t> parse_http_date(const std::string& text) {
  const auto seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return seconds;
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return base64(std::span<const unsigned char>(digest, size));
}

}  // namespace callready
