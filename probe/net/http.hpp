// HTTP requests and proxy tunnels by libcurl (RFC 9110, RFC 9112), bound to one address and bounded
// in size; nothing is followed, kept or reused. What TLS shows is recorded, as in tls.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "probe/net/stream.hpp"
#include "probe/net/tls.hpp"

namespace callready {

enum class ProxyAuth { none, basic, digest, ntlm, negotiate };
std::string_view to_string(ProxyAuth auth);  // "Basic", as in Proxy-Authenticate; none: "none"

// A host name and the address to use for it: libcurl must not resolve by itself.
struct HostPin {
  std::string host;
  std::uint16_t port = 0;
  IpAddress address;
};

struct HttpProxy {
  std::string url;  // "http://proxy.example.com:3128", or https://, with its port; no credentials
  ProxyAuth auth = ProxyAuth::none;
  std::string user, password;  // not for Negotiate, which uses the system's own login
};

// The most that is read of a body, unless a request says otherwise.
inline constexpr std::size_t http_body_limit = 65'536;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HostPin> pins;  // for the URL's host, or for the proxy's
  std::optional<HttpProxy> proxy;
  bool tunnel = false;               // through the proxy by CONNECT whatever the URL's scheme
  std::vector<std::string> headers;  // "Name: value"
  std::string user_agent;
  std::string interface;  // by name; empty: the system's choice
  bool check_name = true;
  std::size_t body_limit = http_body_limit;      // bytes of the body that are read
  milliseconds connect = timeouts::tcp_connect;  // where there is no proxy
};

struct HttpReply {
  // Why there is no reply; if there is a status too, why the rest of it is missing.
  std::optional<Failure> failure;
  bool connected = false;  // TCP was established, to the server or to the proxy
  int status = 0;          // of the server; 0: none came
  std::string version;     // "HTTP/1.1"
  std::vector<std::pair<std::string, std::string>> headers;  // in order, as sent, made printable
  std::string body;                                          // at most the request's limit
  bool body_cut = false;                                     // there was more
  int connect_status = 0;                // of the proxy's last answer to CONNECT; 0: none
  std::vector<ProxyAuth> proxy_schemes;  // that a 407 offered, of those we know
  std::vector<std::pair<std::string, std::string>> proxy_headers;  // of that answer
  TlsInfo tls;                                 // of the server, where the URL is https
  std::optional<SocketAddress> local, remote;  // of the TCP connection
  std::optional<std::chrono::system_clock::time_point>
      sent_at;                         // when the first connection was asked for
  std::map<Timing, double> timing_ms;  // since the start: "connect", "tls", "reply"
  std::string redirect;                // the whole URL that a redirect leads to; empty: not one

  // The first header of that name, whatever its case; nothing if there is none.
  std::optional<std::string> header(std::string_view name) const;
  std::optional<std::string> proxy_header(std::string_view name) const;
};

struct HttpTunnel {
  HttpReply reply;  // connect_status, and why there is no stream
  // Null: no tunnel. Through an http proxy the TCP connection itself (TcpStream).
  std::unique_ptr<Stream> stream;
};

class HttpClient {
 public:
  static constexpr std::size_t body_limit = http_body_limit;
  // The most that is read of all headers: a proxy's, interim replies', the reply's.
  static constexpr std::size_t header_limit = 65'536;

  HttpClient(asio::any_io_executor executor, TlsContext& tls)
      : executor_(std::move(executor)), tls_(tls) {}

  // An answer of status 101 ends the request as any other does. Negotiate works on a thread of its
  // own, because Kerberos may block.
  asio::awaitable<HttpReply> request(HttpRequest request, Scope scope, Instant deadline);

  // CONNECT through the request's proxy to the host and port of its URL (http://host:port). The
  // stream is the TCP connection to the proxy; through an https proxy it is libcurl's TLS over it.
  asio::awaitable<HttpTunnel> connect(HttpRequest request, Scope scope, Instant deadline);

 private:
  asio::any_io_executor executor_;
  TlsContext& tls_;
};

struct ProxyEndpoint {
  bool https = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string url() const;  // "http://proxy.example.com:3128": one for each scheme, host and port
};

// "http://host:port" or "https://host:port"; without a port 80 and 443. Nothing if it is not such a
// URL, or holds credentials, a path or a query.
std::optional<ProxyEndpoint> parse_proxy_url(std::string_view url);

// "host:port" without the port where it is the usual one, as in URLs and the Host header.
std::string authority(std::string_view host, std::uint16_t port, std::uint16_t usual_port);

// Seconds since 1970 of an HTTP date (RFC 9110 section 5.6.7); nothing if it is not one.
std::optional<std::int64_t> parse_http_date(const std::string& text);

// RFC 6455 section 4.2.2: what a server answers to that Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

}  // namespace callready
