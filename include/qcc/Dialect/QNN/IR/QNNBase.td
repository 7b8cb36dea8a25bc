#ifndef QCC_DIALECT_QNN_IR_QNNBASE_TD
#define QCC_DIALECT_QNN_IR_QNNBASE_TD

include "qcc/Dialect/QNN/IR/QNNDialect.td"
include "qcc/Dialect/QNN/IR/QNNInterfaces.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def QNN_Element : AnyTypeOf<[AnyFloat, AnyInteger, quant_QuantizedType]>;
def QNN_Tensor : RankedTensorOf<[QNN_Element]>;
def QNN_FloatTensor : RankedTensorOf<[AnyFloat]>;
def QNN_PlainTensor : RankedTensorOf<[AnyFloat, AnyInteger]>;
def QNN_IntTensor : RankedTensorOf<[AnyInteger]>;
def QNN_QuantTensor : RankedTensorOf<[quant_QuantizedType]>;

//===----------------------------------------------------------------------===//
// Enums and attributes
//===----------------------------------------------------------------------===//

class QNN_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::qcc::qnn";
  let genSpecializedAttr = 0;
}

def QNN_Layout : QNN_Enum<"Layout", "order of the dimensions of an image", [
  I32EnumAttrCase<"ChannelsFirst", 0, "nchw">,
  I32EnumAttrCase<"ChannelsLast", 1, "nhwc">]>;
def QNN_LayoutAttr : EnumAttr<QNN_Dialect, QNN_Layout, "layout">;

def QNN_UnaryKind : QNN_Enum<"UnaryKind", "function of one number", [
  I32EnumAttrCase<"Identity", 0, "identity">,
  I32EnumAttrCase<"Relu", 1, "relu">,
  I32EnumAttrCase<"Clamp", 2, "clamp">,              // min(max(x, alpha), beta)
  I32EnumAttrCase<"LeakyRelu", 3, "leaky_relu">,     // x < 0 ? alpha * x : x
  I32EnumAttrCase<"Sigmoid", 4, "sigmoid">,
  I32EnumAttrCase<"Tanh", 5, "tanh">,
  I32EnumAttrCase<"HardSigmoid", 6, "hard_sigmoid">, // clamp(alpha * x + beta, 0, 1)
  I32EnumAttrCase<"HardSwish", 7, "hard_swish">,     // x * clamp(x / 6 + 0.5, 0, 1)
  I32EnumAttrCase<"Silu", 8, "silu">,                // x * sigmoid(x)
  I32EnumAttrCase<"Gelu", 9, "gelu">,                // 0.5 x (1 + erf(x / sqrt 2))
  I32EnumAttrCase<"GeluTanh", 10, "gelu_tanh">,
  I32EnumAttrCase<"Elu", 11, "elu">,                 // x < 0 ? alpha * (exp(x) - 1) : x
  I32EnumAttrCase<"Selu", 12, "selu">,               // beta * elu(x, alpha)
  I32EnumAttrCase<"Celu", 13, "celu">,               // max(x,0) + min(0, alpha*(exp(x/alpha)-1))
  I32EnumAttrCase<"ThresholdedRelu", 14, "thresholded_relu">, // x > alpha ? x : 0
  I32EnumAttrCase<"Softplus", 15, "softplus">,
  I32EnumAttrCase<"Softsign", 16, "softsign">,
  I32EnumAttrCase<"Mish", 17, "mish">,
  I32EnumAttrCase<"Exp", 18, "exp">,
  I32EnumAttrCase<"Log", 19, "log">,
  I32EnumAttrCase<"Sqrt", 20, "sqrt">,
  I32EnumAttrCase<"Reciprocal", 21, "reciprocal">,
  I32EnumAttrCase<"Neg", 22, "neg">,
  I32EnumAttrCase<"Abs", 23, "abs">,
  I32EnumAttrCase<"Floor", 24, "floor">,
  I32EnumAttrCase<"Ceil", 25, "ceil">,
  I32EnumAttrCase<"Round", 26, "round">,             // half to even
  I32EnumAttrCase<"Sign", 27, "sign">,
  I32EnumAttrCase<"Erf", 28, "erf">,
  I32EnumAttrCase<"Sin", 29, "sin">,
  I32EnumAttrCase<"Cos", 30, "cos">,
  I32EnumAttrCase<"Tan", 31, "tan">,
  I32EnumAttrCase<"Not", 32, "not">,                 // i1
  I32EnumAttrCase<"IsNaN", 33, "is_nan">,            // result i1
  I32EnumAttrCase<"Shrink", 34, "shrink">,           // x < -alpha ? x+beta : x > alpha ? x-beta : 0
  I32EnumAttrCase<"Affine", 35, "affine">,           // alpha * x + beta
  I32EnumAttrCase<"ScaledTanh", 36, "scaled_tanh">,  // alpha * tanh(beta * x)
  I32EnumAttrCase<"Asin", 37, "asin">,
  I32EnumAttrCase<"Acos", 38, "acos">,
  I32EnumAttrCase<"Atan", 39, "atan">]>;
