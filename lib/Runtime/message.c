/*===- message.c - Error messages without printf ------------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

struct qcc_message qcc_begin_error(qcc_instance *instance) {
  instance->error[0] = 0;
  return (struct qcc_message){instance->error, 0, sizeof(instance->error)};
}

void qcc_add_text(struct qcc_message *m, const char *text) {
  while (*text && m->used + 1 < m->size)
    m->text[m->used++] = *text++;
  m->text[m->used] = 0;
}

void qcc_add_number(struct qcc_message *m, int64_t number) {
  char digits[24];
  int at = sizeof(digits) - 1;
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  digits[at] = 0;
  do
    digits[--at] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0)
    digits[--at] = '-';
  qcc_add_text(m, digits + at);
}

void qcc_add_shape(struct qcc_message *m, const int64_t *shape, int32_t rank) {
  qcc_add_text(m, "[");
  for (int32_t i = 0; i < rank; ++i) {
    if (i)
      qcc_add_text(m, "x");
    qcc_add_number(m, shape[i]);
  }
  qcc_add_text(m, "]");
}

const char *qcc_dtype_name(int32_t dtype) {
  switch (dtype) {
  case QCC_F32:
    return "f32";
  case QCC_U8:
    return "u8";
  case QCC_I8:
    return "i8";
  case QCC_U16:
    return "u16";
  case QCC_I16:
    return "i16";
  case QCC_I32:
    return "i32";
  case QCC_I64:
    return "i64";
  case QCC_BOOL:
    return "bool";
  case QCC_F16:
    return "f16";
  case QCC_F64:
    return "f64";
  case QCC_U32:
    return "u32";
  case QCC_U64:
    return "u64";
  case QCC_BF16:
    return "bf16";
  default:
    return "an unknown type";
  }
}
