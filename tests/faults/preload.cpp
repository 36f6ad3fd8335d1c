// Calls of the system that fail on purpose: preloaded into the program (LD_PRELOAD), as SQLite and
// curl do it. CALLREADY_FAULT says which and when:
//   allocation:7          the seventh allocation, and no other
//   write:%40:3           one of forty, drawn by seed 3
// What counts under each name is in `Kind`. CALLREADY_FAULT_COUNT names a file of two numbers (64
// bits each) that count the calls and those that failed, however the program ends.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>

namespace {

enum class Kind {
  none,
  allocation,  // malloc and its relatives
  write,       // to files and pipes
  send,        // to sockets
  receive,     // from sockets
  spawn,       // threads, processes, pipes
  open,        // files and sockets
  read,        // from files and pipes
  setup,       // what a socket is told: to whom, from where, its options
};
constexpr const char* names[] = {"",      "allocation", "write", "send", "receive",
                                 "spawn", "open",       "read",  "setup"};

struct Counts {
  std::atomic<std::uint64_t> calls, failed;
};

struct Plan {
  Kind kind = Kind::none;
  std::uint64_t number = 0;  // of the one call that fails
  std::uint64_t one_of = 0;  // else one of so many
  std::uint64_t seed = 0;
  Counts own{};
  Counts* counts = &own;
};

Plan& plan() {
  static Plan made;
  return made;
}

std::atomic<bool> ready{false};

// The n-th value of a sequence that is as good as random (splitmix64).
std::uint64_t drawn(std::uint64_t n) {
  n += 0x9e3779b97f4a7c15U;
  n = (n ^ (n >> 30U)) * 0xbf58476d1ce4e5b9U;
  n = (n ^ (n >> 27U)) * 0x94d049bb133111ebU;
  return n ^ (n >> 31U);
}

bool fails(Kind kind) {
  if (!ready.load(std::memory_order_acquire) || plan().kind != kind) return false;
  const auto call = ++plan().counts->calls;
  const bool now = plan().one_of > 0 ? drawn(plan().seed * 1'000'003U + call) % plan().one_of == 0
                                     : call == plan().number;
  if (now) ++plan().counts->failed;
  return now;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void begin() {
  const char* text = std::getenv("CALLREADY_FAULT");
  if (text == nullptr) return;
  auto& made = plan();
  const char* colon = std::strchr(text, ':');
  if (colon == nullptr) return;
  for (int i = 1; i < static_cast<int>(std::size(names)); ++i) {
    const auto size = static_cast<std::size_t>(colon - text);
    if (std::strlen(names[i]) == size && std::strncmp(names[i], text, size) == 0) {
      made.kind = static_cast<Kind>(i);
    }
  }
  if (colon[1] == '%') {
    char* end = nullptr;
    made.one_of = std::strtoull(colon + 2, &end, 10);
    if (*end == ':') made.seed = std::strtoull(end + 1, nullptr, 10);
  } else {
    made.number = std::strtoull(colon + 1, nullptr, 10);
  }
  if (const char* file = std::getenv("CALLREADY_FAULT_COUNT")) {
    const int counts = ::open(file, O_RDWR | O_CLOEXEC);
    void* memory =
        counts < 0 ? MAP_FAILED
                   : ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, counts, 0);
    if (memory != MAP_FAILED) made.counts = static_cast<Counts*>(memory);
    if (counts >= 0) ::close(counts);
  }
  ready.store(true, std::memory_order_release);
}

}  // namespace

// NOLINTBEGIN: the system's own names.
extern "C" {

#if !defined(CALLREADY_FAULTS_BY_NEW)
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  if (fails(Kind::allocation)) return errno = ENOMEM, nullptr;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  if (fails(Kind::allocation)) return errno = ENOMEM, nullptr;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  if (size > 0 && fails(Kind::allocation)) return errno = ENOMEM, nullptr;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (fails(Kind::allocation)) return errno = ENOMEM, nullptr;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** place, std::size_t alignment, std::size_t size) {
  if (fails(Kind::allocation)) return ENOMEM;
  *place = __libc_memalign(alignment, size);
  return *place == nullptr ? ENOMEM : 0;
}
#endif

ssize_t write(int file, const void* bytes, std::size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  if (fails(Kind::write)) return errno = ENOSPC, -1;
  return real(file, bytes, size);
}
std::size_t fwrite(const void* bytes, std::size_t size, std::size_t count, FILE* file) {
  static const auto real =
      next<std::size_t (*)(const void*, std::size_t, std::size_t, FILE*)>("fwrite");
  if (fails(Kind::write)) return errno = ENOSPC, 0;
  return real(bytes, size, count, file);
}
int fflush(FILE* file) {
  static const auto real = next<int (*)(FILE*)>("fflush");
  if (fails(Kind::write)) return errno = ENOSPC, EOF;
  return real(file);
}

