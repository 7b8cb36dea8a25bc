// GELU is as exact as what follows needs it: roughly where nothing is seen of its
// results but bytes with a scale chosen at run time, by the reference kernels, too.

// RUN: qcc-opt %s -split-input-file -qcc-generate-kernels=level=avx512-vnni | FileCheck %s
// RUN: qcc-opt %s -split-input-file -convert-qnn-to-kernels | FileCheck %s

// The logarithm's first coefficient tells which it is.
// CHECK-LABEL: func.func private @{{(elementwise|gelu)}}_0
// CHECK-NOT: -1.1511
// CHECK: arith.constant{{.*}} -1.1500
// CHECK-NOT: -1.1511
// CHECK: func.func @main
func.func @main(%x: tensor<40x64xf32> {qnn.name = "x"})
    -> (tensor<1x2560xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.unary gelu %x : (tensor<40x64xf32>) -> tensor<40x64xf32>
  %1 = qnn.reshape %0 : (tensor<40x64xf32>) -> tensor<1x2560xf32>
  %y, %s, %z = qnn.dynamic_quantize %1 : (tensor<1x2560xf32>) -> (tensor<1x2560xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x2560xui8>, tensor<f32>, tensor<ui8>
}

// -----

// The floats are an output, too.
// CHECK-LABEL: func.func private @{{(elementwise|gelu)}}_0
// CHECK: -1.1511
// CHECK: func.func @main
func.func @main(%x: tensor<40x64xf32> {qnn.name = "x"})
    -> (tensor<40x64xf32> {qnn.name = "g"}, tensor<40x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.unary gelu %x : (tensor<40x64xf32>) -> tensor<40x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %0 : (tensor<40x64xf32>) -> (tensor<40x64xui8>, tensor<f32>, tensor<ui8>)
  return %0, %y, %s, %z : tensor<40x64xf32>, tensor<40x64xui8>, tensor<f32>, tensor<ui8>
}

// -----

// Behind a product, as a function of its own or that of an addition.
// CHECK-NOT: -1.1511
// CHECK: func.func @main
func.func @main(%x: tensor<40x64xui8> {qnn.name = "x"}, %w: tensor<64x16xi8> {qnn.name = "w"}, %b: tensor<16xf32> {qnn.name = "b"})
    -> (tensor<40x16xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.matmul_integer %x, %w : (tensor<40x64xui8>, tensor<64x16xi8>) -> tensor<40x16xi32>
  %1 = qnn.cast %0 : (tensor<40x16xi32>) -> tensor<40x16xf32>
  %2 = qnn.binary add %1, %b {activation = #qnn.act<gelu, 0.0 : f32, 0.0 : f32>} : (tensor<40x16xf32>, tensor<16xf32>) -> tensor<40x16xf32>
  %y, %s, %z = qnn.dynamic_quantize %2 : (tensor<40x16xf32>) -> (tensor<40x16xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<40x16xui8>, tensor<f32>, tensor<ui8>
}
