// RUN: qcc-opt %s -mlir-print-debuginfo "-qnn-insert-observers=fp16=fc1 bf16=fc2" | FileCheck %s
// RUN: not qcc-opt %s "-qnn-insert-observers=fp16=fc1 keep-float=fc1" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not qcc-opt %s -qnn-insert-observers=fp16=conv 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not qcc-opt %s -qnn-insert-observers=fp16=fc2 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not qcc-opt %s -qnn-insert-observers=bf16=fc3 2>&1 | FileCheck %s --check-prefix=NAME

// BOTH: layer 'fc1' is listed both as float and as fp16
// FORM: layer 'conv' has no form with weights of 16 bits
// RANGE: layer 'fc2' has weights that 'f16' cannot hold; make it bf16 or float
// NAME: no layer that could be quantized has the name 'fc3'

// Layers with narrow weights stay float; the convolution in front is observed.
// CHECK: qnn.observe %{{.*}} as "x"
// CHECK: %[[W1:.*]] = qnn.constant {{.*}} as tensor<2x2xf16>
// CHECK: %[[W2:.*]] = qnn.constant {{.*}} as tensor<2x2xbf16>
// CHECK: qnn.conv
// CHECK: qnn.matmul %{{.*}}, %[[W1]] {qnn.keep_float} : (tensor<4x2xf32>, tensor<2x2xf16>) -> tensor<4x2xf32>
// CHECK-NOT: qnn.observe
// CHECK: qnn.matmul %{{.*}}, %[[W2]] {qnn.keep_float} : (tensor<4x2xf32>, tensor<2x2xbf16>) -> tensor<4x2xf32>
module {
  func.func @main(%x: tensor<1x2x2x2xf32> {qnn.name = "x"}) -> (tensor<4x2xf32> {qnn.name = "y"}) {
    %wc = qnn.constant dense<0.5> : tensor<2x1x1x1xf32> as tensor<2x1x1x1xf32>
    %w1 = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
    %w2 = qnn.constant dense<[[1.0, 1.0e5], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
    %0 = qnn.conv %x, %wc {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64, layout = #qnn<layout nchw>}
       : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> loc("conv")
    %1 = qnn.reshape %0 : (tensor<1x2x2x2xf32>) -> tensor<4x2xf32> loc("reshape")
    %2 = qnn.matmul %1, %w1 : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32> loc("fc1")
    %3 = qnn.matmul %2, %w2 : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32> loc("fc2")
    return %3 : tensor<4x2xf32>
  }
}
