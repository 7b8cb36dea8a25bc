// RUN: qcc-opt %s -split-input-file -qnn-insert-observers | FileCheck %s

// Products, and what lies between them, are observed; the softmax behind the
// last one and that one's result stay float, and what only elementwise ops of
// one shape compute and read.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x2xf32>
func.func @main(%x: tensor<1x2xf32> {qnn.name = "image"}) -> tensor<1x2xf32> {
  // CHECK: %[[OX:.*]] = qnn.observe %[[X]] as "image"
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: %[[M1:.*]] = qnn.matmul %[[OX]]
  // CHECK: %[[O1:.*]] = qnn.observe %[[M1]] as "fc1"
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc1")
  // CHECK: %[[S:.*]] = qnn.unary sigmoid %[[O1]]
  %1 = qnn.unary sigmoid %0 : (tensor<1x2xf32>) -> tensor<1x2xf32> loc("gate")
  // CHECK: %[[MUL:.*]] = qnn.binary mul %[[O1]], %[[S]]
  // CHECK: %[[OM:.*]] = qnn.observe %[[MUL]] as "mul"
  %2 = qnn.binary mul %0, %1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32> loc(fused["conv", "mul"])
  // CHECK: %[[M2:.*]] = qnn.matmul %[[OM]]
  %3 = qnn.matmul %2, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc2")
  // CHECK-NEXT: qnn.softmax %[[M2]]
  // CHECK-NOT: qnn.observe
  %4 = qnn.softmax %3 {axis = 1 : i64} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

// -----

// One scale in and out: one id. Movement in front of a product is quantized;
// arithmetic in front of it is not.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<2xf32> {qnn.name = "x"}) -> tensor<1x2xf32> {
  // CHECK: %[[N:.*]] = qnn.unary neg
  %0 = qnn.unary neg %x : (tensor<2xf32>) -> tensor<2xf32> loc("neg")
  // CHECK: %[[ON:.*]] = qnn.observe %[[N]] as "neg"
  // CHECK: %[[R:.*]] = qnn.reshape %[[ON]]
  // CHECK: %[[OR:.*]] = qnn.observe %[[R]] as "neg"
  %1 = qnn.reshape %0 : (tensor<2xf32>) -> tensor<1x2xf32> loc("reshape")
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: qnn.matmul %[[OR]]
  // CHECK-NOT: qnn.observe
  %2 = qnn.matmul %1, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc")
  return %2 : tensor<1x2xf32>
}

// -----

// The float value keeps its float users where a float op gives it.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x2xf32>
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: %[[OX:.*]] = qnn.observe %[[X]] as "x"
  // CHECK: qnn.matmul %[[OX]]
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: qnn.unary exp %[[X]]
  %1 = qnn.unary exp %x : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// Two ops of one node, and an op without a name.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: qnn.observe %{{.*}} as "input_0"
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("gemm")
  // CHECK: qnn.observe %{{.*}} as "gemm"
  %1 = qnn.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("gemm")
  // CHECK: qnn.observe %{{.*}} as "gemm:1"
  %2 = qnn.matmul %1, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc(unknown)
  // CHECK: qnn.observe %{{.*}} as "qnn.matmul"
  %3 = qnn.matmul %2, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %3 : tensor<1x2xf32>
}

// -----

// A constant operand of a quantized op is observed too; explicitly quantized
// ops and weights that are computed are left alone.
!q = !quant.uniform<u8:f32, 0.5:128>
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}, %v: tensor<2x2xf32>, %s: tensor<1x2x!q>)
    -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  // CHECK: %[[C:.*]] = qnn.constant {{.*}}3.0
  %c = qnn.constant dense<3.0> : tensor<2xf32> as tensor<2xf32> loc("shift")
  // CHECK: %[[OC:.*]] = qnn.observe %[[C]] as "shift"
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: qnn.binary add %{{.*}}, %[[OC]]
  %1 = qnn.binary add %0, %c : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %2 = qnn.matmul %1, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: %[[D:.*]] = qnn.dequantize
  %d = qnn.dequantize %s : (tensor<1x2x!q>) -> tensor<1x2xf32>
  // CHECK-NEXT: qnn.matmul %[[D]]
  %3 = qnn.matmul %d, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK-NEXT: qnn.matmul %arg0, %arg1
  %4 = qnn.matmul %x, %v : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %2, %3, %4 : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// The cell of a recurrent layer, written out: parts of a float state are
