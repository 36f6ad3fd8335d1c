#include "probe/model/observation.hpp"

namespace callready {

std::string SocketAddress::to_string() const {
  const auto host = address.to_string();
  return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

bool reached(Outcome outcome) {
  return outcome == Outcome::answered || outcome == Outcome::connected ||
         outcome == Outcome::passed;
}

}  // namespace callready
