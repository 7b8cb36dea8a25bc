//===- CodeBuilder.h - Shorthand for kernel bodies -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are written against flat buffers (1-D memrefs) and index arithmetic;
// this wraps the builder calls that they are made of.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_CODEBUILDER_H
#define QCC_LIB_CODEGEN_CODEBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace qcc {

class CodeBuilder {
public:
  CodeBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  // Index arithmetic.
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) {
    return mlir::arith::AddIOp::create(b, loc, x, y);
  }
  mlir::Value add(mlir::Value x, int64_t y) {
    return y == 0 ? x : add(x, index(y));
  }
  mlir::Value sub(mlir::Value x, mlir::Value y) {
    return mlir::arith::SubIOp::create(b, loc, x, y);
  }
  mlir::Value mul(mlir::Value x, int64_t y) {
    return y == 1
               ? x
               : mlir::arith::MulIOp::create(b, loc, x, index(y)).getResult();
  }
  mlir::Value div(mlir::Value x, int64_t y) {
    return y == 1
               ? x
               : mlir::arith::DivUIOp::create(b, loc, x, index(y)).getResult();
  }
  mlir::Value rem(mlir::Value x, int64_t y) {
    return mlir::arith::RemUIOp::create(b, loc, x, index(y));
  }
  mlir::Value min(mlir::Value x, mlir::Value y) {
    return mlir::arith::MinSIOp::create(b, loc, x, y);
  }
  mlir::Value compare(mlir::arith::CmpIPredicate p, mlir::Value x, int64_t y) {
    return mlir::arith::CmpIOp::create(b, loc, p, x, index(y));
  }

  // Vectors.
  mlir::VectorType vectorType(mlir::Type element, int64_t lanes) {
    return mlir::VectorType::get({lanes}, element);
  }
  mlir::Value splat(mlir::Type element, double value, int64_t lanes) {
    auto type = vectorType(element, lanes);
    mlir::Attribute attr =
        llvm::isa<mlir::FloatType>(element)
            ? mlir::Attribute(b.getFloatAttr(element, value))
            : mlir::Attribute(b.getIntegerAttr(element, int64_t(value)));
    return mlir::arith::ConstantOp::create(
        b, loc, mlir::DenseElementsAttr::get(type, attr));
  }
  mlir::Value load(mlir::Value buffer, mlir::Value at, mlir::VectorType type) {
    return mlir::vector::LoadOp::create(b, loc, type, buffer, at);
  }
  void store(mlir::Value value, mlir::Value buffer, mlir::Value at) {
    mlir::vector::StoreOp::create(b, loc, value, buffer, at);
  }
  mlir::Value bitcast(mlir::Value value, mlir::VectorType type) {
    return mlir::vector::BitCastOp::create(b, loc, type, value);
  }
  mlir::Value shuffle(mlir::Value x, mlir::Value y,
                      llvm::ArrayRef<int64_t> mask) {
    return mlir::vector::ShuffleOp::create(b, loc, x, y, mask);
  }

  // Control flow. Bodies are emitted at the builder's insertion point.
  void loop(mlir::Value low, mlir::Value high, int64_t step,
            llvm::function_ref<void(mlir::Value)> body) {
    auto op = mlir::scf::ForOp::create(b, loc, low, high, index(step));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op.getBody()->getTerminator());
    body(op.getInductionVar());
  }
  void loop(int64_t low, int64_t high, int64_t step,
            llvm::function_ref<void(mlir::Value)> body) {
    if (low + step >= high) { // at most one iteration
      if (low < high)
        body(index(low));
      return;
    }
    loop(index(low), index(high), step, body);
  }
  /// A loop that carries values; returns the final ones.
  llvm::SmallVector<mlir::Value>
  loop(mlir::Value low, mlir::Value high, int64_t step,
       mlir::ValueRange initial,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body) {
    auto op = mlir::scf::ForOp::create(b, loc, low, high, index(step), initial);
    mlir::OpBuilder::InsertionGuard guard(b);
    if (initial.empty())
      b.setInsertionPoint(op.getBody()->getTerminator());
    else
      b.setInsertionPointToEnd(op.getBody());
    auto results = body(op.getInductionVar(), op.getRegionIterArgs());
    if (!initial.empty())
      mlir::scf::YieldOp::create(b, loc, results);
    return llvm::SmallVector<mlir::Value>(op.getResults());
  }
  void branch(mlir::Value condition, llvm::function_ref<void()> onTrue,
              llvm::function_ref<void()> onFalse) {
    auto op = mlir::scf::IfOp::create(b, loc, condition,
                                      /*withElseRegion=*/bool(onFalse));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.thenBlock());
    onTrue();
    if (onFalse) {
      b.setInsertionPointToStart(op.elseBlock());
      onFalse();
    }
  }

  /// A block of the thread's stack, aligned for vectors.
  mlir::Value stack(mlir::Type element, int64_t elements) {
    auto type = mlir::MemRefType::get({elements}, element);
    return mlir::memref::AllocaOp::create(b, loc, type,
                                          b.getI64IntegerAttr(64));
  }

  /// dst[to, to + count) = src[from, from + count) for a constant count > 0,
  /// with vectors of at most `vectorBytes`; neither side is overrun.
  void copyRun(mlir::Value src, mlir::Value from, mlir::Value dst,
               mlir::Value to, int64_t count, unsigned vectorBytes);
  /// dst[to, to + count) = value, likewise.
  void fillRun(mlir::Value dst, mlir::Value to, int64_t count, double value,
               unsigned vectorBytes);
  /// The same with a number known at run time.
  void fillRun(mlir::Value dst, mlir::Value to, int64_t count,
               mlir::Value number, unsigned vectorBytes);
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_CODEBUILDER_H
