// RUN: qcc-opt %s -qnn-convert-input="format=x:u8:nhwc,scale=1/255,mean=0.5/0.25/0,std=0.5/0.5/0.25" | FileCheck %s --check-prefix=LAST
// RUN: qcc-opt %s -qnn-convert-input="format=x:u8,mean=128,std=64" | FileCheck %s --check-prefix=SAME
// RUN: qcc-opt %s -qnn-convert-input="format=x:u8:nchw" | FileCheck %s --check-prefix=PLAIN
// RUN: not qcc-opt %s -qnn-convert-input="format=z:u8" 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not qcc-opt %s -qnn-convert-input="format=x:i4" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not qcc-opt %s -qnn-convert-input="format=x:u8,std=0" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not qcc-opt %s -qnn-convert-input="format=x:u8,mean=1/2" 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not qcc-opt %s -qnn-convert-input="format=ids:u8" 2>&1 | FileCheck %s --check-prefix=TYPE

// ABSENT: error: -io=z:u8: no such input; the inputs are 'x', 'ids'
// FORM: error: -io={{.*}}: expected NAME:u8[:nhwc]
// COUNT: error: -io=x:u8,mean=1/2: the input has 3 channels
// TYPE: error: -io=ids:u8: the input is 'i64', not float

// LAST: func.func @main(%[[X:.*]]: tensor<1x8x6x3xui8> {qnn.name = "x"}, %{{.*}}: tensor<4xi64>
// LAST: %[[Q:.*]] = qnn.storage_cast %[[X]] : (tensor<1x8x6x3xui8>) -> tensor<1x8x6x3x!quant.uniform<u8:f32, 1.000000e+00>>
// LAST: %[[T:.*]] = qnn.transpose %[[Q]] {permutation = array<i64: 0, 3, 1, 2>}
// LAST: %[[D:.*]] = qnn.dequantize %[[T]]
// LAST: %[[MUL:.*]] = qnn.constant dense<{{.*}}0.00784313772{{.*}}0.00784313772{{.*}}0.0156862754{{.*}}> : tensor<1x3x1x1xf32>
// LAST: %[[M:.*]] = qnn.binary mul %[[D]], %[[MUL]]
// LAST: %[[ADD:.*]] = qnn.constant dense<{{.*}}-1.000000e+00{{.*}}-5.000000e-01{{.*}}0.000000e+00{{.*}}> : tensor<1x3x1x1xf32>
// LAST: %[[A:.*]] = qnn.binary add %[[M]], %[[ADD]]
// LAST: qnn.unary relu %[[A]]
// LAST: return %{{.*}}, %[[A]]

// SAME: func.func @main(%[[X:.*]]: tensor<1x3x8x6xui8>
// SAME-DAG: qnn.constant dense<1.562500e-02> : tensor<f32>
// SAME-DAG: qnn.constant dense<-2.000000e+00> : tensor<f32>
// SAME-NOT: transpose

// PLAIN: %[[D:.*]] = qnn.dequantize
// PLAIN-NOT: binary
// PLAIN: qnn.unary relu %[[D]]

func.func @main(%x: tensor<1x3x8x6xf32> {qnn.name = "x"}, %ids: tensor<4xi64> {qnn.name = "ids"})
    -> (tensor<1x3x8x6xf32>, tensor<1x3x8x6xf32>) {
  %0 = qnn.unary relu %x : (tensor<1x3x8x6xf32>) -> tensor<1x3x8x6xf32>
  return %0, %x : tensor<1x3x8x6xf32>, tensor<1x3x8x6xf32>
}
