//===- ConvertIndexing.cpp - Gathers, and constants made of shapes -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

void qcc::import::convertGather(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), node.rank(0));
  // One known index is a slice.
  auto index = getConstantInts(node.in(1));
  if (!node.failed() && index && node.rank(1) == 0) {
    SmallVector<int64_t> sizes(node.shape(0)), starts(sizes.size(), 0);
    int64_t extent = sizes[size_t(axis)];
    int64_t start = index->front() + (index->front() < 0 ? extent : 0);
    if (start >= 0 && start < extent) {
      starts[size_t(axis)] = start;
      sizes[size_t(axis)] = 1;
      Value part = node.slice(node.in(0), starts, sizes,
                              SmallVector<int64_t>(sizes.size(), 1));
      sizes.erase(sizes.begin() + axis);
      return node.setOutput(0, node.reshape(part, sizes), node.dtype(0));
    }
  }
  node.setOutput(0, node.gather(node.in(0), node.in(1), axis), node.dtype(0));
}

/// Indices in i64, negative ones (which count from the end) made positive.
static Value positiveIndices(Node &node, Value indices, int64_t extent) {
  Value wide = node.cast(indices, node.getBuilder().getI64Type());
  if (node.failed())
    return {};
  Value isNegative =
      node.binary(BinaryKind::Less, wide, node.scalarLike(wide, 0));
  Value shifted = node.failed()
                      ? Value()
                      : node.binary(BinaryKind::Add, wide,
                                    node.ints(extent, ArrayRef<int64_t>()));
  return node.select(isNegative, shifted, wide);
}

/// The same within the bounds. Those beyond, which are an error in ONNX, are
/// clamped as qnn.gather does, before positions in several dimensions add up.
static Value clampedIndices(Node &node, Value indices, int64_t extent) {
  Value positive = positiveIndices(node, indices, extent);
  if (node.failed())
    return {};
  Value low = node.scalarLike(positive, 0);
  Value high = node.scalarLike(positive, double(extent - 1));
  return node.binary(BinaryKind::Min,
                     node.binary(BinaryKind::Max, positive, low), high);
}

/// The number of elements behind one index of each dimension.
static SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
  return strides;
}

void qcc::import::convertGatherElements(Node &node) {
  int64_t rank = node.rank(0);
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), rank);
  if (!node.failed() && node.rank(1) != rank)
    node.error() << "the indices have rank " << node.rank(1) << ", the data "
                 << rank;
  if (node.failed())
    return;
  // Position in the flattened tensor: index along the axis, own coordinate
  // along all others.
  ArrayRef<int64_t> shape = node.shape(0), indexShape = node.shape(1);
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  Value position = clampedIndices(node, node.in(1), shape[size_t(axis)]);
  position = node.binary(BinaryKind::Mul, position,
                         node.ints(strides[size_t(axis)], ArrayRef<int64_t>()));
  for (int64_t i = 0; i < rank; ++i) {
    int64_t extent = indexShape[size_t(i)];
    if (i == axis || extent == 1)
      continue;
    if (extent > shape[size_t(i)]) {
      node.error() << "the indices " << shapeToString(indexShape)
                   << " do not fit into the data " << shapeToString(shape);
      return;
    }
    SmallVector<int64_t> along(size_t(rank), 1);
    along[size_t(i)] = extent;
    position = node.binary(BinaryKind::Add, position,
                           node.iota(extent, along, strides[size_t(i)]));
  }
  Value flat = node.reshape(node.in(0), *countElements(shape));
  node.setOutput(0, node.gather(flat, position, 0), node.dtype(0));
}

