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

def NarrowActivations : Pass<"qcc-narrow-activations", "::mlir::ModuleOp"> {
  let summary = "Round the activations of bf16 layers where a level multiplies bf16";
  let description = [{
    A convolution or matrix product of float32 activations with constant weights of
    bf16 is computed in float32. A level whose matrix unit multiplies bf16 may round
    the activations to the same, to nearest and ties to even; sums stay float32. This
    pass does so by casts, where that is expected to be faster and there are more
    than four rows (below, weights may be of bf16 without having been asked for):

    ```mlir
    %x16 = qnn.cast %x : (tensor<64x256xf32>) -> tensor<64x256xbf16>
    %y = qnn.matmul %x16, %w : (tensor<64x256xbf16>, tensor<256x128xbf16>) -> tensor<64x128xf32>
    ```

    `qcc-generate-kernels` begins with it.
  }];
  let options = [
    Option<"level", "level", "std::string", /*default=*/"\"baseline\"",
           "instruction set level of one of the targets">,
    Option<"widen", "widen", "bool", /*default=*/"false",
           "Cast back to float32, for levels that do not multiply bf16">,
  ];
}

#endif // QCC_DRIVER_PASSES_TD
