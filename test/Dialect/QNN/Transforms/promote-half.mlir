// RUN: qcc-opt %s -split-input-file -qnn-promote-half | FileCheck %s

// Inputs and outputs keep their types; between them all is float32.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<1x4xf16>) -> tensor<1x2xf16>
// CHECK-DAG: %[[WIDE:.*]] = qnn.cast %[[X]] : (tensor<1x4xf16>) -> tensor<1x4xf32>
// CHECK-DAG: %[[W16:.*]] = qnn.constant {{.*}} tensor<4x2xf16>
// CHECK-DAG: %[[W:.*]] = qnn.cast %[[W16]] : (tensor<4x2xf16>) -> tensor<4x2xf32>
// CHECK: %[[Y:.*]] = qnn.matmul %[[WIDE]], %[[W]] : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
// CHECK: %[[R:.*]] = qnn.unary relu %[[Y]] : (tensor<1x2xf32>) -> tensor<1x2xf32>
// CHECK: %[[OUT:.*]] = qnn.cast %[[R]] : (tensor<1x2xf32>) -> tensor<1x2xf16>
// CHECK: return %[[OUT]]
func.func @main(%x: tensor<1x4xf16>) -> tensor<1x2xf16> {
  %w = qnn.constant dense<1.5> : tensor<4x2xf16> as tensor<4x2xf16>
  %y = qnn.matmul %x, %w : (tensor<1x4xf16>, tensor<4x2xf16>) -> tensor<1x2xf16>
  %r = qnn.unary relu %y : (tensor<1x2xf16>) -> tensor<1x2xf16>
  return %r : tensor<1x2xf16>
}

// -----

// A conversion to 16 bits rounds, as the model says; one back is nothing more.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK: %[[B:.*]] = qnn.cast %[[X]] : (tensor<4xf32>) -> tensor<4xbf16>
// CHECK: %[[F:.*]] = qnn.cast %[[B]] : (tensor<4xbf16>) -> tensor<4xf32>
// CHECK-NOT: qnn.cast
// CHECK: qnn.unary exp %[[F]] : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NOT: qnn.cast
// CHECK: return
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %b = qnn.cast %x : (tensor<4xf32>) -> tensor<4xbf16>
  %e = qnn.unary exp %b : (tensor<4xbf16>) -> tensor<4xbf16>
  %f = qnn.cast %e : (tensor<4xbf16>) -> tensor<4xf32>
  return %f : tensor<4xf32>
}
