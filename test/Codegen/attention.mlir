// Products around a softmax: the calls of @main.
// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qcc-generate-kernels{level=avx512-vnni})' | grep -E '@main|call @|memref.alloc|return' | FileCheck %s

// Heads as projections leave them: transpositions are read and written through,
// scale and mask are the kernel's. No scores are stored.
// CHECK-LABEL: func.func @main
// CHECK-NOT: memref<1x2x197x197xf32>
// CHECK: call @pack_0({{.*}} : (memref<1x197x2x64xf32>, memref<26624xf32>, index, index) -> ()
// CHECK-NEXT: memref.alloc
// CHECK-NEXT: call @pack_1({{.*}} : (memref<1x197x2x64xf32>, memref<25216xf32>, index, index) -> ()
// CHECK-NEXT: call @attention_0({{.*}} : (memref<1x197x2x64xf32>, memref<1x197x2x64xf32>, memref<26624xf32>, memref<25216xf32>, memref<f32>, memref<1x1x197x197xf32>, index, index) -> ()
// CHECK-NEXT: return
func.func @main(%q: tensor<1x197x2x64xf32> {qnn.name = "q"}, %k: tensor<1x197x2x64xf32> {qnn.name = "k"},
                %v: tensor<1x197x2x64xf32> {qnn.name = "v"}, %mask: tensor<1x1x197x197xf32> {qnn.name = "mask"})
    -> (tensor<1x197x128xf32> {qnn.name = "y"}) {
  %c = qnn.constant dense<8.0> : tensor<f32> as tensor<f32>
  %0 = qnn.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x197x2x64xf32>) -> tensor<1x2x197x64xf32>
  %1 = qnn.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x197x2x64xf32>) -> tensor<1x2x64x197xf32>
  %2 = qnn.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x197x2x64xf32>) -> tensor<1x2x197x64xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2x197x64xf32>, tensor<1x2x64x197xf32>) -> tensor<1x2x197x197xf32>
  %4 = qnn.binary div %3, %c : (tensor<1x2x197x197xf32>, tensor<f32>) -> tensor<1x2x197x197xf32>
  %5 = qnn.binary add %4, %mask : (tensor<1x2x197x197xf32>, tensor<1x1x197x197xf32>) -> tensor<1x2x197x197xf32>
  %6 = qnn.softmax %5 {axis = 3 : i64} : (tensor<1x2x197x197xf32>) -> tensor<1x2x197x197xf32>
  %7 = qnn.matmul %6, %2 : (tensor<1x2x197x197xf32>, tensor<1x2x197x64xf32>) -> tensor<1x2x197x64xf32>
  %8 = qnn.transpose %7 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x2x197x64xf32>) -> tensor<1x197x2x64xf32>
  %9 = qnn.reshape %8 : (tensor<1x197x2x64xf32>) -> tensor<1x197x128xf32>
  return %9 : tensor<1x197x128xf32>
}

// -----

// 8-bit factors; probabilities are rounded to 8 bits on the way, the result at
// the end. Queries of several heads that share keys stand one behind the other.
// CHECK-LABEL: func.func @main
// CHECK-NOT: memref<1x4x20x30xi8>
// CHECK: call @attention_0({{.*}} : (memref<1x2x40x64xi8>, memref<1x2x40x64xi8>,
// CHECK-NEXT: return
func.func @main(%q: tensor<1x2x40x64x!quant.uniform<u8:f32, 0.1:128>> {qnn.name = "q"},
                %k: tensor<1x2x30x64x!quant.uniform<i8:f32, 0.1>> {qnn.name = "k"},
                %v: tensor<1x2x30x64x!quant.uniform<i8:f32, 0.1>> {qnn.name = "v"})
    -> (tensor<1x4x20x64x!quant.uniform<u8:f32, 0.1:128>> {qnn.name = "y"}) {
  %0 = qnn.matmul %q, %k {transpose_rhs} : (tensor<1x2x40x64x!quant.uniform<u8:f32, 0.1:128>>, tensor<1x2x30x64x!quant.uniform<i8:f32, 0.1>>) -> tensor<1x2x40x30xf32>
  %1 = qnn.reshape %0 : (tensor<1x2x40x30xf32>) -> tensor<1x4x20x30xf32>
  %2 = qnn.softmax %1 {axis = 3 : i64} : (tensor<1x4x20x30xf32>) -> tensor<1x4x20x30xf32>
  %3 = qnn.quantize %2 : (tensor<1x4x20x30xf32>) -> tensor<1x4x20x30x!quant.uniform<u8:f32, 0.0039>>
  %4 = qnn.reshape %3 : (tensor<1x4x20x30x!quant.uniform<u8:f32, 0.0039>>) -> tensor<1x2x40x30x!quant.uniform<u8:f32, 0.0039>>
  %5 = qnn.matmul %4, %v : (tensor<1x2x40x30x!quant.uniform<u8:f32, 0.0039>>, tensor<1x2x30x64x!quant.uniform<i8:f32, 0.1>>) -> tensor<1x2x40x64x!quant.uniform<u8:f32, 0.1:128>>
  %6 = qnn.reshape %5 : (tensor<1x2x40x64x!quant.uniform<u8:f32, 0.1:128>>) -> tensor<1x4x20x64x!quant.uniform<u8:f32, 0.1:128>>
  return %6 : tensor<1x4x20x64x!quant.uniform<u8:f32, 0.1:128>>
}

