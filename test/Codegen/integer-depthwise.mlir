// Depthwise convolutions of bytes whose zero point is known at run time.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | grep -E '@main|call @' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=dotprod})' | grep -E '@main|call @' | FileCheck %s

// With all that stands behind, and the range for the next quantization.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @depthwise_integer_0
// CHECK-NEXT: call @dynamic_quantize_0
// CHECK-NOT: call
func.func @main(%x: tensor<1x8x8x48xui8> {qnn.name = "x"}, %z: tensor<ui8> {qnn.name = "zx"},
                %scale: tensor<f32> {qnn.name = "scale"}, %bias: tensor<48xf32> {qnn.name = "bias"})
    -> (tensor<1x8x8x48xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %w = qnn.constant dense<3> : tensor<48x1x3x3xi8> as tensor<48x1x3x3xi8>
  %0 = qnn.conv_integer %x, %w, %z {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 48 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x48xui8>, tensor<48x1x3x3xi8>, tensor<ui8>) -> tensor<1x8x8x48xi32>
  %1 = qnn.cast %0 : (tensor<1x8x8x48xi32>) -> tensor<1x8x8x48xf32>
  %2 = qnn.binary mul %1, %scale : (tensor<1x8x8x48xf32>, tensor<f32>) -> tensor<1x8x8x48xf32>
  %3 = qnn.binary add %2, %bias : (tensor<1x8x8x48xf32>, tensor<48xf32>) -> tensor<1x8x8x48xf32>
  %y, %s, %zy = qnn.dynamic_quantize %3 : (tensor<1x8x8x48xf32>) -> (tensor<1x8x8x48xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %zy : tensor<1x8x8x48xui8>, tensor<f32>, tensor<ui8>
}

// -----

// Sums alone, of signed bytes without a zero point.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @depthwise_integer_0
// CHECK-NOT: call
func.func @main(%x: tensor<1x8x8x80xi8> {qnn.name = "x"}) -> (tensor<1x4x4x80xi32> {qnn.name = "y"}) {
  %w = qnn.constant dense<3> : tensor<80x1x3x3xi8> as tensor<80x1x3x3xi8>
  %0 = qnn.conv_integer %x, %w {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 80 : i64, layout = #qnn<layout nhwc>} : (tensor<1x8x8x80xi8>, tensor<80x1x3x3xi8>) -> tensor<1x4x4x80xi32>
  return %0 : tensor<1x4x4x80xi32>
}

// -----

// Weights that are no signed bytes without their zero point, and parts of vectors.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @conv_integer_0
// CHECK-NEXT: call @conv_integer_1
// CHECK-NOT: call
func.func @main(%x: tensor<1x4x4x16xui8> {qnn.name = "x"}, %u: tensor<1x4x4x8xui8> {qnn.name = "u"})
    -> (tensor<1x4x4x16xi32> {qnn.name = "y"}, tensor<1x4x4x8xi32> {qnn.name = "v"}) {
  %w = qnn.constant dense<200> : tensor<16x1x1x1xui8> as tensor<16x1x1x1xui8>
  %0 = qnn.conv_integer %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 16 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x16xui8>, tensor<16x1x1x1xui8>) -> tensor<1x4x4x16xi32>
  %k = qnn.constant dense<2> : tensor<8x1x1x1xi8> as tensor<8x1x1x1xi8>
  %1 = qnn.conv_integer %u, %k {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 8 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x8xui8>, tensor<8x1x1x1xi8>) -> tensor<1x4x4x8xi32>
  return %0, %1 : tensor<1x4x4x16xi32>, tensor<1x4x4x8xi32>
}
