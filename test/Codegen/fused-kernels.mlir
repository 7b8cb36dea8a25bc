// Which elementwise ops a kernel takes over: the calls of @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @|return' | FileCheck %s

// Scale, mask and quantization go into the product; the softmax dequantizes its
// input itself.
// CHECK-LABEL: func.func @main
// CHECK: call @pack_0
// CHECK-NEXT: call @matmul_0
// CHECK-NEXT: call @softmax_0
// CHECK-NEXT: return
func.func @main(%q: tensor<2x20x64xf32> {qnn.name = "q"}, %k: tensor<2x64x20xf32> {qnn.name = "k"},
                %mask: tensor<20xf32> {qnn.name = "mask"}) -> (tensor<2x20x20xf32> {qnn.name = "y"}) {
  %c = qnn.constant dense<8.0> : tensor<f32> as tensor<f32>
  %0 = qnn.matmul %q, %k : (tensor<2x20x64xf32>, tensor<2x64x20xf32>) -> tensor<2x20x20xf32>
  %1 = qnn.binary div %0, %c : (tensor<2x20x20xf32>, tensor<f32>) -> tensor<2x20x20xf32>
  %2 = qnn.binary add %1, %mask : (tensor<2x20x20xf32>, tensor<20xf32>) -> tensor<2x20x20xf32>
  %3 = qnn.quantize %2 : (tensor<2x20x20xf32>) -> tensor<2x20x20x!quant.uniform<u8:f32, 0.1:128>>
  %4 = qnn.dequantize %3 : (tensor<2x20x20x!quant.uniform<u8:f32, 0.1:128>>) -> tensor<2x20x20xf32>
  %5 = qnn.softmax %4 {axis = 2 : i64} : (tensor<2x20x20xf32>) -> tensor<2x20x20xf32>
  return %5 : tensor<2x20x20xf32>
}

// -----

// What is used twice is stored: both the sum and what is dequantized.
// CHECK-LABEL: func.func @main
// CHECK: call @dequantize_0
// CHECK-NEXT: call @normalize_0
// CHECK-NEXT: call @relu_0
// CHECK-NEXT: call @add_0
// CHECK-NEXT: return
func.func @main(%x: tensor<5x32x!quant.uniform<u8:f32, 0.1:128>> {qnn.name = "x"})
    -> (tensor<5x32xf32> {qnn.name = "y"}, tensor<5x32xf32> {qnn.name = "z"}) {
  %0 = qnn.dequantize %x : (tensor<5x32x!quant.uniform<u8:f32, 0.1:128>>) -> tensor<5x32xf32>
  %1 = qnn.normalize %0 {axes = array<i64: 1>, epsilon = 1.0e-5 : f32} : (tensor<5x32xf32>) -> tensor<5x32xf32>
  %2 = qnn.unary relu %1 : (tensor<5x32xf32>) -> tensor<5x32xf32>
  %3 = qnn.binary add %1, %0 : (tensor<5x32xf32>, tensor<5x32xf32>) -> tensor<5x32xf32>
  return %2, %3 : tensor<5x32xf32>, tensor<5x32xf32>
}

// -----

