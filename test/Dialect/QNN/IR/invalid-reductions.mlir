// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @pool_kernel(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.max_pool' op needs 2 kernel extents, has 1}}
  %0 = qnn.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @pool_zero_kernel(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.avg_pool' op needs kernel extents in [1, 2^31)}}
  %0 = qnn.avg_pool %x {kernel = array<i64: 0, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @pool_window(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.avg_pool' op has a window of 9 in a padded extent of 8}}
  %0 = qnn.avg_pool %x {kernel = array<i64: 9, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @pool_type(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.max_pool' op keeps the element type 'f32', but the result has 'f16'}}
  %0 = qnn.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf16>
  return
}

// -----

func.func @pool_integers(%x: tensor<1x4x8x8xi32>) {
  // expected-error @+1 {{'qnn.avg_pool' op is not defined on 'i32'}}
  %0 = qnn.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xi32>) -> tensor<1x4x4x4xi32>
  return
}

// -----

func.func @pool_mean_type(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.avg_pool' op on 'f32' cannot give 'f16'}}
  %0 = qnn.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf16>
  return
}

// -----

func.func @pool_result(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.max_pool' op result #0 is declared as 1x4x4x5, but operands and attributes give 1x4x4x4}}
  %0 = qnn.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x5xf32>
  return
}

// -----

func.func @reduce_axis(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.reduce' op has axis 4, beyond a tensor of rank 4}}
  %0 = qnn.reduce sum %x {axes = array<i64: 4>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @reduce_negative_axis(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.reduce' op has axis -1, beyond a tensor of rank 4}}
  %0 = qnn.reduce sum %x {axes = array<i64: -1>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @reduce_order(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.reduce' op needs sorted, unique axes}}
  %0 = qnn.reduce sum %x {axes = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @reduce_bool(%x: tensor<2xi1>) {
  // expected-error @+1 {{'qnn.reduce' op is not defined on i1}}
  %0 = qnn.reduce sum %x {axes = array<i64: 0>} : (tensor<2xi1>) -> tensor<i1>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @reduce_quantized(%x: tensor<2x!q>) {
  // expected-error @+1 {{'qnn.reduce' op prod is not defined on '!quant.uniform<i8:f32, 5.000000e-01>'}}
  %0 = qnn.reduce prod %x {axes = array<i64: 0>} : (tensor<2x!q>) -> tensor<!q>
  return
}

// -----

func.func @arg_reduce_axis(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.arg_reduce' op has axis 7, beyond a tensor of rank 4}}
  %0 = qnn.arg_reduce %x {axis = 7 : i64} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8xi64>
  return
}

// -----

func.func @arg_reduce_empty(%x: tensor<0xf32>) {
  // expected-error @+1 {{'qnn.arg_reduce' op has no elements along axis 0}}
  %0 = qnn.arg_reduce %x {axis = 0 : i64} : (tensor<0xf32>) -> tensor<i64>
  return
}

// -----

func.func @arg_reduce_type(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.arg_reduce' op gives i64 or i32, not 'i8'}}
  %0 = qnn.arg_reduce %x {axis = 1 : i64} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8xi8>
  return
}

// -----

func.func @softmax_axis(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.softmax' op has axis 4, beyond a tensor of rank 4}}
  %0 = qnn.softmax %x {axis = 4 : i64} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

func.func @batch_norm_parameters(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.batch_norm' op needs parameters of 4 elements, has 3}}
  %0 = qnn.batch_norm %x, %c, %d, %c, %c {epsilon = 1.0e-5 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<3xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

func.func @batch_norm_epsilon(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>) {
  // expected-error @+1 {{'qnn.batch_norm' op needs a finite epsilon >= 0}}
  %0 = qnn.batch_norm %x, %c, %c, %c, %c {epsilon = -1.0 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

func.func @batch_norm_type(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf16>) {
  // expected-error @+1 {{'qnn.batch_norm' op needs operands of one element type, has 'f32' and 'f16'}}
  %0 = qnn.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf16>, tensor<4xf16>, tensor<4xf16>, tensor<4xf16>) -> tensor<1x4x8x8xf32>
  return
}

// -----

func.func @normalize_axes(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.normalize' op needs sorted, unique axes}}
  %0 = qnn.normalize %x {axes = array<i64: 3, 2>, epsilon = 1.0 : f32} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

func.func @lrn_size(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'qnn.lrn' op needs a window size in [1, 2^31)}}
  %0 = qnn.lrn %x {size = 0 : i64, alpha = 1.0 : f32, beta = 1.0 : f32, bias = 1.0 : f32} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return
}
