// Weights that do not stay in a first-level cache are read panel by panel, and
// the next panel is fetched while rows go by.
// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=avx512-vnni | FileCheck %s

// One line for every four units: 33 tiles of rows, 64 units of 4 lines.
// CHECK-LABEL: func.func private @matmul_integer_0
// CHECK-COUNT-1: memref.prefetch %{{.*}}, read, locality<2>, data
// CHECK-NOT: memref.prefetch
// CHECK: func.func @main
func.func @main(%x: tensor<198x256xui8> {qnn.name = "x"}) -> (tensor<198x1024xi32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<256x1024xi8> as tensor<256x1024xi8>
  %0 = qnn.matmul_integer %x, %w : (tensor<198x256xui8>, tensor<256x1024xi8>) -> tensor<198x1024xi32>
  return %0 : tensor<198x1024xi32>
}

// -----

// Few rows: several lines for every unit.
// CHECK-LABEL: func.func private @matmul_0
// CHECK-COUNT-2: memref.prefetch %{{.*}}, read, locality<2>, data
// CHECK: func.func @main
func.func @main(%x: tensor<12x128xf32> {qnn.name = "x"}) -> (tensor<12x512xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<128x512xf32> as tensor<128x512xf32>
  %0 = qnn.matmul %x, %w : (tensor<12x128xf32>, tensor<128x512xf32>) -> tensor<12x512xf32>
  return %0 : tensor<12x512xf32>
}

// -----

// One row reads all weights once and in order.
// CHECK-LABEL: func.func private @matmul_0
// CHECK-NOT: memref.prefetch
// CHECK: func.func @main
func.func @main(%x: tensor<1x256xf32> {qnn.name = "x"}) -> (tensor<1x512xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<256x512xf32> as tensor<256x512xf32>
  %0 = qnn.matmul %x, %w : (tensor<1x256xf32>, tensor<256x512xf32>) -> tensor<1x512xf32>
  return %0 : tensor<1x512xf32>
}

// -----

// Short rows of a large image that are read in place: those of the next tile,
// behind long and behind short ones.
// CHECK-LABEL: func.func private @conv_0
// CHECK-COUNT-2: memref.prefetch %{{.*}}, read, locality<2>, data : memref<1638400xf32>
// CHECK-NOT: memref.prefetch
// CHECK: func.func @main
func.func @main(%x: tensor<1x160x160x64xf32> {qnn.name = "x"}) -> (tensor<1x160x160x32xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<32x64x1x1xf32> as tensor<32x64x1x1xf32>
  %0 = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x160x160x64xf32>, tensor<32x64x1x1xf32>) -> tensor<1x160x160x32xf32>
  return %0 : tensor<1x160x160x32xf32>
}

// -----

// Long rows are streams; few of them are read by tall and narrow tiles.
// CHECK-LABEL: func.func private @conv_0
// CHECK-SAME: qcc.tile = {panels_outer = true, rows = 13 : i32, shape = "{{.*}}", vectors = 2 : i32}
// CHECK-NOT: memref.prefetch {{.*}} : memref<100352xf32>
// CHECK: func.func @main
func.func @main(%x: tensor<1x7x7x2048xf32> {qnn.name = "x"}) -> (tensor<1x7x7x512xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1.0> : tensor<512x2048x1x1xf32> as tensor<512x2048x1x1xf32>
  %0 = qnn.conv %x, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x7x7x2048xf32>, tensor<512x2048x1x1xf32>) -> tensor<1x7x7x512xf32>
  return %0 : tensor<1x7x7x512xf32>
}
