//===- ConvertSignal.cpp - Fourier transforms, windows, mel filters -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A transform is a product with the matrix of its roots of unity; a long one is
// cut in two (Cooley and Tukey). Complex numbers are pairs in the last
// dimension.
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Longer transforms are cut in two.
static constexpr int64_t kMaxDirect = 512;
/// The longest one that has no factors (a matrix of 2^24 numbers).
static constexpr int64_t kMaxPrime = 2048;
static constexpr int64_t kMaxLength = int64_t(1) << 24;

/// The only number of a constant operand, in [least, most].
static std::optional<int64_t> readInt(Node &node, unsigned operand,
                                      StringRef what, int64_t least,
                                      int64_t most) {
  SmallVector<int64_t> values = node.constantInts(operand, what);
  if (node.failed())
    return std::nullopt;
  if (values.size() == 1 && values[0] >= least && values[0] <= most)
    return values[0];
  node.error() << what << " must be one number from " << least << " to "
               << most;
  return std::nullopt;
}

/// The element type of a generated table.
static Type readOutputType(Node &node) {
  int64_t code = node.intAttr("output_datatype", 1);
  Type type =
      code >= 0 && code <= 100
          ? getElementType(node.getContext(), dtypeOfCode(int32_t(code)))
          : Type();
  if (isa_and_nonnull<FloatType>(type))
    return type;
  node.error() << "output_datatype=" << code << " is not supported; only "
               << "types of floating point are";
  return {};
}

namespace {
/// exp(2 pi i k / n) for k in [0, n).
class Roots {
public:
  explicit Roots(int64_t n) : n(n) {
    for (int64_t k = 0; k < n; ++k) {
      double angle = 2 * M_PI * double(k) / double(n);
      cosines.push_back(4 * k == n || 4 * k == 3 * n ? 0 : std::cos(angle));
      sines.push_back(2 * k == n ? 0 : std::sin(angle));
    }
  }
  double cosine(int64_t j, int64_t k) const { return cosines[j * k % n]; }
  double sine(int64_t j, int64_t k) const { return sines[j * k % n]; }

private:
  int64_t n;
  std::vector<double> cosines, sines;
};

/// A transform of `length` values along the middle dimension of [rows, inputs,
/// parts]; `parts` is 1 for real numbers and 2 for complex ones. `inputs` and
/// `outputs` are `length`, or length / 2 + 1 for one half of a symmetric
/// spectrum. Not divided by `length`.
struct Transform {
  int64_t length, inputs, outputs, partsIn, partsOut;
  bool inverse;
};
} // namespace

/// The product with the matrix of all roots.
static Value transformDirectly(Node &node, Value x, const Transform &t) {
  Roots roots(t.length);
  double sign = t.inverse ? 1 : -1;
  int64_t columns = t.outputs * t.partsOut;
  std::vector<double> matrix(size_t(t.inputs * t.partsIn * columns));
  for (int64_t j = 0; j < t.inputs; ++j) {
    // What half a spectrum leaves out mirrors what it has.
    bool isMirrored = t.inputs != t.length && j != 0 && 2 * j != t.length;
    double weight = isMirrored ? 2 : 1;
    for (int64_t k = 0; k < t.outputs; ++k) {
      double re = weight * roots.cosine(j, k);
      double im = weight * sign * roots.sine(j, k);
      double *at = &matrix[size_t(j * t.partsIn * columns + k * t.partsOut)];
      at[0] = re;
      if (t.partsOut == 2)
        at[1] = im;
      if (t.partsIn == 2) {
        at[columns] = -im;
        if (t.partsOut == 2)
          at[columns + 1] = re;
      }
    }
  }
  Type type = Node::elementTypeOf(x);
  int64_t rows = Node::shapeOf(x)[0];
  Value factors = node.reshape(x, {rows, t.inputs * t.partsIn});
  Value weights = node.reals({t.inputs * t.partsIn, columns}, matrix, type);
  Value y = node.failed()
                ? Value()
                : node.create<MatmulOp>(type, factors, weights, Value(),
                                        Value(), false, false, ActivationAttr(),
                                        /*keepFloat=*/true);
  return node.reshape(y, {rows, t.outputs, t.partsOut});
}

/// The largest divisor of `n` that is at most its square root.
static int64_t smallerFactor(int64_t n) {
  int64_t factor = 1;
  for (int64_t d = 2; d * d <= n; ++d)
    if (n % d == 0)
      factor = d;
  return factor;
}

