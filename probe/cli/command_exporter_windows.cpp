// exporter: its passwords are checked by libcrypt, which is not built for Windows.
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"

namespace callready {

int run_exporter(const Arguments&) {
  return fail("exporter: not available on Windows; run it on a Linux server of the same site");
}

}  // namespace callready
