// Where panels of weights take turns, each row tile fetches a part of the next
// panel; small products and single panels fetch nothing.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | FileCheck %s

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @matmul_0
// CHECK: memref.prefetch {{.*}}, read, locality<2>, data : memref<131072xi8>
func.func @main(%x: tensor<49x512x!x> {qnn.name = "x"}) -> (tensor<49x256x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<512x256xi8> as tensor<512x256x!w>
  %y = qnn.matmul %x, %w : (tensor<49x512x!x>, tensor<512x256x!w>) -> tensor<49x256x!y>
  return %y : tensor<49x256x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.05:3>
!w = !quant.uniform<i8:f32, 0.02>
!y = !quant.uniform<u8:f32, 0.1:128>

// CHECK-LABEL: func.func private @matmul_0
// CHECK-NOT: memref.prefetch
func.func @main(%x: tensor<49x64x!x> {qnn.name = "x"}) -> (tensor<49x256x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<64x256xi8> as tensor<64x256x!w>
  %y = qnn.matmul %x, %w : (tensor<49x64x!x>, tensor<64x256x!w>) -> tensor<49x256x!y>
  return %y : tensor<49x256x!y>
}