/// x * exp(+-2 pi i j k / n) for x [rows, j, k, 2].
static Value twiddle(Node &node, Value x, const Transform &t) {
  ArrayRef<int64_t> shape = Node::shapeOf(x);
  Roots roots(t.length);
  double sign = t.inverse ? 1 : -1;
  std::vector<double> cosines, sines;
  for (int64_t j = 0; j < shape[1]; ++j)
    for (int64_t k = 0; k < shape[2]; ++k) {
      double sine = sign * roots.sine(j, k);
      cosines.push_back(roots.cosine(j, k));
      sines.insert(sines.end(), {-sine, sine});
    }
  Type type = Node::elementTypeOf(x);
  Value swapped = node.gather(x, node.ints({1, 0}), 3);
  Value same = node.binary(BinaryKind::Mul, x,
                           node.reals({shape[1], shape[2], 1}, cosines, type));
  Value crossed = node.binary(BinaryKind::Mul, swapped,
                              node.reals({shape[1], shape[2], 2}, sines, type));
  return node.binary(BinaryKind::Add, same, crossed);
}

static Value transform(Node &node, Value x, const Transform &t);

/// With j = j1 n2 + j2 and k = k1 + n1 k2: transforms over j1, a factor for
/// each (j2, k1), transforms over j2.
static Value transformInParts(Node &node, Value x, int64_t n1,
                              const Transform &t) {
  int64_t n2 = t.length / n1, rows = Node::shapeOf(x)[0];
  auto part = [&](Value values, int64_t length, int64_t partsIn) {
    return transform(node, values,
                     {length, length, length, partsIn, 2, t.inverse});
  };
  x = node.transpose(node.reshape(x, {rows, n1, n2, t.partsIn}), {0, 2, 1, 3});
  x = part(node.reshape(x, {rows * n2, n1, t.partsIn}), n1, t.partsIn);
  x = twiddle(node, node.reshape(x, {rows, n2, n1, 2}), t);
  x = node.reshape(node.transpose(x, {0, 2, 1, 3}), {rows * n1, n2, 2});
  x = node.reshape(part(x, n2, 2), {rows, n1, n2, 2});
  x = node.reshape(node.transpose(x, {0, 2, 1, 3}), {rows, t.length, 2});
  return node.slice(x, {0, 0, 0}, {rows, t.outputs, t.partsOut}, {1, 1, 1});
}

static Value transform(Node &node, Value x, const Transform &t) {
  if (node.failed())
    return {};
  if (t.length <= kMaxDirect)
    return transformDirectly(node, x, t);
  int64_t factor = smallerFactor(t.length);
  if (factor == 1) {
    if (t.length <= kMaxPrime)
      return transformDirectly(node, x, t);
    node.error() << "a transform whose length has the prime factor " << t.length
                 << " is not supported; pad the signal to another length";
    return {};
  }
  if (t.inputs == t.length)
    return transformInParts(node, x, factor, t);
  // The other half of the spectrum: conjugates in reversed order.
  SmallVector<int64_t> mirrored;
  std::vector<double> signs;
  for (int64_t k = 0; k < t.length; ++k) {
    bool isGiven = k < t.inputs;
    mirrored.push_back(isGiven ? k : t.length - k);
    signs.insert(signs.end(), {1.0, isGiven ? 1.0 : -1.0});
  }
  Value all =
      node.binary(BinaryKind::Mul, node.gather(x, node.ints(mirrored), 1),
                  node.reals({t.length, 2}, signs, Node::elementTypeOf(x)));
  Transform full = t;
  full.inputs = t.length;
  return node.failed() ? Value() : transformInParts(node, all, factor, full);
}

/// `x` with `extent` values along an axis: cut, or followed by zeros.
static Value fitAxis(Node &node, Value x, int64_t axis, int64_t extent) {
  SmallVector<int64_t> shape(Node::shapeOf(x));
  int64_t missing = extent - shape[axis];
  if (missing <= 0) {
    shape[axis] = extent;
    SmallVector<int64_t> zeros(shape.size(), 0), ones(shape.size(), 1);
    return missing == 0 ? x : node.slice(x, zeros, shape, ones);
  }
  SmallVector<int64_t> pads(2 * shape.size(), 0);
  pads[shape.size() + size_t(axis)] = missing;
  return node.move<PadOp>(x, pads, PadMode::Constant, llvm::APFloat(0.0));
}

