// Functions that become bytes are eight polynomials, which lanes look up, where
// those are close enough: by the same steps on all levels.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2})' | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | FileCheck %s --check-prefixes=CHECK,BASE
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=neon})' | FileCheck %s --check-prefixes=CHECK,NEON

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.02:14>

// CHECK-LABEL: func.func private @conv_0
// CHECK: arith.sitofp
// CHECK-NOT: math.exp
// CHECK: arith.mulf
// BASE-COUNT-4: llvm.x86.ssse3.pshuf.b.128
// WIDE-COUNT-4: llvm.x86.avx512.permvar.sf.512
// AVX2-COUNT-4: llvm.x86.avx2.permps
// NEON-COUNT-4: llvm.aarch64.neon.tbl2.v16i8
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"}) -> (tensor<1x4x4x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x8x1x1xi8> as tensor<64x8x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>, activation = #qnn.act<silu, 0.0, 0.0>} : (tensor<1x4x4x8x!x>, tensor<64x8x1x1x!w>) -> tensor<1x4x4x64x!y>
  return %t : tensor<1x4x4x64x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 2.0:0>

// Steps far beyond the bend need pieces that are too wide.
// CHECK-LABEL: func.func private @conv_0
// CHECK-NOT: perm
// CHECK-NOT: tbl2
// Every fused step counts: where there is no instruction it is emulated.
// CHECK-NOT: math.fma {{.*}}, %{{[^{]*}} : vector
// CHECK: math.fma {{.*}} {qcc.exact}
// CHECK-NOT: math.fma {{.*}}, %{{[^{]*}} : vector
// CHECK: arith.shli
// CHECK-NOT: perm
// CHECK-NOT: tbl2
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"}) -> (tensor<1x4x4x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x8x1x1xi8> as tensor<64x8x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>, activation = #qnn.act<silu, 0.0, 0.0>} : (tensor<1x4x4x8x!x>, tensor<64x8x1x1x!w>) -> tensor<1x4x4x64x!y>
  return %t : tensor<1x4x4x64x!y>
}
