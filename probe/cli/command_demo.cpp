#include "probe/cli/commands.hpp"
namespace callready {
int run_demo(const Arguments&) { return 2; }
}  // namespace callready
