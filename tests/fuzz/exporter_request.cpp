// What strangers send to the exporter: a request's target, a login, how long Prometheus waits.
#include "probe/exporter/pages.hpp"
#include "probe/exporter/ways.hpp"
#include "probe/exporter/web_config.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void exporter_request(Input input) {
  const auto text = text_of(input);
  const auto asked = exporter::read_target(text);
  FUZZ_REQUIRE(asked.problem.empty() ? asked.path.starts_with('/')
                                     : asked.path.empty() && asked.query.empty());
  const auto patience = exporter::patience_of(text);
  FUZZ_REQUIRE(patience.count() >= 100 && patience.count() <= 599'500);
  const auto login = exporter::read_login(text);
  FUZZ_REQUIRE(!login || login->first.find(':') == std::string::npos);
  static_cast<void>(exporter::parse_duration(text));
}

}  // namespace callready::fuzz
