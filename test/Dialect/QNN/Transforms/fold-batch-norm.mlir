// RUN: qcc-opt %s -qnn-fold-batch-norm -canonicalize -split-input-file | FileCheck %s

// scale / sqrt(variance + epsilon) = [2, 1], shift - mean * that = [-1, 3].
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]], {{\[\[\[}}3.000000e+00]], {{\[\[}}4.000000e+00]]]]>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[1.900000e+01, 2.300000e+01]>
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %[[W]], %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @conv(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qnn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32> as tensor<2x2x1x1xf32>
  %b = qnn.constant dense<[10.0, 20.0]> : tensor<2xf32> as tensor<2xf32>
  %scale = qnn.constant dense<[4.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
  %shift = qnn.constant dense<[1.0, 5.0]> : tensor<2xf32> as tensor<2xf32>
  %mean = qnn.constant dense<[1.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
  %variance = qnn.constant dense<3.0> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.conv %x, %w, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %1 = qnn.batch_norm %0, %scale, %shift, %mean, %variance {epsilon = 1.0 : f32} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// -----

// Depthwise, without a bias, padded, in one dimension, through mul and add.
// CHECK-LABEL: func @depthwise
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00]], {{\[\[}}9.000000e+00, 1.200000e+01]]]>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[-1.000000e+00, 1.000000e+00]>
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %[[W]], %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @depthwise(%x: tensor<1x2x4xf32>) -> tensor<1x2x5xf32> {
  %w = qnn.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32> as tensor<2x1x2xf32>
  %a = qnn.constant dense<[[[2.0], [3.0]]]> : tensor<1x2x1xf32> as tensor<1x2x1xf32>
  %b = qnn.constant dense<[[1.0], [-1.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x4xf32>, tensor<2x1x2xf32>) -> tensor<1x2x5xf32>
  %1 = qnn.binary mul %0, %a : (tensor<1x2x5xf32>, tensor<1x2x1xf32>) -> tensor<1x2x5xf32>
  %2 = qnn.binary sub %1, %b : (tensor<1x2x5xf32>, tensor<2x1xf32>) -> tensor<1x2x5xf32>
  return %2 : tensor<1x2x5xf32>
}

// -----

// A filter of a transposed convolution is [C, OC/group, ...].
// CHECK-LABEL: func @conv_transpose
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[}}1.000000e+01], [2.000000e+02]], {{\[\[}}3.000000e+03], [4.000000e+04]]]>
// CHECK: %[[Y:.*]] = qnn.conv_transpose %arg0, %[[W]] {
// CHECK-NEXT: return %[[Y]]
func.func @conv_transpose(%x: tensor<1x2x4xf32>) -> tensor<1x4x4xf32> {
  %w = qnn.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32> as tensor<2x2x1xf32>
  %a = qnn.constant dense<[[10.0], [100.0], [1000.0], [10000.0]]> : tensor<4x1xf32> as tensor<4x1xf32>
  %0 = qnn.conv_transpose %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 2 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x4x4xf32>
  %1 = qnn.binary mul %0, %a : (tensor<1x4x4xf32>, tensor<4x1xf32>) -> tensor<1x4x4xf32>
  return %1 : tensor<1x4x4xf32>
}

// -----

// CHECK-LABEL: func @matmul
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[}}1.000000e+01, 2.000000e+02], [3.000000e+01, 4.000000e+02]]>
// CHECK-DAG: %[[T:.*]] = qnn.constant dense<{{\[\[}}1.000000e+01, 2.000000e+01], [3.000000e+02, 4.000000e+02]]>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<5.000000e+00> : tensor<2xf32>
// CHECK: %[[Y:.*]] = qnn.matmul %arg0, %[[W]], %[[B]]
// CHECK: %[[Z:.*]] = qnn.matmul %arg0, %[[T]] {transpose_rhs}
// CHECK-NEXT: return %[[Y]], %[[Z]]
func.func @matmul(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %a = qnn.constant dense<[10.0, 100.0]> : tensor<2xf32> as tensor<2xf32>
  %c = qnn.constant dense<5.0> : tensor<f32> as tensor<f32>
  %0 = qnn.matmul %x, %w : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %1 = qnn.binary mul %0, %a : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %2 = qnn.binary add %1, %c : (tensor<3x2xf32>, tensor<f32>) -> tensor<3x2xf32>
  %3 = qnn.matmul %x, %w {transpose_rhs} : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %4 = qnn.binary mul %3, %a : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %2, %4 : tensor<3x2xf32>, tensor<3x2xf32>
}

