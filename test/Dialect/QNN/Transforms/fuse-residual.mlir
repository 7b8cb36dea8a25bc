// RUN: qcc-opt %s -qnn-fuse-residual -split-input-file | FileCheck %s

// CHECK-LABEL: func @conv
// CHECK: %[[S:.*]] = qnn.unary sigmoid
// CHECK-NEXT: %[[Y:.*]] = qnn.conv %arg0, %arg1 residual %[[S]] {activation = #qnn.act<relu
// CHECK-NEXT: return %[[Y]]
func.func @conv(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) -> tensor<1x2x4xf32> {
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  // The residual comes after the convolution.
  %1 = qnn.unary sigmoid %x : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qnn.binary add %1, %0 {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %2 : tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: func @matmul
// CHECK: %[[Y:.*]] = qnn.matmul %arg0, %arg1, %arg2 residual %arg0 {activation = #qnn.act<tanh
// CHECK-NEXT: return %[[Y]]
func.func @matmul(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>, %b: tensor<2xf32>) -> tensor<2x2xf32> {
  %0 = qnn.matmul %x, %w, %b : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qnn.binary add %0, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.unary tanh %1 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// -----

// Of two products, the later one.
// CHECK-LABEL: func @both
// CHECK: %[[A:.*]] = qnn.matmul %arg0, %arg0 :
// CHECK-NEXT: %[[B:.*]] = qnn.matmul %arg1, %arg1 residual %[[A]]
// CHECK-NEXT: return %[[B]]
func.func @both(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.matmul %y, %y : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.binary add %1, %0 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// -----

// An activation in between, another user, a product added to itself, a
// broadcast, a constant.
// CHECK-LABEL: func @stays
// CHECK-NOT: residual
func.func @stays(%x: tensor<2x2xf32>, %y: tensor<2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = qnn.matmul %x, %x {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.binary add %0, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.binary add %2, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %4 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = qnn.binary add %4, %4 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %6 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %7 = qnn.binary add %6, %y : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %c = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %8 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %9 = qnn.binary add %8, %c : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1, %2, %3, %5, %7, %9 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>

// The product is rounded to 8 bits before the addition.
// CHECK-LABEL: func @quantized
// CHECK: qnn.binary add
func.func @quantized(%x: tensor<2x2x!q>) -> tensor<2x2x!q> {
  %0 = qnn.matmul %x, %x : (tensor<2x2x!q>, tensor<2x2x!q>) -> tensor<2x2x!q>
  %1 = qnn.binary add %0, %x : (tensor<2x2x!q>, tensor<2x2x!q>) -> tensor<2x2x!q>
  return %1 : tensor<2x2x!q>
}

// -----

// No depthwise kernel adds a residual.
// CHECK-LABEL: func @depthwise
// CHECK: %[[P:.*]] = qnn.conv
// CHECK-NOT: residual
// CHECK: qnn.binary add %[[P]]
func.func @depthwise(%x: tensor<1x4x3xf32>, %w: tensor<4x1x1xf32>) -> tensor<1x4x3xf32> {
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 4 : i64} : (tensor<1x4x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3xf32>
  %1 = qnn.binary add %0, %x : (tensor<1x4x3xf32>, tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %1 : tensor<1x4x3xf32>
}
