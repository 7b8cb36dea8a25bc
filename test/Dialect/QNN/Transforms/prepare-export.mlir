// RUN: qcc-opt %s -qnn-prepare-export -split-input-file | FileCheck %s
// RUN: qcc-opt %s -qnn-prepare-export=float-states -split-input-file | FileCheck %s --check-prefix=FLOAT

!s = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w = !quant.uniform<i8<-127:127>:f32, 2.500000e-01>

// A clamp that saturation does not imply goes behind the quantize, and signed
// activations become unsigned ones.
// CHECK-LABEL: func @clamp
// CHECK: %[[Q:.*]] = qnn.quantize %arg0 : (tensor<1x2x4xf32>) -> tensor<1x2x4x!quant.uniform<u8:f32, 5.000000e-01:125>>
// CHECK: %[[X:.*]] = qnn.dequantize %[[Q]]
// CHECK: %[[Y:.*]] = qnn.conv %[[X]], %{{.*}} {
// CHECK-NOT: activation
// CHECK: %[[R:.*]] = qnn.quantize %[[Y]] : (tensor<1x2x4xf32>) -> tensor<1x2x4x!quant.uniform<u8:f32, 5.000000e-01:125>>
// CHECK: %[[D:.*]] = qnn.dequantize %[[R]]
// CHECK: %[[C:.*]] = qnn.unary clamp %[[D]] {beta = 6.000000e+00 : f32}
// CHECK: %[[E:.*]] = qnn.quantize %[[C]] : (tensor<1x2x4xf32>) -> tensor<1x2x4x!quant.uniform<u8:f32, 5.000000e-01:125>>
// CHECK: qnn.dequantize %[[E]]
func.func @clamp(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1x!w>) -> tensor<1x2x4xf32> {
  %0 = qnn.quantize %x : (tensor<1x2x4xf32>) -> tensor<1x2x4x!s>
  %1 = qnn.dequantize %0 : (tensor<1x2x4x!s>) -> tensor<1x2x4xf32>
  %2 = qnn.dequantize %w : (tensor<2x2x1x!w>) -> tensor<2x2x1xf32>
  %3 = qnn.conv %1, %2 {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64, activation = #qnn.act<clamp, 0.000000e+00 : f32, 6.000000e+00 : f32>} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  %4 = qnn.quantize %3 : (tensor<1x2x4xf32>) -> tensor<1x2x4x!s>
  %5 = qnn.dequantize %4 : (tensor<1x2x4x!s>) -> tensor<1x2x4xf32>
  return %5 : tensor<1x2x4xf32>
}

// -----

!u = !quant.uniform<u8:f32, 5.000000e-01>
!z = !quant.uniform<i8:f32, 5.000000e-01>

// What saturation implies stays, as what no integer kernel computes: a sum with
// a residual, an op on floats. A model of symmetric activations stays signed.
// CHECK-LABEL: func @stays
// CHECK: qnn.quantize {{.*}} -> tensor<1x2x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK: qnn.matmul {{.*}}activation = #qnn.act<relu
// CHECK-NEXT: qnn.quantize
// CHECK: qnn.matmul {{.*}}activation = #qnn.act<clamp
// CHECK-NEXT: qnn.quantize
// CHECK: qnn.binary add {{.*}}activation = #qnn.act<clamp
// CHECK-NEXT: qnn.quantize
func.func @stays(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> (tensor<1x2x!u>, tensor<1x2x!u>, tensor<1x2x!u>) {
  %0 = qnn.quantize %x : (tensor<1x2xf32>) -> tensor<1x2x!z>
  %1 = qnn.dequantize %0 : (tensor<1x2x!z>) -> tensor<1x2xf32>
  %2 = qnn.matmul %1, %w {activation = #qnn.act<relu, 0.000000e+00 : f32, 0.000000e+00 : f32>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %3 = qnn.quantize %2 : (tensor<1x2xf32>) -> tensor<1x2x!u>
  %4 = qnn.matmul %1, %w residual %1 {activation = #qnn.act<clamp, 0.000000e+00 : f32, 6.000000e+00 : f32>} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %5 = qnn.quantize %4 : (tensor<1x2xf32>) -> tensor<1x2x!u>
  %6 = qnn.binary add %x, %1 {activation = #qnn.act<clamp, 0.000000e+00 : f32, 6.000000e+00 : f32>} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %7 = qnn.quantize %6 : (tensor<1x2xf32>) -> tensor<1x2x!u>
  return %3, %5, %7 : tensor<1x2x!u>, tensor<1x2x!u>, tensor<1x2x!u>
}

// -----

!u = !quant.uniform<u8:f32, 5.000000e-01:7>
!w = !quant.uniform<i8:f32:1, {2.500000e-01, 5.000000e-01}>
!b = !quant.uniform<i32:f32:0, {1.250000e-01, 2.500000e-01}>

// Ops on quantized tensors become float ones, those that move elements stay.
// CHECK-LABEL: func @quantized
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x{{.*}}>, %[[W:.*]]: tensor<2x2x{{.*}}>, %[[B:.*]]: tensor<2x
// CHECK: %[[T:.*]] = qnn.transpose %[[X]] {{.*}}quant
// CHECK-DAG: %[[L:.*]] = qnn.dequantize %{{.*}} : {{.*}} -> tensor<1x2xf32>
// CHECK-DAG: %[[R:.*]] = qnn.dequantize %[[W]] : {{.*}} -> tensor<2x2xf32>
// CHECK-DAG: %[[C:.*]] = qnn.dequantize %[[B]] : {{.*}} -> tensor<2xf32>
// CHECK: %[[Y:.*]] = qnn.matmul %[[L]], %[[R]], %[[C]] : {{.*}} -> tensor<1x2xf32>
// CHECK: %[[Q:.*]] = qnn.quantize %[[Y]]
// CHECK: return %[[Q]]
func.func @quantized(%x: tensor<1x2x!u>, %w: tensor<2x2x!w>, %b: tensor<2x!b>) -> tensor<1x2x!u> {
  %0 = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<1x2x!u>) -> tensor<2x1x!u>
  %1 = qnn.reshape %0 : (tensor<2x1x!u>) -> tensor<1x2x!u>
  %2 = qnn.matmul %1, %w, %b : (tensor<1x2x!u>, tensor<2x2x!w>, tensor<2x!b>) -> tensor<1x2x!u>
  return %2 : tensor<1x2x!u>
}

// -----

// Weights of 16 bits are cast to what they meet.
// CHECK-LABEL: func @narrow
// CHECK-SAME: (%[[X:.*]]: tensor<1x2xf32>, %[[W:.*]]: tensor<2x3xf16>, %[[I:.*]]: tensor<1x2x4xf32>, %[[F:.*]]: tensor<3x2x1xbf16>)
// CHECK: %[[C:.*]] = qnn.cast %[[W]] : (tensor<2x3xf16>) -> tensor<2x3xf32>
// CHECK: qnn.matmul %[[X]], %[[C]]
// CHECK: %[[D:.*]] = qnn.cast %[[F]] : (tensor<3x2x1xbf16>) -> tensor<3x2x1xf32>
// CHECK: qnn.conv %[[I]], %[[D]]
func.func @narrow(%x: tensor<1x2xf32>, %w: tensor<2x3xf16>, %i: tensor<1x2x4xf32>, %f: tensor<3x2x1xbf16>) -> (tensor<1x3xf32>, tensor<1x3x4xf32>) {
  %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x3xf16>) -> tensor<1x3xf32>
  %1 = qnn.conv %i, %f {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<3x2x1xbf16>) -> tensor<1x3x4xf32>
  return %0, %1 : tensor<1x3xf32>, tensor<1x3x4xf32>
}

// -----

!w = !quant.uniform<i8<-127:127>:f32:0, {2.500000e-01, 5.000000e-01}>

// Recurrent layers keep weights in 8 bits, unless their states are to be float.
// CHECK-LABEL: func @recurrence
// CHECK-SAME: %[[W:[^ :]*]]: tensor<2x2x!quant.uniform<i8{{.*}}, %[[V:[^ :]*]]: tensor<2x2xf16>
// CHECK-DAG: %[[C:.*]] = qnn.cast %[[V]] : {{.*}} -> tensor<2x2xf32>
// CHECK-DAG: qnn.recurrence plain %arg0, %[[W]] {
// CHECK-DAG: qnn.recurrence plain %arg0, %[[C]] {
// FLOAT-LABEL: func @recurrence
// FLOAT-SAME: %[[W:[^ :]*]]: tensor<2x2x!quant.uniform<i8
// FLOAT: %[[D:.*]] = qnn.dequantize %[[W]] : {{.*}} -> tensor<2x2xf32>
// FLOAT: qnn.recurrence plain %arg0, %[[D]] {
func.func @recurrence(%x: tensor<3x1x2xf32>, %w: tensor<2x2x!w>, %v: tensor<2x2xf16>) -> (tensor<3x1x2xf32>, tensor<3x1x2xf32>) {
  %0, %1 = qnn.recurrence plain %x, %w {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2x!w>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  %2, %3 = qnn.recurrence plain %x, %v {activations = [#qnn.act<tanh, 0.0 : f32, 0.0 : f32>]} : (tensor<3x1x2xf32>, tensor<2x2xf16>) -> (tensor<3x1x2xf32>, tensor<1x2xf32>)
  return %0, %2 : tensor<3x1x2xf32>, tensor<3x1x2xf32>
}
