// RUN: qcc-opt %s -qnn-avoid-ties -split-input-file | FileCheck %s

!a = !quant.uniform<u8:f32, 0.02384469285607338:125>
!b = !quant.uniform<u8:f32, 0.033792369067668915:123>
!c = !quant.uniform<u8:f32, 0.034786373376846313:129>

// A pair of integers is near a tie: the addition reads its operands by other
// scales, the last digits of which differ. Other readers keep theirs.
// CHECK-LABEL: func @near
// CHECK: %[[A:.*]] = qnn.dequantize %arg0 : (tensor<4x!quant.uniform<u8:f32, 0.02384469285607338:125>>)
// CHECK: %[[I:.*]] = qnn.storage_cast %arg0 : {{.*}} -> tensor<4xui8>
// CHECK: %[[Q:.*]] = qnn.storage_cast %[[I]] : (tensor<4xui8>) -> tensor<4x!quant.uniform<u8:f32, 0.0238446{{.*}}:125>>
// CHECK-NOT: 0.02384469285607338
// CHECK: %[[X:.*]] = qnn.dequantize %[[Q]]
// CHECK: %[[S:.*]] = qnn.binary add %[[X]],
// CHECK: qnn.quantize %[[S]] : (tensor<4xf32>) -> tensor<4x!quant.uniform<u8:f32, 0.034786373376846313:129>>
// CHECK: return %{{.*}}, %[[A]]
func.func @near(%a: tensor<4x!a>, %b: tensor<4x!b>) -> (tensor<4x!c>, tensor<4xf32>) {
  %0 = qnn.dequantize %a : (tensor<4x!a>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!b>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!c>
  return %3, %0 : tensor<4x!c>, tensor<4xf32>
}

// -----

!e = !quant.uniform<u8:f32, 5.000000e-01:7>

// All sums and ties are exact: nothing to do.
// CHECK-LABEL: func @exact
// CHECK-NOT: storage_cast
func.func @exact(%a: tensor<4x!e>, %b: tensor<4x!e>) -> tensor<4x!e> {
  %0 = qnn.dequantize %a : (tensor<4x!e>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!e>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!e>
  return %3 : tensor<4x!e>
}

// -----

!a = !quant.uniform<u8:f32, 0.02384469285607338:125>
!b = !quant.uniform<u8:f32, 0.033792369067668915:123>
!c = !quant.uniform<u8:f32, 0.034786373376846313:129>

// Neither where a function that is no clamp stands in between, where a sum stays
// float, nor where a term is constant.
// CHECK-LABEL: func @others
// CHECK-NOT: storage_cast
func.func @others(%a: tensor<4x!a>, %b: tensor<4x!b>) -> (tensor<4x!c>, tensor<4xf32>, tensor<4x!c>) {
  %0 = qnn.dequantize %a : (tensor<4x!a>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!b>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.unary sigmoid %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = qnn.quantize %3 : (tensor<4xf32>) -> tensor<4x!c>
  %5 = qnn.constant dense<[1, 2, 3, 4]> : tensor<4xui8> as tensor<4x!b>
  %6 = qnn.dequantize %5 : (tensor<4x!b>) -> tensor<4xf32>
  %7 = qnn.binary add %0, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %8 = qnn.quantize %7 : (tensor<4xf32>) -> tensor<4x!c>
  return %4, %2, %8 : tensor<4x!c>, tensor<4xf32>, tensor<4x!c>
}

// -----

!a = !quant.uniform<u8:f32, 0.02384469285607338:125>
!b = !quant.uniform<u8:f32, 0.033792369067668915:123>
!c = !quant.uniform<u8:f32, 0.034786373376846313:129>
!d = !quant.uniform<u8:f32, 0.031:129>

// Scales that suit one quantization may not suit another of the same sum.
// CHECK-LABEL: func @two
// CHECK-NOT: storage_cast
// CHECK: return
func.func @two(%a: tensor<4x!a>, %b: tensor<4x!b>) -> (tensor<4x!c>, tensor<4x!d>) {
  %0 = qnn.dequantize %a : (tensor<4x!a>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!b>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!c>
  %4 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!d>
  return %3, %4 : tensor<4x!c>, tensor<4x!d>
}

// The same quantization twice is one.
// CHECK-LABEL: func @twice
// CHECK-COUNT-2: storage_cast
// CHECK-NOT: storage_cast
func.func @twice(%a: tensor<4x!a>, %b: tensor<4x!b>) -> (tensor<4x!c>, tensor<4x!c>) {
  %0 = qnn.dequantize %a : (tensor<4x!a>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!b>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!c>
  %4 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!c>
  return %3, %4 : tensor<4x!c>, tensor<4x!c>
}
