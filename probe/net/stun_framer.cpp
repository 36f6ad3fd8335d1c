#include "probe/net/stun_framer.hpp"

#include <algorithm>

#include "probe/util/network_order.hpp"

namespace callready::stun {
namespace {

constexpr std::size_t channel_header = 4;

}  // namespace

void Framer::push(std::span<const std::uint8_t> bytes) {
  if (fault_) return;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

// The size of the message that the buffer begins with, once enough bytes are there to tell.
std::optional<std::size_t> Framer::frame_size() {
  if (buffer_.empty()) return std::nullopt;
  // RFC 8656 section 12: 0x4000 to 0x4FFF are channels.
  const bool channel = buffer_[0] >> 4 == 4;
  if ((buffer_[0] & 0xC0) != 0 && !(channel && channels_bound_)) {
    fault_ = Fault::not_stun;
    return std::nullopt;
  }
  if (buffer_.size() < 4) return std::nullopt;
  const std::size_t length = number_at<std::uint16_t>(buffer_, 2);
  std::size_t size = 0;
  if (channel) {
    size = channel_header + padded(length);
  } else {
    const auto known = std::min<std::size_t>(buffer_.size() - 4, cookie_bytes.size());
    if (!std::equal(cookie_bytes.begin(), cookie_bytes.begin() + static_cast<std::ptrdiff_t>(known),
                    buffer_.begin() + 4)) {
      fault_ = Fault::wrong_cookie;
      return std::nullopt;
    }
    if (length % 4 != 0) {
      fault_ = Fault::not_stun;
      return std::nullopt;
    }
    size = header_size + length;
  }
  if (size > max_message) {
    fault_ = Fault::oversized;
    return std::nullopt;
  }
  return size;
}

std::optional<Frame> Framer::next() {
  if (fault_) return std::nullopt;
  const auto size = frame_size();
  if (!size || buffer_.size() < *size) return std::nullopt;
  Frame frame;
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(*size);
  if (buffer_[0] >> 4 == 4) {
    frame.channel_data = true;
    frame.channel = number_at<std::uint16_t>(buffer_, 0);
    const auto length = number_at<std::uint16_t>(buffer_, 2);
    const auto first = buffer_.begin() + channel_header;
    frame.bytes.assign(first, first + length);
  } else {
    frame.bytes.assign(buffer_.begin(), end);
  }
  buffer_.erase(buffer_.begin(), end);
  return frame;
}

Bytes channel_data_frame(std::uint16_t channel, std::span<const std::uint8_t> data) {
  Bytes frame(channel_header);
  put_number(frame, 0, channel);
  put_number(frame, 2, static_cast<std::uint16_t>(data.size()));
  frame.insert(frame.end(), data.begin(), data.end());
  frame.resize(channel_header + padded(data.size()));
  return frame;
}

}  // namespace callready::stun
