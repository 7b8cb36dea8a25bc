// The inner loop of dotprod is made of sdot with an element of the
// activations; the baseline does without.

// RUN: qcc-opt %s -qcc-generate-kernels=level=dotprod -qcc-plan-arena -o %t.dot.mlir
// RUN: qcc-emit -target=arm64 %t.dot.mlir -o %t.dot.s
// RUN: FileCheck %s --check-prefix=DOT < %t.dot.s
// DOT-LABEL: conv_0.kernel:
// DOT: sdot v{{.*}}.4s, v{{.*}}.16b, v{{.*}}.4b[3]
// DOT-NOT: {{[[:space:]]bl[[:space:]]}}
// DOT: fcvtns v{{.*}}.4s

// RUN: qcc-opt %s -qcc-generate-kernels=level=neon -qcc-plan-arena -o %t.neon.mlir
// RUN: qcc-emit -target=arm64 %t.neon.mlir -o %t.neon.s
// RUN: FileCheck %s --check-prefix=NEON < %t.neon.s
// NEON-LABEL: conv_0.kernel:
// NEON-NOT: sdot
// NEON: smull2 v{{.*}}.8h
// NEON-NOT: sdot
// NEON: sadalp v{{.*}}.4s
// NEON-NOT: {{sdot|[[:space:]]bl[[:space:]]}}
// NEON: fcvtns v{{.*}}.4s

!x = !quant.uniform<i8:f32, 0.05:-8>
!w = !quant.uniform<i8:f32, 0.01>
!y = !quant.uniform<i8:f32, 0.5:11>
func.func @main(%x: tensor<1x14x14x64x!x> {qnn.name = "x"}) -> (tensor<1x14x14x64x!y> {qnn.name = "y"}) {
  %w = qnn.constant dense<3> : tensor<64x64x3x3xi8> as tensor<64x64x3x3x!w>
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64x!x>, tensor<64x64x3x3x!w>) -> tensor<1x14x14x64x!y>
  return %y : tensor<1x14x14x64x!y>
}