void qcc::import::convertGatherND(Node &node) {
  int64_t batchDims = node.intAttr("batch_dims", 0);
  ArrayRef<int64_t> shape = node.shape(0), indexShape = node.shape(1);
  int64_t depth = indexShape.empty() ? 0 : indexShape.back();
  if (indexShape.empty() || depth < 1 || batchDims < 0 ||
      batchDims >= node.rank(1) || depth > node.rank(0) - batchDims ||
      shape.take_front(size_t(batchDims)) !=
          indexShape.take_front(size_t(batchDims))) {
    node.error() << "data " << shapeToString(shape) << ", indices "
                 << shapeToString(indexShape) << " and batch_dims=" << batchDims
                 << " do not fit together";
    return;
  }
  // Rows of the trailing dimensions, numbered over the leading ones.
  size_t lead = size_t(batchDims + depth);
  SmallVector<int64_t> strides = rowMajorStrides(shape.take_front(lead));
  SmallVector<int64_t> positionShape(indexShape.drop_back());
  Value position;
  for (int64_t i = 0; i < depth; ++i) {
    SmallVector<int64_t> starts(indexShape.size(), 0),
        ones(indexShape.size(), 1);
    SmallVector<int64_t> sizes(indexShape);
    starts.back() = i;
    sizes.back() = 1;
    Value index = node.reshape(node.slice(node.in(1), starts, sizes, ones),
                               positionShape);
    auto dim = size_t(batchDims + i);
    Value term =
        node.binary(BinaryKind::Mul, clampedIndices(node, index, shape[dim]),
                    node.ints(strides[dim], ArrayRef<int64_t>()));
    position = position ? node.binary(BinaryKind::Add, position, term) : term;
  }
  for (int64_t i = 0; i < batchDims; ++i) {
    SmallVector<int64_t> along(positionShape.size(), 1);
    along[size_t(i)] = shape[size_t(i)];
    position =
        node.binary(BinaryKind::Add, position,
                    node.iota(shape[size_t(i)], along, strides[size_t(i)]));
  }
  SmallVector<int64_t> rows{*countElements(shape.take_front(lead))};
  llvm::append_range(rows, shape.drop_front(lead));
  node.setOutput(0, node.gather(node.reshape(node.in(0), rows), position, 0),
                 node.dtype(0));
}

void qcc::import::convertReverseSequence(Node &node) {
  int64_t timeAxis = node.intAttr("time_axis", 0);
  int64_t batchAxis = node.intAttr("batch_axis", 1);
  if (node.failed())
    return;
  if (node.rank(0) < 2 || timeAxis < 0 || timeAxis > 1 ||
      batchAxis != 1 - timeAxis) {
    node.error() << "needs time and batch as the first two dimensions, has "
                    "rank "
                 << node.rank(0) << ", time_axis=" << timeAxis
                 << " and batch_axis=" << batchAxis;
    return;
  }
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t steps = shape[size_t(timeAxis)], batch = shape[size_t(batchAxis)];
  if (node.shape(1) != ArrayRef<int64_t>{batch}) {
    node.error() << "has lengths of shape " << shapeToString(node.shape(1))
                 << ", expected " << batch;
    return;
  }
  // Rows of both dimensions as one; in each sequence step t comes from
  // length - 1 - t, behind its end from t.
  int64_t alongTime[2] = {1, 1}, alongBatch[2] = {1, 1};
  alongTime[timeAxis] = steps;
  alongBatch[batchAxis] = batch;
  Value lengths = node.reshape(
      node.cast(node.in(1), node.getBuilder().getI64Type()), alongBatch);
  Value step = node.iota(steps, alongTime);
  Value last =
      node.binary(BinaryKind::Sub, lengths, node.ints(1, ArrayRef<int64_t>()));
  Value from = node.select(node.binary(BinaryKind::Less, step, lengths),
                           node.binary(BinaryKind::Sub, last, step), step);
  Value stride = node.ints(timeAxis == 0 ? batch : 1, ArrayRef<int64_t>());
  Value row =
      node.binary(BinaryKind::Add, node.binary(BinaryKind::Mul, from, stride),
                  node.iota(batch, alongBatch, timeAxis == 0 ? 1 : steps));
  SmallVector<int64_t> rows{steps * batch};
  llvm::append_range(rows, shape.drop_front(2));
  node.setOutput(0, node.gather(node.reshape(node.in(0), rows), row, 0),
                 node.dtype(0));
}

void qcc::import::convertOneHot(Node &node) {
  SmallVector<int64_t> depths;
  if (isa<FloatType>(node.elementType(1)))
    for (double depth : node.constantFloats(1, "depth"))
      depths.push_back(depth >= 0 && depth < 1e9 ? int64_t(depth) : -1);
  else
    depths = node.constantInts(1, "depth");
  int64_t rank = node.rank(0) + 1;
  int64_t axis = node.normalizeAxis(node.intAttr("axis", -1), rank);
  if (!node.failed() && (depths.size() != 1 || depths[0] < 0 ||
                         countElements(node.shape(2)) != 2))
    node.error() << "depth must be one number and values two";
  if (node.failed())
    return;
  SmallVector<int64_t> indexShape(node.shape(0)), along(size_t(rank), 1);
  indexShape.insert(indexShape.begin() + axis, 1);
  along[size_t(axis)] = depths[0];
  Value indices = positiveIndices(node, node.in(0), depths[0]);
  Value isHot =
      node.binary(BinaryKind::Equal, node.reshape(indices, indexShape),
                  node.iota(depths[0], along));
  Value values = node.reshape(node.in(2), 2);
  Value off = node.reshape(node.slice(values, 0, 1, 1), {});
  Value on = node.reshape(node.slice(values, 1, 1, 1), {});
  node.setOutput(0, node.select(isHot, on, off));
}

