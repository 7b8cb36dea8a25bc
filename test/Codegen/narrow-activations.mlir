// Which products read activations that are rounded to bf16, and which kernels round.

// RUN: qcc-opt %s -qcc-narrow-activations=level=amx | FileCheck %s
// RUN: qcc-opt %s -qcc-narrow-activations='level=amx widen' | FileCheck %s --check-prefix=WIDE
// RUN: qcc-opt %s -qcc-narrow-activations=level=avx512-vnni | FileCheck %s --check-prefix=NONE
// RUN: qcc-opt %s -qcc-generate-kernels=level=amx | FileCheck %s --check-prefix=KERNELS
// RUN: sed 's/^module {/module attributes {qcc.keep_tensors} {/' %s | qcc-opt - -qcc-generate-kernels=level=amx | FileCheck %s --check-prefix=KEPT
// RUN: not qcc-opt %s -qcc-narrow-activations=level=none 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// NONE-NOT: qnn.cast
// UNKNOWN: error: no target has a level none

module {
// CHECK-LABEL: func.func @main
// WIDE-LABEL: func.func @main
func.func @main(%x: tensor<64x256xf32> {qnn.name = "x"}, %row: tensor<4x4096xf32> {qnn.name = "row"},
                %image: tensor<1x14x14x64xf32> {qnn.name = "image"}, %add: tensor<64x256xf32> {qnn.name = "add"})
    -> (tensor<64x128xf32> {qnn.name = "a"}, tensor<64x128xf32> {qnn.name = "b"}, tensor<4x512xf32> {qnn.name = "c"},
        tensor<64x128xf32> {qnn.name = "d"}, tensor<1x14x14x32xf32> {qnn.name = "e"}, tensor<64x128xf32> {qnn.name = "f"},
        tensor<64x128xf32> {qnn.name = "g"}) {
  %w = qnn.constant dense<1.0> : tensor<256x128xbf16> as tensor<256x128xbf16>
  // Two products share what is rounded, and so does a view.
  // CHECK: %[[X:.*]] = qnn.cast %arg0 : (tensor<64x256xf32>) -> tensor<64x256xbf16>
  // CHECK-NEXT: qnn.matmul %[[X]], %{{.*}} : (tensor<64x256xbf16>, tensor<256x128xbf16>) -> tensor<64x128xf32>
  // CHECK-NEXT: qnn.matmul %[[X]]
  // WIDE: %[[X16:.*]] = qnn.cast %arg0 : (tensor<64x256xf32>) -> tensor<64x256xbf16>
  // WIDE-NEXT: %[[X:.*]] = qnn.cast %[[X16]] : (tensor<64x256xbf16>) -> tensor<64x256xf32>
  // WIDE-NEXT: qnn.matmul %[[X]], %{{.*}} : (tensor<64x256xf32>, tensor<256x128xbf16>) -> tensor<64x128xf32>
  // KERNELS: call @elementwise_0({{.*}}) : (memref<64x256xf32>, memref<64x256xbf16>, index, index)
  // KERNELS: call @matmul_tiles_0({{.*}}) {{.*}}: (memref<64x256xbf16>, memref<32768xbf16>, memref<64x128xf32>, index, index)
  // KERNELS: call @matmul_tiles_0
  %a = qnn.matmul %x, %w : (tensor<64x256xf32>, tensor<256x128xbf16>) -> tensor<64x128xf32>
  %b = qnn.matmul %x, %w : (tensor<64x256xf32>, tensor<256x128xbf16>) -> tensor<64x128xf32>
  // Few rows: the weights may be of bf16 because they lose nothing.
  // CHECK: qnn.matmul %arg1
  // KERNELS: call @matmul_0
  %wc = qnn.constant dense<1.0> : tensor<4096x512xbf16> as tensor<4096x512xbf16>
  %c = qnn.matmul %row, %wc : (tensor<4x4096xf32>, tensor<4096x512xbf16>) -> tensor<4x512xf32>
  // Weights of f16 are only stored so.
  // CHECK: qnn.matmul %arg0
  // KERNELS: call @matmul_1
  %wd = qnn.constant dense<1.0> : tensor<256x128xf16> as tensor<256x128xf16>
  %d = qnn.matmul %x, %wd : (tensor<64x256xf32>, tensor<256x128xf16>) -> tensor<64x128xf32>
  // A kernel stores what only a product reads as it is read: one of Winograd's
  // method, one on tiles, and a chain of elementwise ops.
  // CHECK: %[[E0:.*]] = qnn.conv %arg2
  // CHECK: %[[E1:.*]] = qnn.cast %[[E0]]
  // CHECK-NEXT: %[[E2:.*]] = qnn.conv %[[E1]]
  // CHECK: %[[E3:.*]] = qnn.cast %[[E2]]
  // CHECK-NEXT: qnn.conv %[[E3]]
  // KERNELS: call @conv_winograd_0({{.*}} : ({{.*}}memref<1x14x14x64xbf16>, index, index)
  // KERNELS: call @conv_tiles_0({{.*}} : (memref<1x14x14x64xbf16>, memref<36864xbf16>, memref<1x14x14x64xbf16>, index, index)
  // KERNELS: call @conv_tiles_1({{.*}} : (memref<1x14x14x64xbf16>, memref<2048xbf16>, memref<1x14x14x32xf32>, index, index)
  // KEPT: call @conv_winograd_0({{.*}} : ({{.*}}memref<1x14x14x64xf32>, index, index)
  // KEPT: call @elementwise_1({{.*}} : (memref<1x14x14x64xf32>, memref<1x14x14x64xbf16>, index, index)
  %we = qnn.constant dense<1.0> : tensor<64x64x3x3xf32> as tensor<64x64x3x3xf32>
  %e0 = qnn.conv %image, %we {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x14x14x64xf32>
  %wf = qnn.constant dense<1.0> : tensor<64x64x3x3xbf16> as tensor<64x64x3x3xbf16>
  %e1 = qnn.conv %e0, %wf {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64xf32>, tensor<64x64x3x3xbf16>) -> tensor<1x14x14x64xf32>
  %wg = qnn.constant dense<1.0> : tensor<32x64x1x1xbf16> as tensor<32x64x1x1xbf16>
  %e = qnn.conv %e1, %wg {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 1 : i64, layout = #qnn<layout nhwc>}
     : (tensor<1x14x14x64xf32>, tensor<32x64x1x1xbf16>) -> tensor<1x14x14x32xf32>
  // CHECK: qnn.binary
  // CHECK-NEXT: %[[SUM:.*]] = qnn.cast
  // CHECK-NEXT: %[[VIEW:.*]] = qnn.reshape %[[SUM]] : (tensor<64x256xbf16>) -> tensor<4x16x256xbf16>
  // CHECK-NEXT: qnn.matmul %[[VIEW]]
  // KERNELS: call @elementwise_1({{.*}}memref<64x256xbf16>, index, index)
  %s = "qnn.unary"(%x) {kind = #qnn<unary_kind relu>} : (tensor<64x256xf32>) -> tensor<64x256xf32>
  %t = "qnn.binary"(%s, %add) {kind = #qnn<binary_kind add>} : (tensor<64x256xf32>, tensor<64x256xf32>) -> tensor<64x256xf32>
  %v = qnn.reshape %t : (tensor<64x256xf32>) -> tensor<4x16x256xf32>
  %f0 = qnn.matmul %v, %w : (tensor<4x16x256xf32>, tensor<256x128xbf16>) -> tensor<4x16x128xf32>
  %f = qnn.reshape %f0 : (tensor<4x16x128xf32>) -> tensor<64x128xf32>
  // So does the kernel of a normalization. What is used elsewhere, too, stays.
  // CHECK: %[[NORM:.*]] = qnn.normalize
  // CHECK-NEXT: %[[ROUND:.*]] = qnn.cast %[[NORM]]
  // CHECK-NEXT: qnn.matmul %[[ROUND]]
  // KERNELS: call @normalize_0({{.*}}memref<64x256xbf16>, index, index)
  %n = "qnn.normalize"(%add) {axes = array<i64: 1>, epsilon = 1.0e-5 : f32} : (tensor<64x256xf32>) -> tensor<64x256xf32>
  %g = qnn.matmul %n, %w : (tensor<64x256xf32>, tensor<256x128xbf16>) -> tensor<64x128xf32>
  return %a, %b, %c, %d, %e, %f, %g : tensor<64x128xf32>, tensor<64x128xf32>, tensor<4x512xf32>, tensor<64x128xf32>, tensor<1x14x14x32xf32>, tensor<64x128xf32>, tensor<64x128xf32>
}
}
