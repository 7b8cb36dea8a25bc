/*===- qcc.h - The C interface of the compiler --------------------*- C -*-===*
 *
 * Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * What libqcc.so exports, all of it. The interface of the models that it
 * compiles is another header: qcc/Runtime/qcc_runtime.h.
 *
 *   QccCompilation *c = qccCompilationCreate();
 *   if (qccSetModelFile(c, "model.onnx") != QCC_SUCCESS ||
 *       qccSetOption(c, "target", "arm64") != QCC_SUCCESS ||
 *       qccCompileToFile(c, "model.so") != QCC_SUCCESS)
 *     puts(qccLastError(c));
 *   qccCompilationDestroy(c);
 *
 * A compilation belongs to one thread at a time; several may run at once on
 * several threads. No function throws; what is wrong with a model or an option
 * comes back as a status with a text. Strings are UTF-8.
 *
 *===----------------------------------------------------------------------===*/

#ifndef QCC_C_QCC_H
#define QCC_C_QCC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QCC_C_API __attribute__((visibility("default")))

/* Grows when something below changes in a way that old callers would notice;
 * functions and enumerators may be added without. */
#define QCC_C_API_VERSION 1

typedef enum QccStatus {
  QCC_SUCCESS = 0,
  QCC_FAILURE = 1,          /* the model cannot be compiled as asked */
  QCC_INVALID_ARGUMENT = 2, /* a null pointer, an unknown option or value */
  QCC_INTERNAL_ERROR = 3    /* out of memory, or a defect of the compiler */
} QccStatus;

typedef enum QccSeverity {
  QCC_SEVERITY_ERROR = 0,
  QCC_SEVERITY_WARNING = 1,
  QCC_SEVERITY_REMARK = 2
} QccSeverity;

/* A model and what to make of it. */
typedef struct QccCompilation QccCompilation;

/* Bytes that the library owns. */
typedef struct QccBuffer QccBuffer;

/* An input of the model. */
typedef struct QccInputSpec {
  const char *name;
  int32_t dtype; /* as ONNX's TensorProto.DataType: 1 float, 2 uint8, ... */
  int32_t rank;
  const int64_t *shape;
} QccInputSpec;

/* `location` names the model and the node, and is empty where neither is to
 * blame. The strings live until the call returns. */
typedef void (*QccDiagnosticHandler)(void *context, QccSeverity severity,
                                     const char *location, const char *message);

/* `done` of `total` steps of what `task` names. Called on the thread that
 * compiles, also for fast tasks. */
typedef void (*QccProgressHandler)(void *context, const char *task,
                                   uint64_t done, uint64_t total);

/* Gives calibration sample `index`: sets data[i] to the elements of input i,
 * row-major, in exactly the type and shape of inputs[i]; they must live until
 * the next call or the end of the compilation. Returns NULL, or what is wrong
 * as a text that lives as long. */
typedef const char *(*QccSampleSource)(void *context, uint64_t index,
                                       const QccInputSpec *inputs,
                                       uint32_t num_inputs, const void **data);

/* An output of the model. */
typedef struct QccTensorView {
  const char *name;
  int32_t dtype; /* as in QccInputSpec */
  int32_t rank;
  const int64_t *shape;
  const void *data; /* row-major; lives until the call returns */
} QccTensorView;

/* Sets *value to what the outputs for the sample `index` of the verification
 * samples (without those: of the calibration samples) are worth; more is
 * better. Called for the float model and for each one that the search tries.
 * Returns NULL, or what is wrong as a text that lives until the next call. */
typedef const char *(*QccMetric)(void *context, uint64_t index,
                                 const QccTensorView *outputs,
                                 uint32_t num_outputs, double *value);

/* QCC_C_API_VERSION of the library. */
QCC_C_API uint32_t qccApiVersion(void);

/* As qcc --version prints it; static. */
QCC_C_API const char *qccVersion(void);

