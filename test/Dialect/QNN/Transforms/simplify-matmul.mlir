// RUN: qcc-opt %s -qnn-simplify-matmul -split-input-file | FileCheck %s

// CHECK-LABEL: func @transposes
// CHECK: qnn.matmul %arg0, %arg1 {transpose_lhs, transpose_rhs}
// CHECK: %[[W:.*]] = qnn.slice
// CHECK: qnn.matmul %arg1, %[[W]] :
// CHECK-NEXT: return
func.func @transposes(%x: tensor<5x3x2xf32>, %y: tensor<4x3xf32>) -> (tensor<5x2x4xf32>, tensor<4x3xf32>) {
  %0 = qnn.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<5x3x2xf32>) -> tensor<5x2x3xf32>
  %1 = qnn.transpose %y {permutation = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %2 = qnn.matmul %0, %1 : (tensor<5x2x3xf32>, tensor<3x4xf32>) -> tensor<5x2x4xf32>
  %z = qnn.transpose %y {permutation = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %w = qnn.slice %y {starts = array<i64: 0, 0>, sizes = array<i64: 3, 3>, steps = array<i64: 1, 1>} : (tensor<4x3xf32>) -> tensor<3x3xf32>
  %3 = qnn.matmul %z, %w {transpose_lhs} : (tensor<3x4xf32>, tensor<3x3xf32>) -> tensor<4x3xf32>
  return %2, %3 : tensor<5x2x4xf32>, tensor<4x3xf32>
}

// -----

// CHECK-LABEL: func @bias
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[Q:.*]] = qnn.dequantize
// CHECK-DAG: %[[Y:.*]] = qnn.matmul %arg0, %arg0, %[[B]]
// CHECK-DAG: %[[Z:.*]] = qnn.matmul %arg0, %arg0, %[[Q]]
// CHECK: return %[[Y]], %[[Z]]
func.func @bias(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %b = qnn.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> as tensor<1x2xf32>
  %q = qnn.constant dense<[1, 2]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32, 0.5>>
  %0 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.binary add %b, %0 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.dequantize %q : (tensor<2x!quant.uniform<i32:f32, 0.5>>) -> tensor<2xf32>
  %4 = qnn.binary add %2, %3 : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %1, %4 : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Rows for indices out of range stand at both ends; the bias is in all rows.
// CHECK-LABEL: func @one_hot
// CHECK-DAG: %[[T:.*]] = qnn.constant dense<{{\[\[}}0.000000e+00], [2.000000e+00], [0.000000e+00], [0.000000e+00]]> : tensor<4x1xf32>
// CHECK: %[[I:.*]] = qnn.reshape %arg0 : (tensor<5x1xi32>) -> tensor<5xi32>
// CHECK: %[[LOW:.*]] = qnn.binary max %[[I]]
// CHECK: %[[HIGH:.*]] = qnn.binary min %[[LOW]]
// CHECK: %[[J:.*]] = qnn.binary add %[[HIGH]]
// CHECK: %[[Y:.*]] = qnn.gather %[[T]], %[[J]] {axis = 0 : i64} : (tensor<4x1xf32>, tensor<5xi32>) -> tensor<5x1xf32>
// CHECK-NEXT: return %[[Y]]
func.func @one_hot(%i: tensor<5x1xi32>) -> tensor<5x1xf32> {
  %n = qnn.constant dense<[[0, 1]]> : tensor<1x2xi32> as tensor<1x2xi32>
  %w = qnn.constant dense<[[3.0], [-4.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %b = qnn.constant dense<-1.0> : tensor<1xf32> as tensor<1xf32>
  %0 = qnn.binary eq %i, %n : (tensor<5x1xi32>, tensor<1x2xi32>) -> tensor<5x2xi1>
  %1 = qnn.cast %0 : (tensor<5x2xi1>) -> tensor<5x2xf32>
  %2 = qnn.matmul %1, %w, %b {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<5x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<5x1xf32>
  return %2 : tensor<5x1xf32>
}

// -----

// No counter from 0.
// CHECK-LABEL: func @no_one_hot
// CHECK: qnn.matmul
func.func @no_one_hot(%i: tensor<5x1xi32>) -> tensor<5x1xf32> {
  %n = qnn.constant dense<[[1, 2]]> : tensor<1x2xi32> as tensor<1x2xi32>
  %w = qnn.constant dense<[[3.0], [-4.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.binary eq %i, %n : (tensor<5x1xi32>, tensor<1x2xi32>) -> tensor<5x2xi1>
  %1 = qnn.cast %0 : (tensor<5x2xi1>) -> tensor<5x2xf32>
  %2 = qnn.matmul %1, %w : (tensor<5x2xf32>, tensor<2x1xf32>) -> tensor<5x1xf32>
  return %2 : tensor<5x1xf32>
}

// -----

// Another permutation; a constant per row; an addition with another user of
// the product; a bias that is there already; one that is not constant.
// CHECK-LABEL: func @stays
// CHECK: qnn.transpose
// CHECK-COUNT-4: qnn.binary add
func.func @stays(%x: tensor<2x2xf32>, %t: tensor<2x3x2xf32>, %v: tensor<2xf32>) -> (tensor<3x2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = qnn.transpose %t {permutation = array<i64: 1, 0, 2>} : (tensor<2x3x2xf32>) -> tensor<3x2x2xf32>
  %1 = qnn.matmul %0, %x : (tensor<3x2x2xf32>, tensor<2x2xf32>) -> tensor<3x2x2xf32>
  %rows = qnn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %columns = qnn.constant dense<[1.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
  %2 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.binary add %2, %rows : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %4 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = qnn.binary add %4, %columns : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %6 = qnn.matmul %x, %x, %v : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %7 = qnn.binary add %6, %columns : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %8 = qnn.matmul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %9 = qnn.binary add %8, %v : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %1, %3, %4, %5, %7, %9 : tensor<3x2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Two query heads to a key: their rows are taken together.
// CHECK-LABEL: func @grouped
// CHECK: %[[Q:.*]] = qnn.reshape %arg0 : (tensor<1x4x5x8xf32>) -> tensor<1x2x10x8xf32>
// CHECK: %[[P:.*]] = qnn.matmul %[[Q]], %arg1 {transpose_rhs}
// CHECK: %[[Y:.*]] = qnn.reshape %[[P]] : (tensor<1x2x10x3xf32>) -> tensor<1x4x5x3xf32>
// CHECK: return %[[Y]]
func.func @grouped(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x3x8xf32>) -> tensor<1x4x5x3xf32> {
  %0 = qnn.reshape %k : (tensor<1x2x3x8xf32>) -> tensor<1x2x1x3x8xf32>
  %1 = qnn.expand %0 {shape = array<i64: 1, 2, 2, 3, 8>} : (tensor<1x2x1x3x8xf32>) -> tensor<1x2x2x3x8xf32>
  %2 = qnn.reshape %1 : (tensor<1x2x2x3x8xf32>) -> tensor<1x4x3x8xf32>
  %3 = qnn.matmul %q, %2 {transpose_rhs} : (tensor<1x4x5x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x5x3xf32>
  return %3 : tensor<1x4x5x3xf32>
}

// -----

// Each matrix once more behind all of them is another order.
// CHECK-LABEL: func @tiled
// CHECK: qnn.matmul %arg0, %{{.*}} : (tensor<4x5x8xf32>, tensor<4x8x3xf32>)
func.func @tiled(%q: tensor<4x5x8xf32>, %k: tensor<1x2x8x3xf32>) -> tensor<4x5x3xf32> {
  %0 = qnn.expand %k {shape = array<i64: 2, 2, 8, 3>} : (tensor<1x2x8x3xf32>) -> tensor<2x2x8x3xf32>
  %1 = qnn.reshape %0 : (tensor<2x2x8x3xf32>) -> tensor<4x8x3xf32>
  %2 = qnn.matmul %q, %1 : (tensor<4x5x8xf32>, tensor<4x8x3xf32>) -> tensor<4x5x3xf32>
  return %2 : tensor<4x5x3xf32>
}
