// RUN: qcc-opt %s -qnn-fold-constants -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-fold-constants=keep-dequantize=false -split-input-file | FileCheck %s --check-prefix=ALL

// Any size: the weights of a matmul, transposed.
// CHECK-LABEL: func @large
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense_resource<folded{{.*}}> : tensor<64x128xf32>
// CHECK-NEXT: return %[[C]]
func.func @large() -> tensor<64x128xf32> {
  %a = qnn.constant dense<1.0> : tensor<64x64xf32> as tensor<64x64xf32>
  %b = qnn.constant dense<2.0> : tensor<64x64xf32> as tensor<64x64xf32>
  %0 = qnn.concat %a, %b {axis = 0 : i64} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<128x64xf32>
  %1 = qnn.binary add %0, %0 : (tensor<128x64xf32>, tensor<128x64xf32>) -> tensor<128x64xf32>
  %2 = qnn.transpose %1 {permutation = array<i64: 1, 0>} : (tensor<128x64xf32>) -> tensor<64x128xf32>
  return %2 : tensor<64x128xf32>
}

// -----

// CHECK-LABEL: func @chain
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<[2.000000e+00, 4.000000e+00]>
// CHECK-NEXT: qnn.binary mul %arg0, %[[C]]
// CHECK-NEXT: return
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qnn.constant dense<[4.0, 16.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.unary sqrt %a : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.binary mul %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// A small tensor expanded to a large one stays an expand.
// CHECK-LABEL: func @growth
// CHECK: qnn.expand
func.func @growth() -> tensor<256x256xf32> {
  %a = qnn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.reshape %a : (tensor<2x1xf32>) -> tensor<2xf32>
  %s = qnn.slice %0 {starts = array<i64: 1>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<2xf32>) -> tensor<1xf32>
  %1 = qnn.expand %s {shape = array<i64: 256, 256>} : (tensor<1xf32>) -> tensor<256x256xf32>
  return %1 : tensor<256x256xf32>
}

// -----

!w = !quant.uniform<i8:f32:0, {5.000000e-01, 2.000000e+00}>

// Quantized weights stay quantized for a product; where nothing can use that,
// the floats are computed.
// CHECK-LABEL: func @dequantize
// CHECK: %[[D:.*]] = qnn.dequantize
// CHECK: qnn.matmul %arg0, %[[D]]
// CHECK: %[[F:.*]] = qnn.constant dense<{{\[\[}}5.000000e-01, 1.000000e+00], [6.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>
// CHECK: qnn.select %arg1, %arg0, %[[F]]
// ALL-LABEL: func @dequantize
// ALL-NOT: qnn.dequantize
// ALL: qnn.matmul
func.func @dequantize(%x: tensor<2x2xf32>, %c: tensor<2x2xi1>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %q = qnn.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!w>
  %0 = qnn.dequantize %q : (tensor<2x2x!w>) -> tensor<2x2xf32>
  %1 = qnn.matmul %x, %0 {transpose_rhs} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.dequantize %q : (tensor<2x2x!w>) -> tensor<2x2xf32>
  %3 = qnn.select %c, %x, %2 : (tensor<2x2xi1>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1, %3 : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 5.000000e-01:128>

// Fake-quantized weights: half to even, saturated.
// CHECK-LABEL: func @quantize
// CHECK: %[[Q:.*]] = qnn.constant dense<[130, 130, 0, 255]> : tensor<4xui8> as tensor<4x!quant.uniform<u8:f32, 5.000000e-01:128>>
// CHECK: %[[D:.*]] = qnn.dequantize %[[Q]]
// CHECK: qnn.binary mul %arg0, %[[D]]
func.func @quantize(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = qnn.constant dense<[0.75, 1.25, -1000.0, 1000.0]> : tensor<4xf32> as tensor<4xf32>
  %0 = qnn.quantize %w : (tensor<4xf32>) -> tensor<4x!q>
  %1 = qnn.dequantize %0 : (tensor<4x!q>) -> tensor<4xf32>
  %2 = qnn.binary mul %x, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// Without a runner, what the evaluator cannot compute stays; a product is left
// as it is, and so is what is not pure.
// CHECK-LABEL: func @stays
// CHECK: qnn.softmax
// CHECK: qnn.observe
func.func @stays() -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qnn.constant dense<[1.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.softmax %a {axis = 0 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.observe %a as "a" : tensor<2xf32> -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
