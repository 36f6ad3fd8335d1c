// What a run waits for, in words.
#pragma once

#include <string>

#include "probe/model/report.hpp"

namespace callready {

// "SIP servers", to go after "waiting for".
std::string waited_for(CheckKind check);

// "2.0 s: waiting for SIP servers that do not answer".
std::string wait_in_words(const LongestWait& wait);

}  // namespace callready
