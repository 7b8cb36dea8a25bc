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
// Rows, columns and depth, in words, of a product that adds to tile c; where the
// data of the tiles are.
func.func private @amx_product(%state: memref<8256xi8>, %c: index, %a: index, %b: index) -> (index, index, index, index, index, index) {
  %c4 = arith.constant 4 : index
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
  return %cr, %columns, %depth, %co, %ao, %bo : index, index, index, index, index, index
}
// Columns and rows beyond the shape become zero.
func.func private @amx_clear_rest(%state: memref<8256xi8>, %tile: index) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  %rows, %bytes, %offset = func.call @amx_shape(%state, %tile) : (memref<8256xi8>, index) -> (index, index, index)
  scf.for %m = %c0 to %rows step %c1 {
    %mAt = arith.muli %m, %c64 : index
    %row = arith.addi %offset, %mAt : index
    %rowUsed = arith.addi %row, %bytes : index
    %rowEnd = arith.addi %row, %c64 : index
    func.call @amx_set(%state, %rowUsed, %rowEnd, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  }
  %used = arith.muli %rows, %c64 : index
  %usedEnd = arith.addi %offset, %used : index
  %end = arith.addi %offset, %c1024 : index
  func.call @amx_set(%state, %usedEnd, %end, %zero) : (memref<8256xi8>, index, index, i8) -> ()
  return
}
// The bytes of a are signed or not, those of b are signed.
func.func private @amx_dot(%state: memref<8256xi8>, %c: index, %a: index, %b: index, %signed: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %rows, %columns, %depth, %co, %ao, %bo = func.call @amx_product(%state, %c, %a, %b) : (memref<8256xi8>, index, index, index) -> (index, index, index, index, index, index)
  scf.for %m = %c0 to %rows step %c1 {
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
          %xu = arith.extui %x : i8 to i32
          %xs = arith.extsi %x : i8 to i32
          %xw = arith.select %signed, %xs, %xu : i32
          %yw = arith.extsi %y : i8 to i32
          %p = arith.muli %xw, %yw : i32
          %t1 = arith.addi %t, %p : i32
          scf.yield %t1 : i32
        }
        scf.yield %four : i32
      }
      func.call @amx_set_word(%state, %sumAt, %sum) : (memref<8256xi8>, index, i32) -> ()
    }
  }
  func.call @amx_clear_rest(%state, %c) : (memref<8256xi8>, index) -> ()
  return
}
func.func private @amx_dot_unsigned(%state: memref<8256xi8>, %c: index, %a: index, %b: index) {
  %signed = arith.constant false
  func.call @amx_dot(%state, %c, %a, %b, %signed) : (memref<8256xi8>, index, index, index, i1) -> ()
  return
}
func.func private @amx_dot_signed(%state: memref<8256xi8>, %c: index, %a: index, %b: index) {
  %signed = arith.constant true
  func.call @amx_dot(%state, %c, %a, %b, %signed) : (memref<8256xi8>, index, index, index, i1) -> ()
  return
}
)mlir";

