// What a PAC script returned, and what the environment's variables hold: whatever it is, a route
// is direct, a proxy that the program accepts as one, or named as a kind that it cannot use.
#include "probe/net/http.hpp"
#include "probe/net/proxy_rules.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {
namespace {

// The password of a URL goes into its own member and stays out of what is shown.
void setting(std::string_view text) {
  const auto read = read_proxy_setting(text);
  if (!read) return;
  FUZZ_REQUIRE(parse_proxy_url(read->url).has_value());
  FUZZ_REQUIRE(read->url.find('@') == std::string::npos);
  const auto again = read_proxy_setting(read->url);
  FUZZ_REQUIRE(again && again->url == read->url && again->password.empty());
}

void list_of_exceptions(std::string_view text) {
  const NoProxy list(text);
  const bool all = list.covers("host.example", 443);
  FUZZ_REQUIRE(!all || list.covers("HOST.example", 443));
  (void)list.covers("192.0.2.1", 0);
  (void)list.covers("2001:db8::1", 443);
}

}  // namespace

void proxy_choice(Input input) {
  const auto text = text_of(input);
  const auto routes = read_pac_answer(text);
  FUZZ_REQUIRE(!routes.empty());
  for (const auto& route : routes) {
    const bool proxy = route.kind == PacRoute::Kind::proxy;
    FUZZ_REQUIRE(proxy == !route.url.empty());
    FUZZ_REQUIRE(!proxy || parse_proxy_url(route.url).has_value());
    FUZZ_REQUIRE(route.text.find(';') == std::string::npos);
  }
  setting(text);
  list_of_exceptions(text);
  (void)is_this_computer(text);
}

}  // namespace callready::fuzz
