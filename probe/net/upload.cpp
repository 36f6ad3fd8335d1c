#include "probe/net/upload.hpp"

#include <curl/curl.h>

#include <memory>

#include "probe/net/transfer.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

constexpr std::size_t most_answer = 512;

// What is beyond that is taken, and not kept.
std::size_t take_answer(char* data, std::size_t, std::size_t size, void* context) {
  auto& text = *static_cast<std::string*>(context);
  try {
    text.append(data, std::min(size, most_answer - text.size()));
  } catch (const std::bad_alloc&) {  // the transfer matters more than what is said to it
  }
  return size;
}

}  // namespace

Upload upload(const UploadRequest& request) {
  Upload result;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   &curl_easy_cleanup);
  if (!handle) {
    result.problem = "libcurl could not be initialized";
    return result;
  }
  auto* easy = handle.get();
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& field) {
    if (auto* longer = curl_slist_append(list, field.c_str())) list = longer;
  };
  add("Content-Type: " + request.content_type);
  add("Expect:");  // no question whether the body may come
  if (!request.token.empty()) add("Authorization: Bearer " + request.token);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list,
                                                                            &curl_slist_free_all);
  char error[CURL_ERROR_SIZE] = "";
  std::string answer;
  TlsFlow flow;
  bound_transfer(easy, &flow);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, request.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
  const auto code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result.status);
  if (code != CURLE_OK) {
    result.status = 0;
    result.problem = printable(*error != '\0' ? error : curl_easy_strerror(code));
    return result;
  }
  result.answer = printable(answer);
  curl_off_t wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  if (wait > 0) result.retry_after = std::chrono::seconds(wait);
  return result;
}

}  // namespace callready
