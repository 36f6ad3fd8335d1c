// TLS over a TCP connection (RFC 8446, RFC 5246). The handshake is completed whatever the
// certificate says, so that the chain can be looked at; what is wrong with it is data.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "probe/net/stream.hpp"

namespace callready {

struct CertificateInfo {
  std::string subject, issuer;                     // RFC 2253 names
  std::vector<std::string> names;                  // subjectAltName: DNS names and addresses
  std::chrono::sys_seconds not_before, not_after;  // to the year 9999 (RFC 5280, section 4.1.2.5)
  std::string sha256;                              // of the whole certificate, hexadecimal
  std::string public_key_sha256;                   // of its SubjectPublicKeyInfo
  bool self_signed = false;
  // Signed certificate timestamps (RFC 6962), and where to get the issuer's certificate (RFC 5280
  // section 4.2.2.1): certificates of public authorities have both, those that an inspection device
  // makes have neither.
  bool timestamps = false;
  std::string issuer_url;
};

struct TlsInfo {
  std::string version, cipher;         // "TLSv1.3", "TLS_AES_256_GCM_SHA384"; empty: no handshake
  std::vector<CertificateInfo> chain;  // as the peer sent it, its own certificate first
  // What this machine's trust store objects to, in OpenSSL's words, most basic first; empty: all is
  // well. `verify_code` is the first objection's X509_V_ERR_ number.
  int verify_code = 0;
  std::string verify_text;
  std::vector<int> objections;  // all of them, without repetition
  // Whether the chain ends in a root that everybody has, or in one given for this run; nothing if
  // that is not known.
  std::optional<bool> public_root;
  bool given_root = false;  // the latter
  bool users_root = false;  // the latter, and this user's programs trust it anyway (SSL_CERT_FILE)
  bool name_matches = true;
  bool client_certificate_asked = false;  // the peer sent a CertificateRequest; we have none
  // The first five bytes that came, where they are not the start of a TLS record: "HTTP/", "SSH-2".
  std::string not_tls;
};

// The trust anchors of the run: the system's store (honours SSL_CERT_FILE and SSL_CERT_DIR) and the
// roots of --ca-file.
class TlsContext {
 public:
  // Error: the file that cannot be read, in words.
  static boost::system::result<std::unique_ptr<TlsContext>, std::string> create(
      const std::vector<std::string>& ca_files);
  // Begins to read them, on a thread of their own: that takes some ten milliseconds, as long as a
  // connection's first round trip. Runs without TLS need none of it.
  void prepare();
  // Waits until they are there.
  asio::ssl::context& native();

 private:
  explicit TlsContext(std::vector<std::string> ca_files) : ca_files_(std::move(ca_files)) {}
  std::vector<std::string> ca_files_;
  std::shared_future<std::unique_ptr<asio::ssl::context>> context_;  // once it is wanted
};

// What makes a ClientHello as long as a browser's, of some 1,750 bytes: this, besides the 300 to
// 517 of OpenSSL's own.
inline constexpr std::size_t padding_of_browsers = 1'400;

struct TlsOptions {
  std::string server_name;  // SNI and the name to verify; an address is verified as such
  bool check_name = true;
  std::vector<std::string> alpn;  // "http/1.1"; empty: none offered
  // Bytes of an extension that means nothing and that servers ignore (RFC 8446 section 4.1.2), to
  // make the ClientHello longer; 0: none.
  std::size_t padding = 0;
};

struct TlsAttempt {
  Result<std::unique_ptr<Stream>> stream = Failure{};
  TlsInfo info;  // whatever was learnt, even if the handshake failed
};

// The handshake over a connection, which may itself be TLS (to an https proxy), within
// timeouts::tls_handshake.
asio::awaitable<TlsAttempt> tls_handshake(std::unique_ptr<Stream> transport, Scope scope,
                                          TlsContext& context, TlsOptions options);

// The server's side of the handshake, within timeouts::tls_handshake.
asio::awaitable<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<TcpStream> transport,
                                                            Scope scope,
                                                            asio::ssl::context& context);

}  // namespace callready
