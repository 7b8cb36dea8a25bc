// RUN: qcc-opt %s -qcc-generate-kernels=level=baseline | FileCheck %s

// Rounded sums may be as large as 32 bits allow: they are clamped before the zero
// point is added.
// CHECK-LABEL: func private @matmul_0
// CHECK: %[[LOW:.*]] = arith.constant dense<-52768> : vector<4xi32>
// CHECK: %[[A:.*]] = arith.maxsi %{{.*}}, %[[LOW]]
// CHECK: %[[HIGH:.*]] = arith.constant dense<12767> : vector<4xi32>
// CHECK: %[[B:.*]] = arith.minsi %[[A]], %[[HIGH]]
// CHECK: %[[ZERO:.*]] = arith.constant dense<20000> : vector<4xi32>
// CHECK: %[[C:.*]] = arith.addi %[[B]], %[[ZERO]]
// CHECK: arith.trunci %[[C]] : vector<4xi32> to vector<4xi16>
!x = !quant.uniform<i16:f32, 1.0>
!w = !quant.uniform<i8:f32, 1.0>
!y = !quant.uniform<i16:f32, 0.001937814876:20000>
func.func @main(%x: tensor<1x1x!x> {qnn.name = "x"}) -> (tensor<1x4x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<127> : tensor<1x4xi8> as tensor<1x4x!w>
  %0 = qnn.matmul %x, %w : (tensor<1x1x!x>, tensor<1x4x!w>) -> tensor<1x4x!y>
  return %0 : tensor<1x4x!y>
}
