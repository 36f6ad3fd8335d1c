#include "probe/net/download.hpp"

#include "probe/net/transfer.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

constexpr long most_redirections = 3;
constexpr std::size_t most_etag = 256;

struct Body {
  std::string bytes;
  std::size_t most;
  bool too_large = false;
};

// Taking less than was offered ends the transfer.
std::size_t take(char* data, std::size_t, std::size_t size, void* context) {
  auto& body = *static_cast<Body*>(context);
  if (body.bytes.size() + size > body.most) {
    body.too_large = true;
    return 0;
  }
  try {
    body.bytes.append(data, size);
  } catch (const std::bad_alloc&) {
    return 0;  // nothing may be thrown through libcurl
  }
  return size;
}

std::string header(CURL* easy, const char* name) {
  curl_header* found = nullptr;
  const bool there = curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK;
  const std::string value = there ? found->value : "";
  return value.size() <= most_etag ? printable(value) : "";
}

}  // namespace

Download download(const DownloadRequest& request) {
  Download result;
  Body body{{}, request.most};
  BlockingTransfer transfer(request.url, request.limit, request.user_agent, take, &body);
  auto* easy = transfer.easy();
  if (!request.etag.empty()) transfer.add_header("If-None-Match: " + request.etag);
  const bool plain = starts_but_for_case(request.url, "http://");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http,https" : "https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, most_redirections);
  const auto code = transfer.perform(result.status);
  if (body.too_large) {
    result.problem = "exceeds the limit of " + std::to_string(request.most) + " bytes";
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    result.problem =
        "did not arrive completely within " + std::to_string(request.limit.count() / 1000) + " s";
  } else if (code != CURLE_OK) {
    result.problem = transfer.words_of(code);
  }
  if (!result.problem.empty()) return result;
  if (result.status == 200) result.body = std::move(body.bytes);
  result.etag = header(easy, "ETag");
  return result;
}

}  // namespace callready
