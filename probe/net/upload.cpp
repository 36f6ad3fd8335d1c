#include "probe/net/upload.hpp"

#include "probe/net/transfer.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

constexpr std::size_t most_answer = 512;

// Anything beyond that is taken, but not kept.
std::size_t take_answer(char* data, std::size_t, std::size_t size, void* context) {
  auto& text = *static_cast<std::string*>(context);
  try {
    text.append(data, std::min(size, most_answer - text.size()));
  } catch (const std::bad_alloc&) {  // the transfer matters more than the answer's text
  }
  return size;
}

}  // namespace

Upload upload(const UploadRequest& request) {
  Upload result;
  std::string answer;
  BlockingTransfer transfer(request.url, request.limit, request.user_agent, take_answer, &answer);
  auto* easy = transfer.easy();
  transfer.add_header("Content-Type: " + request.content_type);
  transfer.add_header("Expect:");  // do not ask first whether the body may come
  if (!request.token.empty()) transfer.add_header("Authorization: Bearer " + request.token);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  const auto code = transfer.perform(result.status);
  if (code != CURLE_OK) {
    result.status = 0;
    result.problem = transfer.words_of(code);
    return result;
  }
  result.answer = printable(answer);
  curl_off_t wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  if (wait > 0) result.retry_after = std::chrono::seconds(wait);
  return result;
}

}  // namespace callready
