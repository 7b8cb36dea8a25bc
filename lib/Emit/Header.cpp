//===- Header.cpp - The C header of an artefact ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program.h"
#include "mlir/IR/Diagnostics.h"
#include "qcc/Emit/Emit.h"
#include "qcc/Support/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

/// qcc_runtime.h, so that the header needs no other file.
static const char abiBytes[] = {
#include "qcc_runtime.h.inc"
};

/// A name without what would end a C comment or a line.
static std::string inComment(StringRef name) {
  std::string text;
  for (char c : name)
    text += isPrint(c) && c != '*' ? c : '?';
  return text;
}

static void describe(raw_ostream &os, StringRef kind,
                     ArrayRef<TensorDescription> tensors) {
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    os << " *   " << kind << " " << i << "  '" << inComment(tensor.name)
       << "'  " << name(tensor.dtype) << "[";
    llvm::interleave(tensor.shape, os, "x");
    os << "]";
    if (tensor.scales.size() == 1)
      os << "  (q - " << tensor.zeroPoints.front() << ") * "
         << tensor.scales.front();
    os << "\n";
  }
}

static void defineSize(raw_ostream &os, StringRef macro, StringRef what,
                       uint64_t value) {
  os << "#define " << macro << what << " " << value << "u\n";
}

LogicalResult qcc::emitHeader(mlir::ModuleOp module, const EmitOptions &options,
                              const ArtefactSizes &sizes, StringRef path) {
  Program program;
  if (failed(readInterface(module, program)))
    return failure();
  std::string macro = StringRef(options.prefix).upper();
  std::string text;
  raw_string_ostream os(text);
  os << "/* A model compiled by qcc.\n *\n";
  describe(os, "input ", program.inputs);
  describe(os, "output", program.outputs);
  os << " */\n\n"
     << StringRef(abiBytes, sizeof(abiBytes)) << "\n#ifndef " << macro
     << "MODEL_H\n#define " << macro << "MODEL_H\n\n";
  os << "/* Memory of an instance: static, for a caller's own arena. */\n";
  defineSize(os, macro, "ARENA_BYTES", sizes.arenaBytes);
  if (sizes.flashBytes) {
    os << "/* Code and constants. */\n";
    defineSize(os, macro, "FLASH_BYTES", sizes.flashBytes);
  }
  for (auto [i, tensor] : llvm::enumerate(program.inputs))
    defineSize(os, macro, ("INPUT_" + Twine(i) + "_BYTES").str(),
               tensor.byteSize());
  for (auto [i, tensor] : llvm::enumerate(program.outputs))
    defineSize(os, macro, ("OUTPUT_" + Twine(i) + "_BYTES").str(),
               tensor.byteSize());
  os << "\nQCC_DECLARE_MODEL(" << options.prefix << ")\n\n#endif /* " << macro
     << "MODEL_H */\n";
  Status status = writeFile(path.str(), text.data(), text.size());
  if (!status)
    return mlir::emitError(module.getLoc()) << status.error();
  return success();
}
