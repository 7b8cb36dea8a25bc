// RUN: qcc-opt %s -canonicalize | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:3>

// The chain that exporters write for x.view(x.size(0), -1).
// CHECK-LABEL: func @shape_arithmetic
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<[2, -1]> : tensor<2xi64> as tensor<2xi64>
// CHECK-NEXT: return %[[C]]
func.func @shape_arithmetic() -> tensor<2xi64> {
  %shape = qnn.constant dense<[2, 3, 4]> : tensor<3xi64> as tensor<3xi64>
  %zero = qnn.constant dense<0> : tensor<i64> as tensor<i64>
  %rest = qnn.constant dense<-1> : tensor<1xi64> as tensor<1xi64>
  %0 = qnn.gather %shape, %zero {axis = 0 : i64} : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %1 = qnn.reshape %0 : (tensor<i64>) -> tensor<1xi64>
  %2 = qnn.concat %1, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return %2 : tensor<2xi64>
}

// CHECK-LABEL: func @integers
// CHECK-DAG: %[[ADD:.*]] = qnn.constant dense<[10, -4]>
// CHECK-DAG: %[[DIV:.*]] = qnn.constant dense<[2, -3]>
// CHECK-DAG: %[[MOD:.*]] = qnn.constant dense<1> : tensor<2xi64>
// CHECK-DAG: %[[FMOD:.*]] = qnn.constant dense<[1, -1]>
// CHECK-DAG: %[[POW:.*]] = qnn.constant dense<[343, -343]>
// CHECK-DAG: %[[NEG:.*]] = qnn.constant dense<[-7, 7]>
// CHECK-DAG: %[[LT:.*]] = qnn.constant dense<[false, true]>
// CHECK: return %[[ADD]], %[[DIV]], %[[MOD]], %[[FMOD]], %[[POW]], %[[NEG]], %[[LT]]
func.func @integers() -> (tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi1>) {
  %a = qnn.constant dense<[7, -7]> : tensor<2xi64> as tensor<2xi64>
  %three = qnn.constant dense<3> : tensor<i64> as tensor<i64>
  %two = qnn.constant dense<2> : tensor<i64> as tensor<i64>
  %0 = qnn.binary add %a, %three : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  // Truncates: 7 / 3 = 2, -7 / 2 = -3.
  %d = qnn.constant dense<[3, 2]> : tensor<2xi64> as tensor<2xi64>
  %1 = qnn.binary div %a, %d : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %2 = qnn.binary mod %a, %two : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %3 = qnn.binary fmod %a, %two : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %4 = qnn.binary pow %a, %three : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %5 = qnn.unary neg %a : (tensor<2xi64>) -> tensor<2xi64>
  %6 = qnn.binary lt %a, %three : (tensor<2xi64>, tensor<i64>) -> tensor<2xi1>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi1>
}

// Unsigned integers compare and wrap as such.
// CHECK-LABEL: func @unsigned
// CHECK-DAG: %[[LT:.*]] = qnn.constant dense<[false, true]> : tensor<2xi1>
// CHECK-DAG: %[[ADD:.*]] = qnn.constant dense<[44, 101]> : tensor<2xui8>
// CHECK-DAG: %[[SHL:.*]] = qnn.constant dense<[64, 0]> : tensor<2xui8>
// CHECK-DAG: %[[SHR:.*]] = qnn.constant dense<[25, 0]> : tensor<2xui8>
// CHECK: return %[[LT]], %[[ADD]], %[[SHL]], %[[SHR]]
func.func @unsigned() -> (tensor<2xi1>, tensor<2xui8>, tensor<2xui8>, tensor<2xui8>) {
  %n = qnn.constant dense<[3, 200]> : tensor<2xui8> as tensor<2xui8>
  %a = qnn.constant dense<[200, 1]> : tensor<2xui8> as tensor<2xui8>
  %b = qnn.constant dense<100> : tensor<ui8> as tensor<ui8>
  %0 = qnn.binary lt %a, %b : (tensor<2xui8>, tensor<ui8>) -> tensor<2xi1>
  %1 = qnn.binary add %a, %b : (tensor<2xui8>, tensor<ui8>) -> tensor<2xui8>
  %2 = qnn.binary shl %a, %n : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  %3 = qnn.binary shr %a, %n : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return %0, %1, %2, %3 : tensor<2xi1>, tensor<2xui8>, tensor<2xui8>, tensor<2xui8>
}

