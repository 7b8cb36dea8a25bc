// Without an instruction, a fused product and sum is the same number all the
// same; nothing is left to libm.
// RUN: qcc-opt %s --qcc-expand-math=fma=false --convert-math-to-llvm --convert-arith-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: clang -O2 -Wno-override-module -msse4.2 -c %t.ll -o %t.o
// RUN: llvm-nm --undefined-only %t.o | count 0
// RUN: clang -O2 %S/Inputs/fused.c %t.o -lm -o %t.test && %t.test
// REQUIRES: x86-host

func.func @f_scalar(%x: f32, %y: f32, %z: f32) -> f32 {
  %0 = math.fma %x, %y, %z {qcc.exact} : f32
  return %0 : f32
}
func.func @f_vector(%x: vector<4xf32>, %y: vector<4xf32>, %z: vector<4xf32>) -> vector<4xf32> {
  %0 = math.fma %x, %y, %z {qcc.exact} : vector<4xf32>
  return %0 : vector<4xf32>
}
