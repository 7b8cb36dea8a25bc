#ifndef QCC_DIALECT_QNN_IR_QNNCASTOPS_TD
#define QCC_DIALECT_QNN_IR_QNNCASTOPS_TD

include "qcc/Dialect/QNN/IR/QNNBase.td"

def QNN_ConstantOp : QNN_Op<"constant", [Pure, ConstantLike,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "Constant tensor, of storage integers where quantized";
  let description = [{
    `arith.constant` rejects quantized element types. `value` holds the storage
    integers of a quantized tensor, and may be a `dense_resource` that is
    mapped from the model file.

    ```mlir
    %w = qnn.constant dense<1> : tensor<8x3xi8>
        as tensor<8x3x!quant.uniform<i8:f32, 0.5>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs QNN_Tensor:$result);
  let assemblyFormat = "$value attr-dict `as` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_QuantizeOp : QNN_ComputeOp<"quantize"> {
  let summary = "Float to quantized: saturate(roundeven(x / scale) + zeroPoint)";
  let arguments = (ins QNN_FloatTensor:$input);
  let results = (outs QNN_QuantTensor:$result);
  let hasVerifier = 1;
}

def QNN_DequantizeOp : QNN_ComputeOp<"dequantize"> {
  let summary = "Quantized to float: (q - zeroPoint) * scale";
  let arguments = (ins QNN_QuantTensor:$input);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_RequantizeOp : QNN_ComputeOp<"requantize"> {
  let summary = "Change scale, zero point or storage of a quantized tensor";
  let description = [{
    `dequantize`, then `quantize` with the result's parameters; when both have
    the same scale, an exact integer shift of the zero point with saturation.
  }];
  let arguments = (ins QNN_QuantTensor:$input);
  let results = (outs QNN_QuantTensor:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_StorageCastOp : QNN_ComputeOp<"storage_cast"> {
  let summary = "Reinterpret integers as a quantized tensor, or the reverse";
  let description = [{
    Costs nothing: the bits stay. The integer side has the storage type of the
    quantized side (`ui8` for `!quant.uniform<u8:…>`).
  }];
  let arguments = (ins QNN_Tensor:$input);
  let results = (outs QNN_Tensor:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_CastOp : QNN_ComputeOp<"cast"> {
  let summary = "Convert plain numbers (ONNX Cast)";
  let description = [{
    Float to integer truncates toward zero; anything to `i1` is `x != 0`.
  }];
  let arguments = (ins QNN_Tensor:$input);
  let results = (outs QNN_Tensor:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QNN_DynamicQuantizeOp : QNN_ComputeOp<"dynamic_quantize"> {
  let summary = "Quantize to uint8 with the range of the data at run time";
  let description = [{
    ONNX DynamicQuantizeLinear-11: the range is widened to include 0, scale =
    (max - min) / 255 (1/255 where all elements are 0), zeroPoint =
    roundeven(saturate(-min / scale)).
  }];
  let arguments = (ins QNN_FloatTensor:$input);
  let results = (outs QNN_IntTensor:$result, QNN_FloatTensor:$scale,
                      QNN_IntTensor:$zeroPoint);
  let hasVerifier = 1;
}

def QNN_DynamicDequantizeOp : QNN_ComputeOp<"dynamic_dequantize"> {
  let summary = "Dequantize with a scale that is computed at run time";
  let description = [{
    `(input - zeroPoint) * scale`; scale and zero point broadcast as in NumPy
    (a per-axis one is reshaped first). Without a zero point, `input * scale`.
  }];
  let arguments = (ins QNN_IntTensor:$input, QNN_FloatTensor:$scale,
                       Optional<QNN_IntTensor>:$zeroPoint);
  let results = (outs QNN_FloatTensor:$result);
  let hasVerifier = 1;
}

def QNN_ObserveOp : QNN_Op<"observe", []> {
  let summary = "Record the values of a tensor during calibration";
  let description = [{
    The identity; the calibration run collects the operand's statistics under
    `id`, the name of the tensor in the calibration table. Not pure: it must
    survive until `qnn-apply-calibration` replaces it, by a quantization to 16
    bits where `words` is set, else to 8.
  }];
  let arguments = (ins QNN_FloatTensor:$input, StrAttr:$id, UnitAttr:$words);
  let results = (outs QNN_FloatTensor:$result);
  let assemblyFormat = "$input `as` $id attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // QCC_DIALECT_QNN_IR_QNNCASTOPS_TD
