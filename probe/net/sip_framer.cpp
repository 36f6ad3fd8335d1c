#include <algorithm>

#include "probe/net/sip_head.hpp"

namespace callready::sip {

void Framer::push(std::span<const std::uint8_t> bytes) {
  if (failure_) return;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<std::vector<std::uint8_t>>> Framer::next() {
  using Found = std::optional<std::vector<std::uint8_t>>;
  const auto fail = [this](Failure failure) {
    failure_ = std::move(failure);
    buffer_.clear();
    return *failure_;
  };
  if (failure_) return *failure_;
  if (head_ == 0) {
    if (!started_) {
      const auto begin = std::find_if(buffer_.begin(), buffer_.end(), [](std::uint8_t byte) {
        return byte != '\r' && byte != '\n';
      });
      buffer_.erase(buffer_.begin(), begin);
    }
    const auto text = as_text(buffer_);
    if (!started_) {
      const auto line_end = text.find("\r\n");
      if (line_end == std::string_view::npos && text.size() < max_head) return Found();
      if (start_line_kind(text.substr(0, std::min(line_end, max_head))) == StartLine::other) {
        return fail(malformed("not SIP"));
      }
      started_ = true;
    }
    const auto end = text.find("\r\n\r\n", searched_);
    if (end == std::string_view::npos && text.size() < max_head) {
      searched_ = text.size() < 3 ? 0 : text.size() - 3;
      return Found();
    }
    // Whole, or too long: split_head says so.
    auto head = split_head(buffer_);
    if (head.has_error()) return fail(head.error());
    if (!head->content_length) return fail(malformed("no Content-Length header on a stream"));
    head_ = head->size;
    body_ = *head->content_length;
    if (head_ + body_ > max_message) {
      return fail({FailureKind::oversized, "a SIP message of more than 65,535 bytes"});
    }
  }
  if (buffer_.size() < head_ + body_) return Found();
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(head_ + body_);
  std::vector<std::uint8_t> message(buffer_.begin(), end);
  buffer_.erase(buffer_.begin(), end);
  started_ = false;
  searched_ = head_ = body_ = 0;
  return Found(std::move(message));
}

}  // namespace callready::sip