/// Whether the last dimension holds real or complex numbers.
static bool checkParts(Node &node, ArrayRef<int64_t> shape) {
  if (!isa<FloatType>(node.elementType(0)))
    node.error() << "needs numbers of floating point";
  else if (shape.size() < 2 || shape.back() < 1 || shape.back() > 2)
    node.error() << "the last dimension must be 1 (real numbers) or 2 (complex "
                    "ones); the input is "
                 << shapeToString(shape);
  return !node.failed();
}

void qcc::import::convertDFT(Node &node) {
  bool inverse = node.boolAttr("inverse"), oneSided = node.boolAttr("onesided");
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t rank = node.rank(0);
  if (!checkParts(node, shape))
    return;
  int64_t axis = node.opset() < 20 ? node.intAttr("axis", 1) : -2;
  if (node.opset() >= 20 && node.has(2))
    axis = readInt(node, 2, "axis", -rank, rank - 1).value_or(0);
  axis = node.normalizeAxis(axis, rank);
  if (node.failed())
    return;
  if (axis == rank - 1) {
    node.error() << "axis " << axis << " holds the parts of the numbers";
    return;
  }
  bool isHalfIn = oneSided && inverse, isHalfOut = oneSided && !inverse;
  if (oneSided && shape.back() != (inverse ? 2 : 1)) {
    node.error() << "onesided=1 needs "
                 << (inverse ? "a complex spectrum" : "a real signal");
    return;
  }
  int64_t length = isHalfIn ? 2 * (shape[axis] - 1) : shape[axis];
  if (node.has(1))
    length = readInt(node, 1, "dft_length", 1, kMaxLength).value_or(1);
  if (node.failed())
    return;
  if (length < 1 || length > kMaxLength) {
    node.error() << "a transform of " << length << " values (1 to "
                 << kMaxLength << " are supported)";
    return;
  }
  int64_t half = length / 2 + 1;
  Transform t{length,       isHalfIn ? half : length, isHalfOut ? half : length,
              shape.back(), isHalfIn ? 1 : 2,         inverse};
  Value x = fitAxis(node, node.in(0), axis, t.inputs);

  // The axis becomes the last one but one.
  SmallVector<int64_t> permutation, back(static_cast<size_t>(rank));
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis && d != rank - 1)
      permutation.push_back(d);
  permutation.append({axis, rank - 1});
  for (auto [to, from] : llvm::enumerate(permutation))
    back[from] = int64_t(to);
  x = node.transpose(x, permutation);
  if (node.failed())
    return;
  SmallVector<int64_t> moved(Node::shapeOf(x));
  int64_t rows = 1;
  for (int64_t extent : ArrayRef<int64_t>(moved).drop_back(2))
    rows *= extent;
  x = transform(node, node.reshape(x, {rows, t.inputs, t.partsIn}), t);
  if (inverse && !node.failed())
    x = node.binary(BinaryKind::Mul, x,
                    node.scalarLike(x, 1.0 / double(length)));
  moved[moved.size() - 2] = t.outputs;
  moved.back() = t.partsOut;
  node.setOutput(0, node.transpose(node.reshape(x, moved), back));
}

void qcc::import::convertSTFT(Node &node) {
  SmallVector<int64_t> shape(node.shape(0));
  if (shape.size() == 2)
    shape.push_back(1);
  if (!checkParts(node, shape))
    return;
  if (shape.size() != 3) {
    node.error() << "the signal must be [batch, length, 1 or 2], not "
                 << shapeToString(shape);
    return;
  }
  int64_t samples = shape[1], length = -1;
  auto step = readInt(node, 1, "frame_step", 1, kMaxLength);
  if (node.has(3))
    length = readInt(node, 3, "frame_length", 1, kMaxLength).value_or(1);
  else if (node.has(2) && node.rank(2) == 1)
    length = node.shape(2)[0];
  if (node.failed())
    return;
  if (length < 1 || length > samples ||
      (node.has(2) && node.shape(2) != ArrayRef<int64_t>{length})) {
    node.error() << "needs a frame_length or a window of one dimension; where "
                    "both are given they must agree, from 1 to the signal's "
                 << samples << " samples";
    return;
  }
  bool oneSided = node.boolAttr("onesided", true);
  if (oneSided && shape.back() == 2) {
    node.error() << "onesided=1 needs a real signal";
    return;
  }
  int64_t frames = (samples - length) / *step + 1;
  SmallVector<int64_t> places;
  if (frames > kMaxLength / length) {
    node.error() << frames << " frames of " << length
                 << " samples are too many; shorten the signal";
    return;
  }
  for (int64_t frame = 0; frame < frames; ++frame)
    for (int64_t i = 0; i < length; ++i)
      places.push_back(frame * *step + i);
  Value x = node.gather(node.reshape(node.in(0), shape),
                        node.ints(places, {frames, length}), 1);
  if (node.has(2))
    x = node.binary(BinaryKind::Mul, x, node.reshape(node.in(2), {length, 1}));
  Transform t{length,       length, oneSided ? length / 2 + 1 : length,
              shape.back(), 2,      false};
  x = transform(node,
                node.reshape(x, {shape[0] * frames, length, shape.back()}), t);
  node.setOutput(0, node.reshape(x, {shape[0], frames, t.outputs, 2}));
}