/// Those of numbers in bf16, which need fused multiply-add.
static constexpr const char *bf16Instructions = R"mlir(
// A number below 2^-126 is taken for zero, and becomes zero.
func.func private @amx_flush(%x: f32) -> f32 {
  %zero = arith.constant 0 : i32
  %exponentBits = arith.constant 0x7f800000 : i32
  %signBit = arith.constant 0x80000000 : i32
  %bits = arith.bitcast %x : f32 to i32
  %exponent = arith.andi %bits, %exponentBits : i32
  %isSmall = arith.cmpi eq, %exponent, %zero : i32
  %sign = arith.andi %bits, %signBit : i32
  %kept = arith.select %isSmall, %sign, %bits : i32
  %result = arith.bitcast %kept : i32 to f32
  return %result : f32
}
// The bf16 numbers in the lower and the upper half of a word.
func.func private @amx_pair(%word: i32) -> (f32, f32) {
  %sixteen = arith.constant 16 : i32
  %upperBits = arith.constant 0xffff0000 : i32
  %lower = arith.shli %word, %sixteen : i32
  %upper = arith.andi %word, %upperBits : i32
  %x = arith.bitcast %lower : i32 to f32
  %y = arith.bitcast %upper : i32 to f32
  %x1 = func.call @amx_flush(%x) : (f32) -> f32
  %y1 = func.call @amx_flush(%y) : (f32) -> f32
  return %x1, %y1 : f32, f32
}
// tdpbf16ps: the lower and the upper halves are summed each in a chain of
// multiply-adds from zero, then both chains are added, then the tile.
func.func private @amx_dot_bf16(%state: memref<8256xi8>, %c: index, %a: index, %b: index) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %rows, %columns, %depth, %co, %ao, %bo = func.call @amx_product(%state, %c, %a, %b) : (memref<8256xi8>, index, index, index) -> (index, index, index, index, index, index)
  scf.for %m = %c0 to %rows step %c1 {
    %mAt = arith.muli %m, %c64 : index
    %cRow = arith.addi %co, %mAt : index
    %aRow = arith.addi %ao, %mAt : index
    scf.for %n = %c0 to %columns step %c1 {
      %n4 = arith.muli %n, %c4 : index
      %chains:2 = scf.for %k = %c0 to %depth step %c1 iter_args(%s = %zero, %t = %zero) -> (f32, f32) {
        %k4 = arith.muli %k, %c4 : index
        %k64 = arith.muli %k, %c64 : index
        %aAt = arith.addi %aRow, %k4 : index
        %bRow = arith.addi %bo, %k64 : index
        %bAt = arith.addi %bRow, %n4 : index
        %aWord = func.call @amx_word(%state, %aAt) : (memref<8256xi8>, index) -> i32
        %bWord = func.call @amx_word(%state, %bAt) : (memref<8256xi8>, index) -> i32
        %x:2 = func.call @amx_pair(%aWord) : (i32) -> (f32, f32)
        %y:2 = func.call @amx_pair(%bWord) : (i32) -> (f32, f32)
        %s1 = math.fma %x#0, %y#0, %s : f32
        %t1 = math.fma %x#1, %y#1, %t : f32
        %s2 = func.call @amx_flush(%s1) : (f32) -> f32
        %t2 = func.call @amx_flush(%t1) : (f32) -> f32
        scf.yield %s2, %t2 : f32, f32
      }
      %both = arith.addf %chains#0, %chains#1 : f32
      %product = func.call @amx_flush(%both) : (f32) -> f32
      %sumAt = arith.addi %cRow, %n4 : index
      %before = func.call @amx_word(%state, %sumAt) : (memref<8256xi8>, index) -> i32
      %was = arith.bitcast %before : i32 to f32
      %sofar = func.call @amx_flush(%was) : (f32) -> f32
      %total = arith.addf %sofar, %product : f32
      %sum = func.call @amx_flush(%total) : (f32) -> f32
      %after = arith.bitcast %sum : f32 to i32
      func.call @amx_set_word(%state, %sumAt, %after) : (memref<8256xi8>, index, i32) -> ()
    }
  }
  func.call @amx_clear_rest(%state, %c) : (memref<8256xi8>, index) -> ()
  return
}
// vcvtneps2bf16, the bits: rounds to nearest, ties to even; NaN becomes quiet.
func.func private @amx_round(%x: vector<16xf32>) -> vector<16xi16> {
  %zero = arith.constant dense<0> : vector<16xi32>
  %one = arith.constant dense<1> : vector<16xi32>
  %sixteen = arith.constant dense<16> : vector<16xi32>
  %half = arith.constant dense<0x7fff> : vector<16xi32>
  %quietBit = arith.constant dense<0x400000> : vector<16xi32>
  %exponentBits = arith.constant dense<0x7f800000> : vector<16xi32>
  %signBit = arith.constant dense<0x80000000> : vector<16xi32>
  %bits = arith.bitcast %x : vector<16xf32> to vector<16xi32>
  %upper = arith.shrui %bits, %sixteen : vector<16xi32>
  %odd = arith.andi %upper, %one : vector<16xi32>
  %up = arith.addi %bits, %half : vector<16xi32>
  %nearest = arith.addi %up, %odd : vector<16xi32>
  %exponent = arith.andi %bits, %exponentBits : vector<16xi32>
  %isSmall = arith.cmpi eq, %exponent, %zero : vector<16xi32>
  %sign = arith.andi %bits, %signBit : vector<16xi32>
  %flushed = arith.select %isSmall, %sign, %nearest : vector<16xi1>, vector<16xi32>
  %isNaN = arith.cmpf uno, %x, %x : vector<16xf32>
  %quiet = arith.ori %bits, %quietBit : vector<16xi32>
  %rounded = arith.select %isNaN, %quiet, %flushed : vector<16xi1>, vector<16xi32>
  %shifted = arith.shrui %rounded, %sixteen : vector<16xi32>
  %words = arith.trunci %shifted : vector<16xi32> to vector<16xi16>
  return %words : vector<16xi16>
}
)mlir";

