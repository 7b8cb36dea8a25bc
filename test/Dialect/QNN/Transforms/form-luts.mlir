// RUN: qcc-opt %s -qnn-form-luts -split-input-file | FileCheck %s

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<u8:f32, 0.25:128>

// x * sigmoid(x) of one tensor, indexed by bits: x = 0 gives 0, stored as 128;
// 0.5 -> 0.311 -> 129; 1 -> 0.731 -> 131.
// CHECK-LABEL: func @silu
// CHECK-NEXT: %[[L:.*]] = qnn.lut %arg0 {table = dense<"0x808183{{[0-9A-F]*}}"> : tensor<256xui8>}
// CHECK-NEXT: return %[[L]]
func.func @silu(%q: tensor<4x!q>) -> tensor<4x!r> {
  %0 = qnn.dequantize %q : (tensor<4x!q>) -> tensor<4xf32>
  %1 = qnn.unary sigmoid %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = qnn.binary mul %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.quantize %2 : (tensor<4xf32>) -> tensor<4x!r>
  return %3 : tensor<4x!r>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:2>

// Constants of one value, and a saturating quantize in between: x = -1 and
// -0.5 become -2 and -1, both saturate at -1, plus 1 is 0, stored as 2.
// CHECK-LABEL: func @affine
// CHECK: %[[C:.*]] = qnn.lut %arg0 {table = dense<"0x02020406
// CHECK-NEXT: return %[[C]]
func.func @affine(%q: tensor<1x4x!q>) -> tensor<1x4x!q> {
  %two = qnn.constant dense<2.0> : tensor<1x4xf32> as tensor<1x4xf32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %0 = qnn.dequantize %q : (tensor<1x4x!q>) -> tensor<1x4xf32>
  %1 = qnn.binary mul %0, %two : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %2 = qnn.quantize %1 : (tensor<1x4xf32>) -> tensor<1x4x!q>
  %3 = qnn.dequantize %2 : (tensor<1x4x!q>) -> tensor<1x4xf32>
  %4 = qnn.binary add %3, %one : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %5 = qnn.quantize %4 : (tensor<1x4xf32>) -> tensor<1x4x!q>
  return %5 : tensor<1x4x!q>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

// A table of a table, a quantized product of a tensor with a function of it.
// CHECK-LABEL: func @compose
// CHECK-NEXT: %[[H:.*]] = qnn.lut %arg0
// CHECK-NEXT: %[[M:.*]] = qnn.lut %arg0
// CHECK-NEXT: return %[[H]], %[[M]]
func.func @compose(%q: tensor<4x!q>) -> (tensor<4x!q>, tensor<4x!r>) {
  %0 = qnn.unary hard_swish %q : (tensor<4x!q>) -> tensor<4x!q>
  %1 = qnn.binary mul %0, %q : (tensor<4x!q>, tensor<4x!q>) -> tensor<4x!r>
  return %0, %1 : tensor<4x!q>, tensor<4x!r>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>
!w = !quant.uniform<i16:f32, 0.25>

// A rescaling, two tensors, a factor per channel, a float or 16-bit end, a
// broadcast: no table.
// CHECK-LABEL: func @negative
// CHECK-NOT: qnn.lut
// CHECK: return
func.func @negative(%q: tensor<1x4x!q>, %r: tensor<1x4x!r>, %s: tensor<1x1x!q>)
    -> (tensor<1x4x!r>, tensor<1x4x!r>, tensor<1x4x!r>, tensor<1x4xf32>, tensor<1x4x!w>, tensor<1x4x!r>) {
  %c = qnn.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32> as tensor<1x4xf32>
  %0 = qnn.dequantize %q : (tensor<1x4x!q>) -> tensor<1x4xf32>
  %1 = qnn.quantize %0 : (tensor<1x4xf32>) -> tensor<1x4x!r>
  %2 = qnn.binary mul %q, %r : (tensor<1x4x!q>, tensor<1x4x!r>) -> tensor<1x4x!r>
  %3 = qnn.binary mul %0, %c : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %4 = qnn.quantize %3 : (tensor<1x4xf32>) -> tensor<1x4x!r>
  %5 = qnn.unary tanh %0 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %6 = qnn.quantize %5 : (tensor<1x4xf32>) -> tensor<1x4x!w>
  %7 = qnn.dequantize %s : (tensor<1x1x!q>) -> tensor<1x1xf32>
  %8 = qnn.binary add %7, %c : (tensor<1x1xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %9 = qnn.quantize %8 : (tensor<1x4xf32>) -> tensor<1x4x!r>
  return %1, %2, %4, %5, %6, %9 : tensor<1x4x!r>, tensor<1x4x!r>, tensor<1x4x!r>, tensor<1x4xf32>, tensor<1x4x!w>, tensor<1x4x!r>
}
