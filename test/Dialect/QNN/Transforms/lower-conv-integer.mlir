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

// The bytes as they are, less the zero point times the sum of the weights, whose own
// zero points are taken off at once.
// CHECK-LABEL: func @groups
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x4x4xui8>, %[[Z:.*]]: tensor<ui8>)
// CHECK: %[[B:.*]] = qnn.expand %[[Z]] {{.*}} -> tensor<1x4x1x4xui8>
// CHECK: %[[P:.*]] = qnn.concat %[[X]], %[[B]] {axis = 2 : i64}
// CHECK: %[[Q:.*]] = qnn.storage_cast %[[P]] : (tensor<1x4x5x4xui8>) -> tensor<1x4x5x4x!
// CHECK: %[[W:.*]] = qnn.constant dense<{{.*}}-2{{.*}}> : tensor<2x2x1x1xi8> as tensor<2x2x1x1x!
// CHECK: %[[Y:.*]] = qnn.conv %[[Q]], %[[W]] {{.*}}pads = array<i64: 0, 0, 0, 0>{{.*}} -> tensor<1x4x5x2xf32>
// CHECK: %[[T:.*]] = qnn.constant dense<[-3.000000e+00, -1.000000e+00]> : tensor<2xf32>
// CHECK: %[[F:.*]] = qnn.cast %[[Z]] : (tensor<ui8>) -> tensor<f32>
// CHECK: %[[O:.*]] = qnn.binary mul %[[T]], %[[F]]
// CHECK: %[[S:.*]] = qnn.binary sub %[[Y]], %[[O]]
// CHECK-NOT: qnn.cast
// CHECK: return %[[S]]
func.func @groups(%x: tensor<1x4x4x4xui8>, %z: tensor<ui8>) -> tensor<1x4x5x2xf32> {
  %w = qnn.constant dense<[[[[1]], [[2]]], [[[3]], [[4]]]]> : tensor<2x2x1x1xi8> as tensor<2x2x1x1xi8>
  %wz = qnn.constant dense<[3, 4]> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.conv_integer %x, %w, %z filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 1>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x4x4x4xui8>, tensor<2x2x1x1xi8>, tensor<ui8>, tensor<2xi8>) -> tensor<1x4x5x2xi32>
  %1 = qnn.cast %0 : (tensor<1x4x5x2xi32>) -> tensor<1x4x5x2xf32>
  return %1 : tensor<1x4x5x2xf32>
}

// -----

// Depthwise ones without a kernel of their own, too; what is no signed byte keeps its zero points. The input has none, so
// nothing is taken off; sums that are wanted as integers become some again.
// CHECK-LABEL: func @depthwise
// CHECK: %[[Q:.*]] = qnn.storage_cast %{{.*}} : (tensor<1x1x1x2xi8>)
// CHECK: %[[W:.*]] = qnn.constant dense<[{{.*}}3{{.*}}250{{.*}}]> : tensor<2x1x1x1xui8> as tensor<2x1x1x1x!
// CHECK: %[[Y:.*]] = qnn.conv %[[Q]], %[[W]] {{.*}} -> tensor<1x1x1x2xf32>
// CHECK-NOT: qnn.binary
// CHECK: %[[I:.*]] = qnn.cast %[[Y]]
// CHECK: return %[[I]]
func.func @depthwise(%d: tensor<1x1x1x2xi8>) -> tensor<1x1x1x2xi32> {
  %u = qnn.constant dense<[[[[3]]], [[[250]]]]> : tensor<2x1x1x1xui8> as tensor<2x1x1x1xui8>
  %uz = qnn.constant dense<[200, 4]> : tensor<2xui8> as tensor<2xui8>
  %0 = qnn.conv_integer %d, %u filter_zero_point %uz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x2xi8>, tensor<2x1x1x1xui8>, tensor<2xui8>) -> tensor<1x1x1x2xi32>
  return %0 : tensor<1x1x1x2xi32>
}

// -----

// Several zero points of a product, which the weights have room for, and one that they have not.
// CHECK-LABEL: func @zero_points
// CHECK: %[[W:.*]] = qnn.constant dense<0> : tensor<16x2xi8>
// CHECK: qnn.matmul_integer %{{[^,]*}}, %[[W]] :
// CHECK: %[[VZ:.*]] = qnn.constant dense<4> : tensor<ui8>
// CHECK: %[[V:.*]] = qnn.constant dense<200> : tensor<16x2xui8>
// CHECK: qnn.matmul_integer %{{[^,]*}}, %[[V]]{{.*}} %[[VZ]]
func.func @zero_points(%x: tensor<1x1x1x16xui8>) -> (tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>) {
  %w = qnn.constant dense<200> : tensor<2x16x1x1xui8> as tensor<2x16x1x1xui8>
  %wz = qnn.constant dense<200> : tensor<2xui8> as tensor<2xui8>
  %0 = qnn.conv_integer %x, %w filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x16xui8>, tensor<2x16x1x1xui8>, tensor<2xui8>) -> tensor<1x1x1x2xi32>
  %vz = qnn.constant dense<4> : tensor<2xui8> as tensor<2xui8>
  %1 = qnn.conv_integer %x, %w filter_zero_point %vz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x16xui8>, tensor<2x16x1x1xui8>, tensor<2xui8>) -> tensor<1x1x1x2xi32>
  return %0, %1 : tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>
}

// -----

// Sums that floats may not hold, filters that are not constant, depthwise ones with a kernel.
// CHECK-LABEL: func @others
// CHECK-COUNT-3: qnn.conv_integer
func.func @others(%x: tensor<1x1x1x2400xui8>, %y: tensor<1x1x1x2xui8>, %w: tensor<2x1x1x1xi8>, %d: tensor<1x1x1x48xui8>) -> (tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>, tensor<1x1x1x48xi32>) {
  %v = qnn.constant dense<127> : tensor<2x1200x1x1xi8> as tensor<2x1200x1x1xi8>
  %0 = qnn.conv_integer %x, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x2400xui8>, tensor<2x1200x1x1xi8>) -> tensor<1x1x1x2xi32>
  %1 = qnn.conv_integer %y, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x2xui8>, tensor<2x1x1x1xi8>) -> tensor<1x1x1x2xi32>
  %u = qnn.constant dense<3> : tensor<48x1x1x1xi8> as tensor<48x1x1x1xi8>
  %2 = qnn.conv_integer %d, %u {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 48 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x48xui8>, tensor<48x1x1x1xi8>) -> tensor<1x1x1x48xi32>
  return %0, %1, %2 : tensor<1x1x1x2xi32>, tensor<1x1x1x2xi32>, tensor<1x1x1x48xi32>
}

// -----

// Equal zero points of the filters are one.
// CHECK-LABEL: func @equal_zero_points
// CHECK: %[[Z:.*]] = qnn.constant dense<-100> : tensor<i8>
// CHECK: qnn.matmul_integer {{.*}}%[[Z]]
func.func @equal_zero_points(%x: tensor<1x1x1x16xui8>) -> tensor<1x1x1x2xi32> {
  %w = qnn.constant dense<100> : tensor<2x16x1x1xi8> as tensor<2x16x1x1xi8>
  %wz = qnn.constant dense<-100> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.conv_integer %x, %w filter_zero_point %wz {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>} : (tensor<1x1x1x16xui8>, tensor<2x16x1x1xi8>, tensor<2xi8>) -> tensor<1x1x1x2xi32>
  return %0 : tensor<1x1x1x2xi32>
}