void qcc::import::convertWindow(Node &node) {
  auto size = readInt(node, 0, "size", 1, kMaxLength);
  Type type = readOutputType(node);
  if (node.failed())
    return;
  StringRef op = node.opType();
  // Of the cosines of none, one and two periods.
  std::array<double, 3> terms{0.5, -0.5, 0};
  if (op == "HammingWindow")
    terms = {25.0 / 46, -21.0 / 46, 0};
  else if (op == "BlackmanWindow")
    terms = {0.42, -0.5, 0.08};
  int64_t period = node.boolAttr("periodic", true) ? *size : *size - 1;
  std::vector<double> values;
  for (int64_t i = 0; i < *size; ++i) {
    double angle = 2 * M_PI * double(i) / double(std::max<int64_t>(period, 1));
    values.push_back(terms[0] + terms[1] * std::cos(angle) +
                     terms[2] * std::cos(2 * angle));
  }
  node.setOutput(0, node.reals({*size}, values, type));
}

/// Triangles between neighbouring ones of num_mel_bins + 2 frequencies, which
/// are equally far apart on the mel scale, 2595 log10(1 + f / 700).
void qcc::import::convertMelWeightMatrix(Node &node) {
  auto bins = readInt(node, 0, "num_mel_bins", 1, 1 << 16);
  auto length = readInt(node, 1, "dft_length", 1, 1 << 20);
  auto rate = readInt(node, 2, "sample_rate", 1, 1 << 30);
  SmallVector<double> lower = node.constantFloats(3, "lower_edge_hertz"),
                      upper = node.constantFloats(4, "upper_edge_hertz");
  Type type = readOutputType(node);
  if (node.failed())
    return;
  int64_t rows = *length / 2 + 1;
  if (lower.size() != 1 || upper.size() != 1 || !(lower[0] >= 0) ||
      !(upper[0] > lower[0]) || !(upper[0] <= double(*rate) / 2)) {
    node.error() << "the edges must be two frequencies in increasing order, "
                    "from 0 to half of sample_rate";
    return;
  }
  if (rows * *bins > kMaxLength) {
    node.error() << "a table of " << rows << " x " << *bins
                 << " is too large (at most 2^24 elements)";
    return;
  }
  auto toMel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double low = toMel(lower[0]);
  double step = (toMel(upper[0]) - low) / double(*bins + 2);
  SmallVector<int64_t> edges;
  for (int64_t i = 0; i < *bins + 2; ++i) {
    double hertz = 700 * (std::pow(10, (low + double(i) * step) / 2595) - 1);
    edges.push_back(std::min(
        int64_t(std::floor(double(*length + 1) * hertz / double(*rate))),
        rows - 1));
  }
  std::vector<double> values(size_t(rows * *bins), 0);
  for (int64_t i = 0; i < *bins; ++i) {
    int64_t from = edges[i], peak = edges[i + 1], to = edges[i + 2];
    auto at = [&](int64_t row) -> double & {
      return values[size_t(row * *bins + i)];
    };
    for (int64_t j = from; j < peak; ++j)
      at(j) = double(j - from) / double(peak - from);
    for (int64_t j = peak; j < to; ++j)
      at(j) = double(to - j) / double(to - peak);
    at(peak) = 1;
  }
  node.setOutput(0, node.reals({rows, *bins}, values, type));
}
