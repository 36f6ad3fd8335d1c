// What every blocking transfer of libcurl has in common, downloads and uploads.
#pragma once

#include <curl/curl.h>

#include "probe/net/tls_record.hpp"

namespace callready {

// No proxy's or server's TLS may go on without end: libcurl's own time limit is not looked at while
// OpenSSL is reading. `flow` outlives the transfer.
inline void bound_transfer(CURL* easy, TlsFlow* flow) {
  const auto on_context = +[](CURL*, void* context, void* data) -> CURLcode {
    bound_flow(static_cast<SSL_CTX*>(context), static_cast<TlsFlow*>(data));
    return CURLE_OK;
  };
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, flow);
}

}  // namespace callready
