// The error of each function over a sample of all floats, with and without
// fused multiply-add; nothing is left to libm.
// RUN: qcc-opt %s --qcc-expand-math --convert-scf-to-cf --convert-math-to-llvm --convert-arith-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: clang -O2 -Wno-override-module -mavx2 -mfma -c %t.ll -o %t.o
// RUN: llvm-nm --undefined-only %t.o | count 0
// RUN: clang -O2 %S/Inputs/math-accuracy.c %t.o -lm -o %t.fma && %t.fma
// RUN: qcc-opt %s --qcc-expand-math=fma=false --convert-scf-to-cf --convert-math-to-llvm --convert-arith-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir -o %t.nofma.ll
// RUN: clang -O2 -Wno-override-module -msse4.2 -c %t.nofma.ll -o %t.nofma.o
// RUN: llvm-nm --undefined-only %t.nofma.o | count 0
// RUN: clang -O2 %S/Inputs/math-accuracy.c %t.nofma.o -lm -o %t.nofma && %t.nofma
// REQUIRES: x86-host

func.func @f_exp(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}
func.func @f_exp2(%x: f32) -> f32 {
  %y = math.exp2 %x : f32
  return %y : f32
}
func.func @f_expm1(%x: f32) -> f32 {
  %y = math.expm1 %x : f32
  return %y : f32
}
func.func @f_log(%x: f32) -> f32 {
  %y = math.log %x : f32
  return %y : f32
}
func.func @f_log2(%x: f32) -> f32 {
  %y = math.log2 %x : f32
  return %y : f32
}
func.func @f_log10(%x: f32) -> f32 {
  %y = math.log10 %x : f32
  return %y : f32
}
func.func @f_log1p(%x: f32) -> f32 {
  %y = math.log1p %x : f32
  return %y : f32
}
func.func @f_tanh(%x: f32) -> f32 {
  %y = math.tanh %x : f32
  return %y : f32
}
func.func @f_sinh(%x: f32) -> f32 {
  %y = math.sinh %x : f32
  return %y : f32
}
func.func @f_cosh(%x: f32) -> f32 {
  %y = math.cosh %x : f32
  return %y : f32
}
func.func @f_erf(%x: f32) -> f32 {
  %y = math.erf %x : f32
  return %y : f32
}
func.func @f_sin(%x: f32) -> f32 {
  %y = math.sin %x : f32
  return %y : f32
}
func.func @f_cos(%x: f32) -> f32 {
  %y = math.cos %x : f32
  return %y : f32
}
func.func @f_tan(%x: f32) -> f32 {
  %y = math.tan %x : f32
  return %y : f32
}
func.func @f_asin(%x: f32) -> f32 {
  %y = math.asin %x : f32
  return %y : f32
}
func.func @f_acos(%x: f32) -> f32 {
  %y = math.acos %x : f32
  return %y : f32
}
func.func @f_atan(%x: f32) -> f32 {
  %y = math.atan %x : f32
  return %y : f32
}
func.func @f_rsqrt(%x: f32) -> f32 {
  %y = math.rsqrt %x : f32
  return %y : f32
}
func.func @f_pow(%x: f32, %y: f32) -> f32 {
  %z = math.powf %x, %y : f32
  return %z : f32
}
func.func @f_rem(%x: f32, %y: f32) -> f32 {
  %z = arith.remf %x, %y : f32
  return %z : f32
}
