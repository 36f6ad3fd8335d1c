#include "probe/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "probe/net/printable.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {
namespace {

using TlsSocket = asio::ssl::stream<asio::ip::tcp::socket>;

// What the verify callback writes down; reached through the SSL object's ex_data.
struct VerifyRecord {
  std::vector<int> objections;
  bool name_matches = true;
  bool client_certificate_asked = false;
  std::string first_bytes;  // of the peer
};

int record_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Lets every chain pass, and remembers what would have stopped it.
int on_verify(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* record = static_cast<VerifyRecord*>(SSL_get_ex_data(ssl, record_index()));
  const int code = X509_STORE_CTX_get_error(store);
  if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    record->name_matches = false;
  } else if (std::find(record->objections.begin(), record->objections.end(), code) ==
             record->objections.end()) {
    record->objections.push_back(code);
  }
  return 1;
}

// Sees the header of every record, before OpenSSL looks at whether it is one.
void on_message(int sent, int, int type, const void* bytes, std::size_t size, SSL* ssl, void*) {
  if (sent != 0 || type != SSL3_RT_HEADER) return;
  auto* record = static_cast<VerifyRecord*>(SSL_get_ex_data(ssl, record_index()));
  if (record->first_bytes.empty())
    record->first_bytes.assign(static_cast<const char*>(bytes), size);
}

// RFC 8446 section 5.1: change_cipher_spec to application_data, then version 3.x.
bool looks_like_tls(std::string_view header) {
  return header.size() >= 2 && header[0] >= 20 && header[0] <= 24 && header[1] == 3;
}

// Called when the peer asks for a client certificate: we have none, and go on without.
int on_client_certificate(SSL* ssl, X509**, EVP_PKEY**) {
  static_cast<VerifyRecord*>(SSL_get_ex_data(ssl, record_index()))->client_certificate_asked = true;
  return 0;
}

std::string printed(X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return printable({data, static_cast<std::size_t>(size)}, 500);
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> names;
  auto* raw = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(raw, &GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    const ASN1_STRING* text = nullptr;
    if (name->type == GEN_DNS) text = name->d.dNSName;
    if (name->type == GEN_IPADD) text = name->d.iPAddress;
    if (text == nullptr) continue;
    const auto* data = ASN1_STRING_get0_data(text);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
    if (name->type == GEN_DNS) {
      names.push_back(printable({reinterpret_cast<const char*>(data), size}, 255));
    } else if (size == 4) {
      names.push_back(IpAddress::v4({data[0], data[1], data[2], data[3]}).to_string());
    } else if (size == 16) {
      std::array<std::uint8_t, 16> bytes{};
      std::copy(data, data + 16, bytes.begin());
      names.push_back(IpAddress::v6(bytes).to_string());
    }
    if (names.size() == 200) break;  // some CDNs list hundreds; a report needs not all
  }
  return names;
}

std::string issuer_url(X509* certificate) {
  auto* raw = static_cast<AUTHORITY_INFO_ACCESS*>(
      X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr));
  const std::unique_ptr<AUTHORITY_INFO_ACCESS, decltype(&AUTHORITY_INFO_ACCESS_free)> all(
      raw, &AUTHORITY_INFO_ACCESS_free);
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all.get()); ++i) {
    const ACCESS_DESCRIPTION* access = sk_ACCESS_DESCRIPTION_value(all.get(), i);
    if (OBJ_obj2nid(access->method) != NID_ad_ca_issuers) continue;
    if (access->location->type != GEN_URI) continue;
    const auto* uri = access->location->d.uniformResourceIdentifier;
    return printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri))});
  }
  return {};
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info;
  info.subject = printed(X509_get_subject_name(certificate));
  info.issuer = printed(X509_get_issuer_name(certificate));
  info.names = alternative_names(certificate);
  info.not_before = wall_time(X509_get0_notBefore(certificate));
  info.not_after = wall_time(X509_get0_notAfter(certificate));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1) {
    info.sha256 = hexadecimal({digest, size});
  }
  unsigned char* key = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
  if (length > 0) {
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(
        key, [](unsigned char* bytes) { OPENSSL_free(bytes); });
    if (EVP_Digest(key, static_cast<std::size_t>(length), digest, &size, EVP_sha256(), nullptr) ==
        1) {
      info.public_key_sha256 = hexadecimal({digest, size});
    }
  }
  info.self_signed = X509_check_issued(certificate, certificate) == X509_V_OK;
  info.timestamps = X509_get_ext_by_NID(certificate, NID_ct_precert_scts, -1) >= 0;
  info.issuer_url = issuer_url(certificate);
  return info;
}

