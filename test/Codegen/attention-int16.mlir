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

// -----

// What a mask leaves out would take steps from the rest.
// CHECK-LABEL: func.func @main
// CHECK-NOT: pack_i16
// CHECK: call @attention_0
func.func @main(%q: tensor<1x100x2x64xf32> {qnn.name = "q"}, %k: tensor<1x100x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x100x2x64xf32> {qnn.name = "v"}, %m: tensor<1x1x1x100xf32> {qnn.name = "m"})
    -> (tensor<1x100x2x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x64x100xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x100x2x64xf32>) -> tensor<1x2x100x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %b = qnn.binary add %3, %m : (tensor<1x2x100x100xf32>, tensor<1x1x1x100xf32>) -> tensor<1x2x100x100xf32>
  %4 = qnn.softmax %b {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %5 = qnn.matmul %4, %2 : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x100x64xf32>) -> tensor<1x100x2x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %6 : (tensor<1x100x2x64xf32>) -> (tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x100x2x64xui8>, tensor<f32>, tensor<ui8>
}

// -----

// Chains behind attention that part and meet are walked once.
// CHECK-LABEL: func.func @main
// CHECK: call @pack_i16_0
func.func @main(%q: tensor<1x2x100x64xf32> {qnn.name = "q"}, %k: tensor<1x2x64x100xf32> {qnn.name = "k"},
                %v: tensor<1x2x100x64xf32> {qnn.name = "v"})
    -> (tensor<1x2x100x64xui8> {qnn.name = "y"}, tensor<f32> {qnn.name = "s"}, tensor<ui8> {qnn.name = "z"}) {
  %p = qnn.matmul %q, %k : (tensor<1x2x100x64xf32>, tensor<1x2x64x100xf32>) -> tensor<1x2x100x100xf32>
  %e = qnn.softmax %p {axis = 3 : i64} : (tensor<1x2x100x100xf32>) -> tensor<1x2x100x100xf32>
  %x0 = qnn.matmul %e, %v : (tensor<1x2x100x100xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t0 = qnn.unary tanh %x0 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x1 = qnn.binary add %x0, %t0 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t1 = qnn.unary tanh %x1 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x2 = qnn.binary add %x1, %t1 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t2 = qnn.unary tanh %x2 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x3 = qnn.binary add %x2, %t2 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t3 = qnn.unary tanh %x3 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x4 = qnn.binary add %x3, %t3 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t4 = qnn.unary tanh %x4 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x5 = qnn.binary add %x4, %t4 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t5 = qnn.unary tanh %x5 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x6 = qnn.binary add %x5, %t5 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t6 = qnn.unary tanh %x6 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x7 = qnn.binary add %x6, %t6 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t7 = qnn.unary tanh %x7 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x8 = qnn.binary add %x7, %t7 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t8 = qnn.unary tanh %x8 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x9 = qnn.binary add %x8, %t8 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t9 = qnn.unary tanh %x9 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x10 = qnn.binary add %x9, %t9 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t10 = qnn.unary tanh %x10 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x11 = qnn.binary add %x10, %t10 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t11 = qnn.unary tanh %x11 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x12 = qnn.binary add %x11, %t11 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t12 = qnn.unary tanh %x12 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x13 = qnn.binary add %x12, %t12 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t13 = qnn.unary tanh %x13 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x14 = qnn.binary add %x13, %t13 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t14 = qnn.unary tanh %x14 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x15 = qnn.binary add %x14, %t14 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t15 = qnn.unary tanh %x15 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x16 = qnn.binary add %x15, %t15 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t16 = qnn.unary tanh %x16 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x17 = qnn.binary add %x16, %t16 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t17 = qnn.unary tanh %x17 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x18 = qnn.binary add %x17, %t17 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t18 = qnn.unary tanh %x18 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x19 = qnn.binary add %x18, %t18 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t19 = qnn.unary tanh %x19 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x20 = qnn.binary add %x19, %t19 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t20 = qnn.unary tanh %x20 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x21 = qnn.binary add %x20, %t20 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t21 = qnn.unary tanh %x21 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x22 = qnn.binary add %x21, %t21 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t22 = qnn.unary tanh %x22 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x23 = qnn.binary add %x22, %t22 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t23 = qnn.unary tanh %x23 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x24 = qnn.binary add %x23, %t23 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t24 = qnn.unary tanh %x24 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x25 = qnn.binary add %x24, %t24 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t25 = qnn.unary tanh %x25 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x26 = qnn.binary add %x25, %t25 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t26 = qnn.unary tanh %x26 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x27 = qnn.binary add %x26, %t26 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t27 = qnn.unary tanh %x27 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x28 = qnn.binary add %x27, %t27 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t28 = qnn.unary tanh %x28 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x29 = qnn.binary add %x28, %t28 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t29 = qnn.unary tanh %x29 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x30 = qnn.binary add %x29, %t29 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t30 = qnn.unary tanh %x30 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x31 = qnn.binary add %x30, %t30 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t31 = qnn.unary tanh %x31 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x32 = qnn.binary add %x31, %t31 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t32 = qnn.unary tanh %x32 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x33 = qnn.binary add %x32, %t32 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t33 = qnn.unary tanh %x33 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x34 = qnn.binary add %x33, %t33 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t34 = qnn.unary tanh %x34 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x35 = qnn.binary add %x34, %t34 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t35 = qnn.unary tanh %x35 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x36 = qnn.binary add %x35, %t35 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t36 = qnn.unary tanh %x36 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x37 = qnn.binary add %x36, %t36 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t37 = qnn.unary tanh %x37 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x38 = qnn.binary add %x37, %t37 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t38 = qnn.unary tanh %x38 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x39 = qnn.binary add %x38, %t38 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %t39 = qnn.unary tanh %x39 : (tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %x40 = qnn.binary add %x39, %t39 : (tensor<1x2x100x64xf32>, tensor<1x2x100x64xf32>) -> tensor<1x2x100x64xf32>
  %y, %s, %z = qnn.dynamic_quantize %x40 : (tensor<1x2x100x64xf32>) -> (tensor<1x2x100x64xui8>, tensor<f32>, tensor<ui8>)
  return %y, %s, %z : tensor<1x2x100x64xui8>, tensor<f32>, tensor<ui8>
}
