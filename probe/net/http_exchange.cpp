#include "probe/net/http_exchange.hpp"

#include <algorithm>
#include <charconv>

#include "probe/platform/route.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

struct CurlAuth {
  ProxyAuth auth;
  unsigned long bit;
};

constexpr CurlAuth curl_auths[] = {
    {ProxyAuth::basic, CURLAUTH_BASIC},
    {ProxyAuth::digest, CURLAUTH_DIGEST},
    {ProxyAuth::ntlm, CURLAUTH_NTLM},
    {ProxyAuth::negotiate, CURLAUTH_NEGOTIATE},
};

std::string host_of(const std::string& url) {
  const auto start = url.find("://") + 3;
  if (url[start] == '[') return url.substr(start + 1, url.find(']', start) - start - 1);
  return url.substr(start, url.find_first_of(":/?", start) - start);
}

std::optional<SocketAddress> socket_address(const char* text, long port) {
  if (text == nullptr || port <= 0 || port > 65'535) return std::nullopt;
  const auto address = IpAddress::parse(text);
  if (!address) return std::nullopt;
  return SocketAddress{*address, static_cast<std::uint16_t>(port)};
}

}  // namespace

HttpExchange::HttpExchange(HttpRequest request, std::shared_ptr<X509_STORE> trust,
                           std::shared_ptr<CurlLoop> loop)
    : request_(std::move(request)), trust_(std::move(trust)), loop_(std::move(loop)) {}

HttpExchange::~HttpExchange() {
  if (easy_ != nullptr) {
    if (loop_) loop_->close(easy_);
    curl_easy_cleanup(easy_);
  }
  curl_slist_free_all(headers_);
  curl_slist_free_all(pins_);
}

template <typename Value>
void HttpExchange::set(CURLoption option, Value value) {
  const auto code = curl_easy_setopt(easy_, option, value);
  // An option that this libcurl does not know is a bug of the build.
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

void HttpExchange::prepare(bool connect_only) {
  connect_only_ = connect_only;
  tunnelling_ = connect_only || request_.tunnel;
  easy_ = curl_easy_init();
  if (easy_ == nullptr) throw std::bad_alloc();
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_USERAGENT, request_.user_agent.c_str());
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  for (const auto& header : request_.headers) {
    headers_ = curl_slist_append(headers_, header.c_str());
  }
  set(CURLOPT_HTTPHEADER, headers_);
  for (const auto& pin : request_.pins) {
    if (IpAddress::parse(pin.host)) continue;  // needs no pin, and libcurl has no way to write it
    const auto text = pin.host + ":" + std::to_string(pin.port) + ":" + pin.address.to_string();
    pins_ = curl_slist_append(pins_, text.c_str());
  }
  set(CURLOPT_RESOLVE, pins_);
  if (!request_.interface.empty()) {
    set(CURLOPT_INTERFACE, ("if!" + request_.interface).c_str());
  }
  // FORBID_REUSE closes the connection at the end, which would end the tunnel as well.
  if (connect_only_) {
    set(CURLOPT_CONNECT_ONLY, 1L);
  } else {
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  prepare_callbacks();
  prepare_proxy();
  prepare_tls();
}

void HttpExchange::prepare_callbacks() {
  set(CURLOPT_HEADERFUNCTION, &HttpExchange::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &HttpExchange::on_body);
  set(CURLOPT_WRITEDATA, this);
  // What is not body (chunk extensions) is limited too: counted in one callback, refused in the
  // other.
  set(CURLOPT_VERBOSE, 1L);
  set(CURLOPT_DEBUGFUNCTION, &HttpExchange::on_debug);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &HttpExchange::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &HttpExchange::open_socket);
  set(CURLOPT_OPENSOCKETDATA, &sockets_);
  set(CURLOPT_CLOSESOCKETFUNCTION, &HttpExchange::close_socket);
  set(CURLOPT_CLOSESOCKETDATA, &sockets_);
}

void HttpExchange::prepare_proxy() {
  // Empty: none, whatever the environment says.
  set(CURLOPT_PROXY, request_.proxy ? request_.proxy->url.c_str() : "");
  set(CURLOPT_NOPROXY, "");
  if (!request_.proxy) return;
  const auto& proxy = *request_.proxy;
  https_proxy_ = proxy.url.starts_with("https:");
  if (request_.url.starts_with("https:")) tunnelling_ = true;
  set(CURLOPT_HTTPPROXYTUNNEL, tunnelling_ ? 1L : 0L);
  if (proxy.auth == ProxyAuth::none) return;
  for (const auto& row : curl_auths) {
    if (row.auth == proxy.auth) set(CURLOPT_PROXYAUTH, static_cast<long>(row.bit));
  }
  const bool own_login = proxy.auth == ProxyAuth::negotiate;
  set(CURLOPT_PROXYUSERNAME, own_login ? "" : proxy.user.c_str());
  set(CURLOPT_PROXYPASSWORD, own_login ? "" : proxy.password.c_str());
}

