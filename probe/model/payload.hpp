// What a datagram carries, as a device that inspects it sees it.
#pragma once

#include "probe/model/words.hpp"

namespace callready {

enum class Payload { rtp, stun, turn, sip, ntp, dns, quic };

template <>
std::span<const Word<Payload>> words();

}  // namespace callready
