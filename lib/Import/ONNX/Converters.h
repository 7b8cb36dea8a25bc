//===- Converters.h - Converters of ONNX operators -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every function converts one operator, in all versions since that under which
// OpTable.cpp lists it. The table guarantees the number of operands, and that
// the required ones are there.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_CONVERTERS_H
#define QCC_LIB_IMPORT_ONNX_CONVERTERS_H

#include "Node.h"

namespace qcc::import {

// ConvertMath.cpp
void convertUnary(Node &node);
void convertHyperbolic(Node &node);
void convertParametricUnary(Node &node);
void convertIsInf(Node &node);
void convertClip(Node &node);
void convertBinary(Node &node);
void convertBitwiseNot(Node &node);
void convertBitShift(Node &node);
void convertMod(Node &node);
void convertPow(Node &node);
void convertPRelu(Node &node);
void convertVariadic(Node &node);
void convertWhere(Node &node);
void convertCast(Node &node);
void convertCastLike(Node &node);
void convertGelu(Node &node);
void convertSwish(Node &node);
void convertIdentity(Node &node);
void convertDropout(Node &node);

// ConvertNN.cpp
void convertConv(Node &node);
void convertConvTranspose(Node &node);
void convertConvInteger(Node &node);
void convertMatMul(Node &node);
void convertGemm(Node &node);
void convertMatMulInteger(Node &node);
void convertMatMulNBits(Node &node);

// ConvertPool.cpp
void convertMaxPool(Node &node);
void convertMaxUnpool(Node &node);
void convertAveragePool(Node &node);
void convertLpPool(Node &node);
void convertGlobalPool(Node &node);

// ConvertAttention.cpp
void convertAttention(Node &node);
void convertMultiHeadAttention(Node &node);
void convertRotaryEmbedding(Node &node);

// ConvertContribAttention.cpp: com.microsoft
void convertMicrosoftAttention(Node &node);
void convertQAttention(Node &node);
void convertGroupQueryAttention(Node &node);

// ConvertEinsum.cpp
void convertEinsum(Node &node);

// ConvertNormalization.cpp
void convertSkipLayerNormalization(Node &node);
void convertEmbedLayerNormalization(Node &node);
void convertBatchNormalization(Node &node);
void convertInstanceNormalization(Node &node);
void convertLayerNormalization(Node &node);
void convertGroupNormalization(Node &node);
void convertRMSNormalization(Node &node);
void convertLpNormalization(Node &node);
void convertMeanVarianceNormalization(Node &node);
void convertLRN(Node &node);

// ConvertReduction.cpp
void convertReduce(Node &node);
void convertCumulative(Node &node);
void convertArgReduce(Node &node);
void convertTopK(Node &node);
void convertSoftmax(Node &node);
void convertHardmax(Node &node);

// ConvertShape.cpp
void convertReshape(Node &node);
void convertFlatten(Node &node);
void convertTranspose(Node &node);
void convertSqueeze(Node &node);
void convertUnsqueeze(Node &node);
void convertConcat(Node &node);
void convertSplit(Node &node);
void convertSlice(Node &node);
void convertCenterCropPad(Node &node);
void convertPad(Node &node);
void convertExpand(Node &node);
void convertTile(Node &node);
void convertDepthToSpace(Node &node);
void convertSpaceToDepth(Node &node);

// ConvertIndexing.cpp
void convertGather(Node &node);
void convertGatherElements(Node &node);
void convertGatherND(Node &node);
void convertReverseSequence(Node &node);
void convertOneHot(Node &node);
void convertTrilu(Node &node);
void convertShape(Node &node);
void convertSize(Node &node);
void convertConstant(Node &node);
void convertConstantOfShape(Node &node);
void convertRange(Node &node);
void convertNonZero(Node &node);
void convertEyeLike(Node &node);

// ConvertRecurrent.cpp
void convertLSTM(Node &node);
void convertGRU(Node &node);
void convertRNN(Node &node);
void convertDynamicQuantizeLSTM(Node &node);
void convertQuantizedLSTM(Node &node);
void convertQuantizedGRU(Node &node);
void convertQuantizedRNN(Node &node);

// ConvertResize.cpp
void convertResize(Node &node);
void convertUpsample(Node &node);

// ConvertScatter.cpp
void convertScatterElements(Node &node);
void convertScatterND(Node &node);

// ConvertQuant.cpp
void convertQuantizeLinear(Node &node);
void convertDequantizeLinear(Node &node);
void convertDynamicQuantizeLinear(Node &node);
void convertQLinearConv(Node &node);
void convertQLinearMatMul(Node &node);

// ConvertContrib.cpp: com.microsoft
void convertQLinearBinary(Node &node);
void convertQLinearUnary(Node &node);
void convertQLinearConcat(Node &node);
void convertQLinearGlobalAveragePool(Node &node);
void convertQLinearAveragePool(Node &node);
void convertQLinearSoftmax(Node &node);
void convertQLinearWhere(Node &node);
void convertNhwcMaxPool(Node &node);
void convertQGemm(Node &node);
void convertMatMulIntegerToFloat(Node &node);
void convertDynamicQuantizeMatMul(Node &node);
void convertFusedConv(Node &node);
void convertFusedGemm(Node &node);
void convertFusedMatMul(Node &node);
void convertContribGelu(Node &node);

// ConvertSampling.cpp
void convertAffineGrid(Node &node);
void convertCol2Im(Node &node);
void convertDeformConv(Node &node);
void convertGridSample(Node &node);
void convertRoiAlign(Node &node);

// ConvertSignal.cpp
void convertDFT(Node &node);
void convertMelWeightMatrix(Node &node);
void convertSTFT(Node &node);
void convertWindow(Node &node);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_CONVERTERS_H
