// Float convolutions of 3x3 and stride 1 by Winograd's method.
// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=avx512-vnni | FileCheck %s

// Patches are transformed block by block.
// CHECK: memref.global "private" constant @weights_0 : memref<16384xf32>
// CHECK-LABEL: func.func private @conv_winograd_0
// CHECK-SAME: memref<1x19x40x32xf32>{{.*}}: memref<16384xf32>{{.*}}: memref<32xf32>
// CHECK-NOT: func.func private
// CHECK: func.func @main
// CHECK: call @conv_winograd_0({{.*}} {qcc.macs = 7004160 : i64}
func.func @main(%x: tensor<1x19x40x32xf32> {qnn.name = "x"}) -> (tensor<1x19x40x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<32x32x3x3xf32> as tensor<32x32x3x3xf32>
  %b = qnn.constant dense<1.0> : tensor<32xf32> as tensor<32xf32>
  %0 = qnn.conv %x, %w, %b {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x19x40x32xf32>, tensor<32x32x3x3xf32>, tensor<32xf32>) -> tensor<1x19x40x32xf32>
  return %0 : tensor<1x19x40x32xf32>
}

// -----

// More filters than a second-level cache holds: all 49 patches first.
// CHECK-LABEL: func.func private @winograd_patches_0
// CHECK-SAME: memref<1x14x14x256xf32>{{.*}}: memref<201488xf32>
// CHECK-LABEL: func.func private @conv_winograd_0
// CHECK-SAME: memref<201488xf32>{{.*}}: memref<1048576xf32>{{.*}}: memref<1x14x14x256xf32>
// CHECK: func.func @main
// CHECK: call @winograd_patches_0(%arg0, %[[PATCHES:[a-z0-9_]*]], %c
// CHECK: call @conv_winograd_0(%[[PATCHES]],
func.func @main(%x: tensor<1x14x14x256xf32> {qnn.name = "x"}) -> (tensor<1x14x14x256xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<256x256x3x3xf32> as tensor<256x256x3x3xf32>
  %0 = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x14x14x256xf32>, tensor<256x256x3x3xf32>) -> tensor<1x14x14x256xf32>
  return %0 : tensor<1x14x14x256xf32>
}

// -----

// Another stride, few channels, few patches.
// CHECK-NOT: winograd
// CHECK: func.func @main
// CHECK-COUNT-3: call @conv_
func.func @main(%x: tensor<1x14x14x32xf32> {qnn.name = "x"}, %rgb: tensor<1x14x14x3xf32> {qnn.name = "rgb"}, %small: tensor<1x6x6x32xf32> {qnn.name = "small"}) -> (tensor<1x7x7x32xf32> {qnn.name = "y"}, tensor<1x14x14x32xf32> {qnn.name = "z"}, tensor<1x6x6x32xf32> {qnn.name = "t"}) {
  %w = qnn.constant dense<1.0> : tensor<32x32x3x3xf32> as tensor<32x32x3x3xf32>
  %v = qnn.constant dense<1.0> : tensor<32x3x3x3xf32> as tensor<32x3x3x3xf32>
  %0 = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x14x14x32xf32>, tensor<32x32x3x3xf32>) -> tensor<1x7x7x32xf32>
  %1 = qnn.conv %rgb, %v {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x14x14x3xf32>, tensor<32x3x3x3xf32>) -> tensor<1x14x14x32xf32>
  %2 = qnn.conv %small, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x6x6x32xf32>, tensor<32x32x3x3xf32>) -> tensor<1x6x6x32xf32>
  return %0, %1, %2 : tensor<1x7x7x32xf32>, tensor<1x14x14x32xf32>, tensor<1x6x6x32xf32>
}
