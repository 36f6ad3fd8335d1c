// What a TLS handshake shows of the peer, written down by OpenSSL's callbacks: for our own
// connections (tls.cpp) and for those that libcurl makes (http.cpp). Every chain passes: what is
// wrong with it is data.
#pragma once

#include <openssl/ssl.h>

#include "probe/net/tls.hpp"

namespace callready {

struct TlsRecord {
  // There is room for them from the beginning: nothing may be thrown through OpenSSL.
  static constexpr std::size_t most_objections = 32;
  TlsRecord() { objections.reserve(most_objections); }

  std::vector<int> objections;  // of the verification, X509_V_ERR_ numbers
  bool name_matches = true;
  bool client_certificate_asked = false;
  std::string first_bytes;   // of the peer
  std::optional<int> alert;  // the last one of the peer
  TlsInfo info;              // where the context is watched: what was learnt so far
};

// From now on `ssl`, or every connection of `context`, writes into `record`, which outlives it.
void watch(SSL* ssl, TlsRecord* record);
void watch(SSL_CTX* context, TlsRecord* record);

// The name that the certificate must be for: a DNS name or an address.
void expect_name(X509_VERIFY_PARAM* parameters, const std::string& name);

// For SSL_CTX_set_client_cert_cb: notes that one was asked for; there is none.
int on_client_certificate(SSL* ssl, X509** certificate, EVP_PKEY** key);

// `handshake_done`: the handshake has ended well.
TlsInfo learn(const SSL* ssl, const TlsRecord& record, bool handshake_done);

}  // namespace callready
