// What Debian 12's headers and static libraries ask of a C library that is older: the portable
// program is linked against Debian 11's (glibc 2.31) and needs none that is newer than 2.28.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
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
double old_log(double);
double old_log2(double);
#ifdef __aarch64__
#define OLDEST "GLIBC_2.17"
#else
#define OLDEST "GLIBC_2.2.5"
#endif
__asm__(".symver old_pow, pow@" OLDEST);
__asm__(".symver old_exp, exp@" OLDEST);
__asm__(".symver old_log, log@" OLDEST);
__asm__(".symver old_log2, log2@" OLDEST);
double __wrap_pow(double base, double exponent) { return old_pow(base, exponent); }
double __wrap_exp(double value) { return old_exp(value); }
double __wrap_log(double value) { return old_log(value); }
double __wrap_log2(double value) { return old_log2(value); }

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
