// RUN: qcc-opt %s -split-input-file -convert-qnn-to-kernels | FileCheck %s

// Kernels are shared by key, the producer of an output writes into it, names
// and types of tensors stay for dumps.

// CHECK: module attributes {qcc.level = "reference"}
// CHECK: func.func private @relu_0(%{{.*}}: memref<2x8xf32> {llvm.noalias}, %{{.*}}: memref<2x8xf32> {llvm.noalias}, %{{.*}}: index, %{{.*}}: index) attributes {qcc.kernel}
// CHECK-NOT: @relu_1
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: memref<2x8xf32> {qcc.input, qcc.name = "in", qcc.type = tensor<2x8xf32>}
// CHECK-SAME: %[[Y:.*]]: memref<2x8xf32> {qcc.name = "out", qcc.output, qcc.type = tensor<2x8xf32>}
// CHECK: %[[T:.*]] = memref.alloc() {qcc.tensor = "first", qcc.type = tensor<2x8xf32>}
// CHECK: call @relu_0(%[[X]], %[[T]]
// CHECK: call @relu_0(%[[T]], %[[Y]]
func.func @main(%x: tensor<2x8xf32> {qnn.name = "in"}) -> (tensor<2x8xf32> {qnn.name = "out"}) {
  %0 = qnn.unary relu %x : (tensor<2x8xf32>) -> tensor<2x8xf32> loc("first")
  %1 = qnn.unary relu %0 : (tensor<2x8xf32>) -> tensor<2x8xf32> loc("second")
  return %1 : tensor<2x8xf32>
}

// -----

// A reshape shares the bytes of its operand, also of one that is an output; a
// value that is returned twice, an input and a constant are copied.

// CHECK: memref.global "private" constant @constant_0 : memref<2xi8> = dense<[1, -1]> {alignment = 64 : i64}
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:[^:]*]]: memref<2x8xf32>
// CHECK-SAME: %[[A:[^:]*]]: memref<4x4xf32> {{[^%]*}}, %[[B:[^:]*]]: memref<2x8xf32> {{[^%]*}}, %[[C:[^:]*]]: memref<2x8xf32> {{[^%]*}}, %[[D:[^:]*]]: memref<2xi8>
// CHECK: %[[INTO:.*]] = memref.reinterpret_cast %[[A]] {{.*}} to memref<2x8xf32>
// CHECK: call @relu_0(%[[X]], %[[INTO]]
// CHECK: call @copy_{{.*}}(%[[INTO]], %[[B]]
// CHECK: call @copy_{{.*}}(%[[X]], %[[C]]
// CHECK: %[[K:.*]] = memref.get_global @constant_0
// CHECK: call @copy_{{.*}}(%[[K]], %[[D]]
func.func @main(%x: tensor<2x8xf32>)
    -> (tensor<4x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x!quant.uniform<u8:f32, 0.5:3>>) {
  %0 = qnn.unary relu %x : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %1 = qnn.reshape %0 : (tensor<2x8xf32>) -> tensor<4x4xf32>
  %c = qnn.constant dense<[1, 255]> : tensor<2xui8> as tensor<2x!quant.uniform<u8:f32, 0.5:3>>
  return %1, %0, %x, %c : tensor<4x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x!quant.uniform<u8:f32, 0.5:3>>
}

// -----

// Equal constants are stored once; bools are bytes.

// CHECK: memref.global "private" constant @constant_0 : memref<4xi8> = dense<[1, 0, 1, 1]>
// CHECK-NOT: @constant_1
// CHECK-LABEL: func.func @main
// CHECK-SAME: memref<4xi8> {{.*}}qcc.type = tensor<4xi1>
func.func @main(%x: tensor<4xi1>) -> tensor<4xi1> {
  %a = qnn.constant dense<[true, false, true, true]> : tensor<4xi1> as tensor<4xi1>
  %b = qnn.constant dense<[true, false, true, true]> : tensor<4xi1> as tensor<4xi1>
  %0 = qnn.binary and %x, %a : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %1 = qnn.binary or %0, %b : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %1 : tensor<4xi1>
}

// -----

// The call that multiplies says how often, for the profile.
// CHECK-LABEL: func.func @main(
// CHECK: call @conv_0({{.*}}) {qcc.macs = 2304 : i64}
// CHECK: call @matmul_0({{.*}}) {qcc.integer_macs, qcc.macs = 1024 : i64}
func.func @main(%x: tensor<1x4x4x4xf32>,
                %w: tensor<16x4x3x3xf32>,
                %a: tensor<8x16x!quant.uniform<i8:f32, 0.5>>,
                %b: tensor<16x8x!quant.uniform<i8:f32, 0.5>>)
    -> (tensor<1x16x2x2xf32>, tensor<8x8x!quant.uniform<i8:f32, 1.0>>) {
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                        pads = array<i64: 0, 0, 0, 0>, group = 1 : i64}
     : (tensor<1x4x4x4xf32>, tensor<16x4x3x3xf32>) -> tensor<1x16x2x2xf32>
  %p = qnn.matmul %a, %b
     : (tensor<8x16x!quant.uniform<i8:f32, 0.5>>, tensor<16x8x!quant.uniform<i8:f32, 0.5>>)
     -> tensor<8x8x!quant.uniform<i8:f32, 1.0>>
  return %y, %p : tensor<1x16x2x2xf32>, tensor<8x8x!quant.uniform<i8:f32, 1.0>>
}
