//===- DepthwisePart.cpp - Depthwise convolutions of all kinds ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DepthwisePart.h"
#include "TransposedConv.h"

#include "../Conversion/QNNToKernels/OperationCount.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Each part is code of its own.
static constexpr size_t mostParts = 16;
/// The most products for each that is useful.
static constexpr double mostProducts = 16;

/// Filters of volumes and transposed ones that have so many elements or fewer
/// are for the reference kernel, which copies no input; measured.
static constexpr int64_t smallFilter = 4, smallFloatTransposed = 16;

static bool isFloat(Operation *op) {
  return isa<FloatType>(tensorTypeOf(op->getOperand(0)).getElementType());
}

Value ResultRows::at(CodeBuilder &c, Value image, Value row) const {
  Value at = c.add(c.mul(row, rowPitch), first);
  if (imagePitch == planes * planePitch)
    return c.add(c.mul(image, planePitch), at);
  at = c.add(c.mul(c.div(image, planes), imagePitch), at);
  return c.add(c.mul(c.rem(image, planes), planePitch), at);
}

std::string ResultRows::key() const {
  return llvm::formatv("from {0} {1}:{2}:{3}:{4}", first, imagePitch, planes,
                       planePitch, rowPitch);
}

/// Results of some phases of planes and lines.
static DepthwisePart partOf(ConvTransposeOp op,
                            const std::array<TransposedDim, 3> &dims,
                            const PhaseRange &planes, const PhaseRange &lines) {
  ConvShape s;
  s.n = shapeOf(op.getInput())[0];
  s.c = s.oc = s.group = op.getGroup();
  s.d = dims[0].in;
  s.h = dims[1].in;
  s.w = dims[2].in;
  s.od = planes.positions;
  s.oh = lines.positions;
  s.ow = dims[2].out;
  s.kd = planes.taps;
  s.kh = lines.taps;
  s.kw = dims[2].kernel;
  s.sh = s.sw = 1;
  s.dd = planes.dilation;
  s.dh = lines.dilation;
  s.dw = dims[2].dilation;
  s.padF = -planes.offset;
  s.padT = -lines.offset;
  s.padL = (s.kw - 1) * s.dw - dims[2].pad;
  s.spread = dims[2].stride;

  ResultRows rows(s);
  int64_t line = s.ow * s.oc;
  rows.first = (planes.first * dims[1].out + lines.first) * line;
  rows.rowPitch = dims[1].stride * line;
  rows.planePitch = dims[0].stride * dims[1].out * line;
  rows.imagePitch = dims[0].out * dims[1].out * line;

  // Later taps read earlier inputs.
  SmallVector<int64_t> taps;
  int64_t useful = 0;
  for (int64_t kd = 0; kd < s.kd; ++kd)
    for (int64_t kh = 0; kh < s.kh; ++kh)
      for (int64_t kw = 0; kw < s.kw; ++kw) {
        int64_t plane = dims[0].filterTap(planes, 0, kd),
                row = dims[1].filterTap(lines, 0, kh);
        bool isThere = plane >= 0 && row >= 0;
        useful += isThere;
        taps.push_back(isThere ? (plane * dims[1].kernel + row) * s.kw +
                                     (s.kw - 1 - kw)
                               : -1);
      }
  int64_t products = s.n * s.od * s.oh * s.w * s.c * useful;
  s.splitPlanes();
  ConvTerms terms{op.getInput(),          op.getFilter(),
                  op.getBias(),           op.getResult(),
                  op.getActivationAttr(),
                  /*filterAxis=*/0,       taps};
  return {s, terms, rows, products};
}

static std::vector<DepthwisePart> partsOf(ConvTransposeOp op) {
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = shapeOf(op.getResult()),
                    filter = shapeOf(op.getFilter());
  int64_t rank = op.getSpatialRank();
  if (op.getLayout() != Layout::ChannelsLast ||
      int64_t(op.getGroup()) != in.back() || filter[1] != 1)
    return {};
  int64_t elements = 1;
  for (int64_t extent : filter.drop_front())
    elements *= extent;
  if (elements <= (isFloat(op) ? smallFloatTransposed : smallFilter))
    return {};
  std::array<TransposedDim, 3> dims;
  for (int64_t i = 0; i < rank; ++i)
    dims[3 - rank + i] = {
        in[1 + i],          out[1 + i],           filter[2 + i],
        op.getStrides()[i], op.getDilations()[i], op.getPads()[i]};
  std::vector<DepthwisePart> parts;
  double products = 0, useful = 0;
  for (const PhaseRange &planes : dims[0].phases())
    for (const PhaseRange &lines : dims[1].phases()) {
      parts.push_back(partOf(op, dims, planes, lines));
      const DepthwisePart &part = parts.back();
      products += double(part.shape.rows()) * double(part.shape.c) *
                  double(part.terms.tapCount());
      useful += double(part.products);
    }
  if (parts.size() > mostParts || products > mostProducts * useful)
    return {};
  return parts;
}

std::vector<DepthwisePart> DepthwisePart::get(Operation *op) {
  if (!isa<ConvOp, ConvTransposeOp>(op) ||
      tensorTypeOf(op->getOperand(0)).getNumElements() == 0 ||
      tensorTypeOf(op->getResult(0)).getNumElements() == 0)
    return {};
  if (auto transposed = dyn_cast<ConvTransposeOp>(op))
    return partsOf(transposed);
  auto conv = cast<ConvOp>(op);
  std::optional<ConvShape> s = ConvShape::getVolume(conv);
  if (!s || !s->isDepthwise() || conv.getResidual())
    return {};
  if (s->isVolume() && s->taps() <= smallFilter)
    return {};
  int64_t products = s->rows() * s->taps() * s->c;
  return {{*s, ConvTerms::get(conv), ResultRows(*s), products}};
}

void DepthwisePart::noteProducts(Value buffer) const {
  noteOperationCount(buffer.getParentBlock()->getTerminator()->getPrevNode(),
                     op(), products);
}
