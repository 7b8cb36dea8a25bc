// Float products around a softmax whose factors are rounded to 16 bits.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @' | FileCheck %s
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=baseline})' | grep -E '@main|call @' | FileCheck %s --check-prefix=BASE
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=dotprod})' | grep -E '@main|call @' | FileCheck %s --check-prefix=ARM

// The result is quantized while the model runs, behind a transposition and a
// function: the mean key, words of two, and a scale for each key and each column of v. On
// arm64 there is nothing to gain.
// CHECK-LABEL: func.func @main
// CHECK: call @centers_0({{.*}} : (memref<1x100x2x64xf32>, memref<128xf32>, index, index) -> ()
// CHECK-NEXT: call @pack_i16_0({{.*}} : (memref<1x100x2x64xf32>, memref<7168xi32>, memref<224xf32>, memref<128xf32>, index, index) -> ()
// CHECK-NEXT: call @pack_i16_1({{.*}} : (memref<1x100x2x64xf32>, memref<6400xi32>, memref<128xf32>, index, index) -> ()
// CHECK-NEXT: call @attention_0({{.*}} : (memref<1x100x2x64xf32>, memref<1x100x2x64xf32>, memref<128xf32>, memref<7168xi32>, memref<224xf32>, memref<6400xi32>, memref<128xf32>,
// BASE: call @pack_i16_0
// ARM-NOT: pack_i16
func.func @main(%q: tensor<1x100x2x64xf32> {qnn.name = "q"}, %k: tensor<1x100x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x100x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x100x2x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x64x100xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x100x64xf32>) -> tensor<1x100x2x64xf32>
  %7 = qnn.unary tanh %6 : (tensor<1x100x2x64xf32>) -> tensor<1x100x2x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %7 : (tensor<1x100x2x64xf32>) -> (tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>
}

// -----

// Floats that are left floats.
// CHECK-LABEL: func.func @main
// CHECK-NOT: pack_i16
// CHECK: call @attention_0
func.func @main(%q: tensor<1x100x2x64xf32> {qnn.name = "q"}, %k: tensor<1x100x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x100x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x100x2x64xf32> {qnn.name = "y"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x64x100xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x100x64xf32>) -> tensor<1x100x2x64xf32>
  return %6 : tensor<1x100x2x64xf32>
}

// -----

// The attribute that -attention=float sets.
// CHECK-LABEL: func.func @main
// CHECK-NOT: pack_i16
// CHECK: call @attention_0
module attributes {qcc.attention = "float"} {
func.func @main(%q: tensor<1x100x2x64xf32> {qnn.name = "q"}, %k: tensor<1x100x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x100x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x100x2x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x64x100xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x100x64xf32>) -> tensor<1x100x2x64xf32>
  %7 = qnn.unary tanh %6 : (tensor<1x100x2x64xf32>) -> tensor<1x100x2x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %7 : (tensor<1x100x2x64xf32>) -> (tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>
}
}

// -----

// That of -attention=int16.
// CHECK-LABEL: func.func @main
// CHECK: call @pack_i16_0
// CHECK: call @attention_0
module attributes {qcc.attention = "int16"} {
func.func @main(%q: tensor<1x100x2x64xf32> {qnn.name = "q"}, %k: tensor<1x100x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x100x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x100x2x64xf32> {qnn.name = "y"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x64x100xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x100x64xf32>) -> tensor<1x100x2x64xf32>
  return %6 : tensor<1x100x2x64xf32>
}
}

// -----

// More keys than 16 bits leave 65 dB for.
// CHECK-LABEL: func.func @main
// CHECK-NOT: pack_i16
// CHECK: call @attention_0
module attributes {qcc.attention = "int16"} {
func.func @main(%q: tensor<1x1025x2x64xf32> {qnn.name = "q"}, %k: tensor<1x1025x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x1025x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x1025x2x64xf32> {qnn.name = "y"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x1025x2x64xf32>) -> tensor<1x2x1025x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x1025x2x64xf32>) -> tensor<1x2x64x1025xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x1025x2x64xf32>) -> tensor<1x2x1025x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x1025x64xf32>, tensor<1x2x64x1025xf32>) -> tensor<1x2x1025x1025xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x1025x1025xf32>) -> tensor<1x2x1025x1025xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x1025x1025xf32>, tensor<1x2x1025x64xf32>) -> tensor<1x2x1025x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x1025x64xf32>) -> tensor<1x1025x2x64xf32>
  return %6 : tensor<1x1025x2x64xf32>
}
}

// -----

// So few keys that rounding would cost more than it gains.
// CHECK-LABEL: func.func @main
// CHECK-NOT: pack_i16
// CHECK: call @attention_0
func.func @main(%q: tensor<1x47x2x64xf32> {qnn.name = "q"}, %k: tensor<1x47x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x47x2x64xf32> {qnn.name = "v"})
    -> (tensor<1x47x2x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x47x2x64xf32>) -> tensor<1x2x47x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x47x2x64xf32>) -> tensor<1x2x64x47xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x47x2x64xf32>) -> tensor<1x2x47x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x47x64xf32>, tensor<1x2x64x47xf32>) -> tensor<1x2x47x47xf32>
  %4 = qnn.softmax %3 {axis = 3 : i64} : (tensor<1x2x47x47xf32>) -> tensor<1x2x47x47xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x47x47xf32>, tensor<1x2x47x64xf32>) -> tensor<1x2x47x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x47x64xf32>) -> tensor<1x47x2x64xf32>
  %7 = qnn.unary tanh %6 : (tensor<1x47x2x64xf32>) -> tensor<1x47x2x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %7 : (tensor<1x47x2x64xf32>) -> (tensor<1x47x2x64xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x47x2x64xui8>, tensor<f32>, tensor<ui8>
}
