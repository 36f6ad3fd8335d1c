#include "probe/platform/child.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <initializer_list>
#include <memory>

#ifdef __clang__
#pragma clang diagnostic ignored "-Wc99-extensions"  // SCMP_A0() and its like
#endif

namespace callready::platform {
namespace {

// What the C library and an old JavaScript engine need to compute, to read, to wait and to ask DNS;
// everything else is refused.
constexpr int allowed_calls[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
    SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fcntl), SCMP_SYS(dup),
    // Memory.
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
#ifdef __SANITIZE_ADDRESS__  // UBSan, which comes with it, tests memory with a pipe
    SCMP_SYS(pipe), SCMP_SYS(pipe2),
#endif
    // Time and waiting.
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(futex), SCMP_SYS(sched_yield),
    // Itself.
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit), SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // Sockets, of the kinds that are let through below.
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg)};
// These fail as if the system did not know them: their callers then use the older ones.
constexpr int unknown_calls[] = {SCMP_SYS(clone3), SCMP_SYS(openat2), SCMP_SYS(faccessat2),
                                 SCMP_SYS(io_uring_setup)};

bool install_filter() {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(
      seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (!filter) return false;
  auto* const all = filter.get();
  bool good = seccomp_attr_set(all, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)) == 0;
  const auto allow = [&](int call, std::initializer_list<scmp_arg_cmp> where) {
    const std::vector<scmp_arg_cmp> list(where);
    good = good && seccomp_rule_add_array(all, SCMP_ACT_ALLOW, call,
                                          static_cast<unsigned>(list.size()), list.data()) == 0;
  };
  for (const int call : allowed_calls) allow(call, {});
  for (const int call : unknown_calls) {
    good = good && seccomp_rule_add(all, SCMP_ACT_ERRNO(ENOSYS), call, 0) == 0;
  }
  // Files for reading.
  constexpr scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
  allow(SCMP_SYS(open), {SCMP_A1_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY)});
  allow(SCMP_SYS(openat), {SCMP_A2_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY)});
  // Datagrams of IP, for DNS; netlink, by which the C library asks for this machine's addresses.
  constexpr scmp_datum_t kind = 0xf;
  for (const int family : {AF_INET, AF_INET6}) {
    allow(SCMP_SYS(socket), {SCMP_A0_64(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)),
                             SCMP_A1_64(SCMP_CMP_MASKED_EQ, kind, SOCK_DGRAM)});
  }
  allow(SCMP_SYS(socket),
        {SCMP_A0_64(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2_64(SCMP_CMP_EQ, NETLINK_ROUTE)});
  // The size of a datagram; nothing that types into a terminal (TIOCSTI).
  allow(SCMP_SYS(ioctl), {SCMP_A1_64(SCMP_CMP_EQ, FIONREAD)});
  // Limits and signals of its own: abort(3) needs both.
  allow(SCMP_SYS(prlimit64), {SCMP_A0_64(SCMP_CMP_EQ, 0), SCMP_A2_64(SCMP_CMP_EQ, 0)});
  allow(SCMP_SYS(tgkill), {SCMP_A0_64(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()))});
  return good && seccomp_load(all) == 0;  // and no new privileges
}

// What it may read (Landlock, kernel 5.13): the system's own files; not the user's, and not what
// /proc reveals about other processes. Without Landlock in the kernel, there is only the filter.
void keep_from_files() {
  landlock_ruleset_attr what{};
  what.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // all of ABI version 1
  const int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &what, sizeof what, 0));
  if (rules < 0) return;
  for (const auto* folder :
       {"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/resolvconf",
        "/run/NetworkManager", "/dev/urandom", "/dev/null", "/proc/self"}) {
    landlock_path_beneath_attr below{};
    below.parent_fd = ::open(folder, O_PATH | O_CLOEXEC);
    if (below.parent_fd < 0) continue;
    struct stat status {};
    ::fstat(below.parent_fd, &status);
    below.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    if (S_ISDIR(status.st_mode)) below.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
    ::close(below.parent_fd);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    ::syscall(SYS_landlock_restrict_self, rules, 0);
  }
  ::close(rules);
}

void limit(int resource, unsigned long value, unsigned long beyond = 0) {
  const rlimit both{value, value + beyond};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

}  // namespace

void forbid_inspection() {
  limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their leak check inspects us
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

std::string own_program() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

bool confine_this_process(const Confinement& confinement) {
  constexpr unsigned long most_files = 32;  // the resolver's: a few at a time
  ::close_range(3, ~0U, 0);
  ::signal(SIGALRM, SIG_DFL);
  ::signal(SIGXCPU, SIG_DFL);
  ::alarm(confinement.seconds);
  limit(RLIMIT_CPU, confinement.processor_seconds, 1);  // SIGXCPU first, not SIGKILL at once
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, most_files);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which reserve terabytes
  limit(RLIMIT_AS, confinement.megabytes << 20U);
#endif
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  keep_from_files();
  return install_filter();
}

}  // namespace callready::platform
