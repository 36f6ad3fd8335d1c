// Requests of WHIP (RFC 9725): a line each for method, target, Authorization and Content-Type, then
// the body.
#include "probe/serve/whip.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void whip_request(Input input) {
  auto text = text_of(input);
  const auto line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string found(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return found;
  };
  WebRequest request;
  request.method = line();
  request.target = line();
  request.fields = {{"Authorization", line()}, {"Content-Type", line()}};
  request.body = std::string(text);
  request.client = {IpAddress::v4({192, 0, 2, 7}), 4'000};
  serve::CallSessions sessions({}, {}, 5'000);
  const auto reply = serve::answer_whip(sessions, "secret", request, Instant{});
  FUZZ_REQUIRE(reply.status >= 200 && reply.status < 600);
  FUZZ_REQUIRE(sessions.size() == (reply.status == 201 ? 1u : 0u));
  FUZZ_REQUIRE(reply.status != 201 || request.fields[0].second.ends_with("secret"));
}

}  // namespace callready::fuzz
