// What a SIP server that mirrors our request shows about the way there.
#include <fmt/format.h>

#include <algorithm>

#include "probe/net/sip_head.hpp"
#include "probe/util/base64.hpp"

namespace callready::sip {
namespace {

struct Request {
  Head head;
  std::string body;
};

std::optional<Request> read_request(std::span<const std::uint8_t> bytes) {
  auto head = split_head(bytes);
  if (head.has_error() || head->kind != StartLine::request) return std::nullopt;
  return Request{*head, std::string(as_text(bytes.subspan(head->size)))};
}

std::vector<std::string> values(const Request& request, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& field : request.head.fields) {
    if (field.name == name) found.push_back(field.value);
  }
  return found;
}

std::vector<std::string> lines_of(const std::string& body, char type) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find("\r\n", at), body.size());
    if (body[at] == type && end > at + 1 && body[at + 1] == '=') {
      found.push_back(body.substr(at, end - at));
    }
    at = end + 2;
  }
  return found;
}

// "SIP/2.0/UDP 192.0.2.1:5060" of a Via: what no honest device touches.
std::string sent_by(const std::string& via) { return via.substr(0, via.find(';')); }

}  // namespace

std::string make_sdp(const SocketAddress& media) {
  const auto version = media.address.is_v6() ? "IP6" : "IP4";
  return fmt::format(
      "v=0\r\no=- 1 1 IN {0} {1}\r\ns=-\r\nc=IN {0} {1}\r\nt=0 0\r\nm=audio {2} RTP/AVP 0\r\n",
      version, media.address.to_string(), media.port);
}

std::optional<std::vector<std::string>> mirrored_changes(const Reply& reply,
                                                         std::span<const std::uint8_t> sent) {
  if (!lower_case(reply.content_type).starts_with("application/octet-stream")) return std::nullopt;
  const auto end = reply.body.find_last_not_of(" \t\r\n") + 1;
  const auto raw = from_base64(std::string_view(reply.body).substr(0, end));
  if (!raw) return std::nullopt;
  const auto came = read_request(*raw);
  const auto ours = read_request(sent);
  if (!came || !ours || values(*came, "call-id") != values(*ours, "call-id")) return std::nullopt;
  std::vector<std::string> changes;
  const auto own = sent_by(values(*ours, "via").front());
  const auto vias = values(*came, "via");
  const bool kept = std::any_of(vias.begin(), vias.end(),
                                [&](const std::string& via) { return sent_by(via) == own; });
  if (!kept) changes.emplace_back("Via");
  for (const auto& [name, word] : {std::pair{"from", "From"}, std::pair{"contact", "Contact"}}) {
    if (values(*came, name) != values(*ours, name)) changes.emplace_back(word);
  }
  for (const char type : {'o', 'c', 'm'}) {
    if (lines_of(came->body, type) != lines_of(ours->body, type)) {
      changes.push_back(std::string(1, type) + "=");
    }
  }
  return changes;
}

}  // namespace callready::sip
