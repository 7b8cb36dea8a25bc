#ifndef QCC_DIALECT_QNN_IR_QNNDIALECT_TD
#define QCC_DIALECT_QNN_IR_QNNDIALECT_TD

include "mlir/IR/OpBase.td"

def QNN_Dialect : Dialect {
  let name = "qnn";
  let cppNamespace = "::qcc::qnn";
  let summary = "Neural network operators over float and quantized tensors";
  let description = [{
    One set of operators, polymorphic over the element type: plain floats and
    integers, or upstream `!quant.uniform` types, whose scales and zero points
    then live in the tensor type.

    *Meaning of quantized types.* Unless an op says otherwise, an op on
    quantized tensors means: dequantize each quantized operand
    (`(q - zeroPoint) * scale`), compute in float32, quantize the result
    (`saturate(roundeven(x / scale) + zeroPoint)`). `qnn.conv`, `qnn.matmul`
    and the pools instead accumulate exactly in int32 and round once; the rule
    stands in `qcc/Support/QuantMath.h`, the only copy of the arithmetic.

    *Layout.* ONNX's channels-first is the layout of a freshly imported graph;
    spatial ops carry it as the attribute `layout`, which
    `qnn-assign-layout` changes to channels-last. Filters keep ONNX's
    dimension order in every layout; packing is the code generator's business.

    *Integers.* Signed integers are signless (`i8`), unsigned ones are `ui8`.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

class QNN_Op<string mnemonic, list<Trait> traits = []>
    : Op<QNN_Dialect, mnemonic, traits>;

#endif // QCC_DIALECT_QNN_IR_QNNDIALECT_TD
