// STUN and ChannelData over TCP and TLS (RFC 8656 sections 3.1 and 12.5): cuts a stream of bytes,
// however it arrives, into messages. Never holds more than one message of max_message and what one
// read brought.
#pragma once

#include "probe/net/stun.hpp"

namespace callready::stun {

struct Frame {
  bool channel_data = false;
  std::uint16_t channel = 0;  // where channel_data
  Bytes bytes;                // the whole STUN message, or the data of the channel
};

class Framer {
 public:
  // Expects ChannelData only where a channel has been bound: "HT" of "HTTP" looks like channel
  // 0x4854.
  explicit Framer(bool channels_bound = false) : channels_bound_(channels_bound) {}

  void expect_channels() { channels_bound_ = true; }
  void push(std::span<const std::uint8_t> bytes);
  // The next whole message; nothing: more bytes are needed, or fault() says that none will come.
  std::optional<Frame> next();
  // Set as soon as the bytes cannot become a message: after the first one, if it is not STUN. A
  // stream does not recover from that.
  std::optional<Fault> fault() const { return fault_; }
  // What has come and is not part of a message yet: after a fault, what came instead of STUN.
  std::span<const std::uint8_t> pending() const { return buffer_; }

 private:
  std::optional<std::size_t> frame_size();

  bool channels_bound_;
  Bytes buffer_;
  std::optional<Fault> fault_;
};

// ChannelData as it goes over a stream: padded to four bytes.
Bytes channel_data_frame(std::uint16_t channel, std::span<const std::uint8_t> data);

}  // namespace callready::stun
