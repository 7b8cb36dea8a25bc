//===- OpTable.cpp - Which converter for which operator ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/RecurrenceFunction.h"

using namespace qcc::import;

static constexpr int kAny = -1;
static constexpr char kMicrosoft[] = "com.microsoft";
// Operands that may be absent although later ones are given.
static constexpr unsigned kZeroPoint2 = 1 << 2, kZeroPoint4 = 1 << 4;
static constexpr unsigned kZeroPoints25 = 1 << 2 | 1 << 5;
// B, sequence_lens, initial_h, initial_c, P, and the zero points.
static constexpr unsigned kRecurrentOptions = 0xf8 | 1 << 9 | 1 << 11;

// clang-format off
static const OpEntry kOps[] = {
    // Functions of one number.
    {"", "Abs", 1, convertUnary, 1, 1},
    {"", "Acos", 7, convertUnary, 1, 1},
    {"", "Acosh", 1, convertHyperbolic, 1, 1},
    {"", "Asin", 7, convertUnary, 1, 1},
    {"", "Asinh", 1, convertHyperbolic, 1, 1},
    {"", "Atan", 7, convertUnary, 1, 1},
    {"", "Atanh", 1, convertHyperbolic, 1, 1},
    {"", "BitwiseNot", 18, convertBitwiseNot, 1, 1},
    {"", "Ceil", 1, convertUnary, 1, 1},
    {"", "Celu", 1, convertParametricUnary, 1, 1},
    {"", "Clip", 1, convertClip, 1, 3},
    {"", "Cos", 1, convertUnary, 1, 1},
    {"", "Cosh", 1, convertHyperbolic, 1, 1},
    {"", "Elu", 1, convertParametricUnary, 1, 1},
    {"", "Erf", 1, convertUnary, 1, 1},
    {"", "Exp", 1, convertUnary, 1, 1},
    {"", "Floor", 1, convertUnary, 1, 1},
    {"", "Gelu", 20, convertGelu, 1, 1},
    {"", "HardSigmoid", 1, convertParametricUnary, 1, 1},
    {"", "HardSwish", 14, convertUnary, 1, 1},
    {"", "Identity", 1, convertIdentity, 1, 1},
    {"", "IsInf", 10, convertIsInf, 1, 1},
    {"", "IsNaN", 9, convertUnary, 1, 1},
    {"", "LeakyRelu", 1, convertParametricUnary, 1, 1},
    {"", "Log", 1, convertUnary, 1, 1},
    {"", "Mish", 18, convertUnary, 1, 1},
    {"", "Neg", 1, convertUnary, 1, 1},
    {"", "NonZero", 9, convertNonZero, 1, 1},
    {"", "Not", 1, convertUnary, 1, 1},
    {"", "Reciprocal", 1, convertUnary, 1, 1},
    {"", "Relu", 1, convertUnary, 1, 1},
    {"", "Round", 11, convertUnary, 1, 1},
    {"", "Selu", 1, convertParametricUnary, 1, 1},
    {"", "Shrink", 9, convertParametricUnary, 1, 1},
    {"", "Sigmoid", 1, convertUnary, 1, 1},
    {"", "Sign", 9, convertUnary, 1, 1},
    {"", "Sin", 7, convertUnary, 1, 1},
    {"", "Sinh", 9, convertHyperbolic, 1, 1},
    {"", "Softplus", 1, convertUnary, 1, 1},
    {"", "Softsign", 1, convertUnary, 1, 1},
    {"", "Sqrt", 1, convertUnary, 1, 1},
    {"", "Swish", 24, convertSwish, 1, 1},
    {"", "Tan", 7, convertUnary, 1, 1},
    {"", "Tanh", 1, convertUnary, 1, 1},
    {"", "ThresholdedRelu", 1, convertParametricUnary, 1, 1},

    // Functions of several numbers.
    {"", "Add", 1, convertBinary, 2, 2},
    {"", "And", 1, convertBinary, 2, 2},
    {"", "BitShift", 11, convertBitShift, 2, 2},
    {"", "BitwiseAnd", 18, convertBinary, 2, 2},
    {"", "BitwiseOr", 18, convertBinary, 2, 2},
    {"", "BitwiseXor", 18, convertBinary, 2, 2},
    {"", "Cast", 1, convertCast, 1, 1},
    {"", "CastLike", 15, convertCastLike, 2, 2},
    {"", "Div", 1, convertBinary, 2, 2},
    {"", "Dropout", 1, convertDropout, 1, 3},
    {"", "Equal", 1, convertBinary, 2, 2},
    {"", "Greater", 1, convertBinary, 2, 2},
    {"", "GreaterOrEqual", 12, convertBinary, 2, 2},
    {"", "Less", 1, convertBinary, 2, 2},
    {"", "LessOrEqual", 12, convertBinary, 2, 2},
    {"", "Max", 1, convertVariadic, 1, kAny},
    {"", "Mean", 1, convertVariadic, 1, kAny},
    {"", "Min", 1, convertVariadic, 1, kAny},
    {"", "Mod", 10, convertMod, 2, 2},
    {"", "Mul", 1, convertBinary, 2, 2},
    {"", "Or", 1, convertBinary, 2, 2},
    {"", "PRelu", 1, convertPRelu, 2, 2},
    {"", "Pow", 1, convertPow, 2, 2},
    {"", "Sub", 1, convertBinary, 2, 2},
    {"", "Sum", 1, convertVariadic, 1, kAny},
    {"", "Where", 9, convertWhere, 3, 3},
    {"", "Xor", 1, convertBinary, 2, 2},

    // Contractions, pooling, normalization.
    {"", "Attention", 23, convertAttention, 3, 7},
    {"", "AveragePool", 1, convertAveragePool, 1, 1},
    {"", "BatchNormalization", 1, convertBatchNormalization, 5, 5},
    {"", "Col2Im", 18, convertCol2Im, 3, 3},
    {"", "Conv", 1, convertConv, 2, 3},
    {"", "ConvInteger", 10, convertConvInteger, 2, 4},
    {"", "ConvTranspose", 1, convertConvTranspose, 2, 3},
    {"", "DeformConv", 19, convertDeformConv, 3, 5},
    {"", "Einsum", 12, convertEinsum, 1, kAny},
    {"", "Gemm", 1, convertGemm, 2, 3},
    {"", "GlobalAveragePool", 1, convertGlobalPool, 1, 1},
    {"", "GlobalLpPool", 1, convertGlobalPool, 1, 1},
    {"", "GlobalMaxPool", 1, convertGlobalPool, 1, 1},
    {"", "GroupNormalization", 18, convertGroupNormalization, 3, 3},
    {"", "InstanceNormalization", 1, convertInstanceNormalization, 3, 3},
    {"", "LRN", 1, convertLRN, 1, 1},
    // ONNX Runtime writes it in models of older opsets, too.
    {"", "LayerNormalization", 1, convertLayerNormalization, 2, 3},
    {"", "LpNormalization", 1, convertLpNormalization, 1, 1},
    {"", "LpPool", 2, convertLpPool, 1, 1},
    {"", "MatMul", 1, convertMatMul, 2, 2},
    {"", "MatMulInteger", 10, convertMatMulInteger, 2, 4},
    {"", "MaxPool", 1, convertMaxPool, 1, 1},
    {"", "MaxUnpool", 9, convertMaxUnpool, 2, 3},
    {"", "MeanVarianceNormalization", 9, convertMeanVarianceNormalization, 1, 1},
    {"", "RMSNormalization", 23, convertRMSNormalization, 2, 2},
    {"", "RotaryEmbedding", 23, convertRotaryEmbedding, 3, 4},
    {"", "SimplifiedLayerNormalization", 1, convertRMSNormalization, 2, 2},

    // Reductions.
    {"", "ArgMax", 1, convertArgReduce, 1, 1},
    {"", "ArgMin", 1, convertArgReduce, 1, 1},
    {"", "CumProd", 26, convertCumulative, 2, 2},
    {"", "CumSum", 11, convertCumulative, 2, 2},
    {"", "Hardmax", 1, convertHardmax, 1, 1},
    {"", "LogSoftmax", 1, convertSoftmax, 1, 1},
    {"", "ReduceL1", 1, convertReduce, 1, 1},
    {"", "ReduceL1", 18, convertReduce, 1, 2},
    {"", "ReduceL2", 1, convertReduce, 1, 1},
    {"", "ReduceL2", 18, convertReduce, 1, 2},
    {"", "ReduceLogSum", 1, convertReduce, 1, 1},
    {"", "ReduceLogSum", 18, convertReduce, 1, 2},
    {"", "ReduceLogSumExp", 1, convertReduce, 1, 1},
    {"", "ReduceLogSumExp", 18, convertReduce, 1, 2},
    {"", "ReduceMax", 1, convertReduce, 1, 1},
    {"", "ReduceMax", 18, convertReduce, 1, 2},
    {"", "ReduceMean", 1, convertReduce, 1, 1},
    {"", "ReduceMean", 18, convertReduce, 1, 2},
    {"", "ReduceMin", 1, convertReduce, 1, 1},
    {"", "ReduceMin", 18, convertReduce, 1, 2},
    {"", "ReduceProd", 1, convertReduce, 1, 1},
    {"", "ReduceProd", 18, convertReduce, 1, 2},
    {"", "ReduceSum", 1, convertReduce, 1, 1},
    {"", "ReduceSum", 13, convertReduce, 1, 2},
    {"", "ReduceSumSquare", 1, convertReduce, 1, 1},
    {"", "ReduceSumSquare", 18, convertReduce, 1, 2},
    {"", "Softmax", 1, convertSoftmax, 1, 1},

    // Recurrent layers.
    {"", "GRU", 1, convertGRU, 3, 6},
    {"", "LSTM", 1, convertLSTM, 3, 8},
    {"", "RNN", 1, convertRNN, 3, 6},

    // Shapes and data movement.
    {"", "AffineGrid", 20, convertAffineGrid, 2, 2},
    {"", "CenterCropPad", 18, convertCenterCropPad, 2, 2},
    {"", "Concat", 4, convertConcat, 1, kAny},
    {"", "Constant", 1, convertConstant, 0, 0},
    {"", "ConstantOfShape", 9, convertConstantOfShape, 1, 1},
    {"", "DepthToSpace", 1, convertDepthToSpace, 1, 1},
    {"", "Expand", 8, convertExpand, 2, 2},
    {"", "EyeLike", 9, convertEyeLike, 1, 1},
    {"", "Flatten", 1, convertFlatten, 1, 1},
    {"", "Gather", 1, convertGather, 2, 2},
    {"", "GatherElements", 11, convertGatherElements, 2, 2},
    {"", "GatherND", 11, convertGatherND, 2, 2},
    {"", "GridSample", 16, convertGridSample, 2, 2},
    {"", "OneHot", 9, convertOneHot, 3, 3},
    {"", "Pad", 2, convertPad, 1, 1},
    {"", "Pad", 11, convertPad, 2, 4},
    {"", "Range", 11, convertRange, 3, 3},
    {"", "Reshape", 5, convertReshape, 2, 2},
    {"", "Resize", 10, convertResize, 2, 2},
    {"", "Resize", 11, convertResize, 1, 4},
    {"", "ReverseSequence", 10, convertReverseSequence, 2, 2},
    {"", "RoiAlign", 10, convertRoiAlign, 3, 3},
    {"", "Scatter", 9, convertScatterElements, 3, 3},
    {"", "ScatterElements", 11, convertScatterElements, 3, 3},
    {"", "ScatterND", 11, convertScatterND, 3, 3},
    {"", "Shape", 1, convertShape, 1, 1},
    {"", "Size", 1, convertSize, 1, 1},
    {"", "Slice", 1, convertSlice, 1, 1},
    {"", "Slice", 10, convertSlice, 3, 5},
    {"", "SpaceToDepth", 1, convertSpaceToDepth, 1, 1},
    {"", "Split", 2, convertSplit, 1, 1},
    {"", "Split", 13, convertSplit, 1, 2},
    {"", "Squeeze", 1, convertSqueeze, 1, 1},
    {"", "Squeeze", 13, convertSqueeze, 1, 2},
    {"", "Tile", 6, convertTile, 2, 2},
    {"", "TopK", 1, convertTopK, 1, 1},
    {"", "TopK", 10, convertTopK, 2, 2},
    {"", "Transpose", 1, convertTranspose, 1, 1},
    {"", "Trilu", 14, convertTrilu, 1, 2},
    {"", "Unsqueeze", 1, convertUnsqueeze, 1, 1},
    {"", "Unsqueeze", 13, convertUnsqueeze, 2, 2},
    {"", "Upsample", 7, convertUpsample, 1, 1},
    {"", "Upsample", 9, convertUpsample, 2, 2},

    // Signals.
    {"", "BlackmanWindow", 17, convertWindow, 1, 1},
    {"", "DFT", 17, convertDFT, 1, 2},
    {"", "DFT", 20, convertDFT, 1, 3},
    {"", "HammingWindow", 17, convertWindow, 1, 1},
    {"", "HannWindow", 17, convertWindow, 1, 1},
    {"", "MelWeightMatrix", 17, convertMelWeightMatrix, 5, 5},
    {"", "STFT", 17, convertSTFT, 2, 4},

    // Quantization.
    {"", "DequantizeLinear", 10, convertDequantizeLinear, 2, 3},
    {"", "DynamicQuantizeLinear", 11, convertDynamicQuantizeLinear, 1, 1},
    {"", "QLinearConv", 10, convertQLinearConv, 8, 9},
    {"", "QLinearMatMul", 10, convertQLinearMatMul, 8, 8},
    {"", "QuantizeLinear", 10, convertQuantizeLinear, 2, 3},

    // ONNX Runtime's own operators, in the version that every release has.
    {kMicrosoft, "Attention", 1, convertMicrosoftAttention, 2, 7, 1 << 2},
    {kMicrosoft, "BiasGelu", 1, convertContribGelu, 2, 2},
    {kMicrosoft, "DequantizeLinear", 1, convertDequantizeLinear, 2, 3},
    {kMicrosoft, "DynamicQuantizeLSTM", 1, convertDynamicQuantizeLSTM, 12, 12, kRecurrentOptions},
    {kMicrosoft, "DynamicQuantizeMatMul", 1, convertDynamicQuantizeMatMul, 3, 5},
    {kMicrosoft, "EmbedLayerNormalization", 1, convertEmbedLayerNormalization, 7, 9, 1 << 1 | 1 << 4},
    {kMicrosoft, "FastGelu", 1, convertContribGelu, 1, 2},
    {kMicrosoft, "FusedConv", 1, convertFusedConv, 2, 4},
    {kMicrosoft, "FusedGemm", 1, convertFusedGemm, 2, 3},
    {kMicrosoft, "FusedMatMul", 1, convertFusedMatMul, 2, 2},
    {kMicrosoft, "Gelu", 1, convertContribGelu, 1, 1},
    {kMicrosoft, "GroupQueryAttention", 1, convertGroupQueryAttention, 7, 11, 0x1e},
    {kMicrosoft, "MatMulIntegerToFloat", 1, convertMatMulIntegerToFloat, 4, 7},
    {kMicrosoft, "MatMulNBits", 1, convertMatMulNBits, 3, 6},
    {kMicrosoft, "MultiHeadAttention", 1, convertMultiHeadAttention, 1, 8},
    {kMicrosoft, "NhwcMaxPool", 1, convertNhwcMaxPool, 1, 1},
    {kMicrosoft, "QAttention", 1, convertQAttention, 5, 9},
    {kMicrosoft, "QGemm", 1, convertQGemm, 6, 9, kZeroPoints25},
    {kMicrosoft, "QLinearAdd", 1, convertQLinearBinary, 7, 8, kZeroPoints25},
    {kMicrosoft, "QLinearAveragePool", 1, convertQLinearAveragePool, 4, 5, kZeroPoint2},
    {kMicrosoft, "QLinearConcat", 1, convertQLinearConcat, 5, kAny, kZeroPoint4},
    {kMicrosoft, "QLinearConv", 1, convertQLinearConv, 8, 9},
    {kMicrosoft, "QLinearGlobalAveragePool", 1, convertQLinearGlobalAveragePool, 5, 5, kZeroPoint2},
    {kMicrosoft, "QLinearLeakyRelu", 1, convertQLinearUnary, 4, 5, kZeroPoint2},
    {kMicrosoft, "QLinearMul", 1, convertQLinearBinary, 7, 8, kZeroPoints25},
    {kMicrosoft, "QLinearSigmoid", 1, convertQLinearUnary, 4, 5, kZeroPoint2},
    {kMicrosoft, "QLinearSoftmax", 1, convertQLinearSoftmax, 5, 5, kZeroPoint2},
    {kMicrosoft, "QLinearWhere", 1, convertQLinearWhere, 9, 9},
    {kMicrosoft, "QuantizeLinear", 1, convertQuantizeLinear, 2, 3},
    {kMicrosoft, "QuickGelu", 1, convertContribGelu, 1, 1},
    {kMicrosoft, "RotaryEmbedding", 1, convertRotaryEmbedding, 4, 4},
    {kMicrosoft, "SkipLayerNormalization", 1, convertSkipLayerNormalization, 3, 5},
    {kMicrosoft, "SkipSimplifiedLayerNormalization", 1, convertSkipLayerNormalization, 3, 4},

    // Functions of qcc's own files, see RecurrenceFunction.h.
    {qcc::qnn::kFunctionDomain, "QuantizedGRU", 1, convertQuantizedGRU, 3, 7},
    {qcc::qnn::kFunctionDomain, "QuantizedLSTM", 1, convertQuantizedLSTM, 3, 8},
    {qcc::qnn::kFunctionDomain, "QuantizedRNN", 1, convertQuantizedRNN, 3, 6},
};
// clang-format on

const OpEntry *qcc::import::lookupOp(llvm::StringRef domain,
                                     llvm::StringRef opType, int64_t opset) {
  const OpEntry *best = nullptr;
  for (const OpEntry &entry : kOps)
    if (opType == entry.opType && domain == entry.domain &&
        entry.since <= opset && (!best || entry.since > best->since))
      best = &entry;
  return best;
}
