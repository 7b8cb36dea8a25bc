// RUN: qcc-opt %s | qcc-opt | FileCheck %s
// RUN: qcc-opt %s -mlir-print-op-generic | qcc-opt | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:3>
!u = !quant.uniform<u8:f32, 2.500000e-01:128>
!w = !quant.uniform<i8:f32:0, {1.000000e-01, 2.000000e-01}>
!w9 = !quant.uniform<i8:f32:0, {0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9}>
!b = !quant.uniform<i32:f32:0, {5.000000e-02, 1.000000e-01}>

// CHECK-LABEL: func @constants
func.func @constants() {
  // CHECK: %cst = qnn.constant dense<1.000000e+00> : tensor<2x3xf32> as tensor<2x3xf32>
  %0 = qnn.constant dense<1.0> : tensor<2x3xf32> as tensor<2x3xf32>
  // CHECK: qnn.constant dense<[1, 255]> : tensor<2xui8> as tensor<2x!quant.uniform<u8:f32, 2.500000e-01:128>>
  %1 = qnn.constant dense<[1, 255]> : tensor<2xui8> as tensor<2x!u>
  // CHECK: qnn.constant dense<-1> : tensor<2x3xi8> as tensor<2x3x!quant.uniform<i8:f32:0, {1.000000e-01,2.000000e-01}>>
  %2 = qnn.constant dense<-1> : tensor<2x3xi8> as tensor<2x3x!w>
  return
}

