// What Debian 12's headers and static libraries ask of a C library that is older: the portable
// program is linked against Debian 11's (glibc 2.31) and needs none that is newer than 2.28.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Since glibc 2.35. libgcc finds the tables of an exception's frames by it, and gives up without:
// a stand-in that finds nothing would turn every throw into an abort.
struct search {
  uintptr_t address;
  struct dl_find_object* into;
};

static int look_into(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct search* const search = data;
  int holds = 0;
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* const header = &info->dlpi_phdr[i];
    const uintptr_t start = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_LOAD && search->address - start < header->p_memsz) {
      search->into->dlfo_map_start = (void*)start;
      search->into->dlfo_map_end = (void*)(start + header->p_memsz);
      holds = 1;
    }
    if (header->p_type == PT_GNU_EH_FRAME) search->into->dlfo_eh_frame = (void*)start;
  }
  if (!holds) memset(search->into, 0, sizeof *search->into);
  return holds && search->into->dlfo_eh_frame != NULL;
}

int _dl_find_object(void* address, struct dl_find_object* result) {
  memset(result, 0, sizeof *result);
  struct search search = {(uintptr_t)address, result};
  return dl_iterate_phdr(&look_into, &search) == 1 ? 0 : -1;
}

// Since glibc 2.32. "May have more than one thread" is always right.
char __libc_single_threaded = 0;

// Since glibc 2.29 these do not set errno by way of a wrapper; the older ones compute the same.
double old_pow(double, double);
double old_exp(double);
double old_exp2(double);
double old_log(double);
double old_log2(double);
#ifdef __aarch64__
#define OLDEST "GLIBC_2.17"
#else
#define OLDEST "GLIBC_2.2.5"
#endif
__asm__(".symver old_pow, pow@" OLDEST);
__asm__(".symver old_exp, exp@" OLDEST);
__asm__(".symver old_exp2, exp2@" OLDEST);
__asm__(".symver old_log, log@" OLDEST);
__asm__(".symver old_log2, log2@" OLDEST);
double __wrap_pow(double base, double exponent) { return old_pow(base, exponent); }
double __wrap_exp(double value) { return old_exp(value); }
double __wrap_exp2(double value) { return old_exp2(value); }
double __wrap_log(double value) { return old_log(value); }
double __wrap_log2(double value) { return old_log2(value); }

static const long second = 1000000000;  // in nanoseconds

// Since glibc 2.30: std::condition_variable waits for a time of the steady clock with it. Here it
// waits by the wall clock for what is left, and for one second at most: after that it wakes as if
// by chance (POSIX allows it), so that a wall clock that is set back makes no wait longer.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* until) {
  struct timespec now, wall;
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &wall);
  const time_t whole = until->tv_sec - now.tv_sec;
  long left = whole > 2    ? 2 * second
              : whole < -1 ? 0
                           : whole * second + until->tv_nsec - now.tv_nsec;
  if (left < 0) left = 0;
  const int last = left <= second;
  if (!last) left = second;
  wall.tv_sec += (wall.tv_nsec + left) / second;
  wall.tv_nsec = (wall.tv_nsec + left) % second;
  const int result = pthread_cond_timedwait(condition, mutex, &wall);
  return result == ETIMEDOUT && !last ? 0 : result;
}

// Since glibc 2.36. The kernel's own, or none: a weaker one would go into transaction ids.
void arc4random_buf(void* buffer, size_t size) {
  for (size_t filled = 0; filled < size;) {
    const ssize_t got = getrandom((char*)buffer + filled, size - filled, 0);
    if (got < 0 && errno != EINTR) abort();
    if (got > 0) filled += (size_t)got;
  }
}

uint32_t arc4random(void) {
  uint32_t value;
  arc4random_buf(&value, sizeof value);
  return value;
}

// Since glibc 2.34; the kernel says ENOSYS where it is older than that, and GLib then closes one by
// one.
int close_range(unsigned first, unsigned last, int flags) {
  return (int)syscall(SYS_close_range, first, last, flags);
}
