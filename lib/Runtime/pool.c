/*===- pool.c - Threads of one instance ---------------------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*/

#include "runtime.h"

/* Absent (a program without a thread library): one thread. Nothing else of
 * the library is used; sleeping is by futex. */
struct thread_attributes;
extern int pthread_attr_init(struct thread_attributes *attributes)
    __attribute__((weak));
extern int pthread_attr_setstacksize(struct thread_attributes *attributes,
                                     size_t size) __attribute__((weak));
extern int pthread_attr_destroy(struct thread_attributes *attributes)
    __attribute__((weak));
extern int pthread_create(unsigned long *handle,
                          const struct thread_attributes *attributes,
                          void *(*start)(void *), void *argument)
    __attribute__((weak));
extern int pthread_join(unsigned long handle, void **result)
    __attribute__((weak));

/* Large enough for the pthread_attr_t of every C library (56 to 64 bytes). */
struct thread_attributes {
  uint64_t words[32];
};
/* The library takes the thread-local variables of the program from the same
 * block. Pages that are never touched cost nothing. */
enum { WORKER_STACK_BYTES = 2 * QCC_STACK_BYTES };

/* How often to look before sleeping: some 50 microseconds. */
enum { SPINS = 2000 };
/* The same before doing what another thread has not begun. */
enum { SPINS_TO_HELP = 100 };
/* More than one, so that threads that run slower do less. */
enum { PARTS_PER_THREAD = 4 };

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

/* Until someone is woken, or the value is another one already. */
static void sleep_while(struct qcc_meeting *m, uint32_t value) {
  __c11_atomic_fetch_add(&m->sleepers, 1, __ATOMIC_SEQ_CST);
  qcc_syscall(QCC_SYS_FUTEX, (long)&m->value, QCC_FUTEX_WAIT_PRIVATE,
              (long)value, 0, 0, 0);
  __c11_atomic_fetch_sub(&m->sleepers, 1, __ATOMIC_SEQ_CST);
}

/* The value, once it is no longer `old`. */
static uint32_t wait_for_change(struct qcc_meeting *m, uint32_t old) {
  uint32_t value;
  for (int i = 0; i < SPINS; ++i) {
    value = __c11_atomic_load(&m->value, __ATOMIC_ACQUIRE);
    if (value != old)
      return value;
    qcc_pause();
  }
  while ((value = __c11_atomic_load(&m->value, __ATOMIC_ACQUIRE)) == old)
    sleep_while(m, old);
  return value;
}

/* After a change of the value. */
static void wake_sleepers(struct qcc_meeting *m) {
  if (__c11_atomic_load(&m->sleepers, __ATOMIC_SEQ_CST))
    qcc_syscall(QCC_SYS_FUTEX, (long)&m->value, QCC_FUTEX_WAKE_PRIVATE,
                INT32_MAX, 0, 0, 0);
}

/* Part `index` of `count` about equal ones of a round's tiles. */
static void run_part(const qcc_instance *instance, const struct qcc_step *step,
                     int64_t round, int64_t index, int64_t count) {
  int64_t first = step->tiles * round;
  int64_t begin = step->tiles * index / count;
  int64_t end = step->tiles * (index + 1) / count;
  if (begin < end)
    step->body(instance->buffers, first + begin, first + end);
}

static uint32_t parts_of(struct qcc_pool *pool) {
  return __c11_atomic_load(&pool->parts, __ATOMIC_RELAXED);
}
static uint32_t rounds_of(struct qcc_pool *pool) {
  return __c11_atomic_load(&pool->rounds, __ATOMIC_RELAXED);
}

static _Atomic uint64_t *offer_of(struct qcc_pool *pool, int32_t thread) {
  return &pool->offers[thread * (QCC_MAX_THREADS / pool->threads)];
}

/* Takes one part of step `generation`; -1 if none is left. Each thread begins
 * with its own parts: those that stand where its parts of the step before did,
 * whose results are in its caches. */
