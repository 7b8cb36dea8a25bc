#ifndef QCC_DIALECT_QNN_IR_QNNLINEAROPS_TD
#define QCC_DIALECT_QNN_IR_QNNLINEAROPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_Quantizable : DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
  "getActivationOperands", "getWeightOperand", "getWeightChannelAxis",
  "getBiasOperand"]>;

def QNN_ConvOp : QNN_ComputeOp<"conv", [AttrSizedOperandSegments, QNN_Quantizable]> {
  let summary = "Convolution over 1, 2 or 3 spatial dimensions";
  let description = [{
    `input` is [N, C, spatial...] or, channels-last, [N, spatial..., C];
    `filter` is always [OC, C/group, kernel...]; `bias` is [OC]; `residual` has
    the shape of the result. `pads` holds all begins, then all ends, >= 0.
    `group` = C makes it depthwise.

    Float: `act(conv + bias + residual)`; with an f32 input the filter may be f16 or bf16,
    with both of bf16 all else may be f32. Quantized (input per tensor, filter per tensor or
    per axis 0, bias int32 of scale sx*sw): with the exact 32-bit sum `acc`, the real value
    is `float(acc) * (sx*sw)`, to which an f32 bias or a dequantized residual is added and
    `activation` applied; without those it is `clamp(roundeven(float(acc) * m), lo, hi) + zp`
    with `m = sx*sw/sy` in float32. Padding stands for the real value 0.
    A plain `!quant.uniform<i32:f32, sx*sw>` result is the sum itself.

    ```mlir
    %y = qnn.conv %x, %w, %b {group = 1 : i64, ...}
       : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>)
       -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, QNN_Tensor:$filter,
                       Optional<QNN_Tensor>:$bias, Optional<QNN_Tensor>:$residual,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, I64Attr:$group,
                       DefaultValuedAttr<QNN_LayoutAttr, "Layout::ChannelsFirst">:$layout,
                       OptionalAttr<QNN_ActivationAttr>:$activation);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $filter (`,` $bias^)? (`residual` $residual^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Number of spatial dimensions.
    int64_t getSpatialRank() { return (int64_t)getStrides().size(); }
    /// The dimension of `input` and `result` that holds the channels.
    int64_t getChannelDim() {
      return getLayout() == Layout::ChannelsLast ? getSpatialRank() + 1 : 1;
    }
    bool isDepthwise();
  }];
}

def QNN_ConvTransposeOp : QNN_ComputeOp<"conv_transpose", [QNN_Quantizable]> {
  let summary = "Transposed convolution";
  let description = [{
    `filter` is [C, OC/group, kernel...]. Output extent per spatial dimension:
    `stride * (in - 1) + output_padding + (kernel - 1) * dilation + 1 - pads`.
  }];
  let arguments = (ins QNN_Tensor:$input, QNN_Tensor:$filter,
                       Optional<QNN_Tensor>:$bias,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$output_padding,
                       I64Attr:$group,
                       DefaultValuedAttr<QNN_LayoutAttr, "Layout::ChannelsFirst">:$layout,
                       OptionalAttr<QNN_ActivationAttr>:$activation);
  let results = (outs QNN_Tensor:$result);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getSpatialRank() { return (int64_t)getStrides().size(); }
    int64_t getChannelDim() {
      return getLayout() == Layout::ChannelsLast ? getSpatialRank() + 1 : 1;
    }
  }];
}

def QNN_MatmulOp : QNN_ComputeOp<"matmul", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
      "getActivationOperands", "getWeightOperand", "getWeightChannelAxis",
      "getBiasOperand", "isQuantizable"]>]> {
  let summary = "Matrix product with NumPy broadcasting";
  let description = [{
    As NumPy's matmul, over the last two dimensions of each operand (after
    `transpose_lhs`, `transpose_rhs`; those need rank >= 2); 1-D operands are
    vectors. `bias` broadcasts to the result (usually [N]), `residual` has its
    shape. Arithmetic on quantized types as in `qnn.conv`; `rhs` may be
    quantized per axis along its N dimension.

    Products with `keep_float` (Fourier transforms), and those of the power or
    magnitude of a spectrum (mel filters), are not quantized: their elements
    differ by orders of magnitude, of which 8 bits keep the largest.
  }];
  let arguments = (ins QNN_Tensor:$lhs, QNN_Tensor:$rhs,
                       Optional<QNN_Tensor>:$bias, Optional<QNN_Tensor>:$residual,
                       UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       OptionalAttr<QNN_ActivationAttr>:$activation,
                       UnitAttr:$keep_float);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`,` $bias^)? (`residual` $residual^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QNN_ConvIntegerOp : QNN_ComputeOp<"conv_integer", [AttrSizedOperandSegments]> {
  let summary = "Integer convolution with zero points known at run time";
  let description = [{
    ONNX ConvInteger: 8-bit integers in, int32 sums of
    `(x - x_zero_point) * (w - w_zero_point)` out. `x_zero_point` is a scalar
    (rank 0 or one element), `w_zero_point` a scalar or [OC]. Padding stands
    for `x_zero_point`. Shapes as in `qnn.conv`.
  }];
  let arguments = (ins QNN_IntTensor:$input, QNN_IntTensor:$filter,
                       Optional<QNN_IntTensor>:$inputZeroPoint,
                       Optional<QNN_IntTensor>:$filterZeroPoint,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, I64Attr:$group,
                       DefaultValuedAttr<QNN_LayoutAttr, "Layout::ChannelsFirst">:$layout);
  let results = (outs QNN_IntTensor:$result);
  let assemblyFormat = [{
    $input `,` $filter (`,` $inputZeroPoint^)?
    (`filter_zero_point` $filterZeroPoint^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getSpatialRank() { return (int64_t)getStrides().size(); }
    int64_t getChannelDim() {
      return getLayout() == Layout::ChannelsLast ? getSpatialRank() + 1 : 1;
    }
  }];
}

def QNN_MatmulIntegerOp : QNN_ComputeOp<"matmul_integer", [AttrSizedOperandSegments]> {
  let summary = "Integer matrix product with zero points known at run time";
  let description = [{
    ONNX MatMulInteger: int32 sums of
    `(a - lhsZeroPoint) * (b - rhsZeroPoint)`. `lhsZeroPoint` is a scalar or
    per row [M], `rhsZeroPoint` a scalar or per column [N].
  }];
  let arguments = (ins QNN_IntTensor:$lhs, QNN_IntTensor:$rhs,
                       Optional<QNN_IntTensor>:$lhsZeroPoint,
                       Optional<QNN_IntTensor>:$rhsZeroPoint);
  let results = (outs QNN_IntTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`,` $lhsZeroPoint^)?
    (`rhs_zero_point` $rhsZeroPoint^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNLINEAROPS_TD
