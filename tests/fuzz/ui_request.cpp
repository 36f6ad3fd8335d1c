// What strangers send to the page of callready ui: hosts, origins, cookies, orders.
#include "probe/ui/gate.hpp"
#include "probe/ui/order.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void ui_request(Input input) {
  constexpr std::uint16_t port = 40123;
  const std::string own_host = "127.0.0.1:40123", text(text_of(input));
  FUZZ_REQUIRE(ui::is_own_host(text, port) == (text == own_host));
  FUZZ_REQUIRE(ui::is_own_origin(text, port) == (text == "http://" + own_host));
  ui::Gate gate(port, {std::string(64, 'a'), std::string(64, 'b'), std::string(64, 'c')});
  const auto home = gate.home();
  const auto refused = [&](WebRequest request) {
    return gate.decide(request).kind == ui::Gate::Kind::refused;
  };
  const bool may_enter = "http://" + own_host + text == gate.entry();
  FUZZ_REQUIRE(refused({"GET", text, {{"Host", own_host}}, ""}) != may_enter);
  const bool has_cookie = text.find(std::string(64, 'b')) != text.npos;
  FUZZ_REQUIRE(has_cookie || refused({"GET", home, {{"Host", own_host}, {"Cookie", text}}, ""}));
  const auto read = ui::read_order(text);
  FUZZ_REQUIRE(read.problem.empty() != read.order.service.empty());
  for (const auto& word : read.order.arguments) FUZZ_REQUIRE(word.starts_with("--"));
}

}  // namespace callready::fuzz
