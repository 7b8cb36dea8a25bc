// RUN: qcc-opt %s --qcc-expand-math | FileCheck %s --check-prefixes=CHECK,FMA
// RUN: qcc-opt %s --qcc-expand-math=fma=false | FileCheck %s --check-prefixes=CHECK,NOFMA

// CHECK-LABEL: func @vector
// CHECK-NOT: math.exp
// CHECK: arith.bitcast %{{.*}} : vector<8xf32> to vector<8xi32>
// CHECK: arith.shrsi
// CHECK: arith.cmpf uno
// CHECK-NOT: math.exp
// CHECK: return
func.func @vector(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// Known to be a normal number: one step scales it, and nothing is compared.
// CHECK-LABEL: func @bounded
// CHECK-NOT: math.exp
// CHECK-NOT: arith.shrsi
// CHECK-NOT: arith.cmpf
// CHECK: arith.shli
// CHECK-NOT: arith.cmpf
// CHECK: return
func.func @bounded(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x {qcc.bounded} : vector<8xf32>
  return %y : vector<8xf32>
}

// CHECK-LABEL: func @half
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NOT: math.tanh
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half(%x: f16) -> f16 {
  %y = math.tanh %x : f16
  return %y : f16
}

// One rounding, by a sum in f64 that is rounded to odd.
// CHECK-LABEL: func @fused
// FMA: math.fma
// NOFMA-NOT: math.fma
// NOFMA: arith.mulf %{{.*}} : vector<4xf64>
// NOFMA-NEXT: arith.extf
// NOFMA-NEXT: arith.addf %{{.*}} : vector<4xf64>
// NOFMA: arith.cmpf ogt
// NOFMA: arith.subi %{{.*}} : vector<4xi64>
// NOFMA: arith.ori %{{.*}} : vector<4xi64>
// NOFMA: arith.truncf %{{.*}} : vector<4xf64> to vector<4xf32>
func.func @fused(%x: vector<4xf32>, %y: vector<4xf32>) -> vector<4xf32> {
  %z = math.fma %x, %y, %x {qcc.exact} : vector<4xf32>
  return %z : vector<4xf32>
}

// Instructions everywhere: kept.
// CHECK-LABEL: func @native
// CHECK: math.sqrt
// CHECK: math.floor
func.func @native(%x: f32) -> f32 {
  %y = math.sqrt %x : f32
  %z = math.floor %y : f32
  return %z : f32
}

// CHECK-LABEL: func @remainder
// CHECK-NOT: arith.remf
// CHECK: scf.while
func.func @remainder(%x: f32, %y: f32) -> f32 {
  %z = arith.remf %x, %y : f32
  return %z : f32
}
