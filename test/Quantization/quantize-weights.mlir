// RUN: qcc-opt %s -qnn-quantize-weights -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-quantize-weights -qnn-legalize-qdq -split-input-file | FileCheck %s --check-prefix=FOLDED

!q = !quant.uniform<u8:f32, 0.5:10>

// One symmetric scale per output channel, bias of scale sx * sw.
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[W:.*]] = qnn.constant dense<{{\[\[\[\[}}127]], {{\[\[}}-64]]], {{\[\[\[}}-32]], {{\[\[}}127]]]]> : tensor<2x2x1x1xi8> as tensor<2x2x1x1x!quant.uniform<i8<-127:127>:f32:0, {1.000000e+00,2.000000e+00}>>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[6, -5]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {5.000000e-01,1.000000e+00}>>
// CHECK-DAG: %[[DW:.*]] = qnn.dequantize %[[W]]
// CHECK-DAG: %[[DB:.*]] = qnn.dequantize %[[B]]
// CHECK: qnn.conv %{{.*}}, %[[DW]], %[[DB]]
// FOLDED-LABEL: func @conv
// FOLDED: qnn.conv %arg0, {{.*}} -> tensor<1x2x1x1x!quant.uniform<u8
func.func @conv(%q: tensor<1x2x1x1x!q>) -> tensor<1x2x1x1x!q> {
  %w = qnn.constant dense<[[[[127.0]], [[-64.0]]], [[[-64.0]], [[254.0]]]]> : tensor<2x2x1x1xf32> as tensor<2x2x1x1xf32>
  %b = qnn.constant dense<[3.0, -5.0]> : tensor<2xf32> as tensor<2xf32>
  %x = qnn.dequantize %q : (tensor<1x2x1x1x!q>) -> tensor<1x2x1x1xf32>
  %0 = qnn.conv %x, %w, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x1x1xf32>
  %1 = qnn.quantize %0 : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1x!q>
  return %1 : tensor<1x2x1x1x!q>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// A bias too large for 32 bits widens the scale: 2^31 / 2^30 / 0.5 = 4. A
// channel of zeros gets one that resolves its bias: 2^20 / 2^20 / 0.5 = 2; one
// without bias gets 1. Columns of a matmul, transposed or not.
// CHECK-LABEL: func @scales
// CHECK-DAG: qnn.constant dense<0> : tensor<1x3xi8> as tensor<1x3x!quant.uniform<i8<-127:127>:f32:1, {4.000000e+00,2.000000e+00,1.000000e+00}>>
// CHECK-DAG: qnn.constant dense<[1073741824, 1048576, 0]> : tensor<3xi32>
// CHECK-DAG: qnn.constant {{.*}} as tensor<2x1x!quant.uniform<i8<-127:127>:f32:0, {1.000000e+00,2.000000e+00}>>
func.func @scales(%q: tensor<1x1x!q>) -> (tensor<1x3xf32>, tensor<1x2xf32>) {
  %w = qnn.constant dense<[[1.0, 0.0, 0.0]]> : tensor<1x3xf32> as tensor<1x3xf32>
  %b = qnn.constant dense<[2147483648.0, 1048576.0, 0.0]> : tensor<3xf32> as tensor<3xf32>
  %v = qnn.constant dense<[[127.0], [254.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %x = qnn.dequantize %q : (tensor<1x1x!q>) -> tensor<1x1xf32>
  %0 = qnn.matmul %x, %w, %b : (tensor<1x1xf32>, tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %1 = qnn.matmul %x, %v {transpose_rhs} : (tensor<1x1xf32>, tensor<2x1xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x3xf32>, tensor<1x2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// Float input, infinite weights, computed weights: left alone.
// CHECK-LABEL: func @negative
// CHECK-NOT: !quant.uniform<i8
// CHECK: return
func.func @negative(%q: tensor<1x1x!q>, %f: tensor<1x1xf32>, %w: tensor<1x1xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) {
  %one = qnn.constant dense<1.0> : tensor<1x1xf32> as tensor<1x1xf32>
  %inf = qnn.constant dense<0x7F800000> : tensor<1x1xf32> as tensor<1x1xf32>
  %x = qnn.dequantize %q : (tensor<1x1x!q>) -> tensor<1x1xf32>
  %0 = qnn.matmul %f, %one : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.matmul %x, %inf : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %2 = qnn.matmul %x, %w : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %0, %1, %2 : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// Groups of a transposed convolution share columns: one scale for all.
// CHECK-LABEL: func @grouped_transpose
// CHECK: qnn.constant {{.*}} as tensor<2x2x1x!quant.uniform<i8<-127:127>:f32, 2.000000e+00>>
// CHECK: qnn.constant dense<[4, 0, 0, 0]> : tensor<4xi32> as tensor<4x!quant.uniform<i32:f32, 1.000000e+00>>
func.func @grouped_transpose(%q: tensor<1x2x1x!q>) -> tensor<1x4x1xf32> {
  %w = qnn.constant dense<[[[127.0], [127.0]], [[254.0], [254.0]]]> : tensor<2x2x1xf32> as tensor<2x2x1xf32>
  %b = qnn.constant dense<[4.0, 0.0, 0.0, 0.0]> : tensor<4xf32> as tensor<4xf32>
  %x = qnn.dequantize %q : (tensor<1x2x1x!q>) -> tensor<1x2x1xf32>
  %0 = qnn.conv_transpose %x, %w, %b {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 2 : i64} : (tensor<1x2x1xf32>, tensor<2x2x1xf32>, tensor<4xf32>) -> tensor<1x4x1xf32>
  return %0 : tensor<1x4x1xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// Where each channel is a group, each has a scale.
// CHECK-LABEL: func @depthwise_transpose
// CHECK: qnn.constant {{.*}} as tensor<2x1x1x!quant.uniform<i8<-127:127>:f32:0, {1.000000e+00,2.000000e+00}>>
func.func @depthwise_transpose(%q: tensor<1x2x1x!q>) -> tensor<1x2x1xf32> {
  %w = qnn.constant dense<[[[127.0]], [[254.0]]]> : tensor<2x1x1xf32> as tensor<2x1x1xf32>
  %x = qnn.dequantize %q : (tensor<1x2x1x!q>) -> tensor<1x2x1xf32>
  %0 = qnn.conv_transpose %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 2 : i64} : (tensor<1x2x1xf32>, tensor<2x1x1xf32>) -> tensor<1x2x1xf32>
  return %0 : tensor<1x2x1xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// CHECK-LABEL: func @keep_float
// CHECK: qnn.matmul %{{.*}}, %{{.*}} : (tensor<1x1xf32>, tensor<1x2xf32>)
// FOLDED-LABEL: func @keep_float
// FOLDED: qnn.matmul %{{.*}}, %{{.*}} : (tensor<1x1xf32>, tensor<1x2xf32>)
func.func @keep_float(%q: tensor<1x1x!q>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<[[4.0, 2.0]]> : tensor<1x2xf32> as tensor<1x2xf32>
  %x = qnn.dequantize %q : (tensor<1x1x!q>) -> tensor<1x1xf32>
  %0 = qnn.matmul %x, %w {qnn.keep_float} : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// Integers and scales that calibration has attached are taken as they are, but
// not those of a channel whose scale must grow to hold the bias; the bias gets
// what was attached for it.
// CHECK-LABEL: func @given
// CHECK-DAG: qnn.constant dense<{{\[\[}}101, 25], [126, 32]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {1.000000e+00,4.000000e+00}>>
// CHECK-DAG: qnn.constant dense<[5, 1073741824]> : tensor<2xi32>
// CHECK: qnn.matmul
// CHECK-NOT: rounded_weights
// CHECK-NOT: weight_scales
// CHECK-NOT: bias_correction
func.func @given(%q: tensor<1x2x!q>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<[[100.4, 100.4], [127.0, 127.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
  %b = qnn.constant dense<[2.0, 2147483648.0]> : tensor<2xf32> as tensor<2xf32>
  %x = qnn.dequantize %q : (tensor<1x2x!q>) -> tensor<1x2xf32>
  %0 = qnn.matmul %x, %w, %b {qnn.rounded_weights = array<i8: 101, 101, 126, 126>, qnn.weight_scales = array<f32: 1.0, 1.0>, qnn.bias_correction = array<f32: 0.5, 0.0>} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
