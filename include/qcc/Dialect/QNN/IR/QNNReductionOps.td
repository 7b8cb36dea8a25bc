#ifndef QCC_DIALECT_QNN_IR_QNNREDUCTIONOPS_TD
#define QCC_DIALECT_QNN_IR_QNNREDUCTIONOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

class QNN_PoolOp<string mnemonic, list<Trait> traits = []>
    : QNN_ComputeOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
          "getActivationOperands", "getScaleConstraint"]>], traits)> {
  let results = (outs QNN_Tensor:$result);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getSpatialRank() { return (int64_t)getKernel().size(); }
    int64_t getChannelDim() {
      return getLayout() == Layout::ChannelsLast ? getSpatialRank() + 1 : 1;
    }
  }];
}

def QNN_MaxPoolOp : QNN_PoolOp<"max_pool"> {
  let summary = "Maximum over windows; padding never wins";
  let description = [{
    `ceil_mode` rounds the output extent up, except for a last window that
    would start in the end padding.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, UnitAttr:$ceil_mode,
                       DefaultValuedAttr<QNN_LayoutAttr, "Layout::ChannelsFirst">:$layout);
}

def QNN_AvgPoolOp : QNN_PoolOp<"avg_pool"> {
  let summary = "Mean over windows";
  let description = [{
    The divisor is the number of elements that lie in the image, or with
    `count_include_pad` in the padded image. Quantized: the exact sum of
    `q - zp` times the float32 factor `sx / (n * sy)`, rounded once.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, UnitAttr:$ceil_mode,
                       UnitAttr:$count_include_pad,
                       DefaultValuedAttr<QNN_LayoutAttr, "Layout::ChannelsFirst">:$layout);
}

def QNN_ReduceOp : QNN_ComputeOp<"reduce", [
    DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
      "getActivationOperands", "isQuantizable", "getScaleConstraint"]>]> {
  let summary = "Reduce over dimensions (global pooling is one of these)";
  let description = [{
    `axes` are sorted, non-negative and unique; with `keepdims` they stay as 1.
    Quantized `mean`: the exact sum times the float32 factor `sx / (n * sy)`.
  }];
  let arguments = (ins QNN_ReduceKindAttr:$kind, QNN_Tensor:$input,
                       DenseI64ArrayAttr:$axes, UnitAttr:$keepdims);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    `` $kind operands attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_ArgReduceOp : QNN_ComputeOp<"arg_reduce"> {
  let summary = "Index of the largest (or smallest) element along one dimension";
  let arguments = (ins QNN_Tensor:$input, I64Attr:$axis, UnitAttr:$keepdims,
                       UnitAttr:$minimum, UnitAttr:$select_last);
  let results = (outs QNN_IntTensor:$result);
  let hasVerifier = 1;
}

def QNN_SoftmaxOp : QNN_ComputeOp<"softmax"> {
  let summary = "exp(x - max) / sum along one dimension, or its logarithm";
  let arguments = (ins QNN_FloatTensor:$input, I64Attr:$axis, UnitAttr:$log);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_BatchNormOp : QNN_ComputeOp<"batch_norm"> {
  let summary = "scale * (x - mean) / sqrt(variance + epsilon) + shift";
  let description = [{ The four vectors are [C]; the channel is `axis`. }];
  let arguments = (ins QNN_FloatTensor:$input, QNN_FloatTensor:$scale,
                       QNN_FloatTensor:$shift, QNN_FloatTensor:$mean,
                       QNN_FloatTensor:$variance, F32Attr:$epsilon,
                       DefaultValuedAttr<I64Attr, "1">:$axis);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_NormalizeOp : QNN_ComputeOp<"normalize"> {
  let summary = "(x - mean) / sqrt(variance + epsilon) over `axes`";
  let description = [{
    Mean and variance (biased) are those of the elements that share the other
    indices: instance, group and layer normalization are this op, a reshape
    where groups need one, and `qnn.binary` mul and add. With `rms`, the mean
    is not subtracted and the variance is the mean of squares.
  }];
  let arguments = (ins QNN_FloatTensor:$input, DenseI64ArrayAttr:$axes,
                       F32Attr:$epsilon, UnitAttr:$rms);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_LrnOp : QNN_ComputeOp<"lrn"> {
  let summary = "Local response normalization across channels";
  let description = [{
    `x / (bias + alpha / size * sum of squares of the size neighbours)^beta`,
    over dimension `axis`; the window is [c - (size-1)/2, c + size/2].
  }];
  let arguments = (ins QNN_FloatTensor:$input, I64Attr:$size, F32Attr:$alpha,
                       F32Attr:$beta, F32Attr:$bias,
                       DefaultValuedAttr<I64Attr, "1">:$axis);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNREDUCTIONOPS_TD
