// REQUIRES: x86-host
// RUN: split-file %s %t
// RUN: qcc-opt %t/good.mlir -x86-emulate-tiles | FileCheck %s
// RUN: not qcc-opt %t/unknown.mlir -x86-emulate-tiles 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// The code runs where the vectors of the level do, and nothing is configured
// when a kernel begins or ends.

// CHECK: module attributes {{.*}}qcc.level = "avx512-vnni"
// CHECK-LABEL: func.func private @kernel
// CHECK-NEXT: %[[STATE:.*]] = memref.alloca() : memref<8256xi8>
// CHECK-NEXT: call @amx_release(%[[STATE]])
// CHECK: call @amx_configure(%[[STATE]], %{{.*}}) : (memref<8256xi8>, !llvm.ptr) -> ()
// CHECK: %[[THREE:.*]] = arith.index_cast %{{.*}} : i8 to index
// CHECK: call @amx_zero(%[[STATE]], %[[THREE]])
// CHECK: call @amx_load(%[[STATE]], %{{.*}}, %{{.*}}, %{{.*}}) : (memref<8256xi8>, index, !llvm.ptr, i64) -> ()
// CHECK: call @amx_dot_unsigned(%[[STATE]], %{{.*}}, %{{.*}}, %{{.*}}) : (memref<8256xi8>, index, index, index) -> ()
// CHECK: call @amx_dot_signed(%[[STATE]]
// CHECK: call @amx_store(%[[STATE]]
// CHECK: call @amx_release(%[[STATE]])
// CHECK: call @amx_check_released(%[[STATE]])
// CHECK-NEXT: return
// CHECK-NOT: llvm.x86

// A kernel without tiles is left alone.
// CHECK-LABEL: func.func private @other
// CHECK-NEXT: return
// CHECK: func.func private @amx_dot

// UNKNOWN: error: has no emulation: llvm.x86.tdpbuud

// Where the processor would raise an exception the emulation stops: tiles that
// are not configured, and shapes that do not fit each other.
// RUN: qcc-opt %t/run.mlir -x86-emulate-tiles -o %t/run.emulated.mlir
// RUN: sed s/avx512-vnni/baseline/ %t/run.emulated.mlir > %t/good.run.mlir
// RUN: qcc-emit %t/good.run.mlir -o %t/good.so
// RUN: qcc-run %t/good.so
// RUN: sed 's/call @amx_configure(.*$/call @amx_release(%%alloca) : (memref<8256xi8>) -> ()/' %t/good.run.mlir > %t/released.mlir
// RUN: qcc-emit %t/released.mlir -o %t/released.so
// RUN: not --crash qcc-run %t/released.so
// RUN: sed 's/dense<16> : vector<8xi8>/dense<15> : vector<8xi8>/' %t/good.run.mlir > %t/shapes.mlir
// RUN: qcc-emit %t/shapes.mlir -o %t/shapes.so
// RUN: not --crash qcc-run %t/shapes.so

//--- good.mlir
module attributes {qcc.level = "amx"} {
  func.func private @kernel(%p: !llvm.ptr) {
    %0 = llvm.mlir.constant(0 : i8) : i8
    %1 = llvm.mlir.constant(1 : i8) : i8
    %3 = llvm.mlir.constant(3 : i8) : i8
    %64 = llvm.mlir.constant(64 : i64) : i64
    llvm.call_intrinsic "llvm.x86.ldtilecfg"(%p) : (!llvm.ptr) -> ()
    llvm.call_intrinsic "llvm.x86.tilezero"(%3) : (i8) -> ()
    llvm.call_intrinsic "llvm.x86.tileloadd64"(%0, %p, %64) : (i8, !llvm.ptr, i64) -> ()
    llvm.call_intrinsic "llvm.x86.tdpbusd"(%3, %0, %1) : (i8, i8, i8) -> ()
    llvm.call_intrinsic "llvm.x86.tdpbssd"(%3, %0, %1) : (i8, i8, i8) -> ()
    llvm.call_intrinsic "llvm.x86.tilestored64"(%3, %p, %64) : (i8, !llvm.ptr, i64) -> ()
    llvm.call_intrinsic "llvm.x86.tilerelease"() : () -> ()
    return
  }
  func.func private @other() {
    return
  }
}
//--- unknown.mlir
module attributes {qcc.level = "amx"} {
  func.func private @kernel() {
    %0 = llvm.mlir.constant(0 : i8) : i8
    llvm.call_intrinsic "llvm.x86.tdpbuud"(%0, %0, %0) : (i8, i8, i8) -> ()
    return
  }
}
//--- run.mlir
module attributes {qcc.level = "amx", qcc.arena_bytes = 64 : i64} {
  // Three tiles of 16 rows of 64 bytes; the last has 16 rows or, changed, 15.
  func.func private @kernel(%x: memref<1024xi8>, %y: memref<1024xi8>, %begin: index, %end: index) attributes {qcc.kernel} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %c18 = arith.constant 18 : index
    %c20 = arith.constant 20 : index
    %c50 = arith.constant 50 : index
    %palette = arith.constant 1 : i8
    %bytes = arith.constant 64 : i8
    %rows = arith.constant 16 : i8
    %zeros = arith.constant dense<0> : vector<64xi8>
    %config = memref.alloca() {alignment = 64 : i64} : memref<64xi8>
    vector.store %zeros, %config[%c0] : memref<64xi8>, vector<64xi8>
    memref.store %palette, %config[%c0] : memref<64xi8>
    memref.store %bytes, %config[%c16] : memref<64xi8>
    memref.store %bytes, %config[%c18] : memref<64xi8>
    memref.store %bytes, %config[%c20] : memref<64xi8>
    %c48 = arith.constant 48 : index
    %c49 = arith.constant 49 : index
    memref.store %rows, %config[%c48] : memref<64xi8>
    memref.store %rows, %config[%c49] : memref<64xi8>
    %last = arith.constant dense<16> : vector<8xi8>
    %rowsOfLast = vector.extract %last[0] : i8 from vector<8xi8>
    memref.store %rowsOfLast, %config[%c50] : memref<64xi8>
    %address = memref.extract_aligned_pointer_as_index %config : memref<64xi8> -> index
    %number = arith.index_cast %address : index to i64
    %p = llvm.inttoptr %number : i64 to !llvm.ptr
    %t0 = llvm.mlir.constant(0 : i8) : i8
    %t1 = llvm.mlir.constant(1 : i8) : i8
    %t2 = llvm.mlir.constant(2 : i8) : i8
    llvm.call_intrinsic "llvm.x86.ldtilecfg"(%p) : (!llvm.ptr) -> ()
    llvm.call_intrinsic "llvm.x86.tilezero"(%t0) : (i8) -> ()
    llvm.call_intrinsic "llvm.x86.tdpbusd"(%t0, %t1, %t2) : (i8, i8, i8) -> ()
    llvm.call_intrinsic "llvm.x86.tilerelease"() : () -> ()
    return
  }
  func.func @main(%x: memref<1024xi8> {qcc.name = "x", qcc.type = tensor<1024xi8>, qcc.input},
                  %y: memref<1024xi8> {qcc.name = "y", qcc.type = tensor<1024xi8>, qcc.output},
                  %arena: memref<64xi8>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    func.call @kernel(%x, %y, %c0, %c1) : (memref<1024xi8>, memref<1024xi8>, index, index) -> ()
    return
  }
}
