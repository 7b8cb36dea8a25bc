//===- LowerConvInteger.cpp - Integer convolutions as other products ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qnn-lower-conv-integer.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/PatternMatch.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_LOWERCONVINTEGER
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Without groups, so many channels are worth a product of integers with their
/// windows gathered in memory: shorter runs of bytes cost more to gather than
/// they save.
static constexpr int64_t kFewestGathered = 16;
/// Depthwise convolutions have a kernel of their own at every level if their
/// channels are whole parts of this size, or so many that any vector is filled.
static constexpr int64_t kDepthwisePart = 16, kWidestVector = 64;
/// Floats hold every integer up to this one.
static constexpr int64_t kExactFloat = int64_t(1) << 24;

namespace {
/// An integer convolution of channels-last images with constant filters.
struct IntegerConv {
  ConvIntegerOp op;
  IRRewriter &rewriter;
  SmallVector<int64_t> filter;     ///< [OC, IC / group, kernel...]
  SmallVector<int64_t> zeroPoints; ///< of it: one, or one per OC
  SmallVector<int64_t> real;       ///< the filter less those

  static std::optional<IntegerConv> get(ConvIntegerOp op, IRRewriter &rewriter);
  ArrayRef<int64_t> filterShape() { return shapeOf(op.getFilter()); }
  ArrayRef<int64_t> kernel() { return filterShape().drop_front(2); }
  int64_t depth() {
    return int64_t(filter.size()) / std::max<int64_t>(filterShape()[0], 1);
  }
  ArrayRef<int64_t> realOf(int64_t column) {
    return ArrayRef<int64_t>(real).slice(size_t(column * depth()),
                                         size_t(depth()));
  }
  /// Whether the weights are signed bytes without zero points.
  bool fitsInt8() {
    return llvm::all_of(real, [](int64_t w) { return llvm::isInt<8>(w); });
  }

  Value padded();

  bool hasDepthwiseKernel();
  bool isMatrixProduct();
  Value gathered();
  void toMatrixProduct();

  bool isExactInFloat();
  Value toFloat(Value integers);
  Value quantizedFilter();
  void toConv();
};

struct LowerConvInteger
    : qcc::qnn::impl::LowerConvIntegerBase<LowerConvInteger> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<ConvIntegerOp> ops;
    getOperation()->walk([&](ConvIntegerOp op) { ops.push_back(op); });
    for (ConvIntegerOp op : ops) {
      std::optional<IntegerConv> conv = IntegerConv::get(op, rewriter);
      if (!conv || conv->hasDepthwiseKernel())
        continue;
      rewriter.setInsertionPoint(op);
      if (conv->isMatrixProduct())
        conv->toMatrixProduct();
      else if (conv->isExactInFloat())
        conv->toConv();
    }
  }
};
} // namespace

std::optional<IntegerConv> IntegerConv::get(ConvIntegerOp op,
                                            IRRewriter &rewriter) {
  auto filter = getConstantInts(op.getFilter());
  if (op.getLayout() != Layout::ChannelsLast || !filter || filter->empty())
    return std::nullopt;
  IntegerConv conv{op, rewriter, std::move(*filter), {0}, {}};
  if (Value tensor = op.getFilterZeroPoint()) {
    auto values = getConstantInts(tensor);
    if (!values || values->empty())
      return std::nullopt;
    conv.zeroPoints = std::move(*values);
  }
  for (auto [i, weight] : llvm::enumerate(conv.filter)) {
    size_t channel = conv.zeroPoints.size() == 1 ? 0 : i / size_t(conv.depth());
    conv.real.push_back(weight - conv.zeroPoints[channel]);
  }
  return conv;
}

bool IntegerConv::hasDepthwiseKernel() {
  const int64_t channels = shapeOf(op.getInput()).back();
  return int64_t(op.getGroup()) == channels && filterShape()[0] == channels &&
         fitsInt8() &&
         (channels % kDepthwisePart == 0 || channels >= kWidestVector);
}

