// The catalogues of po/, built in (embed.cmake). Internal to reports/.
#pragma once

#include <string_view>

namespace callready::languages {

std::string_view de();
std::string_view es();
std::string_view fr();
std::string_view nl();

}  // namespace callready::languages
