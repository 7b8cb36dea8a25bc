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

#include "mlir/IR/PatternMatch.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_LOWERCONVINTEGER
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Groups of at least so many channels are worth a product of integers: shorter
/// runs of bytes cost more to gather than they save. Winograd's method, whose
/// sums are not exact, is for as many and more without groups.
static constexpr int64_t kFewestGathered = 16;
/// Floats hold every integer up to this one.
static constexpr int64_t kExactFloat = int64_t(1) << 24;

namespace {
/// An integer convolution of channels-last images with constant filters.
struct IntegerConv {
  ConvIntegerOp op;
  IRRewriter &rewriter;
  SmallVector<int64_t> filter;     ///< [OC, IC / group, kernel...]
  SmallVector<int64_t> zeroPoints; ///< of the filter: one, or one per OC

  static std::optional<IntegerConv> get(ConvIntegerOp op, IRRewriter &rewriter);
  ArrayRef<int64_t> filterShape() { return shapeOf(op.getFilter()); }
  ArrayRef<int64_t> kernel() { return filterShape().drop_front(2); }
  int64_t depth() {
    return int64_t(filter.size()) / std::max<int64_t>(filterShape()[0], 1);
  }

  bool isMatrixProduct();
  Value padded();
  Value gathered();
  void toMatrixProduct();

  /// The reference kernel takes no longer for these than a convolution of
  /// floats and the conversions around it.
  bool isDepthwise() { return op.getGroup() > 1 && filterShape()[1] == 1; }
  bool isExactInFloat();
  Value toFloat(Value integers);
  void toFloatConv();
};

struct LowerConvInteger
    : qcc::qnn::impl::LowerConvIntegerBase<LowerConvInteger> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<ConvIntegerOp> ops;
    getOperation()->walk([&](ConvIntegerOp op) { ops.push_back(op); });
    for (ConvIntegerOp op : ops) {
      std::optional<IntegerConv> conv = IntegerConv::get(op, rewriter);
      if (!conv)
        continue;
      rewriter.setInsertionPoint(op);
      if (conv->isMatrixProduct())
        conv->toMatrixProduct();
      else if (conv->isExactInFloat())
        conv->toFloatConv();
    }
  }
};
} // namespace

std::optional<IntegerConv> IntegerConv::get(ConvIntegerOp op,
                                            IRRewriter &rewriter) {
  auto filter = getConstantInts(op.getFilter());
  if (op.getLayout() != Layout::ChannelsLast || !filter || filter->empty())
    return std::nullopt;
  IntegerConv conv{op, rewriter, std::move(*filter), {0}};
  if (Value tensor = op.getFilterZeroPoint()) {
    auto values = getConstantInts(tensor);
    if (!values || values->empty())
      return std::nullopt;
    conv.zeroPoints = std::move(*values);
  }
  return conv;
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

bool IntegerConv::isMatrixProduct() {
  return op.getGroup() == 1 && filterShape()[1] >= kFewestGathered &&
         llvm::all_equal(zeroPoints);
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
  std::vector<char> matrix(filter.size());
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t tap = 0; tap < taps; ++tap)
        matrix[(tap * channels + channel) * columns + column] =
            static_cast<char>(
                filter[(column * channels + channel) * taps + tap]);
  RankedTensorType type =
      tensorTypeOf(op.getFilter()).clone({taps * channels, columns});
  Value rhs = createConstant(rewriter, op.getLoc(), type, matrix, "filter");
  Value filterZero = op.getFilterZeroPoint();
  if (filterZero && tensorTypeOf(filterZero).getNumElements() > 1)
    filterZero =
        createConstant(rewriter, op.getLoc(),
                       tensorTypeOf(filterZero).clone(ArrayRef<int64_t>()),
                       {static_cast<char>(zeroPoints.front())});
  rewriter.replaceOpWithNewOp<MatmulIntegerOp>(
      op, op.getResult().getType(), gathered(), rhs, op.getInputZeroPoint(),
      filterZero);
}

//===----------------------------------------------------------------------===//
// Convolutions of floats
//===----------------------------------------------------------------------===//

bool IntegerConv::isExactInFloat() {
  const bool mayTakeWinograd =
      op.getGroup() == 1 && filterShape()[1] >= kFewestGathered;
  if (mayTakeWinograd || isDepthwise())
    return false;
  for (int64_t out = 0; out < filterShape()[0]; ++out) {
    int64_t sum = 0;
    for (int64_t i = 0; i < depth(); ++i)
      sum += std::abs(filter[out * depth() + i] -
                      zeroPoints[zeroPoints.size() == 1 ? 0 : out]);
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

void IntegerConv::toFloatConv() {
  Value image = toFloat(op.getInput());
  if (Value zeroPoint = op.getInputZeroPoint())
    image = BinaryOp::create(rewriter, op.getLoc(), image.getType(),
                             BinaryKind::Sub, image, toFloat(zeroPoint),
                             ActivationAttr());
  std::vector<float> weights;
  for (auto [i, weight] : llvm::enumerate(filter))
    weights.push_back(static_cast<float>(
        weight - zeroPoints[zeroPoints.size() == 1 ? 0 : i / depth()]));
  Value filterConstant =
      createConstant(rewriter, op.getLoc(), filterShape(), weights);
  RankedTensorType type =
      tensorTypeOf(op.getResult()).clone(rewriter.getF32Type());
  Value sums =
      ConvOp::create(rewriter, op.getLoc(), type, image, filterConstant,
                     /*bias=*/Value(), /*residual=*/Value(), op.getStrides(),
                     op.getDilations(), op.getPads(), op.getGroup(),
                     op.getLayout(), ActivationAttr());
  for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
    if (auto cast = dyn_cast<CastOp>(user); cast && cast.getType() == type)
      rewriter.replaceOp(cast, sums);
  if (op->use_empty())
    rewriter.eraseOp(op);
  else
    rewriter.replaceOpWithNewOp<CastOp>(op, op.getResult().getType(), sums);
}