// What is not defined is left to the machine.
// CHECK-LABEL: func @undefined
// CHECK: qnn.binary div
// CHECK: qnn.cast
// CHECK: qnn.reduce max
func.func @undefined() -> (tensor<i64>, tensor<i8>, tensor<f32>) {
  %a = qnn.constant dense<7> : tensor<i64> as tensor<i64>
  %zero = qnn.constant dense<0> : tensor<i64> as tensor<i64>
  %f = qnn.constant dense<300.0> : tensor<f32> as tensor<f32>
  %e = qnn.constant dense<> : tensor<0xf32> as tensor<0xf32>
  %0 = qnn.binary div %a, %zero : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %1 = qnn.cast %f : (tensor<f32>) -> tensor<i8>
  %2 = qnn.reduce max %e {axes = array<i64: 0>} : (tensor<0xf32>) -> tensor<f32>
  return %0, %1, %2 : tensor<i64>, tensor<i8>, tensor<f32>
}

// CHECK-LABEL: func @overflow
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<-9223372036854775808> : tensor<i64>
// CHECK-NEXT: return %[[C]]
func.func @overflow() -> tensor<i64> {
  %a = qnn.constant dense<-9223372036854775808> : tensor<i64> as tensor<i64>
  %b = qnn.constant dense<-1> : tensor<i64> as tensor<i64>
  %0 = qnn.binary div %a, %b : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %0 : tensor<i64>
}

