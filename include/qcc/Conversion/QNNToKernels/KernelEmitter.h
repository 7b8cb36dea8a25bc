//===- KernelEmitter.h - From qnn ops to kernels on buffers ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// convert-qnn-to-kernels turns every qnn op of @main into calls of kernel
// functions on buffers. A kernel generator is a function that emits the code
// for one op (or a group rooted at it); generators are asked in the order of
// their list, and the reference generator, last, takes every op.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CONVERSION_QNNTOKERNELS_KERNELEMITTER_H
#define QCC_CONVERSION_QNNTOKERNELS_KERNELEMITTER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Target/TargetBackend.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/FunctionExtras.h"
#include "llvm/ADT/StringMap.h"

#include <functional>

namespace qcc {

/// Emits kernel functions and, in @main, the calls to them.
///
/// A kernel is `func.func private @name(memref..., index, index)`: buffers of
/// static shape and signless elements (a quantized tensor is its storage
/// integers, i1 is one byte: i8), then the half-open range [begin, end) of its
/// tiles. Tiles may run in any order and on any thread, so each must write a
/// part of the result that no other tile touches. @main calls it with 0 and
/// the number of tiles; the artefact's runtime splits that range. A kernel of
/// many steps that depend on each other gives `call` a number of rounds: tiles
/// of different rounds run in order.
class KernelEmitter {
public:
  using Body = llvm::function_ref<void(mlir::OpBuilder &, mlir::Location,
                                       mlir::ValueRange args, mlir::Value begin,
                                       mlir::Value end)>;

  KernelEmitter(mlir::ModuleOp module, const TargetLevel &level);

  const TargetLevel &level() const { return targetLevel; }
  mlir::MLIRContext *context() { return module.getContext(); }

  /// The buffer (in @main) that holds a qnn tensor: an arena buffer, an input,
  /// an output or a constant.
  mlir::Value buffer(mlir::Value tensor);
  /// The memref type of a tensor's buffer.
  mlir::MemRefType bufferType(mlir::Type tensorType) const;
  /// A read-only buffer with these bytes (64-byte aligned, equal contents are
  /// stored once), for packed weights and tables.
  mlir::Value constant(llvm::StringRef stem, mlir::MemRefType type,
                       llvm::ArrayRef<char> bytes);
  /// The same for the contents of a qnn.constant; its blob is not copied.
  mlir::Value constant(qnn::ConstantOp op, mlir::MemRefType type);
  /// A buffer that lives until the last call that uses it.
  mlir::Value scratch(mlir::MemRefType type);
  /// The ranges of parts of `tensor`, filled by its kernel, for an op that
  /// needs them; null where none were set.
  mlir::Value ranges(mlir::Value tensor) const {
    return rangesOf.lookup(tensor);
  }
  void setRanges(mlir::Value tensor, mlir::Value buffer) {
    rangesOf[tensor] = buffer;
  }
  /// Makes `result` share the bytes of `source` under its own shape.
  void alias(mlir::Value result, mlir::Value source);
  /// A buffer under another shape (in @main).
  mlir::Value reshape(mlir::Value buffer, mlir::MemRefType type,
                      mlir::Location loc);

  /// A buffer for `tensor` within another one of its element type, from the
  /// given element on (in @main).
  mlir::Value part(mlir::Value buffer, int64_t element, mlir::Value tensor);

  /// The kernel with this `stem` and `key`; its body is emitted at first use.
  /// The key must spell out everything that the body depends on besides the
  /// argument types and the level.
  mlir::func::FuncOp kernel(llvm::StringRef stem, llvm::StringRef key,
                            mlir::TypeRange argTypes, mlir::Location loc,
                            Body body);
  /// Appends a call over `tiles` tiles to @main. Of several `rounds` of as many
  /// tiles, each starts when all tiles of the one before are done.
  void call(mlir::func::FuncOp kernel, mlir::ValueRange args, int64_t tiles,
            mlir::Location loc, int64_t rounds = 1);

  /// Called by the pass before the generators see `op`.
  void setInsertionPoint(mlir::Operation *mainOp);
  void mapBuffer(mlir::Value tensor, mlir::Value buffer);
  bool hasBuffer(mlir::Value tensor) const { return buffers.contains(tensor); }

private:
  void describeBuffer(mlir::Operation *op, mlir::Value tensor);
  mlir::Value globalFor(llvm::StringRef stem, mlir::MemRefType type,
                        llvm::ArrayRef<char> bytes,
                        llvm::function_ref<mlir::ElementsAttr()> makeValue);

  mlir::ModuleOp module;
  const TargetLevel &targetLevel;
  mlir::OpBuilder mainBuilder;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers, rangesOf;
  llvm::StringMap<mlir::func::FuncOp> kernels;
  llvm::StringMap<mlir::memref::GlobalOp> constants;
  llvm::StringMap<unsigned> nextIndex; ///< next number of a stem
  mlir::memref::GlobalOp lastGlobal;
};

/// Emits code for `op`, or returns failure (having changed nothing) where the
/// generator does not apply.
struct KernelGenerator {
  llvm::StringRef name;
  std::function<llvm::LogicalResult(mlir::Operation *op, KernelEmitter &)> emit;
};
using KernelGenerators = std::vector<KernelGenerator>;

/// Appends the reference generators: plain loops that take every qnn op and
/// spell out docs/quantization.md. LLVM vectorizes them unless the module is
/// compiled as a reference (lib/Conversion/QNNToKernels/Reference*.cpp).
void populateReferenceKernels(KernelGenerators &generators);

/// Converts @main of `module` in place; the module then holds kernels,
/// constants (memref.global) and @main(inputs..., outputs...) on memrefs, with
/// memref.alloc for intermediate tensors (see qcc-plan-arena). Fails with a
/// diagnostic that names the op that no generator takes.
llvm::LogicalResult convertQNNToKernels(mlir::ModuleOp module,
                                        const TargetLevel &level,
                                        const KernelGenerators &generators);

} // namespace qcc

#endif // QCC_CONVERSION_QNNTOKERNELS_KERNELEMITTER_H
