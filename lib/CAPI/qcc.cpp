//===- qcc.cpp - The C interface of the compiler --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc-c/qcc.h"

#include "qcc/Driver/Compiler.h"
#include "qcc/Driver/OptionText.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Driver/Version.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cstring>
#include <new>

using namespace qcc;

struct QccBuffer {
  std::unique_ptr<llvm::MemoryBuffer> bytes;
};

struct QccCompilation {
  CompileOptions options;
  QccDiagnosticHandler diagnose = nullptr;
  void *diagnoseContext = nullptr;
  QccProgressHandler progress = nullptr;
  void *progressContext = nullptr;
  std::string lastError;

  QccStatus fail(QccStatus status, const llvm::Twine &message) {
    lastError = message.str();
    return status;
  }
  QccStatus compileTo(llvm::StringRef path);
};

namespace {
/// The caller's samples; `kind` says in errors which.
class CallbackDataset : public Dataset {
public:
  CallbackDataset(llvm::StringRef kind, llvm::ArrayRef<InputSpec> specs,
                  uint64_t count, QccSampleSource source, void *context)
      : kind(kind), specs(specs), count(count), source(source),
        context(context) {
    for (const InputSpec &spec : this->specs)
      inputs.push_back({spec.name.c_str(), int32_t(spec.dtype),
                        int32_t(spec.shape.size()), spec.shape.data()});
  }

  size_t size() const override { return count; }
  llvm::Expected<std::vector<HostTensor>> next() override;

private:
  std::string kind;
  std::vector<InputSpec> specs;
  std::vector<QccInputSpec> inputs;
  uint64_t count, position = 0;
  QccSampleSource source;
  void *context;
};
} // namespace

llvm::Expected<std::vector<HostTensor>> CallbackDataset::next() {
  std::vector<const void *> data(inputs.size(), nullptr);
  uint64_t index = position++;
  std::string where = kind + " sample " + std::to_string(index) + ": ";
  if (const char *problem = source(context, index, inputs.data(),
                                   uint32_t(inputs.size()), data.data()))
    return makeError(where + problem);
  std::vector<HostTensor> sample;
  for (auto [spec, elements] : llvm::zip_equal(specs, data)) {
    if (!elements)
      return makeError(where + "no data for input '" + spec.name + "'");
    HostTensor tensor{spec.name, spec.dtype, spec.shape, {}};
    tensor.data.resize(size_t(*byteCount(spec.shape, spec.dtype)));
    std::memcpy(tensor.data.data(), elements, tensor.data.size());
    sample.push_back(std::move(tensor));
  }
  return sample;
}

/// Runs what the interface was asked for. LLVM is built without exceptions, but
/// protobuf and the standard library are not; none may reach the caller.
template <typename Function>
static QccStatus guarded(QccCompilation *compilation, Function function) {
  if (!compilation)
    return QCC_INVALID_ARGUMENT;
  try {
    compilation->lastError.clear();
    return function();
  } catch (const std::bad_alloc &) {
    return compilation->fail(QCC_INTERNAL_ERROR, "out of memory");
  } catch (const std::exception &exception) {
    return compilation->fail(QCC_INTERNAL_ERROR, exception.what());
  } catch (...) {
    return compilation->fail(QCC_INTERNAL_ERROR, "unknown exception");
  }
}

QccStatus QccCompilation::compileTo(llvm::StringRef path) {
  if (options.input.empty())
    return fail(QCC_INVALID_ARGUMENT, "no model was given");
  options.output = path.str();
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        QccSeverity severity = QCC_SEVERITY_REMARK;
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          severity = QCC_SEVERITY_ERROR;
        else if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning)
          severity = QCC_SEVERITY_WARNING;
        std::string where = describeLocation(diagnostic.getLocation());
        std::string message = diagnostic.str();
        if (severity == QCC_SEVERITY_ERROR) {
          lastError += lastError.empty() ? "" : "\n";
          lastError += where + (where.empty() ? "" : ": ") + message;
        }
        if (diagnose)
          diagnose(diagnoseContext, severity, where.c_str(), message.c_str());
      });
  ProgressListener listener(
      [this](const std::string &task, uint64_t done, uint64_t total) {
        if (progress)
          progress(progressContext, task.c_str(), done, total);
      });
  if (succeeded(compile(context, options)))
    return QCC_SUCCESS;
  return QCC_FAILURE;
}

uint32_t qccApiVersion(void) { return QCC_C_API_VERSION; }

const char *qccVersion(void) {
  static const std::string text = versionString();
  return text.c_str();
}

const char *qccTargets(void) {
  static const std::string text = [] {
    std::string lines;
    llvm::raw_string_ostream stream(lines);
    printTargets(stream);
    return lines;
  }();
  return text.c_str();
}

QccCompilation *qccCompilationCreate(void) {
  return new (std::nothrow) QccCompilation;
}

void qccCompilationDestroy(QccCompilation *compilation) { delete compilation; }

QccStatus qccSetModelFile(QccCompilation *compilation, const char *path) {
  return guarded(compilation, [&] {
    if (!path || !*path)
      return compilation->fail(QCC_INVALID_ARGUMENT, "the path is empty");
    compilation->options.input = path;
    compilation->options.model.reset();
    return QCC_SUCCESS;
  });
}

