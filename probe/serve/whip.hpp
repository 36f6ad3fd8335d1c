// The answers to one request of WHIP (RFC 9725): values in, values out.
#pragma once

#include "probe/serve/call_sessions.hpp"
#include "probe/web/web_server.hpp"

namespace callready::serve {

// Where calls are offered.
inline constexpr std::string_view whip_path = "/whip";

// Other pages: the body; nothing where there is no such page.
using Pages =
    std::function<std::optional<std::string>(std::string_view method, std::string_view target)>;

// A page in a browser may come from anywhere: what lets it in is the token. `pages`: what else
// there is for who has it.
WebReply answer_whip(CallSessions& sessions, std::string_view token, const WebRequest& request,
                     Instant now, const Pages& pages = {});

}  // namespace callready::serve
