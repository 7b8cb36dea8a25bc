// RUN: qcc-opt %s -qnn-equalize-channels -canonicalize -split-input-file | FileCheck %s
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qnn-equalize-channels{alpha=0}, canonicalize)' -split-input-file | FileCheck %s --check-prefix=FRONT

// Channel 0 has weights 64 in front and 1 behind: it moves by 8, half of that.
// Bias and weights stay in step.
// CHECK-LABEL: func @products
// CHECK-DAG: %[[W1:.*]] = qnn.constant dense<{{\[\[}}8.000000e+00, 1.000000e+00], [4.000000e+00, 0.000000e+00]]>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[2.000000e+00, 3.000000e+00]>
// CHECK-DAG: %[[W2:.*]] = qnn.constant dense<{{\[\[}}8.000000e+00], [1.000000e+00]]>
// CHECK: %[[H:.*]] = qnn.matmul %{{.*}}, %[[W1]], %[[B]]
// CHECK: qnn.matmul %[[H]], %[[W2]]
// FRONT-LABEL: func @products
// FRONT-NOT: 8.000000e+00
func.func @products(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = qnn.constant dense<[[64.0, 1.0], [32.0, 0.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %b = qnn.constant dense<[16.0, 3.0]> : tensor<2xf32> as tensor<2xf32>
  %w2 = qnn.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.matmul %x, %w1, %b {activation = #qnn.act<relu, 0.0, 0.0>} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qnn.matmul %0, %w2 : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %1 : tensor<1x1xf32>
}

// -----

// Depthwise: each group has its own channel.
// CHECK-LABEL: func @depthwise
// CHECK: qnn.constant dense<2.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-NOT: qnn.constant
func.func @depthwise(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w1 = qnn.constant dense<[[[[4.0]]], [[[1.0]]]]> : tensor<2x1x1x1xf32> as tensor<2x1x1x1xf32>
  %w2 = qnn.constant dense<[[[[1.0]]], [[[4.0]]]]> : tensor<2x1x1x1xf32> as tensor<2x1x1x1xf32>
  %0 = qnn.conv %x, %w1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = qnn.conv %0, %w2 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64} : (tensor<1x2x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// -----

// A scale and a shift of channels, as behind a normalization, and two users.
// CHECK-LABEL: func @shifted
// CHECK-DAG: qnn.constant dense<[2.000000e+00, 1.000000e+00]>
// CHECK: qnn.binary mul
// CHECK: qnn.binary add
func.func @shifted(%x: tensor<3x2xf32>) -> (tensor<3x1xf32>, tensor<3x1xf32>) {
  %g = qnn.constant dense<[2.0, 1.0]> : tensor<2xf32> as tensor<2xf32>
  %b = qnn.constant dense<[5.0, 1.0]> : tensor<2xf32> as tensor<2xf32>
  %w1 = qnn.constant dense<[[4.0], [1.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %w2 = qnn.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.binary mul %x, %g : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %1 = qnn.binary add %0, %b : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %2 = qnn.matmul %1, %w1 : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
  %3 = qnn.matmul %1, %w2 : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
  return %2, %3 : tensor<3x1xf32>, tensor<3x1xf32>
}

// -----

// Not where another op sees the channels, nor through what is not homogeneous.
// CHECK-LABEL: func @seen
// CHECK: qnn.constant dense<{{\[\[}}6.400000e+01, 1.000000e+00]]>
// CHECK-NEXT: qnn.constant dense<1.000000e+00>
// CHECK-NOT: qnn.constant
// CHECK: return
func.func @seen(%x: tensor<1x1xf32>) -> (tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>) {
  %w1 = qnn.constant dense<[[64.0, 1.0]]> : tensor<1x2xf32> as tensor<1x2xf32>
  %w2 = qnn.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.matmul %x, %w1 : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = qnn.matmul %0, %w2 : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  %2 = qnn.matmul %x, %w1 {activation = #qnn.act<silu, 0.0, 0.0>} : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %3 = qnn.matmul %2, %w2 : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %1, %0, %3 : tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>
}
