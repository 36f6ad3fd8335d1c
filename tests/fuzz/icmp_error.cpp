// The error queue's record (ip(7)): the control message beside an ICMP error.
#include "probe/platform/icmp.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void icmp_error(Input input) {
  const auto error = platform::read_icmp_error(input);
  if (!error) return;
  FUZZ_REQUIRE(error->mtu == 0 || error->kind == IcmpKind::fragmentation_needed);
  FUZZ_REQUIRE(!error->payload);
  (void)error->sender.to_string();
}

}  // namespace callready::fuzz
