// RUN: split-file %s %t
// RUN: qcc-opt %t/model.mlir -mlir-print-debuginfo -qnn-insert-observers=int16=fc2 -o %t/observed.mlir
// RUN: FileCheck %t/model.mlir --check-prefix=OBSERVED < %t/observed.mlir
// RUN: qcc-opt %t/observed.mlir -qnn-apply-calibration=table=%t/table.yaml -qnn-quantize-weights | FileCheck %t/model.mlir
// RUN: not qcc-opt %t/model.mlir -qnn-insert-observers=int16=conv 2>&1 | FileCheck %s --check-prefix=GROUPS

// GROUPS: layer 'conv' has no form in 16 bits

//--- table.yaml
version: 1
tensors:
- {id: x, min: -1.0, max: 1.0}
- {id: fc1, min: 0, max: 1.0, observed: [0, 8191], count: 1, quantiles: [0, 0, 0, 0, 0, 0, 0]}
- {id: y, min: 0, max: 1.0}

//--- model.mlir
// The 8-bit layer in front gives 16 bits, whoever reads them.
// OBSERVED: %[[M1:.*]] = qnn.matmul
// OBSERVED: %[[O1:.*]] = qnn.observe %[[M1]] as "fc1" {words}
// OBSERVED: %[[M2:.*]] = qnn.matmul %[[O1]]
// OBSERVED: %[[A:.*]] = qnn.binary add %[[M2]], %[[O1]]
// OBSERVED: return %[[A]]

// What was observed has room; sums with weights have room in 32 bits.
// CHECK: qnn.quantize {{.*}} -> tensor<1x2x!quant.uniform<i16<-8191:8191>:f32, 1.000000e+00>>
// CHECK: qnn.dequantize {{.*}} : (tensor<2x2x!quant.uniform<i16<-32767:32767>:f32:1
module {
  func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}, %y: tensor<1x2x1x1xf32> {qnn.name = "y"}) -> (tensor<1x2xf32>, tensor<1x2x1x1xf32>) {
    %w = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> as tensor<2x2xf32>
    %f = qnn.constant dense<1.0> : tensor<2x1x1x1xf32> as tensor<2x1x1x1xf32>
    %0 = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc1")
    %1 = qnn.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc2")
    %2 = qnn.binary add %1, %0 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32> loc("add")
    %4 = qnn.conv %y, %f {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, group = 2 : i64} : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32> loc("conv")
    return %2, %4 : tensor<1x2xf32>, tensor<1x2x1x1xf32>
  }
}
