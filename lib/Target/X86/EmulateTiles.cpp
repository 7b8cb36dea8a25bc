//===- EmulateTiles.cpp - AMX instructions as loops -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements x86-emulate-tiles.
//
//===----------------------------------------------------------------------===//

#include "qcc/Target/X86/Passes.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSwitch.h"

namespace qcc {
#define GEN_PASS_DEF_EMULATETILES
#include "qcc/Target/X86/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

/// The state of a thread, in memory: the configuration as ldtilecfg reads it
/// (64 bytes, the first is 0 where there is none), then 8 tiles of 16 rows of
/// 64 bytes.
static constexpr int64_t stateBytes = 64 + 8 * 1024;

/// The instructions. `offset` is that of the tile's data.
static constexpr const char *instructions = R"mlir(
func.func private @amx_check(%ok: i1) {
  %true = arith.constant true
  %bad = arith.xori %ok, %true : i1
  scf.if %bad {
    "llvm.intr.trap"() : () -> ()
  }
  return
}
func.func private @amx_byte(%state: memref<8256xi8>, %at: index) -> index {
  %0 = memref.load %state[%at] : memref<8256xi8>
  %1 = arith.index_castui %0 : i8 to index
  return %1 : index
}
func.func private @amx_set(%state: memref<8256xi8>, %from: index, %to: index, %value: i8) {
  %c1 = arith.constant 1 : index
  scf.for %i = %from to %to step %c1 {
    memref.store %value, %state[%i] : memref<8256xi8>
  }
  return
}
// The bytes [from, to) of a configuration must be at most `most`.
func.func private @amx_check_bytes(%state: memref<8256xi8>, %from: index, %to: index, %most: index) {
  %c1 = arith.constant 1 : index
  scf.for %i = %from to %to step %c1 {
    %0 = func.call @amx_byte(%state, %i) : (memref<8256xi8>, index) -> index
    %ok = arith.cmpi ule, %0, %most : index
    func.call @amx_check(%ok) : (i1) -> ()
  }
  return
}
// Rows, bytes per row and offset of a tile that is configured.
func.func private @amx_shape(%state: memref<8256xi8>, %tile: index) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  %palette = func.call @amx_byte(%state, %c0) : (memref<8256xi8>, index) -> index
  %configured = arith.cmpi eq, %palette, %c1 : index
  func.call @amx_check(%configured) : (i1) -> ()
  %rowsAt = arith.addi %tile, %c48 : index
  %rows = func.call @amx_byte(%state, %rowsAt) : (memref<8256xi8>, index) -> index
  %twice = arith.muli %tile, %c2 : index
  %bytesAt = arith.addi %twice, %c16 : index
  %bytes = func.call @amx_byte(%state, %bytesAt) : (memref<8256xi8>, index) -> index
  %hasRows = arith.cmpi ne, %rows, %c0 : index
  func.call @amx_check(%hasRows) : (i1) -> ()
  %hasBytes = arith.cmpi ne, %bytes, %c0 : index
  func.call @amx_check(%hasBytes) : (i1) -> ()
  %data = arith.muli %tile, %c1024 : index
  %offset = arith.addi %data, %c64 : index
  return %rows, %bytes, %offset : index, index, index
}
func.func private @amx_configure(%state: memref<8256xi8>, %from: !llvm.ptr) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c56 = arith.constant 56 : index
  %c64 = arith.constant 64 : index
  %end = arith.constant 8256 : index
  scf.for %i = %c0 to %c64 step %c1 {
    %at = arith.index_cast %i : index to i64
    %address = llvm.getelementptr %from[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    %byte = llvm.load %address : !llvm.ptr -> i8
    memref.store %byte, %state[%i] : memref<8256xi8>
  }
  %palette = func.call @amx_byte(%state, %c0) : (memref<8256xi8>, index) -> index
  %known = arith.cmpi eq, %palette, %c1 : index
  func.call @amx_check(%known) : (i1) -> ()
  // Start row and reserved bytes; bytes per row, of which the upper half is
  // zero; no more than 8 tiles; rows.
  func.call @amx_check_bytes(%state, %c1, %c16, %c0) : (memref<8256xi8>, index, index, index) -> ()
  scf.for %i = %c16 to %c32 step %c2 {
    %i1 = arith.addi %i, %c1 : index
    %i2 = arith.addi %i, %c2 : index
    func.call @amx_check_bytes(%state, %i, %i1, %c64) : (memref<8256xi8>, index, index, index) -> ()
    func.call @amx_check_bytes(%state, %i1, %i2, %c0) : (memref<8256xi8>, index, index, index) -> ()
  }
  func.call @amx_check_bytes(%state, %c32, %c48, %c0) : (memref<8256xi8>, index, index, index) -> ()
  func.call @amx_check_bytes(%state, %c48, %c56, %c16) : (memref<8256xi8>, index, index, index) -> ()
  func.call @amx_check_bytes(%state, %c56, %c64, %c0) : (memref<8256xi8>, index, index, index) -> ()
  func.call @amx_set(%state, %c64, %end, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  return
}
func.func private @amx_release(%state: memref<8256xi8>) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  memref.store %zero, %state[%c0] : memref<8256xi8>
  return
}
func.func private @amx_check_released(%state: memref<8256xi8>) {
  %c0 = arith.constant 0 : index
  %palette = func.call @amx_byte(%state, %c0) : (memref<8256xi8>, index) -> index
  %ok = arith.cmpi eq, %palette, %c0 : index
  func.call @amx_check(%ok) : (i1) -> ()
  return
}
func.func private @amx_zero(%state: memref<8256xi8>, %tile: index) {
  %zero = arith.constant 0 : i8
  %c1024 = arith.constant 1024 : index
  %rows, %bytes, %offset = func.call @amx_shape(%state, %tile) : (memref<8256xi8>, index) -> (index, index, index)
  %end = arith.addi %offset, %c1024 : index
  func.call @amx_set(%state, %offset, %end, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  return
}
func.func private @amx_load(%state: memref<8256xi8>, %tile: index, %from: !llvm.ptr, %stride: i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %rows, %bytes, %offset = func.call @amx_shape(%state, %tile) : (memref<8256xi8>, index) -> (index, index, index)
  func.call @amx_zero(%state, %tile) : (memref<8256xi8>, index) -> ()
  scf.for %r = %c0 to %rows step %c1 {
    %number = arith.index_cast %r : index to i64
    %start = arith.muli %number, %stride : i64
    %rowAt = arith.muli %r, %c64 : index
    %row = arith.addi %offset, %rowAt : index
    scf.for %i = %c0 to %bytes step %c1 {
      %n = arith.index_cast %i : index to i64
      %at = arith.addi %start, %n : i64
      %address = llvm.getelementptr %from[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i8
      %byte = llvm.load %address : !llvm.ptr -> i8
      %to = arith.addi %row, %i : index
      memref.store %byte, %state[%to] : memref<8256xi8>
    }
  }
  return
}
func.func private @amx_store(%state: memref<8256xi8>, %tile: index, %to: !llvm.ptr, %stride: i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %rows, %bytes, %offset = func.call @amx_shape(%state, %tile) : (memref<8256xi8>, index) -> (index, index, index)
  scf.for %r = %c0 to %rows step %c1 {
    %number = arith.index_cast %r : index to i64
    %start = arith.muli %number, %stride : i64
    %rowAt = arith.muli %r, %c64 : index
    %row = arith.addi %offset, %rowAt : index
    scf.for %i = %c0 to %bytes step %c1 {
      %from = arith.addi %row, %i : index
      %byte = memref.load %state[%from] : memref<8256xi8>
      %n = arith.index_cast %i : index to i64
      %at = arith.addi %start, %n : i64
      %address = llvm.getelementptr %to[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i8
      llvm.store %byte, %address : i8, !llvm.ptr
    }
  }
  return
}
func.func private @amx_word(%state: memref<8256xi8>, %at: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0 : i32
  %eight = arith.constant 8 : i32
  %word = scf.for %i = %c0 to %c4 step %c1 iter_args(%sofar = %zero) -> (i32) {
    %to = arith.addi %at, %i : index
    %byte = memref.load %state[%to] : memref<8256xi8>
    %wide = arith.extui %byte : i8 to i32
    %n = arith.index_cast %i : index to i32
    %shift = arith.muli %n, %eight : i32
    %part = arith.shli %wide, %shift : i32
    %next = arith.ori %sofar, %part : i32
    scf.yield %next : i32
  }
  return %word : i32
}
func.func private @amx_set_word(%state: memref<8256xi8>, %at: index, %value: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %eight = arith.constant 8 : i32
  scf.for %i = %c0 to %c4 step %c1 {
    %to = arith.addi %at, %i : index
    %n = arith.index_cast %i : index to i32
    %shift = arith.muli %n, %eight : i32
    %part = arith.shrui %value, %shift : i32
    %byte = arith.trunci %part : i32 to i8
    memref.store %byte, %state[%to] : memref<8256xi8>
  }
  return
}
// tdpbusd: unsigned a, signed b.
func.func private @amx_dot(%state: memref<8256xi8>, %c: index, %a: index, %b: index) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  %cr, %cb, %co = func.call @amx_shape(%state, %c) : (memref<8256xi8>, index) -> (index, index, index)
  %ar, %ab, %ao = func.call @amx_shape(%state, %a) : (memref<8256xi8>, index) -> (index, index, index)
  %br, %bb, %bo = func.call @amx_shape(%state, %b) : (memref<8256xi8>, index) -> (index, index, index)
  %sameRows = arith.cmpi eq, %cr, %ar : index
  func.call @amx_check(%sameRows) : (i1) -> ()
  %sameColumns = arith.cmpi eq, %cb, %bb : index
  func.call @amx_check(%sameColumns) : (i1) -> ()
  %depth = arith.divui %ab, %c4 : index
  %whole = arith.muli %depth, %c4 : index
  %isWhole = arith.cmpi eq, %whole, %ab : index
  func.call @amx_check(%isWhole) : (i1) -> ()
  %sameDepth = arith.cmpi eq, %depth, %br : index
  func.call @amx_check(%sameDepth) : (i1) -> ()
  %columns = arith.divui %cb, %c4 : index
  %wholeColumns = arith.muli %columns, %c4 : index
  %areWhole = arith.cmpi eq, %wholeColumns, %cb : index
  func.call @amx_check(%areWhole) : (i1) -> ()
  scf.for %m = %c0 to %cr step %c1 {
    %mAt = arith.muli %m, %c64 : index
    %cRow = arith.addi %co, %mAt : index
    %aRow = arith.addi %ao, %mAt : index
    scf.for %n = %c0 to %columns step %c1 {
      %n4 = arith.muli %n, %c4 : index
      %sumAt = arith.addi %cRow, %n4 : index
      %first = func.call @amx_word(%state, %sumAt) : (memref<8256xi8>, index) -> i32
      %sum = scf.for %k = %c0 to %depth step %c1 iter_args(%s = %first) -> (i32) {
        %k4 = arith.muli %k, %c4 : index
        %k64 = arith.muli %k, %c64 : index
        %aAt = arith.addi %aRow, %k4 : index
        %bRow = arith.addi %bo, %k64 : index
        %bAt = arith.addi %bRow, %n4 : index
        %four = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %s) -> (i32) {
          %ai = arith.addi %aAt, %i : index
          %bi = arith.addi %bAt, %i : index
          %x = memref.load %state[%ai] : memref<8256xi8>
          %y = memref.load %state[%bi] : memref<8256xi8>
          %xw = arith.extui %x : i8 to i32
          %yw = arith.extsi %y : i8 to i32
          %p = arith.muli %xw, %yw : i32
          %t1 = arith.addi %t, %p : i32
          scf.yield %t1 : i32
        }
        scf.yield %four : i32
      }
      func.call @amx_set_word(%state, %sumAt, %sum) : (memref<8256xi8>, index, i32) -> ()
    }
    // Columns and, below, rows beyond the shape become zero.
    %rowUsed = arith.addi %cRow, %cb : index
    %rowEnd = arith.addi %cRow, %c64 : index
    func.call @amx_set(%state, %rowUsed, %rowEnd, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  }
  %used = arith.muli %cr, %c64 : index
  %usedEnd = arith.addi %co, %used : index
  %end = arith.addi %co, %c1024 : index
  func.call @amx_set(%state, %usedEnd, %end, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  return
}
)mlir";

namespace {
struct EmulateTiles : qcc::impl::EmulateTilesBase<EmulateTiles> {
  using EmulateTilesBase::EmulateTilesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool any = false;
    for (auto kernel : module.getOps<func::FuncOp>()) {
      FailureOr<bool> changed = emulate(kernel);
      if (failed(changed))
        return signalPassFailure();
      any |= *changed;
    }
    if (any) {
      OwningOpRef<ModuleOp> functions =
          parseSourceString<ModuleOp>(instructions, &getContext());
      module.getBody()->getOperations().splice(
          module.getBody()->end(), functions->getBody()->getOperations());
    }
    if (auto level = module->getAttrOfType<StringAttr>("qcc.level");
        level && level == "amx")
      module->setAttr("qcc.level", StringAttr::get(&getContext(), //
                                                   "avx512-vnni"));
  }

private:
  FailureOr<bool> emulate(func::FuncOp kernel);
};
} // namespace

/// Replaces the intrinsics of a kernel; whether there were any.
FailureOr<bool> EmulateTiles::emulate(func::FuncOp kernel) {
  SmallVector<LLVM::CallIntrinsicOp> calls;
  kernel.walk([&](LLVM::CallIntrinsicOp call) {
    StringRef name = call.getIntrin();
    if (name.starts_with("llvm.x86.t") || name == "llvm.x86.ldtilecfg")
      calls.push_back(call);
  });
  if (calls.empty())
    return false;

  OpBuilder b(kernel.getContext());
  b.setInsertionPointToStart(&kernel.front());
  Location loc = kernel.getLoc();
  Value state = memref::AllocaOp::create(
      b, loc, MemRefType::get({stateBytes}, b.getI8Type()));
  auto emulated = [&](Location at, StringRef function, ValueRange operands) {
    SmallVector<Value> all{state};
    for (Value operand : operands)
      all.push_back(
          operand.getType().isInteger(8) // the number of a tile
              ? arith::IndexCastOp::create(b, at, b.getIndexType(), operand)
              : operand);
    func::CallOp::create(b, at, function, TypeRange(), all);
  };
  emulated(loc, "amx_release", {});
  for (LLVM::CallIntrinsicOp call : calls) {
    StringRef function = llvm::StringSwitch<StringRef>(call.getIntrin())
                             .Case("llvm.x86.ldtilecfg", "amx_configure")
                             .Case("llvm.x86.tilerelease", "amx_release")
                             .Case("llvm.x86.tilezero", "amx_zero")
                             .Case("llvm.x86.tileloadd64", "amx_load")
                             .Case("llvm.x86.tilestored64", "amx_store")
                             .Case("llvm.x86.tdpbusd", "amx_dot")
                             .Default("");
    if (function.empty()) {
      call.emitError("has no emulation: ") << call.getIntrin();
      return failure();
    }
    b.setInsertionPoint(call);
    emulated(call.getLoc(), function, call.getArgs());
    call.erase();
  }
  kernel.walk([&](func::ReturnOp op) {
    b.setInsertionPoint(op);
    emulated(op.getLoc(), "amx_check_released", {});
  });
  return true;
}
