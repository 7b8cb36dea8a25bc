// RUN: qcc-opt %s -qnn-quantize-dynamic=min-weights=2 -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-quantize-dynamic -split-input-file | FileCheck %s --check-prefix=SMALL

// SMALL-NOT: qnn.matmul_integer

// CHECK-LABEL: func @matmul
// CHECK-SAME: (%[[X:.*]]: tensor<3x2xf32>, %[[R:.*]]: tensor<3x2xf32>)
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[5.000000e+00, 6.000000e+00]>
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[}}127, 0], [-2, 127]]> : tensor<2x2xi8>
// CHECK-DAG: %[[S:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK-DAG: %[[Q:.*]], %[[SX:.*]], %[[Z:.*]] = qnn.dynamic_quantize %[[X]] : (tensor<3x2xf32>) -> (tensor<3x2xui8>, tensor<f32>, tensor<ui8>)
// CHECK-DAG: %[[A:.*]] = qnn.matmul_integer %[[Q]], %[[W]], %[[Z]] : {{.*}} -> tensor<3x2xi32>
// CHECK: %[[T:.*]] = qnn.binary mul %[[SX]], %[[S]]
// CHECK: %[[C:.*]] = qnn.cast %[[A]] : (tensor<3x2xi32>) -> tensor<3x2xf32>
// CHECK: %[[D:.*]] = qnn.binary mul %[[C]], %[[T]]
// CHECK: %[[E:.*]] = qnn.binary add %[[D]], %[[B]] :
// CHECK: %[[F:.*]] = qnn.binary add %[[E]], %[[R]] {activation = #qnn.act<relu
// CHECK: return %[[F]]
func.func @matmul(%x: tensor<3x2xf32>, %r: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = qnn.constant dense<[[127.0, 0.0], [-2.0, 254.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %b = qnn.constant dense<[5.0, 6.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.matmul %x, %w, %b residual %r {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<3x2xf32>, tensor<2x2xf32>, tensor<2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// Rows of a transposed weight are columns; the batch dimensions stay.
// CHECK-LABEL: func @transposed
// CHECK: qnn.constant dense<{{\[\[}}127, -1], [0, 127]]> : tensor<2x2xi8>
// CHECK: qnn.matmul_integer {{.*}} -> tensor<4x3x2xi32>
// CHECK: %[[C:.*]] = qnn.cast
// CHECK: %[[D:.*]] = qnn.binary mul %[[C]]
// CHECK: qnn.unary sigmoid %[[D]]
func.func @transposed(%x: tensor<4x3x2xf32>) -> tensor<4x3x2xf32> {
  %w = qnn.constant dense<[[127.0, 0.0], [-2.0, 254.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %0 = qnn.matmul %x, %w {transpose_rhs, activation = #qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>} : (tensor<4x3x2xf32>, tensor<2x2xf32>) -> tensor<4x3x2xf32>
  return %0 : tensor<4x3x2xf32>
}

// -----

// Computed weights and vectors.
// CHECK-LABEL: func @negative
// CHECK-NOT: qnn.matmul_integer
// CHECK: return
func.func @negative(%x: tensor<3x2xf32>, %y: tensor<2x2xf32>) -> (tensor<3x2xf32>, tensor<3xf32>) {
  %w = qnn.constant dense<[127.0, 0.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.matmul %x, %y : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %1 = qnn.matmul %x, %w : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3xf32>
  return %0, %1 : tensor<3x2xf32>, tensor<3xf32>
}

// -----

// Spectra stay float: transforms, and what their power or magnitude meets.
// CHECK-LABEL: func @spectra
// CHECK-NOT: qnn.matmul_integer
// CHECK-COUNT-3: qnn.matmul %
// CHECK-NOT: qnn.matmul %
// CHECK: qnn.matmul_integer
func.func @spectra(%x: tensor<4x32xf32>, %re: tensor<4x32xf32>, %im: tensor<4x32xf32>, %z: tensor<4x32x2xf32>) -> (tensor<4x32xf32>, tensor<4x32xf32>, tensor<4x32xf32>, tensor<4x32xf32>) {
  %w = qnn.constant dense<1.0> : tensor<32x32xf32> as tensor<32x32xf32>
  %0 = qnn.matmul %x, %w {keep_float} : (tensor<4x32xf32>, tensor<32x32xf32>) -> tensor<4x32xf32>
  %1 = qnn.binary mul %re, %re : (tensor<4x32xf32>, tensor<4x32xf32>) -> tensor<4x32xf32>
  %2 = qnn.binary mul %im, %im : (tensor<4x32xf32>, tensor<4x32xf32>) -> tensor<4x32xf32>
  %3 = qnn.binary add %1, %2 : (tensor<4x32xf32>, tensor<4x32xf32>) -> tensor<4x32xf32>
  %4 = qnn.unary sqrt %3 : (tensor<4x32xf32>) -> tensor<4x32xf32>
  %5 = qnn.matmul %4, %w : (tensor<4x32xf32>, tensor<32x32xf32>) -> tensor<4x32xf32>
  %6 = qnn.reduce sum_square %z {axes = array<i64: 2>} : (tensor<4x32x2xf32>) -> tensor<4x32xf32>
  %7 = qnn.matmul %6, %w : (tensor<4x32xf32>, tensor<32x32xf32>) -> tensor<4x32xf32>
  %8 = qnn.matmul %1, %w : (tensor<4x32xf32>, tensor<32x32xf32>) -> tensor<4x32xf32>
  return %0, %5, %7, %8 : tensor<4x32xf32>, tensor<4x32xf32>, tensor<4x32xf32>, tensor<4x32xf32>
}
