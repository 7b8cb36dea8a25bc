/* Calls every function of the interface, rightly and wrongly. */
#include "model.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
#define CHECK(x)                                                               \
  do {                                                                         \
    if (!(x)) {                                                                \
      printf("line %d: %s\n", __LINE__, #x);                                   \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

static float x[64 * 1000], y[64 * 1000], reference[64 * 1000];
static uint8_t q[8] = {0, 1, 2, 3, 252, 253, 254, 255}, r[8];
static const int64_t x_shape[] = {64, 1000}, q_shape[] = {8};
static qcc_tensor in[2] = {{x, QCC_F32, 2, x_shape, NULL},
                           {q, QCC_U8, 1, q_shape, NULL}};
static qcc_tensor out[2] = {{y, QCC_F32, 2, x_shape, NULL},
                            {r, QCC_U8, 1, q_shape, NULL}};

static qcc_instance *create(qcc_options options) {
  options.struct_size = sizeof(options);
  qcc_instance *net = NULL;
  int32_t status = qcc_create(&options, &net);
  CHECK(status == QCC_OK && net);
  return net;
}

static int run(qcc_instance *net) { return qcc_run(net, in, 2, out, 2); }

/* A run of these tensors fails, with these words. */
static void fails(qcc_instance *net, int status, const char *words) {
  int got = run(net);
  CHECK(got == status);
  if (!strstr(qcc_last_error(net), words))
    printf("expected '%s', got '%s'\n", words, qcc_last_error(net)), ++failures;
}

static void same_result(qcc_instance *net) {
  memset(y, 0, sizeof(y));
  memset(r, 0, sizeof(r));
  CHECK(run(net) == QCC_OK);
  CHECK(memcmp(y, reference, sizeof(y)) == 0);
  for (int i = 0; i < 8; ++i)
    CHECK(r[i] == (uint8_t)~q[i]);
}

static void describe(void) {
  const qcc_model_info *m = qcc_describe();
  CHECK(m->abi_version == QCC_ABI_VERSION && m->struct_size == sizeof(*m));
  CHECK(m->num_inputs == 2 && m->num_outputs == 2 && m->num_levels == 1);
  CHECK(!strcmp(m->inputs[0].name, "x") && !strcmp(m->outputs[1].name, "r"));
  CHECK(m->inputs[0].quant_count == 0 && m->inputs[0].rank == 2);
  CHECK(m->outputs[1].dtype == QCC_U8 && m->outputs[1].quant_count == 1);
  CHECK(m->outputs[1].scales[0] == 0.5f && m->outputs[1].quant_axis == -1);
  CHECK(m->outputs[1].zero_points[0] == 127);
  CHECK(!strcmp(m->levels[0].name, "baseline") && m->levels[0].num_steps == 3);
  CHECK(!strcmp(m->levels[0].steps[1].nodes, "second"));
  CHECK(!strcmp(m->levels[0].tensors[0].name, "x/3"));
  CHECK(strlen(m->build_id) == 16 && m->arena_bytes == QCC_ARENA_BYTES);
  CHECK(qcc_get_api()->run == qcc_run && qcc_get_api()->describe() == m);
}

static void options(void) {
  qcc_instance *net = NULL;
  qcc_options o = {sizeof(o)};
  CHECK(qcc_create(NULL, NULL) == QCC_ERROR_ARGUMENT);
  o.threads = -1;
  CHECK(qcc_create(&o, &net) == QCC_ERROR_ARGUMENT && !net);
  o.threads = 0;
  o.isa = "pentium";
  CHECK(qcc_create(&o, &net) == QCC_ERROR_ISA);
  CHECK(strstr(qcc_status_text(QCC_ERROR_ISA), "QCC_ISA"));
  o.isa = "baseline";
  net = create(o);
  same_result(net);
  qcc_destroy(net);
  qcc_destroy(NULL);
}

static void arena(void) {
  static _Alignas(64) char memory[QCC_ARENA_BYTES + 64];
  qcc_instance *net = NULL;
  qcc_options o = {sizeof(o)};
  o.arena = memory + 8;
  o.arena_bytes = QCC_ARENA_BYTES;
  CHECK(qcc_create(&o, &net) == QCC_ERROR_ARGUMENT);
  o.arena = memory;
  o.arena_bytes = QCC_ARENA_BYTES - 1;
  CHECK(qcc_create(&o, &net) == QCC_ERROR_MEMORY);
  o.arena_bytes = QCC_ARENA_BYTES;
  memset(memory, 0xa5, sizeof(memory));
  net = create(o);
  same_result(net);
  for (int i = 0; i < 64; ++i)
    CHECK(memory[QCC_ARENA_BYTES + i] == (char)0xa5);
  /* Too little for copies of tensors with strides. */
  const int64_t columns[] = {1, 64};
  in[0].strides = columns;
  fails(net, QCC_ERROR_TENSOR, "strided_arena_bytes");
  in[0].strides = NULL;
  qcc_destroy(net);
}

static void tensors(qcc_instance *net) {
  const int64_t other[] = {1000, 64, 1};
  in[0].shape = other;
  fails(net, QCC_ERROR_TENSOR,
        "input 0 'x': expected shape [64x1000], got [1000x64]");
  in[0].rank = 3;
  fails(net, QCC_ERROR_TENSOR, "got [1000x64x1]");
  in[0].rank = 1 << 30;
  fails(net, QCC_ERROR_TENSOR, "got rank 1073741824");
  in[0].shape = NULL;
  in[0].rank = 2;
  fails(net, QCC_ERROR_TENSOR, "its shape is a null pointer");
  in[0].shape = x_shape;
  in[0].dtype = QCC_F64;
  fails(net, QCC_ERROR_TENSOR, "expected f32, got f64");
  in[0].dtype = 77;
  fails(net, QCC_ERROR_TENSOR, "expected f32, got an unknown type");
  in[0].dtype = QCC_F32;
  in[0].data = NULL;
  fails(net, QCC_ERROR_TENSOR, "its data is a null pointer");
  in[0].data = (char *)x + 1;
  fails(net, QCC_ERROR_TENSOR, "not aligned");
  in[0].data = x;
  out[0].data = x;
  fails(net, QCC_ERROR_TENSOR, "output 0 'y': its memory overlaps that of 'x'");
  out[0].data = y;
  out[1].data = (char *)y + 16;
  fails(net, QCC_ERROR_TENSOR, "overlaps that of 'y'");
  out[1].data = r;
  CHECK(qcc_run(net, in, 1, out, 2) == QCC_ERROR_TENSOR);
  CHECK(qcc_run(net, in, 2, out, 3) == QCC_ERROR_TENSOR);
  CHECK(qcc_run(net, NULL, 2, out, 2) == QCC_ERROR_ARGUMENT);
  CHECK(qcc_run(NULL, in, 2, out, 2) == QCC_ERROR_ARGUMENT);
  same_result(net);

  qcc_tensor shapes[2] = {{0}};
  CHECK(qcc_output_shapes(net, in, 2, shapes, 2) == QCC_OK);
  CHECK(shapes[0].rank == 2 && shapes[0].shape[1] == 1000);
  CHECK(shapes[1].dtype == QCC_U8 && shapes[1].shape[0] == 8);
  CHECK(qcc_output_shapes(net, in, 2, shapes, 1) == QCC_ERROR_TENSOR);
}

static void strides(qcc_instance *net) {
  /* x and y column-major. */
  static float xt[64 * 1000], yt[64 * 1000];
  const int64_t columns[] = {1, 64}, rows[] = {1000, 1};
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 1000; ++j)
      xt[j * 64 + i] = x[i * 1000 + j];
  in[0].data = xt;
  in[0].strides = columns;
  out[0].data = yt;
  out[0].strides = columns;
  CHECK(run(net) == QCC_OK);
  int different = 0;
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 1000; ++j)
      different += yt[j * 64 + i] != reference[i * 1000 + j];
  CHECK(!different);
  in[0].data = x;
  in[0].strides = rows;
  out[0].data = y;
  out[0].strides = NULL;
  same_result(net);
  in[0].strides = NULL;
}

static void rounding(qcc_instance *net) {
  fesetround(FE_UPWARD);
  feclearexcept(FE_ALL_EXCEPT);
  same_result(net);
  CHECK(fegetround() == FE_UPWARD && !fetestexcept(FE_ALL_EXCEPT));
  fesetround(FE_TONEAREST);
}

static void profile(qcc_instance *net) {
  uint64_t ns[3] = {0};
  CHECK(qcc_profile(net, in, 2, out, 2, ns, 3) == QCC_OK);
  CHECK(ns[0] > 0 && ns[1] > 0 && ns[0] < 1000000000);
  CHECK(qcc_profile(net, in, 2, out, 2, ns, 2) == QCC_ERROR_ARGUMENT);
  qcc_tensor t;
  CHECK(qcc_get_tensor(net, 0, &t) == QCC_OK && t.shape[0] == 64);
  CHECK(((float *)t.data)[5] == x[5] / 3);
  CHECK(qcc_get_tensor(net, 1, &t) == QCC_ERROR_ARGUMENT);
}

static int tasks;
static qcc_instance *own;
static void in_turn(void *context, void (*task)(void *, int64_t),
                    void *argument, int64_t count) {
  CHECK(context == &tasks);
  CHECK(run(own) == QCC_ERROR_BUSY);
  for (int64_t i = count; i-- > 0; ++tasks)
    task(argument, i);
}

static void threads(void) {
  qcc_options o = {0};
  qcc_instance_info info = {sizeof(info)};
  o.threads = 3;
  qcc_instance *three = create(o), *also = create(o);
  CHECK(qcc_inspect(three, &info) == QCC_OK && info.threads == 3);
  CHECK(info.strides == 1 && info.level == 0 && info.arena_bytes > 0);
  for (int i = 0; i < 200; ++i) {
    same_result(three);
    same_result(also);
  }
  qcc_destroy(three);
  same_result(also);
  qcc_destroy(also);
  o.threads = 5;
  o.parallel_for = in_turn;
  o.parallel_context = &tasks;
  own = create(o);
  same_result(own);
  CHECK(tasks == 10); /* two steps; the third is too small */
  qcc_destroy(own);
}

int main(void) {
  for (int i = 0; i < 64 * 1000; ++i) {
    x[i] = (float)(i % 977) - 488;
    volatile float once = x[i] / 3; /* rounded twice, as by the model */
    reference[i] = once / 3;
  }
  describe();
  options();
  arena();
  qcc_instance *net = create((qcc_options){0});
  qcc_tensor t;
  CHECK(qcc_get_tensor(net, 0, &t) == QCC_ERROR_ARGUMENT);
  CHECK(!strcmp(qcc_last_error(net), "the model has not run"));
  tensors(net);
  strides(net);
  rounding(net);
  profile(net);
  qcc_destroy(net);
  threads();
  printf(failures ? "%d failed\n" : "all passed\n", failures);
  return failures != 0;
}
