//===- Peak.cpp - What a processor core can do at most --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each loop body is a dozen independent multiply-adds, enough to hide the
// latency. They are assembly, so that this file needs no level's flags and the
// compiler cannot simplify them.
//
//===----------------------------------------------------------------------===//

#include "Peak.h"

#include "qcc/Runtime/qcc_runtime.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace {
struct Loop {
  const char *level;
  int32_t dtype;
  int64_t macs; ///< of one body
  void (*run)(int64_t bodies);
};
} // namespace

#define TWELVE(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)

#if defined(__x86_64__)

#define CLOBBERS                                                               \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",      \
      "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

// Registers are zeroed first: denormal numbers would be slow.
#define ZERO_SSE(I) "pxor %%xmm" #I ", %%xmm" #I "\n"
#define ZERO_AVX(I) "vpxor %%xmm" #I ", %%xmm" #I ", %%xmm" #I "\n"
#define LOOP(NAME, ZERO, BODY)                                                 \
  static void NAME(int64_t bodies) {                                           \
    __asm__ volatile(TWELVE(ZERO) ZERO(12) ZERO(13)                            \
                         ZERO(14) "1:\n" TWELVE(BODY) "dec %0\njnz 1b\n"       \
                     : "+r"(bodies)                                            \
                     :                                                         \
                     : CLOBBERS, "cc");                                        \
  }

#define SSE_I8(I) "pmaddwd %%xmm12, %%xmm13\npaddd %%xmm13, %%xmm" #I "\n"
#define SSE_F32(I) "mulps %%xmm12, %%xmm13\naddps %%xmm13, %%xmm" #I "\n"
#define AVX2_I8(I)                                                             \
  "vpmaddwd %%ymm12, %%ymm13, %%ymm14\nvpaddd %%ymm14, %%ymm" #I ", %%ymm" #I  \
  "\n"
#define AVX2_F32(I) "vfmadd231ps %%ymm12, %%ymm13, %%ymm" #I "\n"
#define AVXVNNI_I8(I) "%{vex%} vpdpbusd %%ymm12, %%ymm13, %%ymm" #I "\n"
#define AVX512_I8(I) "vpdpbusd %%zmm12, %%zmm13, %%zmm" #I "\n"
#define AVX512_F32(I) "vfmadd231ps %%zmm12, %%zmm13, %%zmm" #I "\n"

LOOP(sseI8, ZERO_SSE, SSE_I8)
LOOP(sseF32, ZERO_SSE, SSE_F32)
LOOP(avx2I8, ZERO_AVX, AVX2_I8)
LOOP(avx2F32, ZERO_AVX, AVX2_F32)
LOOP(avxVnniI8, ZERO_AVX, AVXVNNI_I8)
LOOP(avx512I8, ZERO_AVX, AVX512_I8)
LOOP(avx512F32, ZERO_AVX, AVX512_F32)

/// Four accumulators, two tiles of each operand. The artefact has asked the
/// system for the tile registers when it chose this level.
static void amxI8(int64_t bodies) {
  alignas(64) uint8_t config[64] = {1};
  for (unsigned tile = 0; tile < 8; ++tile) {
    config[16 + 2 * tile] = 64; // bytes per row
    config[48 + tile] = 16;     // rows
  }
  __asm__ volatile("ldtilecfg %1\n"
                   "tilezero %%tmm0\ntilezero %%tmm1\ntilezero %%tmm2\n"
                   "tilezero %%tmm3\ntilezero %%tmm4\ntilezero %%tmm5\n"
                   "tilezero %%tmm6\ntilezero %%tmm7\n"
                   "1:\n"
                   "tdpbusd %%tmm6, %%tmm4, %%tmm0\n"
                   "tdpbusd %%tmm7, %%tmm4, %%tmm1\n"
                   "tdpbusd %%tmm6, %%tmm5, %%tmm2\n"
                   "tdpbusd %%tmm7, %%tmm5, %%tmm3\n"
                   "dec %0\njnz 1b\n"
                   "tilerelease\n"
                   : "+r"(bodies)
                   : "m"(config)
                   : "cc", "memory");
}

static const Loop loops[] = {
    {"baseline", QCC_I8, 12 * 8, sseI8},
    {"baseline", QCC_F32, 12 * 4, sseF32},
    {"avx2", QCC_I8, 12 * 16, avx2I8},
    {"avx2", QCC_F32, 12 * 8, avx2F32},
    {"avx-vnni", QCC_I8, 12 * 32, avxVnniI8},
    {"avx-vnni", QCC_F32, 12 * 8, avx2F32},
    {"avx512-vnni", QCC_I8, 12 * 64, avx512I8},
    {"avx512-vnni", QCC_F32, 12 * 16, avx512F32},
    {"amx", QCC_I8, 4 * 16 * 16 * 64, amxI8},
    {"amx", QCC_F32, 12 * 16, avx512F32},
};

#elif defined(__aarch64__)

#define CLOBBERS                                                               \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",    \
      "v12", "v13", "v14"
#define ZERO(I) "movi v" #I ".4s, #0\n"
#define LOOP(NAME, BODY)                                                       \
  static void NAME(int64_t bodies) {                                           \
    __asm__ volatile(".arch_extension dotprod\n" TWELVE(ZERO) ZERO(12) ZERO(   \
                         13) "1:\n" TWELVE(BODY) "subs %0, %0, #1\nb.ne 1b\n"  \
                     : "+r"(bodies)                                            \
                     :                                                         \
                     : CLOBBERS, "cc");                                        \
  }
#define NEON_I8(I) "smull v14.8h, v12.8b, v13.8b\nsadalp v" #I ".4s, v14.8h\n"
#define NEON_F32(I) "fmla v" #I ".4s, v12.4s, v13.4s\n"
#define DOTPROD_I8(I) "sdot v" #I ".4s, v12.16b, v13.16b\n"

LOOP(neonI8, NEON_I8)
LOOP(neonF32, NEON_F32)
LOOP(dotprodI8, DOTPROD_I8)

static const Loop loops[] = {
    {"neon", QCC_I8, 12 * 8, neonI8},
    {"neon", QCC_F32, 12 * 4, neonF32},
    {"dotprod", QCC_I8, 12 * 16, dotprodI8},
    {"dotprod", QCC_F32, 12 * 4, neonF32},
};

#else
static const Loop loops[] = {{"", 0, 0, nullptr}};
#endif

static double seconds(const Loop &loop, int64_t bodies) {
  auto start = std::chrono::steady_clock::now();
  loop.run(bodies);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return time.count();
}

double qcc::measurePeak(const char *level, int32_t dtype) {
  for (const Loop &loop : loops) {
    if (loop.dtype != dtype || std::strcmp(loop.level, level) != 0)
      continue;
    int64_t bodies = 1 << 12;
    while (seconds(loop, bodies) < 1e-3 && bodies < (int64_t(1) << 40))
      bodies *= 2;
    double least = seconds(loop, bodies);
    for (int i = 0; i < 12; ++i)
      least = std::min(least, seconds(loop, bodies));
    return double(bodies) * double(loop.macs) / least;
  }
  return 0;
}
