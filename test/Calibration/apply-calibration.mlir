// RUN: split-file %s %t
// RUN: qcc-opt %t/model.mlir -qnn-apply-calibration=table=%t/table.yaml | FileCheck %t/model.mlir
// RUN: not qcc-opt %t/model.mlir -qnn-apply-calibration=table=%t/incomplete.yaml 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not qcc-opt %t/model.mlir -qnn-apply-calibration=table=%t/broken.yaml 2>&1 | FileCheck %s --check-prefix=BROKEN
// RUN: not qcc-opt %t/model.mlir -qnn-apply-calibration=table=%t/absent.yaml 2>&1 | FileCheck %s --check-prefix=ABSENT

// MISSING: error: the calibration table has no entry 'conv'
// MISSING-NOT: no entry 'x'
// BROKEN: broken.yaml:4:8: 'tall' is not a finite number
// ABSENT: absent.yaml': No such file or directory

//--- table.yaml
# Written by hand.
version: 1
tensors:
- {id: x, min: 1.0, max: 255.0}  # widened to 0
- id: "conv"
  min: -2.55
  max: 2.55
- {id: zero, min: 0, max: 0}

//--- incomplete.yaml
version: 1
tensors: [{id: x, min: 0, max: 1}, {id: zero, min: 0, max: 0}]

//--- broken.yaml
version: 1
tensors:
- id: x
  min: tall
  max: 1

//--- model.mlir
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK: %[[Q:.*]] = qnn.quantize %[[X]] {{.*}}u8:f32, 1.000000e+00>
  // CHECK: %[[D:.*]] = qnn.dequantize %[[Q]]
  %0 = qnn.observe %x as "x" : tensor<4xf32> -> tensor<4xf32>
  // CHECK: qnn.quantize %[[Y]] {{.*}}u8:f32, 0.019999999552965164:128>
  %1 = qnn.observe %y as "conv" : tensor<4xf32> -> tensor<4xf32>
  // CHECK: qnn.quantize %[[Y]] {{.*}}u8:f32, 1.000000e+00>
  %2 = qnn.observe %y as "zero" : tensor<4xf32> -> tensor<4xf32>
  // CHECK: return %[[D]], %{{.*}}, %{{.*}}
  // CHECK-NOT: qnn.observe
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
