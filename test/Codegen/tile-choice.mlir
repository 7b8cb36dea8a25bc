// Choices of tiles overrule the rules for the shape that they name, at the level
// that they are for; every kernel notes what it took.

// RUN: qcc-opt %s -qcc-generate-kernels=level=avx512-vnni | FileCheck %s
// RUN: qcc-opt %s -qcc-generate-kernels=level=avx2 | FileCheck %s --check-prefix=RULES

!x = !quant.uniform<u8:f32, 0.05:120>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// CHECK: module attributes {{.*}}qcc.tiles
// CHECK: @matmul_0{{.*}} qcc.tile = {panels_outer = true, rows = 5 : i32, shape = "matrix i8 bytes [[MATMUL:1x1x10x32-1x10x256 k1x1 s1x1 d1x1 p0,0 g1]]", vectors = 2 : i32}
// CHECK: @conv_0{{.*}} qcc.tile = {gathers_windows = true, rows = 7 : i32, shape = "matrix i8 bytes 1x14x14x64-14x14x64 k3x3 s1x1 d1x1 p1,1 g1", vectors = 4 : i32}
// CHECK: @matmul_1{{.*}} qcc.tile = {panels_outer = true, rows = 4 : i32, shape = "product f32 8x8x200 of 1", vectors = 3 : i32}
// CHECK: @depthwise_f32_0{{.*}} qcc.tile = {rows = 2 : i32, shape = "wide depthwise f32 1x14x14x32-14x14x32 k3x3 s1x1 d1x1 p1,1 g32"}

// RULES: @matmul_0{{.*}} qcc.tile = {panels_outer = false, rows = 4 : i32, shape = "matrix i8 bytes {{.*}}", vectors = 2 : i32}
// RULES: @conv_0{{.*}} qcc.tile = {gathers_windows = false, panels_outer = false, rows = 4 : i32, {{.*}}, vectors = 2 : i32}
// RULES: @matmul_1{{.*}} vectors = 2 : i32}
// RULES: @depthwise_f32_0{{.*}} qcc.tile = {rows = 14 : i32

module attributes {qcc.tiles = {"avx512-vnni" = {
  "matrix i8 bytes 1x1x10x32-1x10x256 k1x1 s1x1 d1x1 p0,0 g1" = {rows = 6 : i32, vectors = 2 : i32, panels_outer = true},
  "matrix i8 bytes 1x14x14x64-14x14x64 k3x3 s1x1 d1x1 p1,1 g1" = {gathers_windows = true, rows = 7 : i32},
  "product f32 8x8x200 of 1" = {panels_outer = true, rows = 5 : i32, vectors = 3 : i32},
  "wide depthwise f32 1x14x14x32-14x14x32 k3x3 s1x1 d1x1 p1,1 g32" = {rows = 2 : i32}}}} {
func.func @main(%x: tensor<10x32x!x> {qnn.name = "x"}, %image: tensor<1x14x14x64x!x> {qnn.name = "image"},
                %a: tensor<8x8xf32> {qnn.name = "a"}, %b: tensor<8x200xf32> {qnn.name = "b"},
                %f: tensor<1x14x14x32xf32> {qnn.name = "f"})
    -> (tensor<10x256x!y> {qnn.name = "p"}, tensor<1x14x14x64x!y> {qnn.name = "q"}, tensor<8x200xf32> {qnn.name = "r"},
        tensor<1x14x14x32xf32> {qnn.name = "s"}) {
  %wp = qnn.constant dense<1> : tensor<32x256xi8> as tensor<32x256x!w>
  %p = qnn.matmul %x, %wp : (tensor<10x32x!x>, tensor<32x256x!w>) -> tensor<10x256x!y>
  %wq = qnn.constant dense<1> : tensor<64x64x3x3xi8> as tensor<64x64x3x3x!w>
  %q = qnn.conv %image, %wq {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64x!x>, tensor<64x64x3x3x!w>) -> tensor<1x14x14x64x!y>
  %r = qnn.matmul %a, %b : (tensor<8x8xf32>, tensor<8x200xf32>) -> tensor<8x200xf32>
  %ws = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %s = qnn.conv %f, %ws {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x14x14x32xf32>
  return %p, %q, %r, %s : tensor<10x256x!y>, tensor<1x14x14x64x!y>, tensor<8x200xf32>, tensor<1x14x14x32xf32>
}
}
