// Transposed convolutions as ordinary ones of their phases: the calls of @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=dotprod})' | FileCheck %s --check-prefix=ARM
// ARM-COUNT-2: func.func private @transposed_conv
// ARM: func.func @main

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// Four phases that read different windows (fewer channels would share a window
// that is wider), and one kernel of four products
// without a window, two of which are columns.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-4: call @transposed_conv_{{[0-3]}}({{.*}} {qcc.integer_macs, qcc.macs = 131072 : i64}
// CHECK-NOT: call
// CHECK: call @transposed_conv_4({{.*}} {qcc.integer_macs, qcc.macs = 131072 : i64} : {{.*}}, memref<2048xi8>
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x8x8x16x!x> {qnn.name = "x"}) -> (tensor<1x16x16x32x!y> {qnn.name = "y"}, tensor<1x16x16x32x!y> {qnn.name = "z"}) {
  %w = qnn.constant dense<1> : tensor<16x32x4x4xi8> as tensor<16x32x4x4x!w>
  %y = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, output_padding = array<i64: 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x16x!x>, tensor<16x32x4x4x!w>) -> tensor<1x16x16x32x!y>
  %v = qnn.constant dense<1> : tensor<16x32x2x2xi8> as tensor<16x32x2x2x!w>
  %z = "qnn.conv_transpose"(%x, %v) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x16x!x>, tensor<16x32x2x2x!w>) -> tensor<1x16x16x32x!y>
  return %y, %z : tensor<1x16x16x32x!y>, tensor<1x16x16x32x!y>
}

// -----

// Phases of one dimension with the same inputs are columns: of kernel 16 and
// stride 8 with pad 4, the first four and the last four. In a concatenation
// they are filters, whose results are not next to each other.
// CHECK-DAG: func.func private @transposed_conv_0{{.*}} qcc.tile = {{{.*}}shape = "matrix f32 1x1x20x32-1x20x64 k1x2 {{.*}} p0,1 g1"
// CHECK-DAG: func.func private @transposed_conv_1{{.*}} qcc.tile = {{{.*}}shape = "matrix f32 1x1x20x32-1x20x64 k1x2 {{.*}} p0,0 g1"
// CHECK-DAG: func.func private @transposed_conv_2{{.*}} qcc.tile = {{{.*}}shape = "matrix f32 1x1x20x32-1x20x16 k1x2 {{.*}} p0,1 g1 phases 4"
// CHECK-DAG: func.func private @transposed_conv_3{{.*}} qcc.tile = {{{.*}}shape = "matrix f32 1x1x20x32-1x20x16 k1x2 {{.*}} p0,0 g1 phases 4"
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x20x32xf32> {qnn.name = "x"}, %a: tensor<1x160x4xf32> {qnn.name = "a"}) -> (tensor<1x160x16xf32> {qnn.name = "y"}, tensor<1x160x20xf32> {qnn.name = "z"}) {
  %w = qnn.constant dense<1.0> : tensor<32x16x16xf32> as tensor<32x16x16xf32>
  %y = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 8>, dilations = array<i64: 1>, pads = array<i64: 4, 4>, output_padding = array<i64: 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x20x32xf32>, tensor<32x16x16xf32>) -> tensor<1x160x16xf32>
  %t = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 8>, dilations = array<i64: 1>, pads = array<i64: 4, 4>, output_padding = array<i64: 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x20x32xf32>, tensor<32x16x16xf32>) -> tensor<1x160x16xf32>
  %z = qnn.concat %t, %a {axis = 2 : i64} : (tensor<1x160x16xf32>, tensor<1x160x4xf32>) -> tensor<1x160x20xf32>
  return %y, %z : tensor<1x160x16xf32>, tensor<1x160x20xf32>
}

// -----

// Depthwise ones have depthwise kernels (the reference kernel for small filters): one
// of a line, whose input is spread.
// CHECK-LABEL: func.func @main
// CHECK: call @depthwise_f32_0({{.*}} {qcc.macs = 12800 : i64}
// CHECK-NOT: call
// CHECK: return
func.func @main(%x: tensor<1x20x32xf32> {qnn.name = "x"}) -> (tensor<1x40x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<32x1x20xf32> as tensor<32x1x20xf32>
  %y = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 9, 9>, output_padding = array<i64: 0>, group = 32 : i64, layout = #qnn<layout nhwc>} : (tensor<1x20x32xf32>, tensor<32x1x20xf32>) -> tensor<1x40x32xf32>
  return %y : tensor<1x40x32xf32>
}

// -----

// Images have one of each phase of the lines, each with its taps of the filter.
// CHECK-LABEL: func.func @main
// CHECK-DAG: call @depthwise_i8_0({{.*}} {qcc.integer_macs, qcc.macs = [[MACS:[0-9]+]] : i64}
// CHECK-DAG: call @depthwise_i8_1({{.*}} {qcc.integer_macs, qcc.macs = [[MACS]] : i64}
// CHECK-NOT: call
// CHECK: return
!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>
func.func @main(%x: tensor<1x8x8x64x!x> {qnn.name = "x"}) -> (tensor<1x16x16x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x1x4x4xi8> as tensor<64x1x4x4x!w>
  %y = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, output_padding = array<i64: 0, 0>, group = 64 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x64x!x>, tensor<64x1x4x4x!w>) -> tensor<1x16x16x64x!y>
  return %y : tensor<1x16x16x64x!y>
}

// -----

// Those whose phases are hardly joined (25 parts), and those most of whose
// phases have no tap, have the reference kernel.
// CHECK-LABEL: func.func @main
// CHECK-NOT: call @transposed_conv
// CHECK: call @conv_transpose_0
// CHECK: call @conv_transpose_1
func.func @main(%x: tensor<1x8x8x32xf32> {qnn.name = "x"}) -> (tensor<1x69x69x16xf32> {qnn.name = "y"}, tensor<1x57x57x16xf32> {qnn.name = "z"}) {
  %w = qnn.constant dense<1.0> : tensor<32x16x5x5xf32> as tensor<32x16x5x5xf32>
  %y = "qnn.conv_transpose"(%x, %w) {strides = array<i64: 8, 8>, dilations = array<i64: 3, 3>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x32xf32>, tensor<32x16x5x5xf32>) -> tensor<1x69x69x16xf32>
  %v = qnn.constant dense<1.0> : tensor<32x16x1x1xf32> as tensor<32x16x1x1xf32>
  %z = "qnn.conv_transpose"(%x, %v) {strides = array<i64: 8, 8>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x32xf32>, tensor<32x16x1x1xf32>) -> tensor<1x57x57x16xf32>
  return %y, %z : tensor<1x69x69x16xf32>, tensor<1x57x57x16xf32>
}
