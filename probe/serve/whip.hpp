// The answers to one request of WHIP (RFC 9725): values in, values out.
#pragma once

#include "probe/serve/call_peer.hpp"
#include "probe/web/web_server.hpp"

namespace callready::serve {

// A page in a browser may come from anywhere: what lets it in is the token. `pages`: what else
// there is for who has it.
WebReply answer_whip(CallSessions& sessions, std::string_view token, const WebRequest& request,
                     Instant now, const Pages& pages = {});

}  // namespace callready::serve
