// A quantization behind a float product is computed in its epilogue, unless others
// use the product's own result.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | FileCheck %s

!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @conv_0
// CHECK-SAME: memref<1x4x4x16xi8>
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x8xf32> {qnn.name = "x"}) -> (tensor<1x4x4x16x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<16x8x1x1xf32> as tensor<16x8x1x1xf32>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8xf32>, tensor<16x8x1x1xf32>) -> tensor<1x4x4x16xf32>
  %y = qnn.quantize %t : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16x!y>
  return %y : tensor<1x4x4x16x!y>
}

// -----

// Of two that differ in the scale alone, each has a kernel.
!y = !quant.uniform<u8:f32, 0.1:128>
!z = !quant.uniform<u8:f32, 0.2:128>

// CHECK-LABEL: func.func private @matmul_0
// CHECK-LABEL: func.func private @matmul_1
// CHECK-LABEL: func.func @main
// CHECK: call @matmul_0
// CHECK: call @matmul_1
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<4x8xf32> {qnn.name = "x"})
    -> (tensor<4x16x!y> {qnn.name = "y"}, tensor<4x16x!z> {qnn.name = "z"}) {
  %w = qnn.constant dense<1.0> : tensor<8x16xf32> as tensor<8x16xf32>
  %t = "qnn.matmul"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  %u = "qnn.matmul"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  %y = qnn.quantize %t : (tensor<4x16xf32>) -> tensor<4x16x!y>
  %z = qnn.quantize %u : (tensor<4x16xf32>) -> tensor<4x16x!z>
  return %y, %z : tensor<4x16x!y>, tensor<4x16x!z>
}

// -----

// Depthwise, of many channels and of few.
!y = !quant.uniform<i8:f32, 0.1:-3>

// CHECK: func.func private @depthwise_f32_0
// CHECK-SAME: i8
// CHECK: func.func private @depthwise_f32_1
// CHECK-SAME: i8
// CHECK-LABEL: func.func @main
// CHECK: call @depthwise_f32_0
// CHECK: call @depthwise_f32_1
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x32xf32> {qnn.name = "x"}, %v: tensor<1x4x4x3xf32> {qnn.name = "v"})
    -> (tensor<1x4x4x32x!y> {qnn.name = "y"}, tensor<1x4x4x3x!y> {qnn.name = "z"}) {
  %w = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %u = qnn.constant dense<1.0> : tensor<3x1x3x3xf32> as tensor<3x1x3x3xf32>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x4x4x32xf32>
  %s = "qnn.conv"(%v, %u) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 3 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x3xf32>, tensor<3x1x3x3xf32>) -> tensor<1x4x4x3xf32>
  %y = qnn.quantize %t : (tensor<1x4x4x32xf32>) -> tensor<1x4x4x32x!y>
  %z = qnn.quantize %s : (tensor<1x4x4x3xf32>) -> tensor<1x4x4x3x!y>
  return %y, %z : tensor<1x4x4x32x!y>, tensor<1x4x4x3x!y>
}

// -----

!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @conv_0
// CHECK-LABEL: func.func private @quantize
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK: call @quantize
// CHECK: return
func.func @main(%x: tensor<1x4x4x8xf32> {qnn.name = "x"})
    -> (tensor<1x4x4x16xf32> {qnn.name = "t"}, tensor<1x4x4x16x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<16x8x1x1xf32> as tensor<16x8x1x1xf32>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8xf32>, tensor<16x8x1x1xf32>) -> tensor<1x4x4x16xf32>
  %y = qnn.quantize %t : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16x!y>
  return %t, %y : tensor<1x4x4x16xf32>, tensor<1x4x4x16x!y>
}

// -----

// An 8-bit depthwise convolution whose result is float: no grouped product.
!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>

// CHECK-LABEL: func.func private @depthwise_i8_0
// CHECK-SAME: memref<1x4x4x32xf32>
// CHECK-LABEL: func.func @main
// CHECK: call @depthwise_i8_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x32x!x> {qnn.name = "x"}) -> (tensor<1x4x4x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<32x1x3x3xi8> as tensor<32x1x3x3x!w>
  %b = qnn.constant dense<0.5> : tensor<32xf32> as tensor<32xf32>
  %y = "qnn.conv"(%x, %w, %b) {operandSegmentSizes = array<i32: 1, 1, 1, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x32x!x>, tensor<32x1x3x3x!w>, tensor<32xf32>) -> tensor<1x4x4x32xf32>
  return %y : tensor<1x4x4x32xf32>
}
