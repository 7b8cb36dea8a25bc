/*===- api.c - The functions that an artefact exports -------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

/* lib/Emit gives these names the artefact's prefix and hides all others. */
#define QCC_EXPORT __attribute__((visibility("default"), used))

QCC_EXPORT const qcc_model_info *qcc_entry_describe(void) {
  return &qcc_program.info;
}

static bool has_memory(const qcc_options *options, int32_t *status) {
  if (!options->arena)
    return false;
  if ((uintptr_t)options->arena % QCC_ALIGNMENT)
    *status = QCC_ERROR_ARGUMENT;
  else if (options->arena_bytes < qcc_program.info.arena_bytes)
    *status = QCC_ERROR_MEMORY;
  return true;
}

/* Maps memory, in large pages where there is enough of it to matter. */
static void *map_memory(uint64_t bytes) {
  long at = qcc_syscall(QCC_SYS_MMAP, 0, (long)bytes, QCC_PROT_READ_WRITE,
                        QCC_MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (at < 0 && at > -4096)
    return 0;
  if (bytes >= 2u << 20)
    qcc_syscall(QCC_SYS_MADVISE, at, (long)bytes, QCC_MADV_HUGEPAGE, 0, 0, 0);
  return (void *)at;
}

QCC_EXPORT int32_t qcc_entry_create(const qcc_options *given,
                                    qcc_instance **result) {
  if (!result)
    return QCC_ERROR_ARGUMENT;
  *result = 0;
  /* A caller compiled against an older header has a shorter struct. */
  qcc_options options = {0};
  if (given) {
    if (given->struct_size < 2 * sizeof(uint32_t) || given->threads < 0)
      return QCC_ERROR_ARGUMENT;
    size_t size = given->struct_size;
    memcpy(&options, given, size < sizeof(options) ? size : sizeof(options));
  }
  const qcc_model_info *model = &qcc_program.info;
  uint32_t level = 0;
  int32_t status = qcc_choose_level(options.isa, &level);
  if (status)
    return status;
  bool caller_memory = has_memory(&options, &status);
  if (status)
    return status;
  uint64_t bytes =
      caller_memory ? options.arena_bytes : model->strided_arena_bytes;
  char *memory = caller_memory ? options.arena : map_memory(bytes);
  if (!memory)
    return QCC_ERROR_MEMORY;

  qcc_instance *instance = (qcc_instance *)memory;
  memset(instance, 0, sizeof(*instance));
  uint32_t num_bases = 2 + model->num_inputs + model->num_outputs;
  instance->bases = (char **)(memory + QCC_INSTANCE_BYTES);
  memset(instance->bases, 0, num_bases * sizeof(char *));
  instance->buffers = (void **)(instance->bases + num_bases);
  instance->arena = (char *)qcc_round_up(
      (uintptr_t)(instance->buffers + qcc_program.max_refs), QCC_ALIGNMENT);
  instance->bases[1] = instance->arena;
  if (bytes >= model->strided_arena_bytes)
    instance->staging = memory + model->arena_bytes;
  instance->info = &model->levels[level];
  instance->level = &qcc_program.levels[level];
  instance->parallel_for = options.parallel_for;
  instance->parallel_context = options.parallel_context;
  instance->memory = memory;
  instance->memory_bytes = bytes;
  instance->owns_memory = !caller_memory;
  /* One call instead of a fault for each page of the first run. Linux before
   * 5.14 refuses, which does no harm. */
  if (instance->owns_memory)
    qcc_syscall(QCC_SYS_MADVISE, (long)memory,
                (long)(instance->arena - memory) +
                    (long)instance->info->arena_bytes,
                QCC_MADV_POPULATE_WRITE, 0, 0, 0);
  qcc_pool_start(instance,
                 options.threads ? options.threads : qcc_count_processors());
  *result = instance;
  return QCC_OK;
}

QCC_EXPORT int32_t qcc_entry_inspect(const qcc_instance *instance,
                                     qcc_instance_info *result) {
  if (!instance || !result || result->struct_size < sizeof(uint32_t))
    return QCC_ERROR_ARGUMENT;
  qcc_instance_info info = {0};
  size_t size = result->struct_size;
  info.struct_size = result->struct_size;
  info.level = (uint32_t)(instance->info - qcc_program.info.levels);
  info.threads = instance->pool.threads;
  info.strides = instance->staging != 0;
  info.arena = instance->memory;
  info.arena_bytes = instance->memory_bytes;
  memcpy(result, &info, size < sizeof(info) ? size : sizeof(info));
  return QCC_OK;
}

QCC_EXPORT int32_t qcc_entry_output_shapes(qcc_instance *instance,
                                           const qcc_tensor *inputs,
                                           uint32_t num_inputs,
                                           qcc_tensor *outputs,
                                           uint32_t num_outputs) {
  const qcc_model_info *model = &qcc_program.info;
  if (!instance || (num_outputs && !outputs))
    return QCC_ERROR_ARGUMENT;
  int32_t status = qcc_check_shapes(instance, inputs, num_inputs);
  if (status)
    return status;
  if (num_outputs != model->num_outputs) {
    struct qcc_message m = qcc_begin_error(instance);
    qcc_add_text(&m, "expected room for ");
    qcc_add_number(&m, model->num_outputs);
    qcc_add_text(&m, " outputs, got ");
    qcc_add_number(&m, num_outputs);
    return QCC_ERROR_TENSOR;
  }
  for (uint32_t i = 0; i < num_outputs; ++i) {
    outputs[i].dtype = model->outputs[i].dtype;
    outputs[i].rank = model->outputs[i].rank;
    outputs[i].shape = model->outputs[i].shape;
  }
  return QCC_OK;
}

/* Times every step where `step_ns` is given. */
static void execute(qcc_instance *instance, uint64_t *step_ns) {
  const struct qcc_level *level = instance->level;
  uint64_t last = step_ns ? qcc_nanoseconds() : 0;
  for (uint32_t i = 0; i < instance->info->num_steps; ++i) {
    const struct qcc_step *step = &level->steps[i];
    for (uint32_t k = 0; k < step->num_refs; ++k)
      instance->buffers[k] =
          (void *)((uintptr_t)instance->bases[step->refs[k].base] +
                   (uintptr_t)step->refs[k].offset);
    qcc_pool_run(instance, step);
    if (step_ns) {
      uint64_t now = qcc_nanoseconds();
      step_ns[i] = now - last;
      last = now;
    }
  }
}

static int32_t run(qcc_instance *instance, const qcc_tensor *inputs,
                   uint32_t num_inputs, const qcc_tensor *outputs,
                   uint32_t num_outputs, uint64_t *step_ns) {
  uint32_t free = 0;
  if (!__c11_atomic_compare_exchange_strong(&instance->busy, &free, 1,
                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return QCC_ERROR_BUSY;
  int32_t status =
      qcc_check_tensors(instance, inputs, num_inputs, outputs, num_outputs);
  if (!status) {
    uint64_t state = qcc_get_float_state();
    qcc_set_float_state(QCC_DEFAULT_FLOAT_STATE);
    qcc_bind_tensors(instance, inputs, outputs);
    execute(instance, step_ns);
    qcc_write_back(instance, outputs);
    qcc_set_float_state(state);
    instance->has_run = true;
  }
  __c11_atomic_store(&instance->busy, 0, __ATOMIC_RELEASE);
  return status;
}

QCC_EXPORT int32_t qcc_entry_run(qcc_instance *instance,
                                 const qcc_tensor *inputs, uint32_t num_inputs,
                                 const qcc_tensor *outputs,
                                 uint32_t num_outputs) {
  if (!instance)
    return QCC_ERROR_ARGUMENT;
  return run(instance, inputs, num_inputs, outputs, num_outputs, 0);
}

QCC_EXPORT int32_t qcc_entry_profile(qcc_instance *instance,
                                     const qcc_tensor *inputs,
                                     uint32_t num_inputs,
                                     const qcc_tensor *outputs,
                                     uint32_t num_outputs, uint64_t *step_ns,
                                     uint32_t num_steps) {
  if (!instance || (num_steps && !step_ns))
    return QCC_ERROR_ARGUMENT;
  if (num_steps != instance->info->num_steps) {
    struct qcc_message m = qcc_begin_error(instance);
    qcc_add_text(&m, "expected room for the times of ");
    qcc_add_number(&m, instance->info->num_steps);
    qcc_add_text(&m, " steps, got ");
    qcc_add_number(&m, num_steps);
    return QCC_ERROR_ARGUMENT;
  }
  return run(instance, inputs, num_inputs, outputs, num_outputs, step_ns);
}

QCC_EXPORT int32_t qcc_entry_get_tensor(qcc_instance *instance, uint32_t index,
                                        qcc_tensor *tensor) {
  if (!instance || !tensor)
    return QCC_ERROR_ARGUMENT;
  const qcc_level_info *info = instance->info;
  const char *problem = 0;
  if (!info->num_tensors)
    problem = "the model was compiled without -keep-tensors";
  else if (index >= info->num_tensors)
    problem = "no tensor with this index";
  else if (!instance->has_run)
    problem = "the model has not run";
  if (problem) {
    struct qcc_message m = qcc_begin_error(instance);
    qcc_add_text(&m, problem);
    return info->num_tensors ? QCC_ERROR_ARGUMENT : QCC_ERROR_UNAVAILABLE;
  }
  const struct qcc_ref *ref = &instance->level->tensors[index];
  tensor->data =
      (void *)((uintptr_t)instance->bases[ref->base] + (uintptr_t)ref->offset);
  tensor->dtype = info->tensors[index].dtype;
  tensor->rank = info->tensors[index].rank;
  tensor->shape = info->tensors[index].shape;
  tensor->strides = 0;
  return QCC_OK;
}

QCC_EXPORT void qcc_entry_destroy(qcc_instance *instance) {
  if (!instance)
    return;
  qcc_pool_stop(instance);
  if (instance->owns_memory)
    qcc_syscall(QCC_SYS_MUNMAP, (long)instance->memory,
                (long)instance->memory_bytes, 0, 0, 0, 0);
}

QCC_EXPORT const char *qcc_entry_last_error(const qcc_instance *instance) {
  return instance ? instance->error : "no instance";
}

QCC_EXPORT const char *qcc_entry_status_text(int32_t status) {
  switch (status) {
  case QCC_OK:
    return "success";
  case QCC_ERROR_ARGUMENT:
    return "a null pointer or an impossible option";
  case QCC_ERROR_TENSOR:
    return "a tensor does not fit the model";
  case QCC_ERROR_PROCESSOR:
    return "this processor lacks the instructions that the model was compiled "
           "for";
  case QCC_ERROR_MEMORY:
    return "not enough memory";
  case QCC_ERROR_BUSY:
    return "the instance is running on another thread";
  case QCC_ERROR_UNAVAILABLE:
    return "the model was compiled without this";
  case QCC_ERROR_ISA:
    return "QCC_ISA (or options.isa) names no instruction set of the model's "
           "target, or one below all that the model was compiled for";
  default:
    return "unknown status";
  }
}

static const qcc_api api = {
    QCC_ABI_VERSION,   sizeof(qcc_api),      qcc_entry_describe,
    qcc_entry_create,  qcc_entry_inspect,    qcc_entry_output_shapes,
    qcc_entry_run,     qcc_entry_profile,    qcc_entry_get_tensor,
    qcc_entry_destroy, qcc_entry_last_error, qcc_entry_status_text};

QCC_EXPORT const qcc_api *qcc_entry_get_api(void) { return &api; }
