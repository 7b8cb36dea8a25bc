// RUN: qcc-opt %s -split-input-file -verify-diagnostics

func.func @top_k_axis(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.top_k' op has axis 2, beyond a tensor of rank 2}}
  %0:2 = qnn.top_k %x {k = 1 : i64, axis = 2 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xi64>)
  return
}

// -----

func.func @top_k_many(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.top_k' op takes 4 of 3 elements along dimension 1}}
  %0:2 = qnn.top_k %x {k = 4 : i64, axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x4xf32>, tensor<2x4xi64>)
  return
}

// -----

func.func @top_k_types(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.top_k' op gives i32 or i64 indices, not 'i8'}}
  %0:2 = qnn.top_k %x {k = 1 : i64, axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xi8>)
  return
}

// -----

func.func @top_k_values(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.top_k' op of 'f32' cannot give values of 'i64'}}
  %0:2 = qnn.top_k %x {k = 1 : i64, axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xi64>, tensor<2x1xi64>)
  return
}

// -----

func.func @scatter_elements_shapes(%x: tensor<2x3xf32>, %i: tensor<2x5xi64>, %u: tensor<2x4xf32>) {
  // expected-error @+1 {{'qnn.scatter_elements' op has indices of shape 2x5 and updates of shape 2x4}}
  %0 = qnn.scatter_elements %x, %i, %u {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x5xi64>, tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_elements_fit(%x: tensor<2x3xf32>, %i: tensor<3x3xi64>, %u: tensor<3x3xf32>) {
  // expected-error @+1 {{'qnn.scatter_elements' op has indices of shape 3x3, which do not fit into an input of shape 2x3}}
  %0 = qnn.scatter_elements %x, %i, %u {axis = 1 : i64} : (tensor<2x3xf32>, tensor<3x3xi64>, tensor<3x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_elements_type(%x: tensor<2x3xf32>, %i: tensor<2x3xi64>, %u: tensor<2x3xf16>) {
  // expected-error @+1 {{'qnn.scatter_elements' op needs one element type, has 'f32', 'f16' and 'f32'}}
  %0 = qnn.scatter_elements %x, %i, %u {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x3xi64>, tensor<2x3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_nd_depth(%x: tensor<2x3xf32>, %i: tensor<4x3xi64>, %u: tensor<4xf32>) {
  // expected-error @+1 {{'qnn.scatter_nd' op has indices of shape 4x3, which hold no coordinates in an input of shape 2x3}}
  %0 = qnn.scatter_nd %x, %i, %u : (tensor<2x3xf32>, tensor<4x3xi64>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_nd_updates(%x: tensor<2x3xf32>, %i: tensor<4x1xi64>, %u: tensor<4xf32>) {
  // expected-error @+1 {{'qnn.scatter_nd' op needs updates of shape 4x3, has 4}}
  %0 = qnn.scatter_nd %x, %i, %u : (tensor<2x3xf32>, tensor<4x1xi64>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_nd_index(%x: tensor<2x3xf32>, %i: tensor<4x1xi8>, %u: tensor<4x3xf32>) {
  // expected-error @+1 {{'qnn.scatter_nd' op needs i32 or i64 indices, has 'i8'}}
  %0 = qnn.scatter_nd %x, %i, %u : (tensor<2x3xf32>, tensor<4x1xi8>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_nd_bool(%x: tensor<3xi1>, %i: tensor<4x1xi64>, %u: tensor<4xi1>) {
  // expected-error @+1 {{'qnn.scatter_nd' op add is not defined on i1}}
  %0 = qnn.scatter_nd %x, %i, %u {reduction = #qnn<scatter_reduction add>} : (tensor<3xi1>, tensor<4x1xi64>, tensor<4xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @grid_sample_grid(%x: tensor<1x2x3x4xf32>, %g: tensor<1x5x5x3xf32>) {
  // expected-error @+1 {{'qnn.grid_sample' op has an input of shape 1x2x3x4 and a grid of shape 1x5x5x3, which do not fit together}}
  %0 = qnn.grid_sample %x, %g {mode = #qnn<resize_mode linear>} : (tensor<1x2x3x4xf32>, tensor<1x5x5x3xf32>) -> tensor<1x2x5x5xf32>
  return
}

// -----

func.func @grid_sample_cubic(%x: tensor<1x2x3x4x5xf32>, %g: tensor<1x5x5x5x3xf32>) {
  // expected-error @+1 {{'qnn.grid_sample' op interpolates at most three dimensions, cubic two, has 3}}
  %0 = qnn.grid_sample %x, %g {mode = #qnn<resize_mode cubic>} : (tensor<1x2x3x4x5xf32>, tensor<1x5x5x5x3xf32>) -> tensor<1x2x5x5x5xf32>
  return
}

// -----

func.func @grid_sample_empty(%x: tensor<1x2x0x4xf32>, %g: tensor<1x5x5x2xf32>) {
  // expected-error @+1 {{'qnn.grid_sample' op has nothing to interpolate in an input of shape 1x2x0x4}}
  %0 = qnn.grid_sample %x, %g {mode = #qnn<resize_mode linear>} : (tensor<1x2x0x4xf32>, tensor<1x5x5x2xf32>) -> tensor<1x2x5x5xf32>
  return
}

// -----

func.func @grid_sample_type(%x: tensor<1x2x3x4xf32>, %g: tensor<1x5x5x2xf32>) {
  // expected-error @+1 {{'qnn.grid_sample' op of 'f32' cannot give 'f16'}}
  %0 = qnn.grid_sample %x, %g {mode = #qnn<resize_mode linear>} : (tensor<1x2x3x4xf32>, tensor<1x5x5x2xf32>) -> tensor<1x2x5x5xf16>
  return
}

// -----

func.func @roi_align_regions(%x: tensor<1x2x3x4xf32>, %r: tensor<5x3xf32>, %n: tensor<5xi64>) {
  // expected-error @+1 {{'qnn.roi_align' op needs regions of R x 4 numbers, has 5x3}}
  %0 = qnn.roi_align %x, %r, %n {output_height = 1 : i64, output_width = 1 : i64, sampling_ratio = 0 : i64, spatial_scale = 1.0 : f32} : (tensor<1x2x3x4xf32>, tensor<5x3xf32>, tensor<5xi64>) -> tensor<5x2x1x1xf32>
  return
}

// -----

func.func @roi_align_images(%x: tensor<1x2x3x4xf32>, %r: tensor<5x4xf32>, %n: tensor<4xi64>) {
  // expected-error @+1 {{'qnn.roi_align' op needs an image for each of 5 regions, has 4}}
  %0 = qnn.roi_align %x, %r, %n {output_height = 1 : i64, output_width = 1 : i64, sampling_ratio = 0 : i64, spatial_scale = 1.0 : f32} : (tensor<1x2x3x4xf32>, tensor<5x4xf32>, tensor<4xi64>) -> tensor<5x2x1x1xf32>
  return
}

// -----

func.func @roi_align_ratio(%x: tensor<1x2x3x4xf32>, %r: tensor<5x4xf32>, %n: tensor<5xi64>) {
  // expected-error @+1 {{'qnn.roi_align' op needs positive extents and a sampling ratio in [0, 1024], has 0 x 1 and 2}}
  %0 = qnn.roi_align %x, %r, %n {output_height = 0 : i64, output_width = 1 : i64, sampling_ratio = 2 : i64, spatial_scale = 1.0 : f32} : (tensor<1x2x3x4xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x2x0x1xf32>
  return
}

// -----

func.func @roi_align_empty(%x: tensor<1x2x0x4xf32>, %r: tensor<5x4xf32>, %n: tensor<5xi64>) {
  // expected-error @+1 {{'qnn.roi_align' op needs an image of N x C x H x W, has 1x2x0x4}}
  %0 = qnn.roi_align %x, %r, %n {output_height = 1 : i64, output_width = 1 : i64, sampling_ratio = 2 : i64, spatial_scale = 1.0 : f32} : (tensor<1x2x0x4xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x2x1x1xf32>
  return
}

// -----

func.func @roi_align_types(%x: tensor<1x2x3x4xf32>, %r: tensor<5x4xf16>, %n: tensor<5xi64>) {
  // expected-error @+1 {{'qnn.roi_align' op needs one element type, has 'f32', 'f16' and 'f32'}}
  %0 = qnn.roi_align %x, %r, %n {output_height = 1 : i64, output_width = 1 : i64, sampling_ratio = 0 : i64, spatial_scale = 1.0 : f32} : (tensor<1x2x3x4xf32>, tensor<5x4xf16>, tensor<5xi64>) -> tensor<5x2x1x1xf32>
  return
}
