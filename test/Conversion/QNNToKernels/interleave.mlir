// RUN: qcc-opt %s -convert-qnn-to-kernels | FileCheck %s

// Threads share the planes of an image: a tile for each 4096 elements of them.
// CHECK-LABEL: func.func @main
// CHECK: %[[TILES:.*]] = arith.constant 6 : index
// CHECK: call @interleave_0({{.*}}, %[[TILES]])
func.func @main(%x: tensor<2x3x128x97xf32> {qnn.name = "x"}) -> (tensor<2x128x97x3xf32> {qnn.name = "y"}) {
  %0 = qnn.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x3x128x97xf32>) -> tensor<2x128x97x3xf32>
  return %0 : tensor<2x128x97x3xf32>
}
