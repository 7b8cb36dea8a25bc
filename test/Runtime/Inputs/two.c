/* Two models in one program; a memcpy of the program's own. */
#include "first.h"
#include "second.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  static float x[64 * 1000], y[64 * 1000];
  uint8_t q[8] = {1}, r[8];
  const int64_t x_shape[] = {64, 1000}, q_shape[] = {8};
  qcc_tensor in[2] = {{x, QCC_F32, 2, x_shape, NULL},
                      {q, QCC_U8, 1, q_shape, NULL}};
  qcc_tensor out[2] = {{y, QCC_F32, 2, x_shape, NULL},
                       {r, QCC_U8, 1, q_shape, NULL}};
  qcc_instance *first, *second;
  if (first_create(NULL, &first) || second_create(NULL, &second))
    return 1;
  x[7] = 9;
  if (first_run(first, in, 2, out, 2) || y[7] != 1)
    return 2;
  x[7] = 18;
  if (second_run(second, in, 2, out, 2) || y[7] != 2)
    return 3;
  qcc_instance_info info = {sizeof(info)};
  first_inspect(first, &info);
  first_destroy(first);
  second_destroy(second);
  printf("two models, %s\n", info.threads > 1 ? "threads" : "one thread");
  return 0;
}