// -----

// Probabilities that something else reads are stored.
// CHECK-LABEL: func.func @main
// CHECK: call @matmul_0
// CHECK: call @softmax_0
// CHECK: call @matmul_1
func.func @main(%q: tensor<2x20x64xf32> {qnn.name = "q"}, %k: tensor<2x64x20xf32> {qnn.name = "k"},
                %v: tensor<2x20x64xf32> {qnn.name = "v"})
    -> (tensor<2x20x20xf32> {qnn.name = "p"}, tensor<2x20x64xf32> {qnn.name = "y"}) {
  %0 = qnn.matmul %q, %k : (tensor<2x20x64xf32>, tensor<2x64x20xf32>) -> tensor<2x20x20xf32>
  %1 = qnn.softmax %0 {axis = 2 : i64} : (tensor<2x20x20xf32>) -> tensor<2x20x20xf32>
  %2 = qnn.matmul %1, %v : (tensor<2x20x20xf32>, tensor<2x20x64xf32>) -> tensor<2x20x64xf32>
  return %1, %2 : tensor<2x20x20xf32>, tensor<2x20x64xf32>
}

// -----

// One transposition is read through, although both products read it; rows that
// another one takes apart are moved, and so are those that a sum reads, too.
// CHECK-LABEL: func.func @main
// CHECK: call @transpose_0({{.*}} : (memref<2x16x24xf32>, memref<24x2x16xf32>
// CHECK: call @transpose_1({{.*}} : (memref<24x2x16xf32>, memref<2x24x16xf32>
// CHECK-NOT: call @transpose
// CHECK: call @matmul_0({{.*}} : (memref<24x2x16xf32>,
// CHECK-NOT: call @transpose
// CHECK: call @matmul_1({{.*}} : (memref<24x2x16xf32>,
func.func @main(%a: tensor<24x2x16xf32> {qnn.name = "a"}, %b: tensor<2x16x24xf32> {qnn.name = "b"})
    -> (tensor<2x24x24xf32> {qnn.name = "y"}, tensor<2x24x24xf32> {qnn.name = "z"}, tensor<2x24x16xf32> {qnn.name = "s"}) {
  %0 = qnn.transpose %a {permutation = array<i64: 1, 0, 2>} : (tensor<24x2x16xf32>) -> tensor<2x24x16xf32>
  %1 = qnn.transpose %b {permutation = array<i64: 2, 0, 1>} : (tensor<2x16x24xf32>) -> tensor<24x2x16xf32>
  %2 = qnn.binary add %a, %1 : (tensor<24x2x16xf32>, tensor<24x2x16xf32>) -> tensor<24x2x16xf32>
  %3 = qnn.transpose %2 {permutation = array<i64: 1, 0, 2>} : (tensor<24x2x16xf32>) -> tensor<2x24x16xf32>
  %4 = qnn.unary relu %3 : (tensor<2x24x16xf32>) -> tensor<2x24x16xf32>
  %5 = qnn.matmul %0, %b : (tensor<2x24x16xf32>, tensor<2x16x24xf32>) -> tensor<2x24x24xf32>
  %6 = qnn.matmul %0, %4 {transpose_rhs} : (tensor<2x24x16xf32>, tensor<2x24x16xf32>) -> tensor<2x24x24xf32>
  return %5, %6, %3 : tensor<2x24x24xf32>, tensor<2x24x24xf32>, tensor<2x24x16xf32>
}
