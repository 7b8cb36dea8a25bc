// RUN: qcc-opt %s -qnn-propagate-qdq -split-input-file | FileCheck %s

!q = !quant.uniform<u8:f32, 0.5:10>

// CHECK-LABEL: func @dequantize_down
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x3x!quant
// CHECK: %[[T:.*]] = qnn.transpose %[[X]]
// CHECK-SAME: -> tensor<1x3x2x!quant.uniform<u8:f32, 5.000000e-01:10>>
// CHECK: %[[R:.*]] = qnn.reshape %[[T]]
// CHECK: %[[S:.*]] = qnn.slice %[[R]]
// CHECK: %[[D:.*]] = qnn.dequantize %[[S]] : {{.*}} -> tensor<4xf32>
// CHECK: return %[[D]]
func.func @dequantize_down(%x: tensor<1x2x3x!q>) -> tensor<4xf32> {
  %0 = qnn.dequantize %x : (tensor<1x2x3x!q>) -> tensor<1x2x3xf32>
  %1 = qnn.transpose %0 {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x3xf32>) -> tensor<1x3x2xf32>
  %2 = qnn.reshape %1 : (tensor<1x3x2xf32>) -> tensor<6xf32>
  %3 = qnn.slice %2 {starts = array<i64: 0>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<6xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:10>

// The padding must be a value of the type.
// CHECK-LABEL: func @pad
// CHECK: qnn.pad {{.*}}value = 1.500000e+00{{.*}} : (tensor<2x!quant
// CHECK: qnn.pad {{.*}}value = 1.250000e+00{{.*}} : (tensor<2xf32>
func.func @pad(%x: tensor<2x!q>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = qnn.dequantize %x : (tensor<2x!q>) -> tensor<2xf32>
  %1 = qnn.pad %0 {pads = array<i64: 1, 1>, value = 1.5 : f64} : (tensor<2xf32>) -> tensor<4xf32>
  %2 = qnn.pad %0 {pads = array<i64: 1, 1>, value = 1.25 : f64} : (tensor<2xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4xf32>, tensor<4xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>

// Upwards, the padding is quantized like everything else.
// CHECK-LABEL: func @quantize_up
// CHECK: %[[Q:.*]] = qnn.quantize %arg0 : (tensor<2xf32>)
// CHECK: %[[P:.*]] = qnn.pad %[[Q]] {pads = array<i64: 1, 1>, value = 1.000000e+00 : f64}
// CHECK: return %[[P]]
func.func @quantize_up(%x: tensor<2xf32>) -> tensor<4x!q> {
  %1 = qnn.pad %x {pads = array<i64: 1, 1>, value = 1.1 : f64} : (tensor<2xf32>) -> tensor<4xf32>
  %2 = qnn.quantize %1 : (tensor<4xf32>) -> tensor<4x!q>
  return %2 : tensor<4x!q>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

// CHECK-LABEL: func @concat
// CHECK-SAME: (%[[A:.*]]: tensor<2x!quant{{.*}}, %[[B:.*]]: tensor<2x!quant{{.*}}, %[[C:.*]]: tensor<2xf32>)
// CHECK-DAG: %[[DA:.*]] = qnn.dequantize %[[A]]
// CHECK-DAG: %[[QA:.*]] = qnn.quantize %[[DA]]
// CHECK-DAG: %[[QC:.*]] = qnn.quantize %[[C]]
// CHECK: %[[CAT:.*]] = qnn.concat %[[QA]], %[[B]], %[[QC]]
// CHECK: return %[[CAT]]
func.func @concat(%a: tensor<2x!q>, %b: tensor<2x!r>, %c: tensor<2xf32>) -> tensor<6x!r> {
  %0 = qnn.dequantize %a : (tensor<2x!q>) -> tensor<2xf32>
  %1 = qnn.dequantize %b : (tensor<2x!r>) -> tensor<2xf32>
  %2 = qnn.concat %0, %1, %c {axis = 0 : i64} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<6xf32>
  %3 = qnn.quantize %2 : (tensor<6xf32>) -> tensor<6x!r>
  return %3 : tensor<6x!r>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

// Two scales, or a float user: no integer concat.
// CHECK-LABEL: func @concat_of_two_scales
// CHECK: qnn.concat {{.*}} -> tensor<4xf32>
func.func @concat_of_two_scales(%a: tensor<2x!q>, %b: tensor<2x!r>) -> tensor<4xf32> {
  %0 = qnn.dequantize %a : (tensor<2x!q>) -> tensor<2xf32>
  %1 = qnn.dequantize %b : (tensor<2x!r>) -> tensor<2xf32>
  %2 = qnn.concat %0, %1 {axis = 0 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>

// A slice of a float input is quantized after the slice, ...
// CHECK-LABEL: func @slice_stays
// CHECK: %[[S:.*]] = qnn.slice %arg0
// CHECK: qnn.quantize %[[S]]
func.func @slice_stays(%x: tensor<8xf32>) -> tensor<2x!q> {
  %0 = qnn.slice %x {starts = array<i64: 0>, sizes = array<i64: 2>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<2xf32>
  %1 = qnn.quantize %0 : (tensor<2xf32>) -> tensor<2x!q>
  return %1 : tensor<2x!q>
}

// ... two slices of the result of an op that can be quantized before.
// CHECK-LABEL: func @split
// CHECK: %[[A:.*]] = qnn.binary add
// CHECK: %[[Q:.*]] = qnn.quantize %[[A]]
// CHECK: qnn.slice %[[Q]] {{.*}}starts = array<i64: 0>
// CHECK: qnn.slice %[[Q]] {{.*}}starts = array<i64: 4>
func.func @split(%x: tensor<8xf32>) -> (tensor<4x!q>, tensor<4x!q>) {
  %a = qnn.binary add %x, %x : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %0 = qnn.slice %a {starts = array<i64: 0>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<4xf32>
  %1 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!q>
  %2 = qnn.slice %a {starts = array<i64: 4>, sizes = array<i64: 4>, steps = array<i64: 1>} : (tensor<8xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!q>
  return %1, %3 : tensor<4x!q>, tensor<4x!q>
}

// -----

!q = !quant.uniform<u8:f32, 0.0235294122:0>
!r = !quant.uniform<u8:f32, 0.0235294122:7>

// CHECK-LABEL: func @implied_clamps
// CHECK: %[[KEPT:.*]] = qnn.unary relu %arg0
// CHECK: %[[RELU:.*]] = qnn.quantize %arg0 : (tensor<4xf32>) -> tensor<4x!quant.uniform<u8:f32, 0.0235{{[0-9]*}}>>
// CHECK: %[[OTHER:.*]] = qnn.quantize %[[KEPT]]
// CHECK: return %[[RELU]], %[[RELU]], %[[OTHER]]
func.func @implied_clamps(%x: tensor<4xf32>) -> (tensor<4x!q>, tensor<4x!q>, tensor<4x!r>) {
  %0 = qnn.unary relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!q>
  %2 = qnn.unary clamp %x {alpha = 0.0 : f32, beta = 6.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!q>
  %4 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!r>
  return %1, %3, %4 : tensor<4x!q>, tensor<4x!q>, tensor<4x!r>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

// CHECK-LABEL: func @pairs
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK: %[[D:.*]] = qnn.dequantize %[[X]]
// CHECK: %[[Q:.*]] = qnn.quantize %[[D]]
// CHECK: return %[[X]], %[[Q]]
func.func @pairs(%x: tensor<4x!q>) -> (tensor<4x!q>, tensor<4x!r>) {
  %0 = qnn.dequantize %x : (tensor<4x!q>) -> tensor<4xf32>
  %1 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!q>
  %2 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!r>
  return %1, %2 : tensor<4x!q>, tensor<4x!r>
}

// -----

!w = !quant.uniform<i8:f32:0, {0.5, 0.25}>
!v = !quant.uniform<i8<-2:1>:f32, 0.5>

// Weights: transposed with their axis; quantized at compile time, half to even.
// CHECK-LABEL: func @weights
// CHECK-DAG: qnn.constant dense<{{\[}}[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi8> as tensor<3x2x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01}>>
// CHECK-DAG: qnn.constant dense<[-2, 0, 1]> : tensor<3xi8> as
func.func @weights() -> (tensor<3x2xf32>, tensor<3xf32>) {
  %w = qnn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8> as tensor<2x3x!w>
  %0 = qnn.dequantize %w : (tensor<2x3x!w>) -> tensor<2x3xf32>
  %1 = qnn.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %f = qnn.constant dense<[-7.0, 0.25, 3.0]> : tensor<3xf32> as tensor<3xf32>
  %2 = qnn.quantize %f : (tensor<3xf32>) -> tensor<3x!v>
  %3 = qnn.dequantize %2 : (tensor<3x!v>) -> tensor<3xf32>
  return %1, %3 : tensor<3x2xf32>, tensor<3xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>

// CHECK-LABEL: func @resize
// CHECK: qnn.resize {{.*}}mode = #qnn<resize_mode nearest>{{.*}} -> tensor<1x1x4x!quant
// CHECK: qnn.resize {{.*}}mode = #qnn<resize_mode linear>{{.*}} -> tensor<1x1x4xf32>
func.func @resize(%x: tensor<1x1x2x!q>) -> (tensor<1x1x4xf32>, tensor<1x1x4xf32>) {
  %0 = qnn.dequantize %x : (tensor<1x1x2x!q>) -> tensor<1x1x2xf32>
  %1 = qnn.resize %0 {sizes = array<i64: 1, 1, 4>, scales = array<f32: 1.0, 1.0, 2.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  %2 = qnn.resize %0 {sizes = array<i64: 1, 1, 4>, scales = array<f32: 1.0, 1.0, 2.0>, mode = #qnn<resize_mode linear>, coord_mode = #qnn<coord_mode half_pixel>} : (tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  return %1, %2 : tensor<1x1x4xf32>, tensor<1x1x4xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>

// The largest element is the largest integer.
// CHECK-LABEL: func @maxima
// CHECK: qnn.max_pool {{.*}} : (tensor<1x1x4x!quant
// CHECK: qnn.reduce max {{.*}} : (tensor<1x1x4x!quant
// CHECK: qnn.arg_reduce {{.*}} : (tensor<1x1x4x!quant
func.func @maxima(%x: tensor<1x1x4x!q>) -> (tensor<1x1x2xf32>, tensor<1x1xf32>, tensor<1x1xi64>) {
  %0 = qnn.dequantize %x : (tensor<1x1x4x!q>) -> tensor<1x1x4xf32>
  %1 = qnn.max_pool %0 {kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %2 = qnn.reduce max %0 {axes = array<i64: 2>} : (tensor<1x1x4xf32>) -> tensor<1x1xf32>
  %3 = qnn.arg_reduce %0 {axis = 2 : i64} : (tensor<1x1x4xf32>) -> tensor<1x1xi64>
  return %1, %2, %3 : tensor<1x1x2xf32>, tensor<1x1xf32>, tensor<1x1xi64>
}

// -----

!b = !quant.uniform<i32:f32, 1.0e-10>

// The largest int32 is no float: saturation must not round beyond it.
// CHECK-LABEL: func @saturate_int32
// CHECK: qnn.constant dense<[2147483647, -2147483648, 0]> : tensor<3xi32>
func.func @saturate_int32() -> tensor<3x!b> {
  %0 = qnn.constant dense<[1.0, -1.0, 0.0]> : tensor<3xf32> as tensor<3xf32>
  %1 = qnn.quantize %0 : (tensor<3xf32>) -> tensor<3x!b>
  return %1 : tensor<3x!b>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>

// However long the chain is.
// CHECK-LABEL: func @long_chain
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK: %[[Q:.*]] = qnn.quantize %[[X]]
// CHECK: qnn.transpose %[[Q]]
// CHECK-NOT: qnn.quantize
// CHECK: return
func.func @long_chain(%x: tensor<2x3xf32>) -> tensor<2x3x!q> {
  %0 = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = qnn.reshape %0 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %2 = qnn.transpose %1 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %3 = qnn.reshape %2 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %4 = qnn.transpose %3 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %5 = qnn.reshape %4 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %6 = qnn.transpose %5 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %7 = qnn.reshape %6 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %8 = qnn.transpose %7 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %9 = qnn.reshape %8 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %10 = qnn.transpose %9 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %11 = qnn.reshape %10 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %12 = qnn.transpose %11 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %13 = qnn.reshape %12 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %14 = qnn.transpose %13 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %15 = qnn.reshape %14 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %16 = qnn.transpose %15 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %17 = qnn.reshape %16 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %18 = qnn.transpose %17 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %19 = qnn.reshape %18 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %20 = qnn.transpose %19 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %21 = qnn.reshape %20 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %22 = qnn.transpose %21 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %23 = qnn.reshape %22 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %24 = qnn.quantize %23 : (tensor<2x3xf32>) -> tensor<2x3x!q>
  return %24 : tensor<2x3x!q>
}