static int64_t take_part(struct qcc_pool *pool, int32_t self,
                         uint32_t generation) {
  for (int32_t i = 0; i < pool->threads; ++i) {
    int32_t thread = (self + i) % pool->threads;
    _Atomic uint64_t *place = offer_of(pool, thread);
    uint64_t offer = __c11_atomic_load(place, __ATOMIC_ACQUIRE);
    while ((uint32_t)(offer >> 32) == generation && (uint32_t)offer)
      if (__c11_atomic_compare_exchange_weak(
              place, &offer, offer - 1, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
        return (int64_t)parts_of(pool) * (thread + 1) / pool->threads -
               (uint32_t)offer;
  }
  return -1;
}

/* Calls the workers. */
static void advance(struct qcc_pool *pool, uint32_t generation) {
  __c11_atomic_store(&pool->generation.value, generation, __ATOMIC_SEQ_CST);
  wake_sleepers(&pool->generation);
}

/* Works on step `generation` until no part is left. Only who has taken a part
 * holds up the others, so a thread that the system does not run does no harm;
 * and the step cannot change before that part is done. */
static void work_on(qcc_instance *instance, int32_t self, uint32_t generation) {
  struct qcc_pool *pool = &instance->pool;
  for (int64_t part; (part = take_part(pool, self, generation)) >= 0;) {
    run_part(instance, pool->step, 0, part, parts_of(pool));
    if (__c11_atomic_fetch_sub(&pool->pending.value, 1, __ATOMIC_SEQ_CST) == 1)
      wake_sleepers(&pool->pending);
  }
}

/* In a step of several rounds, each thread takes its part of one round after
 * the other, and `pending` counts those that are done in all. A part's offer is
 * the next round that it can be taken in, with this bit; 0 after the last. */
static const uint64_t round_bit = 1u << 31;

static bool take_in_round(struct qcc_pool *pool, int32_t part,
                          uint32_t generation, uint32_t round) {
  _Atomic uint64_t *place = offer_of(pool, part);
  uint64_t step = (uint64_t)generation << 32;
  uint64_t offer = step | round_bit | round;
  uint64_t next = round + 1 == rounds_of(pool) ? step : offer + 1;
  return __c11_atomic_load(place, __ATOMIC_RELAXED) == offer &&
         __c11_atomic_compare_exchange_strong(
             place, &offer, next, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Does the part if no other thread has taken it. */
static void work_in_round(qcc_instance *instance, int32_t part,
                          uint32_t generation, uint32_t round) {
  struct qcc_pool *pool = &instance->pool;
  if (!take_in_round(pool, part, generation, round))
    return;
  uint32_t parts = parts_of(pool);
  run_part(instance, pool->step, round, part, parts);
  uint32_t done =
      __c11_atomic_fetch_add(&pool->pending.value, 1, __ATOMIC_SEQ_CST) + 1;
  if (done == (round + 1) * parts)
    wake_sleepers(&pool->pending);
}

/* A thread that comes late reads the numbers of another step. It takes no part
 * then, since those of its own step are all done. */
static void work_on_rounds(qcc_instance *instance, int32_t self,
                           uint32_t generation) {
  struct qcc_pool *pool = &instance->pool;
  uint32_t parts = parts_of(pool), rounds = rounds_of(pool);
  uint32_t done = __c11_atomic_load(&pool->pending.value, __ATOMIC_ACQUIRE);
  for (uint32_t round = done / parts; round < rounds; ++round) {
    if (self < (int32_t)parts)
      work_in_round(instance, self, generation, round);
    for (int spins = 0;; ++spins) {
      done = __c11_atomic_load(&pool->pending.value, __ATOMIC_ACQUIRE);
      if (done >= (round + 1) * parts)
        break;
      if (__c11_atomic_load(&pool->generation.value, __ATOMIC_ACQUIRE) !=
          generation)
        return;
      if (spins % SPINS_TO_HELP == SPINS_TO_HELP - 1)
        for (uint32_t part = 0; part < parts; ++part)
          work_in_round(instance, (int32_t)part, generation, round);
      if (spins < SPINS)
        qcc_pause();
      else
        sleep_while(&pool->pending, done);
    }
  }
}

static void work_on_any(qcc_instance *instance, int32_t self,
                        uint32_t generation) {
  if (rounds_of(&instance->pool) > 1)
    work_on_rounds(instance, self, generation);
  else
    work_on(instance, self, generation);
}

static void *work(void *argument) {
  qcc_instance *instance = argument;
  struct qcc_pool *pool = &instance->pool;
  /* The program's signals are not for these threads. */
  uint64_t all = ~0ull;
  qcc_syscall(QCC_SYS_SIGPROCMASK, 0, (long)&all, 0, sizeof(all), 0, 0);
  qcc_set_float_state(QCC_DEFAULT_FLOAT_STATE);
  /* The caller is number 0. */
  int32_t self =
      1 + (int32_t)__c11_atomic_fetch_add(&pool->joined, 1, __ATOMIC_RELAXED);
  for (uint32_t generation = 0;;) {
    generation = wait_for_change(&pool->generation, generation);
    if (__c11_atomic_load(&pool->ended, __ATOMIC_ACQUIRE))
      return 0;
    work_on_any(instance, self, generation);
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
  if (threads < 2 || !pthread_create || !pthread_join || !pthread_attr_init ||
      !pthread_attr_setstacksize || !pthread_attr_destroy)
    return;
  /* The default may be too small for kernels: 128 KB in musl. */
  struct thread_attributes attributes;
  if (pthread_attr_init(&attributes))
    return;
  int32_t started = 1;
  if (!pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES))
    while (started < threads &&
           pthread_create(&pool->handles[started], &attributes, work,
                          instance) == 0)
      ++started;
  pthread_attr_destroy(&attributes);
  pool->threads = started;
}

struct task {
  const qcc_instance *instance;
  const struct qcc_step *step;
  int64_t round;
};

static void run_task(void *argument, int64_t index) {
  const struct task *task = argument;
  uint64_t state = qcc_get_float_state();
  qcc_set_float_state(QCC_DEFAULT_FLOAT_STATE);
  run_part(task->instance, task->step, task->round, index,
           task->instance->pool.threads);
  qcc_set_float_state(state);
}

void qcc_pool_run(qcc_instance *instance, const struct qcc_step *step) {
  struct qcc_pool *pool = &instance->pool;
  uint32_t serial =
      instance->parallel_for ? QCC_SERIAL_CALLERS : QCC_SERIAL_OWN;
  if (pool->threads == 1 || (step->serial & serial) || step->tiles < 2) {
    step->body(instance->buffers, 0, step->tiles * step->rounds);
    return;
  }
  if (instance->parallel_for) {
    struct task task = {instance, step, 0};
    for (; task.round < step->rounds; ++task.round)
      instance->parallel_for(instance->parallel_context, run_task, &task,
                             pool->threads);
    return;
  }
  /* What a thread reads in every round of a step stays in its caches if it
   * takes one part of each. */
  int64_t parts = (step->rounds > 1 ? 1 : PARTS_PER_THREAD) * pool->threads;
  if (parts > step->tiles)
    parts = step->tiles;
  bool has_rounds = step->rounds > 1;
  uint32_t generation = pool->generation.value + 1;
  pool->step = step;
  __c11_atomic_store(&pool->parts, (uint32_t)parts, __ATOMIC_RELAXED);
  __c11_atomic_store(&pool->rounds, (uint32_t)step->rounds, __ATOMIC_RELAXED);
  __c11_atomic_store(&pool->pending.value, has_rounds ? 0 : (uint32_t)parts,
                     __ATOMIC_RELAXED);
  for (int32_t thread = 0; thread < pool->threads; ++thread) {
    int64_t own =
        parts * (thread + 1) / pool->threads - parts * thread / pool->threads;
    /* None without a part: it would outlive the step, and a thread that comes
     * late would take one of the next step by it. */
    uint64_t round = thread < parts ? round_bit : 0;
    uint64_t offer = has_rounds ? round : (uint64_t)own;
    __c11_atomic_store(offer_of(pool, thread),
                       (uint64_t)generation << 32 | offer, __ATOMIC_RELEASE);
  }
  advance(pool, generation);
  work_on_any(instance, 0, generation);
  if (has_rounds) /* the caller has seen the last one end */
    return;
  for (uint32_t left;
       (left = __c11_atomic_load(&pool->pending.value, __ATOMIC_ACQUIRE)) != 0;)
    wait_for_change(&pool->pending, left);
}

void qcc_pool_stop(qcc_instance *instance) {
  struct qcc_pool *pool = &instance->pool;
  if (instance->parallel_for || pool->threads == 1)
    return;
  __c11_atomic_store(&pool->ended, 1, __ATOMIC_RELEASE);
  advance(pool, pool->generation.value + 1);
  for (int32_t i = 1; i < pool->threads; ++i)
    pthread_join(pool->handles[i], 0);
}
