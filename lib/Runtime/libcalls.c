/*===- libcalls.c - Arithmetic that LLVM may call instead of emitting *- C
 * -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

#define QCC_LIBCALL __attribute__((visibility("hidden"), used))

/* Conversions of half precision, where the processor has no instruction. They
 * take and return what LLVM's calls of these names do: _Float16 in a float
 * register. */

static float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31,
           fraction = h & 0x3ff, bits;
  if (exponent == 31) { /* infinity, or a NaN made quiet */
    bits = 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0);
  } else if (exponent) {
    bits = (exponent + 112) << 23 | fraction << 13;
  } else {
    float small = (float)fraction * 0x1p-24f;
    return __builtin_bit_cast(float,
                              __builtin_bit_cast(uint32_t, small) | sign);
  }
  return __builtin_bit_cast(float, bits | sign);
}

/* Rounds a magnitude of `bits` significand below a float format of `drop`
 * fewer bits: ties to even. */
static uint32_t round_shift(uint32_t value, unsigned drop) {
  uint32_t half = 1u << (drop - 1), rest = value & ((1u << drop) - 1);
  uint32_t result = value >> drop;
  return result + (rest > half || (rest == half && (result & 1)));
}

static uint16_t float_to_half(float f) {
  uint32_t bits = __builtin_bit_cast(uint32_t, f);
  uint16_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return sign | 0x7e00 | (bits >> 13 & 0x3ff);
  if (bits >= 0x47800000) /* 2^16 and above */
    return sign | 0x7c00;
  uint32_t exponent = bits >> 23;
  if (exponent >= 113) /* normal; rounding may carry up to infinity */
    return sign | (uint16_t)round_shift(bits - (112u << 23), 13);
  if (exponent < 102) /* below half of the smallest */
    return sign;
  return sign |
         (uint16_t)round_shift((bits & 0x7fffff) | 0x800000, 126 - exponent);
}

QCC_LIBCALL float __extendhfsf2(_Float16 h) {
  return half_to_float(__builtin_bit_cast(uint16_t, h));
}

QCC_LIBCALL _Float16 __truncsfhf2(float f) {
  return __builtin_bit_cast(_Float16, float_to_half(f));
}

/* Rounding to float first, to odd, keeps the second rounding exact. */
QCC_LIBCALL _Float16 __truncdfhf2(double d) {
  uint64_t bits = __builtin_bit_cast(uint64_t, d);
  uint64_t magnitude = bits & 0x7fffffffffffffffull;
  uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000, f;
  if (magnitude > 0x7ff0000000000000ull)
    f = 0x7fc00000;
  else if (magnitude >= 0x47f0000000000000ull) /* 2^128 and above */
    f = 0x7f800000;
  else if (magnitude < 0x3810000000000000ull) /* far below the smallest half */
    f = 0;
  else
    f = (uint32_t)((magnitude - (896ull << 52)) >> 29) |
        ((magnitude & 0x1fffffff) != 0);
  return __truncsfhf2(__builtin_bit_cast(float, f | sign));
}

static const uint64_t hidden_bit = 1ull << 52;

/* The significand of a finite number above 0, with the hidden bit, and its
 * exponent as a normal number would have it. */
static uint64_t significand(uint64_t bits, int64_t *exponent) {
  uint64_t m = bits & (hidden_bit - 1);
  *exponent = (int64_t)(bits >> 52);
  if (*exponent)
    return m | hidden_bit;
  for (*exponent = 1; m < hidden_bit; --*exponent)
    m <<= 1;
  return m;
}

/* Remainders of the sign of x, exact: C's fmod. */
QCC_LIBCALL double fmod(double x, double y) {
  uint64_t a = __builtin_bit_cast(uint64_t, x) & 0x7fffffffffffffffull;
  uint64_t b = __builtin_bit_cast(uint64_t, y) & 0x7fffffffffffffffull;
  uint64_t sign = __builtin_bit_cast(uint64_t, x) & 0x8000000000000000ull;
  const uint64_t infinity = 0x7ff0000000000000ull;
  if (!b || a >= infinity || b > infinity)
    return (x * y) / (x * y);
  if (a < b)
    return x;
  int64_t ea, eb;
  uint64_t ma = significand(a, &ea), mb = significand(b, &eb);
  for (;; --ea) {
    if (ma >= mb)
      ma -= mb;
    if (ea == eb || !ma)
      break;
    ma <<= 1;
  }
  if (!ma)
    return __builtin_bit_cast(double, sign);
  for (; ma < hidden_bit; --ea)
    ma <<= 1;
  uint64_t bits = ea > 0 ? (ma - hidden_bit) | (uint64_t)ea << 52
                         : ma >> (1 - ea); /* exact: y has no more bits */
  return __builtin_bit_cast(double, bits | sign);
}

/* Exact in double, and thus in float: the result has no more bits than y. */
QCC_LIBCALL float fmodf(float x, float y) { return (float)fmod(x, y); }
