// RUN: qcc-opt %s -qnn-lower-conv-integer -split-input-file | FileCheck %s

// Padding stands for the zero point; taps stand in front of channels.
// CHECK-LABEL: func @windows
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x2x16xui8>, %[[Z:.*]]: tensor<ui8>)
// CHECK: %[[W:.*]] = qnn.constant {{.*}} : tensor<64x1xi8>
// CHECK: %[[B:.*]] = qnn.expand %[[Z]] {{.*}} -> tensor<1x1x2x16xui8>
// CHECK: %[[P:.*]] = qnn.concat %[[X]], %[[B]] {axis = 1 : i64}
// CHECK: %[[S0:.*]] = qnn.slice %[[P]] {{.*}}starts = array<i64: 0, 0, 0, 0>, steps = array<i64: 1, 2, 1, 1>
// CHECK: %[[S1:.*]] = qnn.slice %[[P]] {{.*}}starts = array<i64: 0, 0, 1, 0>
// CHECK: %[[S2:.*]] = qnn.slice %[[P]] {{.*}}starts = array<i64: 0, 2, 0, 0>
// CHECK: %[[S3:.*]] = qnn.slice %[[P]] {{.*}}starts = array<i64: 0, 2, 1, 0>
// CHECK: %[[G:.*]] = qnn.concat %[[S0]], %[[S1]], %[[S2]], %[[S3]] {axis = 3 : i64}
// CHECK: qnn.matmul_integer %[[G]], %[[W]], %[[Z]] : {{.*}} -> tensor<1x1x1x1xi32>
// CHECK-NOT: qnn.conv_integer
func.func @windows(%x: tensor<1x2x2x16xui8>, %z: tensor<ui8>) -> tensor<1x1x1x1xi32> {
  %w = qnn.constant dense<3> : tensor<1x16x2x2xi8> as tensor<1x16x2x2xi8>
  %0 = qnn.conv_integer %x, %w, %z {strides = array<i64: 2, 1>, dilations = array<i64: 2, 1>, pads = array<i64: 0, 0, 1, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x2x2x16xui8>, tensor<1x16x2x2xi8>, tensor<ui8>) -> tensor<1x1x1x1xi32>
  return %0 : tensor<1x1x1x1xi32>
}

// -----

// CHECK-LABEL: func @groups
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x4x4xui8>, %[[Z:.*]]: tensor<ui8>)
// CHECK: %[[F:.*]] = qnn.cast %[[X]]
// CHECK: %[[C:.*]] = qnn.cast %[[Z]]
// CHECK: %[[D:.*]] = qnn.binary sub %[[F]], %[[C]]
// CHECK: %[[W:.*]] = qnn.constant dense<{{.*}}-2.000000e+00{{.*}}> : tensor<2x2x1x1xf32>
// CHECK: %[[Y:.*]] = qnn.conv %[[D]], %[[W]]
// CHECK-NOT: qnn.cast
// CHECK: return %[[Y]]
func.func @groups(%x: tensor<1x4x4x4xui8>, %z: tensor<ui8>) -> tensor<1x4x4x2xf32> {
  %w = qnn.constant dense<[[[[1]], [[2]]], [[[3]], [[4]]]]> : tensor<2x2x1x1xi8> as tensor<2x2x1x1xi8>
  %wz = qnn.constant dense<[3, 4]> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.conv_integer %x, %w, %z filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x4xui8>, tensor<2x2x1x1xi8>, tensor<ui8>, tensor<2xi8>) -> tensor<1x4x4x2xi32>
  %1 = qnn.cast %0 : (tensor<1x4x4x2xi32>) -> tensor<1x4x4x2xf32>
  return %1 : tensor<1x4x4x2xf32>
}

// -----

// Different zero points of the filters, sums that floats may not hold, depthwise ones.
// CHECK-LABEL: func @others
// CHECK-COUNT-3: qnn.conv_integer
func.func @others(%x: tensor<1x1x1x16xui8>, %y: tensor<1x1x1x2400xui8>, %d: tensor<1x1x1x2xui8>) -> (tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>) {
  %w = qnn.constant dense<3> : tensor<2x16x1x1xi8> as tensor<2x16x1x1xi8>
  %wz = qnn.constant dense<[3, 4]> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.conv_integer %x, %w filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x16xui8>, tensor<2x16x1x1xi8>, tensor<2xi8>) -> tensor<1x1x1x2xi32>
  %v = qnn.constant dense<127> : tensor<2x1200x1x1xi8> as tensor<2x1200x1x1xi8>
  %1 = qnn.conv_integer %y, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x2400xui8>, tensor<2x1200x1x1xi8>) -> tensor<1x1x1x2xi32>
  %u = qnn.constant dense<3> : tensor<2x1x1x1xi8> as tensor<2x1x1x1xi8>
  %2 = qnn.conv_integer %d, %u {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x2xui8>, tensor<2x1x1x1xi8>) -> tensor<1x1x1x2xi32>
  return %0, %1, %2 : tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>
}

// -----

// Equal zero points of the filters are one.
// CHECK-LABEL: func @equal_zero_points
// CHECK: %[[Z:.*]] = qnn.constant dense<3> : tensor<i8>
// CHECK: qnn.matmul_integer {{.*}}%[[Z]]
func.func @equal_zero_points(%x: tensor<1x1x1x16xui8>) -> tensor<1x1x1x2xi32> {
  %w = qnn.constant dense<3> : tensor<2x16x1x1xi8> as tensor<2x16x1x1xi8>
  %wz = qnn.constant dense<3> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.conv_integer %x, %w filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x16xui8>, tensor<2x16x1x1xi8>, tensor<2xi8>) -> tensor<1x1x1x2xi32>
  return %0 : tensor<1x1x1x2xi32>
}
