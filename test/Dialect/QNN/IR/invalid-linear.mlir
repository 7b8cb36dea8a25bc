// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @conv_strides(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs 2 strides, has 1}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_zero_stride(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs strides in [1, 2^31)}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_dilations(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs 2 dilations, has 3}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_zero_dilation(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs dilations in [1, 2^31)}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, -1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_pads(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs 4 pads (begins, then ends), has 2}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_negative_pads(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs pads in [0, 2^31)}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, -1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_group(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs group >= 1, has 0}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_group_input(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op has 4 input channels, not divisible by group 3}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_group_filter(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op has 4 input channels, but the filter takes 4 in each of 2 groups}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_group_output(%x: tensor<1x4x8x8xf32>, %f: tensor<6x1x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op has 6 output channels, not divisible by group 4}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_window(%x: tensor<1x4x8x2xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op has a window of 3 in a padded extent of 2}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x2xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_rank(%x: tensor<1x4xf32>, %f: tensor<6x4xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs an input of rank 3 to 5, has 1x4}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4xf32>, tensor<6x4xf32>) -> tensor<1x6xf32>
  return
}

// -----

func.func @conv_filter_rank(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs a filter of rank 4, has 6x4x3}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_spatial_rank(%x: tensor<1x4x1x1x1x1xf32>, %f: tensor<6x4x1x1x1x1xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs 1, 2 or 3 spatial dimensions, has 4}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x1x1x1x1xf32>, tensor<6x4x1x1x1x1xf32>) -> tensor<1x6x1x1x1x1xf32>
  return
}

// -----

