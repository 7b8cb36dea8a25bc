// RUN: qcc-opt %s -qnn-quantize-recurrence=min-weights=4 -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-quantize-recurrence -split-input-file | FileCheck %s --check-prefix=SMALL

// SMALL-NOT: quant.uniform

// A scale per row of the weights; a row of zeros has scale 1.
// CHECK-LABEL: func @plain
// CHECK: %[[W:.*]] = qnn.constant dense<{{\[\[}}127, 0], [0, 0]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {2.000000e+00,1.000000e+00}>>
// CHECK: qnn.recurrence plain %{{.*}}, %[[W]]
func.func @plain(%x: tensor<3x1x2xf32>) -> tensor<3x1x2xf32> {
  %w = qnn.constant dense<[[254.0, 0.0], [0.0, 0.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %y, %h = qnn.recurrence plain %x, %w {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2xf32>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  return %y : tensor<3x1x2xf32>
}

// -----

// Computed weights and infinite ones stay as they are.
// CHECK-LABEL: func @negative
// CHECK-NOT: quant.uniform
// CHECK: return
func.func @negative(%x: tensor<3x1x2xf32>, %w: tensor<2x2xf32>) -> (tensor<3x1x2xf32>, tensor<3x1x2xf32>) {
  %k = qnn.constant dense<[[0x7F800000, 0.0], [0.0, 0.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %0, %1 = qnn.recurrence plain %x, %w {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2xf32>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  %2, %3 = qnn.recurrence plain %x, %k {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2xf32>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  return %0, %2 : tensor<3x1x2xf32>, tensor<3x1x2xf32>
}

// -----

// Neither do those of a layer that a plan keeps float.
// CHECK-LABEL: func @kept
// CHECK-NOT: quant.uniform
// CHECK: return
func.func @kept(%x: tensor<3x1x2xf32>) -> tensor<3x1x2xf32> {
  %w = qnn.constant dense<[[254.0, 0.0], [0.0, 0.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %y, %h = qnn.recurrence plain %x, %w {qnn.keep_float, activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2xf32>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  return %y : tensor<3x1x2xf32>
}
