// The kernel of a product computes a residual addition behind it: the calls of
// @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2})' | grep -E '@main|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=dotprod})' | grep -E '@main|call @|return' | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>
!s = !quant.uniform<i8:f32, 0.07:-5>

// Either term may be the product.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @conv_0({{.*}} : (memref<1x4x4x8xi8>, memref<{{.*}}xi8>, memref<1x4x4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, memref<1x4x4x16xi8>, index, index)
// CHECK-NEXT: call @conv_1({{.*}} : (memref<1x4x4x16xi8>, memref<{{.*}}xi8>, memref<1x4x4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, memref<1x4x4x16xi8>, index, index)
// CHECK-NEXT: return
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"}, %a: tensor<1x4x4x16x!s> {qnn.name = "a"}) -> (tensor<1x4x4x16x!s> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<16x8x1x1xi8> as tensor<16x8x1x1x!w>
  %v = qnn.constant dense<2> : tensor<16x16x1x1xi8> as tensor<16x16x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %u = qnn.binary add %t, %a : (tensor<1x4x4x16x!y>, tensor<1x4x4x16x!s>) -> tensor<1x4x4x16x!y>
  %z = "qnn.conv"(%u, %v) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x16x!y>, tensor<16x16x1x1x!w>) -> tensor<1x4x4x16x!y>
  %y = qnn.binary add %a, %z : (tensor<1x4x4x16x!s>, tensor<1x4x4x16x!y>) -> tensor<1x4x4x16x!s>
  return %y : tensor<1x4x4x16x!s>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// Of two products the later one adds the other.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @matmul_0({{.*}} : (memref<4x8xi8>, memref<{{.*}}xi8>, memref<4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, index, index)
// CHECK-NEXT: call @matmul_1({{.*}} : (memref<4x8xi8>, memref<{{.*}}xi8>, memref<4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, memref<4x16xi8>, index, index)
// CHECK-NEXT: return
func.func @main(%x: tensor<4x8x!x> {qnn.name = "x"}) -> (tensor<4x16x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<8x16xi8> as tensor<8x16x!w>
  %v = qnn.constant dense<2> : tensor<8x16xi8> as tensor<8x16x!w>
  %t = qnn.matmul %x, %w : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %u = qnn.matmul %x, %v : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %y = qnn.binary add %t, %u : (tensor<4x16x!y>, tensor<4x16x!y>) -> tensor<4x16x!y>
  return %y : tensor<4x16x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// A sum has a kernel of its own where the term is used elsewhere, added to
// itself or to one row, and where the other term is computed later than the product.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @matmul_0
// CHECK-NEXT: call @add_0
// CHECK-NEXT: call @add_0
// CHECK-NEXT: call @matmul_0
// CHECK-NEXT: call @add_1
// CHECK-NEXT: call @matmul_0
// CHECK-NEXT: call @lut_0
// CHECK-NEXT: call @add_0
// CHECK-NEXT: return
func.func @main(%x: tensor<4x64x!x> {qnn.name = "x"}, %a: tensor<4x64x!y> {qnn.name = "a"}, %r: tensor<1x64x!y> {qnn.name = "r"})
    -> (tensor<4x64x!y> {qnn.name = "y"}, tensor<4x64x!y> {qnn.name = "z"}, tensor<4x64x!y> {qnn.name = "v"}, tensor<4x64x!y> {qnn.name = "u"}) {
  %w = qnn.constant dense<1> : tensor<64x64xi8> as tensor<64x64x!w>
  %t = qnn.matmul %x, %w : (tensor<4x64x!x>, tensor<64x64x!w>) -> tensor<4x64x!y>
  %y = qnn.binary add %t, %a : (tensor<4x64x!y>, tensor<4x64x!y>) -> tensor<4x64x!y>
  %z = qnn.binary add %t, %t : (tensor<4x64x!y>, tensor<4x64x!y>) -> tensor<4x64x!y>
  %p = qnn.matmul %x, %w : (tensor<4x64x!x>, tensor<64x64x!w>) -> tensor<4x64x!y>
  %v = qnn.binary add %p, %r : (tensor<4x64x!y>, tensor<1x64x!y>) -> tensor<4x64x!y>
  %q = qnn.matmul %x, %w : (tensor<4x64x!x>, tensor<64x64x!w>) -> tensor<4x64x!y>
  %l = qnn.requantize %x : (tensor<4x64x!x>) -> tensor<4x64x!y>
  %u = qnn.binary add %q, %l : (tensor<4x64x!y>, tensor<4x64x!y>) -> tensor<4x64x!y>
  return %y, %z, %v, %u : tensor<4x64x!y>, tensor<4x64x!y>, tensor<4x64x!y>, tensor<4x64x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>
!n = !quant.uniform<u8:f32, 0.10000001:128>

// The integers of either term may be taken for those of another scale.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @matmul_0({{.*}} : (memref<4x8xi8>, memref<{{.*}}xi8>, memref<4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, index, index)
// CHECK-NEXT: call @matmul_1({{.*}} : (memref<4x8xi8>, memref<{{.*}}xi8>, memref<4x16xi8>, memref<{{.*}}xi32>, memref<{{.*}}xf32>, memref<4x16xi8>, index, index)
// CHECK-NEXT: return
func.func @main(%x: tensor<4x8x!x> {qnn.name = "x"}) -> (tensor<4x16x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<8x16xi8> as tensor<8x16x!w>
  %v = qnn.constant dense<2> : tensor<8x16xi8> as tensor<8x16x!w>
  %t = qnn.matmul %x, %w : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %u = qnn.matmul %x, %v : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %j = qnn.storage_cast %u : (tensor<4x16x!y>) -> tensor<4x16xui8>
  %m = qnn.storage_cast %j : (tensor<4x16xui8>) -> tensor<4x16x!n>
  %i = qnn.storage_cast %t : (tensor<4x16x!y>) -> tensor<4x16xui8>
  %n = qnn.storage_cast %i : (tensor<4x16xui8>) -> tensor<4x16x!n>
  %y = qnn.binary add %m, %n : (tensor<4x16x!n>, tensor<4x16x!n>) -> tensor<4x16x!y>
  return %y : tensor<4x16x!y>
}
