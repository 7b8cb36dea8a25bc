// RUN: qcc-opt %s -qnn-fuse-normalization -canonicalize -split-input-file | FileCheck %s

// As PyTorch exports it: the deviation is divided by.
// CHECK-LABEL: func @layer_norm
// CHECK-NEXT: %[[Y:.*]] = qnn.normalize %arg0 {axes = array<i64: 2>, epsilon = 9.99999974E-6 : f32}
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %eps = qnn.constant dense<1.0e-5> : tensor<f32> as tensor<f32>
  %two = qnn.constant dense<2.0> : tensor<f32> as tensor<f32>
  %0 = qnn.reduce mean %x {axes = array<i64: 2>, keepdims} : (tensor<1x2x4xf32>) -> tensor<1x2x1xf32>
  %1 = qnn.binary sub %x, %0 : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %2 = qnn.binary pow %1, %two : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %3 = qnn.reduce mean %2 {axes = array<i64: 2>, keepdims} : (tensor<1x2x4xf32>) -> tensor<1x2x1xf32>
  %4 = qnn.binary add %3, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %5 = qnn.unary sqrt %4 : (tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
  %6 = qnn.binary div %1, %5 : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  return %6 : tensor<1x2x4xf32>
}

// -----

// x * (1 / sqrt(mean(x * x) + epsilon))
// CHECK-LABEL: func @rms_norm
// CHECK-NEXT: %[[Y:.*]] = qnn.normalize %arg0 {axes = array<i64: 1>, epsilon = 9.99999974E-6 : f32, rms}
// CHECK-NEXT: return %[[Y]]
func.func @rms_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %eps = qnn.constant dense<1.0e-5> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %0 = qnn.binary mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = qnn.reduce mean %0 {axes = array<i64: 1>, keepdims} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %2 = qnn.binary add %eps, %1 : (tensor<f32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %3 = qnn.unary sqrt %2 : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %4 = qnn.binary div %one, %3 : (tensor<f32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %5 = qnn.binary mul %x, %4 : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %5 : tensor<2x4xf32>
}

// -----

// As JAX writes it: sums times 1/count, the variance as E[x^2] - E[x]^2, the
// dimension put back by reshapes, the scale multiplied into the reciprocal.
// CHECK-LABEL: func @one_pass
// CHECK: %[[S:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK-NEXT: %[[N:.*]] = qnn.normalize %arg0 {axes = array<i64: 1>, epsilon = 9.99999974E-6 : f32}
// CHECK-NEXT: %[[Y:.*]] = qnn.binary mul %[[N]], %[[S]]
// CHECK-NEXT: return %[[Y]]
func.func @one_pass(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %eps = qnn.constant dense<1.0e-5> : tensor<f32> as tensor<f32>
  %quarter = qnn.constant dense<0.25> : tensor<f32> as tensor<f32>
  %zero = qnn.constant dense<0.0> : tensor<f32> as tensor<f32>
  %scale = qnn.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> as tensor<4xf32>
  %0 = qnn.reduce sum %x {axes = array<i64: 1>} : (tensor<2x4xf32>) -> tensor<2xf32>
  %1 = qnn.binary mul %0, %quarter : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %2 = qnn.binary mul %1, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qnn.binary mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %4 = qnn.reduce sum %3 {axes = array<i64: 1>} : (tensor<2x4xf32>) -> tensor<2xf32>
  %5 = qnn.binary mul %4, %quarter : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %6 = qnn.binary sub %5, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %7 = qnn.binary max %6, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %8 = qnn.reshape %7 : (tensor<2xf32>) -> tensor<2x1xf32>
  %9 = qnn.binary add %8, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %10 = qnn.unary sqrt %9 : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %11 = qnn.unary reciprocal %10 : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %12 = qnn.binary mul %11, %scale : (tensor<2x1xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %13 = qnn.reshape %1 : (tensor<2xf32>) -> tensor<2x1xf32>
  %14 = qnn.binary sub %x, %13 : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %15 = qnn.binary mul %14, %12 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %15 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func @softmax
// CHECK-NEXT: %[[Y:.*]] = qnn.softmax %arg0 {axis = 1 : i64}
// CHECK-NEXT: return %[[Y]]
func.func @softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = qnn.reduce max %x {axes = array<i64: 1>} : (tensor<2x4xf32>) -> tensor<2xf32>
  // A bound that binds nothing.
  %1 = qnn.unary clamp %0 {alpha = 0xFF800000 : f32, beta = 0x7F800000 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.reshape %1 : (tensor<2xf32>) -> tensor<2x1xf32>
  %3 = qnn.binary sub %x, %2 : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %4 = qnn.unary exp %3 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %5 = qnn.reduce sum %4 {axes = array<i64: 1>} : (tensor<2x4xf32>) -> tensor<2xf32>
  %6 = qnn.reshape %5 : (tensor<2xf32>) -> tensor<2x1xf32>
  %7 = qnn.binary div %4, %6 : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %7 : tensor<2x4xf32>
}

// -----

// Means over different dimensions; the deviation of another tensor; a reshape
// that does not put the dimension back where it was; another factor than
// 1 / count.
// CHECK-LABEL: func @stays
// CHECK-NOT: qnn.normalize
// CHECK-NOT: qnn.softmax
// CHECK: qnn.reduce sum
// CHECK: return
func.func @stays(%x: tensor<4x4xf32>, %z: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %eps = qnn.constant dense<1.0e-5> : tensor<f32> as tensor<f32>
  %third = qnn.constant dense<0.333333> : tensor<f32> as tensor<f32>
  %0 = qnn.reduce mean %x {axes = array<i64: 0>, keepdims} : (tensor<4x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.binary sub %x, %0 : (tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<4x4xf32>
  %2 = qnn.binary mul %1, %1 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = qnn.reduce mean %2 {axes = array<i64: 1>, keepdims} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %4 = qnn.binary add %3, %eps : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %5 = qnn.unary sqrt %4 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %6 = qnn.binary div %1, %5 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %7 = qnn.binary div %z, %5 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %8 = qnn.unary exp %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %9 = qnn.reduce sum %8 {axes = array<i64: 1>} : (tensor<4x4xf32>) -> tensor<4xf32>
  %10 = qnn.binary div %8, %9 : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %11 = qnn.reduce sum %x {axes = array<i64: 1>} : (tensor<4x4xf32>) -> tensor<4xf32>
  %12 = qnn.binary mul %11, %third : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %6, %7, %10, %12 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>
}
