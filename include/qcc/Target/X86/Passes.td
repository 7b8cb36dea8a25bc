#ifndef QCC_TARGET_X86_PASSES_TD
#define QCC_TARGET_X86_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def EmulateTiles : Pass<"x86-emulate-tiles", "::mlir::ModuleOp"> {
  let summary = "Replace AMX instructions by loops (for tests)";
  let description = [{
    Each AMX intrinsic in a kernel becomes a call of a function that does the
    same to tile registers in memory, byte by byte as the instruction is
    documented: shapes come from the configuration that `ldtilecfg` loads, a
    load or product clears what lies beyond the shape, and where the processor
    would raise an exception (no configuration, one that is not valid, shapes
    that do not fit each other) the function traps. So does a kernel that
    returns without `tilerelease`. So does `vcvtneps2bf16`, which rounds the
    factors of products of bf16.

    `tdpbf16ps` is what Intel's manual spells out: two chains of multiply-adds,
    which are added, and numbers below 2^-126 are zero. One case is not like the
    processor: a sum that rounds up to 2^-126, but would not with an unbounded
    exponent, is 0 there and 2^-126 here.

    The module then needs no AMX: its level becomes `avx512-vnni`. This is how
    kernels for AMX are tested on machines that lack it.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

#endif // QCC_TARGET_X86_PASSES_TD
