// Where columns are a stride apart, channels that end between cache lines are
// cut into vectors, unless the slab of all of them is small; groups of rows
// inside the image are interleaved without masks for padding.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// Two slices, the last with what is left, of seven groups of four rows.
// CHECK-LABEL: func.func private @depthwise_i8_0
// CHECK: scf.if
// CHECK: vector.store
// CHECK-NOT: arith.andi {{.*}} : vector
// CHECK: } else {
// CHECK: arith.andi {{.*}} : vector<64xi8>
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:c14[_0-9]*]] = arith.constant 14 : index
// CHECK: call @depthwise_i8_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x56x56x144x!x> {qnn.name = "x"}) -> (tensor<1x28x28x144x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<144x1x5x5xi8> as tensor<144x1x5x5x!w>
  %y = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, group = 144 : i64, layout = #qnn<layout nhwc>} : (tensor<1x56x56x144x!x>, tensor<144x1x5x5x!w>) -> tensor<1x28x28x144x!y>
  return %y : tensor<1x28x28x144x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// All channels at once, 19 groups of three rows.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:c19[_0-9]*]] = arith.constant 19 : index
// CHECK: call @depthwise_i8_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x112x112x96x!x> {qnn.name = "x"}) -> (tensor<1x56x56x96x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<96x1x3x3xi8> as tensor<96x1x3x3x!w>
  %y = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 96 : i64, layout = #qnn<layout nhwc>} : (tensor<1x112x112x96x!x>, tensor<96x1x3x3x!w>) -> tensor<1x56x56x96x!y>
  return %y : tensor<1x56x56x96x!y>
}
