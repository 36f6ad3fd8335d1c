// SIP replies as a datagram and as one message of a stream (RFC 3261).
#include "probe/net/sip.hpp"
#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void sip_reply(Input input) {
  const auto datagram = sip::parse_reply(input, sip::Carriage::datagram);
  const auto stream = sip::parse_reply(input, sip::Carriage::stream);
  if (datagram.has_error()) {
    FUZZ_REQUIRE(!find_invalid_utf8(datagram.error().text));
    FUZZ_REQUIRE(!has_control_characters(datagram.error().text));
    // What is good enough for a stream is good enough for a datagram.
    FUZZ_REQUIRE(stream.has_error());
    return;
  }
  FUZZ_REQUIRE(datagram->status >= 100 && datagram->status < 700);
  FUZZ_REQUIRE(!datagram->vias.empty());
  FUZZ_REQUIRE(datagram->body_size <= input.size());
  FUZZ_REQUIRE(!find_invalid_utf8(printable(datagram->reason)));
  FUZZ_REQUIRE(!sip::belongs_to(*datagram, sip::new_transaction()));
  sip::Collector collector(sip::new_transaction());
  FUZZ_REQUIRE(!collector.take(input, sip::Carriage::datagram));
  FUZZ_REQUIRE(collector.foreign() == 1 && !collector.reply());
}

}  // namespace callready::fuzz
