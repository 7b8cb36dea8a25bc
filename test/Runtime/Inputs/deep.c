/* Threads whose default stack is as small as musl's. */
#define _GNU_SOURCE
#include "model.h"

#include <pthread.h>
#include <stdio.h>

enum { ROWS = 8, SIZE = 400000 };

int main(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  if (pthread_setattr_default_np(&attributes))
    return 1;
  static signed char x[ROWS * SIZE], y[ROWS * SIZE];
  for (int i = 0; i < ROWS * SIZE; ++i)
    x[i] = (signed char)(i * 31 >> 3);
  const int64_t shape[] = {ROWS, SIZE};
  qcc_tensor in = {x, QCC_I8, 2, shape, NULL};
  qcc_tensor out = {y, QCC_I8, 2, shape, NULL};
  qcc_options options = {sizeof(options)};
  options.threads = 4;
  qcc_instance *net;
  if (qcc_create(&options, &net))
    return 2;
  for (int n = 0; n < 20; ++n) /* so that every thread gets some */
    if (qcc_run(net, &in, 1, &out, 1))
      return 3;
  for (int i = 0; i < ROWS * SIZE; ++i)
    if (y[i] != x[i / SIZE * SIZE + SIZE - 1 - i % SIZE])
      return 4;
  qcc_destroy(net);
  puts("deep enough");
  return 0;
}
