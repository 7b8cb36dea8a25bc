// RUN: qcc-opt %s -qnn-legalize-qdq -canonicalize -split-input-file | FileCheck %s

!x = !quant.uniform<u8:f32, 0.5:10>
!y = !quant.uniform<u8:f32, 0.25:3>
!z = !quant.uniform<u8:f32, 0.25>
!w = !quant.uniform<i8:f32:0, {0.5, 0.25}>
!b = !quant.uniform<i32:f32:0, {0.25, 0.125}>

// Per-channel weights, 32-bit bias of the accumulator's scale, relu kept as an
// activation.
// CHECK-LABEL: func @conv
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-DAG: %[[W:.*]] = qnn.constant {{.*}} as tensor<2x1x1x1x!quant.uniform<i8:f32:0, {5.000000e-01,2.500000e-01}>>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<[7, -8]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {2.500000e-01,1.250000e-01}>>
// CHECK: %[[Y:.*]] = qnn.conv %[[X]], %[[W]], %[[B]] {activation = #qnn.act<relu, 0.000000e+00 : f32, 0.000000e+00 : f32>
// CHECK-SAME: -> tensor<1x2x2x2x!quant.uniform<u8:f32, 2.500000e-01:3>>
// CHECK-NEXT: return %[[Y]]
func.func @conv(%x: tensor<1x1x2x2x!x>) -> tensor<1x2x2x2x!y> {
  %w = qnn.constant dense<[[[[1]]], [[[2]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!w>
  %b = qnn.constant dense<[7, -8]> : tensor<2xi32> as tensor<2x!b>
  %0 = qnn.dequantize %x : (tensor<1x1x2x2x!x>) -> tensor<1x1x2x2xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x1x1x!w>) -> tensor<2x1x1x1xf32>
  %2 = qnn.dequantize %b : (tensor<2x!b>) -> tensor<2xf32>
  %3 = qnn.conv %0, %1, %2 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %4 = qnn.unary relu %3 : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %5 = qnn.quantize %4 : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2x!y>
  return %5 : tensor<1x2x2x2x!y>
}

// A relu that the saturation implies vanishes; no bias; float result besides.
// CHECK-LABEL: func @implied
// CHECK: %[[Y:.*]] = qnn.conv %{{.*}}, %{{[^,]*}} {dilations
// CHECK-SAME: -> tensor<1x2x2x2x!quant
// CHECK-NEXT: return %[[Y]]
func.func @implied(%x: tensor<1x1x2x2x!x>) -> tensor<1x2x2x2x!z> {
  %w = qnn.constant dense<[[[[1]]], [[[2]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!w>
  %0 = qnn.dequantize %x : (tensor<1x1x2x2x!x>) -> tensor<1x1x2x2xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x1x1x!w>) -> tensor<2x1x1x1xf32>
  %3 = qnn.conv %0, %1 {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %5 = qnn.quantize %3 : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2x!z>
  return %5 : tensor<1x2x2x2x!z>
}

// CHECK-LABEL: func @float_result
// CHECK: %[[Y:.*]] = qnn.conv {{.*}} : (tensor<1x1x2x2x!quant{{.*}}) -> tensor<1x2x2x2xf32>
// CHECK: %[[Q:.*]] = qnn.quantize %[[Y]]
// CHECK: return %[[Y]], %[[Q]]
func.func @float_result(%x: tensor<1x1x2x2x!x>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2x!y>) {
  %w = qnn.constant dense<[[[[1]]], [[[2]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!w>
  %0 = qnn.dequantize %x : (tensor<1x1x2x2x!x>) -> tensor<1x1x2x2xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x1x1x!w>) -> tensor<2x1x1x1xf32>
  %3 = qnn.conv %0, %1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %5 = qnn.quantize %3 : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2x!y>
  return %3, %5 : tensor<1x2x2x2xf32>, tensor<1x2x2x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.5>
!y = !quant.uniform<i8:f32, 1.0>
!w = !quant.uniform<i8:f32, 0.125>

// A float bias on the grid of 0.0625: within 1/64 of the step of the result
// (0.02 is rounded to 0: off by 1/50 of the step, in the second function).
// CHECK-LABEL: func @float_bias
// CHECK-DAG: qnn.constant dense<[16, 0]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32, 6.250000e-02>>
// CHECK: qnn.matmul {{.*}}, {{.*}}, {{.*}} -> tensor<1x2x!quant
func.func @float_bias(%x: tensor<1x3x!x>) -> tensor<1x2x!y> {
  %w = qnn.constant dense<1> : tensor<3x2xi8> as tensor<3x2x!w>
  %b = qnn.constant dense<[1.0, 0.01]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.dequantize %x : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %1 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %2 = qnn.matmul %0, %1, %b : (tensor<1x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %3 = qnn.quantize %2 : (tensor<1x2xf32>) -> tensor<1x2x!y>
  return %3 : tensor<1x2x!y>
}

// CHECK-LABEL: func @float_bias_off_grid
// CHECK: %[[B:.*]] = qnn.constant dense<[1.000000e+00, 2.000000e-02]> : tensor<2xf32>
// CHECK: qnn.matmul %arg0, %{{.*}}, %[[B]] {activation = #qnn.act<relu{{.*}} : (tensor<1x3x!quant{{.*}}, tensor<3x2x!quant{{.*}}, tensor<2xf32>) -> tensor<1x2x!quant
func.func @float_bias_off_grid(%x: tensor<1x3x!x>) -> tensor<1x2x!y> {
  %w = qnn.constant dense<1> : tensor<3x2xi8> as tensor<3x2x!w>
  %b = qnn.constant dense<[1.0, 0.02]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.dequantize %x : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %1 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %2 = qnn.matmul %0, %1, %b {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<1x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %3 = qnn.quantize %2 : (tensor<1x2xf32>) -> tensor<1x2x!y>
  return %3 : tensor<1x2x!y>
}

// CHECK-LABEL: func @conv_bias_off_grid
// CHECK: qnn.conv {{.*}} : (tensor<1x1x1x1x!quant{{.*}}, tensor<2x1x1x1x!quant{{.*}}, tensor<2xf32>) -> tensor<1x2x1x1x!quant
func.func @conv_bias_off_grid(%x: tensor<1x1x1x1x!x>) -> tensor<1x2x1x1x!y> {
  %w = qnn.constant dense<1> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!w>
  %b = qnn.constant dense<[1.0, 0.02]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.dequantize %x : (tensor<1x1x1x1x!x>) -> tensor<1x1x1x1xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x1x1x!w>) -> tensor<2x1x1x1xf32>
  %2 = qnn.conv %0, %1, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x1x1xf32>
  %3 = qnn.quantize %2 : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1x!y>
  return %3 : tensor<1x2x1x1x!y>
}

// A float result: its bias is that of the real values, beside a residual.
// CHECK-LABEL: func @float_result
// CHECK: qnn.matmul %arg0, %{{.*}}, %{{.*}} residual %arg1 : (tensor<1x3x!quant{{.*}}, tensor<3x2x!quant{{.*}}, tensor<2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
func.func @float_result(%x: tensor<1x3x!x>, %r: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<1> : tensor<3x2xi8> as tensor<3x2x!w>
  %b = qnn.constant dense<[1.0, 0.02]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.dequantize %x : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %1 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %2 = qnn.matmul %0, %1, %b residual %r : (tensor<1x3xf32>, tensor<3x2xf32>, tensor<2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %2 : tensor<1x2xf32>
}

// A bias that is computed follows in float, along the channels.
// CHECK-LABEL: func @computed_bias
// CHECK: %[[C:.*]] = qnn.conv {{.*}} -> tensor<1x2x1x1xf32>
// CHECK: %[[B:.*]] = qnn.reshape %arg1 : (tensor<2xf32>) -> tensor<2x1x1xf32>
// CHECK: qnn.binary add %[[C]], %[[B]]
func.func @computed_bias(%x: tensor<1x1x1x1x!x>, %b: tensor<2xf32>) -> tensor<1x2x1x1x!y> {
  %w = qnn.constant dense<1> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!w>
  %0 = qnn.dequantize %x : (tensor<1x1x1x1x!x>) -> tensor<1x1x1x1xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x1x1x!w>) -> tensor<2x1x1x1xf32>
  %2 = qnn.conv %0, %1, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x1x1xf32>
  %3 = qnn.quantize %2 : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1x!y>
  return %3 : tensor<1x2x1x1x!y>
}

// Weights without quantized activations stay float, and so does a product
// whose per-channel axis is not that of the columns.
!p = !quant.uniform<i8:f32:0, {0.5, 0.25, 0.125}>
// CHECK-LABEL: func @not_matched
// CHECK: qnn.matmul {{.*}} : (tensor<1x3xf32>, tensor<3x2xf32>)
// CHECK: qnn.matmul {{.*}} : (tensor<1x3xf32>, tensor<3x2xf32>)
func.func @not_matched(%x: tensor<1x3x!x>, %f: tensor<1x3xf32>) -> (tensor<1x2x!y>, tensor<1x2x!y>) {
  %w = qnn.constant dense<1> : tensor<3x2xi8> as tensor<3x2x!w>
  %1 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %2 = qnn.matmul %f, %1 : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %3 = qnn.quantize %2 : (tensor<1x2xf32>) -> tensor<1x2x!y>
  %0 = qnn.dequantize %x : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %p = qnn.constant dense<1> : tensor<3x2xi8> as tensor<3x2x!p>
  %4 = qnn.dequantize %p : (tensor<3x2x!p>) -> tensor<3x2xf32>
  %5 = qnn.matmul %0, %4 : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %6 = qnn.quantize %5 : (tensor<1x2xf32>) -> tensor<1x2x!y>
  return %3, %6 : tensor<1x2x!y>, tensor<1x2x!y>
}

// Two activations.
// CHECK-LABEL: func @activations
// CHECK: qnn.matmul %arg0, %arg1 : {{.*}} -> tensor<2x2x!quant
func.func @activations(%a: tensor<2x3x!x>, %b: tensor<3x2x!x>) -> tensor<2x2x!y> {
  %0 = qnn.dequantize %a : (tensor<2x3x!x>) -> tensor<2x3xf32>
  %1 = qnn.dequantize %b : (tensor<3x2x!x>) -> tensor<3x2xf32>
  %2 = qnn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.quantize %2 : (tensor<2x2xf32>) -> tensor<2x2x!y>
  return %3 : tensor<2x2x!y>
}

// 140000 products of 128 * 127 leave 32 bits.
// CHECK-LABEL: func @overflow
// CHECK: qnn.matmul {{.*}} : (tensor<1x140000xf32>, tensor<140000x1xf32>)
// CHECK: qnn.matmul {{.*}} : (tensor<1x140000x!quant
func.func @overflow(%x: tensor<1x140000x!x>) -> (tensor<1x1x!y>, tensor<1x1x!y>) {
  %0 = qnn.dequantize %x : (tensor<1x140000x!x>) -> tensor<1x140000xf32>
  %w = qnn.constant dense<127> : tensor<140000x1xi8> as tensor<140000x1x!w>
  %1 = qnn.dequantize %w : (tensor<140000x1x!w>) -> tensor<140000x1xf32>
  %2 = qnn.matmul %0, %1 : (tensor<1x140000xf32>, tensor<140000x1xf32>) -> tensor<1x1xf32>
  %3 = qnn.quantize %2 : (tensor<1x1xf32>) -> tensor<1x1x!y>
  %v = qnn.constant dense<12> : tensor<140000x1xi8> as tensor<140000x1x!w>
  %4 = qnn.dequantize %v : (tensor<140000x1x!w>) -> tensor<140000x1xf32>
  %5 = qnn.matmul %0, %4 : (tensor<1x140000xf32>, tensor<140000x1xf32>) -> tensor<1x1xf32>
  %6 = qnn.quantize %5 : (tensor<1x1xf32>) -> tensor<1x1x!y>
  return %3, %6 : tensor<1x1x!y>, tensor<1x1x!y>
}

// CHECK-LABEL: func @elementwise
// CHECK: qnn.binary add %arg0, %arg1 {activation = #qnn.act<relu{{.*}} -> tensor<4x!quant.uniform<i8:f32, 1.000000e+00>>
// CHECK: qnn.reduce mean %arg0 {{.*}} -> tensor<1x!quant
// CHECK: qnn.requantize %arg0
func.func @elementwise(%a: tensor<4x!x>, %b: tensor<4x!y>) -> (tensor<4x!y>, tensor<1x!y>, tensor<4x!y>) {
  %0 = qnn.dequantize %a : (tensor<4x!x>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!y>) -> tensor<4xf32>
  %2 = qnn.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.unary relu %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = qnn.quantize %3 : (tensor<4xf32>) -> tensor<4x!y>
  %5 = qnn.reduce mean %0 {axes = array<i64: 0>, keepdims} : (tensor<4xf32>) -> tensor<1xf32>
  %6 = qnn.quantize %5 : (tensor<1xf32>) -> tensor<1x!y>
  %7 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!y>
  return %4, %6, %7 : tensor<4x!y>, tensor<1x!y>, tensor<4x!y>
}

// Division is not exact in integers; a maximum needs one scale.
// CHECK-LABEL: func @stay_float
// CHECK: qnn.binary div {{.*}} -> tensor<4xf32>
// CHECK: qnn.binary max {{.*}} -> tensor<4xf32>
// CHECK: qnn.binary add {{.*}} -> tensor<4xf32>
func.func @stay_float(%a: tensor<4x!x>, %b: tensor<4x!y>, %f: tensor<4xf32>) -> (tensor<4x!y>, tensor<4x!y>, tensor<4x!y>) {
  %0 = qnn.dequantize %a : (tensor<4x!x>) -> tensor<4xf32>
  %1 = qnn.dequantize %b : (tensor<4x!y>) -> tensor<4xf32>
  %2 = qnn.binary div %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!y>
  %4 = qnn.binary max %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = qnn.quantize %4 : (tensor<4xf32>) -> tensor<4x!y>
  %6 = qnn.binary add %0, %f : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %7 = qnn.quantize %6 : (tensor<4xf32>) -> tensor<4x!y>
  return %3, %5, %7 : tensor<4x!y>, tensor<4x!y>, tensor<4x!y>
}

// -----

!x = !quant.uniform<i16<-8191:8191>:f32, 0.5>
!y = !quant.uniform<i16:f32, 0.25>
!z = !quant.uniform<u8:f32, 0.25:3>
!w = !quant.uniform<i16:f32, 0.5>
!v = !quant.uniform<i8:f32, 0.5>

// Activations of 16 bits, with weights of 16 or 8; results of either width.
// CHECK-LABEL: func @words
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK: %[[A:.*]] = qnn.matmul %[[X]], {{.*}} -> tensor<1x2x!quant.uniform<i16:f32, 2.500000e-01>>
// CHECK: %[[B:.*]] = qnn.matmul %[[X]], {{.*}} -> tensor<1x2x!quant.uniform<u8:f32, 2.500000e-01:3>>
// CHECK: return %[[A]], %[[B]]
func.func @words(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!z>) {
  %w = qnn.constant dense<[[1, 200], [3, 4]]> : tensor<2x2xi16> as tensor<2x2x!w>
  %v = qnn.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!v>
  %0 = qnn.dequantize %x : (tensor<1x2x!x>) -> tensor<1x2xf32>
  %1 = qnn.dequantize %w : (tensor<2x2x!w>) -> tensor<2x2xf32>
  %2 = qnn.dequantize %v : (tensor<2x2x!v>) -> tensor<2x2xf32>
  %3 = qnn.matmul %0, %1 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %4 = qnn.matmul %0, %2 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %5 = qnn.quantize %3 : (tensor<1x2xf32>) -> tensor<1x2x!y>
  %6 = qnn.quantize %4 : (tensor<1x2xf32>) -> tensor<1x2x!z>
  return %5, %6 : tensor<1x2x!y>, tensor<1x2x!z>
}

// -----

!x = !quant.uniform<u16:f32, 0.5:32768>
!w = !quant.uniform<i16:f32, 0.5>
!v = !quant.uniform<i8:f32, 0.5>

// Sums that may leave 32 bits stay float, as do groups that no kernel is for.
// CHECK-LABEL: func @wide_sums
// CHECK: qnn.matmul {{.*}} : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
// CHECK: qnn.conv {{.*}} : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
func.func @wide_sums(%x: tensor<1x3x!x>, %z: tensor<1x2x1x1x!x>) -> (tensor<1x2xf32>, tensor<1x2x1x1xf32>) {
  %w = qnn.constant dense<[[30000, 200], [30000, 4], [30000, 1]]> : tensor<3x2xi16> as tensor<3x2x!w>
  %v = qnn.constant dense<[[[[1]]], [[[2]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!v>
  %0 = qnn.dequantize %x : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %1 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %2 = qnn.dequantize %z : (tensor<1x2x1x1x!x>) -> tensor<1x2x1x1xf32>
  %3 = qnn.dequantize %v : (tensor<2x1x1x1x!v>) -> tensor<2x1x1x1xf32>
  %4 = qnn.matmul %0, %1 : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %5 = qnn.conv %2, %3 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64} : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  return %4, %5 : tensor<1x2xf32>, tensor<1x2x1x1xf32>
}

// -----

!x = !quant.uniform<i16<-8191:8191>:f32, 0.5>
!w = !quant.uniform<i16<-32767:32767>:f32, 0.5>

// Eight products of any weights fit in 32 bits, but not with this bias: the sum
// of these weights is what counts.
// CHECK-LABEL: func @sum_beside_bias
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK: %[[B:.*]] = qnn.constant dense<400000> : tensor<1xi32>
// CHECK: qnn.matmul %[[X]], %{{.*}}, %[[B]] {{.*}} -> tensor<1x1x!quant.uniform<i16<-8191:8191>:f32, 5.000000e-01>>
func.func @sum_beside_bias(%x: tensor<1x8x!x>) -> tensor<1x1x!x> {
  %w = qnn.constant dense<100> : tensor<8x1xi16> as tensor<8x1x!w>
  %b = qnn.constant dense<100000.0> : tensor<1xf32> as tensor<1xf32>
  %0 = qnn.dequantize %x : (tensor<1x8x!x>) -> tensor<1x8xf32>
  %1 = qnn.dequantize %w : (tensor<8x1x!w>) -> tensor<8x1xf32>
  %2 = qnn.matmul %0, %1, %b : (tensor<1x8xf32>, tensor<8x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %3 = qnn.quantize %2 : (tensor<1x1xf32>) -> tensor<1x1x!x>
  return %3 : tensor<1x1x!x>
}

// -----

!x = !quant.uniform<i16<-8191:8191>:f32, 0.5>
!w = !quant.uniform<i8:f32, 0.5>

// Depthwise, where there are kernels: whole 16 bytes of channels.
// CHECK-LABEL: func @depthwise_words
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK: qnn.conv %[[X]], {{.*}} -> tensor<1x8x1x1x!quant.uniform<i16<-8191:8191>:f32, 5.000000e-01>>
func.func @depthwise_words(%x: tensor<1x8x1x1x!x>) -> tensor<1x8x1x1x!x> {
  %w = qnn.constant dense<1> : tensor<8x1x1x1xi8> as tensor<8x1x1x1x!w>
  %0 = qnn.dequantize %x : (tensor<1x8x1x1x!x>) -> tensor<1x8x1x1xf32>
  %1 = qnn.dequantize %w : (tensor<8x1x1x1x!w>) -> tensor<8x1x1x1xf32>
  %2 = qnn.conv %0, %1 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 8 : i64} : (tensor<1x8x1x1xf32>, tensor<8x1x1x1xf32>) -> tensor<1x8x1x1xf32>
  %3 = qnn.quantize %2 : (tensor<1x8x1x1xf32>) -> tensor<1x8x1x1x!x>
  return %3 : tensor<1x8x1x1x!x>
}

// -----

!x = !quant.uniform<i16:f32, 0.5>

// A clamp in front of 16 bits is part of the range, behind moves, too.
// CHECK-LABEL: func @narrow
// CHECK-NEXT: %[[Q:.*]] = qnn.quantize %{{.*}} -> tensor<1x2x!quant.uniform<i16<-100:200>:f32, 5.000000e-01>>
// CHECK-NEXT: %[[T:.*]] = qnn.reshape %[[Q]] {{.*}} -> tensor<2x1x!quant.uniform<i16<-100:200>:f32, 5.000000e-01>>
// CHECK-NEXT: qnn.dequantize %[[T]]
func.func @narrow(%x: tensor<1x2xf32>) -> tensor<2x1xf32> {
  %0 = qnn.unary clamp %x {alpha = -50.0 : f32, beta = 100.0 : f32} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = qnn.quantize %0 : (tensor<1x2xf32>) -> tensor<1x2x!x>
  %2 = qnn.transpose %1 {permutation = array<i64: 1, 0>} : (tensor<1x2x!x>) -> tensor<2x1x!x>
  %3 = qnn.dequantize %2 : (tensor<2x1x!x>) -> tensor<2x1xf32>
  return %3 : tensor<2x1xf32>
}

// -----

!x = !quant.uniform<i16:f32, 0.5>
!w = !quant.uniform<i16:f32, 0.5>

// So does one that an op has taken over: what the next op sums then fits in 32 bits.
// CHECK-LABEL: func @narrow_activation
// CHECK: %[[A:.*]] = qnn.binary add {{.*}} -> tensor<1x3xf32>
// CHECK: %[[Q:.*]] = qnn.quantize %[[A]] : {{.*}} -> tensor<1x3x!quant.uniform<i16<-100:200>:f32, 5.000000e-01>>
// CHECK: qnn.matmul %[[Q]], %{{.*}} -> tensor<1x2xf32>
func.func @narrow_activation(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {
  %w = qnn.constant dense<30000> : tensor<3x2xi16> as tensor<3x2x!w>
  %0 = qnn.binary add %x, %x {activation = #qnn.act<clamp, -50.0 : f32, 100.0 : f32>} : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %1 = qnn.quantize %0 : (tensor<1x3xf32>) -> tensor<1x3x!x>
  %2 = qnn.dequantize %1 : (tensor<1x3x!x>) -> tensor<1x3xf32>
  %3 = qnn.dequantize %w : (tensor<3x2x!w>) -> tensor<3x2xf32>
  %4 = qnn.matmul %2, %3 : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.1:10>
!near = !quant.uniform<u8:f32, 0.10000002:10>
!other = !quant.uniform<u8:f32, 0.10000002:11>
!far = !quant.uniform<u8:f32, 0.1003:10>
!less = !quant.uniform<u8<0:127>:f32, 0.10000002:10>
!small = !quant.uniform<u8<0:100>:f32, 0.1:10>

// Where no integer changes nothing is computed: scales a unit in the last place
// apart. 245 steps of 0.3 % are more than half a step, and so is another zero point.
// CHECK-LABEL: func @same_integers
// CHECK-SAME: (%[[X:.*]]: tensor<4x!quant{{[^)]*}}%[[S:.*]]: tensor
// CHECK-DAG: %[[I:.*]] = qnn.storage_cast %[[X]] : {{.*}} -> tensor<4xui8>
// CHECK-DAG: %[[NEAR:.*]] = qnn.storage_cast %[[I]] : (tensor<4xui8>) -> tensor<4x!quant.uniform<u8:f32, 0.1000{{.*}}:10>>
// CHECK-DAG: %[[OTHER:.*]] = qnn.requantize %[[X]] : {{.*}}:11>>
// CHECK-DAG: %[[FAR:.*]] = qnn.requantize %[[X]] : {{.*}} -> tensor<4x!quant.uniform<u8:f32, 1.003{{.*}}:10>>
// CHECK-DAG: %[[LESS:.*]] = qnn.requantize %[[X]] : {{.*}} -> tensor<4x!quant.uniform<u8<0:127>
// CHECK-DAG: %[[K:.*]] = qnn.storage_cast %[[S]] :
// CHECK-DAG: %[[MORE:.*]] = qnn.storage_cast %[[K]] : {{.*}} -> tensor<4x!quant.uniform<u8<0:127>
// CHECK: return %[[NEAR]], %[[OTHER]], %[[FAR]], %[[LESS]], %[[MORE]]
func.func @same_integers(%x: tensor<4x!x>, %s: tensor<4x!small>)
    -> (tensor<4x!near>, tensor<4x!other>, tensor<4x!far>, tensor<4x!less>, tensor<4x!less>) {
  %0 = qnn.dequantize %x : (tensor<4x!x>) -> tensor<4xf32>
  %1 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!near>
  %2 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!other>
  %3 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!far>
  %4 = qnn.quantize %0 : (tensor<4xf32>) -> tensor<4x!less>
  %5 = qnn.dequantize %s : (tensor<4x!small>) -> tensor<4xf32>
  %6 = qnn.quantize %5 : (tensor<4xf32>) -> tensor<4x!less>
  return %1, %2, %3, %4, %6 : tensor<4x!near>, tensor<4x!other>, tensor<4x!far>, tensor<4x!less>, tensor<4x!less>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8:f32:0, {0.5, 0.25}>
!y = !quant.uniform<u8:f32, 0.25:3>

// Where each channel is a group, dimension 0 of the filter is that of the results.
// CHECK-LABEL: func @depthwise_transposed
// CHECK: qnn.conv_transpose {{.*}} : (tensor<1x2x3x!quant{{.*}}, tensor<2x1x2x!quant{{.*}}) -> tensor<1x2x6x!quant
func.func @depthwise_transposed(%x: tensor<1x2x3x!x>) -> tensor<1x2x6x!y> {
  %w = qnn.constant dense<1> : tensor<2x1x2xi8> as tensor<2x1x2x!w>
  %0 = qnn.dequantize %x : (tensor<1x2x3x!x>) -> tensor<1x2x3xf32>
  %1 = qnn.dequantize %w : (tensor<2x1x2x!w>) -> tensor<2x1x2xf32>
  %2 = qnn.conv_transpose %0, %1 {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, output_padding = array<i64: 0>, group = 2 : i64} : (tensor<1x2x3xf32>, tensor<2x1x2xf32>) -> tensor<1x2x6xf32>
  %3 = qnn.quantize %2 : (tensor<1x2x6xf32>) -> tensor<1x2x6x!y>
  return %3 : tensor<1x2x6x!y>
}