// CHECK-LABEL: func @casts
func.func @casts(%x: tensor<4xf32>, %i: tensor<4xui8>) {
  // CHECK: qnn.quantize %{{.*}} : (tensor<4xf32>) -> tensor<4x!quant
  %0 = qnn.quantize %x : (tensor<4xf32>) -> tensor<4x!q>
  // CHECK: qnn.dequantize
  %1 = qnn.dequantize %0 : (tensor<4x!q>) -> tensor<4xf32>
  // CHECK: qnn.requantize
  %2 = qnn.requantize %0 : (tensor<4x!q>) -> tensor<4x!u>
  // CHECK: qnn.storage_cast
  %3 = qnn.storage_cast %i : (tensor<4xui8>) -> tensor<4x!u>
  // CHECK: qnn.storage_cast
  %4 = qnn.storage_cast %2 : (tensor<4x!u>) -> tensor<4xui8>
  // CHECK: qnn.cast %{{.*}} : (tensor<4xf32>) -> tensor<4xi64>
  %5 = qnn.cast %x : (tensor<4xf32>) -> tensor<4xi64>
  // CHECK: qnn.dynamic_quantize %{{.*}} : (tensor<4xf32>) -> (tensor<4xui8>, tensor<f32>, tensor<ui8>)
  %d:3 = qnn.dynamic_quantize %x : (tensor<4xf32>) -> (tensor<4xui8>, tensor<f32>, tensor<ui8>)
  // CHECK: qnn.dynamic_dequantize
  %6 = qnn.dynamic_dequantize %d#0, %d#1, %d#2 : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  // CHECK: qnn.observe %{{.*}} as "t" : tensor<4xf32> -> tensor<4xf32>
  %7 = qnn.observe %x as "t" : tensor<4xf32> -> tensor<4xf32>
  return
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<2x3xf32>, %y: tensor<3xf32>, %q: tensor<2x3x!q>, %c: tensor<i1>) {
  // CHECK: qnn.unary leaky_relu %{{.*}} {alpha = 1.000000e-01 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %0 = qnn.unary leaky_relu %x {alpha = 0.1 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: qnn.unary sigmoid %{{.*}} : (tensor<2x3x!quant{{.*}}>) -> tensor<2x3x!quant
  %1 = qnn.unary sigmoid %q : (tensor<2x3x!q>) -> tensor<2x3x!u>
  // CHECK: qnn.binary add %{{.*}}, %{{.*}} {activation = #qnn.act<clamp, 0.000000e+00 : f32, 6.000000e+00 : f32>}
  %2 = qnn.binary add %x, %y {activation = #qnn.act<clamp, 0.0 : f32, 6.0 : f32>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: qnn.binary lt %{{.*}} -> tensor<2x3xi1>
  %3 = qnn.binary lt %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  // CHECK: qnn.select
  %4 = qnn.select %c, %x, %y : (tensor<i1>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: qnn.lut %{{.*}} {table = dense<7> : tensor<256xui8>}
  %5 = qnn.lut %q {table = dense<7> : tensor<256xui8>} : (tensor<2x3x!q>) -> tensor<2x3x!u>
  return
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<1x3x8x8xf32>, %f: tensor<4x3x3x3xf32>, %b: tensor<4xf32>,
                  %qx: tensor<1x4x4x3x!u>, %qw: tensor<2x3x1x1x!w>, %qb: tensor<2x!b>,
                  %m: tensor<5x2x3xf32>, %n: tensor<4x3xf32>, %i: tensor<2x3xui8>, %j: tensor<3x4xi8>,
                  %bx: tensor<2x5x40xf32>, %bw: tensor<24x2x16xui8>, %bs: tensor<24x2xf32>, %bz: tensor<24x2xui8>) {
  // CHECK: qnn.conv %{{.*}} -> tensor<1x4x4x4xf32>
  %0 = qnn.conv %x, %f, %b {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
  // CHECK: qnn.conv %{{.*}}layout = #qnn<layout nhwc>
  %1 = qnn.conv %qx, %qw, %qb {layout = #qnn<layout nhwc>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64} : (tensor<1x4x4x3x!u>, tensor<2x3x1x1x!w>, tensor<2x!b>) -> tensor<1x4x4x2x!q>
  // CHECK: qnn.conv %{{.*}}, %{{.*}} residual %{{.*}} {activation = #qnn.act<relu, 0.000000e+00 : f32, 0.000000e+00 : f32>
  %r = qnn.conv %x, %f residual %0 {activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  // CHECK: qnn.conv_transpose %{{.*}} -> tensor<1x3x17x17xf32>
  %2 = qnn.conv_transpose %0, %f {strides = array<i64: 4, 4>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 2, 2>, group = 1 : i64} : (tensor<1x4x4x4xf32>, tensor<4x3x3x3xf32>) -> tensor<1x3x17x17xf32>
  // CHECK: qnn.matmul %{{.*}}transpose_rhs
  %3 = qnn.matmul %m, %n, %b {transpose_rhs} : (tensor<5x2x3xf32>, tensor<4x3xf32>, tensor<4xf32>) -> tensor<5x2x4xf32>
  // CHECK: qnn.matmul_integer
  %4 = qnn.matmul_integer %i, %j : (tensor<2x3xui8>, tensor<3x4xi8>) -> tensor<2x4xi32>
  // CHECK: qnn.block_matmul %{{.*}}, %{{.*}}, %{{.*}} zero_points %{{.*}} {bits = 4 : i64, block = 32 : i64, int8_input} : (tensor<2x5x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>, tensor<24x2xui8>) -> tensor<2x5x24xf32>
  %q = qnn.block_matmul %bx, %bw, %bs zero_points %bz {bits = 4 : i64, block = 32 : i64, int8_input} : (tensor<2x5x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>, tensor<24x2xui8>) -> tensor<2x5x24xf32>
  // CHECK: qnn.block_matmul %{{.*}}, %{{.*}}, %{{.*}} {bits = 4 : i64, block = 32 : i64} :
  %s = qnn.block_matmul %bx, %bw, %bs {bits = 4 : i64, block = 32 : i64} : (tensor<2x5x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>) -> tensor<2x5x24xf32>
  %5 = qnn.reshape %i : (tensor<2x3xui8>) -> tensor<1x1x6xui8>
  %6 = qnn.reshape %j : (tensor<3x4xi8>) -> tensor<4x1x3xi8>
  // CHECK: qnn.conv_integer
  %7 = qnn.conv_integer %5, %6 {strides = array<i64: 1>, dilations = array<i64: 2>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x1x6xui8>, tensor<4x1x3xi8>) -> tensor<1x4x2xi32>
  return
}

// CHECK-LABEL: func @reductions
func.func @reductions(%x: tensor<1x4x9x9xf32>, %c: tensor<4xf32>) {
  // ceil((9 - 2) / 2) + 1 = 5
  // CHECK: qnn.max_pool %{{.*}}ceil_mode
  %0 = qnn.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, ceil_mode} : (tensor<1x4x9x9xf32>) -> tensor<1x4x5x5xf32>
  // The window that would start in the end padding is dropped.
  // CHECK: qnn.avg_pool
  %1 = qnn.avg_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 5, 5>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 3, 3>, ceil_mode, count_include_pad} : (tensor<1x4x9x9xf32>) -> tensor<1x4x3x3xf32>
  // CHECK: qnn.reduce mean %{{.*}} {axes = array<i64: 2, 3>, keepdims}
  %2 = qnn.reduce mean %x {axes = array<i64: 2, 3>, keepdims} : (tensor<1x4x9x9xf32>) -> tensor<1x4x1x1xf32>
  // CHECK: qnn.arg_reduce
  %3 = qnn.arg_reduce %x {axis = 1 : i64} : (tensor<1x4x9x9xf32>) -> tensor<1x9x9xi64>
  // CHECK: qnn.softmax
  %4 = qnn.softmax %x {axis = 1 : i64, log} : (tensor<1x4x9x9xf32>) -> tensor<1x4x9x9xf32>
  // CHECK: qnn.batch_norm
  %5 = qnn.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-5 : f32} : (tensor<1x4x9x9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x9x9xf32>
  // CHECK: qnn.normalize
  %6 = qnn.normalize %x {axes = array<i64: 3>, epsilon = 1.0e-5 : f32, rms} : (tensor<1x4x9x9xf32>) -> tensor<1x4x9x9xf32>
  // CHECK: qnn.lrn
  %7 = qnn.lrn %x {size = 5 : i64, alpha = 1.0e-4 : f32, beta = 0.75 : f32, bias = 1.0 : f32} : (tensor<1x4x9x9xf32>) -> tensor<1x4x9x9xf32>
  return
}

// CHECK-LABEL: func @shapes
func.func @shapes(%x: tensor<2x3x4xf32>, %i: tensor<5x6xi64>, %w: tensor<2x3x!w>) {
  // CHECK: qnn.reshape
  %0 = qnn.reshape %x : (tensor<2x3x4xf32>) -> tensor<6x4xf32>
  // CHECK: qnn.transpose
  %1 = qnn.transpose %x {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  // The quantized dimension moves along.
  // CHECK: qnn.transpose
  %2 = qnn.transpose %w {permutation = array<i64: 1, 0>} : (tensor<2x3x!w>) -> tensor<3x2x!quant.uniform<i8:f32:1, {1.000000e-01, 2.000000e-01}>>
  // CHECK: qnn.concat
  %3 = qnn.concat %x, %x {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x6x4xf32>
  // CHECK: qnn.slice
  %4 = qnn.slice %x {starts = array<i64: 1, 0, 3>, sizes = array<i64: 1, 2, 4>, steps = array<i64: 1, 2, -1>} : (tensor<2x3x4xf32>) -> tensor<1x2x4xf32>
  // CHECK: qnn.pad %{{.*}}mode = #qnn<pad_mode reflect>
  %5 = qnn.pad %x {pads = array<i64: 0, 2, -1, 0, 1, 2>, mode = #qnn<pad_mode reflect>} : (tensor<2x3x4xf32>) -> tensor<2x6x5xf32>
  // CHECK: qnn.expand
  %6 = qnn.expand %x {shape = array<i64: 7, 2, 3, 4>} : (tensor<2x3x4xf32>) -> tensor<7x2x3x4xf32>
  // CHECK: qnn.gather
  %7 = qnn.gather %x, %i {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<5x6xi64>) -> tensor<2x5x6x4xf32>
  // CHECK: qnn.resize
  %8 = qnn.resize %x {sizes = array<i64: 2, 6, 8>, scales = array<f32: 1.0, 2.0, 2.0>, mode = #qnn<resize_mode linear>, coord_mode = #qnn<coord_mode half_pixel>} : (tensor<2x3x4xf32>) -> tensor<2x6x8xf32>
  return
}

// CHECK-LABEL: func @indexing
func.func @indexing(%x: tensor<2x3x4xf32>, %i: tensor<2x5x4xi64>, %u: tensor<2x5x4xf32>,
                    %p: tensor<7x2xi32>, %v: tensor<7x4xf32>, %image: tensor<1x2x5x6xf32>,
                    %grid: tensor<1x3x4x2xf32>, %b: tensor<4xui8>,
                    %rois: tensor<7x4xf32>, %n: tensor<7xi64>) {
  // CHECK: qnn.top_k %{{.*}} {axis = 2 : i64, k = 3 : i64} : (tensor<2x3x4xf32>) -> (tensor<2x3x3xf32>, tensor<2x3x3xi64>)
  %0:2 = qnn.top_k %x {k = 3 : i64, axis = 2 : i64} : (tensor<2x3x4xf32>) -> (tensor<2x3x3xf32>, tensor<2x3x3xi64>)
  // CHECK: qnn.top_k %{{.*}} {axis = 0 : i64, k = 1 : i64, smallest}
  %1:2 = qnn.top_k %x {k = 1 : i64, axis = 0 : i64, smallest} : (tensor<2x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<1x3x4xi32>)
  // CHECK: qnn.scatter_elements %{{.*}}, %{{.*}}, %{{.*}} {axis = 1 : i64}
  %2 = qnn.scatter_elements %x, %i, %u {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x5x4xi64>, tensor<2x5x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: qnn.scatter_nd %{{.*}}, %{{.*}}, %{{.*}} {reduction = #qnn<scatter_reduction max>}
  %3 = qnn.scatter_nd %x, %p, %v {reduction = #qnn<scatter_reduction max>} : (tensor<2x3x4xf32>, tensor<7x2xi32>, tensor<7x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: qnn.grid_sample %{{.*}}, %{{.*}} {align_corners, border = #qnn<sample_border reflection>, mode = #qnn<resize_mode cubic>}
  %4 = qnn.grid_sample %image, %grid {mode = #qnn<resize_mode cubic>, border = #qnn<sample_border reflection>, align_corners} : (tensor<1x2x5x6xf32>, tensor<1x3x4x2xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qnn.roi_align %{{.*}}, %{{.*}}, %{{.*}} {half_pixel, output_height = 3 : i64
  %r = qnn.roi_align %image, %rois, %n {output_height = 3 : i64, output_width = 2 : i64, sampling_ratio = 0 : i64, spatial_scale = 0.5 : f32, half_pixel} : (tensor<1x2x5x6xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<7x2x3x2xf32>
  // CHECK: qnn.binary shl
  %5 = qnn.binary shl %b, %b : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  // CHECK: qnn.unary acos
  %6 = qnn.unary acos %x : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// CHECK-LABEL: func @recurrent
func.func @recurrent(%l: tensor<5x2x12xf32>, %g: tensor<5x2x9xf32>, %p: tensor<5x2x3xf32>, %wl: tensor<12x3xf32>, %wg: tensor<9x3x!w9>, %wp: tensor<3x3xf32>, %b: tensor<3xf32>, %h: tensor<2x3xf32>, %pe: tensor<9xf32>, %n: tensor<2xi32>) {
  // CHECK: qnn.recurrence lstm %{{.*}}, %{{.*}} state %{{.*}} cell %{{.*}} peepholes %{{.*}} lengths %{{.*}} {activations = [#qnn.act<sigmoid, {{.*}}>, #qnn.act<tanh, {{.*}}>, #qnn.act<affine, {{.*}}>], clip = 1.000000e+01 : f32, coupled, reverse}
  %0:3 = qnn.recurrence lstm %l, %wl state %h cell %h peepholes %pe lengths %n {activations = [#qnn.act<sigmoid, 0.0 : f32, 0.0 : f32>, #qnn.act<tanh, 0.0 : f32, 0.0 : f32>, #qnn.act<affine, 2.0 : f32, 0.5 : f32>], clip = 10.0 : f32, coupled, reverse} : (tensor<5x2x12xf32>, tensor<12x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<9xf32>, tensor<2xi32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
  // CHECK: qnn.recurrence gru %{{.*}}, %{{.*}} bias %{{.*}} {{.*}}linear_before_reset
  %1:2 = qnn.recurrence gru %g, %wg bias %b {activations = [#qnn.act<hard_sigmoid, 0.2 : f32, 0.5 : f32>, #qnn.act<scaled_tanh, 1.7 : f32, 0.6 : f32>], linear_before_reset} : (tensor<5x2x9xf32>, tensor<9x3x!w9>, tensor<3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  // CHECK: qnn.recurrence plain
  %2:2 = qnn.recurrence plain %p, %wp {activations = [#qnn.act<relu, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x3xf32>, tensor<3x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  return
}

// Weights may have fewer bits than the floats that they meet.
// CHECK-LABEL: func @narrow_weights
func.func @narrow_weights(%m: tensor<2x3xf32>, %n: tensor<3x4xbf16>, %b: tensor<4xf32>, %p: tensor<5x2x3xf32>, %w: tensor<3x3xf16>) -> tensor<2x4xf32> {
  // CHECK: qnn.recurrence plain {{.*}} : (tensor<5x2x3xf32>, tensor<3x3xf16>)
  %r:2 = qnn.recurrence plain %p, %w {activations = [#qnn.act<relu, 0.0 : f32, 0.0 : f32>]} : (tensor<5x2x3xf32>, tensor<3x3xf16>) -> (tensor<5x2x3xf32>, tensor<2x3xf32>)
  // CHECK: qnn.matmul {{.*}} : (tensor<2x3xf32>, tensor<3x4xbf16>, tensor<4xf32>) -> tensor<2x4xf32>
  %0 = qnn.matmul %m, %n, %b : (tensor<2x3xf32>, tensor<3x4xbf16>, tensor<4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// Factors of bf16 may have sums of f32.
// CHECK-LABEL: func @bf16_factors
func.func @bf16_factors(%m: tensor<2x3xbf16>, %n: tensor<3x4xbf16>, %b: tensor<4xf32>, %r: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xbf16>) {
  // CHECK: qnn.matmul {{.*}} : (tensor<2x3xbf16>, tensor<3x4xbf16>, tensor<4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %0 = qnn.matmul %m, %n, %b residual %r : (tensor<2x3xbf16>, tensor<3x4xbf16>, tensor<4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  // CHECK: qnn.matmul {{.*}} : (tensor<2x3xbf16>, tensor<3x4xbf16>) -> tensor<2x4xbf16>
  %1 = qnn.matmul %m, %n : (tensor<2x3xbf16>, tensor<3x4xbf16>) -> tensor<2x4xbf16>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xbf16>
}