TlsInfo learn(SSL* ssl, const VerifyRecord& record, bool shaken) {
  TlsInfo info;
  if (shaken) {
    info.version = SSL_get_version(ssl);
    info.cipher = SSL_get_cipher_name(ssl);
  }
  if (STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl)) {
    for (int i = 0; i < sk_X509_num(chain) && i < 16; ++i) {
      info.chain.push_back(describe(sk_X509_value(chain, i)));
    }
  }
  info.objections = record.objections;
  if (!record.objections.empty()) {
    info.verify_code = record.objections.front();
    info.verify_text = X509_verify_cert_error_string(info.verify_code);
  }
  info.name_matches = record.name_matches;
  info.client_certificate_asked = record.client_certificate_asked;
  if (!record.first_bytes.empty() && !looks_like_tls(record.first_bytes)) {
    info.not_tls = printable(record.first_bytes);
  }
  return info;
}

Failure classify_tls(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category() &&
      error.category() != asio::ssl::error::get_stream_category()) {
    return classify(error);
  }
  Failure failure;
  failure.text = error.message();
  if (error == asio::ssl::error::stream_truncated) {
    failure.kind = FailureKind::closed_by_peer;
    return failure;
  }
  const auto raw = static_cast<unsigned long>(error.value());
  const int reason = ERR_GET_REASON(raw);
  // OpenSSL reports an alert of the peer as reason 1000 + alert number (ssl(7), RFC 8446 section
  // 6).
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    failure.kind = FailureKind::tls_alert;
    failure.code = reason - SSL_AD_REASON_OFFSET;
  } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    failure.kind = FailureKind::closed_by_peer;
  } else {
    failure.kind = FailureKind::tls_protocol;
    failure.code = reason;
  }
  if (const char* words = ERR_reason_error_string(raw)) failure.text = words;
  return failure;
}

class TlsStream final : public Stream {
 public:
  explicit TlsStream(std::unique_ptr<TlsSocket> socket, std::unique_ptr<VerifyRecord> record)
      : record_(std::move(record)), socket_(std::move(socket)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override {
    Guard guard(scope, deadline, [this] { socket_->lowest_layer().cancel(); });
    if (guard.over()) co_return guard.failure();
    const auto target = asio::buffer(buffer.data(), buffer.size());
    const auto [error, size] =
        co_await socket_->async_read_some(target, asio::as_tuple(asio::use_awaitable));
    if (!error) co_return size;
    if (guard.over()) co_return guard.failure();
    co_return classify_tls(error);
  }

  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override {
    Guard guard(scope, deadline, [this] { socket_->lowest_layer().cancel(); });
    if (guard.over()) co_return guard.failure();
    const auto source = asio::buffer(bytes.data(), bytes.size());
    const auto [error, size] =
        co_await asio::async_write(*socket_, source, asio::as_tuple(asio::use_awaitable));
    static_cast<void>(size);
    if (!error) co_return Result<void>();
    if (guard.over()) co_return guard.failure();
    co_return classify_tls(error);
  }

  SocketAddress local() const override {
    error_code error;
    const auto endpoint = socket_->next_layer().local_endpoint(error);
    if (error) return {};
    return from_endpoint(endpoint);
  }

  SocketAddress remote() const override {
    error_code error;
    const auto endpoint = socket_->next_layer().remote_endpoint(error);
    if (error) return {};
    return from_endpoint(endpoint);
  }

 private:
  std::unique_ptr<VerifyRecord> record_;  // outlives the SSL object that points to it
  std::unique_ptr<TlsSocket> socket_;
};

// Wire format of ALPN: each protocol with its length before it (RFC 7301 section 3.1).
std::string alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const auto& protocol : protocols) {
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

void prepare(SSL* ssl, const TlsOptions& options, VerifyRecord* record) {
  SSL_set_ex_data(ssl, record_index(), record);
  SSL_set_verify(ssl, SSL_VERIFY_PEER, &on_verify);
  SSL_set_msg_callback(ssl, &on_message);
  const bool literal = IpAddress::parse(options.server_name).has_value();
  // RFC 6066 section 3: literal addresses are not permitted in SNI.
  if (!literal && !options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
  }
  if (options.check_name && !options.server_name.empty()) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
    if (literal) {
      X509_VERIFY_PARAM_set1_ip_asc(parameters, options.server_name.c_str());
    } else {
      X509_VERIFY_PARAM_set1_host(parameters, options.server_name.c_str(), 0);
    }
  }
  const auto list = alpn_list(options.alpn);
  if (!list.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
}

}  // namespace

