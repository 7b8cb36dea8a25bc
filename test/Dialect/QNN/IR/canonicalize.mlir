// RUN: qcc-opt %s -canonicalize -split-input-file | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:3>
!u = !quant.uniform<u8:f32, 5.000000e-01:128>

// CHECK-LABEL: func @conversions
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Q:.*]]: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:3>>)
// CHECK: return %[[X]], %[[Q]], %[[Q]]
func.func @conversions(%x: tensor<4xf32>, %q: tensor<4x!q>) -> (tensor<4xf32>, tensor<4x!q>, tensor<4x!q>) {
  %0 = qnn.cast %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = qnn.requantize %q : (tensor<4x!q>) -> tensor<4x!q>
  %2 = qnn.storage_cast %q : (tensor<4x!q>) -> tensor<4xi8>
  %3 = qnn.storage_cast %2 : (tensor<4xi8>) -> tensor<4x!q>
  return %0, %1, %3 : tensor<4xf32>, tensor<4x!q>, tensor<4x!q>
}

// A quantize may clamp and round: the pairs stay, in both orders.
// CHECK-LABEL: func @pairs_stay
// CHECK: qnn.quantize
// CHECK-NEXT: qnn.dequantize
// CHECK-NEXT: qnn.requantize
// CHECK-NEXT: qnn.requantize
// CHECK-NEXT: return
func.func @pairs_stay(%x: tensor<4xf32>, %q: tensor<4x!q>) -> (tensor<4xf32>, tensor<4x!q>) {
  %0 = qnn.quantize %x : (tensor<4xf32>) -> tensor<4x!q>
  %1 = qnn.dequantize %0 : (tensor<4x!q>) -> tensor<4xf32>
  %2 = qnn.requantize %q : (tensor<4x!q>) -> tensor<4x!u>
  %3 = qnn.requantize %2 : (tensor<4x!u>) -> tensor<4x!q>
  return %1, %3 : tensor<4xf32>, tensor<4x!q>
}

