// Products of bf16: the matrix unit multiplies, what it reads is rounded by one
// instruction, and the windows of a convolution are gathered as they are.

// RUN: qcc-opt %s -qcc-generate-kernels=level=amx -qcc-plan-arena -o %t.mlir
// RUN: qcc-emit %t.mlir -o %t.s
// RUN: FileCheck %s --check-prefix=ROUND < %t.s
// ROUND-LABEL: elementwise_0.kernel:
// ROUND-NOT: call
// ROUND: vcvtneps2bf16 {{.*}}ymm
// ROUND: retq
// RUN: FileCheck %s < %t.s
// CHECK-LABEL: conv_tiles_0.kernel:
// CHECK-NOT: {{tile|tdp|call}}
// CHECK: ldtilecfg
// CHECK-NOT: {{tilestored|tilerelease|call}}
// CHECK: tdpbf16ps %tmm{{[0-9]}}, %tmm{{[0-9]}}, %tmm{{[0-9]}}
// CHECK-NOT: {{tilerelease|call}}
// CHECK: tilestored
// CHECK-NOT: call
// CHECK: tilerelease
// CHECK: retq
// CHECK: .size

func.func @main(%x: tensor<1x14x14x32xf32> {qnn.name = "x"}) -> (tensor<1x14x14x64xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<3.0> : tensor<64x32x3x3xbf16> as tensor<64x32x3x3xbf16>
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x32xf32>, tensor<64x32x3x3xbf16>) -> tensor<1x14x14x64xf32>
  return %y : tensor<1x14x14x64xf32>
}
