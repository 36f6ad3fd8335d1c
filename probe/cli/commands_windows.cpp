// exporter and ui: their runs are child processes, which are not built for Windows yet.
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"

namespace callready {

int run_exporter(const Arguments&) {
  complain("exporter: not available on Windows yet; run it on a Linux server of the same site");
  return usage_error;
}

int run_ui(const Arguments&) {
  complain("ui: not available on Windows yet; callready check SERVICE --report html=FILE makes a page");
  return usage_error;
}

}  // namespace callready
