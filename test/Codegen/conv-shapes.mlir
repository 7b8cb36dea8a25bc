// Convolutions of planes and of small groups are matrix products.
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-DAG: func.func private @conv_0{{.*}}shape = "matrix i8 bytes 1x6x6x16-3x6x32 k3x3 s2x1 d1x1 p1,1 g1 planes 4-4 k3 s1 d1 p1"
// Planes are images of their own.
// CHECK-DAG: func.func private @conv_1{{.*}}shape = "matrix i8 bytes 4x6x6x16-6x6x32 k1x1 s1x1 d1x1 p0,0 g1"
// The only window's plane is one of padding.
// CHECK-DAG: func.func private @conv_5{{.*}}shape = "matrix f32 1x6x6x8-6x6x16 k1x1 s1x1 d1x1 p0,0 g1 planes 1-1 k1 s2 d1 p1"
// Of 16 groups, four at a time are one; so are eight of those of one channel.
// CHECK-DAG: func.func private @conv_2{{.*}}shape = "matrix i8 bytes 1x6x6x64-6x6x64 k3x3 s1x1 d1x1 p1,1 g4"
// CHECK-DAG: func.func private @conv_3{{.*}}shape = "matrix f32 1x6x6x64-6x6x128 k3x3 s1x1 d1x1 p1,1 g8"
// Large ones are computed group by group.
// CHECK-DAG: func.func private @conv_4{{.*}}shape = "matrix i8 bytes 1x6x6x64-6x6x64 k3x3 s1x1 d1x1 p1,1 g2"
// CHECK-LABEL: func.func @main
func.func @main(%v: tensor<1x4x6x6x16x!x> {qnn.name = "v"}, %x: tensor<1x6x6x64x!x> {qnn.name = "x"}, %f: tensor<1x6x6x64xf32> {qnn.name = "f"}, %p: tensor<1x1x6x6x8xf32> {qnn.name = "p"})
    -> (tensor<1x4x3x6x32x!y> {qnn.name = "a"}, tensor<1x4x6x6x32x!y> {qnn.name = "b"}, tensor<1x6x6x64x!y> {qnn.name = "c"},
        tensor<1x6x6x128xf32> {qnn.name = "d"}, tensor<1x6x6x64x!y> {qnn.name = "e"}, tensor<1x1x6x6x16xf32> {qnn.name = "h"}) {
  %wa = qnn.constant dense<1> : tensor<32x16x3x3x3xi8> as tensor<32x16x3x3x3x!w>
  %a = qnn.conv %v, %wa {strides = array<i64: 1, 2, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 1, 1, 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x4x6x6x16x!x>, tensor<32x16x3x3x3x!w>) -> tensor<1x4x3x6x32x!y>
  %wb = qnn.constant dense<1> : tensor<32x16x1x1x1xi8> as tensor<32x16x1x1x1x!w>
  %b = qnn.conv %v, %wb {strides = array<i64: 1, 1, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x4x6x6x16x!x>, tensor<32x16x1x1x1x!w>) -> tensor<1x4x6x6x32x!y>
  %wc = qnn.constant dense<1> : tensor<64x4x3x3xi8> as tensor<64x4x3x3x!w>
  %c = qnn.conv %x, %wc {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 16 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x6x6x64x!x>, tensor<64x4x3x3x!w>) -> tensor<1x6x6x64x!y>
  %wd = qnn.constant dense<1.0> : tensor<128x1x3x3xf32> as tensor<128x1x3x3xf32>
  %d = qnn.conv %f, %wd {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 64 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x6x6x64xf32>, tensor<128x1x3x3xf32>) -> tensor<1x6x6x128xf32>
  %we = qnn.constant dense<1> : tensor<64x32x3x3xi8> as tensor<64x32x3x3x!w>
  %e = qnn.conv %x, %we {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 2 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x6x6x64x!x>, tensor<64x32x3x3x!w>) -> tensor<1x6x6x64x!y>
  %wh = qnn.constant dense<1.0> : tensor<16x8x1x1x1xf32> as tensor<16x8x1x1x1xf32>
  %h = qnn.conv %p, %wh {strides = array<i64: 2, 1, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 1, 0, 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x1x6x6x8xf32>, tensor<16x8x1x1x1xf32>) -> tensor<1x1x6x6x16xf32>
  return %a, %b, %c, %d, %e, %h : tensor<1x4x3x6x32x!y>, tensor<1x4x6x6x32x!y>, tensor<1x6x6x64x!y>, tensor<1x6x6x128xf32>, tensor<1x6x6x64x!y>, tensor<1x1x6x6x16xf32>
}