// -----

// An addition needs no constant weights.
// CHECK-LABEL: func @bias
// CHECK: %[[B:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %arg1, %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @bias(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) -> tensor<1x2x4xf32> {
  %b = qnn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  %1 = qnn.binary add %0, %b : (tensor<1x2x4xf32>, tensor<2x1xf32>) -> tensor<1x2x4xf32>
  return %1 : tensor<1x2x4xf32>
}

// -----

// Before a convolution: the two groups take one channel each.
// CHECK-LABEL: func @before_conv
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[}}1.000000e+01, 2.000000e+01]], {{\[\[}}3.000000e+02, 4.000000e+02]]]>
// 1 * 5 + 2 * 5 and 3 * 6 + 4 * 6
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[1.500000e+01, 4.200000e+01]>
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %[[W]], %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @before_conv(%x: tensor<1x2x4xf32>) -> tensor<1x2x3xf32> {
  %w = qnn.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32> as tensor<2x1x2xf32>
  %scale = qnn.constant dense<[10.0, 100.0]> : tensor<2xf32> as tensor<2xf32>
  %shift = qnn.constant dense<[5.0, 6.0]> : tensor<2xf32> as tensor<2xf32>
  %zero = qnn.constant dense<0.0> : tensor<2xf32> as tensor<2xf32>
  %one = qnn.constant dense<1.0> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.batch_norm %x, %scale, %shift, %zero, %one {epsilon = 0.0 : f32} : (tensor<1x2x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4xf32>
  %1 = qnn.conv %0, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 2 : i64} : (tensor<1x2x4xf32>, tensor<2x1x2xf32>) -> tensor<1x2x3xf32>
  return %1 : tensor<1x2x3xf32>
}

// -----

// Padding stands for 0 behind the map: a scale may move, a shift may not.
// CHECK-LABEL: func @before_padded_conv
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[}}1.000000e+01, 2.000000e+01]]]>
// CHECK: %[[A:.*]] = qnn.binary add %arg0
// CHECK: qnn.conv %[[A]], %[[W]] {
func.func @before_padded_conv(%x: tensor<1x1x4xf32>) -> tensor<1x1x5xf32> {
  %w = qnn.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32> as tensor<1x1x2xf32>
  %a = qnn.constant dense<10.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary add %x, %a : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  %1 = qnn.binary mul %0, %a : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  %2 = qnn.conv %1, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x1x4xf32>, tensor<1x1x2xf32>) -> tensor<1x1x5xf32>
  return %2 : tensor<1x1x5xf32>
}

// -----

