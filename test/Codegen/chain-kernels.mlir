// Elementwise ops that no product precedes are one kernel, which rounds to 8 bits on
// the way where the model does.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | FileCheck %s

!s = !quant.uniform<u8:f32, 0.00390625>
!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @elementwise_0
// CHECK-SAME: memref<1x4x4x16xf32>{{.*}}memref<1x4x4x16xf32>{{.*}}memref<1x4x4x16xi8>
// CHECK-LABEL: func.func @main
// CHECK: call @elementwise_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x16xf32> {qnn.name = "x"}) -> (tensor<1x4x4x16x!y> {qnn.name = "y"}) {
  %a = "qnn.unary"(%x) {kind = #qnn<unary_kind sigmoid>} : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
  %q = qnn.quantize %a : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16x!s>
  %d = qnn.dequantize %q : (tensor<1x4x4x16x!s>) -> tensor<1x4x4x16xf32>
  %m = "qnn.binary"(%x, %d) {kind = #qnn<binary_kind mul>} : (tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
  %y = qnn.quantize %m : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16x!y>
  return %y : tensor<1x4x4x16x!y>
}

// -----

// A value that is used twice ends one chain; the next one reads it.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func private @elementwise_1
// CHECK-LABEL: func.func @main
// CHECK: call @elementwise_0
// CHECK: call @elementwise_1
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<8x32xf32> {qnn.name = "x"}, %b: tensor<32xf32> {qnn.name = "b"}) -> (tensor<8x32xf32> {qnn.name = "y"}) {
  %s = "qnn.binary"(%x, %b) {kind = #qnn<binary_kind add>} : (tensor<8x32xf32>, tensor<32xf32>) -> tensor<8x32xf32>
  %r = "qnn.unary"(%s) {kind = #qnn<unary_kind relu>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  %t = "qnn.unary"(%r) {kind = #qnn<unary_kind tanh>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  %y = "qnn.binary"(%t, %r) {kind = #qnn<binary_kind sub>} : (tensor<8x32xf32>, tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// One op alone keeps its own kernel.
// CHECK-LABEL: func.func @main
// CHECK-NOT: elementwise
// CHECK: return
func.func @main(%x: tensor<8x32xf32> {qnn.name = "x"}) -> (tensor<8x32xf32> {qnn.name = "y"}) {
  %y = "qnn.unary"(%x) {kind = #qnn<unary_kind tanh>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// A product quantizes its own result; the chain begins behind it.
!q = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @conv_0
// CHECK-SAME: memref<1x4x4x16xi8>
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-SAME: (%{{.*}}: memref<1x4x4x16xi8> {{.*}}memref<1x4x4x16xf32>
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK: call @elementwise_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x4x4x8xf32> {qnn.name = "x"}) -> (tensor<1x4x4x16xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<16x8x1x1xf32> as tensor<16x8x1x1xf32>
  %t = "qnn.conv"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8xf32>, tensor<16x8x1x1xf32>) -> tensor<1x4x4x16xf32>
  %q = qnn.quantize %t : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16x!q>
  %d = qnn.dequantize %q : (tensor<1x4x4x16x!q>) -> tensor<1x4x4x16xf32>
  %y = "qnn.unary"(%d) {kind = #qnn<unary_kind tanh>} : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
  return %y : tensor<1x4x4x16xf32>
}

// -----

// What is no link has its kernel in front of the chain.
// CHECK-LABEL: func.func @main
// CHECK: call @reduce_max_0
// CHECK: call @elementwise_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<8x32x3xf32> {qnn.name = "x"}) -> (tensor<8x32xf32> {qnn.name = "y"}) {
  %m = "qnn.reduce"(%x) {kind = #qnn<reduce_kind max>, axes = array<i64: 2>} : (tensor<8x32x3xf32>) -> tensor<8x32xf32>
  %r = "qnn.unary"(%m) {kind = #qnn<unary_kind relu>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  %y = "qnn.unary"(%r) {kind = #qnn<unary_kind tanh>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// A zero that rounding gives is positive, as an integer's is.
!q = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @elementwise_0
// CHECK: %[[R:.*]] = math.roundeven
// CHECK: %[[Z:.*]] = arith.addf %[[R]], %cst
// CHECK: arith.mulf %[[Z]]
func.func @main(%x: tensor<8x32xf32> {qnn.name = "x"}) -> (tensor<8x32xf32> {qnn.name = "y"}) {
  %q = qnn.quantize %x : (tensor<8x32xf32>) -> tensor<8x32x!q>
  %d = qnn.dequantize %q : (tensor<8x32x!q>) -> tensor<8x32xf32>
  %y = "qnn.unary"(%d) {kind = #qnn<unary_kind relu>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// Where quantized tensors are to be looked at, none is hidden.
!q = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func @main
// CHECK: call @quantize_0
// CHECK: call @elementwise_0
// CHECK-NOT: call
// CHECK: return
module attributes {qcc.keep_tensors} {
  func.func @main(%x: tensor<8x32xf32> {qnn.name = "x"}) -> (tensor<8x32xf32> {qnn.name = "y"}) {
    %q = qnn.quantize %x : (tensor<8x32xf32>) -> tensor<8x32x!q>
    %d = qnn.dequantize %q : (tensor<8x32x!q>) -> tensor<8x32xf32>
    %y = "qnn.unary"(%d) {kind = #qnn<unary_kind relu>} : (tensor<8x32xf32>) -> tensor<8x32xf32>
    return %y : tensor<8x32xf32>
  }
}

// -----

// A tensor of which one slice is concatenated again where it was is stored in
// the place of the concatenation, here behind a transposition; the rest of it
// is then overwritten.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func @main
// CHECK: call @elementwise_0({{.*}}) : (memref<2x6x20xf32>, memref<6x2x20xf32>, index, index)
// CHECK: call @slice_0({{.*}}) : (memref<6x2x20xf32>, memref<2x6x3xf32>, index, index)
// CHECK: call @neg_0
// CHECK: call @concat_0
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<2x6x20xf32> {qnn.name = "x"}) -> (tensor<6x2x20xf32> {qnn.name = "y"}) {
  %0 = qnn.unary neg %x : (tensor<2x6x20xf32>) -> tensor<2x6x20xf32>
  %s = qnn.unary sigmoid %0 : (tensor<2x6x20xf32>) -> tensor<2x6x20xf32>
  %a = qnn.slice %s {sizes = array<i64: 2, 6, 3>, starts = array<i64: 0, 0, 0>, steps = array<i64: 1, 1, 1>} : (tensor<2x6x20xf32>) -> tensor<2x6x3xf32>
  %b = qnn.slice %s {sizes = array<i64: 2, 6, 17>, starts = array<i64: 0, 0, 3>, steps = array<i64: 1, 1, 1>} : (tensor<2x6x20xf32>) -> tensor<2x6x17xf32>
  %n = qnn.unary neg %a : (tensor<2x6x3xf32>) -> tensor<2x6x3xf32>
  %c = qnn.concat %n, %b {axis = 2 : i64} : (tensor<2x6x3xf32>, tensor<2x6x17xf32>) -> tensor<2x6x20xf32>
  %y = qnn.transpose %c {permutation = array<i64: 1, 0, 2>} : (tensor<2x6x20xf32>) -> tensor<6x2x20xf32>
  return %y : tensor<6x2x20xf32>
}

// -----

// Unless it is still read afterwards.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func @main
// CHECK: call @elementwise_0({{.*}}) : (memref<2x6x20xf32>, memref<2x6x20xf32>, index, index)
// CHECK: call @concat_0
// CHECK: call @concat_1
// CHECK: call @slice_1
// CHECK: return
func.func @main(%x: tensor<2x6x20xf32> {qnn.name = "x"}) -> (tensor<2x6x20xf32> {qnn.name = "y"}, tensor<2x6x4xf32> {qnn.name = "z"}) {
  %0 = qnn.unary neg %x : (tensor<2x6x20xf32>) -> tensor<2x6x20xf32>
  %s = qnn.unary sigmoid %0 : (tensor<2x6x20xf32>) -> tensor<2x6x20xf32>
  %a = qnn.slice %s {sizes = array<i64: 2, 6, 3>, starts = array<i64: 0, 0, 0>, steps = array<i64: 1, 1, 1>} : (tensor<2x6x20xf32>) -> tensor<2x6x3xf32>
  %b = qnn.slice %s {sizes = array<i64: 2, 6, 17>, starts = array<i64: 0, 0, 3>, steps = array<i64: 1, 1, 1>} : (tensor<2x6x20xf32>) -> tensor<2x6x17xf32>
  %n = qnn.unary neg %a : (tensor<2x6x3xf32>) -> tensor<2x6x3xf32>
  %y = qnn.concat %n, %b {axis = 2 : i64} : (tensor<2x6x3xf32>, tensor<2x6x17xf32>) -> tensor<2x6x20xf32>
  %z = qnn.slice %s {sizes = array<i64: 2, 6, 4>, starts = array<i64: 0, 0, 1>, steps = array<i64: 1, 1, 1>} : (tensor<2x6x20xf32>) -> tensor<2x6x4xf32>
  return %y, %z : tensor<2x6x20xf32>, tensor<2x6x4xf32>
}
