// RUN: qcc-opt %s -pass-pipeline='builtin.module(qnn-quantize-weights{clip=max})' | FileCheck %s --check-prefix=MAX
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qnn-quantize-weights{clip=mse})' | FileCheck %s --check-prefix=MSE
// RUN: qcc-opt %s -pass-pipeline='builtin.module(qnn-quantize-weights{clip=octav})' | FileCheck %s --check-prefix=OCTAV
// RUN: not qcc-opt %s -pass-pipeline='builtin.module(qnn-quantize-weights{clip=min})' 2>&1 | FileCheck %s --check-prefix=WORD

// WORD: clip=min: expected max, mse or octav

!q = !quant.uniform<u8:f32, 0.5:10>

// All weights fit on the scale of the largest, so that the search clips none;
// the fixed point iteration, which knows only what rounding costs on average,
// clips a little.
// MAX-LABEL: func @exact
// MAX: uniform<i8<-127:127>:f32:1, {1.000000e+00}>
// MSE-LABEL: func @exact
// MSE: uniform<i8<-127:127>:f32:1, {1.000000e+00}>
// OCTAV-LABEL: func @exact
// OCTAV: uniform<i8<-127:127>:f32:1, {0.9999{{[0-9]+}}}>
func.func @exact(%q: tensor<1x4x!q>) -> tensor<1x1xf32> {
  %w = qnn.constant dense<[[127.0], [-3.0], [50.0], [0.0]]> : tensor<4x1xf32> as tensor<4x1xf32>
  %x = qnn.dequantize %q : (tensor<1x4x!q>) -> tensor<1x4xf32>
  %0 = qnn.matmul %x, %w : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}
