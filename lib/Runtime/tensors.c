/*===- tensors.c - The caller's tensors: checks, strides ----------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

uint64_t qcc_element_size(int32_t dtype) {
  switch (dtype) {
  case QCC_U8:
  case QCC_I8:
  case QCC_BOOL:
    return 1;
  case QCC_U16:
  case QCC_I16:
  case QCC_F16:
  case QCC_BF16:
    return 2;
  case QCC_F32:
  case QCC_I32:
  case QCC_U32:
    return 4;
  default:
    return 8;
  }
}

static uint64_t element_count(const qcc_tensor_info *info) {
  uint64_t count = 1;
  for (int32_t i = 0; i < info->rank; ++i)
    count *= (uint64_t)info->shape[i];
  return count;
}

uint64_t qcc_tensor_bytes(const qcc_tensor_info *info) {
  return element_count(info) * qcc_element_size(info->dtype);
}

static struct qcc_message begin_tensor_error(qcc_instance *instance,
                                             const char *kind, uint32_t index,
                                             const qcc_tensor_info *info) {
  struct qcc_message m = qcc_begin_error(instance);
  qcc_add_text(&m, kind);
  qcc_add_text(&m, " ");
  qcc_add_number(&m, index);
  qcc_add_text(&m, " '");
  qcc_add_text(&m, info->name);
  qcc_add_text(&m, "': ");
  return m;
}

static int32_t check_count(qcc_instance *instance, const char *kind,
                           uint32_t got, uint32_t expected,
                           const qcc_tensor *tensors) {
  if (got == expected && (tensors || !got))
    return QCC_OK;
  struct qcc_message m = qcc_begin_error(instance);
  if (got == expected) {
    qcc_add_text(&m, kind);
    qcc_add_text(&m, "s: null pointer");
    return QCC_ERROR_ARGUMENT;
  }
  qcc_add_text(&m, "expected ");
  qcc_add_number(&m, expected);
  qcc_add_text(&m, " ");
  qcc_add_text(&m, kind);
  qcc_add_text(&m, "s, got ");
  qcc_add_number(&m, got);
  return QCC_ERROR_TENSOR;
}

static int32_t check_type(qcc_instance *instance, const char *kind,
                          uint32_t index, const qcc_tensor *tensor,
                          const qcc_tensor_info *info) {
  if (tensor->dtype != info->dtype) {
    struct qcc_message m = begin_tensor_error(instance, kind, index, info);
    qcc_add_text(&m, "expected ");
    qcc_add_text(&m, qcc_dtype_name(info->dtype));
    qcc_add_text(&m, ", got ");
    qcc_add_text(&m, qcc_dtype_name(tensor->dtype));
    return QCC_ERROR_TENSOR;
  }
  if (tensor->rank > 0 && !tensor->shape) {
    struct qcc_message m = begin_tensor_error(instance, kind, index, info);
    qcc_add_text(&m, "its shape is a null pointer");
    return QCC_ERROR_TENSOR;
  }
  bool same = tensor->rank == info->rank;
  for (int32_t i = 0; same && i < info->rank; ++i)
    same = tensor->shape[i] == info->shape[i];
  if (same)
    return QCC_OK;
  struct qcc_message m = begin_tensor_error(instance, kind, index, info);
  qcc_add_text(&m, "expected shape ");
  qcc_add_shape(&m, info->shape, info->rank);
  qcc_add_text(&m, ", got ");
  if (tensor->rank < 0 || tensor->rank > QCC_MAX_RANK) {
    qcc_add_text(&m, "rank ");
    qcc_add_number(&m, tensor->rank);
  } else {
    qcc_add_shape(&m, tensor->shape, tensor->rank);
  }
  return QCC_ERROR_TENSOR;
}

int32_t qcc_check_shapes(qcc_instance *instance, const qcc_tensor *inputs,
                         uint32_t num_inputs) {
  const qcc_model_info *model = &qcc_program.info;
  int32_t status =
      check_count(instance, "input", num_inputs, model->num_inputs, inputs);
  for (uint32_t i = 0; !status && i < num_inputs; ++i)
    status = check_type(instance, "input", i, &inputs[i], &model->inputs[i]);
  return status;
}

/* Row-major without gaps, whether or not it says so by strides. */
static bool is_dense(const qcc_tensor *tensor) {
  if (!tensor->strides)
    return true;
  int64_t expected = 1;
  for (int32_t i = tensor->rank; i-- > 0;) {
    if (tensor->shape[i] != 1 && tensor->strides[i] != expected)
      return false;
    expected *= tensor->shape[i];
  }
  return true;
}

