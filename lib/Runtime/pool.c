/*===- pool.c - Threads of one instance ---------------------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

/* Absent (a program without a thread library): one thread. Nothing else of
 * the library is used; sleeping is by futex. */
extern int pthread_create(unsigned long *handle, const void *attributes,
                          void *(*start)(void *), void *argument)
    __attribute__((weak));
extern int pthread_join(unsigned long handle, void **result)
    __attribute__((weak));

/* How often to look before sleeping: some 50 microseconds. */
enum { SPINS = 2000 };

int32_t qcc_count_processors(void) {
  uint64_t mask[64];
  long bytes = qcc_syscall(QCC_SYS_SCHED_GETAFFINITY, 0, sizeof(mask),
                           (long)mask, 0, 0, 0);
  int32_t count = 0;
  for (long i = 0; i < bytes / 8; ++i)
    for (uint64_t word = mask[i]; word; word &= word - 1)
      ++count;
  return count ? count : 1;
}

/* Returns once the value is no longer `old`. */
static void wait_for_change(struct qcc_meeting *m, uint32_t old) {
  for (int i = 0; i < SPINS; ++i) {
    if (__c11_atomic_load(&m->value, __ATOMIC_ACQUIRE) != old)
      return;
    qcc_pause();
  }
  __c11_atomic_fetch_add(&m->sleepers, 1, __ATOMIC_SEQ_CST);
  while (__c11_atomic_load(&m->value, __ATOMIC_SEQ_CST) == old)
    qcc_syscall(QCC_SYS_FUTEX, (long)&m->value, QCC_FUTEX_WAIT_PRIVATE,
                (long)old, 0, 0, 0);
  __c11_atomic_fetch_sub(&m->sleepers, 1, __ATOMIC_SEQ_CST);
}

/* After a change of the value. */
static void wake_sleepers(struct qcc_meeting *m) {
  if (__c11_atomic_load(&m->sleepers, __ATOMIC_SEQ_CST))
    qcc_syscall(QCC_SYS_FUTEX, (long)&m->value, QCC_FUTEX_WAKE_PRIVATE,
                INT32_MAX, 0, 0, 0);
}

static void run_part(const qcc_instance *instance, const struct qcc_step *step,
                     int64_t index, int64_t threads) {
  int64_t begin = step->tiles * index / threads;
  int64_t end = step->tiles * (index + 1) / threads;
  if (begin < end)
    step->body(instance->buffers, begin, end);
}

static void *work(void *argument) {
  qcc_instance *instance = argument;
  struct qcc_pool *pool = &instance->pool;
  /* The program's signals are not for these threads. */
  uint64_t all = ~0ull;
  qcc_syscall(QCC_SYS_SIGPROCMASK, 0, (long)&all, 0, sizeof(all), 0, 0);
  qcc_set_float_state(QCC_DEFAULT_FLOAT_STATE);
  int64_t index =
      __c11_atomic_fetch_add(&pool->next_index, 1, __ATOMIC_RELAXED);
  for (uint32_t generation = 0;; ++generation) {
    wait_for_change(&pool->generation, generation);
    if (!pool->step)
      return 0;
    run_part(instance, pool->step, index, pool->threads);
    if (__c11_atomic_fetch_sub(&pool->remaining.value, 1, __ATOMIC_SEQ_CST) ==
        1)
      wake_sleepers(&pool->remaining);
  }
}

void qcc_pool_start(qcc_instance *instance, int32_t threads) {
  struct qcc_pool *pool = &instance->pool;
  pool->threads = 1;
  if (threads > QCC_MAX_THREADS)
    threads = QCC_MAX_THREADS;
  if (instance->parallel_for) {
    pool->threads = threads;
    return;
  }
  if (!pthread_create || !pthread_join)
    return;
  __c11_atomic_store(&pool->next_index, 1, __ATOMIC_RELAXED);
  int32_t started = 1;
  while (started < threads &&
         pthread_create(&pool->handles[started], 0, work, instance) == 0)
    ++started;
  pool->threads = started; /* workers read it after the first generation */
}

static void offer(struct qcc_pool *pool, const struct qcc_step *step) {
  pool->step = step;
  __c11_atomic_store(&pool->remaining.value, (uint32_t)pool->threads - 1,
                     __ATOMIC_RELAXED);
  __c11_atomic_fetch_add(&pool->generation.value, 1, __ATOMIC_SEQ_CST);
  wake_sleepers(&pool->generation);
}

struct task {
  const qcc_instance *instance;
  const struct qcc_step *step;
};

static void run_task(void *argument, int64_t index) {
  const struct task *task = argument;
  uint64_t state = qcc_get_float_state();
  qcc_set_float_state(QCC_DEFAULT_FLOAT_STATE);
  run_part(task->instance, task->step, index, task->instance->pool.threads);
  qcc_set_float_state(state);
}

void qcc_pool_run(qcc_instance *instance, const struct qcc_step *step) {
  struct qcc_pool *pool = &instance->pool;
  if (pool->threads == 1 || step->serial || step->tiles < 2) {
    run_part(instance, step, 0, 1);
    return;
  }
  if (instance->parallel_for) {
    struct task task = {instance, step};
    instance->parallel_for(instance->parallel_context, run_task, &task,
                           pool->threads);
    return;
  }
  offer(pool, step);
  run_part(instance, step, 0, pool->threads);
  for (uint32_t left; (left = __c11_atomic_load(&pool->remaining.value,
                                                __ATOMIC_ACQUIRE)) != 0;)
    wait_for_change(&pool->remaining, left);
}

void qcc_pool_stop(qcc_instance *instance) {
  struct qcc_pool *pool = &instance->pool;
  if (instance->parallel_for || pool->threads == 1)
    return;
  offer(pool, 0);
  for (int32_t i = 1; i < pool->threads; ++i)
    pthread_join(pool->handles[i], 0);
}
