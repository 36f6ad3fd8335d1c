// The user's own browser.
#pragma once

#include <string>

namespace callready::platform {

// Has it open this file. False if no program for that could be started; whether a page really opens
// is not known.
bool open_in_browser(const std::string& file);

}  // namespace callready::platform
