#ifndef QCC_DIALECT_QNN_IR_QNNINTERFACES_TD
#define QCC_DIALECT_QNN_IR_QNNINTERFACES_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def QNN_QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::qcc::qnn";
  let description = [{
    What a quantization pass needs to know of an operator, so that no pass
    holds a list of operator names.
  }];
  let methods = [
    InterfaceMethod<[{
        The operands that may hold quantized activations (per tensor).
      }], "::llvm::SmallVector<unsigned>", "getActivationOperands", (ins),
      [{}], [{ return {}; }]>,
    InterfaceMethod<[{
        The constant operand that is quantized per channel as a weight, if any.
      }], "::std::optional<unsigned>", "getWeightOperand", (ins),
      [{}], [{ return ::std::nullopt; }]>,
    InterfaceMethod<[{
        The dimension of the weight that selects the output channel, or -1
        where the weight can only be quantized per tensor.
      }], "int64_t", "getWeightChannelAxis", (ins), [{}], [{ return -1; }]>,
    InterfaceMethod<[{
        The operand added to the 32-bit accumulator (scale = activation scale *
        weight scale, zero point 0), if any.
      }], "::std::optional<unsigned>", "getBiasOperand", (ins),
      [{}], [{ return ::std::nullopt; }]>,
    InterfaceMethod<[{
        How the quantization parameters of the result depend on the operands.
      }], "::qcc::qnn::ScaleConstraint", "getScaleConstraint", (ins), [{}],
      [{ return ::qcc::qnn::ScaleConstraint::Independent; }]>,
    InterfaceMethod<[{
        Whether the op computes on quantized operands and results as this op
        stands; false where the op must stay float (quantizing it would only
        add conversions).
      }], "bool", "isQuantizable", (ins), [{}], [{ return true; }]>,
    InterfaceMethod<[{
        The real range of the result where it is known without data
        (sigmoid: [0, 1]), for ops whose output parameters are fixed.
      }], "::std::optional<::std::pair<double, double>>", "getFixedResultRange",
      (ins), [{}], [{ return ::std::nullopt; }]>,
  ];
}

// The result shapes that an op declares must be those that it infers.
def QNN_VerifyInferredShape : NativeOpTrait<"VerifyInferredShape"> {
  let cppNamespace = "::qcc::qnn";
}

#endif // QCC_DIALECT_QNN_IR_QNNINTERFACES_TD
