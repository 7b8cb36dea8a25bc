#ifndef QCC_CODEGEN_PASSES_TD
#define QCC_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def ExpandMath : Pass<"qcc-expand-math"> {
  let summary = "Lower math functions to arithmetic";
  let description = [{
    An artefact stands alone, so no call of libm may be left in it. Functions
    of the `math` dialect on f32 (scalars and vectors) become branch-free
    polynomial arithmetic that the vectorizer can use; f16 and bf16 are
    computed in f32. Bounds of the error, in units of the last place of f32
    (see test/Codegen/expand-math-accuracy.mlir):

    | function | ulp |
    |---|---|
    | exp, exp2, log, log1p, powf, rsqrt | 1.5 |
    | log2, log10 | 2 |
    | expm1, erf, sinh, cosh | 3 |
    | tanh | 3.5 |
    | sin, cos (up to 2^20 in magnitude), tan | 2, 2, 4 |

    The operations and their order are the same on every level with fused
    multiply-add, so the results are too. Without it (`fma=false`), `math.fma`
    becomes a product and a sum; what has the attribute `qcc.exact` gets the
    same result as with it, by f64 and a sum rounded to odd. `arith.remf` (C's fmod) becomes a loop.
    A function that has no expansion for its type is an error. `math.exp` with
    the attribute `qcc.bounded` is one whose operand lies in [-87.3, 88.3], so
    that the result is a normal number.
  }];
  let options = [
    Option<"fma", "fma", "bool", /*default=*/"true",
           "the target has fused multiply-add">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def PlanArena : Pass<"qcc-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Give the buffers of @main their place in one block of memory";
  let description = [{
    Each `memref.alloc` of `@main` becomes a `memref.view` of a new last
    argument, the arena, whose size is the module's `qcc.arena_bytes`. Buffers
    that are alive at the same call do not overlap; each is aligned to 64 bytes
    and followed by 64 that may be read.
  }];
  let options = [
    Option<"keepTensors", "keep-tensors", "bool", /*default=*/"false",
           "let no two buffers share bytes">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

#endif // QCC_CODEGEN_PASSES_TD
