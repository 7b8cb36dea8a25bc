#ifndef QCC_CONVERSION_PASSES_TD
#define QCC_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def ConvertQNNToKernels : Pass<"convert-qnn-to-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn @main into calls of reference kernels on buffers";
  let description = [{
    Every qnn op becomes plain loops that spell out its meaning; the driver
    runs the same conversion with a target's kernel generators in front of
    these (`qcc::convertQNNToKernels`).
  }];
  let options = [
    Option<"fma", "fma", "bool", /*default=*/"true",
           "sum products of floats with fused multiply-add">,
    Option<"vectorBytes", "vector-bytes", "unsigned", /*default=*/"16",
           "bytes of a vector register">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // QCC_CONVERSION_PASSES_TD
