// libnice needs GLib, and the program for Windows has neither.
#include "probe/webrtc/ice_call.hpp"

namespace callready::webrtc {

bool IceCall::available() { return false; }

std::shared_ptr<IceCall> IceCall::make(CallOptions) { return nullptr; }

}  // namespace callready::webrtc
