// Where this checkout is. In a file of its own, so that no other object depends on the path and
// two checkouts can share one ccache.
#pragma once

#include <string>

namespace callready::test {

std::string source_folder();  // without a slash at its end

}  // namespace callready::test
