// Which products go to the matrix unit of a level that has one.

// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=amx | FileCheck %s
// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=avx512-vnni | FileCheck %s --check-prefix=NONE
// NONE-NOT: _tiles

!x = !quant.uniform<u8:f32, 0.05:120>
!s = !quant.uniform<i8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<u8:f32, 0.5:117>

// CHECK-LABEL: func.func @main
func.func @main(%wide: tensor<64x256x!x> {qnn.name = "wide"}, %row: tensor<1x1024x!x> {qnn.name = "row"},
                %shallow: tensor<64x4x!x> {qnn.name = "shallow"}, %signed: tensor<64x256x!s> {qnn.name = "signed"},
                %image: tensor<1x14x14x64x!x> {qnn.name = "image"})
    -> (tensor<64x128x!y> {qnn.name = "a"}, tensor<1x512x!y> {qnn.name = "b"}, tensor<64x128x!y> {qnn.name = "c"},
        tensor<64x128x!y> {qnn.name = "d"}, tensor<1x14x14x64x!y> {qnn.name = "e"}, tensor<1x14x14x64x!y> {qnn.name = "f"}) {
  // CHECK: call @matmul_tiles_0
  %wa = qnn.constant dense<1> : tensor<256x128xi8> as tensor<256x128x!w>
  %a = qnn.matmul %wide, %wa : (tensor<64x256x!x>, tensor<256x128x!w>) -> tensor<64x128x!y>
  // One row: the weights are read once, which is all that takes time.
  // CHECK: call @matmul_0
  %wb = qnn.constant dense<1> : tensor<1024x512xi8> as tensor<1024x512x!w>
  %b = qnn.matmul %row, %wb : (tensor<1x1024x!x>, tensor<1024x512x!w>) -> tensor<1x512x!y>
  // Too little depth to fill a tile.
  // CHECK: call @matmul_1
  %wc = qnn.constant dense<1> : tensor<4x128xi8> as tensor<4x128x!w>
  %c = qnn.matmul %shallow, %wc : (tensor<64x4x!x>, tensor<4x128x!w>) -> tensor<64x128x!y>
  // Signed activations are multiplied as they are.
  // CHECK: call @matmul_tiles_1
  %d = qnn.matmul %signed, %wa : (tensor<64x256x!s>, tensor<256x128x!w>) -> tensor<64x128x!y>
  // CHECK: call @conv_tiles_0
  %we = qnn.constant dense<1> : tensor<64x64x3x3xi8> as tensor<64x64x3x3x!w>
  %e = qnn.conv %image, %we {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64x!x>, tensor<64x64x3x3x!w>) -> tensor<1x14x14x64x!y>
  // CHECK: call @depthwise
  %wf = qnn.constant dense<1> : tensor<64x1x3x3xi8> as tensor<64x1x3x3x!w>
  %f = qnn.conv %image, %wf {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 64 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64x!x>, tensor<64x1x3x3x!w>) -> tensor<1x14x14x64x!y>
  return %a, %b, %c, %d, %e, %f : tensor<64x128x!y>, tensor<1x512x!y>, tensor<64x128x!y>, tensor<64x128x!y>, tensor<1x14x14x64x!y>, tensor<1x14x14x64x!y>
}

// -----

// Products of activations, whose right-hand side is packed first, and those with
// zero points that are known at run time.

!x = !quant.uniform<u8:f32, 0.05:120>
!s = !quant.uniform<i8:f32, 0.05:3>
!y = !quant.uniform<u8:f32, 0.5:117>

// CHECK-LABEL: func.func @main
// CHECK: call @pack_0
// CHECK: call @matmul_tiles_0
// CHECK: call @matmul_integer_tiles_0
// One row.
// CHECK: call @matmul_integer_0
func.func @main(%x: tensor<2x33x64x!x> {qnn.name = "x"}, %s: tensor<2x40x64x!s> {qnn.name = "s"},
                       %d: tensor<33x100xui8> {qnn.name = "d"}, %row: tensor<1x100xui8> {qnn.name = "row"}, %zero: tensor<ui8> {qnn.name = "zero"})
    -> (tensor<2x33x40x!y> {qnn.name = "a"}, tensor<33x64xi32> {qnn.name = "b"}, tensor<1x64xi32> {qnn.name = "c"}) {
  %a = qnn.matmul %x, %s {transpose_rhs} : (tensor<2x33x64x!x>, tensor<2x40x64x!s>) -> tensor<2x33x40x!y>
  %w = qnn.constant dense<3> : tensor<100x64xi8> as tensor<100x64xi8>
  %b = qnn.matmul_integer %d, %w, %zero : (tensor<33x100xui8>, tensor<100x64xi8>, tensor<ui8>) -> tensor<33x64xi32>
  %c = qnn.matmul_integer %row, %w, %zero : (tensor<1x100xui8>, tensor<100x64xi8>, tensor<ui8>) -> tensor<1x64xi32>
  return %a, %b, %c : tensor<2x33x40x!y>, tensor<33x64xi32>, tensor<1x64xi32>
}
