/*===- runtime.h - Inside of the runtime --------------------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * Freestanding C: no libc, no allocation besides the instance's memory, no
 * mutable globals. Compiled to bitcode per processor family and linked into
 * every artefact by lib/Emit.
 *
 *===----------------------------------------------------------------------===*/

#ifndef QCC_LIB_RUNTIME_RUNTIME_H
#define QCC_LIB_RUNTIME_RUNTIME_H

#include "platform.h"
#include "program.h"

#include <stdbool.h>

/* One word per cache line, where threads meet. */
struct qcc_meeting {
  _Atomic uint32_t value;
  _Atomic uint32_t sleepers;
  char rest[QCC_ALIGNMENT - 8];
};

struct qcc_pool {
  struct qcc_meeting generation; /* counts the steps that were offered */
  struct qcc_meeting pending;    /* parts of the step that are not done */
  /* Of each thread's own parts: generation << 32 | those to be taken. Threads
   * are as far apart as their number allows (see offer_of). */
  _Atomic uint64_t offers[QCC_MAX_THREADS];
  const struct qcc_step *step;
  _Atomic uint32_t parts; /* of each of its rounds */
  _Atomic uint32_t rounds;
  _Atomic uint32_t joined; /* workers that have their number */
  _Atomic uint32_t ended;
  int32_t threads; /* with the caller's */
  unsigned long handles[QCC_MAX_THREADS];
};

struct qcc_instance {
  struct qcc_pool pool;
  const qcc_level_info *info;
  const struct qcc_level *level;
  char **bases;   /* see qcc_ref */
  void **buffers; /* of the step in work */
  char *arena;
  char *staging; /* dense copies of strided tensors; NULL: not accepted */
  qcc_parallel_for parallel_for;
  void *parallel_context;
  void *memory;
  uint64_t memory_bytes;
  bool owns_memory;
  bool has_run;
  _Atomic uint32_t busy;
  char error[256];
};
_Static_assert(sizeof(struct qcc_instance) <= QCC_INSTANCE_BYTES,
               "raise QCC_INSTANCE_BYTES");

/* memory.c */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
uint64_t qcc_round_up(uint64_t value, uint64_t to);
size_t qcc_string_length(const char *s);
bool qcc_same_string(const char *a, const char *b);

/* message.c: builds instance->error piece by piece. */
struct qcc_message {
  char *text;
  size_t used, size;
};
struct qcc_message qcc_begin_error(qcc_instance *instance);
void qcc_add_text(struct qcc_message *m, const char *text);
void qcc_add_number(struct qcc_message *m, int64_t number);
void qcc_add_shape(struct qcc_message *m, const int64_t *shape, int32_t rank);
const char *qcc_dtype_name(int32_t dtype);

/* cpu.c */
void qcc_probe(uint64_t features[2]);
/* Best level; QCC_ERROR_PROCESSOR or QCC_ERROR_ISA if there is none. */
int32_t qcc_choose_level(const char *cap, uint32_t *level);

/* pool.c */
int32_t qcc_count_processors(void);
void qcc_pool_start(qcc_instance *instance, int32_t threads);
void qcc_pool_run(qcc_instance *instance, const struct qcc_step *step);
void qcc_pool_stop(qcc_instance *instance);

/* tensors.c */
uint64_t qcc_element_size(int32_t dtype);
uint64_t qcc_tensor_bytes(const qcc_tensor_info *info);
int32_t qcc_check_shapes(qcc_instance *instance, const qcc_tensor *inputs,
                         uint32_t num_inputs);
int32_t qcc_check_tensors(qcc_instance *instance, const qcc_tensor *inputs,
                          uint32_t num_inputs, const qcc_tensor *outputs,
                          uint32_t num_outputs);
/* Sets the bases; gathers strided inputs. */
void qcc_bind_tensors(qcc_instance *instance, const qcc_tensor *inputs,
                      const qcc_tensor *outputs);
/* Scatters strided outputs. */
void qcc_write_back(qcc_instance *instance, const qcc_tensor *outputs);

#endif /* QCC_LIB_RUNTIME_RUNTIME_H */
