// A message of libosip2, for those who build one and those who parse one.
#pragma once

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

#include <memory>

namespace callready::sip {

using Message = std::unique_ptr<osip_message_t, decltype(&osip_message_free)>;

// An empty one. Any thread may ask for it: libosip2's tables, which are globals, are made once.
Message new_message();

}  // namespace callready::sip