/* What the option "target" accepts, one a line with an explanation; static. */
QCC_C_API const char *qccTargets(void);

/* NULL when there is no memory. */
QCC_C_API QccCompilation *qccCompilationCreate(void);
QCC_C_API void qccCompilationDestroy(QccCompilation *compilation);

/* The model: a file, or bytes, which must live until the compilation is
 * destroyed or has another model. `name` stands for them in diagnostics;
 * external data is looked for in `directory` (NULL: there may be none). */
QCC_C_API QccStatus qccSetModelFile(QccCompilation *compilation,
                                    const char *path);
QCC_C_API QccStatus qccSetModelBytes(QccCompilation *compilation,
                                     const void *data, size_t size,
                                     const char *name, const char *directory);

/* An option of qcc's command line, by its name without dashes: "target",
 * "quantize", "calib", "calib-method", "calib-table", "precision", "max-drop",
 * "max-latency", "max-size", "max-ram", "search-threads", "verify", "shape"
 * (repeatable), "outputs", "preprocess", "io" (repeatable), "prefix", "emit",
 * "emit-header", "keep-tensors", "reference", ... Switches take "true" or
 * "false". */
QCC_C_API QccStatus qccSetOption(QccCompilation *compilation, const char *name,
                                 const char *value);

/* Calibration samples from memory, in place of the option "calib". */
QCC_C_API QccStatus qccSetCalibration(QccCompilation *compilation,
                                      uint64_t num_samples,
                                      QccSampleSource source, void *context);

/* Samples that a budget is verified on, in place of the option "verify". */
QCC_C_API QccStatus qccSetVerification(QccCompilation *compilation,
                                       uint64_t num_samples,
                                       QccSampleSource source, void *context);

/* The metric of the option "max-drop" = "metric:VALUE", with "precision" =
 * "auto": its mean over the samples may fall by VALUE. NULL takes it away. */
QCC_C_API QccStatus qccSetMetric(QccCompilation *compilation, QccMetric metric,
                                 void *context);

/* Without a handler, diagnostics reach only qccLastError. */
QCC_C_API void qccSetDiagnosticHandler(QccCompilation *compilation,
                                       QccDiagnosticHandler handler,
                                       void *context);
QCC_C_API void qccSetProgressHandler(QccCompilation *compilation,
                                     QccProgressHandler handler, void *context);

/* Compiles to a file, whole or not at all. The extension says what is written
 * (.so .o .a .s .ll .mlir), unless the option "emit" does. */
QCC_C_API QccStatus qccCompileToFile(QccCompilation *compilation,
                                     const char *path);

/* The same in memory; `kind` is the extension without its dot. */
QCC_C_API QccStatus qccCompileToBuffer(QccCompilation *compilation,
                                       const char *kind, QccBuffer **buffer);
QCC_C_API const void *qccBufferData(const QccBuffer *buffer);
QCC_C_API size_t qccBufferSize(const QccBuffer *buffer);
QCC_C_API void qccBufferDestroy(QccBuffer *buffer);

/* The errors of the last call on this compilation that failed, one a line;
 * lives until the next call on it. Never NULL. */
QCC_C_API const char *qccLastError(const QccCompilation *compilation);

/* 8-bit pixels, row by row, the channels of a pixel side by side. */
typedef struct QccPixels {
  const uint8_t *data;
  int64_t height, width, channels;
} QccPixels;

/* Makes an input of an image, by the steps of the option "preprocess"
 * (docs/calibration.md): of the file at `path` (.png, .jpg, .npy), or of
 * `pixels` where path is NULL. Fills `data`, which holds what `input` says
 * (its name does not matter). On failure writes why to `message`, cut to
 * `message_size` bytes and terminated. */
QCC_C_API QccStatus qccPreprocess(const char *steps, const char *path,
                                  const QccPixels *pixels,
                                  const QccInputSpec *input, void *data,
                                  char *message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* QCC_C_QCC_H */
