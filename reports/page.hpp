// The page's own style and script, from reports/page/, built into the program.
#pragma once

#include <string_view>

namespace callready {

std::string_view page_style();
std::string_view page_script();

}  // namespace callready