func.func @conv_empty_filter(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x0x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs kernel extents in [1, 2^31)}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x0x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_bias(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs a bias of 6 elements, has 5}}
  %0 = qnn.conv %x, %f, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<5xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_residual(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>, %r: tensor<1x6x6x1xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs a residual of the result's shape 1x6x6x6, has 1x6x6x1}}
  %0 = qnn.conv %x, %f residual %r {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<1x6x6x1xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_result(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op result #0 is declared as 1x6x6x7, but operands and attributes give 1x6x6x6}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x7xf32>
  return
}

// -----

func.func @conv_dynamic(%x: tensor<?x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op operand #0 has a dynamic shape, 'tensor<?x4x8x8xf32>'; bind the shapes of the graph's inputs first}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}

// -----

func.func @conv_mixed_float(%x: tensor<1x4x8x8xf16>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op needs operands of one float type, has 'f16' and 'f32'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf16>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf16>
  return
}

// -----

func.func @conv_float_result(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv' op on 'f32' gives 'f32', not 'f16'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf16>
  return
}

// -----

func.func @conv_integers(%x: tensor<1x4x8x8xi8>, %f: tensor<6x4x3x3xi8>) {
  // expected-error @+1 {{'qnn.conv' op needs float operands, or quantized ones; has 'i8' and 'i8'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
!h = !quant.uniform<i32:f32, 5.000000e-01>
func.func @conv_wide_input(%x: tensor<1x4x8x8x!h>, %f: tensor<6x4x3x3x!q>) {
  // expected-error @+1 {{'qnn.conv' op needs an input quantized per tensor to at most 16 bits, has '!quant.uniform<i32:f32, 5.000000e-01>'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8x!h>, tensor<6x4x3x3x!q>) -> tensor<1x6x6x6x!q>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
!h = !quant.uniform<i16:f32, 5.000000e-01>
func.func @conv_wide_weight(%x: tensor<1x4x8x8x!q>, %f: tensor<6x4x3x3x!h>) {
  // expected-error @+1 {{'qnn.conv' op needs weights of at most 8 bits, or of as many as its input, has '!quant.uniform<i16:f32, 5.000000e-01>'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8x!q>, tensor<6x4x3x3x!h>) -> tensor<1x6x6x6x!q>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
!w1 = !quant.uniform<i8:f32:1, {1.000000e-01, 2.000000e-01}>
func.func @conv_weight_axis(%x: tensor<1x2x8x8x!q>, %f: tensor<6x2x3x3x!w1>) {
  // expected-error @+1 {{'qnn.conv' op needs weights quantized per tensor or along dimension 0, has dimension 1}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x2x8x8x!q>, tensor<6x2x3x3x!w1>) -> tensor<1x6x6x6x!q>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
!s = !quant.uniform<i32:f32, 2.500000e-01>
func.func @conv_float_bias(%x: tensor<1x4x8x8x!q>, %f: tensor<6x4x3x3x!q>, %b: tensor<6xf32>) {
  // expected-error @+1 {{'qnn.conv' op on quantized types needs a bias quantized to 32 bits, or of f32 where the result is no sum; has 'f32'}}
  %0 = qnn.conv %x, %f, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8x!q>, tensor<6x4x3x3x!q>, tensor<6xf32>) -> tensor<1x6x6x6x!s>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @conv_int_residual(%x: tensor<1x4x8x8x!q>, %f: tensor<6x4x3x3x!q>, %r: tensor<1x6x6x6xi8>) {
  // expected-error @+1 {{'qnn.conv' op needs a float residual or one quantized per tensor, has 'i8'}}
  %0 = qnn.conv %x, %f residual %r {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8x!q>, tensor<6x4x3x3x!q>, tensor<1x6x6x6xi8>) -> tensor<1x6x6x6x!q>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @conv_int_result(%x: tensor<1x4x8x8x!q>, %f: tensor<6x4x3x3x!q>) {
  // expected-error @+1 {{'qnn.conv' op on quantized types gives a float, or a result quantized to 8, 16 or 32 bits, not 'i32'}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x8x8x!q>, tensor<6x4x3x3x!q>) -> tensor<1x6x6x6xi32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @conv_sum_activation(%x: tensor<1x4x8x8x!q>, %f: tensor<6x4x3x3x!q>) {
  // expected-error @+1 {{'qnn.conv' op with a 32-bit result takes no activation and no residual}}
  %0 = qnn.conv %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<1x4x8x8x!q>, tensor<6x4x3x3x!q>) -> tensor<1x6x6x6x!quant.uniform<i32:f32, 0.25>>
  return
}

// -----

func.func @transposed_channels(%x: tensor<1x4x8x8xf32>, %f: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv_transpose' op has 4 input channels, but the filter takes 6}}
  %0 = qnn.conv_transpose %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x10x10xf32>
  return
}

// -----

func.func @transposed_output_padding(%x: tensor<1x4x8x8xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv_transpose' op needs 2 output paddings in [0, 2^31)}}
  %0 = qnn.conv_transpose %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x10x10xf32>
  return
}

// -----

func.func @transposed_extent(%x: tensor<1x4x8x8xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error @+1 {{'qnn.conv_transpose' op gives a spatial extent of 0}}
  %0 = qnn.conv_transpose %x, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 5, 0, 5, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x10x10xf32>
  return
}

// -----

func.func @transposed_huge(%x: tensor<1x1x1048576x1048576xf32>, %f: tensor<1x1x1x1xf32>) {
  // expected-error @+1 {{'qnn.conv_transpose' op gives a tensor of more than 2^40 elements: 1x1x2147481601x2147481601}}
  %0 = qnn.conv_transpose %x, %f {strides = array<i64: 2048, 2048>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x1x1048576x1048576xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x8x8xf32>
  return
}

// -----

func.func @matmul_scalar(%a: tensor<f32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.matmul' op needs operands of rank 1 or more}}
  %0 = qnn.matmul %a, %b : (tensor<f32>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----

func.func @matmul_transpose(%a: tensor<3xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.matmul' op can only transpose an operand of rank 2 or more}}
  %0 = qnn.matmul %a, %b {transpose_lhs} : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----

func.func @matmul_depth(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'qnn.matmul' op has 3 columns on the left, but 4 rows on the right}}
  %0 = qnn.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @matmul_batch(%a: tensor<2x2x3xf32>, %b: tensor<3x3x5xf32>) {
  // expected-error @+1 {{'qnn.matmul' op batch dimensions do not broadcast: 2x2x3 and 3x3x5}}
  %0 = qnn.matmul %a, %b : (tensor<2x2x3xf32>, tensor<3x3x5xf32>) -> tensor<2x2x5xf32>
  return
}

// -----

func.func @matmul_bias(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.matmul' op needs a bias that broadcasts to 2x5, has 3}}
  %0 = qnn.matmul %a, %b, %c : (tensor<2x3xf32>, tensor<3x5xf32>, tensor<3xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @matmul_grown_by_bias(%a: tensor<1x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x5xf32>) {
  // expected-error @+1 {{'qnn.matmul' op needs a bias that broadcasts to 1x5, has 2x5}}
  %0 = qnn.matmul %a, %b, %c : (tensor<1x3xf32>, tensor<3x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @matmul_integer_type(%a: tensor<2x3xi32>, %b: tensor<3x5xi8>) {
  // expected-error @+1 {{'qnn.matmul_integer' op needs 8-bit integers, has 'i32'}}
  %0 = qnn.matmul_integer %a, %b : (tensor<2x3xi32>, tensor<3x5xi8>) -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_integer_zero_point_type(%a: tensor<2x3xui8>, %b: tensor<3x5xi8>, %z: tensor<i8>) {
  // expected-error @+1 {{'qnn.matmul_integer' op needs a zero point of its operand's type 'ui8', has 'i8'}}
  %0 = qnn.matmul_integer %a, %b, %z : (tensor<2x3xui8>, tensor<3x5xi8>, tensor<i8>) -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_integer_zero_point_shape(%a: tensor<2x3xui8>, %b: tensor<3x5xi8>, %z: tensor<3xi8>) {
  // expected-error @+1 {{'qnn.matmul_integer' op has a zero point of the right of shape 3, neither a scalar nor one per right channel}}
  %0 = qnn.matmul_integer %a, %b rhs_zero_point %z : (tensor<2x3xui8>, tensor<3x5xi8>, tensor<3xi8>) -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_integer_result(%a: tensor<2x3xui8>, %b: tensor<3x5xi8>) {
  // expected-error @+1 {{'qnn.matmul_integer' op gives i32, not 'i64'}}
  %0 = qnn.matmul_integer %a, %b : (tensor<2x3xui8>, tensor<3x5xi8>) -> tensor<2x5xi64>
  return
}

// -----

func.func @conv_integer_zero_point(%a: tensor<1x1x6xui8>, %b: tensor<4x1x3xi8>, %z: tensor<2xui8>) {
  // expected-error @+1 {{'qnn.conv_integer' op has a zero point of the input of shape 2, neither a scalar nor one per input channel}}
  %0 = qnn.conv_integer %a, %b, %z {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x1x6xui8>, tensor<4x1x3xi8>, tensor<2xui8>) -> tensor<1x4x4xi32>
  return
}

// -----

func.func @block_bits(%x: tensor<3x40xf32>, %w: tensor<24x2x12xui8>, %s: tensor<24x2xf32>) {
  // expected-error @+1 {{'qnn.block_matmul' op needs 2, 4 or 8 bits, has 3}}
  %0 = qnn.block_matmul %x, %w, %s {bits = 3 : i64, block = 32 : i64} : (tensor<3x40xf32>, tensor<24x2x12xui8>, tensor<24x2xf32>) -> tensor<3x24xf32>
  return
}

// -----

func.func @block_of_half_bytes(%x: tensor<3x15xf32>, %w: tensor<24x1x8xui8>, %s: tensor<24x1xf32>) {
  // expected-error @+1 {{'qnn.block_matmul' op needs blocks of whole bytes and at most 65536 weights, has 15 weights of 4 bits}}
  %0 = qnn.block_matmul %x, %w, %s {bits = 4 : i64, block = 15 : i64} : (tensor<3x15xf32>, tensor<24x1x8xui8>, tensor<24x1xf32>) -> tensor<3x24xf32>
  return
}

// -----

func.func @block_weights(%x: tensor<3x40xf32>, %w: tensor<24x3x16xui8>, %s: tensor<24x3xf32>) {
  // expected-error @+1 {{'qnn.block_matmul' op needs weights of N columns x 2 blocks x 16 bytes, has 24x3x16}}
  %0 = qnn.block_matmul %x, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<3x40xf32>, tensor<24x3x16xui8>, tensor<24x3xf32>) -> tensor<3x24xf32>
  return
}

// -----

func.func @block_zero_points(%x: tensor<3x40xf32>, %w: tensor<24x2x16xui8>, %s: tensor<24x2xf32>, %z: tensor<24xui8>) {
  // expected-error @+1 {{'qnn.block_matmul' op needs a scale and zero point for each of 24x2 blocks, has 24}}
  %0 = qnn.block_matmul %x, %w, %s zero_points %z {bits = 4 : i64, block = 32 : i64} : (tensor<3x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>, tensor<24xui8>) -> tensor<3x24xf32>
  return
}

// -----

func.func @block_zero_point_type(%x: tensor<3x40xf32>, %w: tensor<24x2x16xui8>, %s: tensor<24x2xf32>, %z: tensor<24x2xi32>) {
  // expected-error @+1 {{'qnn.block_matmul' op needs zero points of ui8 or f32, has 'i32'}}
  %0 = qnn.block_matmul %x, %w, %s zero_points %z {bits = 4 : i64, block = 32 : i64} : (tensor<3x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>, tensor<24x2xi32>) -> tensor<3x24xf32>
  return
}

// -----

func.func @block_input_type(%x: tensor<3x40xf16>, %w: tensor<24x2x16xui8>, %s: tensor<24x2xf32>) {
  // expected-error @+1 {{'qnn.block_matmul' op computes on f32, has 'f16', 'f32' and 'f32'}}
  %0 = qnn.block_matmul %x, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<3x40xf16>, tensor<24x2x16xui8>, tensor<24x2xf32>) -> tensor<3x24xf32>
  return
}

// -----

func.func @bf16_factors_residual(%x: tensor<2x3xbf16>, %w: tensor<3x4xbf16>, %r: tensor<2x4xbf16>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'qnn.matmul' op needs operands of one float type, has 'f32' and 'bf16'}}
  %0 = qnn.matmul %x, %w residual %r : (tensor<2x3xbf16>, tensor<3x4xbf16>, tensor<2x4xbf16>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @f16_factors(%x: tensor<2x3xf16>, %w: tensor<3x4xf16>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'qnn.matmul' op on 'f16' gives 'f16', not 'f32'}}
  %0 = qnn.matmul %x, %w : (tensor<2x3xf16>, tensor<3x4xf16>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// A factor that is the residual as well.
func.func @bf16_residual(%x: tensor<4x4xbf16>, %w: tensor<4x4xbf16>) {
  // expected-error @+1 {{'qnn.matmul' op needs operands of one float type, has 'f32' and 'bf16'}}
  %0 = qnn.matmul %x, %w residual %x : (tensor<4x4xbf16>, tensor<4x4xbf16>, tensor<4x4xbf16>) -> tensor<4x4xf32>
  return
}
