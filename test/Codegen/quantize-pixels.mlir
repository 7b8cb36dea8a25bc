// Planes that are quantized, then transposed to pixels, are read and written
// once: the calls of @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | grep -E '@main|call @|return' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=neon})' | grep -E '@main|call @|return' | FileCheck %s

!q = !quant.uniform<u8:f32, 0.02:114>

// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @quantize_pixels_0({{.*}}) : (memref<2x3x9x15xf32>, memref<2x9x15x3xi8>, index, index)
// CHECK-NEXT: return
func.func @main(%x: tensor<2x3x9x15xf32> {qnn.name = "x"}) -> (tensor<2x9x15x3x!q> {qnn.name = "y"}) {
  %0 = qnn.quantize %x : (tensor<2x3x9x15xf32>) -> tensor<2x3x9x15x!q>
  %1 = qnn.transpose %0 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x3x9x15x!q>) -> tensor<2x9x15x3x!q>
  return %1 : tensor<2x9x15x3x!q>
}

// -----

!q = !quant.uniform<u8:f32, 0.02:114>

// What is used in its own layout, too, many planes, short ones and another order
// take two kernels each.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @quantize_0
// CHECK-NEXT: call @interleave_0
// CHECK-NEXT: call @quantize_1
// CHECK-NEXT: call @transpose_{{[0-9]}}
// CHECK-NEXT: call @quantize_2
// CHECK-NEXT: call @transpose_{{[0-9]}}
// CHECK-NEXT: call @quantize_0
// CHECK-NEXT: call @transpose_{{[0-9]}}
// CHECK-NEXT: return
func.func @main(%x: tensor<1x3x8x16xf32> {qnn.name = "x"}, %y: tensor<1x5x8x16xf32> {qnn.name = "y"}, %z: tensor<1x3x3x5xf32> {qnn.name = "z"})
    -> (tensor<1x3x8x16x!q> {qnn.name = "a"}, tensor<1x8x16x3x!q> {qnn.name = "b"}, tensor<1x8x16x5x!q> {qnn.name = "c"},
        tensor<1x3x5x3x!q> {qnn.name = "d"}, tensor<1x16x8x3x!q> {qnn.name = "e"}) {
  %0 = qnn.quantize %x : (tensor<1x3x8x16xf32>) -> tensor<1x3x8x16x!q>
  %1 = qnn.transpose %0 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x16x!q>) -> tensor<1x8x16x3x!q>
  %2 = qnn.quantize %y : (tensor<1x5x8x16xf32>) -> tensor<1x5x8x16x!q>
  %3 = qnn.transpose %2 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x5x8x16x!q>) -> tensor<1x8x16x5x!q>
  %4 = qnn.quantize %z : (tensor<1x3x3x5xf32>) -> tensor<1x3x3x5x!q>
  %5 = qnn.transpose %4 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x3x3x5x!q>) -> tensor<1x3x5x3x!q>
  %6 = qnn.quantize %x : (tensor<1x3x8x16xf32>) -> tensor<1x3x8x16x!q>
  %7 = qnn.transpose %6 {permutation = array<i64: 0, 3, 2, 1>} : (tensor<1x3x8x16x!q>) -> tensor<1x16x8x3x!q>
  return %0, %1, %3, %5, %7 : tensor<1x3x8x16x!q>, tensor<1x8x16x3x!q>, tensor<1x8x16x5x!q>, tensor<1x3x5x3x!q>, tensor<1x16x8x3x!q>
}