// CHECK-LABEL: func @arithmetic
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @arithmetic(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %zero = qnn.constant dense<0.0> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<3xf32> as tensor<3xf32>
  %0 = qnn.binary add %zero, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = qnn.binary mul %x, %one : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %2 = qnn.binary sub %x, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qnn.binary div %x, %one : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %4 = qnn.unary identity %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3, %4 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func @arithmetic_stays
// The result is larger than the operand:
// CHECK: qnn.binary add %{{.*}}, %{{.*}} : (tensor<3xf32>, tensor<2x3xf32>)
// The activation is not the identity:
// CHECK: qnn.binary mul
// 0 - x is not x:
// CHECK: qnn.binary sub
// CHECK: return
func.func @arithmetic_stays(%x: tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %zeros = qnn.constant dense<0.0> : tensor<2x3xf32> as tensor<2x3xf32>
  %zero = qnn.constant dense<0.0> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary add %x, %zeros : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = qnn.binary mul %x, %one {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %2 = qnn.binary sub %zero, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func @constants_to_the_right
// CHECK: %[[C:.*]] = qnn.constant
// CHECK: qnn.binary mul %arg0, %[[C]]
// CHECK: qnn.binary sub %[[C]], %arg0
func.func @constants_to_the_right(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %c = qnn.constant dense<2.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary mul %c, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %1 = qnn.binary sub %c, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return %0, %1 : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func @unary
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>, %[[B:.*]]: tensor<3xi1>)
// CHECK: %[[R:.*]] = qnn.unary relu %[[X]]
// CHECK: return %[[R]], %[[B]]
func.func @unary(%x: tensor<3xf32>, %b: tensor<3xi1>) -> (tensor<3xf32>, tensor<3xi1>) {
  %0 = qnn.unary relu %x : (tensor<3xf32>) -> tensor<3xf32>
  %1 = qnn.unary relu %0 : (tensor<3xf32>) -> tensor<3xf32>
  %2 = qnn.unary not %b : (tensor<3xi1>) -> tensor<3xi1>
  %3 = qnn.unary not %2 : (tensor<3xi1>) -> tensor<3xi1>
  return %1, %3 : tensor<3xf32>, tensor<3xi1>
}

// CHECK-LABEL: func @select
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>, %[[Y:.*]]: tensor<3xf32>, %[[C:.*]]: tensor<3xi1>)
// CHECK: return %[[X]], %[[Y]], %[[X]]
func.func @select(%x: tensor<3xf32>, %y: tensor<3xf32>, %c: tensor<3xi1>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %t = qnn.constant dense<true> : tensor<i1> as tensor<i1>
  %f = qnn.constant dense<false> : tensor<3xi1> as tensor<3xi1>
  %0 = qnn.select %t, %x, %y : (tensor<i1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %1 = qnn.select %f, %x, %y : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %2 = qnn.select %c, %x, %x : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func @movement
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>, %[[E:.*]]: tensor<0x3xf32>)
// CHECK: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @movement(%x: tensor<2x3xf32>, %e: tensor<0x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = qnn.reshape %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = qnn.transpose %x {permutation = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = qnn.concat %x, %e {axis = 0 : i64} : (tensor<2x3xf32>, tensor<0x3xf32>) -> tensor<2x3xf32>
  %3 = qnn.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 2, 3>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = qnn.pad %x {pads = array<i64: 0, 0, 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = qnn.expand %x {shape = array<i64: 2, 3>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %6 = qnn.reduce sum %x {axes = array<i64>, keepdims} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func @reversal_stays
// CHECK: qnn.slice
func.func @reversal_stays(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = qnn.slice %x {starts = array<i64: 2>, sizes = array<i64: 3>, steps = array<i64: -1>} : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// CHECK-LABEL: func @chains
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK: %[[R:.*]] = qnn.reshape %[[X]] : (tensor<2x3x4xf32>) -> tensor<4x6xf32>
// CHECK: %[[T:.*]] = qnn.transpose %[[X]] {permutation = array<i64: 1, 2, 0>}
// CHECK: return %[[R]], %[[T]], %[[X]]
func.func @chains(%x: tensor<2x3x4xf32>) -> (tensor<4x6xf32>, tensor<3x4x2xf32>, tensor<2x3x4xf32>) {
  %0 = qnn.reshape %x : (tensor<2x3x4xf32>) -> tensor<24xf32>
  %1 = qnn.reshape %0 : (tensor<24xf32>) -> tensor<4x6xf32>
  %2 = qnn.transpose %x {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %3 = qnn.transpose %2 {permutation = array<i64: 2, 0, 1>} : (tensor<4x2x3xf32>) -> tensor<3x4x2xf32>
  %4 = qnn.transpose %3 {permutation = array<i64: 2, 0, 1>} : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %1, %3, %4 : tensor<4x6xf32>, tensor<3x4x2xf32>, tensor<2x3x4xf32>
}

// CHECK-LABEL: func @unit_transpose
// CHECK: qnn.reshape %{{.*}} : (tensor<1x8x1x4xf32>) -> tensor<8x1x4x1xf32>
// CHECK-NOT: qnn.transpose
func.func @unit_transpose(%x: tensor<1x8x1x4xf32>) -> tensor<8x1x4x1xf32> {
  %0 = qnn.transpose %x {permutation = array<i64: 1, 0, 3, 2>} : (tensor<1x8x1x4xf32>) -> tensor<8x1x4x1xf32>
  return %0 : tensor<8x1x4x1xf32>
}

// CHECK-LABEL: func @divide
// CHECK-DAG: %[[EIGHTH:.*]] = qnn.constant dense<1.250000e-01> : tensor<f32>
// CHECK-DAG: %[[THREE:.*]] = qnn.constant dense<3.000000e+00> : tensor<f32>
// CHECK: qnn.binary mul %arg0, %[[EIGHTH]]
// CHECK: qnn.binary div %arg0, %[[THREE]]
func.func @divide(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %8 = qnn.constant dense<8.0> : tensor<f32> as tensor<f32>
  %3 = qnn.constant dense<3.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary div %x, %8 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qnn.binary div %x, %3 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
