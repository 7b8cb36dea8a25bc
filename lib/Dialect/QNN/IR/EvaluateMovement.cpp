//===- EvaluateMovement.cpp - Values of ops that move elements ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EvaluateDetail.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"
#include "qcc/Support/QuantMath.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

using Bytes = std::vector<char>;

size_t qcc::qnn::detail::elementWidth(Type elementType) {
  DType dtype = getDType(elementType);
  return dtype == DType::U4 || dtype == DType::I4 ? 1 : byteSize(dtype);
}

Shape qcc::qnn::detail::denseStrides(ArrayRef<int64_t> shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

Shape qcc::qnn::detail::broadcastStrides(ArrayRef<int64_t> shape,
                                         ArrayRef<int64_t> to) {
  Shape dense = denseStrides(shape), strides(to.size(), 0);
  size_t lead = to.size() - shape.size();
  for (size_t d = 0; d < shape.size(); ++d)
    strides[lead + d] = shape[d] == 1 ? 0 : dense[d];
  return strides;
}

/// result[i...] = input[offset + sum of i * strides].
static Bytes stridedRead(const Constant &input, int64_t offset,
                         const Shape &strides, ArrayRef<int64_t> shape) {
  size_t width = elementWidth(input.type.getElementType());
  const char *from = input.data.bytes().data() + offset * int64_t(width);
  Bytes result(width * size_t(ShapedType::getNumElements(shape)));
  char *to = result.data();
  auto copy = [&](auto word) {
    using Word = decltype(word);
    auto *out = reinterpret_cast<Word *>(to);
    auto *in = reinterpret_cast<const Word *>(from);
    forEachIndex<1>(shape, {strides},
                    [&](std::array<int64_t, 1> at) { *out++ = in[at[0]]; });
  };
  switch (width) {
  case 1:
    copy(uint8_t());
    break;
  case 2:
    copy(uint16_t());
    break;
  case 4:
    copy(uint32_t());
    break;
  default:
    copy(uint64_t());
    break;
  }
  return result;
}

static Bytes transpose(TransposeOp op, const Constant &input) {
  Shape dense = denseStrides(input.shape()), strides;
  for (int64_t d : op.getPermutation())
    strides.push_back(dense[d]);
  return stridedRead(input, 0, strides, shapeOf(op.getResult()));
}

static Bytes slice(SliceOp op, const Constant &input) {
  Shape strides = denseStrides(input.shape());
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    offset += op.getStarts()[d] * strides[d];
    strides[d] *= op.getSteps()[d];
  }
  return stridedRead(input, offset, strides, op.getSizes());
}

static Bytes expand(ExpandOp op, const Constant &input) {
  return stridedRead(input, 0, broadcastStrides(input.shape(), op.getShape()),
                     op.getShape());
}

static Bytes concat(ConcatOp op, ArrayRef<Constant> inputs) {
  Bytes result;
  int64_t outer = 1;
  for (int64_t extent : inputs[0].shape().take_front(op.getAxis()))
    outer *= extent;
  for (int64_t i = 0; i < outer; ++i)
    for (const Constant &input : inputs) {
      ArrayRef<char> bytes = input.data.bytes();
      size_t chunk = bytes.size() / size_t(outer);
      result.insert(result.end(), bytes.begin() + i * chunk,
                    bytes.begin() + (i + 1) * chunk);
    }
  return result;
}

static SmallVector<int64_t> readIndices(const Constant &indices) {
  if (indices.type.getElementType().isInteger(64))
    return llvm::to_vector(indices.data.as<int64_t>());
  return llvm::to_vector_of<int64_t>(indices.data.as<int32_t>());
}

static std::optional<Bytes> gather(GatherOp op, const Constant &input,
                                   const Constant &indexTensor) {
  SmallVector<int64_t> indices = readIndices(indexTensor);
  int64_t axis = op.getAxis(), extent = input.shape()[axis], outer = 1;
  for (int64_t d : input.shape().take_front(axis))
    outer *= d;
  Bytes result;
  if (outer * extent == 0)
    return result;
  ArrayRef<char> bytes = input.data.bytes();
  size_t chunk = bytes.size() / size_t(outer * extent);
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : indices) {
      index = std::clamp<int64_t>(index < 0 ? index + extent : index, 0,
                                  extent - 1);
      const char *from = bytes.data() + (i * extent + index) * chunk;
      result.insert(result.end(), from, from + chunk);
    }
  return result;
}

/// Turns an index counted from the end; false where it is beyond the bounds.
static bool resolveIndex(int64_t &index, int64_t extent) {
  if (index < 0)
    index += extent;
  return index >= 0 && index < extent;
}

static std::optional<Bytes> scatter(ScatterElementsOp op,
                                    ArrayRef<Constant> operands) {
  if (op.getReduction() != ScatterReduction::None)
    return std::nullopt;
  ArrayRef<int64_t> shape = operands[0].shape();
  int64_t axis = op.getAxis();
  size_t width = elementWidth(operands[0].type.getElementType());
  Bytes result(operands[0].data.bytes().begin(),
               operands[0].data.bytes().end());
  const char *from = operands[2].data.bytes().data();
  SmallVector<int64_t> indices = readIndices(operands[1]);
  int64_t *index = indices.data();
  Shape strides = denseStrides(shape);
  int64_t stride = std::exchange(strides[axis], 0);
  forEachIndex<1>(
      operands[1].shape(), {strides}, [&](std::array<int64_t, 1> at) {
        if (resolveIndex(*index, shape[axis]))
          std::memcpy(result.data() + (at[0] + *index * stride) * width, from,
                      width);
        from += width;
        ++index;
      });
  return result;
}

