// The answers to one request of WHIP (RFC 9725): values in, values out.
#pragma once

#include "probe/serve/call_sessions.hpp"
#include "probe/web/web_server.hpp"

namespace callready::serve {

// Where calls are offered.
inline constexpr std::string_view whip_path = "/whip";

// The body of another page; nothing where there is no such page.
using OtherPage =
    std::function<std::optional<std::string>(std::string_view method, std::string_view target)>;

// The page that asks may come from anywhere: the token lets it in. `other_page`: what else there is
// for clients that have the token.
WebReply answer_whip(CallSessions& sessions, std::string_view token, const WebRequest& request,
                     Instant now, const OtherPage& other_page = {});

}  // namespace callready::serve