ssize_t send(int socket, const void* bytes, std::size_t size, int flags) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t, int)>("send");
  if (fails(Kind::send)) return errno = ENOBUFS, -1;
  return real(socket, bytes, size, flags);
}
ssize_t sendto(int socket, const void* bytes, std::size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  static const auto real =
      next<ssize_t (*)(int, const void*, std::size_t, int, const sockaddr*, socklen_t)>("sendto");
  if (fails(Kind::send)) return errno = ENOBUFS, -1;
  return real(socket, bytes, size, flags, to, length);
}
ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static const auto real = next<ssize_t (*)(int, const msghdr*, int)>("sendmsg");
  if (fails(Kind::send)) return errno = ENOBUFS, -1;
  return real(socket, message, flags);
}
ssize_t writev(int file, const iovec* pieces, int count) {
  static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
  if (fails(Kind::send)) return errno = ENOBUFS, -1;
  return real(file, pieces, count);
}

ssize_t recv(int socket, void* bytes, std::size_t size, int flags) {
  static const auto real = next<ssize_t (*)(int, void*, std::size_t, int)>("recv");
  if (fails(Kind::receive)) return errno = ECONNRESET, -1;
  return real(socket, bytes, size, flags);
}
ssize_t recvfrom(int socket, void* bytes, std::size_t size, int flags, sockaddr* from,
                 socklen_t* length) {
  static const auto real =
      next<ssize_t (*)(int, void*, std::size_t, int, sockaddr*, socklen_t*)>("recvfrom");
  if (fails(Kind::receive)) return errno = ENOMEM, -1;
  return real(socket, bytes, size, flags, from, length);
}
ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static const auto real = next<ssize_t (*)(int, msghdr*, int)>("recvmsg");
  if (fails(Kind::receive)) return errno = ENOMEM, -1;
  return real(socket, message, flags);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  static const auto real =
      next<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  if (fails(Kind::spawn)) return EAGAIN;
  return real(thread, attributes, start, argument);
}
int posix_spawn(pid_t* id, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const words[], char* const variables[]) {
  static const auto real =
      next<int (*)(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                   char* const[], char* const[])>("posix_spawn");
  if (fails(Kind::spawn)) return EAGAIN;
  return real(id, path, actions, attributes, words, variables);
}
int pipe2(int ends[2], int flags) {
  static const auto real = next<int (*)(int[2], int)>("pipe2");
  if (fails(Kind::spawn)) return errno = EMFILE, -1;
  return real(ends, flags);
}

int socket(int family, int type, int protocol) {
  static const auto real = next<int (*)(int, int, int)>("socket");
  if (fails(Kind::open)) return errno = EMFILE, -1;
  return real(family, type, protocol);
}
ssize_t read(int file, void* bytes, std::size_t size) {
  static const auto real = next<ssize_t (*)(int, void*, std::size_t)>("read");
  if (fails(Kind::read)) return errno = EIO, -1;
  return real(file, bytes, size);
}
int connect(int socket, const sockaddr* to, socklen_t length) {
  static const auto real = next<int (*)(int, const sockaddr*, socklen_t)>("connect");
  if (fails(Kind::setup)) return errno = EADDRNOTAVAIL, -1;
  return real(socket, to, length);
}
int bind(int socket, const sockaddr* address, socklen_t length) {
  static const auto real = next<int (*)(int, const sockaddr*, socklen_t)>("bind");
  if (fails(Kind::setup)) return errno = EADDRINUSE, -1;
  return real(socket, address, length);
}
int getsockname(int socket, sockaddr* address, socklen_t* length) {
  static const auto real = next<int (*)(int, sockaddr*, socklen_t*)>("getsockname");
  if (fails(Kind::setup)) return errno = ENOBUFS, -1;
  return real(socket, address, length);
}
int setsockopt(int socket, int level, int name, const void* value, socklen_t length) {
  static const auto real = next<int (*)(int, int, int, const void*, socklen_t)>("setsockopt");
  // Linux before 5.7 lets only root choose an interface.
  if (fails(Kind::setup)) return errno = name == SO_BINDTODEVICE ? EPERM : ENOBUFS, -1;
  return real(socket, level, name, value, length);
}

FILE* fopen(const char* path, const char* mode) {
  static const auto real = next<FILE* (*)(const char*, const char*)>("fopen");
  if (fails(Kind::open)) return errno = EMFILE, nullptr;
  return real(path, mode);
}
int epoll_ctl(int set, int operation, int file, void* event) {
  static const auto real = next<int (*)(int, int, int, void*)>("epoll_ctl");
  constexpr int add = 1;  // EPOLL_CTL_ADD
  if (operation == add && fails(Kind::open)) return errno = ENOSPC, -1;
  return real(set, operation, file, event);
}
}

#if defined(CALLREADY_FAULTS_BY_NEW)
void* operator new(std::size_t size) {
  static const auto real = next<void* (*)(std::size_t)>("_Znwm");
  if (fails(Kind::allocation)) {
    if (const auto handler = std::get_new_handler()) handler();
    throw std::bad_alloc();
  }
  return real(size);
}
#endif
// NOLINTEND
