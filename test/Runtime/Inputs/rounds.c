/* Rounds run in order on threads of the instance and with any parallel_for of
 * the caller, for whom no thread is started. */
#define _GNU_SOURCE
#include "model.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static int failures;
#define CHECK(x)                                                               \
  do {                                                                         \
    if (!(x)) {                                                                \
      printf("line %d: %s\n", __LINE__, #x);                                   \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

static float x[64], m[64 * 500];
struct results {
  float y[40 * 64], s[10 * 16], d[64 * 500];
};
static struct results expected, got;

static int count_threads(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/task");
  for (struct dirent *entry; (entry = readdir(folder));)
    count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

static qcc_instance *create(int threads, qcc_parallel_for f, void *context) {
  qcc_options options = {sizeof(options)};
  options.threads = threads;
  options.parallel_for = f;
  options.parallel_context = context;
  qcc_instance *net = NULL;
  CHECK(qcc_create(&options, &net) == QCC_OK);
  return net;
}

static void run(qcc_instance *net, struct results *to) {
  static const int64_t x_shape[] = {64}, m_shape[] = {64, 500},
                       y_shape[] = {40, 64}, s_shape[] = {10, 16};
  qcc_tensor in[] = {{x, QCC_F32, 1, x_shape, NULL},
                     {m, QCC_F32, 2, m_shape, NULL}};
  qcc_tensor out[] = {{to->y, QCC_F32, 2, y_shape, NULL},
                      {to->s, QCC_F32, 2, s_shape, NULL},
                      {to->d, QCC_F32, 2, m_shape, NULL}};
  memset(to, 0xa5, sizeof(*to));
  CHECK(qcc_run(net, in, 2, out, 3) == QCC_OK);
}

static void same(qcc_instance *net) {
  run(net, &got);
  CHECK(memcmp(&got, &expected, sizeof(got)) == 0);
}

static int calls, tasks, most_threads;

static void backwards(void *context, void (*task)(void *, int64_t),
                      void *argument, int64_t count) {
  CHECK(context == &calls);
  int threads = count_threads();
  most_threads = threads > most_threads ? threads : most_threads;
  ++calls;
  while (count-- > 0) {
    task(argument, count);
    ++tasks;
  }
}

struct share {
  void (*task)(void *, int64_t);
  void *argument;
  int64_t first, count;
};

static void *every_third(void *context) {
  const struct share *share = context;
  for (int64_t i = share->first; i < share->count; i += 3)
    share->task(share->argument, i);
  return NULL;
}

/* New threads for every call; the caller's own does nothing. */
static void by_three(void *context, void (*task)(void *, int64_t),
                     void *argument, int64_t count) {
  (void)context;
  pthread_t threads[3];
  struct share shares[3];
  for (int i = 0; i < 3; ++i) {
    shares[i] = (struct share){task, argument, i, count};
    pthread_create(&threads[i], NULL, every_third, &shares[i]);
  }
  for (int i = 0; i < 3; ++i)
    pthread_join(threads[i], NULL);
}

static void callers_pools(void) {
  int before = count_threads();
  for (int threads = 2; threads <= 100; threads += 49) {
    calls = tasks = most_threads = 0;
    qcc_instance *net = create(threads, backwards, &calls);
    CHECK(count_threads() == before);
    same(net);
    CHECK(most_threads == before);
    /* Each round of the first step, none of the second, the third at once. */
    CHECK(calls == 41 && tasks == 41 * threads);
    qcc_destroy(net);
    net = create(threads, by_three, NULL);
    same(net);
    CHECK(count_threads() == before);
    qcc_destroy(net);
  }
  /* One task would be the whole step. */
  calls = 0;
  qcc_instance *net = create(1, backwards, &calls);
  same(net);
  CHECK(calls == 0);
  qcc_destroy(net);
}

static void *nested(void *context) {
  (void)context;
  callers_pools();
  return NULL;
}

static void own_threads(void) {
  int before = count_threads();
  for (int threads = 1; threads <= 5; ++threads) {
    qcc_instance *net = create(threads, NULL, NULL);
    CHECK(count_threads() == before + threads - 1);
    for (int i = 0; i < 50; ++i)
      same(net);
    qcc_destroy(net);
    CHECK(count_threads() == before);
  }
}

/* By default no more threads than processors that the process may use. */
static void one_processor(void) {
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof(all), &all);
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof(one), &one);
  int before = count_threads();
  qcc_instance *net = create(0, NULL, NULL);
  CHECK(count_threads() == before);
  same(net);
  qcc_destroy(net);
  /* Threads that take turns on it, too. */
  net = create(3, NULL, NULL);
  same(net);
  qcc_destroy(net);
  sched_setaffinity(0, sizeof(all), &all);
}

int main(void) {
  for (int i = 0; i < 64; ++i)
    x[i] = (float)i / 3 - 7;
  for (int i = 0; i < 64 * 500; ++i)
    m[i] = (float)(i % 977) / 7;
  qcc_instance *net = create(1, NULL, NULL);
  run(net, &expected);
  qcc_destroy(net);
  for (int r = 0; r < 40; ++r)
    for (int i = 0; i < 64; ++i) {
      float before = r ? expected.y[(r - 1) * 64 + 63 - i] * 0.5f : 0;
      CHECK(expected.y[r * 64 + i] == (r ? before + x[i] : x[i]));
    }
  own_threads();
  one_processor();
  callers_pools();
  pthread_t thread;
  pthread_create(&thread, NULL, nested, NULL);
  pthread_join(thread, NULL);
  printf(failures ? "%d failed\n" : "all passed\n", failures);
  return failures != 0;
}
