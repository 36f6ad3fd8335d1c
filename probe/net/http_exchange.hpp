// One libcurl transfer with all that its callbacks write to; http.hpp is the public interface.
#pragma once

#include <curl/curl.h>

#include <set>

#include "probe/net/curl_loop.hpp"
#include "probe/net/http.hpp"
#include "probe/net/tls_record.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {

// The outcome of a transfer.
struct Ended {
  HttpReply reply;
  platform::OwnedDescriptor socket;  // of an established tunnel
  // The tunnel is within libcurl's TLS to the proxy: the socket is only for waiting, and data goes
  // through the exchange, which must outlive it.
  bool inside_tls = false;
};

// The sockets of a transfer, opened here so that they can be asked what libcurl does not report.
struct SocketLog {
  std::set<curl_socket_t> open;
  std::optional<std::chrono::system_clock::time_point> first_at;  // when the first was opened
  bool connected = false;                                         // TCP was established once
  bool kept_here = false;  // this computer did not let a connection request out
  int no_socket = 0;       // an errno where none could be opened
  std::optional<IcmpError> icmp;
};

// Must not move: libcurl has its address.
class HttpExchange {
 public:
  // Blocks if there is no loop.
  HttpExchange(HttpRequest request, std::shared_ptr<X509_STORE> trust,
               std::shared_ptr<CurlLoop> loop);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // `connect_only`: ends once the proxy's tunnel stands.
  void prepare(bool connect_only);
  CURL* easy() { return easy_; }
  // True once somebody has accepted a connection.
  bool connected() const;
  bool kept_here() const;
  CURLcode block(milliseconds limit);
  // Call it once, after the end.
  Ended finish(const Result<CURLcode>& result);
  // Through an established tunnel, like curl_easy_send(3) and curl_easy_recv(3).
  CURLcode send(std::span<const std::uint8_t> bytes, std::size_t& sent);
  CURLcode receive(std::span<std::uint8_t> buffer, std::size_t& received);

 private:
  template <typename Value>
  void set(CURLoption option, Value value);
  void prepare_proxy();
  void prepare_tls();
  void prepare_callbacks();
  void read_connection();
  void read_time(CURLINFO info, Timing name);
  bool header_line(std::string_view line);
  void end_of_block();
  bool body_part(std::string_view part);
  Failure classify_curl(CURLcode code);
  static CURLcode on_tls(CURL*, void* context, void* self);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static int on_debug(CURL*, curl_infotype kind, char*, std::size_t size, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t open_socket(void* log, curlsocktype, curl_sockaddr* address);
  static int close_socket(void* log, curl_socket_t socket);

  const HttpRequest request_;
  std::shared_ptr<X509_STORE> trust_;
  std::shared_ptr<CurlLoop> loop_;  // null: blocking
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* pins_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  SocketLog sockets_;
  TlsRecord record_;
  TlsFlow proxy_flow_;
  HttpReply reply_;
  std::vector<std::pair<std::string, std::string>> block_;  // of the answer that is being read
  std::string block_version_;
  int block_status_ = 0;
  bool in_block_ = false;
  std::size_t header_bytes_ = 0, received_ = 0, connect_bytes_ = 0;
  bool connect_only_ = false;
  bool tunnelling_ = false, tunnel_stands_ = false;
  bool https_proxy_ = false;
  bool ended_on_purpose_ = false, too_large_ = false, not_http_ = false;
};

}  // namespace callready
