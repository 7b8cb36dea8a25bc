// RUN: qcc-opt %s -qnn-assign-layout -canonicalize -split-input-file | FileCheck %s

// Transposes stay at the edges; pads, clamps, residuals and pools follow.
// CHECK-LABEL: func @chain
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x8x8xf32>, %[[W:.*]]: tensor<4x3x3x3xf32>, %[[V:.*]]: tensor<4x4x1x1xf32>)
// CHECK: %[[T:.*]] = qnn.transpose %[[X]] {permutation = array<i64: 0, 2, 3, 1>}
// CHECK: %[[P:.*]] = qnn.pad %[[T]] {pads = array<i64: 0, 1, 1, 0, 0, 1, 1, 0>}
// CHECK: %[[C:.*]] = qnn.conv %[[P]], %[[W]] {{.*}}layout = #qnn<layout nhwc>{{.*}} -> tensor<1x8x8x4xf32>
// CHECK: %[[R:.*]] = qnn.unary relu %[[C]]
// CHECK: %[[D:.*]] = qnn.conv %[[R]], %[[V]] residual %[[C]] {{.*}}layout = #qnn<layout nhwc>
// CHECK: %[[M:.*]] = qnn.max_pool %[[D]] {{.*}}layout = #qnn<layout nhwc>{{.*}} -> tensor<1x4x4x4xf32>
// CHECK: %[[A:.*]] = qnn.avg_pool %[[M]] {{.*}}layout = #qnn<layout nhwc>{{.*}} -> tensor<1x2x2x4xf32>
// CHECK: %[[B:.*]] = qnn.transpose %[[A]] {permutation = array<i64: 0, 3, 1, 2>}
// CHECK-NEXT: return %[[B]] : tensor<1x4x2x2xf32>
func.func @chain(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %v: tensor<4x4x1x1xf32>) -> tensor<1x4x2x2xf32> {
  %0 = qnn.pad %x {pads = array<i64: 0, 0, 1, 1, 0, 0, 1, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x10x10xf32>
  %1 = qnn.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x3x10x10xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
  %2 = qnn.unary relu %1 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %3 = qnn.conv %2, %v residual %1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %4 = qnn.max_pool %3 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  %5 = qnn.avg_pool %4 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x2x2xf32>
  return %5 : tensor<1x4x2x2xf32>
}

// -----

// No spatial op: nothing changes.
// CHECK-LABEL: func @untouched
// CHECK: qnn.unary relu %arg0 : (tensor<1x3x8x8xf32>)
// CHECK-NEXT: qnn.transpose {{.*}}permutation = array<i64: 0, 3, 1, 2>
// CHECK-NEXT: qnn.softmax {{.*}}axis = 1
func.func @untouched(%x: tensor<1x3x8x8xf32>) -> tensor<1x8x3x8xf32> {
  %0 = qnn.unary relu %x : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  %1 = qnn.transpose %0 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x3x8xf32>
  %2 = qnn.softmax %1 {axis = 1 : i64} : (tensor<1x8x3x8xf32>) -> tensor<1x8x3x8xf32>
  return %2 : tensor<1x8x3x8xf32>
}

// -----

// A model that transposes its channels-last input itself, and back: no
// transpose is left.
// CHECK-LABEL: func @from_channels_last
// CHECK-NOT: qnn.transpose
// CHECK: return
func.func @from_channels_last(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x8x8x4xf32> {
  %0 = qnn.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x3xf32>) -> tensor<1x3x8x8xf32>
  %1 = qnn.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %2 = qnn.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8x4xf32>
  return %2 : tensor<1x8x8x4xf32>
}

// -----

// Axes and constants are mapped; a channel vector of lower rank is widened.
// CHECK-LABEL: func @axes
// CHECK-DAG: qnn.constant dense<{{.*}}> : tensor<1x1x1x3xf32> as tensor<1x1x1x3xf32>
// CHECK: %[[B:.*]] = qnn.binary mul {{.*}} -> tensor<1x8x9x3xf32>
// CHECK: %[[C:.*]] = qnn.concat %[[B]], %[[B]] {axis = 3 : i64}
// CHECK: %[[S:.*]] = qnn.slice %[[C]] {sizes = array<i64: 1, 2, 9, 4>, starts = array<i64: 0, 3, 0, 1>, steps = array<i64: 1, 2, 1, 1>}
// CHECK: %[[R:.*]] = qnn.resize %[[S]] {{.*}}scales = array<f32: 1.000000e+00, 2.000000e+00, 1.000000e+00, 1.000000e+00>, sizes = array<i64: 1, 4, 9, 4>
// CHECK: %[[N:.*]] = qnn.batch_norm %[[R]], {{.*}}axis = 3
// CHECK: %[[Z:.*]] = qnn.normalize %[[N]] {axes = array<i64: 1, 2>
// CHECK: %[[M:.*]] = qnn.softmax %[[Z]] {axis = 3
// CHECK: %[[E:.*]] = qnn.reduce mean %[[M]] {axes = array<i64: 1, 2>} : {{.*}} -> tensor<1x4xf32>
// CHECK: %[[G:.*]] = qnn.arg_reduce %[[M]] {axis = 3 : i64} : {{.*}} -> tensor<1x4x9xi64>
// CHECK: return %[[E]], %[[G]]
func.func @axes(%x: tensor<1x3x8x9xf32>, %v: tensor<4xf32>) -> (tensor<1x4xf32>, tensor<1x4x9xi64>) {
  %c = qnn.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32> as tensor<3x1x1xf32>
  %0 = qnn.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x8x9xf32>) -> tensor<1x3x8x9xf32>
  %1 = qnn.binary mul %0, %c : (tensor<1x3x8x9xf32>, tensor<3x1x1xf32>) -> tensor<1x3x8x9xf32>
  %2 = qnn.concat %1, %1 {axis = 1 : i64} : (tensor<1x3x8x9xf32>, tensor<1x3x8x9xf32>) -> tensor<1x6x8x9xf32>
  %3 = qnn.slice %2 {starts = array<i64: 0, 1, 3, 0>, sizes = array<i64: 1, 4, 2, 9>, steps = array<i64: 1, 1, 2, 1>} : (tensor<1x6x8x9xf32>) -> tensor<1x4x2x9xf32>
  %4 = qnn.resize %3 {sizes = array<i64: 1, 4, 4, 9>, scales = array<f32: 1.0, 1.0, 2.0, 1.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<1x4x2x9xf32>) -> tensor<1x4x4x9xf32>
  %5 = qnn.batch_norm %4, %v, %v, %v, %v {epsilon = 1.0e-5 : f32} : (tensor<1x4x4x9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x4x9xf32>
  %6 = qnn.normalize %5 {axes = array<i64: 2, 3>, epsilon = 1.0e-5 : f32} : (tensor<1x4x4x9xf32>) -> tensor<1x4x4x9xf32>
  %7 = qnn.softmax %6 {axis = 1 : i64} : (tensor<1x4x4x9xf32>) -> tensor<1x4x4x9xf32>
  %8 = qnn.reduce mean %7 {axes = array<i64: 2, 3>} : (tensor<1x4x4x9xf32>) -> tensor<1x4xf32>
  %9 = qnn.arg_reduce %7 {axis = 1 : i64} : (tensor<1x4x4x9xf32>) -> tensor<1x4x9xi64>
  return %8, %9 : tensor<1x4xf32>, tensor<1x4x9xi64>
}

// -----

// Global pooling and a reshape of extents 1: no transpose.
// CHECK-LABEL: func @head
// CHECK: qnn.conv {{.*}} -> tensor<2x4x4x5xf32>
// CHECK-NEXT: %[[M:.*]] = qnn.reduce mean {{.*}}axes = array<i64: 1, 2>, keepdims
// CHECK-NEXT: %[[R:.*]] = qnn.reshape %[[M]] : (tensor<2x1x1x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: qnn.unary sigmoid %[[R]]
func.func @head(%x: tensor<2x1x4x4xf32>, %w: tensor<5x1x1x1xf32>) -> tensor<2x5xf32> {
  %0 = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<2x1x4x4xf32>, tensor<5x1x1x1xf32>) -> tensor<2x5x4x4xf32>
  %1 = qnn.reduce mean %0 {axes = array<i64: 2, 3>, keepdims} : (tensor<2x5x4x4xf32>) -> tensor<2x5x1x1xf32>
  %2 = qnn.reshape %1 : (tensor<2x5x1x1xf32>) -> tensor<2x5xf32>
  %3 = qnn.unary sigmoid %2 : (tensor<2x5xf32>) -> tensor<2x5xf32>
  return %3 : tensor<2x5xf32>
}

