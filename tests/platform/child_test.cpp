// What a confined child may and may not do.
#include "probe/platform/child.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iterator>

namespace callready {
namespace {

// The exit status of a process of its own that confines itself and then does this; -1: a signal.
int confined(const std::function<int()>& deed) {
  const pid_t child = fork();
  if (child == 0) {
    platform::Confinement confinement;
    confinement.seconds = 20;
    confinement.processor_seconds = 5;
    confinement.megabytes = 1'024;
    _exit(platform::confine_this_process(confinement) ? deed() : 99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int error_of(int result) { return result < 0 ? errno : 0; }

bool has_seccomp() {
#if defined(__x86_64__) || defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

TEST(Confinement, LeavesWhatAScriptNeeds) {
  EXPECT_EQ(confined([] { return error_of(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }), 0);
  EXPECT_EQ(confined([] { return error_of(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)); }), 0);
  EXPECT_EQ(confined([] { return error_of(open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC)); }), 0);
  // A question over UDP gets out.
  const int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(server, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(confined([&] {
              const int client = socket(AF_INET, SOCK_DGRAM, 0);
              const auto sent =
                  sendto(client, "?", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
              return error_of(static_cast<int>(sent));
            }),
            0);
  char byte = 0;
  EXPECT_EQ(recv(server, &byte, 1, MSG_DONTWAIT), 1);
  close(server);
}

TEST(Confinement, TakesTheRest) {
  if (!has_seccomp()) GTEST_SKIP() << "no filter for this architecture";
  EXPECT_EQ(confined([] { return error_of(socket(AF_INET, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(socket(AF_INET6, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(socket(AF_UNIX, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(socket(AF_INET, SOCK_RAW, 1)); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(open("/dev/null", O_WRONLY)); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(open("/tmp", O_TMPFILE | O_RDWR, 0600)); }), EPERM);
  EXPECT_EQ(confined([] {
              char name[] = "/bin/true";
              char* const argv[] = {name, nullptr};
              return error_of(execv(name, argv));
            }),
            EPERM);
  EXPECT_EQ(confined([] { return error_of(fork()); }), EPERM);
  EXPECT_EQ(confined([] { return error_of(kill(getppid(), 0)); }), EPERM);
}

// What an engine that was taken over would try. Each of it worked, or could have, under a list of
// what is refused.
TEST(Confinement, LetsNobodyReachTheParent) {
  if (!has_seccomp()) GTEST_SKIP() << "no filter for this architecture";
  const auto parent = getpid();
  const auto of_parent = [&](const char* name) {
    return "/proc/" + std::to_string(parent) + '/' + name;
  };
  for (const auto* name : {"environ", "mem", "maps", "cmdline"}) {
    EXPECT_NE(confined([&] { return error_of(open(of_parent(name).c_str(), O_RDONLY)); }), 0)
        << name;
  }
  EXPECT_EQ(confined([&] { return error_of(kill(parent, SIGTERM)); }), EPERM);
  EXPECT_EQ(confined([&] {
              return error_of(static_cast<int>(syscall(SYS_tgkill, parent, parent, SIGTERM)));
            }),
            EPERM);
  EXPECT_EQ(confined([&] {
              return error_of(static_cast<int>(ptrace(PTRACE_ATTACH, parent, nullptr, nullptr)));
            }),
            EPERM);
  EXPECT_EQ(confined([&] { return error_of(setpriority(PRIO_PROCESS, 0, 5)); }), EPERM);
  char typed = 'x';
  EXPECT_EQ(confined([&] { return error_of(ioctl(STDIN_FILENO, TIOCSTI, &typed)); }), EPERM);
  for (const long call : {SYS_process_vm_readv, SYS_pidfd_open, SYS_mount, SYS_unshare, SYS_bpf,
                          SYS_keyctl, SYS_memfd_create, SYS_shmget, SYS_socketpair, SYS_chdir,
                          SYS_fchmod, SYS_utimensat, SYS_setxattr, SYS_mq_open, SYS_inotify_init1,
                          SYS_prctl, SYS_setrlimit, SYS_epoll_create1, SYS_name_to_handle_at}) {
    EXPECT_EQ(confined([&] { return error_of(static_cast<int>(syscall(call, 0, 0, 0, 0))); }),
              EPERM)
        << call;
  }
}

TEST(Confinement, ReadsNothingOfTheUsers) {
  landlock_ruleset_attr none{};
  const bool landlock =
      syscall(SYS_landlock_create_ruleset, &none, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
  if (!landlock) GTEST_SKIP() << "this kernel has no Landlock";
  char secret[] = "/tmp/callready-secret-XXXXXX";
  const int file = mkstemp(secret);
  ASSERT_GE(file, 0);
  EXPECT_EQ(confined([&] { return error_of(open(secret, O_RDONLY)); }), EACCES);
  EXPECT_EQ(confined([] { return error_of(open("/root", O_RDONLY | O_DIRECTORY)); }), EACCES);
  EXPECT_EQ(confined([] { return error_of(open("/etc/hosts", O_RDONLY)); }), 0);
  close(file);
  unlink(secret);
}

TEST(Children, HaveASessionOfTheirOwn) {
  const auto child = platform::start_child("/bin/cat", {});
  ASSERT_TRUE(child.started());
  EXPECT_EQ(getsid(static_cast<pid_t>(child.id)), static_cast<pid_t>(child.id));
  EXPECT_NE(getpgid(static_cast<pid_t>(child.id)), getpgrp());
  close(child.input);
  close(child.output);
  platform::end_child(child);
}

TEST(Confinement, InheritsNoDescriptor) {
  const int mine = open("/etc/passwd", O_RDONLY);
  ASSERT_GE(mine, 3);
  EXPECT_EQ(confined([&] { return error_of(fcntl(mine, F_GETFD)); }), EBADF);
  close(mine);
}

TEST(Confinement, EndsWhatComputesForever) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t id = fork();
  if (id == 0) {
    dup2(ends[1], STDOUT_FILENO);
    platform::Confinement confinement;
    confinement.seconds = 30;
    confinement.processor_seconds = 1;
    confinement.megabytes = 1'024;
    const volatile bool for_ever = platform::confine_this_process(confinement);
    while (for_ever) {
    }
    _exit(99);
  }
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0) << "until it has ended";
  close(ends[0]);
  platform::Child child;
  child.id = id;
  EXPECT_EQ(platform::end_child(child), platform::ChildEnd::out_of_time);
}

TEST(Children, GetNoSecrets) {
  setenv("CALLREADY_TURN_PASSWORD", "secret", 1);
  setenv("RES_OPTIONS", "attempts:1", 1);
  const auto child = platform::start_child("/usr/bin/env", {});
  ASSERT_TRUE(child.started());
  close(child.input);
  std::string seen;
  char buffer[4'096];
  for (ssize_t size = 0; (size = read(child.output, buffer, sizeof buffer)) > 0;) {
    seen.append(buffer, static_cast<std::size_t>(size));
  }
  close(child.output);
  platform::end_child(child);
  unsetenv("CALLREADY_TURN_PASSWORD");
  unsetenv("RES_OPTIONS");
  EXPECT_EQ(seen.find("secret"), std::string::npos);
  EXPECT_NE(seen.find("RES_OPTIONS=attempts:1"), std::string::npos);
}

// A kernel that takes no filter: here one that another filter forbids to take more.
TEST(Confinement, SaysThatItCouldNotBeHad) {
  const pid_t child = fork();
  if (child == 0) {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(rules), rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      _exit(2);
    }
    _exit(platform::confine_this_process({}) ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

// Who starts callready may have it inherit "ignore SIGCHLD": then the kernel keeps no status.
TEST(Child, WhoseStatusIsLostHasNotSucceeded) {
  signal(SIGCHLD, SIG_IGN);
  const auto child = platform::start_child("/bin/false", {});
  ASSERT_TRUE(child.started());
  std::optional<int> status;
  for (int i = 0; i < 1'000 && !status; ++i) {
    usleep(10'000);
    status = platform::exit_status(child);
  }
  signal(SIGCHLD, SIG_DFL);
  close(child.input);
  close(child.output);
  EXPECT_EQ(status, -1);
}

}  // namespace
}  // namespace callready
