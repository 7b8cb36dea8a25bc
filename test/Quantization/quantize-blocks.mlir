// RUN: qcc-opt %s -qnn-quantize-blocks="block=8 min-weights=2" -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-quantize-blocks="block=8 min-weights=2 bits=8 int8-input=false" -split-input-file | FileCheck %s --check-prefix=BYTES
// RUN: qcc-opt %s -qnn-quantize-blocks -split-input-file | FileCheck %s --check-prefix=SMALL
// RUN: not qcc-opt %s -qnn-quantize-blocks="bits=3" -split-input-file 2>&1 | FileCheck %s --check-prefix=BAD

// BAD: bits=3 block=32: expected 4 or 8 bits and a block of 8 to 65536 weights, divisible by 8
// SMALL-NOT: qnn.block_matmul

// All weights of the first column lie on the grid of the scale 0.5, all of the
// second are zero.
// CHECK-LABEL: func @matmul
// CHECK-SAME: (%[[X:.*]]: tensor<3x8xf32>, %[[R:.*]]: tensor<3x2xf32>)
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[}}[159, 126, 136, 136]], {{\[\[}}136, 136, 136, 136]]]> : tensor<2x1x4xui8>
// CHECK-DAG: %[[S:.*]] = qnn.constant dense<{{\[\[}}5.000000e-01], [1.000000e+00]]> : tensor<2x1xf32>
// CHECK: %[[Y:.*]] = qnn.block_matmul %[[X]], %[[W]], %[[S]] {bits = 4 : i64, block = 8 : i64, int8_input}
// CHECK: %[[E:.*]] = qnn.binary add %[[Y]], %{{.*}} :
// CHECK: %[[F:.*]] = qnn.binary add %[[E]], %[[R]] {activation = #qnn.act<relu
// CHECK: return %[[F]]
// BYTES-LABEL: func @matmul
// BYTES: qnn.block_matmul %{{.*}} {bits = 8 : i64, block = 8 : i64} : (tensor<3x8xf32>, tensor<2x1x8xui8>, tensor<2x1xf32>) -> tensor<3x2xf32>
func.func @matmul(%x: tensor<3x8xf32>, %r: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = qnn.constant dense<[[3.5, 0.0], [0.5, 0.0], [3.0, 0.0], [-0.5, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]> : tensor<8x2xf32> as tensor<8x2xf32>
  %b = qnn.constant dense<[5.0, 6.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.matmul %x, %w, %b residual %r {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<3x8xf32>, tensor<8x2xf32>, tensor<2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// Blocks follow the depth of transposed weights; the last one is cut off.
// CHECK-LABEL: func @transposed
// CHECK: qnn.block_matmul %{{.*}} {bits = 4 : i64, block = 8 : i64, int8_input} : (tensor<4x3x10xf32>, tensor<2x2x4xui8>, tensor<2x2xf32>) -> tensor<4x3x2xf32>
func.func @transposed(%x: tensor<4x3x10xf32>) -> tensor<4x3x2xf32> {
  %w = qnn.constant dense<1.0> : tensor<2x10xf32> as tensor<2x10xf32>
  %0 = qnn.matmul %x, %w {transpose_rhs} : (tensor<4x3x10xf32>, tensor<2x10xf32>) -> tensor<4x3x2xf32>
  return %0 : tensor<4x3x2xf32>
}

// -----

// Infinite weights and those that are computed stay float.
// CHECK-LABEL: func @float
// CHECK-NOT: qnn.block_matmul
func.func @float(%x: tensor<1x8xf32>, %v: tensor<8x2xf32>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<0x7F800000> : tensor<8x8xf32> as tensor<8x8xf32>
  %0 = qnn.matmul %x, %w : (tensor<1x8xf32>, tensor<8x8xf32>) -> tensor<1x8xf32>
  %1 = qnn.matmul %0, %v : (tensor<1x8xf32>, tensor<8x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}
