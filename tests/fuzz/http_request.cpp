// Requests as the demo's web server and proxy read them (RFC 9112).
#include "probe/net/http.hpp"
#include "probe/serve/http_head.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void http_request(Input input) {
  const auto size = serve::http_frame(input);
  FUZZ_REQUIRE(size <= static_cast<std::ptrdiff_t>(input.size()));
  const auto head = serve::parse_http_head(input);
  if (!head) return;
  FUZZ_REQUIRE(!head->method.empty() && !head->target.empty());
  FUZZ_REQUIRE(head->version == 10 || head->version == 11);
  (void)head->lists("connection", "upgrade");
  (void)websocket_accept(head->field("sec-websocket-key"));
}

}  // namespace callready::fuzz