// observed by themselves; between the products of a step and those of the next
// layer only sums that are sliced, and the result, are rounded.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[STATE:.*]]: tensor<2x4xf32>
func.func @main(%state: tensor<2x4xf32> {qnn.name = "state"}) -> (tensor<1x2xf32>, tensor<1x4xf32>) {
  // CHECK-NOT: qnn.observe %[[STATE]]
  // CHECK: %[[H:.*]] = qnn.slice %[[STATE]]
  // CHECK: %[[OH:.*]] = qnn.observe %[[H]] as "h"
  // CHECK: %[[C:.*]] = qnn.slice %[[STATE]]
  %h = qnn.slice %state {starts = array<i64: 0, 0>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<1x4xf32> loc("h")
  %c = qnn.slice %state {starts = array<i64: 1, 0>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<1x4xf32> loc("c")
  %w = qnn.constant dense<1.0> : tensor<4x8xf32> as tensor<4x8xf32>
  %v = qnn.constant dense<1.0> : tensor<4x2xf32> as tensor<4x2xf32>
  // CHECK: %[[G:.*]] = qnn.matmul %[[OH]]
  // CHECK: %[[OG:.*]] = qnn.observe %[[G]] as "gates"
  %g = qnn.matmul %h, %w : (tensor<1x4xf32>, tensor<4x8xf32>) -> tensor<1x8xf32> loc("gates")
  // CHECK: %[[A:.*]] = qnn.slice %[[OG]]
  // CHECK: %[[OA:.*]] = qnn.observe %[[A]] as "gates"
  %a = qnn.slice %g {starts = array<i64: 0, 0>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<1x8xf32>) -> tensor<1x4xf32>
  // CHECK: qnn.slice %[[OG]]
  %b = qnn.slice %g {starts = array<i64: 0, 4>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<1x8xf32>) -> tensor<1x4xf32>
  // CHECK: %[[F:.*]] = qnn.unary sigmoid %[[OA]]
  // CHECK-NOT: qnn.observe
  %f = qnn.unary sigmoid %a : (tensor<1x4xf32>) -> tensor<1x4xf32>
  // CHECK: qnn.binary mul
  // CHECK-NOT: qnn.observe
  %m = qnn.binary mul %f, %b : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  // CHECK: %[[N:.*]] = qnn.unary tanh
  // CHECK: qnn.observe %[[N]] as "out"
  %n = qnn.unary tanh %m : (tensor<1x4xf32>) -> tensor<1x4xf32> loc("out")
  %y = qnn.matmul %n, %v : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  return %y, %c : tensor<1x2xf32>, tensor<1x4xf32>
}

// -----

// Every n-th element has the range of the whole, and a value that is read by an
// op on another shape is stored.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<1x4xf32>
func.func @main(%x: tensor<1x4xf32> {qnn.name = "x"}) -> tensor<2x2xf32> {
  // CHECK: %[[OX:.*]] = qnn.observe %[[X]] as "x"
  // CHECK: qnn.slice %[[OX]]
  %e = qnn.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 2>} : (tensor<1x4xf32>) -> tensor<1x2xf32>
  %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
  %t = qnn.constant dense<3.0> : tensor<2x1xf32> as tensor<2x1xf32>
  %0 = qnn.matmul %e, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: %[[S:.*]] = qnn.unary sigmoid
  // CHECK: qnn.observe %[[S]] as "gate"
  %1 = qnn.unary sigmoid %0 : (tensor<1x2xf32>) -> tensor<1x2xf32> loc("gate")
  %2 = qnn.binary mul %1, %t : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %3 = qnn.matmul %2, %w : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %3 : tensor<2x2xf32>
}