void HttpExchange::prepare_tls() {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The trust anchors are those of TlsContext; reading the system's again would take 50 ms.
  set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(CURLOPT_PROXY_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
  // The server's chain is judged afterwards; that of a proxy that gets our password, by libcurl and
  // now.
  set(CURLOPT_SSL_VERIFYPEER, 0L);
  set(CURLOPT_SSL_VERIFYHOST, 0L);
  set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSL_CTX_FUNCTION, &HttpExchange::on_tls);
  set(CURLOPT_SSL_CTX_DATA, this);
}

CURLcode HttpExchange::block(milliseconds limit) {
  set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(limit.count())));  // 0 would mean no limit
  return curl_easy_perform(easy_);
}

Ended HttpExchange::finish(const Result<CURLcode>& result) {
  Ended ended;
  read_connection();
  if (result.has_error()) {
    reply_.failure = result.error();
  } else if (*result != CURLE_OK && !ended_on_purpose_) {
    reply_.failure = classify_curl(*result);
  } else if (reply_.status == 0 && !connect_only_) {
    // libcurl accepts a connection that ends within the headers after an interim reply.
    reply_.failure = {FailureKind::closed_by_peer, "the connection ended within the headers"};
  }
  if (reply_.failure && kept_here()) reply_.failure = callready::kept_here();
  // libcurl's own words for a refused CONNECT say less than its status does.
  const bool refused = reply_.connect_status != 0 && !tunnel_stands_;
  if (refused && reply_.failure && reply_.failure->kind != FailureKind::stopped) {
    reply_.failure->kind = FailureKind::malformed;
    reply_.failure->text = "the proxy answered " + std::to_string(reply_.connect_status);
  }
  reply_.tls = std::move(record_.info);
  if (connect_only_ && !reply_.failure) {
    ended.inside_tls = https_proxy_;
    // A duplicate: libcurl closes its own descriptor.
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket);
    ended.socket = platform::OwnedDescriptor(platform::duplicate(socket));
    if (!ended.socket.open()) {
      reply_.failure = classify(error_code(errno, boost::system::system_category()));
    }
  }
  ended.reply = std::move(reply_);
  return ended;
}

CURLcode HttpExchange::send(std::span<const std::uint8_t> bytes, std::size_t& sent) {
  return curl_easy_send(easy_, bytes.data(), bytes.size(), &sent);
}

CURLcode HttpExchange::receive(std::span<std::uint8_t> buffer, std::size_t& received) {
  return curl_easy_recv(easy_, buffer.data(), buffer.size(), &received);
}

bool HttpExchange::connected() const {
  return sockets_.connected ||
         std::any_of(sockets_.open.begin(), sockets_.open.end(),
                     [](curl_socket_t socket) { return platform::is_connected(socket); });
}

bool HttpExchange::kept_here() const {
  const bool waiting_in_vain = std::any_of(
      sockets_.open.begin(), sockets_.open.end(),
      [](curl_socket_t socket) { return platform::connection_figures(socket).kept_here; });
  return !connected() && (sockets_.kept_here || waiting_in_vain);
}

void HttpExchange::read_connection() {
  char* text = nullptr;
  long port = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &text);
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_PORT, &port);
  reply_.remote = socket_address(text, port);
  curl_easy_getinfo(easy_, CURLINFO_LOCAL_IP, &text);
  curl_easy_getinfo(easy_, CURLINFO_LOCAL_PORT, &port);
  reply_.local = socket_address(text, port);
  read_time(CURLINFO_CONNECT_TIME_T, Timing::connect);
  read_time(CURLINFO_APPCONNECT_TIME_T, Timing::tls);
  read_time(CURLINFO_STARTTRANSFER_TIME_T, Timing::reply);
  reply_.connected = connected();
  reply_.sent_at = sockets_.first_at;
  text = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &text);
  if (text != nullptr) reply_.redirect = text;
  long schemes = 0;
  curl_easy_getinfo(easy_, CURLINFO_PROXYAUTH_AVAIL, &schemes);
  for (const auto& row : curl_auths) {
    if ((static_cast<unsigned long>(schemes) & row.bit) != 0) {
      reply_.proxy_schemes.push_back(row.auth);
    }
  }
}

