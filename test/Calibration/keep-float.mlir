// RUN: qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qnn-insert-observers{keep-float=fc2})' | FileCheck %s
// RUN: not qcc-opt %s -split-input-file -pass-pipeline='builtin.module(qnn-insert-observers{keep-float=fc9,fc2})' 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: no layer that could be quantized has the name 'fc9'

// fc2 takes the float value; the activation behind it lies between no two
// quantized layers, and the third keeps the id that it would have anyway.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x2xf32>
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> tensor<1x2xf32> {
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: %[[OX:.*]] = qnn.observe %[[X]] as "x"
  // CHECK: %[[M1:.*]] = qnn.matmul %[[OX]]
  // CHECK-NOT: qnn.observe
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc1")
  // CHECK: %[[M2:.*]] = qnn.matmul %[[M1]], %{{.*}} {qnn.keep_float}
  %1 = qnn.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc2")
  // CHECK: %[[S:.*]] = qnn.unary sigmoid %[[M2]]
  // CHECK: %[[OS:.*]] = qnn.observe %[[S]] as "act"
  %2 = qnn.unary sigmoid %1 : (tensor<1x2xf32>) -> tensor<1x2xf32> loc("act")
  // CHECK: qnn.matmul %[[OS]]
  %3 = qnn.matmul %2, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc3")
  return %3 : tensor<1x2xf32>
}

// -----

// A value that another layer takes in 8 bits is stored so for all its users.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: %[[M1:.*]] = qnn.matmul
  // CHECK: %[[O1:.*]] = qnn.observe %[[M1]] as "fc1"
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc1")
  // CHECK: qnn.matmul %[[O1]], %{{.*}} {qnn.keep_float}
  %1 = qnn.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc2")
  // CHECK: qnn.matmul %[[O1]], %{{.*}} :
  %2 = qnn.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc3")
  return %1, %2 : tensor<1x2xf32>, tensor<1x2xf32>
}