def QNN_UnaryKindAttr : EnumAttr<QNN_Dialect, QNN_UnaryKind, "unary_kind">;

def QNN_BinaryKind : QNN_Enum<"BinaryKind", "function of two numbers", [
  I32EnumAttrCase<"Add", 0, "add">,
  I32EnumAttrCase<"Sub", 1, "sub">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Div", 3, "div">,                  // integers: truncates
  I32EnumAttrCase<"Pow", 4, "pow">,
  I32EnumAttrCase<"Min", 5, "min">,
  I32EnumAttrCase<"Max", 6, "max">,
  I32EnumAttrCase<"Mod", 7, "mod">,                  // sign of the divisor (Python)
  I32EnumAttrCase<"FMod", 8, "fmod">,                // sign of the dividend (C)
  I32EnumAttrCase<"PRelu", 9, "prelu">,              // lhs < 0 ? lhs * rhs : lhs
  I32EnumAttrCase<"And", 10, "and">,
  I32EnumAttrCase<"Or", 11, "or">,
  I32EnumAttrCase<"Xor", 12, "xor">,
  I32EnumAttrCase<"Equal", 13, "eq">,
  I32EnumAttrCase<"Less", 14, "lt">,
  I32EnumAttrCase<"LessEqual", 15, "le">,
  I32EnumAttrCase<"Greater", 16, "gt">,
  I32EnumAttrCase<"GreaterEqual", 17, "ge">,
  // Of unsigned integers: zeros come in, and beyond the width all bits are 0.
  I32EnumAttrCase<"ShiftLeft", 18, "shl">,
  I32EnumAttrCase<"ShiftRight", 19, "shr">]>;
def QNN_BinaryKindAttr : EnumAttr<QNN_Dialect, QNN_BinaryKind, "binary_kind">;

def QNN_ReduceKind : QNN_Enum<"ReduceKind", "reduction", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Mean", 1, "mean">,
  I32EnumAttrCase<"Max", 2, "max">,
  I32EnumAttrCase<"Min", 3, "min">,
  I32EnumAttrCase<"Prod", 4, "prod">,
  I32EnumAttrCase<"L1", 5, "l1">,
  I32EnumAttrCase<"L2", 6, "l2">,
  I32EnumAttrCase<"LogSum", 7, "log_sum">,
  I32EnumAttrCase<"LogSumExp", 8, "log_sum_exp">,
  I32EnumAttrCase<"SumSquare", 9, "sum_square">]>;
def QNN_ReduceKindAttr : EnumAttr<QNN_Dialect, QNN_ReduceKind, "reduce_kind">;

def QNN_PadMode : QNN_Enum<"PadMode", "what padding holds", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"Reflect", 1, "reflect">,
  I32EnumAttrCase<"Edge", 2, "edge">,
  I32EnumAttrCase<"Wrap", 3, "wrap">]>;
def QNN_PadModeAttr : EnumAttr<QNN_Dialect, QNN_PadMode, "pad_mode">;

def QNN_ResizeMode : QNN_Enum<"ResizeMode", "interpolation", [
  I32EnumAttrCase<"Nearest", 0, "nearest">,
  I32EnumAttrCase<"Linear", 1, "linear">,
  I32EnumAttrCase<"Cubic", 2, "cubic">]>;
