// RUN: qcc-opt %s -qnn-fold-pad -split-input-file | FileCheck %s

!q = !quant.uniform<u8:f32, 5.000000e-01:7>

// CHECK-LABEL: func @conv
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %arg1 {{.*}}pads = array<i64: 1, 3, 3, 4>
// CHECK-NEXT: return %[[Y]]
func.func @conv(%x: tensor<1x2x4x4xf32>, %w: tensor<2x2x1x1xf32>) -> tensor<1x2x8x11xf32> {
  %0 = qnn.pad %x {pads = array<i64: 0, 0, 1, 2, 0, 0, 3, 4>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x8x10xf32>
  %1 = qnn.conv %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 0>, group = 1 : i64} : (tensor<1x2x8x10xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x8x11xf32>
  return %1 : tensor<1x2x8x11xf32>
}

// -----

!q = !quant.uniform<u8:f32, 5.000000e-01:7>

// Channels-last, quantized between pad and convolution, and before both.
// CHECK-LABEL: func @conversions
// CHECK-SAME: (%[[X:[^:]*]]: tensor<1x4x2xf32>, %[[W:[^:]*]]: tensor<2x2x1xf32>, %[[I:[^:]*]]:
// CHECK: %[[Q:.*]] = qnn.quantize %[[X]]
// CHECK: %[[D:.*]] = qnn.dequantize %[[Q]]
// CHECK: qnn.conv %[[D]], %[[W]] {{.*}}pads = array<i64: 1, 2>
// CHECK: %[[E:.*]] = qnn.dequantize %[[I]]
// CHECK: qnn.conv %[[E]], %[[W]] {{.*}}pads = array<i64: 1, 2>
// CHECK-NOT: qnn.pad
func.func @conversions(%x: tensor<1x4x2xf32>, %w: tensor<2x2x1xf32>, %i: tensor<1x4x2x!q>) -> (tensor<1x7x2xf32>, tensor<1x7x2xf32>) {
  %0 = qnn.pad %x {pads = array<i64: 0, 1, 0, 0, 2, 0>} : (tensor<1x4x2xf32>) -> tensor<1x7x2xf32>
  %1 = qnn.quantize %0 : (tensor<1x7x2xf32>) -> tensor<1x7x2x!q>
  %2 = qnn.dequantize %1 : (tensor<1x7x2x!q>) -> tensor<1x7x2xf32>
  %3 = qnn.conv %2, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x7x2xf32>, tensor<2x2x1xf32>) -> tensor<1x7x2xf32>
  %4 = qnn.pad %i {pads = array<i64: 0, 1, 0, 0, 2, 0>} : (tensor<1x4x2x!q>) -> tensor<1x7x2x!q>
  %5 = qnn.dequantize %4 : (tensor<1x7x2x!q>) -> tensor<1x7x2xf32>
  %6 = qnn.conv %5, %w {layout = #qnn<layout nhwc>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x7x2xf32>, tensor<2x2x1xf32>) -> tensor<1x7x2xf32>
  return %3, %6 : tensor<1x7x2xf32>, tensor<1x7x2xf32>
}

// -----

// CHECK-LABEL: func @avg_pool
// CHECK: qnn.avg_pool %arg0 {count_include_pad, {{.*}}pads = array<i64: 1, 1>
func.func @avg_pool(%x: tensor<1x2x4xf32>) -> tensor<1x2x3xf32> {
  %0 = qnn.pad %x {pads = array<i64: 0, 0, 1, 0, 0, 1>} : (tensor<1x2x4xf32>) -> tensor<1x2x6xf32>
  %1 = qnn.avg_pool %0 {kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x2x6xf32>) -> tensor<1x2x3xf32>
  return %1 : tensor<1x2x3xf32>
}

// -----

// Other values, other modes, other dimensions, cropping; the maximum, whose
// padding is no zero; pools that do not count their own padding.
// CHECK-LABEL: func @stays
// CHECK-COUNT-6: qnn.pad
func.func @stays(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>, %v: tensor<2x3x1xf32>) -> (tensor<1x2x5xf32>, tensor<1x2x5xf32>, tensor<1x2x4xf32>, tensor<1x2x3xf32>, tensor<1x2x5xf32>, tensor<1x2x6xf32>) {
  %0 = qnn.pad %x {pads = array<i64: 0, 0, 1, 0, 0, 0>, value = 1.0 : f64} : (tensor<1x2x4xf32>) -> tensor<1x2x5xf32>
  %1 = qnn.conv %0, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x5xf32>, tensor<2x2x1xf32>) -> tensor<1x2x5xf32>
  %2 = qnn.pad %x {mode = #qnn<pad_mode edge>, pads = array<i64: 0, 0, 1, 0, 0, 0>} : (tensor<1x2x4xf32>) -> tensor<1x2x5xf32>
  %3 = qnn.conv %2, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x5xf32>, tensor<2x2x1xf32>) -> tensor<1x2x5xf32>
  %4 = qnn.pad %x {pads = array<i64: 0, 1, 0, 0, 0, 0>} : (tensor<1x2x4xf32>) -> tensor<1x3x4xf32>
  %5 = qnn.conv %4, %v {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x3x4xf32>, tensor<2x3x1xf32>) -> tensor<1x2x4xf32>
  %6 = qnn.pad %x {pads = array<i64: 0, 0, -1, 0, 0, 0>} : (tensor<1x2x4xf32>) -> tensor<1x2x3xf32>
  %7 = qnn.conv %6, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x3xf32>, tensor<2x2x1xf32>) -> tensor<1x2x3xf32>
  %8 = qnn.pad %x {pads = array<i64: 0, 0, 1, 0, 0, 0>} : (tensor<1x2x4xf32>) -> tensor<1x2x5xf32>
  %9 = qnn.max_pool %8 {kernel = array<i64: 1>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
  %10 = qnn.pad %x {pads = array<i64: 0, 0, 2, 0, 0, 0>} : (tensor<1x2x4xf32>) -> tensor<1x2x6xf32>
  %11 = qnn.avg_pool %10 {kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 1>} : (tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
  return %1, %3, %5, %7, %9, %11 : tensor<1x2x5xf32>, tensor<1x2x5xf32>, tensor<1x2x4xf32>, tensor<1x2x3xf32>, tensor<1x2x5xf32>, tensor<1x2x6xf32>
}
