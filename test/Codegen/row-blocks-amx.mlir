// Where the matrix unit pays for a whole image, its products are not computed
// by blocks of rows, although a row of seven pixels alone would not be worth it.
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s --check-prefix=ROWS
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qcc-generate-kernels{level=amx})' | FileCheck %s --check-prefix=TILES

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>

// ROWS-LABEL: func.func @main
// ROWS: call @conv_rows_0
// ROWS-NOT: call
// TILES: tdpbusd
// TILES-LABEL: func.func @main
// TILES: call @depthwise_i8_0
// TILES: call @conv_tiles_0
module attributes {qcc.row_block_bytes = 0 : i64} {
func.func @main(%x: tensor<1x7x7x64x!x> {qnn.name = "x"}) -> (tensor<1x7x7x64x!x> {qnn.name = "y"}) {
  %wd = qnn.constant dense<1> : tensor<64x1x3x3xi8> as tensor<64x1x3x3x!w>
  %wp = qnn.constant dense<1> : tensor<64x64x1x1xi8> as tensor<64x64x1x1x!w>
  %d = qnn.conv %x, %wd {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 64 : i64} : (tensor<1x7x7x64x!x>, tensor<64x1x3x3x!w>) -> tensor<1x7x7x64x!x>
  %p = qnn.conv %d, %wp {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x7x7x64x!x>, tensor<64x64x1x1x!w>) -> tensor<1x7x7x64x!x>
  return %p : tensor<1x7x7x64x!x>
}
}
