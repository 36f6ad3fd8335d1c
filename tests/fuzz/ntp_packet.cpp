// NTP replies (RFC 5905): any 48 bytes give numbers that a report can hold.
#include "probe/net/ntp.hpp"

#include <cmath>

#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void ntp_packet(Input input) {
  const auto packet = ntp::parse_packet(input);
  FUZZ_REQUIRE(packet.has_error() == (input.size() < 48));
  if (packet.has_error()) return;
  const auto reference = ntp::reference_text(*packet);
  FUZZ_REQUIRE(!find_invalid_utf8(reference) && !has_control_characters(reference));
  (void)ntp::reply_fault(*packet);
  const WallTime sent{std::chrono::seconds(1'795'000'000)};
  const auto arrived = sent + std::chrono::milliseconds(40);
  const auto sample = ntp::measure(*packet, sent, arrived);
  FUZZ_REQUIRE(std::isfinite(sample.offset.count()) && std::isfinite(sample.delay.count()));
  FUZZ_REQUIRE(std::isfinite(ntp::measure_back(*packet, arrived).count()));
}

}  // namespace callready::fuzz