// CHECK-LABEL: func @floats
// CHECK-DAG: %[[A:.*]] = qnn.constant dense<{{\[\[}}1.100000e+01, 2.100000e+01], [1.200000e+01, 2.200000e+01]]> : tensor<2x2xf32>
// CHECK-DAG: %[[S:.*]] = qnn.constant dense<[1.000000e+00, 1.41421354]> : tensor<2xf32>
// CHECK-DAG: %[[F:.*]] = qnn.constant dense<[-3.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[R:.*]] = qnn.constant dense<[-2.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[C:.*]] = qnn.constant dense<[0.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: return %[[A]], %[[S]], %[[F]], %[[R]], %[[C]]
func.func @floats() -> (tensor<2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = qnn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
  %b = qnn.constant dense<[10.0, 20.0]> : tensor<2xf32> as tensor<2xf32>
  %c = qnn.constant dense<[1.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
  %d = qnn.constant dense<[-2.5, 2.5]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.binary add %a, %b : (tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %1 = qnn.unary sqrt %c : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qnn.unary floor %d : (tensor<2xf32>) -> tensor<2xf32>
  // Half to even.
  %3 = qnn.unary round %d : (tensor<2xf32>) -> tensor<2xf32>
  %four = qnn.constant dense<2.0> : tensor<f32> as tensor<f32>
  %4 = qnn.binary mul %d, %four {activation = #qnn.act<clamp, 0.0 : f32, 2.0 : f32>} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1, %2, %3, %4 : tensor<2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func @casts
// CHECK-DAG: %[[I:.*]] = qnn.constant dense<[2, -2]> : tensor<2xi32>
// CHECK-DAG: %[[B:.*]] = qnn.constant dense<true> : tensor<2xi1>
// CHECK-DAG: %[[N:.*]] = qnn.constant dense<[44, -1]> : tensor<2xi8>
// 2^24 + 1 in float32, rounded once.
// CHECK-DAG: %[[F:.*]] = qnn.constant dense<0x4B800000> : tensor<f32>
// CHECK-DAG: %[[H:.*]] = qnn.constant dense<[2.599610e+00, -2.599610e+00]> : tensor<2xf16>
// CHECK: return %[[I]], %[[B]], %[[N]], %{{.*}}, %[[H]]
func.func @casts() -> (tensor<2xi32>, tensor<2xi1>, tensor<2xi8>, tensor<f32>, tensor<2xf16>) {
  %a = qnn.constant dense<[2.6, -2.6]> : tensor<2xf32> as tensor<2xf32>
  %b = qnn.constant dense<[300, -1]> : tensor<2xi64> as tensor<2xi64>
  %c = qnn.constant dense<16777217> : tensor<i64> as tensor<i64>
  %0 = qnn.cast %a : (tensor<2xf32>) -> tensor<2xi32>
  %1 = qnn.cast %a : (tensor<2xf32>) -> tensor<2xi1>
  %2 = qnn.cast %b : (tensor<2xi64>) -> tensor<2xi8>
  %3 = qnn.cast %c : (tensor<i64>) -> tensor<f32>
  %4 = qnn.cast %a : (tensor<2xf32>) -> tensor<2xf16>
  return %0, %1, %2, %3, %4 : tensor<2xi32>, tensor<2xi1>, tensor<2xi8>, tensor<f32>, tensor<2xf16>
}

// CHECK-LABEL: func @reductions
// CHECK-DAG: %[[SUM:.*]] = qnn.constant dense<[5, 7, 9]> : tensor<3xi64>
// CHECK-DAG: %[[PROD:.*]] = qnn.constant dense<720> : tensor<i64>
// CHECK-DAG: %[[MAX:.*]] = qnn.constant dense<{{\[\[}}3], [6]]> : tensor<2x1xi64>
// CHECK-DAG: %[[MEAN:.*]] = qnn.constant dense<2.500000e+00> : tensor<1xf32>
// CHECK: return %[[SUM]], %[[PROD]], %[[MAX]], %[[MEAN]]
func.func @reductions() -> (tensor<3xi64>, tensor<i64>, tensor<2x1xi64>, tensor<1xf32>) {
  %a = qnn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64> as tensor<2x3xi64>
  %b = qnn.constant dense<[1.0, 4.0]> : tensor<2xf32> as tensor<2xf32>
  %0 = qnn.reduce sum %a {axes = array<i64: 0>} : (tensor<2x3xi64>) -> tensor<3xi64>
  %1 = qnn.reduce prod %a {axes = array<i64: 0, 1>} : (tensor<2x3xi64>) -> tensor<i64>
  %2 = qnn.reduce max %a {axes = array<i64: 1>, keepdims} : (tensor<2x3xi64>) -> tensor<2x1xi64>
  %3 = qnn.reduce mean %b {axes = array<i64: 0>, keepdims} : (tensor<2xf32>) -> tensor<1xf32>
  return %0, %1, %2, %3 : tensor<3xi64>, tensor<i64>, tensor<2x1xi64>, tensor<1xf32>
}

// CHECK-LABEL: func @movement
// CHECK-DAG: %[[T:.*]] = qnn.constant dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi64>
// CHECK-DAG: %[[C:.*]] = qnn.constant dense<{{\[\[}}1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]]>
// CHECK-DAG: %[[S:.*]] = qnn.constant dense<{{\[\[}}6, 4]]> : tensor<1x2xi64>
// CHECK-DAG: %[[E:.*]] = qnn.constant dense<{{\[\[\[}}1, 2, 3], [4, 5, 6]], {{\[\[}}1, 2, 3], [4, 5, 6]]]>
// CHECK-DAG: %[[G:.*]] = qnn.constant dense<{{\[\[}}3, 1, 3], [6, 4, 6]]> : tensor<2x3xi64>
// CHECK-DAG: %[[P:.*]] = qnn.constant dense<{{\[\[}}9, 2, 3], [9, 5, 6], [9, 9, 9]]> : tensor<3x3xi64>
// CHECK: return %[[T]], %[[C]], %[[S]], %[[E]], %[[G]], %[[P]]
func.func @movement() -> (tensor<3x2xi64>, tensor<2x6xi64>, tensor<1x2xi64>, tensor<2x2x3xi64>, tensor<2x3xi64>, tensor<3x3xi64>) {
  %a = qnn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64> as tensor<2x3xi64>
  // The last element, the first, and one beyond the end, which is clamped.
  %i = qnn.constant dense<[-1, 0, 17]> : tensor<3xi32> as tensor<3xi32>
  %0 = qnn.transpose %a {permutation = array<i64: 1, 0>} : (tensor<2x3xi64>) -> tensor<3x2xi64>
  %1 = qnn.concat %a, %a {axis = 1 : i64} : (tensor<2x3xi64>, tensor<2x3xi64>) -> tensor<2x6xi64>
  %2 = qnn.slice %a {starts = array<i64: 1, 2>, sizes = array<i64: 1, 2>, steps = array<i64: 1, -2>} : (tensor<2x3xi64>) -> tensor<1x2xi64>
  %3 = qnn.expand %a {shape = array<i64: 2, 2, 3>} : (tensor<2x3xi64>) -> tensor<2x2x3xi64>
  %4 = qnn.gather %a, %i {axis = 1 : i64} : (tensor<2x3xi64>, tensor<3xi32>) -> tensor<2x3xi64>
  %5 = qnn.pad %a {pads = array<i64: 0, -1, 1, 0>, value = 9.0} : (tensor<2x3xi64>) -> tensor<3x2xi64>
  %6 = qnn.pad %5 {pads = array<i64: 0, 1, 0, 0>, value = 9.0} : (tensor<3x2xi64>) -> tensor<3x3xi64>
  return %0, %1, %2, %3, %4, %6 : tensor<3x2xi64>, tensor<2x6xi64>, tensor<1x2xi64>, tensor<2x2x3xi64>, tensor<2x3xi64>, tensor<3x3xi64>
}

// Indices beyond the bounds are left out; the last of several updates stays.
// CHECK-LABEL: func @scatter
// CHECK-DAG: %[[E:.*]] = qnn.constant dense<{{\[\[}}4, 20, 3], [50, 5, 40]]>
// CHECK-DAG: %[[N:.*]] = qnn.constant dense<{{\[\[}}1, 2, 3], [70, 80, 90]]>
// CHECK: return %[[E]], %[[N]]
func.func @scatter() -> (tensor<2x3xi64>, tensor<2x3xi64>) {
  %a = qnn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64> as tensor<2x3xi64>
  %b = qnn.constant dense<[[4, 2, 3], [4, 5, 6]]> : tensor<2x3xi64> as tensor<2x3xi64>
  %i = qnn.constant dense<[[1, 7], [-1, 0]]> : tensor<2x2xi32> as tensor<2x2xi32>
  %u = qnn.constant dense<[[20, 30], [40, 50]]> : tensor<2x2xi64> as tensor<2x2xi64>
  %p = qnn.constant dense<[[1], [2], [-1]]> : tensor<3x1xi64> as tensor<3x1xi64>
  %v = qnn.constant dense<[[10, 20, 30], [40, 50, 60], [70, 80, 90]]> : tensor<3x3xi64> as tensor<3x3xi64>
  %0 = qnn.scatter_elements %b, %i, %u {axis = 1 : i64} : (tensor<2x3xi64>, tensor<2x2xi32>, tensor<2x2xi64>) -> tensor<2x3xi64>
  %1 = qnn.scatter_nd %a, %p, %v : (tensor<2x3xi64>, tensor<3x1xi64>, tensor<3x3xi64>) -> tensor<2x3xi64>
  return %0, %1 : tensor<2x3xi64>, tensor<2x3xi64>
}

// CHECK-LABEL: func @select
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<{{\[\[}}1, 20], [2, 20]]> : tensor<2x2xi64>
// CHECK-NEXT: return %[[C]]
func.func @select() -> tensor<2x2xi64> {
  %c = qnn.constant dense<[true, false]> : tensor<2xi1> as tensor<2xi1>
  %a = qnn.constant dense<[[1], [2]]> : tensor<2x1xi64> as tensor<2x1xi64>
  %b = qnn.constant dense<[10, 20]> : tensor<2xi64> as tensor<2xi64>
  %0 = qnn.select %c, %a, %b : (tensor<2xi1>, tensor<2x1xi64>, tensor<2xi64>) -> tensor<2x2xi64>
  return %0 : tensor<2x2xi64>
}

// Movement keeps quantized types; padding is the zero point.
// CHECK-LABEL: func @quantized
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<{{\[\[}}3, 1], [3, 2]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK-NEXT: return %[[C]]
func.func @quantized() -> tensor<2x2x!q> {
  %i = qnn.constant dense<[1, 2]> : tensor<2xi8> as tensor<2xi8>
  %0 = qnn.storage_cast %i : (tensor<2xi8>) -> tensor<2x!q>
  %1 = qnn.reshape %0 : (tensor<2x!q>) -> tensor<2x1x!q>
  %2 = qnn.pad %1 {pads = array<i64: 0, 1, 0, 0>} : (tensor<2x1x!q>) -> tensor<2x2x!q>
  return %2 : tensor<2x2x!q>
}

// Weights and their scales stay apart: this pair says how they are quantized.
// CHECK-LABEL: func @dequantize_stays
// CHECK: qnn.constant
// CHECK: qnn.dequantize
func.func @dequantize_stays() -> tensor<2xf32> {
  %c = qnn.constant dense<[1, 2]> : tensor<2xi8> as tensor<2x!q>
  %0 = qnn.dequantize %c : (tensor<2x!q>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Larger tensors are not expanded, but a reshape of any size is free.
// CHECK-LABEL: func @large
// CHECK: qnn.constant dense_resource<weights> : tensor<2xi32> as tensor<2xi32>
// CHECK: qnn.expand
func.func @large() -> (tensor<2xi32>, tensor<100x100xf32>) {
  %r = qnn.constant dense_resource<weights> : tensor<2x1xi32> as tensor<2x1xi32>
  %c = qnn.constant dense<1.0> : tensor<f32> as tensor<f32>
  %0 = qnn.reshape %r : (tensor<2x1xi32>) -> tensor<2xi32>
  %1 = qnn.expand %c {shape = array<i64: 100, 100>} : (tensor<f32>) -> tensor<100x100xf32>
  return %0, %1 : tensor<2xi32>, tensor<100x100xf32>
}

// The blob begins with its alignment, 4; then the elements 1 and 2.
// CHECK-LABEL: func @resource
// CHECK-NEXT: %[[C:.*]] = qnn.constant dense<3> : tensor<i32>
// CHECK-NEXT: return %[[C]]
func.func @resource() -> tensor<i32> {
  %r = qnn.constant dense_resource<weights> : tensor<2xi32> as tensor<2xi32>
  %0 = qnn.reduce sum %r {axes = array<i64: 0>} : (tensor<2xi32>) -> tensor<i32>
  return %0 : tensor<i32>
}

// A blob of the wrong size is not read.
// CHECK-LABEL: func @short_resource
// CHECK: qnn.reduce sum
func.func @short_resource() -> tensor<i32> {
  %r = qnn.constant dense_resource<weights> : tensor<3xi32> as tensor<3xi32>
  %0 = qnn.reduce sum %r {axes = array<i64: 0>} : (tensor<3xi32>) -> tensor<i32>
  return %0 : tensor<i32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x040000000100000002000000"
    }
  }
#-}
