// Blocks of rows are many and even enough for threads, and no smaller than pays.
// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=avx512-vnni | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Two bands of 128 KB would hold the image: 16 blocks for threads.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 16 : index
// CHECK: call @conv_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x56x56x64x!x> {qnn.name = "x"}) -> (tensor<1x56x56x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x64x3x3xi8> as tensor<64x64x3x3x!w>
  %0 = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x56x56x64x!x>, tensor<64x64x3x3x!w>) -> tensor<1x56x56x64x!y>
  return %0 : tensor<1x56x56x64x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Five blocks of this size keep one of two threads idle for a sixth of the time.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 16 : index
// CHECK: call @conv_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x56x56x128x!x> {qnn.name = "x"}) -> (tensor<1x28x28x128x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<128x128x3x3xi8> as tensor<128x128x3x3x!w>
  %0 = qnn.conv %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x56x56x128x!x>, tensor<128x128x3x3x!w>) -> tensor<1x28x28x128x!y>
  return %0 : tensor<1x28x28x128x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Four blocks of each of four panels are as many tiles.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 16 : index
// CHECK: call @conv_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x14x14x256x!x> {qnn.name = "x"}) -> (tensor<1x14x14x256x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<256x256x3x3xi8> as tensor<256x256x3x3x!w>
  %0 = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x256x!x>, tensor<256x256x3x3x!w>) -> tensor<1x14x14x256x!y>
  return %0 : tensor<1x14x14x256x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Too little work for more than four blocks.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 4 : index
// CHECK: call @conv_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x14x14x16x!x> {qnn.name = "x"}) -> (tensor<1x14x14x16x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<16x16x3x3xi8> as tensor<16x16x3x3x!w>
  %0 = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x16x!x>, tensor<16x16x3x3x!w>) -> tensor<1x14x14x16x!y>
  return %0 : tensor<1x14x14x16x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Patches are read in place, in blocks that the first-level cache holds: eight
// instead of five.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 8 : index
// CHECK: call @conv_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<1x224x224x4x!x> {qnn.name = "x"}) -> (tensor<1x14x14x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x4x16x16xi8> as tensor<64x4x16x16x!w>
  %0 = qnn.conv %x, %w {strides = array<i64: 16, 16>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x224x224x4x!x>, tensor<64x4x16x16x!w>) -> tensor<1x14x14x64x!y>
  return %0 : tensor<1x14x14x64x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// Whole rows of a large image, so that threads find what they wrote; panel by
// panel where the weights take more or rows are few.
// CHECK: func.func private @conv_0{{.*}} qcc.tile = {panels_outer = false, {{.*}} 1x40x40x256-40x40x256
// CHECK: func.func private @conv_1{{.*}} qcc.tile = {panels_outer = true, {{.*}} 1x40x40x256-40x40x320
// CHECK: func.func private @conv_2{{.*}} qcc.tile = {panels_outer = true, {{.*}} 1x14x14x256-14x14x256
func.func @main(%x: tensor<1x40x40x256x!x> {qnn.name = "x"}, %s: tensor<1x14x14x256x!x> {qnn.name = "s"})
    -> (tensor<1x40x40x256x!y> {qnn.name = "a"}, tensor<1x40x40x320x!y> {qnn.name = "b"}, tensor<1x14x14x256x!y> {qnn.name = "c"}) {
  %w = qnn.constant dense<1> : tensor<256x256x1x1xi8> as tensor<256x256x1x1x!w>
  %v = qnn.constant dense<1> : tensor<320x256x1x1xi8> as tensor<320x256x1x1x!w>
  %a = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x40x40x256x!x>, tensor<256x256x1x1x!w>) -> tensor<1x40x40x256x!y>
  %b = qnn.conv %x, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x40x40x256x!x>, tensor<320x256x1x1x!w>) -> tensor<1x40x40x320x!y>
  %c = qnn.conv %s, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x256x!x>, tensor<256x256x1x1x!w>) -> tensor<1x14x14x256x!y>
  return %a, %b, %c : tensor<1x40x40x256x!y>, tensor<1x40x40x320x!y>, tensor<1x14x14x256x!y>
}