// -----

// Flatten and matmul: the rows of the weight are permuted at compile time.
// [c, h] = 10 c + h becomes the order h, c.
// CHECK-LABEL: func @flatten
// CHECK-DAG: qnn.constant dense<{{\[\[}}0], [10], [1], [11], [2], [12]]> : tensor<6x1xi8>
// CHECK-DAG: qnn.constant dense<{{\[\[}}0, 10, 1, 11, 2, 12]]> : tensor<1x6xi8>
// CHECK: %[[P:.*]] = qnn.max_pool
// CHECK-NOT: qnn.transpose
// CHECK-COUNT-2: qnn.reshape %[[P]] : (tensor<1x3x2x!quant{{.*}}>) -> tensor<1x6x!quant
// CHECK-NOT: qnn.transpose
// CHECK: return
!q = !quant.uniform<i8:f32, 0.5>
!w = !quant.uniform<i8:f32:1, {0.5}>
!v = !quant.uniform<i8:f32:0, {0.5}>
func.func @flatten(%x: tensor<1x3x2x!q>) -> (tensor<1x1x!q>, tensor<1x1x!q>) {
  %w = qnn.constant dense<[[0], [1], [2], [10], [11], [12]]> : tensor<6x1xi8> as tensor<6x1x!w>
  %v = qnn.constant dense<[[0, 1, 2, 10, 11, 12]]> : tensor<1x6xi8> as tensor<1x6x!v>
  %t = qnn.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<1x3x2x!q>) -> tensor<1x2x3x!q>
  %0 = qnn.max_pool %t {kernel = array<i64: 1>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x2x3x!q>) -> tensor<1x2x3x!q>
  %1 = qnn.reshape %0 : (tensor<1x2x3x!q>) -> tensor<1x6x!q>
  %2 = qnn.matmul %1, %w : (tensor<1x6x!q>, tensor<6x1x!w>) -> tensor<1x1x!q>
  %3 = qnn.matmul %1, %v {transpose_rhs} : (tensor<1x6x!q>, tensor<1x6x!v>) -> tensor<1x1x!q>
  return %2, %3 : tensor<1x1x!q>, tensor<1x1x!q>
}

