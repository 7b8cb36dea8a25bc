//===- X86TileKernels.cpp - AMX -------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The intrinsics that name their tile registers are used: LLVM then neither
// allocates tiles nor configures them, so nothing is spilled, and where
// ldtilecfg and tilerelease stand is up to the kernel. They have side effects,
// so they keep their order among each other and around memory accesses.
//
//===----------------------------------------------------------------------===//

#include "X86TileKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;

namespace {
class AMXKernels : public TileKernels {
public:
  unsigned configurationBytes() const override { return 64; }

  void storeConfiguration(OpBuilder &b, Location loc,
                          ArrayRef<TileShape> shapes, Value buffer,
                          Value at) override {
    // Palette 1; bytes per row as 16-bit numbers from byte 16, rows as bytes
    // from byte 48; zeros elsewhere.
    int8_t bytes[64] = {1};
    for (auto [tile, shape] : llvm::enumerate(shapes)) {
      bytes[16 + 2 * tile] = int8_t(shape.bytes);
      bytes[48 + tile] = int8_t(shape.rows);
    }
    auto type = VectorType::get({64}, b.getI8Type());
    Value vector = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
    vector::StoreOp::create(b, loc, vector, buffer, at);
  }

  void configure(OpBuilder &b, Location loc, Value buffer, Value at) override {
    call(b, loc, "llvm.x86.ldtilecfg", {pointer(b, loc, buffer, at)});
  }
  void release(OpBuilder &b, Location loc) override {
    call(b, loc, "llvm.x86.tilerelease", {});
  }
  void zero(OpBuilder &b, Location loc, unsigned tile) override {
    call(b, loc, "llvm.x86.tilezero", {number(b, loc, tile)});
  }
  void load(OpBuilder &b, Location loc, unsigned tile, Value buffer, Value at,
            int64_t pitch) override {
    access(b, loc, "llvm.x86.tileloadd64", tile, buffer, at, pitch);
  }
  void store(OpBuilder &b, Location loc, unsigned tile, Value buffer, Value at,
             int64_t pitch) override {
    access(b, loc, "llvm.x86.tilestored64", tile, buffer, at, pitch);
  }
  void dot(OpBuilder &b, Location loc, unsigned sums, unsigned activations,
           unsigned weights, bool signedActivations) override {
    call(b, loc, signedActivations ? "llvm.x86.tdpbssd" : "llvm.x86.tdpbusd",
         {number(b, loc, sums), number(b, loc, activations),
          number(b, loc, weights)});
  }
  void dotBF16(OpBuilder &b, Location loc, unsigned sums, unsigned activations,
               unsigned weights) override {
    call(b, loc, "llvm.x86.tdpbf16ps",
         {number(b, loc, sums), number(b, loc, activations),
          number(b, loc, weights)});
  }
  Value roundToBF16(OpBuilder &b, Location loc, Value f32) override {
    return LLVM::CallIntrinsicOp::create(
               b, loc, VectorType::get({16}, b.getBF16Type()),
               b.getStringAttr("llvm.x86.avx512bf16.cvtneps2bf16.512"), f32)
        .getResult(0);
  }

private:
  void call(OpBuilder &b, Location loc, StringRef name, ValueRange operands) {
    LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), operands);
  }
  Value number(OpBuilder &b, Location loc, unsigned tile) {
    return LLVM::ConstantOp::create(b, loc, b.getI8Type(),
                                    b.getI8IntegerAttr(int8_t(tile)));
  }
  /// The address of an element.
  Value pointer(OpBuilder &b, Location loc, Value buffer, Value at) {
    int64_t size =
        cast<MemRefType>(buffer.getType()).getElementTypeBitWidth() / 8;
    Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    Value offset = arith::MulIOp::create(
        b, loc, at, arith::ConstantIndexOp::create(b, loc, size));
    Value address = arith::IndexCastOp::create(
        b, loc, b.getI64Type(), arith::AddIOp::create(b, loc, base, offset));
    return LLVM::IntToPtrOp::create(
        b, loc, LLVM::LLVMPointerType::get(b.getContext()), address);
  }
  void access(OpBuilder &b, Location loc, StringRef name, unsigned tile,
              Value buffer, Value at, int64_t pitch) {
    Value stride = LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                            b.getI64IntegerAttr(pitch));
    call(b, loc, name,
         {number(b, loc, tile), pointer(b, loc, buffer, at), stride});
  }
};
} // namespace

std::shared_ptr<TileKernels> qcc::createAMXKernels() {
  return std::make_shared<AMXKernels>();
}
