/*===- qcc_runtime.h - The C interface of a compiled model --------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * Every artefact that qcc writes exports these functions, with the prefix that
 * -prefix gave ("qcc_" if none), so that several models fit in one program:
 *
 *   PREFIXget_api        all of the functions below in one table (for dlopen)
 *   PREFIXdescribe       what the model is: inputs, outputs, levels, memory
 *   PREFIXcreate         an instance: its memory and its threads
 *   PREFIXinspect        the level that was chosen, threads, memory
 *   PREFIXoutput_shapes  shapes of the outputs for given shapes of the inputs
 *   PREFIXrun            one inference
 *   PREFIXprofile        one inference, with the time of every step
 *   PREFIXget_tensor     an intermediate tensor of the last run (-keep-tensors)
 *   PREFIXdestroy        ends the threads and frees the memory
 *   PREFIXlast_error     what went wrong last, in words
 *   PREFIXstatus_text    what a status means in general
 *
 * A first program:
 *
 *   #include "model.h"                      // written by qcc -emit-header
 *   qcc_instance *net;
 *   if (qcc_create(NULL, &net) != QCC_OK) return 1;
 *   int64_t in_shape[] = {1, 3, 224, 224}, out_shape[] = {1, 1000};
 *   qcc_tensor in = {pixels, QCC_F32, 4, in_shape, NULL};
 *   qcc_tensor out = {scores, QCC_F32, 2, out_shape, NULL};
 *   if (qcc_run(net, &in, 1, &out, 1) != QCC_OK) puts(qcc_last_error(net));
 *   qcc_destroy(net);
 *
 * An artefact needs no library. It has no global mutable state: instances are
 * independent and may run at the same time on different threads; one instance
 * runs once at a time.
 *
 *===----------------------------------------------------------------------===*/

#ifndef QCC_RUNTIME_QCC_RUNTIME_H
#define QCC_RUNTIME_QCC_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/* Grows when something below changes in a way that old callers would notice. */
#define QCC_ABI_VERSION 1

typedef enum qcc_status {
  QCC_OK = 0,
  QCC_ERROR_ARGUMENT = 1,    /* a null pointer or an impossible option */
  QCC_ERROR_TENSOR = 2,      /* count, rank, shape, type or alignment */
  QCC_ERROR_PROCESSOR = 3,   /* no level that this processor can run */
  QCC_ERROR_MEMORY = 4,      /* no memory, or the caller's is too small */
  QCC_ERROR_BUSY = 5,        /* the instance is running on another thread */
  QCC_ERROR_UNAVAILABLE = 6, /* the artefact was compiled without this */
  QCC_ERROR_ISA = 7          /* QCC_ISA or qcc_options.isa names no level */
} qcc_status;

/* Stack that a thread needs to call run or profile, or a task of the caller's
 * parallel_for. The threads of an instance get it by themselves. */
#define QCC_STACK_BYTES (512 * 1024)

/* Element types: the codes of ONNX's TensorProto.DataType. */
typedef enum qcc_dtype {
  QCC_F32 = 1,
  QCC_U8 = 2,
  QCC_I8 = 3,
  QCC_U16 = 4,
  QCC_I16 = 5,
  QCC_I32 = 6,
  QCC_I64 = 7,
  QCC_BOOL = 9,
  QCC_F16 = 10,
  QCC_F64 = 11,
  QCC_U32 = 12,
  QCC_U64 = 13,
  QCC_BF16 = 16
} qcc_dtype;

/* What the model says about a tensor. A quantized one holds integers q that
 * stand for (q - zero_point) * scale. */
typedef struct qcc_tensor_info {
  const char *name;
  int32_t dtype; /* of the elements in memory */
  int32_t rank;
  const int64_t *shape; /* -1 where it is known only at run time */
  int32_t quant_count;  /* 0: not quantized, 1: one scale, else one per index */
  int32_t quant_axis;   /* of that axis; -1 for one scale */
  const float *scales;
  const int32_t *zero_points;
} qcc_tensor_info;

/* One call of a kernel. */
typedef struct qcc_step_info {
  const char *kernel;
  const char *nodes;  /* the ONNX nodes it computes, separated by ", " */
  int64_t tiles;      /* what the threads share */
  int64_t macs;       /* multiply-accumulates of a convolution or product */
  int32_t macs_dtype; /* QCC_I8 or QCC_F32: of the factors; 0 without macs */
  int32_t reserved;
} qcc_step_info;

/* The model's code for one instruction set. */
typedef struct qcc_level_info {
  const char *name; /* as QCC_ISA spells it */
  uint32_t rank;    /* order; a higher one is faster */
  uint32_t num_steps;
  const qcc_step_info *steps;
  uint64_t arena_bytes; /* of intermediate tensors alone */
  uint32_t num_tensors; /* 0 unless compiled with -keep-tensors */
  uint32_t reserved;
  const qcc_tensor_info *tensors;
} qcc_level_info;

typedef struct qcc_model_info {
  uint32_t abi_version; /* QCC_ABI_VERSION */
  uint32_t struct_size; /* of this struct: later versions append to it */
  const char *target;   /* "x86-64", "arm64" */
  const char *build_id; /* equal for equal code and weights */
  uint32_t num_inputs;
  uint32_t num_outputs;
  const qcc_tensor_info *inputs;
  const qcc_tensor_info *outputs;
  uint32_t num_levels; /* ascending by rank */
  uint32_t arena_alignment;
  const qcc_level_info *levels;
  uint64_t arena_bytes;         /* what qcc_options.arena must hold at least */
  uint64_t strided_arena_bytes; /* the same where tensors may have strides */
} qcc_model_info;

