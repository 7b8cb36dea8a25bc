// RUN: qcc-opt %s -qnn-fuse-activation -split-input-file -mlir-print-debuginfo | FileCheck %s

// CHECK-LABEL: func @fuse
// CHECK: %[[C:.*]] = qnn.conv {{.*}}activation = #qnn.act<clamp, 0.000000e+00 : f32, 6.000000e+00 : f32>{{.*}} loc(#[[FUSED:.*]])
// CHECK-NEXT: %[[M:.*]] = qnn.matmul {{.*}}activation = #qnn.act<leaky_relu, 1.000000e-01 : f32, 0.000000e+00 : f32>
// CHECK-NEXT: %[[A:.*]] = qnn.binary add {{.*}}activation = #qnn.act<sigmoid, 0.000000e+00 : f32, 0.000000e+00 : f32>
// CHECK-NEXT: return %[[C]], %[[M]], %[[A]]
// CHECK-DAG: #[[FUSED]] = loc(fused[#[[CONV:.*]], #[[CLIP:.*]]])
// CHECK-DAG: #[[CONV]] = loc("conv")
// CHECK-DAG: #[[CLIP]] = loc("clip")
func.func @fuse(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>, %m: tensor<2x2xf32>) -> (tensor<1x2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32> loc("conv")
  %1 = qnn.unary clamp %0 {alpha = 0.0 : f32, beta = 6.0 : f32} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32> loc("clip")
  %2 = qnn.matmul %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.unary leaky_relu %2 {alpha = 0.1 : f32} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %4 = qnn.binary add %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = qnn.unary sigmoid %4 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1, %3, %5 : tensor<1x2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Through ops that only move the elements.
// CHECK-LABEL: func @through_movement
// CHECK: %[[M:.*]] = qnn.matmul {{.*}}activation = #qnn.act<relu
// CHECK-NEXT: %[[R:.*]] = qnn.reshape %[[M]]
// CHECK-NEXT: return %[[R]]
func.func @through_movement(%m: tensor<2x2xf32>) -> tensor<4xf32> {
  %0 = qnn.matmul %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.reshape %0 : (tensor<2x2xf32>) -> tensor<4xf32>
  %2 = qnn.unary relu %1 : (tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// Another user, an activation already, a function that is none, integers.
// CHECK-LABEL: func @stays
// CHECK-COUNT-4: qnn.unary
func.func @stays(%m: tensor<2x2xf32>, %i: tensor<2xi32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xi32>) {
  %0 = qnn.matmul %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.unary relu %0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.matmul %m, %m {activation = #qnn.act<tanh, 0.0 : f32, 0.0 : f32>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = qnn.unary relu %2 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %4 = qnn.binary add %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = qnn.unary exp %4 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %6 = qnn.binary add %i, %i : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %7 = qnn.unary relu %6 : (tensor<2xi32>) -> tensor<2xi32>
  return %0, %1, %3, %5, %7 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xi32>
}

// -----

// The product of x and its own sigmoid, where x comes from a matmul.
// CHECK-LABEL: func @silu
// CHECK: qnn.matmul {{.*}}activation = #qnn.act<silu
// CHECK-NEXT: return
func.func @silu(%m: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0 = qnn.matmul %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.unary sigmoid %0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qnn.binary mul %1, %0 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// -----

// The sigmoid of another tensor, and one that is wanted itself.
// CHECK-LABEL: func @no_silu
// CHECK-NOT: silu
func.func @no_silu(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %0 = qnn.unary sigmoid %y : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.binary mul %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.unary sigmoid %x : (tensor<2xf32>) -> tensor<2xf32>
  %3 = qnn.binary mul %x, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @hard_swish
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2xf32>
// CHECK-COUNT-4: qnn.unary hard_swish %[[X]]
// CHECK-NEXT: qnn.unary hard_sigmoid %[[X]] {alpha = 0.166666672 : f32, beta = 5.000000e-01 : f32}
// CHECK-NEXT: return
func.func @hard_swish(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %three = qnn.constant dense<3.0> : tensor<f32> as tensor<f32>
  %six = qnn.constant dense<6.0> : tensor<f32> as tensor<f32>
  %sixth = qnn.constant dense<0.16666667> : tensor<f32> as tensor<f32>
  // hard_sigmoid
  %0 = qnn.unary hard_sigmoid %x {alpha = 0.16666667 : f32, beta = 0.5 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.binary mul %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // (x * clamp(x + 3, 0, 6)) / 6
  %2 = qnn.binary add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %3 = qnn.unary clamp %2 {beta = 6.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %4 = qnn.binary mul %x, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = qnn.binary div %4, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  // x * (clamp(x + 3, 0, 6) / 6)
  %6 = qnn.binary add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %7 = qnn.unary clamp %6 {beta = 6.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %8 = qnn.binary div %7, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %9 = qnn.binary mul %x, %8 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // x * (min(max(x + 3, 0), 6) * (1 / 6))
  %zero = qnn.constant dense<0.0> : tensor<f32> as tensor<f32>
  %10 = qnn.binary add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %11 = qnn.binary max %10, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %12 = qnn.binary min %11, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %13 = qnn.binary mul %12, %sixth : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %14 = qnn.binary mul %13, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // clamp(x + 3, 0, 6) / 6
  %15 = qnn.binary add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %16 = qnn.unary clamp %15 {beta = 6.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %17 = qnn.binary div %16, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1, %5, %9, %14, %17 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// ONNX's default hard_sigmoid (0.2), and a clamp at 5.
// CHECK-LABEL: func @no_hard_swish
// CHECK-NOT: hard_swish
func.func @no_hard_swish(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %three = qnn.constant dense<3.0> : tensor<f32> as tensor<f32>
  %six = qnn.constant dense<6.0> : tensor<f32> as tensor<f32>
  %0 = qnn.unary hard_sigmoid %x {alpha = 0.2 : f32, beta = 0.5 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.binary mul %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.binary add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %3 = qnn.unary clamp %2 {beta = 5.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %4 = qnn.binary mul %x, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = qnn.binary div %4, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %1, %5 : tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @gelu
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2xf32>
// CHECK-COUNT-2: qnn.unary gelu %[[X]]
// CHECK-NEXT: qnn.binary mul
// CHECK-NOT: gelu
func.func @gelu(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %sqrt2 = qnn.constant dense<1.41421354> : tensor<f32> as tensor<f32>
  %rsqrt2 = qnn.constant dense<0.707106769> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %half = qnn.constant dense<0.5> : tensor<f32> as tensor<f32>
  // (x * (1 + erf(x / sqrt 2))) * 0.5
  %0 = qnn.binary div %x, %sqrt2 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qnn.unary erf %0 : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.binary add %1, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %3 = qnn.binary mul %x, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %4 = qnn.binary mul %3, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  // (x * 0.5) * (1 + erf(x * (1 / sqrt 2)))
  %5 = qnn.binary mul %x, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %6 = qnn.binary mul %x, %rsqrt2 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %7 = qnn.unary erf %6 : (tensor<2xf32>) -> tensor<2xf32>
  %8 = qnn.binary add %one, %7 : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %9 = qnn.binary mul %5, %8 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // Without the half, no gelu.
  %10 = qnn.binary mul %x, %rsqrt2 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %11 = qnn.unary erf %10 : (tensor<2xf32>) -> tensor<2xf32>
  %12 = qnn.binary add %11, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %13 = qnn.binary mul %x, %12 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %4, %9, %13 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @gelu_tanh
// CHECK-COUNT-2: qnn.unary gelu_tanh %arg0
// CHECK-NEXT: return
func.func @gelu_tanh(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %c = qnn.constant dense<0.797884583> : tensor<f32> as tensor<f32>
  %cubic = qnn.constant dense<0.044715> : tensor<f32> as tensor<f32>
  %three = qnn.constant dense<3.0> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %half = qnn.constant dense<0.5> : tensor<f32> as tensor<f32>
  // x + 0.044715 * x^3
  %0 = qnn.binary pow %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qnn.binary mul %0, %cubic : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %2 = qnn.binary add %x, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qnn.binary mul %2, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %4 = qnn.unary tanh %3 : (tensor<2xf32>) -> tensor<2xf32>
  %5 = qnn.binary add %4, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %6 = qnn.binary mul %x, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %7 = qnn.binary mul %6, %5 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // x * (1 + 0.044715 * x * x)
  %8 = qnn.binary mul %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %9 = qnn.binary mul %8, %cubic : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %10 = qnn.binary add %9, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %11 = qnn.binary mul %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %12 = qnn.binary mul %11, %10 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %13 = qnn.unary tanh %12 : (tensor<2xf32>) -> tensor<2xf32>
  %14 = qnn.binary add %13, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %15 = qnn.binary mul %x, %14 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %16 = qnn.binary mul %15, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %7, %16 : tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @others
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2xf32>
// CHECK: qnn.unary mish %[[X]]
// CHECK-NEXT: qnn.unary sigmoid %[[X]]
// CHECK-NEXT: qnn.unary relu %[[X]]
// CHECK-NEXT: qnn.unary clamp %[[X]] {alpha = -1.000000e+00 : f32, beta = 1.000000e+00 : f32}
// CHECK-NEXT: qnn.unary clamp %[[X]] {beta = 6.000000e+00 : f32}
// CHECK-NEXT: qnn.unary leaky_relu %[[X]] {alpha = 2.500000e-01 : f32}
// CHECK-NEXT: return
func.func @others(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %zero = qnn.constant dense<0.0> : tensor<f32> as tensor<f32>
  %one = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %minus = qnn.constant dense<-1.0> : tensor<f32> as tensor<f32>
  %slope = qnn.constant dense<0.25> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.unary softplus %x : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.unary tanh %0 : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.binary mul %x, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qnn.unary neg %x : (tensor<2xf32>) -> tensor<2xf32>
  %4 = qnn.unary exp %3 : (tensor<2xf32>) -> tensor<2xf32>
  %5 = qnn.binary add %4, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %6 = qnn.binary div %one, %5 : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %7 = qnn.binary max %zero, %x : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %8 = qnn.binary max %x, %minus : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %9 = qnn.binary min %8, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %10 = qnn.unary clamp %x {alpha = -3.0 : f32, beta = 6.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  %11 = qnn.unary relu %10 : (tensor<2xf32>) -> tensor<2xf32>
  %12 = qnn.binary prelu %x, %slope : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %2, %6, %7, %9, %11, %12 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// Bounds per element, and slopes per channel.
// CHECK-LABEL: func @other_constants
// CHECK: qnn.binary max
// CHECK: qnn.binary prelu
func.func @other_constants(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %c = qnn.constant dense<[0.0, 1.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.binary max %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qnn.binary prelu %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 5.000000e-01:7>
!r = !quant.uniform<u8:f32, 2.500000e-01:7>

// A clamp between two quantizations of one type goes in front of both; with two
// types the first rounding counts.
// CHECK-LABEL: func @clamp_of_quantized
// CHECK: %[[C:.*]] = qnn.conv {{.*}}activation = #qnn.act<clamp
// CHECK-NEXT: %[[Q:.*]] = qnn.quantize %[[C]]
// CHECK: qnn.unary clamp
// CHECK: return %[[Q]],
func.func @clamp_of_quantized(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) -> (tensor<1x2x4x!q>, tensor<1x2x4x!r>) {
  %0 = qnn.conv %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  %1 = qnn.quantize %0 : (tensor<1x2x4xf32>) -> tensor<1x2x4x!q>
  %2 = qnn.dequantize %1 : (tensor<1x2x4x!q>) -> tensor<1x2x4xf32>
  %3 = qnn.unary clamp %2 {alpha = 0.0 : f32, beta = 6.0 : f32} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %4 = qnn.quantize %3 : (tensor<1x2x4xf32>) -> tensor<1x2x4x!q>
  %5 = qnn.quantize %x : (tensor<1x2x4xf32>) -> tensor<1x2x4x!q>
  %6 = qnn.dequantize %5 : (tensor<1x2x4x!q>) -> tensor<1x2x4xf32>
  %7 = qnn.unary clamp %6 {alpha = 0.0 : f32, beta = 6.0 : f32} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %8 = qnn.quantize %7 : (tensor<1x2x4xf32>) -> tensor<1x2x4x!r>
  return %4, %8 : tensor<1x2x4x!q>, tensor<1x2x4x!r>
}

// -----

// What no kernel computes in its epilogue stays apart.
// CHECK-LABEL: func @no_epilogue
func.func @no_epilogue(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: %[[M:.*]] = qnn.matmul %arg0, %arg1 :
  // CHECK: qnn.unary elu %[[M]]
  %0 = qnn.matmul %x, %w : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qnn.unary elu %0 {alpha = 1.0 : f32} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

// The bounds of a clamp and the slope of a leaky_relu are float32 numbers.
// CHECK-LABEL: func @doubles
// CHECK: qnn.binary max
// CHECK: qnn.binary prelu
// CHECK: qnn.unary clamp {{.*}}alpha = 5.000000e-01
func.func @doubles(%x: tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>, tensor<2xf64>) {
  %c = qnn.constant dense<0.1> : tensor<f64> as tensor<f64>
  %half = qnn.constant dense<0.5> : tensor<f64> as tensor<f64>
  %0 = qnn.binary max %x, %c : (tensor<2xf64>, tensor<f64>) -> tensor<2xf64>
  %1 = qnn.binary prelu %x, %c : (tensor<2xf64>, tensor<f64>) -> tensor<2xf64>
  %2 = qnn.binary max %x, %half : (tensor<2xf64>, tensor<f64>) -> tensor<2xf64>
  return %0, %1, %2 : tensor<2xf64>, tensor<2xf64>, tensor<2xf64>
}
