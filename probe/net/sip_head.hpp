// The head of a SIP message split into lines, before any grammar: what framing and bounds need.
// Used by sip.cpp and sip_framer.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/net/sip.hpp"
#include "probe/util/text.hpp"

namespace callready::sip {

enum class StartLine { reply, request, other };

struct Field {
  std::string name;   // lower case, compact forms in full: "v" is "via"
  std::string value;  // unfolded, without blanks around it
};

struct Head {
  StartLine kind = StartLine::other;
  int status = 0;  // of a reply
  std::string reason;
  std::vector<Field> fields;
  std::optional<std::size_t> content_length;
  std::size_t size = 0;  // with the empty line
};

// `message` begins with the start line. Failure `malformed` or `oversized` where it has no end
// within max_head, is not SIP/2.0, has a line that is not a header, a NUL byte, or a Content-Length
// that is not one number up to max_message.
Result<Head> split_head(std::span<const std::uint8_t> message);

// Of a line without its CRLF.
StartLine start_line_kind(std::string_view line);

}  // namespace callready::sip