/* A tensor of the caller. */
typedef struct qcc_tensor {
  void *data; /* aligned to its element type */
  int32_t dtype;
  int32_t rank;
  const int64_t *shape;
  const int64_t *strides; /* in elements; NULL: row-major without gaps */
} qcc_tensor;

/* Calls task(argument, i) for every i in [0, count), on any threads, at the
 * same time or one after the other; returns when all have returned. */
typedef void (*qcc_parallel_for)(void *context,
                                 void (*task)(void *argument, int64_t i),
                                 void *argument, int64_t count);

/* Zero-initialize it, set struct_size, then what you need. */
typedef struct qcc_options {
  uint32_t struct_size; /* sizeof(qcc_options) */
  int32_t threads;      /* 0: as many as the process may use processors */
  qcc_parallel_for parallel_for; /* instead of threads of its own */
  void *parallel_context;
  void *arena;          /* instead of memory of its own; aligned to */
  uint64_t arena_bytes; /* arena_alignment, lives until destroy */
  const char *isa;      /* highest level to use, as the variable QCC_ISA */
} qcc_options;

typedef struct qcc_instance qcc_instance;

typedef struct qcc_instance_info {
  uint32_t struct_size; /* set by the caller: sizeof(qcc_instance_info) */
  uint32_t level;       /* index into qcc_model_info.levels */
  int32_t threads;
  int32_t strides; /* 1 if tensors with strides are accepted */
  void *arena;
  uint64_t arena_bytes;
} qcc_instance_info;

/* The functions return a qcc_status. */
typedef struct qcc_api {
  uint32_t abi_version;
  uint32_t struct_size; /* later versions append to it */
  const qcc_model_info *(*describe)(void);
  /* `options` may be NULL. The environment variable QCC_ISA, read as it was
   * when the process started, caps the level too. */
  int32_t (*create)(const qcc_options *options, qcc_instance **instance);
  int32_t (*inspect)(const qcc_instance *instance, qcc_instance_info *info);
  /* Reads dtype, rank and shape of the inputs; fills those of the outputs
   * (shapes that live as long as the instance). */
  int32_t (*output_shapes)(qcc_instance *instance, const qcc_tensor *inputs,
                           uint32_t num_inputs, qcc_tensor *outputs,
                           uint32_t num_outputs);
  /* Checks all tensors before anything is computed. Outputs must not overlap
   * inputs or each other. Allocates nothing. The rounding mode and flags of
   * the caller's thread are as before when it returns. */
  int32_t (*run)(qcc_instance *instance, const qcc_tensor *inputs,
                 uint32_t num_inputs, const qcc_tensor *outputs,
                 uint32_t num_outputs);
  /* As run; fills the nanoseconds of each step of the level in use. */
  int32_t (*profile)(qcc_instance *instance, const qcc_tensor *inputs,
                     uint32_t num_inputs, const qcc_tensor *outputs,
                     uint32_t num_outputs, uint64_t *step_ns,
                     uint32_t num_steps);
  /* Tensor `index` of the level in use, as the last run left it; valid until
   * the next run. One that shares memory with an input or output of that run
   * points there. */
  int32_t (*get_tensor)(qcc_instance *instance, uint32_t index,
                        qcc_tensor *tensor);
  void (*destroy)(qcc_instance *instance);
  /* Of the last call on this instance that failed. A failed create leaves no
   * instance: see status_text. */
  const char *(*last_error)(const qcc_instance *instance);
  /* General text of a status. */
  const char *(*status_text)(int32_t status);
} qcc_api;

/* Declares the functions of the artefact that was compiled with -prefix=P. */
#ifdef __cplusplus
#define QCC_BEGIN_C extern "C" {
#define QCC_END_C }
#else
#define QCC_BEGIN_C
#define QCC_END_C
#endif
#define QCC_DECLARE_MODEL(P)                                                   \
  QCC_BEGIN_C                                                                  \
  const qcc_api *P##get_api(void);                                             \
  const qcc_model_info *P##describe(void);                                     \
  int32_t P##create(const qcc_options *options, qcc_instance **instance);      \
  int32_t P##inspect(const qcc_instance *instance, qcc_instance_info *info);   \
  int32_t P##output_shapes(qcc_instance *instance, const qcc_tensor *inputs,   \
                           uint32_t num_inputs, qcc_tensor *outputs,           \
                           uint32_t num_outputs);                              \
  int32_t P##run(qcc_instance *instance, const qcc_tensor *inputs,             \
                 uint32_t num_inputs, const qcc_tensor *outputs,               \
                 uint32_t num_outputs);                                        \
  int32_t P##profile(qcc_instance *instance, const qcc_tensor *inputs,         \
                     uint32_t num_inputs, const qcc_tensor *outputs,           \
                     uint32_t num_outputs, uint64_t *step_ns,                  \
                     uint32_t num_steps);                                      \
  int32_t P##get_tensor(qcc_instance *instance, uint32_t index,                \
                        qcc_tensor *tensor);                                   \
  void P##destroy(qcc_instance *instance);                                     \
  const char *P##last_error(const qcc_instance *instance);                     \
  const char *P##status_text(int32_t status);                                  \
  QCC_END_C

#endif /* QCC_RUNTIME_QCC_RUNTIME_H */
