// Windows' own text is UTF-16, ours UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace callready::platform {

std::wstring to_wide(std::string_view utf8);
std::string to_utf8(std::wstring_view wide);

// Followed by a child's process ID: the event with which interrupt_child() asks it to end.
inline constexpr wchar_t interrupt_event[] = L"Local\\callready-interrupt-";

// What an error number of the system means, in its words.
std::string words_of_system(unsigned long error);

}  // namespace callready::platform
