//===- ConvertInput.cpp - Float inputs to bytes ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qnn-convert-input.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_CONVERTINPUT
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {
/// The text of -io=.
struct InputFormat {
  StringRef name;
  bool channelsLast = false;
  double scale = 1;
  SmallVector<double> mean, deviation;

  static FailureOr<InputFormat> parse(StringRef text);
};

struct ConvertInput : qcc::qnn::impl::ConvertInputBase<ConvertInput> {
  using ConvertInputBase::ConvertInputBase;
  void runOnOperation() override;

private:
  LogicalResult convert(func::FuncOp main, unsigned index,
                        const InputFormat &input);
  InFlightDiagnostic error() {
    return getOperation().emitError("-io=") << format << ": ";
  }
};
} // namespace

/// A number or a fraction.
static FailureOr<double> parseNumber(StringRef text) {
  auto [top, bottom] = text.split('/');
  double a, b = 1;
  if (top.getAsDouble(a) || (!bottom.empty() && bottom.getAsDouble(b)) ||
      !std::isfinite(a / b))
    return failure();
  return a / b;
}

static FailureOr<SmallVector<double>> parseNumbers(StringRef text) {
  SmallVector<double> values;
  for (StringRef part : llvm::split(text, '/')) {
    double value;
    if (part.getAsDouble(value) || !std::isfinite(value))
      return failure();
    values.push_back(value);
  }
  return values;
}

FailureOr<InputFormat> InputFormat::parse(StringRef text) {
  InputFormat format;
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  // Names may hold colons.
  StringRef head = parts.front();
  format.channelsLast = head.consume_back(":nhwc");
  if (!format.channelsLast)
    head.consume_back(":nchw");
  if (!head.consume_back(":u8") || head.empty())
    return failure();
  format.name = head;
  for (StringRef part : ArrayRef(parts).drop_front()) {
    auto [key, value] = part.split('=');
    if (key == "scale") {
      FailureOr<double> scale = parseNumber(value);
      if (failed(scale))
        return failure();
      format.scale = *scale;
    } else if (key == "mean" || key == "std") {
      FailureOr<SmallVector<double>> values = parseNumbers(value);
      if (failed(values) || (key == "std" && llvm::is_contained(*values, 0.0)))
        return failure();
      (key == "mean" ? format.mean : format.deviation) = *values;
    } else {
      return failure();
    }
  }
  return format;
}

/// factors[c], or one factor where all are equal, shaped to broadcast along
/// `axis`; null where they change nothing.
static Value perChannel(OpBuilder &builder, Location loc,
                        ArrayRef<float> factors, float neutral, int64_t rank,
                        int64_t axis) {
  if (llvm::all_of(factors, [&](float f) { return f == neutral; }))
    return nullptr;
  if (llvm::all_equal(factors))
    return createConstant(builder, loc, {}, factors.take_front());
  SmallVector<int64_t> shape(size_t(rank), 1);
  shape[size_t(axis)] = int64_t(factors.size());
  return createConstant(builder, loc, shape, factors);
}

LogicalResult ConvertInput::convert(func::FuncOp main, unsigned index,
                                    const InputFormat &input) {
  BlockArgument argument = main.getArgument(index);
  auto floatType = cast<RankedTensorType>(argument.getType());
  int64_t rank = floatType.getRank();
  if (!floatType.getElementType().isF32())
    return error() << "the input is " << floatType.getElementType()
                   << ", not float";
  size_t values = std::max(input.mean.size(), input.deviation.size());
  if (rank < 3 && (input.channelsLast || values > 1))
    return error() << "the input has rank " << rank << ", so no channels";
  int64_t axis = rank < 3 ? 0 : rank == 3 ? 0 : 1;
  int64_t channels = values > 1 ? floatType.getDimSize(axis) : 1;
  for (const auto *list : {&input.mean, &input.deviation})
    if (list->size() > 1 && int64_t(list->size()) != channels)
      return error() << "the input has " << channels << " channels";

  OpBuilder builder(&main.getBody().front(), main.getBody().front().begin());
  Location loc = argument.getLoc();
  SmallVector<int64_t> shape(floatType.getShape());
  SmallVector<int64_t> permutation; // from memory to the model
  if (input.channelsLast) {
    shape.erase(shape.begin() + axis);
    shape.push_back(floatType.getDimSize(axis));
    for (int64_t i = 0; i + 1 < rank; ++i)
      permutation.push_back(i);
    permutation.insert(permutation.begin() + axis, rank - 1);
  }
  auto byte = getElementType(&getContext(), DType::U8);
  auto quantized =
      quant::UniformQuantizedType::get(0, IntegerType::get(&getContext(), 8),
                                       builder.getF32Type(), 1.0, 0, 0, 255);
  argument.setType(RankedTensorType::get(shape, byte));
  auto cast = StorageCastOp::create(
      builder, loc, RankedTensorType::get(shape, quantized), argument);
  Value value = cast;
  if (input.channelsLast)
    value = TransposeOp::create(builder, loc, floatType.clone(Type(quantized)),
                                value, permutation);
  value = DequantizeOp::create(builder, loc, floatType, value);
  SmallVector<float> factors, offsets;
  for (int64_t c = 0; c < channels; ++c) {
    auto at = [&](ArrayRef<double> list, double fallback) {
      return list.empty() ? fallback : list[list.size() == 1 ? 0 : size_t(c)];
    };
    double deviation = at(input.deviation, 1);
    factors.push_back(float(input.scale / deviation));
    offsets.push_back(float(-at(input.mean, 0) / deviation));
  }
  for (auto [kind, list, neutral] :
       {std::tuple(BinaryKind::Mul, ArrayRef<float>(factors), 1.f),
        std::tuple(BinaryKind::Add, ArrayRef<float>(offsets), 0.f)})
    if (Value factor = perChannel(builder, loc, list, neutral, rank, axis))
      value = BinaryOp::create(builder, loc, floatType, kind, value, factor,
                               ActivationAttr());
  argument.replaceAllUsesExcept(value, cast);
  main.setFunctionType(builder.getFunctionType(
      main.getBody().front().getArgumentTypes(), main.getResultTypes()));
  return success();
}

void ConvertInput::runOnOperation() {
  FailureOr<InputFormat> input = InputFormat::parse(format);
  if (failed(input)) {
    error() << "expected NAME:u8[:nhwc][,scale=1/255][,mean=A/B/C]"
               "[,std=A/B/C]";
    return signalPassFailure();
  }
  auto main = getOperation().lookupSymbol<func::FuncOp>("main");
  SmallVector<std::string> names;
  for (unsigned i = 0; main && i < main.getNumArguments(); ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, "qnn.name");
    if (name && name == input->name) {
      if (failed(convert(main, i, *input)))
        signalPassFailure();
      return;
    }
    names.push_back(name ? "'" + name.str() + "'" : "?");
  }
  error() << "no such input; the inputs are " << llvm::join(names, ", ");
  signalPassFailure();
}
