#include "probe/serve/call_peer.hpp"

namespace callready::serve {

bool CallPeer::available() { return false; }

Result<std::shared_ptr<CallPeer>> CallPeer::start(const asio::any_io_executor&,
                                                  const CallPeerOptions&) {
  return Failure{FailureKind::local, "this program takes no WebRTC calls", 0, {}};
}

}  // namespace callready::serve