static std::optional<Bytes> scatter(ScatterNDOp op,
                                    ArrayRef<Constant> operands) {
  if (op.getReduction() != ScatterReduction::None)
    return std::nullopt;
  ArrayRef<int64_t> shape = operands[0].shape();
  SmallVector<int64_t> indices = readIndices(operands[1]);
  size_t depth = size_t(operands[1].shape().back());
  Shape strides = denseStrides(shape);
  size_t chunk = elementWidth(operands[0].type.getElementType()) *
                 size_t(strides[depth - 1]);
  Bytes result(operands[0].data.bytes().begin(),
               operands[0].data.bytes().end());
  const char *from = operands[2].data.bytes().data();
  for (size_t i = 0; i < indices.size(); i += depth, from += chunk) {
    bool inside = true;
    int64_t place = 0;
    for (size_t d = 0; d < depth; ++d) {
      inside &= resolveIndex(indices[i + d], shape[d]);
      place += indices[i + d] * (strides[d] / strides[depth - 1]);
    }
    if (inside)
      std::memcpy(result.data() + size_t(place) * chunk, from, chunk);
  }
  return result;
}

/// The storage of the real value `value`, where it is representable.
static std::optional<Bytes> encodePadding(Type type, double value) {
  Bytes bytes(elementWidth(type));
  if (auto quantized = dyn_cast<quant::UniformQuantizedType>(type)) {
    int64_t q = quantize(float(value),
                         {float(quantized.getScale()), quantized.getZeroPoint(),
                          quantized.getStorageTypeMin(),
                          quantized.getStorageTypeMax()});
    std::memcpy(bytes.data(), &q, bytes.size());
    return bytes;
  }
  if (auto real = dyn_cast<FloatType>(type)) {
    APFloat number(value);
    bool loses;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &loses);
    uint64_t bits = number.bitcastToAPInt().getZExtValue();
    std::memcpy(bytes.data(), &bits, bytes.size());
    return bytes;
  }
  if (!isa<IntegerType>(type) || value != std::trunc(value) ||
      std::abs(value) > 1e15)
    return std::nullopt;
  int64_t integer = int64_t(value);
  std::memcpy(bytes.data(), &integer, bytes.size());
  return bytes;
}

static std::optional<Bytes> pad(PadOp op, const Constant &input) {
  if (op.getMode() != PadMode::Constant)
    return std::nullopt;
  auto padding = encodePadding(input.type.getElementType(),
                               op.getValue().convertToDouble());
  if (!padding)
    return std::nullopt;
  size_t width = padding->size();
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  Bytes result(width * size_t(ShapedType::getNumElements(shape)));
  for (size_t i = 0; i < result.size(); i += width)
    std::memcpy(result.data() + i, padding->data(), width);

  // The part of the input that is kept, at its place in the result.
  Shape in = denseStrides(input.shape()), out = denseStrides(shape), kept;
  int64_t from = 0, to = 0;
  size_t rank = shape.size();
  for (size_t d = 0; d < rank; ++d) {
    int64_t begin = op.getPads()[d], end = op.getPads()[d + rank];
    kept.push_back(input.shape()[d] + std::min<int64_t>(begin, 0) +
                   std::min<int64_t>(end, 0));
    from += std::max<int64_t>(-begin, 0) * in[d];
    to += std::max<int64_t>(begin, 0) * out[d];
  }
  const char *source = input.data.bytes().data();
  forEachIndex<2>(kept, {in, out}, [&](std::array<int64_t, 2> at) {
    std::memcpy(result.data() + (to + at[1]) * width,
                source + (from + at[0]) * width, width);
  });
  return result;
}

static Bytes select(SelectOp op, ArrayRef<Constant> operands) {
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  size_t width = elementWidth(operands[1].type.getElementType());
  Bytes result;
  result.reserve(width * size_t(ShapedType::getNumElements(shape)));
  std::array<Shape, 3> strides;
  for (size_t k = 0; k < 3; ++k)
    strides[k] = broadcastStrides(operands[k].shape(), shape);
  forEachIndex<3>(shape, strides, [&](std::array<int64_t, 3> at) {
    int choice = operands[0].data.bytes()[at[0]] ? 1 : 2;
    const char *from =
        operands[choice].data.bytes().data() + at[choice] * width;
    result.insert(result.end(), from, from + width);
  });
  return result;
}

std::optional<Bytes>
qcc::qnn::detail::evaluateMovement(Operation *op, ArrayRef<Constant> operands) {
  using Result = std::optional<Bytes>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](TransposeOp o) -> Result { return transpose(o, operands[0]); })
      .Case([&](SliceOp o) -> Result { return slice(o, operands[0]); })
      .Case([&](ExpandOp o) -> Result { return expand(o, operands[0]); })
      .Case([&](ConcatOp o) -> Result { return concat(o, operands); })
      .Case([&](GatherOp o) { return gather(o, operands[0], operands[1]); })
      .Case<ScatterElementsOp, ScatterNDOp>(
          [&](auto o) { return scatter(o, operands); })
      .Case([&](PadOp o) { return pad(o, operands[0]); })
      .Case([&](SelectOp o) -> Result { return select(o, operands); })
      .Default([](Operation *) { return std::nullopt; });
}