QccStatus qccSetModelBytes(QccCompilation *compilation, const void *data,
                           size_t size, const char *name,
                           const char *directory) {
  return guarded(compilation, [&] {
    if (!data && size)
      return compilation->fail(QCC_INVALID_ARGUMENT, "the bytes are missing");
    compilation->options.input = name && *name ? name : "model";
    compilation->options.model =
        ModelBytes{llvm::StringRef(static_cast<const char *>(data), size),
                   directory ? directory : ""};
    return QCC_SUCCESS;
  });
}

QccStatus qccSetOption(QccCompilation *compilation, const char *name,
                       const char *value) {
  return guarded(compilation, [&] {
    if (!name || !value)
      return compilation->fail(QCC_INVALID_ARGUMENT,
                               "an option needs a name and a value");
    if (llvm::Error error = setOption(compilation->options, name, value))
      return compilation->fail(QCC_INVALID_ARGUMENT,
                               llvm::toString(std::move(error)));
    return QCC_SUCCESS;
  });
}

static QccStatus setSamples(QccCompilation *compilation,
                            SampleOpener CompileOptions::*opener,
                            const char *kind, uint64_t numSamples,
                            QccSampleSource source, void *context) {
  return guarded(compilation, [&] {
    if (!source || numSamples == 0)
      return compilation->fail(QCC_INVALID_ARGUMENT,
                               llvm::Twine(kind) +
                                   " needs at least one sample");
    compilation->options.*opener = [=](llvm::ArrayRef<InputSpec> inputs)
        -> llvm::Expected<std::unique_ptr<Dataset>> {
      return std::make_unique<CallbackDataset>(kind, inputs, numSamples, source,
                                               context);
    };
    return QCC_SUCCESS;
  });
}

QccStatus qccSetCalibration(QccCompilation *compilation, uint64_t numSamples,
                            QccSampleSource source, void *context) {
  return setSamples(compilation, &CompileOptions::openCalibration,
                    "calibration", numSamples, source, context);
}

QccStatus qccSetVerification(QccCompilation *compilation, uint64_t numSamples,
                             QccSampleSource source, void *context) {
  return setSamples(compilation, &CompileOptions::openVerification,
                    "verification", numSamples, source, context);
}

static llvm::Expected<double> callMetric(QccMetric metric, void *context,
                                         uint64_t index,
                                         llvm::ArrayRef<HostTensor> outputs) {
  std::vector<QccTensorView> views;
  for (const HostTensor &output : outputs)
    views.push_back({output.name.c_str(), int32_t(output.dtype),
                     int32_t(output.shape.size()), output.shape.data(),
                     output.data.data()});
  double value = 0;
  if (const char *problem =
          metric(context, index, views.data(), uint32_t(views.size()), &value))
    return makeError("the metric of sample " + std::to_string(index) + ": " +
                     problem);
  return value;
}

QccStatus qccSetMetric(QccCompilation *compilation, QccMetric metric,
                       void *context) {
  return guarded(compilation, [&] {
    compilation->options.metric = nullptr;
    if (metric)
      compilation->options.metric = [=](uint64_t index,
                                        llvm::ArrayRef<HostTensor> outputs) {
        return callMetric(metric, context, index, outputs);
      };
    return QCC_SUCCESS;
  });
}

void qccSetDiagnosticHandler(QccCompilation *compilation,
                             QccDiagnosticHandler handler, void *context) {
  if (!compilation)
    return;
  compilation->diagnose = handler;
  compilation->diagnoseContext = context;
}

void qccSetProgressHandler(QccCompilation *compilation,
                           QccProgressHandler handler, void *context) {
  if (!compilation)
    return;
  compilation->progress = handler;
  compilation->progressContext = context;
}

QccStatus qccCompileToFile(QccCompilation *compilation, const char *path) {
  return guarded(compilation, [&] {
    // "-" writes IR to standard output, which belongs to the caller.
    if (!path || !*path || llvm::StringRef(path) == "-")
      return compilation->fail(QCC_INVALID_ARGUMENT, "expected a file's path");
    return compilation->compileTo(path);
  });
}

QccStatus qccCompileToBuffer(QccCompilation *compilation, const char *kind,
                             QccBuffer **buffer) {
  return guarded(compilation, [&] {
    if (!kind || !*kind || !buffer)
      return compilation->fail(QCC_INVALID_ARGUMENT,
                               "expected a kind of file and a buffer");
    *buffer = nullptr;
    llvm::SmallString<128> folder;
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory("qcc", folder))
      return compilation->fail(
          QCC_FAILURE, "cannot create a temporary folder: " + code.message());
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, llvm::Twine("model.") + kind);
    QccStatus status = compilation->compileTo(path);
    if (status == QCC_SUCCESS) {
      // A copy, not a map of the file: that is removed next.
      auto bytes = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                               /*RequiresNullTerminator=*/false,
                                               /*IsVolatile=*/true);
      if (bytes)
        *buffer = new QccBuffer{std::move(*bytes)};
      else
        status =
            compilation->fail(QCC_FAILURE, "cannot read the result back: " +
                                               bytes.getError().message());
    }
    (void)llvm::sys::fs::remove_directories(folder);
    return status;
  });
}

const void *qccBufferData(const QccBuffer *buffer) {
  return buffer ? buffer->bytes->getBufferStart() : nullptr;
}

size_t qccBufferSize(const QccBuffer *buffer) {
  return buffer ? buffer->bytes->getBufferSize() : 0;
}

void qccBufferDestroy(QccBuffer *buffer) { delete buffer; }

const char *qccLastError(const QccCompilation *compilation) {
  return compilation ? compilation->lastError.c_str()
                     : "there is no compilation";
}
