#ifndef QCC_DIALECT_QNN_IR_QNNSHAPEOPS_TD
#define QCC_DIALECT_QNN_IR_QNNSHAPEOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

// Moves elements and changes none: one scale in and out.
class QNN_MovementOp<string mnemonic, list<Trait> traits = []>
    : QNN_ComputeOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
          "getActivationOperands", "getScaleConstraint"]>], traits)> {
  let results = (outs QNN_Tensor:$result);
}

def QNN_ReshapeOp : QNN_Op<"reshape", [Pure,
    DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
      "getActivationOperands", "getScaleConstraint"]>]> {
  let summary = "The same elements in row-major order under another shape";
  let arguments = (ins QNN_Tensor:$input);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_TransposeOp : QNN_MovementOp<"transpose"> {
  let summary = "Permute dimensions: result dimension i is input dimension permutation[i]";
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def QNN_ConcatOp : QNN_MovementOp<"concat"> {
  let summary = "Join tensors along a dimension";
  let arguments = (ins Variadic<QNN_Tensor>:$inputs, I64Attr:$axis);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_SliceOp : QNN_MovementOp<"slice"> {
  let summary = "Part of a tensor: element i is input[starts + i * steps]";
  let description = [{
    One entry per dimension. `starts` lies in the tensor, `steps` may be
    negative, `sizes` are the extents of the result.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$starts,
                       DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$steps);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_PadOp : QNN_MovementOp<"pad"> {
  let summary = "Add (or with negative pads remove) elements at the borders";
  let description = [{
    `pads`: all begins, then all ends. `value` is the real value of constant
    padding, representable in the type of the result.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$pads,
                       DefaultValuedAttr<QNN_PadModeAttr, "PadMode::Constant">:$mode,
                       DefaultValuedAttr<F64Attr, "0.0">:$value);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_ExpandOp : QNN_MovementOp<"expand"> {
  let summary = "Broadcast to a larger shape (NumPy broadcast_to)";
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$shape);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_GatherOp : QNN_MovementOp<"gather"> {
  let summary = "Take slices along `axis` at the given indices (ONNX Gather)";
  let description = [{
    Negative indices count from the end; indices beyond the bounds are clamped.
  }];
  let arguments = (ins QNN_Tensor:$input, QNN_IntTensor:$indices, I64Attr:$axis);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_ResizeOp : QNN_MovementOp<"resize"> {
  let summary = "Interpolate to another extent (ONNX Resize, Upsample)";
  let description = [{
    `sizes` are the extents of the result, one per dimension; `scales` the
    factors that map coordinates (not always sizes ratios). Dimensions with
    scale 1 and equal extent are copied. `cubic_coeff`, `exclude_outside` as in
    ONNX. Quantized: nearest moves integers, linear computes in float32.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$sizes,
                       DenseF32ArrayAttr:$scales, QNN_ResizeModeAttr:$mode,
                       QNN_CoordModeAttr:$coord_mode,
                       DefaultValuedAttr<QNN_NearestModeAttr,
                         "NearestMode::RoundPreferFloor">:$nearest_mode,
                       DefaultValuedAttr<F32Attr, "-0.75f">:$cubic_coeff,
                       UnitAttr:$exclude_outside);
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNSHAPEOPS_TD
