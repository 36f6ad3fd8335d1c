#include "probe/platform/child.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <string_view>

extern "C" char** environ;

namespace callready::platform {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    if (read_end >= 0) ::close(read_end);
    if (write_end >= 0) ::close(write_end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static int take(int& end) {
    const int mine = end;
    end = -1;
    return mine;
  }
};

// What the loader, the C library's resolver and sanitizers read.
bool may_be_handed_on(std::string_view variable) {
  constexpr std::string_view beginnings[] = {
      "LD_", "LC_", "LANG=", "TZ=", "ASAN_", "UBSAN_", "LSAN_", "LOCALDOMAIN=", "RES_OPTIONS="};
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view word) { return variable.starts_with(word); });
}

#if defined(__x86_64__)
constexpr unsigned this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned this_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned this_architecture = 0;
#endif

// A list of refusals and not of permissions: what the C library calls differs from one edition to
// the next, and a script that cannot be run would be called broken.
constexpr int forbidden_calls[] = {
    // Programs and other processes.
    SYS_execve,
    SYS_execveat,
    SYS_clone,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,  // not tgkill: abort() needs it
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_unshare,
    SYS_setns,
    // Connections, beside the sockets that are let through below.
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_socketpair,
    // Files, beside those that are opened for reading.
    SYS_unlinkat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_mount,
    SYS_umount2,
    // Ways round all that.
    SYS_bpf,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_perf_event_open,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_renameat,
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
    SYS_link,
    SYS_symlink,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
#endif
};
// These answer as if the system did not know them: their callers go on to the older ones.
constexpr int unknown_calls[] = {SYS_clone3, SYS_openat2, SYS_io_uring_setup};

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0);
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
    constexpr unsigned x32 = 0x4000'0000;  // a second set of calls, of 32 bits
    add(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1);
    refuse(EPERM);
    for (const int call : forbidden_calls) refuse_call(call, EPERM);
    for (const int call : unknown_calls) refuse_call(call, ENOSYS);
    only_for_reading(SYS_openat, 2);
#if defined(__x86_64__)
    only_for_reading(SYS_open, 1);
#endif
    only_datagrams();
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  bool install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  void add(unsigned code, unsigned value, unsigned char yes = 0, unsigned char no = 0) {
    code_.push_back({static_cast<unsigned short>(code), yes, no, value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)); }
  // The lower half, where flags and small numbers are (both architectures are little-endian).
  void load_argument(unsigned number) {
    load(offsetof(seccomp_data, args) + number * sizeof(seccomp_data::args[0]));
  }
  void refuse(int error) { add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)); }
  void refuse_call(int call, int error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1);
    refuse(error);
  }
  void only_for_reading(int call, unsigned flags_argument) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 4);
    load_argument(flags_argument);
    add(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1);
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
  }
  // Datagrams of IP, for DNS; netlink, by which the C library asks for this machine's addresses.
  void only_datagrams() {
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 9);
    load_argument(0);
    add(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 7, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
    refuse(EPERM);
    load_argument(1);
    add(BPF_ALU | BPF_AND | BPF_K, 0xf);
    add(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
    refuse(EPERM);
  }

  std::vector<sock_filter> code_;
};

void limit(int resource, unsigned long value, unsigned long beyond = 0) {
  const rlimit both{value, value + beyond};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

}  // namespace

std::string own_program() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

Child start_child(const std::string& program, const std::vector<std::string>& arguments) {
  Child child;
  Pipe in, out;
  if (in.read_end < 0 || out.read_end < 0) return child;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (may_be_handed_on(*variable)) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  pid_t id = -1;
  const int error =
      ::posix_spawn(&id, program.c_str(), &actions, nullptr, argv.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    return child;
  }
  child.id = id;
  child.input = Pipe::take(in.write_end);
  child.output = Pipe::take(out.read_end);
  return child;
}

ChildEnd end_child(const Child& child) {
  if (!child.started()) return ChildEnd::itself;
  // Until it is waited for the number is its own, so that nobody else is hit.
  ::kill(static_cast<pid_t>(child.id), SIGKILL);
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child.id), &status, 0) < 0) {
    if (errno != EINTR) return ChildEnd::itself;
  }
  if (!WIFSIGNALED(status)) return ChildEnd::itself;
  return WTERMSIG(status) == SIGXCPU ? ChildEnd::out_of_time : ChildEnd::killed;
}

void confine_this_process(const Confinement& confinement) {
  constexpr unsigned long most_files = 32;  // the resolver's: a few at a time
  ::close_range(3, ~0U, 0);
  ::signal(SIGALRM, SIG_DFL);
  ::signal(SIGXCPU, SIG_DFL);
  ::alarm(confinement.seconds);
  limit(RLIMIT_CPU, confinement.processor_seconds, 1);  // SIGXCPU, and not SIGKILL at once
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, most_files);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which reserve terabytes
  limit(RLIMIT_AS, confinement.megabytes << 20U);
#endif
  if (this_architecture != 0) Filter().install();
}

}  // namespace callready::platform