namespace {
struct EmulateTiles : qcc::impl::EmulateTilesBase<EmulateTiles> {
  using EmulateTilesBase::EmulateTilesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool any = false;
    for (auto kernel : module.getOps<func::FuncOp>()) {
      emulateRounding(kernel);
      FailureOr<bool> changed = emulate(kernel);
      if (failed(changed))
        return signalPassFailure();
      any |= *changed;
    }
    std::string text = any || usesBF16 ? instructions : "";
    if (usesBF16)
      text += bf16Instructions;
    // The functions refer to each other, so they are parsed together.
    OwningOpRef<ModuleOp> functions =
        parseSourceString<ModuleOp>(text, &getContext());
    module.getBody()->getOperations().splice(
        module.getBody()->end(), functions->getBody()->getOperations());
    if (auto level = module->getAttrOfType<StringAttr>("qcc.level");
        level && level == "amx")
      module->setAttr("qcc.level", StringAttr::get(&getContext(), //
                                                   "avx512-vnni"));
  }

private:
  FailureOr<bool> emulate(func::FuncOp kernel);
  void emulateRounding(func::FuncOp kernel);
  bool usesBF16 = false;
};
} // namespace

/// Replaces conversions to bf16, which need no tiles.
void EmulateTiles::emulateRounding(func::FuncOp kernel) {
  SmallVector<LLVM::CallIntrinsicOp> calls;
  kernel.walk([&](LLVM::CallIntrinsicOp call) {
    if (call.getIntrin() == "llvm.x86.avx512bf16.cvtneps2bf16.512")
      calls.push_back(call);
  });
  for (LLVM::CallIntrinsicOp call : calls) {
    OpBuilder b(call);
    // LLVM passes bf16 to and from functions as other floats.
    auto bits = func::CallOp::create(b, call.getLoc(), "amx_round",
                                     VectorType::get({16}, b.getI16Type()),
                                     call.getArgs());
    call.replaceAllUsesWith(arith::BitcastOp::create(b, call.getLoc(),
                                                     call.getResultTypes()[0],
                                                     bits.getResult(0))
                                ->getResults());
    call.erase();
  }
  usesBF16 |= !calls.empty();
}

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
                             .Case("llvm.x86.tdpbusd", "amx_dot_unsigned")
                             .Case("llvm.x86.tdpbssd", "amx_dot_signed")
                             .Case("llvm.x86.tdpbf16ps", "amx_dot_bf16")
                             .Default("");
    if (function.empty()) {
      call.emitError("has no emulation: ") << call.getIntrin();
      return failure();
    }
    usesBF16 |= function == "amx_dot_bf16";
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
