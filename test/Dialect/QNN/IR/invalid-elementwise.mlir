// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @unary_not(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.unary' op not needs i1, has 'f32' and 'f32'}}
  %0 = qnn.unary not %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @unary_is_nan(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.unary' op is_nan gives i1 for a float, has 'f32' and 'f32'}}
  %0 = qnn.unary is_nan %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @unary_clamp(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.unary' op clamp needs alpha <= beta, has 1.000000e+00 and 0.000000e+00}}
  %0 = qnn.unary clamp %x {alpha = 1.0 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @unary_integer(%x: tensor<2xi32>) {
  // expected-error @+1 {{'qnn.unary' op sigmoid is not defined on 'i32'}}
  %0 = qnn.unary sigmoid %x : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @unary_type(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.unary' op on 'f32' cannot give 'f16'}}
  %0 = qnn.unary relu %x : (tensor<2x3xf32>) -> tensor<2x3xf16>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @unary_quantizes(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.unary' op on 'f32' cannot give '!quant.uniform<i8:f32, 5.000000e-01>'}}
  %0 = qnn.unary relu %x : (tensor<2x3xf32>) -> tensor<2x3x!q>
  return
}

// -----

func.func @binary_shapes(%x: tensor<2x3xf32>, %y: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.binary' op operands do not broadcast: 2x3 and 2}}
  %0 = qnn.binary add %x, %y : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @binary_types(%x: tensor<2x3xf32>, %y: tensor<3xf16>) {
  // expected-error @+1 {{'qnn.binary' op needs operands of one element type, or both quantized; has 'f32' and 'f16'}}
  %0 = qnn.binary add %x, %y : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @binary_half_quantized(%x: tensor<2x3xf32>, %y: tensor<3x!q>) {
  // expected-error @+1 {{'qnn.binary' op needs operands of one element type, or both quantized; has 'f32' and '!quant}}
  %0 = qnn.binary add %x, %y : (tensor<2x3xf32>, tensor<3x!q>) -> tensor<2x3xf32>
  return
}

// -----

func.func @binary_comparison(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.binary' op lt gives i1, not 'f32'}}
  %0 = qnn.binary lt %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @binary_comparison_activation(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.binary' op lt takes no activation}}
  %0 = qnn.binary lt %x, %x {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----

func.func @binary_shift(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{'qnn.binary' op shr needs unsigned integers, has 'i32'}}
  %0 = qnn.binary shr %x, %x : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @binary_bitwise(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.binary' op and needs integers, has 'f32'}}
  %0 = qnn.binary and %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @binary_bool(%x: tensor<2xi1>) {
  // expected-error @+1 {{'qnn.binary' op add is not defined on i1}}
  %0 = qnn.binary add %x, %x : (tensor<2xi1>, tensor<2xi1>) -> tensor<2xi1>
  return
}

// -----

func.func @binary_integer_activation(%x: tensor<2xi32>) {
  // expected-error @+1 {{'qnn.binary' op takes no activation on integers}}
  %0 = qnn.binary add %x, %x {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>} : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @binary_result(%x: tensor<2xi32>) {
  // expected-error @+1 {{'qnn.binary' op on 'i32' cannot give 'i64'}}
  %0 = qnn.binary add %x, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi64>
  return
}

// -----

func.func @select_types(%c: tensor<i1>, %x: tensor<2x3xf32>, %y: tensor<2x3xf16>) {
  // expected-error @+1 {{'qnn.select' op needs one element type, has 'f32', 'f16' and 'f32'}}
  %0 = qnn.select %c, %x, %y : (tensor<i1>, tensor<2x3xf32>, tensor<2x3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @select_shapes(%c: tensor<2xi1>, %x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.select' op operands do not broadcast: 2, 2x3 and 2x3}}
  %0 = qnn.select %c, %x, %x : (tensor<2xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @lut_input(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.lut' op needs an 8-bit input, has 'f32'}}
  %0 = qnn.lut %x {table = dense<1.0> : tensor<256xf32>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @lut_result(%x: tensor<2xi8>) {
  // expected-error @+1 {{'qnn.lut' op gives 8-bit integers or floats, not 'i16'}}
  %0 = qnn.lut %x {table = dense<1> : tensor<256xi16>} : (tensor<2xi8>) -> tensor<2xi16>
  return
}

// -----

func.func @lut_size(%x: tensor<2xi8>) {
  // expected-error @+1 {{'qnn.lut' op needs a table of 256 entries, has 'tensor<255xi8>'}}
  %0 = qnn.lut %x {table = dense<1> : tensor<255xi8>} : (tensor<2xi8>) -> tensor<2xi8>
  return
}

// -----

func.func @lut_type(%x: tensor<2xi8>) {
  // expected-error @+1 {{'qnn.lut' op needs a table of 'i8', has 'ui8'}}
  %0 = qnn.lut %x {table = dense<1> : tensor<256xui8>} : (tensor<2xi8>) -> tensor<2xi8>
  return
}
