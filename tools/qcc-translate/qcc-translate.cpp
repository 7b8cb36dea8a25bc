//===- qcc-translate.cpp - Translations to and from the qnn dialect ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Import/ONNX/Importer.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

static llvm::cl::list<std::string>
    shapeFlags("shape", llvm::cl::desc("Shape of an input, NAME:1x3x224x224"));
static llvm::cl::list<std::string>
    outputFlags("outputs", llvm::cl::CommaSeparated,
                llvm::cl::desc("Outputs in place of the model's"));

int main(int argc, char **argv) {
  mlir::TranslateToMLIRRegistration import(
      "import-onnx", "import an ONNX model",
      [](llvm::SourceMgr &sources,
         mlir::MLIRContext *context) -> mlir::OwningOpRef<mlir::Operation *> {
        qcc::ImportOptions options;
        for (llvm::StringRef flag : shapeFlags) {
          auto [name, dims] = flag.rsplit(':');
          llvm::SmallVector<int64_t> &shape = options.shapes[name];
          llvm::SmallVector<llvm::StringRef> parts;
          dims.split(parts, 'x', -1, /*KeepEmpty=*/false);
          for (llvm::StringRef part : parts)
            if (part.getAsInteger(10, shape.emplace_back())) {
              llvm::errs() << "-shape=" << flag << ": no number: " << part
                           << "\n";
              return nullptr;
            }
        }
        options.outputs.assign(outputFlags.begin(), outputFlags.end());
        const llvm::MemoryBuffer *file =
            sources.getMemoryBuffer(sources.getMainFileID());
        llvm::StringRef path = file->getBufferIdentifier();
        llvm::StringRef folder = llvm::sys::path::parent_path(path);
        return qcc::importONNXBuffer(*context, file->getBuffer(),
                                     llvm::sys::path::filename(path), options,
                                     folder.empty() ? "." : folder)
            .release()
            .getOperation();
      },
      [](mlir::DialectRegistry &registry) {
        qcc::registerImportDialects(registry);
      });
  return mlir::failed(
      mlir::mlirTranslateMain(argc, argv, "qcc translation driver\n"));
}
