// Products whose results are only concatenated along the channels store them
// there: the calls of @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|view|call @|return' | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// Behind a table and with a residual, too; what is added is stored by itself.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[PART:.+]] = memref.view {{.*}} : memref<768xi8> to memref<1x4x4x16xi8>
// CHECK-NEXT: memref.reinterpret_cast %[[PART]] to offset: [0], sizes: [736], strides: [1]
// CHECK-NEXT: call @conv_0({{.*}}memref<736xi8>
// CHECK-NEXT: memref.view
// CHECK-NEXT: memref.reinterpret_cast
// CHECK-NEXT: call @conv_1({{.*}}memref<736xi8>
// CHECK-NEXT: memref.view
// CHECK-NEXT: memref.reinterpret_cast
// CHECK-NEXT: call @conv_2({{.*}}memref<736xi8>
// CHECK-NEXT: call @lut
// CHECK-NEXT: return
func.func @main(%x: tensor<1x4x4x8x!x> {qnn.name = "x"}, %a: tensor<1x4x4x16x!y> {qnn.name = "a"}) -> (tensor<1x4x4x48x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<16x8x1x1xi8> as tensor<16x8x1x1x!w>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %u = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %l = qnn.lut %u {table = dense<7> : tensor<256xui8>} : (tensor<1x4x4x16x!y>) -> tensor<1x4x4x16x!y>
  %v = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8x!x>, tensor<16x8x1x1x!w>) -> tensor<1x4x4x16x!y>
  %s = qnn.binary add %v, %a : (tensor<1x4x4x16x!y>, tensor<1x4x4x16x!y>) -> tensor<1x4x4x16x!y>
  %c = qnn.concat %t, %l, %s {axis = 3 : i64} : (tensor<1x4x4x16x!y>, tensor<1x4x4x16x!y>, tensor<1x4x4x16x!y>) -> tensor<1x4x4x48x!y>
  %y = qnn.lut %c {table = dense<9> : tensor<256xui8>} : (tensor<1x4x4x48x!y>) -> tensor<1x4x4x48x!y>
  return %y : tensor<1x4x4x48x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// What is used elsewhere is copied, as is what is not concatenated along the
// channels.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @matmul_0({{.*}}memref<4x16xi8>
// CHECK-NEXT: memref.view
// CHECK-NEXT: memref.reinterpret_cast
// CHECK-NEXT: call @matmul_1({{.*}}memref<112xi8>
// CHECK-NEXT: call @concat_0
// CHECK-NEXT: call @matmul_2({{.*}}memref<2x4x16xi8>
// CHECK-NEXT: call @matmul_2({{.*}}memref<2x4x16xi8>
// CHECK-NEXT: call @concat_1
// CHECK-NEXT: call @concat_2
// CHECK-NEXT: return
func.func @main(%x: tensor<4x8x!x> {qnn.name = "x"}, %v: tensor<2x4x8x!x> {qnn.name = "v"})
    -> (tensor<4x16x!y> {qnn.name = "t"}, tensor<4x32x!y> {qnn.name = "y"}, tensor<2x8x16x!y> {qnn.name = "c"}) {
  %w = qnn.constant dense<1> : tensor<8x16xi8> as tensor<8x16x!w>
  %t = qnn.matmul %x, %w : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %u = qnn.matmul %x, %w : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %y = qnn.concat %t, %u {axis = 1 : i64} : (tensor<4x16x!y>, tensor<4x16x!y>) -> tensor<4x32x!y>
  %m = qnn.matmul %v, %w : (tensor<2x4x8x!x>, tensor<8x16x!w>) -> tensor<2x4x16x!y>
  %n = qnn.matmul %v, %w : (tensor<2x4x8x!x>, tensor<8x16x!w>) -> tensor<2x4x16x!y>
  %c = qnn.concat %m, %n {axis = 1 : i64} : (tensor<2x4x16x!y>, tensor<2x4x16x!y>) -> tensor<2x8x16x!y>
  return %t, %y, %c : tensor<4x16x!y>, tensor<4x32x!y>, tensor<2x8x16x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// Tensors that are to be kept have buffers of their own.
// CHECK: func.func @main
// CHECK-NEXT: call @matmul_0({{.*}}memref<4x16xi8>
// CHECK-NEXT: call @add_0
// CHECK-NEXT: call @concat_0
// CHECK-NEXT: call @concat_1
// CHECK-NEXT: return
module attributes {qcc.keep_tensors} {
  func.func @main(%x: tensor<4x8x!x> {qnn.name = "x"}, %a: tensor<4x16x!y> {qnn.name = "a"}) -> (tensor<4x32x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<8x16xi8> as tensor<8x16x!w>
  %t = qnn.matmul %x, %w : (tensor<4x8x!x>, tensor<8x16x!w>) -> tensor<4x16x!y>
  %s = qnn.binary add %t, %a : (tensor<4x16x!y>, tensor<4x16x!y>) -> tensor<4x16x!y>
  %y = qnn.concat %s, %a {axis = 1 : i64} : (tensor<4x16x!y>, tensor<4x16x!y>) -> tensor<4x32x!y>
  return %y : tensor<4x32x!y>
  }
}
