// Rows of float depthwise convolutions are cut into runs of outputs that the
// registers hold and that leave no short rest, where there are such.
// RUN: qcc-opt %s -qcc-generate-kernels=level=avx512-vnni | FileCheck %s
// RUN: qcc-opt %s -qcc-generate-kernels=level=avx2 | FileCheck %s --check-prefix=FEW

// Twice 14, with three taps of each line.
// CHECK-LABEL: func.func private @depthwise_f32_0
// CHECK-COUNT-42: math.fma
// CHECK-NOT: math.fma
// FEW-LABEL: func.func private @depthwise_f32_0
// FEW-COUNT-36: math.fma
// FEW-NOT: math.fma
// FEW-LABEL: func.func private @depthwise_f32_1
// Twice 10 rather than 14 and 6.
// CHECK-LABEL: func.func private @depthwise_f32_1
// CHECK-COUNT-30: math.fma
// CHECK-NOT: math.fma
// 9 alone, in registers for 8 with a rest of one.
// CHECK-LABEL: func.func private @depthwise_f32_2
// CHECK-COUNT-27: math.fma
// CHECK-NOT: math.fma
// CHECK: func.func @main
func.func @main(%a: tensor<1x28x28x32xf32> {qnn.name = "a"}, %b: tensor<1x20x20x32xf32> {qnn.name = "b"}, %c: tensor<1x9x9x32xf32> {qnn.name = "c"})
    -> (tensor<1x28x28x32xf32> {qnn.name = "x"}, tensor<1x20x20x32xf32> {qnn.name = "y"}, tensor<1x9x9x32xf32> {qnn.name = "z"}) {
  %w = qnn.constant dense<1.0> : tensor<32x1x3x3xf32> as tensor<32x1x3x3xf32>
  %x = qnn.conv %a, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x28x28x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x28x28x32xf32>
  %y = qnn.conv %b, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x20x20x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x20x20x32xf32>
  %z = qnn.conv %c, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x9x9x32xf32>, tensor<32x1x3x3xf32>) -> tensor<1x9x9x32xf32>
  return %x, %y, %z : tensor<1x28x28x32xf32>, tensor<1x20x20x32xf32>, tensor<1x9x9x32xf32>
}