/// i1 [rows, columns]: column - row lies in [low, high].
static Value bandMask(Node &node, int64_t rows, int64_t columns, int64_t low,
                      int64_t high) {
  Value column = node.iota(columns, {1, columns});
  Value row = node.iota(rows, {rows, 1});
  Value distance = node.binary(BinaryKind::Sub, column, row);
  auto bound = [&](int64_t v) { return node.ints(v, ArrayRef<int64_t>()); };
  return node.binary(
      BinaryKind::And,
      node.binary(BinaryKind::GreaterEqual, distance, bound(low)),
      node.binary(BinaryKind::LessEqual, distance, bound(high)));
}

void qcc::import::convertTrilu(Node &node) {
  SmallVector<int64_t> k = node.constantInts(1, "diagonal");
  bool upper = node.boolAttr("upper", true);
  if (node.rank(0) < 2) {
    node.error() << "needs a matrix";
    return;
  }
  int64_t diagonal =
      k.size() == 1 ? std::clamp(k[0], -kMaxElements, kMaxElements) : 0;
  int64_t rows = node.shape(0)[size_t(node.rank(0) - 2)];
  int64_t columns = node.shape(0).back();
  Value mask = bandMask(node, rows, columns, upper ? diagonal : -kMaxElements,
                        upper ? kMaxElements : diagonal);
  Value x = node.in(0);
  node.setOutput(0, node.select(mask, x, node.scalarLike(x, 0)), node.dtype(0));
}

/// The element type of attribute "dtype", or a default.
static Type dtypeAttr(Node &node, Type defaultType) {
  if (!node.hasAttr("dtype"))
    return defaultType;
  int64_t code = node.intAttr("dtype", 0);
  DType dtype =
      code > 0 && code < 100 ? dtypeOfCode(int32_t(code)) : DType::Undefined;
  Type type = getElementType(node.getContext(), dtype);
  if (!type || dtype == DType::I4 || dtype == DType::U4) {
    node.error() << "element type " << code << " is not supported";
    return defaultType;
  }
  return type;
}

void qcc::import::convertEyeLike(Node &node) {
  int64_t k = std::clamp(node.intAttr("k", 0), -kMaxElements, kMaxElements);
  Type type = dtypeAttr(node, node.elementType(0));
  if (node.rank(0) != 2) {
    node.error() << "needs a matrix";
    return;
  }
  Value mask = bandMask(node, node.shape(0)[0], node.shape(0)[1], k, k);
  node.setOutput(0, node.cast(mask, type));
}

void qcc::import::convertShape(Node &node) {
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t rank = node.rank(0);
  int64_t start = node.intAttr("start", 0), end = node.intAttr("end", rank);
  auto clampToRank = [&](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  start = clampToRank(start);
  end = std::max(clampToRank(end), start);
  node.setOutput(0, node.ints(shape.slice(size_t(start), size_t(end - start))));
}

void qcc::import::convertSize(Node &node) {
  node.setOutput(0,
                 node.ints(*countElements(node.shape(0)), ArrayRef<int64_t>()));
}

/// Of constants: masks and shapes that exporters compute in the graph.
void qcc::import::convertNonZero(Node &node) {
  auto data = ConstantBytes::get(node.in(0));
  if (node.rank(0) == 0) {
    node.error() << "the input is a single number, expected a tensor";
    return;
  }
  if (!data) {
    node.error() << "the shape of its result depends on values that are "
                    "computed at run time; make the input constant, or compile "
                    "the model up to values in front of this node (-outputs)";
    return;
  }
  auto rank = size_t(node.rank(0));
  int64_t count = *countElements(node.shape(0));
  size_t width = count == 0 ? 0 : data->bytes().size() / size_t(count);
  bool isFloat = isa<FloatType>(node.elementType(0));
  std::vector<std::vector<int64_t>> places(rank);
  SmallVector<int64_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;)
    strides[i - 1] = strides[i] * node.shape(0)[i];
  for (int64_t e = 0; e < count; ++e) {
    ArrayRef<char> element = data->bytes().slice(size_t(e) * width, width);
    // A float is zero with either sign.
    if (llvm::all_of(element.drop_back(), [](char c) { return c == 0; }) &&
        (element.back() & (isFloat ? 0x7f : 0xff)) == 0)
      continue;
    for (size_t i = 0; i < rank; ++i)
      places[i].push_back(e / strides[i] % node.shape(0)[i]);
  }
  SmallVector<int64_t> result;
  for (const std::vector<int64_t> &coordinates : places)
    llvm::append_range(result, coordinates);
  auto found = int64_t(places.front().size());
  node.setOutput(0, node.ints(result, {int64_t(rank), found}));
}

