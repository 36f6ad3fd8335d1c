// exporter: each of its runs is a child process, which is not built for Windows yet.
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"

namespace callready {

int run_exporter(const Arguments&) {
  complain("exporter: not available on Windows yet; run it on a Linux server of the same site");
  return usage_error;
}

}  // namespace callready
