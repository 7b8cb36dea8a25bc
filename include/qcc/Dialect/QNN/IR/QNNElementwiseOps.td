#ifndef QCC_DIALECT_QNN_IR_QNNELEMENTWISEOPS_TD
#define QCC_DIALECT_QNN_IR_QNNELEMENTWISEOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_UnaryOp : QNN_ComputeOp<"unary", [
    DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
      "getActivationOperands", "isQuantizable", "getFixedResultRange",
      "getScaleConstraint"]>]> {
  let summary = "Function of each element";
  let description = [{
    ```mlir
    %y = qnn.unary leaky_relu %x {alpha = 0.1 : f32} : (tensor<4xf32>) -> tensor<4xf32>
    ```
    The kinds and the meaning of `alpha` and `beta` stand at `UnaryKind`.
  }];
  let arguments = (ins QNN_UnaryKindAttr:$kind, QNN_Tensor:$input,
                       DefaultValuedAttr<F32Attr, "0.f">:$alpha,
                       DefaultValuedAttr<F32Attr, "0.f">:$beta);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    `` $kind operands attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_BinaryOp : QNN_ComputeOp<"binary", [
    DeclareOpInterfaceMethods<QNN_QuantizableOpInterface, [
      "getActivationOperands", "isQuantizable", "getScaleConstraint"]>]> {
  let summary = "Function of each pair of elements, with NumPy broadcasting";
  let description = [{
    Comparisons give `i1`. `activation` is applied to the real result.
    Quantized `add`, `sub`, `mul` are computed without fused multiply-add:
    `roundeven((q1-z1)*(s1/so) + (q2-z2)*(s2/so))`, products
    `roundeven(float((q1-z1)*(q2-z2)) * (s1*s2/so))`, factors in float32.
  }];
  let arguments = (ins QNN_BinaryKindAttr:$kind, QNN_Tensor:$lhs, QNN_Tensor:$rhs,
                       OptionalAttr<QNN_ActivationAttr>:$activation);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = [{
    `` $kind operands attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_SelectOp : QNN_ComputeOp<"select"> {
  let summary = "condition ? onTrue : onFalse per element, with broadcasting";
  let arguments = (ins RankedTensorOf<[I1]>:$condition, QNN_Tensor:$onTrue,
                       QNN_Tensor:$onFalse);
  let results = (outs QNN_Tensor:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_LutOp : QNN_ComputeOp<"lut"> {
  let summary = "Function of an 8-bit tensor as a table of 256 entries";
  let description = [{
    `result = table[storage bits of input, read as unsigned]`. The table holds
    storage integers of the result, 8-bit, or floats where the result is float.
  }];
  let arguments = (ins QNN_Tensor:$input, ElementsAttr:$table);
  let results = (outs QNN_Tensor:$result);
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNELEMENTWISEOPS_TD
