#include "probe/model/flow_event.hpp"

namespace callready {

template <>
std::span<const Word<Cargo>> words() {
  static constexpr Word<Cargo> table[] = {
      {Cargo::none, "none"},     {Cargo::rtp, "rtp"},   {Cargo::stun, "stun"},
      {Cargo::turn, "turn"},     {Cargo::sip, "sip"},   {Cargo::ntp, "ntp"},
      {Cargo::dns, "dns"},       {Cargo::http, "http"}, {Cargo::tls, "tls"},
      {Cargo::inside, "inside"}, {Cargo::quic, "quic"},
  };
  return table;
}

}  // namespace callready
