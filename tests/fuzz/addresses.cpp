// Addresses, networks, ranges and URLs as people and files write them: what is accepted prints as
// something that is accepted again and means the same.
#include "probe/model/ip.hpp"
#include "probe/net/http.hpp"
#include "probe/util/utf8.hpp"
#include "reports/words/rfc3339.hpp"
#include "targets/syntax.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {
namespace {

template <typename Value>
void round_trip(std::string_view text) {
  const auto value = Value::parse(text);
  if (!value) return;
  const auto again = Value::parse(value->to_string());
  FUZZ_REQUIRE(again.has_value());
  FUZZ_REQUIRE(*again == *value);
}

}  // namespace

void addresses(Input input) {
  const auto text = text_of(input);
  round_trip<IpAddress>(text);
  round_trip<Network>(text);
  round_trip<AddressRange>(text);
  round_trip<PortRange>(text);
  if (const auto network = Network::parse(text)) {
    FUZZ_REQUIRE(network->contains(network->first()));
    FUZZ_REQUIRE(network->contains(network->last()));
  }
  if (const auto proxy = parse_proxy_url(text)) {
    FUZZ_REQUIRE(!proxy->host.empty() && proxy->port != 0);
    const auto again = parse_proxy_url((proxy->https ? "https://" : "http://") +
                                       authority(proxy->host, proxy->port));
    FUZZ_REQUIRE(again && again->host == proxy->host && again->port == proxy->port);
  }
  if (const auto time = parse_rfc3339(text)) {
    const auto printed = format_rfc3339(*time);
    const auto again = parse_rfc3339(printed);
    FUZZ_REQUIRE(again && format_rfc3339(*again) == printed);
  }
  (void)parse_http_date(std::string(text));
  (void)host_name_problem(text);
  (void)wildcard_problem(text);
  (void)url_problem(text);
  (void)date_problem(text, true);
  (void)variables_in(text);
  const auto shown = printable(text, 40);
  FUZZ_REQUIRE(!find_invalid_utf8(shown));
  FUZZ_REQUIRE(!has_control_characters(shown));
  FUZZ_REQUIRE(shown.size() <= 43);
}

}  // namespace callready::fuzz
