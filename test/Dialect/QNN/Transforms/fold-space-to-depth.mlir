// RUN: qcc-opt %s -qnn-fold-space-to-depth -split-input-file | FileCheck %s

// The columns of a block in reverse order, the odd ones by way of two slices.
// CHECK-LABEL: func @row
// CHECK: %[[W:.*]] = qnn.constant dense<{{\[\[\[}}6.000000e+00, 1.000000e+00, 7.000000e+00, 2.000000e+00], [8.000000e+00, 3.000000e+00, 9.000000e+00, 4.000000e+00{{\]\]\]}}>
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %[[W]] {{.*}}pads = array<i64: 2, 0>, strides = array<i64: 4>
// CHECK-NEXT: return %[[Y]]
func.func @row(%x: tensor<1x2x12xf32>) -> tensor<1x1x3xf32> {
  %w = qnn.constant dense<[[[1.0, 2.0], [3.0, 4.0], [6.0, 7.0], [8.0, 9.0]]]> : tensor<1x4x2xf32> as tensor<1x4x2xf32>
  %0 = qnn.slice %x {starts = array<i64: 0, 0, 1>, sizes = array<i64: 1, 2, 11>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x12xf32>) -> tensor<1x2x11xf32>
  %1 = qnn.slice %0 {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 2, 6>, steps = array<i64: 1, 1, 2>} : (tensor<1x2x11xf32>) -> tensor<1x2x6xf32>
  %2 = qnn.slice %x {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 2, 6>, steps = array<i64: 1, 1, 2>} : (tensor<1x2x12xf32>) -> tensor<1x2x6xf32>
  %3 = qnn.concat %1, %2 {axis = 1 : i64} : (tensor<1x2x6xf32>, tensor<1x2x6xf32>) -> tensor<1x4x6xf32>
  %4 = qnn.conv %3, %w {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 1, 0>, group = 1 : i64} : (tensor<1x4x6xf32>, tensor<1x4x2xf32>) -> tensor<1x1x3xf32>
  return %4 : tensor<1x1x3xf32>
}

// -----

!x = !quant.uniform<u8:f32, 5.000000e-01:7>
!w = !quant.uniform<i8:f32:0, {1.000000e+00, 2.000000e+00}>
!y = !quant.uniform<u8:f32, 2.500000e-01:3>

// Blocks of 1x2 of a quantized image, channels-last.
// CHECK-LABEL: func @image
// CHECK: %[[W:.*]] = qnn.constant dense<{{\[\[\[\[}}1, 2{{\]\]\]}}, {{\[\[\[}}3, 4{{\]\]\]\]}}> : tensor<2x1x1x2xi8> as tensor<2x1x1x2x!
// CHECK: qnn.conv %arg0, %[[W]] {{.*}}strides = array<i64: 1, 2>
// CHECK-SAME: (tensor<1x2x4x1x{{.*}}, tensor<2x1x1x2x{{.*}}) -> tensor<1x2x2x2x
func.func @image(%x: tensor<1x2x4x1x!x>) -> tensor<1x2x2x2x!y> {
  %w = qnn.constant dense<[[[[1]], [[2]]], [[[3]], [[4]]]]> : tensor<2x2x1x1xi8> as tensor<2x2x1x1x!w>
  %0 = qnn.slice %x {starts = array<i64: 0, 0, 0, 0>, sizes = array<i64: 1, 2, 2, 1>, steps = array<i64: 1, 1, 2, 1>} : (tensor<1x2x4x1x!x>) -> tensor<1x2x2x1x!x>
  %1 = qnn.slice %x {starts = array<i64: 0, 0, 1, 0>, sizes = array<i64: 1, 2, 2, 1>, steps = array<i64: 1, 1, 2, 1>} : (tensor<1x2x4x1x!x>) -> tensor<1x2x2x1x!x>
  %2 = qnn.concat %0, %1 {axis = 3 : i64} : (tensor<1x2x2x1x!x>, tensor<1x2x2x1x!x>) -> tensor<1x2x2x2x!x>
  %3 = qnn.conv %2, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x2x2x2x!x>, tensor<2x2x1x1x!w>) -> tensor<1x2x2x2x!y>
  return %3 : tensor<1x2x2x2x!y>
}

// -----

// A place twice; an odd number of columns, of which the last is left out; a
// concatenation that something else uses.
// CHECK-LABEL: func @stays
// CHECK-COUNT-3: qnn.concat
func.func @stays(%x: tensor<1x1x4xf32>, %odd: tensor<1x1x5xf32>) -> (tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x2x2xf32>) {
  %w = qnn.constant dense<1.0> : tensor<1x2x1xf32> as tensor<1x2x1xf32>
  %0 = qnn.slice %x {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 1, 2>, steps = array<i64: 1, 1, 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %1 = qnn.slice %x {starts = array<i64: 0, 0, 1>, sizes = array<i64: 1, 1, 2>, steps = array<i64: 1, 1, 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %2 = qnn.concat %0, %0 {axis = 1 : i64} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x2x2xf32>
  %3 = qnn.conv %2, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x1x2xf32>
  %4 = qnn.slice %odd {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 1, 2>, steps = array<i64: 1, 1, 2>} : (tensor<1x1x5xf32>) -> tensor<1x1x2xf32>
  %5 = qnn.slice %odd {starts = array<i64: 0, 0, 1>, sizes = array<i64: 1, 1, 2>, steps = array<i64: 1, 1, 2>} : (tensor<1x1x5xf32>) -> tensor<1x1x2xf32>
  %6 = qnn.concat %4, %5 {axis = 1 : i64} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x2x2xf32>
  %7 = qnn.conv %6, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x1x2xf32>
  %8 = qnn.concat %0, %1 {axis = 1 : i64} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x2x2xf32>
  %9 = qnn.conv %8, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x1x2xf32>
  return %3, %7, %9, %8 : tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x2x2xf32>
}
