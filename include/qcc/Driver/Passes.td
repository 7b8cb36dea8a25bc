#ifndef QCC_DRIVER_PASSES_TD
#define QCC_DRIVER_PASSES_TD

include "mlir/Pass/PassBase.td"

// Keep alphabetical.

def GenerateKernels : Pass<"qcc-generate-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn @main into calls of a level's kernels on buffers";
  let description = [{
    What `qcc` does to a channels-last module for one level: the optimized
    kernel generators, and reference kernels for what they do not take.
    `convert-qnn-to-kernels` is the same with reference kernels alone.
  }];
  let options = [
    Option<"level", "level", "std::string", /*default=*/"\"baseline\"",
           "instruction set level of one of the targets">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ModelCosts : Pass<"qcc-model-costs", "::mlir::ModuleOp"> {
  let summary = "Note how many cycles each kernel call should take";
  let description = [{
    Gives each call of @main the attribute `qcc.cycles`: what it should take on
    one thread of the processor that stands for the module's level (`qcc.level`),
    from the instructions of the kernel and the rates of that processor. Functions of
    mathematics must be expanded (`qcc-expand-math`).
  }];
}

#endif // QCC_DRIVER_PASSES_TD
