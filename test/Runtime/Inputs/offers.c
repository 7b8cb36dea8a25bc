/* What the threads of a pool are offered when a step has ended: nothing that a
 * thread which comes late could take. */
#include "pool.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { threads = 4 };

static void body(void *const *buffers, int64_t begin, int64_t end) {
  (void)buffers, (void)begin, (void)end;
}

int main(void) {
  size_t bytes = (sizeof(qcc_instance) + 63) / 64 * 64;
  qcc_instance *instance = aligned_alloc(64, bytes);
  memset(instance, 0, bytes);
  qcc_pool_start(instance, threads);
  struct qcc_pool *pool = &instance->pool;
  for (int64_t rounds = 1; rounds <= 3; ++rounds)
    for (int64_t tiles = 2; tiles <= threads; ++tiles) {
      struct qcc_step step = {.body = body, .tiles = tiles, .rounds = rounds};
      qcc_pool_run(instance, &step);
      for (int32_t thread = 0; thread < pool->threads; ++thread) {
        uint64_t offer = *offer_of(pool, thread);
        if ((uint32_t)offer != 0) {
          printf("%lld rounds of %lld tiles leave thread %d the offer %llx\n",
                 (long long)rounds, (long long)tiles, thread,
                 (unsigned long long)offer);
          return 1;
        }
      }
    }
  qcc_pool_stop(instance);
  free(instance);
  puts("nothing is left");
  return 0;
}
