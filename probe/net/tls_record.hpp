// What a TLS handshake shows about the peer, recorded by OpenSSL's callbacks: for our own
// connections (tls.cpp) and for those that libcurl makes (http.cpp). Every chain passes: what is
// wrong with it is data.
#pragma once

#include <openssl/ssl.h>

#include "probe/net/tls.hpp"

namespace callready {

// How much a peer has sent since its last application data. OpenSSL accepts some messages
// (HelloRequest, NewSessionTicket) without end, in one call that does not return as long as there
// are more.
struct TlsFlow {
  // The longest chains that servers send are some tens of kilobytes.
  static constexpr std::size_t most_without_data = 256 * 1024;  // bytes
  // Takes what SSL_CTX_set_msg_callback(3) reports; beyond most_without_data no more is read, and
  // OpenSSL's current operation fails with SSL_R_EXCESSIVE_MESSAGE_SIZE.
  void note(bool sent, int type, std::string_view bytes, SSL* ssl);

  std::size_t without_data = 0;
};

struct TlsRecord {
  // Room for this many is reserved from the beginning: nothing may be thrown through OpenSSL.
  static constexpr std::size_t most_objections = 32;
  TlsRecord() { objections.reserve(most_objections); }

  std::vector<int> objections;  // of the verification, X509_V_ERR_ numbers
  bool name_matches = true;
  bool client_certificate_asked = false;
  std::string first_bytes;   // of the peer
  std::optional<int> alert;  // the last one of the peer
  TlsInfo info;              // where the context is watched: what was learnt so far
  TlsFlow flow;
  std::vector<std::uint8_t> padding;  // TlsOptions::padding
};

// From now on `ssl`, or every connection of `context`, writes into `record`, which outlives it.
void watch(SSL* ssl, TlsRecord* record);
void watch(SSL_CTX* context, TlsRecord* record);

// The same for connections where only the flow is bounded: a transfer of libcurl's own, a proxy.
void bound_flow(SSL_CTX* context, TlsFlow* flow);

// The name that the certificate must be for: a DNS name or an address.
void expect_name(X509_VERIFY_PARAM* parameters, const std::string& name);

// For SSL_CTX_set_client_cert_cb: notes that one was asked for; there is none.
int on_client_certificate(SSL* ssl, X509** certificate, EVP_PKEY** key);

// Makes the ClientHello longer for those connections of `context` whose record has `padding`.
void allow_padding(SSL_CTX* context);

// `handshake_done`: the handshake has ended well.
TlsInfo learn(const SSL* ssl, const TlsRecord& record, bool handshake_done);

}  // namespace callready