// A kernel notes the range of what is quantized by a scale known at run time;
// behind other kernels one looks for it.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: call @normalize_0({{.*}} : (memref<5x32xf32>, memref<5x32xf32>, memref<1x2xf32>, index, index) -> ()
// CHECK-NEXT: call @dynamic_quantize_0
// CHECK-NEXT: call @matmul_integer_0({{.*}} memref<2xf32>,{{.*}} memref<1x2xf32>, index, index) -> ()
// CHECK-NEXT: call @dynamic_quantize_1
// CHECK-NEXT: call @range_0
// CHECK-NEXT: call @dynamic_quantize_0
// CHECK-NEXT: return
func.func @main(%x: tensor<5x32xf32> {qnn.name = "x"}, %c: tensor<2xf32> {qnn.name = "c"})
    -> (tensor<10xui8> {qnn.name = "y"}, tensor<5x32xui8> {qnn.name = "v"}) {
  %w = qnn.constant dense<1> : tensor<32x2xi8> as tensor<32x2xi8>
  %0 = qnn.normalize %x {axes = array<i64: 1>, epsilon = 1.0e-5 : f32} : (tensor<5x32xf32>) -> tensor<5x32xf32>
  %1, %s, %z = qnn.dynamic_quantize %0 : (tensor<5x32xf32>) -> (tensor<5x32xui8>, tensor<f32>, tensor<ui8>)
  %2 = qnn.matmul_integer %1, %w, %z : (tensor<5x32xui8>, tensor<32x2xi8>, tensor<ui8>) -> tensor<5x2xi32>
  %3 = qnn.cast %2 : (tensor<5x2xi32>) -> tensor<5x2xf32>
  %4 = qnn.binary add %3, %c : (tensor<5x2xf32>, tensor<2xf32>) -> tensor<5x2xf32>
  %5 = qnn.reshape %4 : (tensor<5x2xf32>) -> tensor<10xf32>
  %6, %s2, %z2 = qnn.dynamic_quantize %5 : (tensor<10xf32>) -> (tensor<10xui8>, tensor<f32>, tensor<ui8>)
  %7, %s3, %z3 = qnn.dynamic_quantize %x : (tensor<5x32xf32>) -> (tensor<5x32xui8>, tensor<f32>, tensor<ui8>)
  return %6, %7 : tensor<10xui8>, tensor<5x32xui8>
}

// -----

// A sum of two products belongs to the later one, which finds the other stored.
// CHECK-LABEL: func.func @main
// CHECK: call @pack_0
// CHECK-NEXT: call @matmul_0
// CHECK-NEXT: call @pack_0
// CHECK-NEXT: call @matmul_1
// CHECK-NEXT: return
func.func @main(%a: tensor<4x16xf32> {qnn.name = "a"}, %b: tensor<16x24xf32> {qnn.name = "b"},
                %d: tensor<16x24xf32> {qnn.name = "d"}) -> (tensor<4x24xf32> {qnn.name = "y"}) {
  %0 = qnn.matmul %a, %b : (tensor<4x16xf32>, tensor<16x24xf32>) -> tensor<4x24xf32>
  %1 = qnn.matmul %a, %d : (tensor<4x16xf32>, tensor<16x24xf32>) -> tensor<4x24xf32>
  %2 = qnn.binary sub %0, %1 : (tensor<4x24xf32>, tensor<4x24xf32>) -> tensor<4x24xf32>
  return %2 : tensor<4x24xf32>
}

// -----

// Dynamic quantization: the cast, both scales, the bias and GELU behind sums
// whose zero point is known at run time; packed weights are a constant.
// CHECK-LABEL: func.func @main
// CHECK-NOT: call @pack
// CHECK: call @matmul_integer_0
// CHECK-NEXT: return
func.func @main(%x: tensor<5x32xui8> {qnn.name = "x"}, %z: tensor<ui8> {qnn.name = "z"},
                %s: tensor<f32> {qnn.name = "s"}) -> (tensor<5x3xf32> {qnn.name = "y"}) {
  %w = qnn.constant dense<1> : tensor<32x3xi8> as tensor<32x3xi8>
  %c = qnn.constant dense<[0.1, 0.2, 0.3]> : tensor<3xf32> as tensor<3xf32>
  %0 = qnn.matmul_integer %x, %w, %z : (tensor<5x32xui8>, tensor<32x3xi8>, tensor<ui8>) -> tensor<5x3xi32>
  %1 = qnn.cast %0 : (tensor<5x3xi32>) -> tensor<5x3xf32>
  %2 = qnn.binary mul %1, %s : (tensor<5x3xf32>, tensor<f32>) -> tensor<5x3xf32>
  %3 = qnn.binary mul %2, %c : (tensor<5x3xf32>, tensor<3xf32>) -> tensor<5x3xf32>
  %4 = qnn.binary add %3, %c {activation = #qnn.act<gelu, 0.0 : f32, 0.0 : f32>} : (tensor<5x3xf32>, tensor<3xf32>) -> tensor<5x3xf32>
  return %4 : tensor<5x3xf32>
}
