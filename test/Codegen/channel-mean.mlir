// Global average pooling and the product with one number per channel widen
// bytes by dot products with weights of one 1, where a level has them for the
// sign of the bytes.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s --check-prefixes=CHECK,DOT
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2})' | FileCheck %s --check-prefixes=CHECK,NONE

!x = !quant.uniform<u8:f32, 0.05:3>
!s = !quant.uniform<u8:f32, 0.004>
!y = !quant.uniform<u8:f32, 0.02:14>

// DOT-LABEL: func.func private @channel_mean_0
// DOT-COUNT-16: llvm.x86.avx512.vpdpbusd.512
// DOT: scf.yield
// NONE-LABEL: func.func private @reduce_mean_0
// CHECK-LABEL: func.func private @mul_0
// DOT: llvm.x86.avx512.vpdpbusd.512
// NONE-NOT: vpdpbusd
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x14x14x96x!x> {qnn.name = "x"}, %s: tensor<1x1x1x96x!s> {qnn.name = "s"}) -> (tensor<1x1x1x96x!y> {qnn.name = "m"}, tensor<1x14x14x96x!y> {qnn.name = "y"}) {
  %m = "qnn.reduce"(%x) {kind = #qnn<reduce_kind mean>, axes = array<i64: 1, 2>, keepdims} : (tensor<1x14x14x96x!x>) -> tensor<1x1x1x96x!y>
  %y = "qnn.binary"(%x, %s) {kind = #qnn<binary_kind mul>} : (tensor<1x14x14x96x!x>, tensor<1x1x1x96x!s>) -> tensor<1x14x14x96x!y>
  return %m, %y : tensor<1x1x1x96x!y>, tensor<1x14x14x96x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.05:3>

// Signed bytes are not what the instruction takes.
// CHECK-LABEL: func.func private @reduce_mean_0
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x14x14x96x!x> {qnn.name = "x"}) -> (tensor<1x1x1x96x!x> {qnn.name = "m"}) {
  %m = "qnn.reduce"(%x) {kind = #qnn<reduce_kind mean>, axes = array<i64: 1, 2>, keepdims} : (tensor<1x14x14x96x!x>) -> tensor<1x1x1x96x!x>
  return %m : tensor<1x1x1x96x!x>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>

// DOT-LABEL: func.func private @channel_mean_0
// DOT: vector.shuffle
// NONE-LABEL: func.func private @reduce_mean_0
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x14x14x32x!x> {qnn.name = "x"}) -> (tensor<1x32x!x> {qnn.name = "m"}) {
  %m = "qnn.reduce"(%x) {kind = #qnn<reduce_kind mean>, axes = array<i64: 1, 2>} : (tensor<1x14x14x32x!x>) -> tensor<1x32x!x>
  return %m : tensor<1x32x!x>
}
