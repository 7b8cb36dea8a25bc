#ifndef QCC_DIALECT_QNN_IR_QNNBLOCKOPS_TD
#define QCC_DIALECT_QNN_IR_QNNBLOCKOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_BlockMatmulOp : QNN_ComputeOp<"block_matmul"> {
  let summary = "Matrix product with constant weights quantized in blocks";
  let description = [{
    `input` [..., K] times the transpose of N columns of K weights of `bits` (2,
    4 or 8) unsigned bits. `block` neighbours along K share a scale:
    `weights` is ui8 [N, B, block * bits / 8] with B = ceil(K / block), the first
    weight in the lowest bits of a byte, `scales` f32 [N, B]. `zero_points` are
    ui8 or f32 [N, B]; without them each is `2^(bits-1)`. What stands behind K in
    the last block has no meaning. (This is the form of com.microsoft's
    MatMulNBits, so that weights are mapped from a model file.)

    The real weights are `w = (q - z) * s`, rounded once behind an exact (or, for
    f32 zero points, rounded) difference. The result is the float product
    `input . w`: one chain of multiply-adds for each element.

    With `int8_input`, every block of every row of the input is quantized first:
    with `a = max |x|`, `sx = a / 127` and `x' = roundeven(x * (127 / a))` in
    [-127, 127] (`sx = 0` and `x' = 0` where `a` < 2^-100). With the exact sums
    `t = sum(q * x')` and `u = sum(x')` of a block, the result is one chain over
    the blocks, `y = y + (float(t) - z * float(u)) * (sx * s)`, whose sums and
    differences are fused with their product; without zero points
    `float(t - 2^(bits-1) * u)` is taken.

    ```mlir
    %y = qnn.block_matmul %x, %w, %s {bits = 4 : i64, block = 32 : i64}
       : (tensor<2x40xf32>, tensor<24x2x16xui8>, tensor<24x2xf32>)
      -> tensor<2x24xf32>
    ```
  }];
  let arguments = (ins QNN_FloatTensor:$input, QNN_IntTensor:$weights,
                       QNN_FloatTensor:$scales, Optional<QNN_Tensor>:$zero_points,
                       I64Attr:$bits, I64Attr:$block, UnitAttr:$int8_input);
  let results = (outs QNN_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $weights `,` $scales (`zero_points` $zero_points^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Products per result.
    int64_t getDepth() {
      return ::llvm::cast<::mlir::ShapedType>(getInput().getType()).getShape().back();
    }
    int64_t getNumColumns() {
      return ::llvm::cast<::mlir::ShapedType>(getWeights().getType()).getDimSize(0);
    }
    /// Blocks along the depth.
    int64_t getNumBlocks() {
      return ::llvm::cast<::mlir::ShapedType>(getWeights().getType()).getDimSize(1);
    }
    /// The largest number of weights in a block, for which sums are exact.
    static constexpr int64_t maxBlock = 1 << 16;
  }];
}

#endif // QCC_DIALECT_QNN_IR_QNNBLOCKOPS_TD
