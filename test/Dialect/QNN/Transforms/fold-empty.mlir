// RUN: qcc-opt %s -qnn-fold-empty -split-input-file | FileCheck %s

// What has no elements is constant, also where another result has some.
// CHECK-LABEL: func @empty
// CHECK-DAG: %[[F:.*]] = qnn.constant dense<> : tensor<2x0x0xf32>
// CHECK-DAG: %[[Q:.*]] = qnn.constant dense<> : tensor<2x0xui8> as tensor<2x0x!quant.uniform<u8:f32, {{.*}}>>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<> : tensor<2x0xui8>
// CHECK: %{{.*}}, %[[S:.*]], %{{.*}} = qnn.dynamic_quantize %arg1
// CHECK: return %[[F]], %[[Q]], %[[B]], %[[S]]
!u8 = !quant.uniform<u8:f32, 5.0e-01:3>
func.func @empty(%x: tensor<2x0x8xf32>, %y: tensor<2x0xf32>, %w: tensor<8x0xf32>)
    -> (tensor<2x0x0xf32>, tensor<2x0x!u8>, tensor<2x0xui8>, tensor<f32>) {
  %0 = qnn.matmul %x, %w : (tensor<2x0x8xf32>, tensor<8x0xf32>) -> tensor<2x0x0xf32>
  %1 = qnn.quantize %y : (tensor<2x0xf32>) -> tensor<2x0x!u8>
  %2:3 = qnn.dynamic_quantize %y : (tensor<2x0xf32>) -> (tensor<2x0xui8>, tensor<f32>, tensor<ui8>)
  return %0, %1, %2#0, %2#1 : tensor<2x0x0xf32>, tensor<2x0x!u8>, tensor<2x0xui8>, tensor<f32>
}

// -----

// A sum without terms is 0, or what is added to it.
// CHECK-LABEL: func @products
// CHECK-DAG: %[[ZERO:.*]] = qnn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-DAG: %[[NONE:.*]] = qnn.constant dense<0> : tensor<i32>
// CHECK-DAG: %[[A:.*]] = qnn.expand %[[ZERO]] {{.*}} -> tensor<2x3xf32>
// CHECK-DAG: %[[R:.*]] = qnn.binary add %arg2, %arg3 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-DAG: %[[B:.*]] = qnn.unary relu %[[R]]
// CHECK-DAG: %[[C:.*]] = qnn.expand %[[NONE]] {{.*}} -> tensor<2x3xi32>
// CHECK: return %[[A]], %[[B]], %[[C]]
func.func @products(%x: tensor<2x0xf32>, %w: tensor<0x3xf32>, %b: tensor<3xf32>, %r: tensor<2x3xf32>,
                    %i: tensor<2x0xui8>, %j: tensor<0x3xi8>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xi32>) {
  %0 = qnn.matmul %x, %w : (tensor<2x0xf32>, tensor<0x3xf32>) -> tensor<2x3xf32>
  %1 = qnn.matmul %x, %w, %b residual %r {activation = #qnn.act<relu, 0.0, 0.0>}
     : (tensor<2x0xf32>, tensor<0x3xf32>, tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = qnn.matmul_integer %i, %j : (tensor<2x0xui8>, tensor<0x3xi8>) -> tensor<2x3xi32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xi32>
}

// -----

// CHECK-LABEL: func @mean
// CHECK: %[[ZERO:.*]] = qnn.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[MEAN:.*]] = qnn.expand %[[ZERO]]
// CHECK: %[[MAX:.*]] = qnn.reduce max
// CHECK: return %[[MEAN]], %[[MAX]]
func.func @mean(%x: tensor<2x0x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = qnn.reduce mean %x {axes = array<i64: 1>} : (tensor<2x0x3xf32>) -> tensor<2x3xf32>
  %1 = qnn.reduce max %x {axes = array<i64: 1>} : (tensor<2x0x3xf32>) -> tensor<2x3xf32>
  return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func @padding_alone
// CHECK: %[[R:.*]] = qnn.dequantize %arg2
// CHECK: %[[C:.*]] = qnn.reshape %[[R]] : (tensor<4xf32>) -> tensor<1x4x1x1xf32>
// CHECK: %[[E:.*]] = qnn.expand %[[C]] {{.*}} -> tensor<1x4x2x8xf32>
// CHECK: %[[Q:.*]] = qnn.quantize %[[E]] : (tensor<1x4x2x8xf32>) -> tensor<1x4x2x8x!quant
// CHECK: return %[[Q]]
!x = !quant.uniform<u8:f32, 5.0e-01:3>
!w = !quant.uniform<i8<-127:127>:f32, 5.0e-01>
!b = !quant.uniform<i32:f32, 2.5e-01>
func.func @padding_alone(%x: tensor<1x3x0x8x!x>, %w: tensor<4x3x3x3x!w>, %b: tensor<4x!b>)
    -> tensor<1x4x2x8x!x> {
  %0 = qnn.conv %x, %w, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                            pads = array<i64: 2, 1, 2, 1>, group = 1 : i64}
     : (tensor<1x3x0x8x!x>, tensor<4x3x3x3x!w>, tensor<4x!b>) -> tensor<1x4x2x8x!x>
  return %0 : tensor<1x4x2x8x!x>
}
