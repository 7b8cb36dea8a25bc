// A product of activations on tiles: signed numbers are multiplied as they are,
// and no tile is spilled between the configuration and the release.

// REQUIRES: x86-host
// RUN: qcc-opt %s -qcc-generate-kernels=level=amx -qcc-plan-arena -o %t.mlir
// RUN: qcc-emit %t.mlir -o %t.s
// RUN: FileCheck %s < %t.s
// CHECK-LABEL: matmul_tiles_0.kernel:
// CHECK-NOT: {{tile|tdp|call}}
// CHECK: ldtilecfg
// CHECK-NOT: {{tilestored|tilerelease|call|tdpbusd}}
// CHECK: tdpbssd %tmm{{[0-9]}}, %tmm{{[0-9]}}, %tmm{{[0-9]}}
// CHECK-NOT: {{tilerelease|call|tdpbusd}}
// CHECK: tilestored
// CHECK-NOT: {{call|tdpbusd}}
// CHECK: tilerelease
// CHECK-NOT: {{tile|tdp|call}}
// CHECK: retq
// CHECK: .size

!s = !quant.uniform<i8:f32, 0.05:3>
!y = !quant.uniform<u8:f32, 0.5:117>
func.func @main(%x: tensor<2x33x68x!s> {qnn.name = "x"}, %k: tensor<2x40x68x!s> {qnn.name = "k"}) -> (tensor<2x33x40x!y> {qnn.name = "y"}) {
  %y = qnn.matmul %x, %k {transpose_rhs} : (tensor<2x33x68x!s>, tensor<2x40x68x!s>) -> tensor<2x33x40x!y>
  return %y : tensor<2x33x40x!y>
}