def QNN_ResizeModeAttr : EnumAttr<QNN_Dialect, QNN_ResizeMode, "resize_mode">;

def QNN_CoordMode : QNN_Enum<"CoordMode", "output to input coordinate of resize", [
  I32EnumAttrCase<"HalfPixel", 0, "half_pixel">,
  I32EnumAttrCase<"PytorchHalfPixel", 1, "pytorch_half_pixel">,
  I32EnumAttrCase<"AlignCorners", 2, "align_corners">,
  I32EnumAttrCase<"Asymmetric", 3, "asymmetric">,
  I32EnumAttrCase<"TfHalfPixelForNN", 4, "tf_half_pixel_for_nn">,
  I32EnumAttrCase<"HalfPixelSymmetric", 5, "half_pixel_symmetric">]>;
def QNN_CoordModeAttr : EnumAttr<QNN_Dialect, QNN_CoordMode, "coord_mode">;

def QNN_NearestMode : QNN_Enum<"NearestMode", "rounding of nearest resize", [
  I32EnumAttrCase<"RoundPreferFloor", 0, "round_prefer_floor">,
  I32EnumAttrCase<"RoundPreferCeil", 1, "round_prefer_ceil">,
  I32EnumAttrCase<"Floor", 2, "floor">,
  I32EnumAttrCase<"Ceil", 3, "ceil">]>;
def QNN_NearestModeAttr : EnumAttr<QNN_Dialect, QNN_NearestMode, "nearest_mode">;

def QNN_ScatterReduction : QNN_Enum<"ScatterReduction", "what a scatter makes of old and new", [
  I32EnumAttrCase<"None", 0, "none">,                // the new one
  I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Min", 3, "min">,
  I32EnumAttrCase<"Max", 4, "max">]>;
def QNN_ScatterReductionAttr
    : EnumAttr<QNN_Dialect, QNN_ScatterReduction, "scatter_reduction">;

def QNN_SampleBorder : QNN_Enum<"SampleBorder", "what samples beyond an image read", [
  I32EnumAttrCase<"Zeros", 0, "zeros">,
  I32EnumAttrCase<"Border", 1, "border">,
  I32EnumAttrCase<"Reflection", 2, "reflection">]>;
def QNN_SampleBorderAttr : EnumAttr<QNN_Dialect, QNN_SampleBorder, "sample_border">;

def QNN_ActivationAttr : AttrDef<QNN_Dialect, "Activation"> {
  let mnemonic = "act";
  let summary = "an elementwise function fused behind another op";
  let description = [{
    `#qnn.act<clamp, 0.0, 6.0>`: the function of `qnn.unary` with the same
    kind, `alpha` and `beta`. On a quantized op it is applied to the real
    value before the quantization of the result.
  }];
  let parameters = (ins EnumParameter<QNN_UnaryKind>:$kind,
                        "::mlir::FloatAttr":$alpha, "::mlir::FloatAttr":$beta);
  let builders = [AttrBuilder<(ins "UnaryKind":$kind, CArg<"float", "0.f">:$alpha,
                                   CArg<"float", "0.f">:$beta), [{
    auto f32 = ::mlir::Float32Type::get($_ctxt);
    return $_get($_ctxt, kind, ::mlir::FloatAttr::get(f32, alpha),
                 ::mlir::FloatAttr::get(f32, beta));
  }]>];
  let assemblyFormat = "`<` $kind `,` $alpha `,` $beta `>`";
  let extraClassDeclaration = [{
    float alpha() const { return getAlpha().getValue().convertToFloat(); }
    float beta() const { return getBeta().getValue().convertToFloat(); }
  }];
}

//===----------------------------------------------------------------------===//
// Op classes
//===----------------------------------------------------------------------===//

// A pure op whose result shape follows from operands and attributes.
class QNN_ComputeOp<string mnemonic, list<Trait> traits = []>
    : QNN_Op<mnemonic, !listconcat([Pure, InferShapedTypeOpAdaptor,
                                    QNN_VerifyInferredShape], traits)> {
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QCC_DIALECT_QNN_IR_QNNBASE_TD
