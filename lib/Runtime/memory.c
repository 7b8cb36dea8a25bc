/*===- memory.c - memcpy and its kin, which LLVM may call ---------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

/* Hidden: an artefact neither exports these nor needs libc's. */
#define QCC_LIBCALL __attribute__((visibility("hidden"), used))

typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));

QCC_LIBCALL void *memcpy(void *restrict to, const void *restrict from,
                         size_t size) {
  char *d = to;
  const char *s = from;
  for (; size >= 64; size -= 64, d += 64, s += 64) {
    bytes16 a = *(const bytes16 *)s, b = *(const bytes16 *)(s + 16),
            c = *(const bytes16 *)(s + 32), e = *(const bytes16 *)(s + 48);
    *(bytes16 *)d = a;
    *(bytes16 *)(d + 16) = b;
    *(bytes16 *)(d + 32) = c;
    *(bytes16 *)(d + 48) = e;
  }
  for (; size >= 8; size -= 8, d += 8, s += 8)
    *(word *)d = *(const word *)s;
  for (; size; --size)
    *d++ = *s++;
  return to;
}

QCC_LIBCALL void *memmove(void *to, const void *from, size_t size) {
  char *d = to;
  const char *s = from;
  if ((uintptr_t)d - (uintptr_t)s >= size)
    return memcpy(to, from, size);
  for (; size >= 16; size -= 16) {
    bytes16 a = *(const bytes16 *)(s + size - 16);
    *(bytes16 *)(d + size - 16) = a;
  }
  for (; size; --size)
    d[size - 1] = s[size - 1];
  return to;
}

QCC_LIBCALL void *memset(void *to, int value, size_t size) {
  char *d = to;
  uint8_t b = (uint8_t)value;
  bytes16 v = {b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b};
  for (; size >= 16; size -= 16, d += 16)
    *(bytes16 *)d = v;
  for (; size; --size)
    *d++ = (char)b;
  return to;
}

QCC_LIBCALL int memcmp(const void *a, const void *b, size_t size) {
  const uint8_t *x = a, *y = b;
  for (; size; --size, ++x, ++y)
    if (*x != *y)
      return *x < *y ? -1 : 1;
  return 0;
}

uint64_t qcc_round_up(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

size_t qcc_string_length(const char *s) {
  size_t n = 0;
  while (s[n])
    ++n;
  return n;
}

bool qcc_same_string(const char *a, const char *b) {
  while (*a && *a == *b)
    ++a, ++b;
  return *a == *b;
}
