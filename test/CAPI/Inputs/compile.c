/* compile MODEL.onnx WHAT OUT [NAME VALUE]...: one way of using libqcc. */
#include "qcc-c/qcc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void printDiagnostic(void *context, QccSeverity severity,
                            const char *location, const char *message) {
  (void)context;
  printf("diagnostic %d at '%s': %s\n", severity, location, message);
}

static void printProgress(void *context, const char *task, uint64_t done,
                          uint64_t total) {
  (void)context;
  printf("progress %s %u/%u\n", task, (unsigned)done, (unsigned)total);
}

/* Samples that depend on the index alone; the third is missing if asked. */
static const char *sample(void *context, uint64_t index,
                          const QccInputSpec *inputs, uint32_t num_inputs,
                          const void **data) {
  static _Thread_local float *values;
  size_t count = 1;
  if (num_inputs != 1 || inputs[0].dtype != 1)
    return "expected one float input";
  for (int32_t i = 0; i < inputs[0].rank; ++i)
    count *= (size_t)inputs[0].shape[i];
  if (context && index == 2)
    return "the camera is off";
  values = realloc(values, count * sizeof(float));
  for (size_t i = 0; i < count; ++i)
    values[i] = (float)((i * 37 + (size_t)index * 11) % 101) / 50 - 1;
  data[0] = values;
  return NULL;
}

static char *readFile(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file)
    exit(2);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*size);
  if (fread(bytes, 1, *size, file) != *size)
    exit(2);
  fclose(file);
  return bytes;
}

static int writeBuffer(QccBuffer *buffer, const char *path) {
  FILE *file = fopen(path, "wb");
  size_t size = qccBufferSize(buffer);
  int ok = file && fwrite(qccBufferData(buffer), 1, size, file) == size;
  if (file)
    fclose(file);
  qccBufferDestroy(buffer);
  return ok;
}

struct Job {
  const char *model;
  QccBuffer *buffer;
};

static void *compileInThread(void *argument) {
  struct Job *job = argument;
  QccCompilation *c = qccCompilationCreate();
  qccSetModelFile(c, job->model);
  qccSetCalibration(c, 4, sample, NULL);
  if (qccCompileToBuffer(c, "so", &job->buffer) != QCC_SUCCESS)
    job->buffer = NULL;
  qccCompilationDestroy(c);
  return NULL;
}

/* Two compilations at once give the same bytes. */
static int compileTwice(const char *model) {
  struct Job jobs[2] = {{model, NULL}, {model, NULL}};
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    pthread_create(&threads[i], NULL, compileInThread, &jobs[i]);
  for (int i = 0; i < 2; ++i)
    pthread_join(threads[i], NULL);
  if (!jobs[0].buffer || !jobs[1].buffer)
    return puts("one failed"), 1;
  size_t size = qccBufferSize(jobs[0].buffer);
  int same = size == qccBufferSize(jobs[1].buffer) &&
             !memcmp(qccBufferData(jobs[0].buffer),
                     qccBufferData(jobs[1].buffer), size);
  puts(same ? "same bytes" : "different bytes");
  qccBufferDestroy(jobs[0].buffer);
  qccBufferDestroy(jobs[1].buffer);
  return !same;
}

int main(int argc, char **argv) {
  if (argc < 4 || qccApiVersion() != QCC_C_API_VERSION)
    return 2;
  const char *model = argv[1], *what = argv[2], *out = argv[3];
  if (!strcmp(what, "threads"))
    return compileTwice(model);
  QccCompilation *c = qccCompilationCreate();
  qccSetDiagnosticHandler(c, printDiagnostic, NULL);
  qccSetProgressHandler(c, printProgress, NULL);
  QccStatus status = QCC_SUCCESS;
  size_t size;
  char *bytes = NULL;
  if (!strcmp(what, "memory")) {
    bytes = readFile(model, &size);
    status = qccSetModelBytes(c, bytes, size, "from-memory", NULL);
  } else if (strcmp(what, "nothing")) {
    status = qccSetModelFile(c, model);
  }
  if (!strcmp(what, "calibrate") || !strcmp(what, "broken"))
    status = qccSetCalibration(c, 4, sample,
                               strcmp(what, "broken") ? NULL : &size);
  for (int i = 4; i + 1 < argc && status == QCC_SUCCESS; i += 2)
    status = qccSetOption(c, argv[i], argv[i + 1]);
  if (status == QCC_SUCCESS && !strcmp(what, "memory")) {
    QccBuffer *buffer;
    status = qccCompileToBuffer(c, "so", &buffer);
    if (status == QCC_SUCCESS && !writeBuffer(buffer, out))
      return 2;
  } else if (status == QCC_SUCCESS) {
    status = qccCompileToFile(c, out);
  }
  printf("status %d: %s\n", status, qccLastError(c));
  qccCompilationDestroy(c);
  free(bytes);
  return 0;
}
