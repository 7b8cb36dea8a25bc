// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @reshape_count(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.reshape' op cannot make 5 of 2x3}}
  %0 = qnn.reshape %x : (tensor<2x3xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @reshape_dynamic(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.reshape' op needs static shapes, has 'tensor<2x3xf32>' and 'tensor<?xf32>'; bind the shapes of the graph's inputs first}}
  %0 = qnn.reshape %x : (tensor<2x3xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @reshape_type(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.reshape' op keeps the element type 'f32', but the result has 'f16'}}
  %0 = qnn.reshape %x : (tensor<2x3xf32>) -> tensor<6xf16>
  return
}

// -----

!w = !quant.uniform<i8:f32:0, {1.000000e-01, 2.000000e-01}>
func.func @reshape_scales(%x: tensor<2x3x!w>) {
  // expected-error @+1 {{'qnn.reshape' op has 2 scales along dimension 0 of 6}}
  %0 = qnn.reshape %x : (tensor<2x3x!w>) -> tensor<6x!w>
  return
}

// -----

func.func @transpose_rank(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.transpose' op needs a permutation of 2 dimensions, has 3}}
  %0 = qnn.transpose %x {permutation = array<i64: 0, 1, 2>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @transpose_repeats(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.transpose' op has no permutation of 2 dimensions}}
  %0 = qnn.transpose %x {permutation = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

!w = !quant.uniform<i8:f32:0, {1.000000e-01, 2.000000e-01}>
func.func @transpose_scales(%x: tensor<2x2x!w>) {
  // expected-error @+1 {{'qnn.transpose' op moves the quantized dimension of}}
  %0 = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x2x!w>) -> tensor<2x2x!w>
  return
}

// -----

func.func @concat_axis(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.concat' op has axis 2, beyond a tensor of rank 2}}
  %0 = qnn.concat %x {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_none() {
  // expected-error @+1 {{'qnn.concat' op needs at least one input}}
  %0 = qnn.concat {axis = 0 : i64} : () -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_shapes(%x: tensor<2x3xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{'qnn.concat' op cannot join 2x3 and 3 along dimension 0}}
  %0 = qnn.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3x3xf32>
  return
}

// -----

func.func @concat_types(%x: tensor<2x3xf32>, %y: tensor<2x3xf16>) {
  // expected-error @+1 {{'qnn.concat' op needs operands of one element type, has 'f32' and 'f16'}}
  %0 = qnn.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf16>) -> tensor<4x3xf32>
  return
}

// -----

!w = !quant.uniform<i8:f32:0, {1.000000e-01, 2.000000e-01}>
func.func @concat_scales(%x: tensor<2x3x!w>) {
  // expected-error @+1 {{'qnn.concat' op has 2 scales along dimension 0 of 4}}
  %0 = qnn.concat %x, %x {axis = 0 : i64} : (tensor<2x3x!w>, tensor<2x3x!w>) -> tensor<4x3x!w>
  return
}

// -----

func.func @slice_count(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op needs 2 starts, sizes and steps}}
  %0 = qnn.slice %x {starts = array<i64: 0>, sizes = array<i64: 1, 1>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<1x1xf32>
  return
}

// -----

func.func @slice_size(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op takes 4 elements of 3 along dimension 1}}
  %0 = qnn.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op has a step of 0 along dimension 1}}
  %0 = qnn.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @slice_end(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op leaves the tensor along dimension 1}}
  %0 = qnn.slice %x {starts = array<i64: 0, 2>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @slice_begin(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op leaves the tensor along dimension 0}}
  %0 = qnn.slice %x {starts = array<i64: -1, 0>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @slice_overflow(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.slice' op leaves the tensor along dimension 1}}
  %0 = qnn.slice %x {starts = array<i64: 0, 0>, sizes = array<i64: 1, 3>, steps = array<i64: 1, 9223372036854775807>} : (tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @pad_count(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op needs 4 pads (begins, then ends), has 2}}
  %0 = qnn.pad %x {pads = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_range(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op needs pads within 2^40}}
  %0 = qnn.pad %x {pads = array<i64: 9223372036854775807, 0, 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_removes(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op removes more than there is along dimension 0}}
  %0 = qnn.pad %x {pads = array<i64: -2, 0, -1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_reflect(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op reflects 2 elements of 2 along dimension 0}}
  %0 = qnn.pad %x {mode = #qnn<pad_mode reflect>, pads = array<i64: 2, 0, 0, 0>} : (tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @pad_edge(%x: tensor<0x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op has nothing to repeat along dimension 0}}
  %0 = qnn.pad %x {mode = #qnn<pad_mode edge>, pads = array<i64: 2, 0, 0, 0>} : (tensor<0x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_huge(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.pad' op gives a tensor of more than 2^40 elements: 1099511627778x3}}
  %0 = qnn.pad %x {pads = array<i64: 1099511627776, 0, 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @expand_shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.expand' op cannot broadcast 2x3 to 2x4}}
  %0 = qnn.expand %x {shape = array<i64: 2, 4>} : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @expand_smaller(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.expand' op cannot broadcast 2x3 to 1x3}}
  %0 = qnn.expand %x {shape = array<i64: 1, 3>} : (tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @expand_negative(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.expand' op gives a negative extent: -1x2x3}}
  %0 = qnn.expand %x {shape = array<i64: -1, 2, 3>} : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @gather_axis(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{'qnn.gather' op has axis 2, beyond a tensor of rank 2}}
  %0 = qnn.gather %x, %i {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x2xf32>
  return
}

// -----

func.func @gather_index(%x: tensor<2x3xf32>, %i: tensor<2xi8>) {
  // expected-error @+1 {{'qnn.gather' op needs i32 or i64 indices, has 'i8'}}
  %0 = qnn.gather %x, %i {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi8>) -> tensor<2x2xf32>
  return
}

// -----

func.func @gather_empty(%x: tensor<0xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{'qnn.gather' op takes elements of an empty dimension}}
  %0 = qnn.gather %x, %i {axis = 0 : i64} : (tensor<0xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @gather_type(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{'qnn.gather' op keeps the element type 'f32', but the result has 'f16'}}
  %0 = qnn.gather %x, %i {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x2xf16>
  return
}

// -----

func.func @resize_count(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.resize' op needs 2 sizes and scales}}
  %0 = qnn.resize %x {sizes = array<i64: 4>, scales = array<f32: 2.0, 2.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<2x3xf32>) -> tensor<4x6xf32>
  return
}

// -----

func.func @resize_scale(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.resize' op needs positive finite scales}}
  %0 = qnn.resize %x {sizes = array<i64: 4, 6>, scales = array<f32: 2.0, 0.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<2x3xf32>) -> tensor<4x6xf32>
  return
}

// -----

func.func @resize_empty(%x: tensor<0x3xf32>) {
  // expected-error @+1 {{'qnn.resize' op has nothing to interpolate along dimension 0}}
  %0 = qnn.resize %x {sizes = array<i64: 4, 6>, scales = array<f32: 2.0, 2.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<0x3xf32>) -> tensor<4x6xf32>
  return
}

// -----

func.func @resize_type(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.resize' op keeps the element type 'f32', but the result has 'f16'}}
  %0 = qnn.resize %x {sizes = array<i64: 4, 6>, scales = array<f32: 2.0, 2.0>, mode = #qnn<resize_mode linear>, coord_mode = #qnn<coord_mode asymmetric>} : (tensor<2x3xf32>) -> tensor<4x6xf16>
  return
}

// -----

func.func @operand_huge(%x: tensor<4294967296x4294967296xf32>) {
  // expected-error @+1 {{'qnn.unary' op gives a tensor of more than 2^40 elements: 4294967296x4294967296}}
  %0 = qnn.unary relu %x : (tensor<4294967296x4294967296xf32>) -> tensor<4294967296x4294967296xf32>
  return
}
