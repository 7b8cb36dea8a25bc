/*===- program.h - The tables that the compiler writes ------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * lib/Emit/Tables.cpp writes these structs as constants; the runtime executes
 * them. Both must change together.
 *
 *===----------------------------------------------------------------------===*/

#ifndef QCC_LIB_RUNTIME_PROGRAM_H
#define QCC_LIB_RUNTIME_PROGRAM_H

#include "qcc/Runtime/qcc_runtime.h"

/* A buffer: bases[base] + offset. Base 0 is absolute (a constant), 1 the
 * arena, then the inputs, then the outputs. */
struct qcc_ref {
  const char *offset;
  uint64_t base;
};

/* Who runs a step: bits of qcc_step.serial. */
enum {
  QCC_SERIAL_OWN = 1,    /* too little work to wake a thread for */
  QCC_SERIAL_CALLERS = 2 /* too little to ask the caller's parallel_for */
};

/* Tiles [r * tiles, (r + 1) * tiles) are those of round r. They run after all
 * of the round before. */
struct qcc_step {
  void (*body)(void *const *buffers, int64_t begin, int64_t end);
  const struct qcc_ref *refs;
  int64_t tiles;
  int64_t rounds;
  uint32_t num_refs;
  uint32_t serial;
};

struct qcc_level {
  uint64_t features[2]; /* bits of features.def that the code needs */
  const struct qcc_step *steps;
  const struct qcc_ref *tensors;
};

/* A level's name as QCC_ISA spells it, contained in this artefact or not. */
struct qcc_isa_name {
  const char *name;
  uint64_t rank;
};

struct qcc_program {
  qcc_model_info info;
  const struct qcc_level *levels; /* parallel to info.levels */
  const struct qcc_isa_name *names;
  uint32_t num_names;
  uint32_t max_refs; /* of any step */
};

/* Defined by the compiler, in every artefact. */
extern const struct qcc_program qcc_program
    __attribute__((visibility("hidden")));

/* Instance memory besides the arena itself: the compiler adds these to
 * info.arena_bytes (checked by the runtime). */
#define QCC_ALIGNMENT 64
#define QCC_MAX_THREADS 128
#define QCC_MAX_ROUNDS (1 << 20) /* all parts of a step count in 32 bits */
#define QCC_INSTANCE_BYTES 3072
#define QCC_ARENA_TAIL 64
#define QCC_MAX_RANK 16

#endif /* QCC_LIB_RUNTIME_PROGRAM_H */
