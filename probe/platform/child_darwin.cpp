// macOS: without Linux's seccomp, Landlock and death signal. A child has limits on time and files
// here, and inherits only its standard streams, but nothing else would confine a stranger's PAC
// file: Apple's own sandbox (sandbox_init) is deprecated. Built, never run.
#include "probe/platform/child.hpp"

#include <mach-o/dyld.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <climits>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {
namespace {

void limit(int resource, rlim_t value, rlim_t beyond = 0) {
  const rlimit both{value, value + beyond};
  ::setrlimit(resource, &both);
}

}  // namespace

void forbid_inspection() { limit(RLIMIT_CORE, 0); }

std::string own_program() {
  char path[PATH_MAX];
  std::uint32_t size = sizeof path;
  return ::_NSGetExecutablePath(path, &size) == 0 ? std::string(path) : std::string();
}

bool confine_this_process(const Confinement& confinement) {
  constexpr rlim_t most_files = 32;  // the resolver's: a few at a time
  const int open_until = descriptors().allowed;
  for (int number = 3; number < open_until; ++number) ::close(number);
  ::signal(SIGALRM, SIG_DFL);
  ::signal(SIGXCPU, SIG_DFL);
  ::alarm(confinement.seconds);
  limit(RLIMIT_CPU, confinement.processor_seconds, 1);  // SIGXCPU first, not SIGKILL at once
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, most_files);
  limit(RLIMIT_AS, static_cast<rlim_t>(confinement.megabytes) << 20U);  // which macOS may ignore
  return false;
}

}  // namespace callready::platform