void HttpExchange::read_time(CURLINFO info, Timing name) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, info, &microseconds);
  if (microseconds > 0) reply_.timing_ms[name] = static_cast<double>(microseconds) / 1'000.0;
}

CURLcode HttpExchange::on_tls(CURL*, void* context, void* data) {
  auto& self = *static_cast<HttpExchange*>(data);
  auto* native = static_cast<SSL_CTX*>(context);
  SSL_CTX_set1_cert_store(native, self.trust_.get());
  // Digest may connect to the proxy twice; TLS with the server begins once the tunnel is
  // established.
  if (self.https_proxy_ && !self.tunnel_stands_) {
    bound_flow(native, &self.proxy_flow_);
    return CURLE_OK;
  }
  watch(native, &self.record_);
  try {
    if (self.request_.check_name) {
      expect_name(SSL_CTX_get0_param(native), host_of(self.request_.url));
    }
  } catch (const std::bad_alloc&) {
    return CURLE_OUT_OF_MEMORY;
  }
  return CURLE_OK;
}

int HttpExchange::on_debug(CURL*, curl_infotype kind, char*, std::size_t size, void* self) {
  if (kind == CURLINFO_DATA_IN) static_cast<HttpExchange*>(self)->received_ += size;
  return 0;
}

int HttpExchange::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& mine = *static_cast<HttpExchange*>(self);
  constexpr std::size_t most_beside_the_body = 256 * 1024;
  // libcurl calls this for each byte of an answer to CONNECT: the body of a refusal, which it skips
  // in one go, is seen nowhere else.
  if (mine.tunnelling_ && !mine.tunnel_stands_) ++mine.connect_bytes_;
  const auto most = 2 * mine.request_.body_limit + most_beside_the_body;
  if (mine.received_ <= most && mine.connect_bytes_ <= most) return 0;
  mine.too_large_ = true;
  return 1;
}

std::size_t HttpExchange::on_header(char* data, std::size_t, std::size_t size, void* self) {
  try {
    return static_cast<HttpExchange*>(self)->header_line({data, size}) ? size : 0;
  } catch (const std::bad_alloc&) {
    return 0;  // nothing may be thrown through libcurl
  }
}

