// STAMP packets (RFC 8762, 8972): any bytes are taken or not; what is taken is answered with as
// many bytes and never more, and the answer is read back.
#include "probe/media/stamp.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void stamp(Input input) {
  using namespace media::stamp;
  const Bytes secret(16, 7);
  for (const Key key : {Key(), Key(secret)}) {
    (void)parse_reply(input, key);
    const auto request = parse_sender(input, key);
    if (!request) continue;
    FUZZ_REQUIRE(input.size() >= (key.empty() ? open_bytes : authenticated_bytes));
    ReflectorPacket reply;
    reply.sender_sequence = request->sequence;
    reply.sender_sent = request->sent;
    reply.tlvs = request->tlvs;
    const auto bytes = encode_reply(reply, input, key);
    FUZZ_REQUIRE(bytes.size() == input.size());
    const auto back = parse_reply(bytes, key);
    FUZZ_REQUIRE(back && back->sender_sequence == request->sequence);
    FUZZ_REQUIRE(back->sender_sent == request->sent);
    FUZZ_REQUIRE(back->tlvs.class_of_service.has_value() ==
                 request->tlvs.class_of_service.has_value());
  }
  if (input.size() < 10) return;
  // What we send is ours, however long.
  SenderPacket packet;
  packet.sequence = input[0];
  packet.ssid = input[1];
  if ((input[2] & 1) != 0) packet.tlvs.class_of_service = ClassOfService{input[3], 0, 0, false};
  if ((input[2] & 2) != 0) packet.tlvs.direct_measurement = DirectMeasurement{input[4], 0, 0};
  for (const Key key : {Key(), Key(secret)}) {
    const auto bytes = encode(packet, input[5] * 8u, key);
    const auto back = parse_sender(bytes, key);
    FUZZ_REQUIRE(back && back->sequence == packet.sequence && back->ssid == packet.ssid);
  }
}

}  // namespace callready::fuzz
