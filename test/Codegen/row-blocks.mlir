// Depthwise convolutions and the 1x1 convolutions around them, by blocks of rows.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni},qcc-plan-arena)' | grep -E '@main|memref.view|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx2},qcc-plan-arena)' | grep -E '@main|memref.view|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=neon},qcc-plan-arena)' | grep -E '@main|memref.view|call @|return' | FileCheck %s

// What is between them has no buffer; the kernel has the products of all.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[ARENA:[a-z0-9]*]]: memref<0xi8>
// CHECK-NOT: memref.view
// CHECK: call @conv_rows_0(%arg0, %arg1,
// CHECK-SAME: qcc.macs = 38936576 : i64
// CHECK-NEXT: return
func.func @main(%x: tensor<1x112x112x16xf32> {qnn.name = "x"}) -> (tensor<1x56x56x24xf32> {qnn.name = "y"}) {
  %we = qnn.constant dense<1.0> : tensor<128x16x1x1xf32> as tensor<128x16x1x1xf32>
  %wd = qnn.constant dense<1.0> : tensor<128x1x3x3xf32> as tensor<128x1x3x3xf32>
  %wp = qnn.constant dense<1.0> : tensor<24x128x1x1xf32> as tensor<24x128x1x1xf32>
  %e = qnn.conv %x, %we {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x112x112x16xf32>, tensor<128x16x1x1xf32>) -> tensor<1x112x112x128xf32>
  %d = qnn.conv %e, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 128 : i64} : (tensor<1x112x112x128xf32>, tensor<128x1x3x3xf32>) -> tensor<1x56x56x128xf32>
  %p = qnn.conv %d, %wp {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x56x56x128xf32>, tensor<24x128x1x1xf32>) -> tensor<1x56x56x24xf32>
  return %p : tensor<1x56x56x24xf32>
}

// -----

// Small tensors stay in near caches by themselves.
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK: call @depthwise_f32_0
// CHECK: call @conv_0
// CHECK: call @depthwise_f32_1
// CHECK-NEXT: return
func.func @main(%x: tensor<1x9x9x32xf32> {qnn.name = "x"}) -> (tensor<1x9x9x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<32x32x1x1xf32> as tensor<32x32x1x1xf32>
  %wd = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %e = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %d = qnn.conv %e, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  %p = qnn.conv %d, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %q = qnn.conv %p, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  return %q : tensor<1x9x9x32xf32>
}

// -----

// Of two depthwise convolutions the first one has the 1x1 convolution between
// them.
// CHECK-LABEL: func.func @main
// CHECK: call @conv_rows_0
// CHECK-NEXT: call @depthwise_f32_0
// CHECK-NEXT: return
module attributes {qcc.row_block_bytes = 0 : i64} {
func.func @main(%x: tensor<1x9x9x32xf32> {qnn.name = "x"}) -> (tensor<1x9x9x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<32x32x1x1xf32> as tensor<32x32x1x1xf32>
  %wd = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %e = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %d = qnn.conv %e, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  %p = qnn.conv %d, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %q = qnn.conv %p, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  return %q : tensor<1x9x9x32xf32>
}
}

// -----

// Read elsewhere, too: the expanded tensor is stored, the depthwise result not;
// then the other way round, where nothing follows that could be joined.
// CHECK-LABEL: func.func @main
// CHECK: call @conv_0
// CHECK: call @conv_rows_0
// CHECK: call @conv_rows_1
// CHECK-NOT: call @conv_
// CHECK-NOT: call @depthwise
module attributes {qcc.row_block_bytes = 0 : i64} {
func.func @main(%x: tensor<1x9x9x32xf32> {qnn.name = "x"}) -> (tensor<1x9x9x32xf32> {qnn.name = "y"}, tensor<1x9x9x32xf32> {qnn.name = "z"}, tensor<1x9x9x32xf32> {qnn.name = "u"}) {
  %w = qnn.constant dense<1.0> : tensor<32x32x1x1xf32> as tensor<32x32x1x1xf32>
  %wd = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %e = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %d = qnn.conv %e, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  %p = qnn.conv %d, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %f = qnn.conv %p, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x9x9x32xf32>, tensor<32x32x1x1xf32>) -> tensor<1x9x9x32xf32>
  %q = qnn.conv %f, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64} : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  return %e, %p, %q : tensor<1x9x9x32xf32>, tensor<1x9x9x32xf32>, tensor<1x9x9x32xf32>
}
}