// CHECK-LABEL: func @before_matmul
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[}}1.000000e+01, 2.000000e+01], [3.000000e+02, 4.000000e+02]]>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[2.300000e+01, 3.400000e+01]>
// CHECK: %[[Y:.*]] = qnn.matmul %arg0, %[[W]], %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @before_matmul(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %scale = qnn.constant dense<[10.0, 100.0]> : tensor<2xf32> as tensor<2xf32>
  %shift = qnn.constant dense<[5.0, 6.0]> : tensor<2xf32> as tensor<2xf32>
  %zero = qnn.constant dense<0.0> : tensor<2xf32> as tensor<2xf32>
  %one = qnn.constant dense<1.0> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.batch_norm %x, %scale, %shift, %zero, %one {epsilon = 0.0 : f32} : (tensor<3x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %1 = qnn.matmul %0, %w : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----

// One that remains becomes a product and a sum.
// CHECK-LABEL: func @alone
// CHECK-DAG: %[[A:.*]] = qnn.constant dense<{{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]]> : tensor<2x1x1xf32>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<{{\[\[\[}}-2.000000e+00]], {{\[\[}}-4.000000e+00]]]> : tensor<2x1x1xf32>
// CHECK: %[[M:.*]] = qnn.binary mul %arg0, %[[A]]
// CHECK: qnn.binary add %[[M]], %[[B]]
// CHECK-NOT: qnn.batch_norm
func.func @alone(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %scale = qnn.constant dense<[2.0, 4.0]> : tensor<2xf32> as tensor<2xf32>
  %zero = qnn.constant dense<0.0> : tensor<2xf32> as tensor<2xf32>
  %one = qnn.constant dense<1.0> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.batch_norm %x, %scale, %zero, %one, %one {epsilon = 0.0 : f32} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %0 : tensor<1x2x4x4xf32>
}

// -----

// The activation of the sum goes along; a reshape in between keeps the channel.
// CHECK-LABEL: func @reshaped
// CHECK: %[[B:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: %[[C:.*]] = qnn.conv %arg0, %arg1, %[[B]] {activation = #qnn.act<relu
// CHECK-NEXT: %[[Y:.*]] = qnn.reshape %[[C]]
// CHECK-NEXT: return %[[Y]]
func.func @reshaped(%x: tensor<1x2x1x4xf32>, %w: tensor<2x2x1x1xf32>) -> tensor<1x2x4xf32> {
  %b = qnn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x2x1x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x4xf32>
  %1 = qnn.reshape %0 : (tensor<1x2x1x4xf32>) -> tensor<1x2x4xf32>
  %2 = qnn.binary add %1, %b {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<1x2x4xf32>, tensor<2x1xf32>) -> tensor<1x2x4xf32>
  return %2 : tensor<1x2x4xf32>
}

// -----

// The sixth belongs to hard_swish, not to the weights behind it.
// CHECK-LABEL: func @idioms_first
// CHECK: %[[H:.*]] = qnn.unary hard_swish %arg0
// CHECK: qnn.conv %[[H]]
func.func @idioms_first(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %w = qnn.constant dense<1.0> : tensor<2x2x1xf32> as tensor<2x2x1xf32>
  %three = qnn.constant dense<3.0> : tensor<f32> as tensor<f32>
  %six = qnn.constant dense<6.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary add %x, %three : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %1 = qnn.unary clamp %0 {beta = 6.0 : f32} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qnn.binary mul %x, %1 : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %3 = qnn.binary div %2, %six : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %4 = qnn.conv %3, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  return %4 : tensor<1x2x4xf32>
}

// -----

// Negative cases: another user of the product, an activation in between,
// parameters that are not constant, a constant along the wrong dimension,
// quantized weights, where folding would move roundings, an impossible variance.
// CHECK-LABEL: func @stays
// CHECK: %[[C:.*]] = qnn.conv
// CHECK: qnn.binary mul %[[C]]
// CHECK: %[[D:.*]] = qnn.conv %{{.*}} {activation
// CHECK: qnn.binary mul %[[D]]
// CHECK: qnn.batch_norm
// CHECK: %[[E:.*]] = qnn.conv
// CHECK: qnn.binary mul %[[E]]
// CHECK: qnn.dequantize
// CHECK: %[[F:.*]] = qnn.conv
// CHECK: qnn.binary mul %[[F]]
// CHECK: qnn.batch_norm
func.func @stays(%x: tensor<1x2x2xf32>, %p: tensor<2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %w = qnn.constant dense<3.0> : tensor<2x2x1xf32> as tensor<2x2x1xf32>
  %a = qnn.constant dense<[[2.0], [3.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x2x2xf32>
  %1 = qnn.binary mul %0, %a : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x2xf32>
  %2 = qnn.conv %x, %w {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x2x2xf32>
  %3 = qnn.binary mul %2, %a : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x2xf32>
  %4 = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %wrong = qnn.constant dense<[[2.0, 3.0]]> : tensor<1x2xf32> as tensor<1x2xf32>
  %5 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x2x2xf32>
  %6 = qnn.binary mul %5, %wrong : (tensor<1x2x2xf32>, tensor<1x2xf32>) -> tensor<1x2x2xf32>
  %qw = qnn.constant dense<3> : tensor<2x2x1xi8> as tensor<2x2x1x!quant.uniform<i8:f32, 0.5>>
  %dw = qnn.dequantize %qw : (tensor<2x2x1x!quant.uniform<i8:f32, 0.5>>) -> tensor<2x2x1xf32>
  %7 = qnn.conv %x, %dw {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x2x2xf32>
  %8 = qnn.binary mul %7, %a : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x2xf32>
  %ones = qnn.constant dense<1.0> : tensor<2xf32> as tensor<2xf32>
  %negative = qnn.constant dense<-1.0> : tensor<2xf32> as tensor<2xf32>
  %9 = qnn.batch_norm %x, %ones, %ones, %ones, %negative {epsilon = 0.0 : f32} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  return %0, %1, %3, %4, %6, %8, %9 : tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>
}
