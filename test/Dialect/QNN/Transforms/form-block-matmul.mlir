// RUN: qcc-opt %s -qnn-form-block-matmul -split-input-file | FileCheck %s

// Signed weights around 0, along the first dimension: four bits, the middle of
// their range is the zero point.
// CHECK-LABEL: func @rows
// CHECK-SAME: (%[[X:.*]]: tensor<3x8xf32>)
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[}}[135, 137, 139, 141]], {{\[\[}}120, 184, 248, 72]]]> : tensor<2x1x4xui8>
// CHECK-DAG: %[[S:.*]] = qnn.constant dense<{{\[\[}}5.000000e-01], [2.000000e+00]]> : tensor<2x1xf32>
// CHECK: %[[Y:.*]] = qnn.block_matmul %[[X]], %[[W]], %[[S]] {bits = 4 : i64, block = 8 : i64} : (tensor<3x8xf32>, tensor<2x1x4xui8>, tensor<2x1xf32>) -> tensor<3x2xf32>
// CHECK: return %[[Y]]
func.func @rows(%x: tensor<3x8xf32>) -> tensor<3x2xf32> {
  %q = qnn.constant dense<[[[-1, 0], [0, -1], [1, 0], [0, 3], [3, 0], [0, 7], [5, 0], [0, -4]]]> : tensor<1x8x2xi8> as tensor<1x8x2xi8>
  %s = qnn.constant dense<[[[0.5, 2.0]]]> : tensor<1x1x2xf32> as tensor<1x1x2xf32>
  %0 = qnn.dynamic_dequantize %q, %s : (tensor<1x8x2xi8>, tensor<1x1x2xf32>) -> tensor<1x8x2xf32>
  %1 = qnn.reshape %0 : (tensor<1x8x2xf32>) -> tensor<8x2xf32>
  %2 = qnn.matmul %x, %1 : (tensor<3x8xf32>, tensor<8x2xf32>) -> tensor<3x2xf32>
  return %2 : tensor<3x2xf32>
}

// -----

// Unsigned ones with zero points, along the last dimension, transposed for the
// product; eight bits because of one zero point. Bias and activation follow.
// CHECK-LABEL: func @transposed
// CHECK-SAME: (%[[X:.*]]: tensor<3x16xf32>, %[[B:.*]]: tensor<1xf32>)
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<3> : tensor<1x2x8xui8>
// CHECK-DAG: %[[Z:.*]] = qnn.constant dense<{{\[\[}}1, 16]]> : tensor<1x2xui8>
// CHECK: %[[Y:.*]] = qnn.block_matmul %[[X]], %[[W]], %{{.*}} zero_points %[[Z]] {bits = 8 : i64, block = 8 : i64}
// CHECK: %[[A:.*]] = qnn.binary add %[[Y]], %[[B]] {activation = #qnn.act<relu
// CHECK: return %[[A]]
func.func @transposed(%x: tensor<3x16xf32>, %b: tensor<1xf32>) -> tensor<3x1xf32> {
  %q = qnn.constant dense<3> : tensor<1x2x8xui8> as tensor<1x2x8xui8>
  %s = qnn.constant dense<0.5> : tensor<1x2x1xf32> as tensor<1x2x1xf32>
  %z = qnn.constant dense<[[[1], [16]]]> : tensor<1x2x1xui8> as tensor<1x2x1xui8>
  %0 = qnn.dynamic_dequantize %q, %s, %z : (tensor<1x2x8xui8>, tensor<1x2x1xf32>, tensor<1x2x1xui8>) -> tensor<1x2x8xf32>
  %1 = qnn.reshape %0 : (tensor<1x2x8xf32>) -> tensor<1x16xf32>
  %2 = qnn.transpose %1 {permutation = array<i64: 1, 0>} : (tensor<1x16xf32>) -> tensor<16x1xf32>
  %3 = qnn.matmul %x, %2, %b {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<3x16xf32>, tensor<16x1xf32>, tensor<1xf32>) -> tensor<3x1xf32>
  return %3 : tensor<3x1xf32>
}

// -----

// The last block is cut off.
// CHECK-LABEL: func @cut
// CHECK: qnn.block_matmul %{{.*}} {bits = 2 : i64, block = 8 : i64} : (tensor<3x11xf32>, tensor<2x2x2xui8>, tensor<2x2xf32>) -> tensor<3x2xf32>
func.func @cut(%x: tensor<3x11xf32>) -> tensor<3x2xf32> {
  %q = qnn.constant dense<1> : tensor<2x8x2xi8> as tensor<2x8x2xi8>
  %s = qnn.constant dense<0.5> : tensor<2x1x2xf32> as tensor<2x1x2xf32>
  %0 = qnn.dynamic_dequantize %q, %s : (tensor<2x8x2xi8>, tensor<2x1x2xf32>) -> tensor<2x8x2xf32>
  %1 = qnn.reshape %0 : (tensor<2x8x2xf32>) -> tensor<16x2xf32>
  %2 = qnn.slice %1 {starts = array<i64: 0, 0>, sizes = array<i64: 11, 2>, steps = array<i64: 1, 1>} : (tensor<16x2xf32>) -> tensor<11x2xf32>
  %3 = qnn.matmul %x, %2 : (tensor<3x11xf32>, tensor<11x2xf32>) -> tensor<3x2xf32>
  return %3 : tensor<3x2xf32>
}

// -----

// Blocks along the columns are no sums that share a scale.
// CHECK-LABEL: func @columns
// CHECK-NOT: qnn.block_matmul
// CHECK: qnn.matmul
func.func @columns(%x: tensor<3x2xf32>) -> tensor<3x8xf32> {
  %q = qnn.constant dense<1> : tensor<2x1x8xi8> as tensor<2x1x8xi8>
  %s = qnn.constant dense<0.5> : tensor<2x1x1xf32> as tensor<2x1x1xf32>
  %0 = qnn.dynamic_dequantize %q, %s : (tensor<2x1x8xi8>, tensor<2x1x1xf32>) -> tensor<2x1x8xf32>
  %1 = qnn.reshape %0 : (tensor<2x1x8xf32>) -> tensor<2x8xf32>
  %2 = qnn.matmul %x, %1 : (tensor<3x2xf32>, tensor<2x8xf32>) -> tensor<3x8xf32>
  return %2 : tensor<3x8xf32>
}
