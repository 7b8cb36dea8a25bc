// RUN: qcc-opt %s -split-input-file -qnn-narrow-weights | FileCheck %s --check-prefixes=CHECK,EXACT
// RUN: qcc-opt %s -split-input-file -qnn-narrow-weights=type=f16 | FileCheck %s --check-prefixes=CHECK,HALF
// RUN: qcc-opt %s -split-input-file -qnn-narrow-weights=type=bf16 | FileCheck %s --check-prefixes=CHECK,BRAIN

// Weights of a product with one row go to 16 bits by themselves where that loses
// nothing.
// CHECK-LABEL: func.func @exact
// EXACT: qnn.constant {{.*}} as tensor<256x128xf16>
// HALF: qnn.constant {{.*}} as tensor<256x128xf16>
// BRAIN: qnn.constant {{.*}} as tensor<256x128xbf16>
// CHECK: qnn.matmul {{.*}} : (tensor<1x256xf32>, tensor<256x128x{{b?}}f16>) -> tensor<1x128xf32>
func.func @exact(%x: tensor<1x256xf32>) -> tensor<1x128xf32> {
  %w = qnn.constant dense<1.5> : tensor<256x128xf32> as tensor<256x128xf32>
  %y = qnn.matmul %x, %w : (tensor<1x256xf32>, tensor<256x128xf32>) -> tensor<1x128xf32>
  return %y : tensor<1x128xf32>
}

// -----

// 2^20 is beyond f16.
// CHECK-LABEL: func.func @large
// EXACT: tensor<256x128xbf16>
// HALF: tensor<256x128xf32>
// BRAIN: tensor<256x128xbf16>
func.func @large(%x: tensor<1x256xf32>) -> tensor<1x128xf32> {
  %w = qnn.constant dense<1048576.0> : tensor<256x128xf32> as tensor<256x128xf32>
  %y = qnn.matmul %x, %w : (tensor<1x256xf32>, tensor<256x128xf32>) -> tensor<1x128xf32>
  return %y : tensor<1x128xf32>
}

// -----

// What must be rounded, is where it was asked for: to nearest, ties to even, to
// subnormal numbers too.
// CHECK-LABEL: func.func @rounded
// EXACT: tensor<2x4xf32>
// HALF: dense<{{\[\[}}3.332520e-01, 1.000000e+00, 1.001950e+00, -5.960460e-08], [5.960460e-08, 6.103520e-05, 6.550400e+04, 0.000000e+00]]> : tensor<2x4xf16>
// BRAIN: tensor<2x4xbf16>
func.func @rounded(%x: tensor<64x2xf32>) -> tensor<64x4xf32> {
  %w = qnn.constant dense<[[0.33333333, 1.00048828125, 1.00146484375, -5.9e-8], [4.0e-8, 6.1035e-5, 65519.0, 2.9e-8]]> : tensor<2x4xf32> as tensor<2x4xf32>
  %y = qnn.matmul %x, %w : (tensor<64x2xf32>, tensor<2x4xf32>) -> tensor<64x4xf32>
  return %y : tensor<64x4xf32>
}

// -----

// One constant, two products; and a depthwise convolution, which stays.
// CHECK-LABEL: func.func @shared
// HALF-COUNT-1: tensor<2x4xf16>
// HALF: %[[W:.*]] = qnn.constant dense<1.000000e+00> : tensor<8x1x3x3xf32>
// HALF: qnn.conv %{{.*}}, %[[W]]
func.func @shared(%x: tensor<64x2xf32>, %i: tensor<1x5x5x8xf32>) -> (tensor<64x4xf32>, tensor<64x4xf32>, tensor<1x3x3x8xf32>) {
  %w = qnn.constant dense<2.0> : tensor<2x4xf32> as tensor<2x4xf32>
  %y = qnn.matmul %x, %w : (tensor<64x2xf32>, tensor<2x4xf32>) -> tensor<64x4xf32>
  %z = qnn.matmul %x, %w : (tensor<64x2xf32>, tensor<2x4xf32>) -> tensor<64x4xf32>
  %d = qnn.constant dense<1.0> : tensor<8x1x3x3xf32> as tensor<8x1x3x3xf32>
  %c = qnn.conv %i, %d {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 8 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x5x5x8xf32>, tensor<8x1x3x3xf32>) -> tensor<1x3x3x8xf32>
  return %y, %z, %c : tensor<64x4xf32>, tensor<64x4xf32>, tensor<1x3x3x8xf32>
}

// -----

// A recurrent layer reads its weights at every step.
// CHECK-LABEL: func.func @recurrent
// EXACT: %[[W:.*]] = qnn.constant {{.*}} as tensor<2048x512xf16>
// HALF: %[[W:.*]] = qnn.constant {{.*}} as tensor<2048x512xf16>
// BRAIN: %[[W:.*]] = qnn.constant {{.*}} as tensor<2048x512xbf16>
// CHECK: qnn.recurrence lstm %{{.*}}, %[[W]]
func.func @recurrent(%x: tensor<9x1x2048xf32>) -> tensor<9x1x512xf32> {
  %w = qnn.constant dense<0.5> : tensor<2048x512xf32> as tensor<2048x512xf32>
  %y, %h, %c = qnn.recurrence lstm %x, %w
      {activations = [#qnn.act<sigmoid, 0.0, 0.0>, #qnn.act<tanh, 0.0, 0.0>, #qnn.act<tanh, 0.0, 0.0>]}
      : (tensor<9x1x2048xf32>, tensor<2048x512xf32>) -> (tensor<9x1x512xf32>, tensor<1x512xf32>, tensor<1x512xf32>)
  return %y : tensor<9x1x512xf32>
}

// -----

// Rows of a table are widened once they are looked up; a small one stays.
// CHECK-LABEL: func.func @table
// EXACT: %[[T:.*]] = qnn.constant {{.*}} as tensor<2048x16xf16>
// HALF: %[[T:.*]] = qnn.constant {{.*}} as tensor<2048x16xf16>
// BRAIN: %[[T:.*]] = qnn.constant {{.*}} as tensor<2048x16xbf16>
// CHECK: %[[S:.*]] = qnn.constant {{.*}} as tensor<16x16xf32>
// CHECK: %[[ROWS:.*]] = qnn.gather %[[T]], %{{.*}} -> tensor<3x16x[[H:b?f16]]>
// CHECK: %[[WIDE:.*]] = qnn.cast %[[ROWS]] : (tensor<3x16x[[H]]>) -> tensor<3x16xf32>
// CHECK: %[[SMALL:.*]] = qnn.gather %[[S]]
// CHECK: return %[[WIDE]], %[[SMALL]]
func.func @table(%i: tensor<3xi64>) -> (tensor<3x16xf32>, tensor<3x16xf32>) {
  %t = qnn.constant dense<0.5> : tensor<2048x16xf32> as tensor<2048x16xf32>
  %s = qnn.constant dense<0.5> : tensor<16x16xf32> as tensor<16x16xf32>
  %y = qnn.gather %t, %i {axis = 0 : i64} : (tensor<2048x16xf32>, tensor<3xi64>) -> tensor<3x16xf32>
  %z = qnn.gather %s, %i {axis = 0 : i64} : (tensor<16x16xf32>, tensor<3xi64>) -> tensor<3x16xf32>
  return %y, %z : tensor<3x16xf32>, tensor<3x16xf32>
}
