// What every blocking transfer of libcurl has in common, downloads and uploads.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "probe/net/clock.hpp"
#include "probe/net/tls_record.hpp"
#include "probe/util/utf8.hpp"

namespace callready {

class BlockingTransfer {
 public:
  // `take` gets what comes, and `context`.
  BlockingTransfer(const std::string& url, milliseconds limit, const std::string& user_agent,
                   curl_write_callback take, void* context)
      : easy_(curl_easy_init(), &curl_easy_cleanup) {
    if (!easy_) return;
    // No proxy's or server's TLS may go on without end: libcurl does not check its own time limit
    // while OpenSSL is reading.
    const auto on_context = +[](CURL*, void* tls, void* flow) -> CURLcode {
      bound_flow(static_cast<SSL_CTX*>(tls), static_cast<TlsFlow*>(flow));
      return CURLE_OK;
    };
    curl_easy_setopt(easy(), CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(easy(), CURLOPT_SSL_CTX_DATA, &flow_);
    curl_easy_setopt(easy(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(easy(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy(), CURLOPT_USERAGENT, user_agent.c_str());
    curl_easy_setopt(easy(), CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy(), CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy(), CURLOPT_WRITEDATA, context);
  }
  ~BlockingTransfer() { curl_slist_free_all(headers_); }
  BlockingTransfer(const BlockingTransfer&) = delete;
  BlockingTransfer& operator=(const BlockingTransfer&) = delete;

  CURL* easy() const { return easy_.get(); }  // for what only one kind needs
  void add_header(const std::string& field) {
    if (auto* longer = curl_slist_append(headers_, field.c_str())) headers_ = longer;
  }
  CURLcode perform(long& status) {
    if (!easy_) return CURLE_FAILED_INIT;
    curl_easy_setopt(easy(), CURLOPT_HTTPHEADER, headers_);
    const auto code = curl_easy_perform(easy());
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    return code;
  }
  std::string words_of(CURLcode code) const {
    if (!easy_) return "libcurl could not be initialized";
    return printable(*error_ != '\0' ? error_ : curl_easy_strerror(code));
  }

 private:
  curl_slist* headers_ = nullptr;
  TlsFlow flow_;
  char error_[CURL_ERROR_SIZE] = "";
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
};

}  // namespace callready
