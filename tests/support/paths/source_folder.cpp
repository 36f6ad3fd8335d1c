#include "tests/support/source_folder.hpp"

namespace callready::test {

std::string source_folder() { return CALLREADY_SOURCE_DIR; }

}  // namespace callready::test