std::size_t HttpExchange::on_body(char* data, std::size_t, std::size_t size, void* self) {
  try {
    return static_cast<HttpExchange*>(self)->body_part({data, size}) ? size : 0;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

curl_socket_t HttpExchange::open_socket(void* log, curlsocktype, curl_sockaddr* address) {
  auto& sockets = *static_cast<SocketLog*>(log);
  const int opened = platform::open_socket(address->family, address->socktype, address->protocol);
  sockets.no_socket = opened < 0 ? errno : 0;
  if (opened < 0) return CURL_SOCKET_BAD;
  if (!sockets.first_at) sockets.first_at = std::chrono::system_clock::now();
  platform::enable_icmp_errors(opened, address->family == AF_INET6);
  try {
    sockets.open.insert(opened);
  } catch (const std::bad_alloc&) {
    platform::close_descriptor(opened);
    return CURL_SOCKET_BAD;
  }
  return opened;
}

int HttpExchange::close_socket(void* data, curl_socket_t socket) {
  auto& log = *static_cast<SocketLog*>(data);
  log.open.erase(socket);
  log.connected |= platform::is_connected(socket);
  log.kept_here |= platform::connection_figures(socket).kept_here;
  auto icmp = platform::take_icmp_error(socket);
  if (icmp) log.icmp = std::move(icmp);
  platform::close_descriptor(socket);
  return 0;
}

bool HttpExchange::header_line(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > HttpClient::header_limit) {
    too_large_ = true;
    return false;
  }
  if (!reply_.body.empty()) return true;  // a trailer (RFC 9112 section 7.1.2)
  // The headers end where libcurl ends them: at any line that begins with CR or LF.
  const bool end = line.starts_with('\r') || line.starts_with('\n');
  line = trimmed(line);
  if (line.starts_with("HTTP/") && !in_block_) {
    in_block_ = true;
    block_.clear();
    const auto space = line.find(' ');
    block_version_ = printable(line.substr(0, space), 16);
    block_status_ = 0;
    if (space != line.npos) {
      const auto digits = line.substr(space + 1, 3);
      std::from_chars(digits.data(), digits.data() + digits.size(), block_status_);
    }
  } else if (block_version_.empty()) {
    not_http_ = true;  // libcurl takes any line from a proxy for a header
  } else if (end) {
    end_of_block();
  } else {
    const auto colon = line.find(':');
    if (colon == line.npos) return true;
    block_.emplace_back(printable(trimmed(line.substr(0, colon)), 200),
                        printable(trimmed(line.substr(colon + 1)), 2'000));
  }
  return true;
}

void HttpExchange::end_of_block() {
  in_block_ = false;
  if (tunnelling_ && !tunnel_stands_) {
    reply_.connect_status = block_status_;
    reply_.proxy_headers = std::move(block_);
    tunnel_stands_ = block_status_ >= 200 && block_status_ < 300;
    return;
  }
  const bool interim = block_status_ < 200 && block_status_ != 101;
  if (interim) return;
  reply_.status = block_status_;
  reply_.version = block_version_;
  reply_.headers = std::move(block_);
  if (block_status_ == 101) {
    // What follows is another protocol; libcurl would wait for its end.
    ended_on_purpose_ = true;
    if (loop_) loop_->finish(easy_, CURLE_OK);
  }
}

bool HttpExchange::body_part(std::string_view part) {
  const auto room = request_.body_limit - reply_.body.size();
  reply_.body += part.substr(0, room);
  if (part.size() <= room) return true;
  reply_.body_cut = ended_on_purpose_ = true;
  return false;
}

Failure HttpExchange::classify_curl(CURLcode code) {
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  Failure failure;
  failure.code = code;
  failure.text = printable(error_[0] == '\0' ? curl_easy_strerror(code) : error_);
  if (not_http_) {
    failure.kind = FailureKind::malformed;
    failure.text = "what answered does not speak HTTP";
    return failure;
  }
  // A request that was turned away may look like a connection at first: refusal_of_connection().
  const bool broke = code == CURLE_SSL_CONNECT_ERROR || code == CURLE_GOT_NOTHING ||
                     code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
  if (broke && sockets_.icmp && !connected()) code = CURLE_COULDNT_CONNECT;
  switch (code) {
    case CURLE_COULDNT_CONNECT: {
      if (sockets_.no_socket != 0) os_error = sockets_.no_socket;
      if (sockets_.icmp && !request_.pins.empty()) {
        const auto& target = request_.pins.front().address;
        const auto way = platform::way_to(target);
        const auto own = way ? way->source.value_or(IpAddress()) : IpAddress();
        sockets_.icmp->own = said_by_this_computer(*sockets_.icmp, own, target);
      }
      if (os_error == 0 && !sockets_.icmp) {
        return classify(make_error_code(boost::system::errc::timed_out));
      }
      return classify_first(
          error_code(static_cast<int>(os_error), boost::system::system_category()),
          std::move(sockets_.icmp));
    }
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      failure.kind = FailureKind::no_address;
      return failure;
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out();
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
      failure.kind = record_.alert ? FailureKind::tls_alert : FailureKind::tls_protocol;
      if (record_.alert) failure.code = *record_.alert;
      if (os_error == asio::error::connection_reset) failure.kind = FailureKind::connection_reset;
      // This is what it says if the connection was cut and the errno is lost, as on Windows.
      if (failure.text.find("SSL_ERROR_SYSCALL") != std::string::npos) {
        failure.kind = FailureKind::closed_by_peer;
      }
      return failure;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      failure.kind = FailureKind::closed_by_peer;
      return failure;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      // "CONNECT response too large!" has no number of its own.
      if (failure.text.find("too large") != std::string::npos) {
        failure.kind = FailureKind::oversized;
        return failure;
      }
      failure.kind = os_error == 0 ? FailureKind::closed_by_peer : FailureKind::connection_reset;
      // In TLS 1.3 a server refuses its client only after the handshake.
      if (record_.alert.value_or(SSL_AD_CLOSE_NOTIFY) != SSL_AD_CLOSE_NOTIFY) {
        failure.kind = FailureKind::tls_alert;
        failure.code = *record_.alert;
      }
      return failure;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
      failure.kind = too_large_ ? FailureKind::oversized : FailureKind::malformed;
      if (too_large_) failure.text = "more than 64 KiB of headers, or much more beside the body";
      return failure;
    case CURLE_OUT_OF_MEMORY:
      // libcurl reports a header line of more than 100 KB like this, too.
      failure.kind = reply_.connected ? FailureKind::oversized : FailureKind::out_of_resources;
      return failure;
    case CURLE_INTERFACE_FAILED:
    case CURLE_URL_MALFORMAT:
      failure.kind = FailureKind::local;
      return failure;
    default:
      failure.kind = FailureKind::malformed;
      return failure;
  }
}

}  // namespace callready