static int32_t check_data(qcc_instance *instance, const char *kind,
                          uint32_t index, const qcc_tensor *tensor,
                          const qcc_tensor_info *info) {
  if (!element_count(info))
    return QCC_OK;
  const char *problem = 0;
  if (!tensor->data)
    problem = "its data is a null pointer";
  else if ((uintptr_t)tensor->data % qcc_element_size(info->dtype))
    problem = "its data is not aligned to its element type";
  else if (!instance->staging && !is_dense(tensor))
    problem = "strides need a larger arena: see strided_arena_bytes";
  if (!problem)
    return QCC_OK;
  struct qcc_message m = begin_tensor_error(instance, kind, index, info);
  qcc_add_text(&m, problem);
  return QCC_ERROR_TENSOR;
}

/* Of tensors that kernels access in place. */
static bool overlap(const qcc_tensor *a, const qcc_tensor_info *a_info,
                    const qcc_tensor *b, const qcc_tensor_info *b_info) {
  uintptr_t x = (uintptr_t)a->data, y = (uintptr_t)b->data;
  return is_dense(a) && is_dense(b) && x < y + qcc_tensor_bytes(b_info) &&
         y < x + qcc_tensor_bytes(a_info);
}

static int32_t check_overlap(qcc_instance *instance, const qcc_tensor *inputs,
                             const qcc_tensor *outputs) {
  const qcc_model_info *model = &qcc_program.info;
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    const qcc_tensor_info *info = &model->outputs[i];
    const char *with = 0;
    for (uint32_t k = 0; k < model->num_inputs; ++k)
      if (overlap(&outputs[i], info, &inputs[k], &model->inputs[k]))
        with = model->inputs[k].name;
    for (uint32_t k = 0; k < i; ++k)
      if (overlap(&outputs[i], info, &outputs[k], &model->outputs[k]))
        with = model->outputs[k].name;
    if (with) {
      struct qcc_message m = begin_tensor_error(instance, "output", i, info);
      qcc_add_text(&m, "its memory overlaps that of '");
      qcc_add_text(&m, with);
      qcc_add_text(&m, "'");
      return QCC_ERROR_TENSOR;
    }
  }
  return QCC_OK;
}

int32_t qcc_check_tensors(qcc_instance *instance, const qcc_tensor *inputs,
                          uint32_t num_inputs, const qcc_tensor *outputs,
                          uint32_t num_outputs) {
  const qcc_model_info *model = &qcc_program.info;
  int32_t status = qcc_check_shapes(instance, inputs, num_inputs);
  if (!status)
    status = check_count(instance, "output", num_outputs, model->num_outputs,
                         outputs);
  for (uint32_t i = 0; !status && i < num_inputs; ++i)
    status = check_data(instance, "input", i, &inputs[i], &model->inputs[i]);
  for (uint32_t i = 0; !status && i < num_outputs; ++i) {
    status = check_type(instance, "output", i, &outputs[i], &model->outputs[i]);
    if (!status)
      status =
          check_data(instance, "output", i, &outputs[i], &model->outputs[i]);
  }
  return status ? status : check_overlap(instance, inputs, outputs);
}

static void copy_element(char *to, const char *from, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i)
    to[i] = from[i];
}

/* Copies between a tensor with strides and dense memory. */
static void copy_strided(const qcc_tensor *tensor, const qcc_tensor_info *info,
                         char *dense, bool gather) {
  int64_t index[QCC_MAX_RANK] = {0};
  uint64_t size = qcc_element_size(info->dtype), count = element_count(info);
  for (uint64_t n = 0; n < count; ++n, dense += size) {
    int64_t offset = 0;
    for (int32_t d = 0; d < info->rank; ++d)
      offset += index[d] * tensor->strides[d];
    char *element = (char *)tensor->data + offset * (int64_t)size;
    if (gather)
      copy_element(dense, element, size);
    else
      copy_element(element, dense, size);
    for (int32_t d = info->rank; d-- > 0;) {
      if (++index[d] < info->shape[d])
        break;
      index[d] = 0;
    }
  }
}

void qcc_bind_tensors(qcc_instance *instance, const qcc_tensor *inputs,
                      const qcc_tensor *outputs) {
  const qcc_model_info *model = &qcc_program.info;
  char *staging = instance->staging;
  char **base = instance->bases + 2;
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    *base = inputs[i].data;
    if (!is_dense(&inputs[i])) {
      *base = staging;
      copy_strided(&inputs[i], &model->inputs[i], staging, true);
    }
    ++base;
    if (staging)
      staging +=
          qcc_round_up(qcc_tensor_bytes(&model->inputs[i]), QCC_ALIGNMENT);
  }
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    *base++ = is_dense(&outputs[i]) ? outputs[i].data : staging;
    if (staging)
      staging +=
          qcc_round_up(qcc_tensor_bytes(&model->outputs[i]), QCC_ALIGNMENT);
  }
}

void qcc_write_back(qcc_instance *instance, const qcc_tensor *outputs) {
  const qcc_model_info *model = &qcc_program.info;
  char **base = instance->bases + 2 + model->num_inputs;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    if (!is_dense(&outputs[i]))
      copy_strided(&outputs[i], &model->outputs[i], base[i], false);
}
