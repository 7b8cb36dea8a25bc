/*===- platform.h - System calls and processor state --------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * All that differs between processor families.
 *
 *===----------------------------------------------------------------------===*/

#ifndef QCC_LIB_RUNTIME_PLATFORM_H
#define QCC_LIB_RUNTIME_PLATFORM_H

#include <stdint.h>

#if defined(__x86_64__)

enum {
  QCC_SYS_READ = 0,
  QCC_SYS_CLOSE = 3,
  QCC_SYS_MMAP = 9,
  QCC_SYS_MUNMAP = 11,
  QCC_SYS_SIGPROCMASK = 14,
  QCC_SYS_MADVISE = 28,
  QCC_SYS_ARCH_PRCTL = 158,
  QCC_SYS_FUTEX = 202,
  QCC_SYS_SCHED_GETAFFINITY = 204,
  QCC_SYS_CLOCK_GETTIME = 228,
  QCC_SYS_OPENAT = 257
};

static inline long qcc_syscall(long number, long a, long b, long c, long d,
                               long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                     "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static inline void qcc_pause(void) { __builtin_ia32_pause(); }

/* Round to nearest even, no flush to zero, no traps. */
#define QCC_DEFAULT_FLOAT_STATE 0x1f80u
static inline uint64_t qcc_get_float_state(void) {
  return __builtin_ia32_stmxcsr();
}
static inline void qcc_set_float_state(uint64_t state) {
  __builtin_ia32_ldmxcsr((unsigned)state);
}

#elif defined(__aarch64__)

enum {
  QCC_SYS_OPENAT = 56,
  QCC_SYS_CLOSE = 57,
  QCC_SYS_READ = 63,
  QCC_SYS_FUTEX = 98,
  QCC_SYS_CLOCK_GETTIME = 113,
  QCC_SYS_SCHED_GETAFFINITY = 123,
  QCC_SYS_SIGPROCMASK = 135,
  QCC_SYS_MUNMAP = 215,
  QCC_SYS_MMAP = 222,
  QCC_SYS_MADVISE = 233
};

static inline long qcc_syscall(long number, long a, long b, long c, long d,
                               long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

static inline void qcc_pause(void) { __asm__ volatile("isb" ::: "memory"); }

#define QCC_DEFAULT_FLOAT_STATE 0u
static inline uint64_t qcc_get_float_state(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
static inline void qcc_set_float_state(uint64_t state) {
  __asm__ volatile("msr fpcr, %0" : : "r"(state) : "memory");
}

#else
#error "add this processor family"
#endif

/* Linux, the same on all processor families. */
enum {
  QCC_AT_FDCWD = -100,
  QCC_O_CLOEXEC = 02000000,
  QCC_PROT_READ_WRITE = 3,
  QCC_MAP_PRIVATE_ANONYMOUS = 0x22,
  QCC_MADV_HUGEPAGE = 14,
  QCC_MADV_POPULATE_WRITE = 23,
  QCC_FUTEX_WAIT_PRIVATE = 128,
  QCC_FUTEX_WAKE_PRIVATE = 129,
  QCC_CLOCK_MONOTONIC = 1
};

static inline uint64_t qcc_nanoseconds(void) {
  int64_t time[2] = {0, 0};
  qcc_syscall(QCC_SYS_CLOCK_GETTIME, QCC_CLOCK_MONOTONIC, (long)time, 0, 0, 0,
              0);
  return (uint64_t)time[0] * 1000000000u + (uint64_t)time[1];
}

static inline long qcc_open(const char *path) {
  return qcc_syscall(QCC_SYS_OPENAT, QCC_AT_FDCWD, (long)path, QCC_O_CLOEXEC, 0,
                     0, 0);
}
static inline long qcc_read(long file, void *to, unsigned long size) {
  return qcc_syscall(QCC_SYS_READ, file, (long)to, (long)size, 0, 0, 0);
}
static inline void qcc_close(long file) {
  qcc_syscall(QCC_SYS_CLOSE, file, 0, 0, 0, 0, 0);
}

#endif /* QCC_LIB_RUNTIME_PLATFORM_H */
