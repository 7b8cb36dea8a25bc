// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @constant_shape() {
  // expected-error @+1 {{'qnn.constant' op holds 'tensor<2xf32>' as 'tensor<3xf32>'}}
  %0 = qnn.constant dense<1.0> : tensor<2xf32> as tensor<3xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @constant_storage() {
  // expected-error @+1 {{'qnn.constant' op needs storage elements 'i8' for 'tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>', has 'ui8'}}
  %0 = qnn.constant dense<1> : tensor<2xui8> as tensor<2x!q>
  return
}

// -----

func.func @constant_element() {
  // expected-error @+1 {{'qnn.constant' op has an unsupported element type: 'i7'}}
  %0 = qnn.constant dense<1> : tensor<2xi7> as tensor<2xi7>
  return
}

// -----

func.func @constant_dynamic() {
  // expected-error @+1 {{'qnn.constant' op needs a static shape, has 'tensor<?xf32>'}}
  %0 = qnn.constant dense<1.0> : tensor<2xf32> as tensor<?xf32>
  return
}

// -----

func.func @quantize_scale(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.quantize' op needs a positive finite float32 scale}}
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f64, 1.0e-60>>
  return
}

// -----

func.func @quantize_channels(%x: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.quantize' op has 2 scales along dimension 0 of 3}}
  %0 = qnn.quantize %x : (tensor<3xf32>) -> tensor<3x!quant.uniform<i8:f32:0, {1.0, 2.0}>>
  return
}

// -----

func.func @quantize_axis(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.quantize' op has 2 scales along dimension 1 of 2}}
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32:1, {1.0, 2.0}>>
  return
}

// -----

func.func @quantize_blocks(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.quantize' op needs a type quantized per tensor or per axis}}
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32:{0:1}, {1.0, 2.0}>>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @quantize_shape(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.quantize' op result #0 is declared as 3, but operands and attributes give 2}}
  %0 = qnn.quantize %x : (tensor<2xf32>) -> tensor<3x!q>
  return
}

// -----

func.func @dequantize_scale(%x: tensor<2x!quant.uniform<i8:f64, 1.0e-60>>) {
  // expected-error @+1 {{'qnn.dequantize' op needs a positive finite float32 scale}}
  %0 = qnn.dequantize %x : (tensor<2x!quant.uniform<i8:f64, 1.0e-60>>) -> tensor<2xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @requantize_scale(%x: tensor<2x!q>) {
  // expected-error @+1 {{'qnn.requantize' op needs a positive finite float32 scale}}
  %0 = qnn.requantize %x : (tensor<2x!q>) -> tensor<2x!quant.uniform<i8:f64, 1.0e-60>>
  return
}

// -----

func.func @storage_cast_none(%x: tensor<2xi8>) {
  // expected-error @+1 {{'qnn.storage_cast' op needs one quantized and one integer type, has 'i8' and 'ui8'}}
  %0 = qnn.storage_cast %x : (tensor<2xi8>) -> tensor<2xui8>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @storage_cast_sign(%x: tensor<2xui8>) {
  // expected-error @+1 {{'qnn.storage_cast' op needs the storage type 'i8' of '!quant.uniform<i8:f32, 5.000000e-01>', has 'ui8'}}
  %0 = qnn.storage_cast %x : (tensor<2xui8>) -> tensor<2x!q>
  return
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @cast_quantized(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.cast' op converts plain numbers, not '!quant.uniform<i8:f32, 5.000000e-01>'; use quantize, dequantize or requantize}}
  %0 = qnn.cast %x : (tensor<2xf32>) -> tensor<2x!q>
  return
}

// -----

func.func @dynamic_quantize_type(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.dynamic_quantize' op gives ui8 data and a ui8 zero point, not 'i8' and 'ui8'}}
  %0:3 = qnn.dynamic_quantize %x : (tensor<2xf32>) -> (tensor<2xi8>, tensor<f32>, tensor<ui8>)
  return
}

// -----

func.func @dynamic_quantize_scale(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.dynamic_quantize' op gives a scale of the input's type 'f32', not 'f16'}}
  %0:3 = qnn.dynamic_quantize %x : (tensor<2xf32>) -> (tensor<2xui8>, tensor<f16>, tensor<ui8>)
  return
}

// -----

func.func @dynamic_quantize_scale_shape(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.dynamic_quantize' op result #1 is declared as 1, but operands and attributes give scalar}}
  %0:3 = qnn.dynamic_quantize %x : (tensor<2xf32>) -> (tensor<2xui8>, tensor<1xf32>, tensor<ui8>)
  return
}

// -----

func.func @dynamic_dequantize_shape(%x: tensor<2xui8>, %s: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.dynamic_dequantize' op has a scale or zero point that does not broadcast to 2}}
  %0 = qnn.dynamic_dequantize %x, %s : (tensor<2xui8>, tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @dynamic_dequantize_type(%x: tensor<2xui8>, %s: tensor<f32>) {
  // expected-error @+1 {{'qnn.dynamic_dequantize' op gives the scale's type 'f32', not 'f16'}}
  %0 = qnn.dynamic_dequantize %x, %s : (tensor<2xui8>, tensor<f32>) -> tensor<2xf16>
  return
}

// -----

func.func @dynamic_dequantize_zero_point(%x: tensor<2xui8>, %s: tensor<f32>, %z: tensor<i8>) {
  // expected-error @+1 {{'qnn.dynamic_dequantize' op needs a zero point of the input's type 'ui8', has 'i8'}}
  %0 = qnn.dynamic_dequantize %x, %s, %z : (tensor<2xui8>, tensor<f32>, tensor<i8>) -> tensor<2xf32>
  return
}

// -----

func.func @observe_type(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.observe' op needs equal types, has 'tensor<2xf32>' and 'tensor<2xf16>'}}
  %0 = qnn.observe %x as "a" : tensor<2xf32> -> tensor<2xf16>
  return
}

// -----

func.func @observe_id(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.observe' op needs a non-empty id}}
  %0 = qnn.observe %x as "" : tensor<2xf32> -> tensor<2xf32>
  return
}