/// The image with its padding, which stands for the zero point.
Value IntegerConv::padded() {
  Value image = op.getInput();
  int64_t rank = op.getSpatialRank();
  for (int64_t d = 0; d < rank; ++d) {
    SmallVector<int64_t> shape(shapeOf(image));
    const int64_t extent = shape[d + 1];
    auto border = [&](int64_t width) -> Value {
      shape[d + 1] = width;
      RankedTensorType type = tensorTypeOf(image).clone(shape);
      if (Value zeroPoint = op.getInputZeroPoint())
        return ExpandOp::create(rewriter, op.getLoc(), type, zeroPoint, shape);
      return createConstant(
          rewriter, op.getLoc(), type,
          std::vector<char>(static_cast<size_t>(type.getNumElements())));
    };
    const int64_t begin = op.getPads()[d], end = op.getPads()[d + rank];
    SmallVector<Value> parts;
    if (begin)
      parts.push_back(border(begin));
    parts.push_back(image);
    if (end)
      parts.push_back(border(end));
    if (parts.size() == 1)
      continue;
    shape[d + 1] = begin + extent + end;
    image = ConcatOp::create(rewriter, op.getLoc(),
                             tensorTypeOf(image).clone(shape), parts, d + 1);
  }
  return image;
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

bool IntegerConv::isMatrixProduct() {
  if (op.getGroup() != 1 || filterShape()[1] < kFewestGathered)
    return false;
  // One zero point is taken off the sums, several only off the weights.
  return fitsInt8() || llvm::all_equal(zeroPoints);
}

/// The windows: [N, out..., kernel... * IC].
Value IntegerConv::gathered() {
  Value image = padded();
  int64_t rank = op.getSpatialRank();
  SmallVector<int64_t> sizes(shapeOf(op.getResult())), steps(rank + 2, 1);
  sizes.back() = shapeOf(image).back();
  llvm::copy(op.getStrides(), steps.begin() + 1);
  RankedTensorType type = tensorTypeOf(image);
  const int64_t taps = llvm::product_of(kernel());
  SmallVector<Value> parts;
  for (int64_t tap = 0; tap < taps; ++tap) {
    SmallVector<int64_t> starts(rank + 2, 0);
    for (int64_t d = rank - 1, rest = tap; d >= 0; rest /= kernel()[d--])
      starts[d + 1] = rest % kernel()[d] * op.getDilations()[d];
    parts.push_back(SliceOp::create(rewriter, op.getLoc(), type.clone(sizes),
                                    image, starts, sizes, steps));
  }
  if (parts.size() == 1)
    return sizes == shapeOf(image) && llvm::all_equal(steps) ? image : parts[0];
  sizes.back() *= taps;
  return ConcatOp::create(rewriter, op.getLoc(), type.clone(sizes), parts,
                          rank + 1);
}

void IntegerConv::toMatrixProduct() {
  const int64_t columns = filterShape()[0], channels = filterShape()[1];
  const int64_t taps = depth() / channels;
  const bool isReal = fitsInt8();
  ArrayRef<int64_t> weights = isReal ? real : filter;
  std::vector<char> matrix(weights.size());
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t tap = 0; tap < taps; ++tap)
        matrix[(tap * channels + channel) * columns + column] =
            static_cast<char>(
                weights[(column * channels + channel) * taps + tap]);
  RankedTensorType type =
      tensorTypeOf(op.getFilter()).clone({taps * channels, columns});
  Value filterZero;
  if (isReal)
    type = type.clone(getElementType(op.getContext(), DType::I8));
  else if ((filterZero = op.getFilterZeroPoint()) &&
           tensorTypeOf(filterZero).getNumElements() > 1)
    filterZero =
        createConstant(rewriter, op.getLoc(),
                       tensorTypeOf(filterZero).clone(ArrayRef<int64_t>()),
                       {static_cast<char>(zeroPoints.front())});
  Value rhs = createConstant(rewriter, op.getLoc(), type, matrix, "filter");
  rewriter.replaceOpWithNewOp<MatmulIntegerOp>(
      op, op.getResult().getType(), gathered(), rhs, op.getInputZeroPoint(),
      filterZero);
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

bool IntegerConv::isExactInFloat() {
  for (int64_t column = 0; column < filterShape()[0]; ++column) {
    int64_t sum = 0;
    for (int64_t weight : realOf(column))
      sum += std::abs(weight);
    if (sum * 255 > kExactFloat)
      return false;
  }
  return true;
}

Value IntegerConv::toFloat(Value integers) {
  return CastOp::create(rewriter, op.getLoc(),
                        tensorTypeOf(integers).clone(rewriter.getF32Type()),
                        integers);
}

/// Of scale 1.
static quant::UniformQuantizedType typeOf(Builder &b, bool isSigned,
                                          int64_t zeroPoint) {
  return quant::UniformQuantizedType::get(
      isSigned ? quant::QuantizationFlags::Signed : 0, b.getIntegerType(8),
      b.getF32Type(), /*scale=*/1.0, zeroPoint, isSigned ? -128 : 0,
      isSigned ? 127 : 255);
}

Value IntegerConv::quantizedFilter() {
  const bool isReal = fitsInt8();
  ArrayRef<int64_t> weights = isReal ? real : filter;
  std::vector<char> bytes(weights.begin(), weights.end());
  const bool isSigned =
      isReal ||
      !tensorTypeOf(op.getFilter()).getElementType().isUnsignedInteger();
  Type type = typeOf(rewriter, isSigned, isReal ? 0 : zeroPoints.front());
  if (!isReal && zeroPoints.size() > 1)
    type = quant::UniformQuantizedPerAxisType::get(
        isSigned ? quant::QuantizationFlags::Signed : 0,
        rewriter.getIntegerType(8), rewriter.getF32Type(),
        SmallVector<double>(zeroPoints.size(), 1.0), zeroPoints,
        /*quantizedDimension=*/0, isSigned ? -128 : 0, isSigned ? 127 : 255);
  return createConstant(rewriter, op.getLoc(),
                        tensorTypeOf(op.getFilter()).clone(type), bytes,
                        "filter");
}

/// A convolution of the bytes as they are, less what the zero point of the
/// input adds to it.
void IntegerConv::toConv() {
  Location loc = op.getLoc();
  Value image = padded();
  RankedTensorType type = tensorTypeOf(image);
  const bool isSigned = !type.getElementType().isUnsignedInteger();
  image = StorageCastOp::create(
      rewriter, loc, type.clone(Type(typeOf(rewriter, isSigned, 0))), image);
  RankedTensorType realType =
      tensorTypeOf(op.getResult()).clone(rewriter.getF32Type());
  const SmallVector<int64_t> pads(op.getPads().size(), 0);
  Value sums = ConvOp::create(rewriter, loc, realType, image, quantizedFilter(),
                              /*bias=*/Value(), /*residual=*/Value(),
                              op.getStrides(), op.getDilations(), pads,
                              op.getGroup(), op.getLayout(), ActivationAttr());
  if (Value zeroPoint = op.getInputZeroPoint()) {
    std::vector<float> totals;
    for (int64_t column = 0; column < filterShape()[0]; ++column)
      totals.push_back(float(llvm::sum_of(realOf(column))));
    Value total = createConstant(rewriter, loc, {filterShape()[0]}, totals);
    zeroPoint = toFloat(zeroPoint);
    if (rankOf(zeroPoint) > 1)
      zeroPoint = ReshapeOp::create(
          rewriter, loc, tensorTypeOf(zeroPoint).clone({1}), zeroPoint);
    Value offset =
        BinaryOp::create(rewriter, loc, total.getType(), BinaryKind::Mul, total,
                         zeroPoint, ActivationAttr());
    sums = BinaryOp::create(rewriter, loc, realType, BinaryKind::Sub, sums,
                            offset, ActivationAttr());
  }
  for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
    if (auto cast = dyn_cast<CastOp>(user); cast && cast.getType() == realType)
      rewriter.replaceOp(cast, sums);
  if (op->use_empty())
    rewriter.eraseOp(op);
  else
    rewriter.replaceOpWithNewOp<CastOp>(op, op.getResult().getType(), sums);
}
