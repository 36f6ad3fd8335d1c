// TLS over a connection that is not a plain socket: through an https proxy, which is TLS in TLS.
#pragma once

#include "probe/net/tls.hpp"
#include "probe/net/tls_record.hpp"

namespace callready {

// tls_handshake() for any stream.
asio::awaitable<TlsAttempt> tls_over(std::unique_ptr<Stream> transport, Scope scope,
                                     TlsContext& context, TlsOptions options);

// tls.cpp: SNI, the name to check, ALPN and the record, which outlives the connection.
void prepare_tls(SSL* ssl, const TlsOptions& options, TlsRecord* record);
// From an error of OpenSSL's queue (ERR_peek_error(3)).
Failure classify_tls(unsigned long raw);

}  // namespace callready