TlsContext::TlsContext() : context_(asio::ssl::context::tls_client) {
  SSL_CTX_set_default_verify_paths(context_.native_handle());
  // As browsers and softphones do (RFC 8996); Asio allows TLS 1.0, whatever the system says.
  SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context_.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_client_cert_cb(context_.native_handle(), &on_client_certificate);
}

boost::system::result<std::unique_ptr<TlsContext>, std::string> TlsContext::create(
    const std::vector<std::string>& ca_files) {
  std::unique_ptr<TlsContext> context(new TlsContext);
  for (const auto& file : ca_files) {
    error_code error;
    context->context_.load_verify_file(file, error);
    if (error) return file + ": no certificates could be read: " + error.message();
  }
  return context;
}

asio::awaitable<TlsAttempt> tls_handshake(std::unique_ptr<TcpStream> transport, Scope scope,
                                          TlsContext& context, TlsOptions options) {
  TlsAttempt attempt;
  auto record = std::make_unique<VerifyRecord>();
  auto socket = std::make_unique<TlsSocket>(transport->release(), context.native());
  SSL* ssl = socket->native_handle();
  prepare(ssl, options, record.get());
  auto* raw = socket.get();
  Guard guard(scope, scope.clock.now() + timeouts::tls_handshake,
              [raw] { raw->lowest_layer().cancel(); });
  if (guard.over()) {
    attempt.stream = guard.failure();
    co_return attempt;
  }
  ERR_clear_error();
  const auto [error] = co_await socket->async_handshake(asio::ssl::stream_base::client,
                                                        asio::as_tuple(asio::use_awaitable));
  attempt.info = learn(ssl, *record, !error);
  if (!error) {
    attempt.stream = std::make_unique<TlsStream>(std::move(socket), std::move(record));
  } else if (guard.over()) {
    attempt.stream = guard.failure();
  } else {
    attempt.stream = classify_tls(error);
  }
  co_return attempt;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<TcpStream> transport,
                                                            Scope scope,
                                                            asio::ssl::context& context) {
  auto socket = std::make_unique<TlsSocket>(transport->release(), context);
  auto* raw = socket.get();
  Guard guard(scope, scope.clock.now() + timeouts::tls_handshake,
              [raw] { raw->lowest_layer().cancel(); });
  if (guard.over()) co_return guard.failure();
  ERR_clear_error();
  const auto [error] = co_await socket->async_handshake(asio::ssl::stream_base::server,
                                                        asio::as_tuple(asio::use_awaitable));
  if (guard.over()) co_return guard.failure();
  if (error) co_return classify_tls(error);
  co_return std::make_unique<TlsStream>(std::move(socket), std::make_unique<VerifyRecord>());
}

}  // namespace callready
