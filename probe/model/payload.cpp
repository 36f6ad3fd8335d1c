#include "probe/model/payload.hpp"

namespace callready {

template <>
std::span<const Word<Payload>> words() {
  static constexpr Word<Payload> table[] = {
      {Payload::rtp, "rtp"},   {Payload::stun, "stun"}, {Payload::turn, "turn"},
      {Payload::sip, "sip"},   {Payload::ntp, "ntp"},   {Payload::dns, "dns"},
      {Payload::quic, "quic"},
  };
  return table;
}

}  // namespace callready
