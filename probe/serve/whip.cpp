#include "probe/serve/whip.hpp"

#include <fmt/format.h>

#include "probe/net/far_end.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

bool has_token(const WebRequest& request, std::string_view token) {
  if (token.empty()) return true;
  constexpr std::string_view scheme = "bearer ";
  const auto field = request.field("Authorization");
  if (field.size() <= scheme.size()) return false;
  if (lower_case(field.substr(0, scheme.size())) != scheme) return false;
  return is_same_secret(field.substr(scheme.size()), token);
}

WebReply opened(CallSessions& sessions, const WebRequest& request, Instant now) {
  auto type = request.field("Content-Type");
  type = type.substr(0, type.find(';'));
  if (type != "application/sdp") return {415, "expected application/sdp\n"};
  auto made = sessions.open(request.body, request.client.address, request.local.address, now);
  switch (made.refusal) {
    case CallSessions::Refusal::malformed:
      return {400, "this is not an offer of a WebRTC call\n"};
    case CallSessions::Refusal::unsupported:
      return {422, "expected audio (Opus or G.711) over UDP/TLS/RTP/SAVPF with rtcp-mux\n"};
    case CallSessions::Refusal::crowded: {
      WebReply reply{503, fmt::format("{}: too many calls at once\n", far_end::busy)};
      reply.fields.emplace_back("Retry-After", "30");
      return reply;
    }
    case CallSessions::Refusal::none:
      break;
  }
  WebReply reply{201, std::move(made.answer)};
  reply.content_type = "application/sdp";
  reply.fields.emplace_back("Location", fmt::format("{}/{}", whip_path, made.id));
  return reply;
}

WebReply closed(CallSessions& sessions, const std::string& id) {
  const auto counts = sessions.close(id);
  if (!counts) return {404, "no such call\n"};
  return {200, fmt::format("checks {}\nhandshake {}\nmedia {}\ngreeting {}\ngreeting_rest {}\n",
                           counts->checks, counts->handshake, counts->media, counts->first_parts,
                           counts->later_parts)};
}

WebReply answered(CallSessions& sessions, std::string_view token, const WebRequest& request,
                  Instant now, const OtherPage& other_page) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  const bool page = path == "/" && (request.method == "GET" || request.method == "HEAD");
  if (page) return {200, "callready serve\n"};
  const bool one = path.starts_with(whip_path) && path.size() > whip_path.size() + 1 &&
                   path[whip_path.size()] == '/';
  if (path != whip_path && !one) {
    // Nobody without the token learns whether there is one.
    const bool allowed = other_page && has_token(request, token);
    auto body = allowed ? other_page(request.method, path) : std::nullopt;
    return body ? WebReply{200, std::move(*body)} : WebReply{404, "no such page\n"};
  }
  if (request.method == "OPTIONS") {
    WebReply reply{204, ""};
    reply.fields.emplace_back("Access-Control-Allow-Methods", "POST, DELETE, OPTIONS");
    reply.fields.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type");
    reply.fields.emplace_back("Accept-Post", "application/sdp");
    return reply;
  }
  const bool understood = request.method == (one ? "DELETE" : "POST");
  if (!understood) {
    WebReply reply{405, "a call is made by POST and ended by DELETE\n"};
    reply.fields.emplace_back("Allow", one ? "DELETE, OPTIONS" : "POST, OPTIONS");
    return reply;
  }
  if (!has_token(request, token)) {
    WebReply reply{401, "the token is missing or wrong\n"};
    reply.fields.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  if (one) return closed(sessions, std::string(path.substr(whip_path.size() + 1)));
  return opened(sessions, request, now);
}

}  // namespace

WebReply answer_whip(CallSessions& sessions, std::string_view token, const WebRequest& request,
                     Instant now, const OtherPage& other_page) {
  auto reply = answered(sessions, token, request, now, other_page);
  reply.fields.emplace_back("Access-Control-Allow-Origin", "*");
  reply.fields.emplace_back("Access-Control-Expose-Headers", "Location");
  return reply;
}

}  // namespace callready::serve