template <typename T> static ArrayRef<char> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

void qcc::import::convertConstant(Node &node) {
  Type f32 = node.getBuilder().getF32Type();
  if (node.hasAttr("value")) {
    Tensor tensor = node.tensorAttr("value");
    return node.setOutput(0, tensor.value, tensor.dtype);
  }
  if (node.hasAttr("value_float")) {
    float value = node.floatAttr("value_float", 0);
    return node.setOutput(
        0, node.constant({}, f32, asBytes(ArrayRef<float>(value))));
  }
  if (node.hasAttr("value_floats")) {
    SmallVector<float> values = node.floatsAttr("value_floats");
    return node.setOutput(0, node.constant(int64_t(values.size()), f32,
                                           asBytes(ArrayRef<float>(values))));
  }
  if (node.hasAttr("value_int"))
    return node.setOutput(
        0, node.ints(node.intAttr("value_int", 0), ArrayRef<int64_t>()));
  if (node.hasAttr("value_ints"))
    return node.setOutput(0, node.ints(node.intsAttr("value_ints")));
  node.error() << "holds a string, a sparse tensor or nothing, which is not "
                  "supported";
}

void qcc::import::convertConstantOfShape(Node &node) {
  SmallVector<int64_t> shape = node.constantInts(0, "shape");
  if (node.failed())
    return;
  Tensor value = node.tensorAttr("value");
  if (node.failed())
    return;
  if (!value.value)
    return node.setOutput(0,
                          node.splat(shape, node.getBuilder().getF32Type(), 0));
  if (countElements(Node::shapeOf(value.value)) != 1) {
    node.error() << "attribute \"value\" must hold one element";
    return;
  }
  // Through a splat of zeros this checks the shape, too.
  Type type = Node::elementTypeOf(value.value);
  Value zeros = node.splat(shape, type, 0);
  auto element = value.value.getDefiningOp<ConstantOp>();
  auto dense = element ? dyn_cast<DenseElementsAttr>(element.getValue())
                       : DenseElementsAttr();
  if (!zeros || !dense || countElements(shape) == 0)
    return node.setOutput(0, zeros, value.dtype);
  auto attr = DenseElementsAttr::get(RankedTensorType::get(shape, type),
                                     *dense.getValues<Attribute>().begin());
  node.setOutput(0,
                 ConstantOp::create(node.getBuilder(), node.getLoc(),
                                    attr.getType(), attr),
                 value.dtype);
}

void qcc::import::convertRange(Node &node) {
  auto count = [&](double start, double limit, double delta) -> int64_t {
    double n = std::ceil((limit - start) / delta);
    if (!(std::abs(n) < double(int64_t(1) << 26))) {
      node.error() << "a range from " << start << " to " << limit << " by "
                   << delta << " has no length that makes sense";
      return 0;
    }
    return std::max<int64_t>(int64_t(n), 0);
  };
  Type type = node.elementType(0);
  if (isa<FloatType>(type)) {
    double bounds[3];
    for (unsigned i = 0; i < 3; ++i) {
      SmallVector<double> values = node.constantFloats(i, "bounds");
      if (values.size() != 1) {
        node.error() << "start, limit and delta must be scalars";
        return;
      }
      bounds[i] = values[0];
    }
    SmallVector<float> values;
    for (int64_t i = 0, n = count(bounds[0], bounds[1], bounds[2]); i < n; ++i)
      values.push_back(float(bounds[0] + double(i) * bounds[2]));
    Value range =
        node.constant(int64_t(values.size()), node.getBuilder().getF32Type(),
                      asBytes(ArrayRef<float>(values)));
    return node.setOutput(0, node.cast(range, type));
  }
  int64_t bounds[3];
  for (unsigned i = 0; i < 3; ++i) {
    SmallVector<int64_t> values = node.constantInts(i, "bounds");
    if (values.size() != 1) {
      node.error() << "start, limit and delta must be scalars";
      return;
    }
    bounds[i] = values[0];
  }
  SmallVector<int64_t> values;
  int64_t n = count(double(bounds[0]), double(bounds[1]), double(bounds[2]));
  for (int64_t i = 0; i < n; ++i)
    values.push_back(
        int64_t(uint64_t(bounds[0]) + uint64_t(i) * uint64_t(bounds[2])));
  node.setOutput(0, node.cast(node.ints(values), type));
}