// -----

// A flattened image that is a result is transposed, ...
// CHECK-LABEL: func @flattened_result
// CHECK: %[[T:.*]] = qnn.transpose {{.*}} -> tensor<1x3x4x4xf32>
// CHECK: qnn.reshape %[[T]] : (tensor<1x3x4x4xf32>) -> tensor<1x48xf32>
func.func @flattened_result(%x: tensor<1x3x4x4xf32>) -> tensor<1x48xf32> {
  %0 = qnn.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %1 = qnn.reshape %0 : (tensor<1x3x4x4xf32>) -> tensor<1x48xf32>
  return %1 : tensor<1x48xf32>
}

// ... as 8-bit integers where it is dequantized.
// CHECK-LABEL: func @dequantized_result
// CHECK: %[[T:.*]] = qnn.transpose {{.*}} -> tensor<1x3x4x4x!quant
// CHECK: qnn.dequantize %[[T]]
!q = !quant.uniform<i8:f32, 0.5>
func.func @dequantized_result(%x: tensor<1x3x4x4x!q>) -> tensor<1x3x4x4xf32> {
  %0 = qnn.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x3x4x4x!q>) -> tensor<1x3x4x4x!q>
  %1 = qnn.dequantize %0 : (tensor<1x3x4x4x!q>) -> tensor<1x3x4x4xf32>
  return %1 : tensor<1x3x4x4xf32>
}

// -----

// A channel shuffle is one transpose of the innermost dimensions.
// CHECK-LABEL: func @shuffle
// CHECK: qnn.transpose %arg0
// CHECK: %[[P:.*]] = qnn.max_pool
// CHECK-NEXT: %[[R:.*]] = qnn.reshape %[[P]] : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x2x3xf32>
// CHECK-NEXT: %[[T:.*]] = qnn.transpose %[[R]] {permutation = array<i64: 0, 1, 2, 4, 3>}
// CHECK-NEXT: %[[S:.*]] = qnn.reshape %[[T]] : (tensor<1x4x4x3x2xf32>) -> tensor<1x4x4x6xf32>
// CHECK-NEXT: qnn.avg_pool %[[S]]
func.func @shuffle(%x: tensor<1x6x4x4xf32>) -> tensor<1x6x4x4xf32> {
  %0 = qnn.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x6x4x4xf32>) -> tensor<1x6x4x4xf32>
  %1 = qnn.reshape %0 : (tensor<1x6x4x4xf32>) -> tensor<1x2x3x4x4xf32>
  %2 = qnn.transpose %1 {permutation = array<i64: 0, 2, 1, 3, 4>} : (tensor<1x2x3x4x4xf32>) -> tensor<1x3x2x4x4xf32>
  %3 = qnn.reshape %2 : (tensor<1x3x2x4x4xf32>) -> tensor<1x6x4x4xf32>
  %4 = qnn.avg_pool %3 {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x6x4x4xf32>) -> tensor<1x6x4x4xf32>
  return %4 : tensor<1x6x4x4xf32>
}

// -----

// One and three spatial dimensions, and integer convolution.
// CHECK-LABEL: func @ranks
// CHECK: qnn.conv_transpose {{.*}} -> tensor<1x8x4xf32>
// CHECK: qnn.max_pool {{.*}} -> tensor<1x2x2x2x3xf32>
// CHECK: qnn.conv_integer {{.*}}layout = #qnn<layout nhwc>
func.func @ranks(%a: tensor<1x3x4xf32>, %w: tensor<3x4x2xf32>, %b: tensor<1x3x4x4x4xf32>, %c: tensor<1x3x4xui8>, %v: tensor<2x3x1xi8>) -> (tensor<1x4x8xf32>, tensor<1x3x2x2x2xf32>, tensor<1x2x4xi32>) {
  %0 = qnn.conv_transpose %a, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 1 : i64} : (tensor<1x3x4xf32>, tensor<3x4x2xf32>) -> tensor<1x4x8xf32>
  %1 = qnn.max_pool %b {kernel = array<i64: 2, 2, 2>, strides = array<i64: 2, 2, 2>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>} : (tensor<1x3x4x4x4xf32>) -> tensor<1x3x2x2x2xf32>
  %2 = qnn.conv_integer %c, %v {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x3x4xui8>, tensor<2x3x1xi8>) -> tensor<1x2x4xi32>
  return %0, %1, %2 : tensor<1x4x8xf32>, tensor<1x3x2x2x2xf32>, tensor<1x2x4xi32>
}
