//===- ConvertEinsum.cpp - Einsum ----------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands are taken in one by one: a label that neither the result nor a later
// operand has is summed, and two operands that share one are a matrix product.
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

namespace {
using Labels = SmallVector<char>;

/// A tensor whose dimensions have names, no two the same.
struct Labelled {
  Labels labels;
  Value value;
  int64_t extent(char label) const {
    return Node::shapeOf(value)[llvm::find(labels, label) - labels.begin()];
  }
  bool has(char label) const { return llvm::is_contained(labels, label); }
};

class Einsum {
public:
  explicit Einsum(Node &node) : node(node) {}
  void convert();

private:
  bool parse(StringRef equation);
  Labels expand(StringRef term, int64_t rank);
  Labelled unique(Value value, Labels labels);
  Labelled sum(Labelled x, llvm::function_ref<bool(char)> keeps);
  Labelled contract(Labelled a, Labelled b,
                    llvm::function_ref<bool(char)> keeps);
  Value arrange(const Labelled &x, ArrayRef<char> order);

  Node &node;
  SmallVector<Labels> terms;
  Labels result;
  int64_t ellipsisRank = 0;
};
} // namespace

/// The labels of a term. Dimensions of an ellipsis are numbered from the last.
Labels Einsum::expand(StringRef term, int64_t rank) {
  Labels labels;
  size_t dots = term.find("...");
  int64_t named = term.size() - (dots == StringRef::npos ? 0 : 3);
  for (size_t i = 0; i < term.size(); ++i) {
    if (i != dots) {
      labels.push_back(term[i]);
      continue;
    }
    for (int64_t d = rank - named; d-- > 0;)
      labels.push_back(char(d));
    i += 2;
  }
  return labels;
}

bool Einsum::parse(StringRef equation) {
  std::string text = equation.str();
  llvm::erase_if(text, [](char c) { return c == ' '; });
  auto [left, right] = StringRef(text).split("->");
  bool isExplicit = StringRef(text).contains("->");
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  auto isTerm = [](StringRef term) {
    size_t dots = term.find("...");
    std::string letters = term.str();
    if (dots != StringRef::npos)
      letters.erase(dots, 3);
    return llvm::all_of(letters, [](char c) { return llvm::isAlpha(c); });
  };
  if (parts.size() != node.numInputs() || !llvm::all_of(parts, isTerm) ||
      !isTerm(right)) {
    node.error() << "the equation \"" << equation << "\" for "
                 << node.numInputs() << " operands is malformed";
    return false;
  }
  for (auto [i, term] : llvm::enumerate(parts)) {
    bool hasDots = term.contains("...");
    int64_t extra = node.rank(i) - int64_t(term.size()) + (hasDots ? 3 : 0);
    if (extra < 0 || (!hasDots && extra != 0)) {
      node.error() << "operand " << i << " has rank " << node.rank(i)
                   << ", the equation gives it \"" << term << "\"";
      return false;
    }
    if (hasDots)
      ellipsisRank = std::max(ellipsisRank, extra);
    terms.push_back(expand(term, node.rank(i)));
  }
  if (isExplicit) {
    int64_t named = right.size() - (right.contains("...") ? 3 : 0);
    result = expand(right, named + ellipsisRank);
  } else {
    // The ellipsis, then what stands once, in the order of the alphabet.
    for (int64_t d = ellipsisRank; d-- > 0;)
      result.push_back(char(d));
    std::string all;
    for (const Labels &term : terms)
      all.append(term.begin(), term.end());
    for (char c : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz"))
      if (llvm::count(all, c) == 1)
        result.push_back(c);
  }
  return true;
}

/// Takes the diagonal of dimensions with one name.
Labelled Einsum::unique(Value value, Labels labels) {
  for (size_t i = 0; i < labels.size() && !node.failed(); ++i) {
    auto again = std::find(labels.begin() + i + 1, labels.end(), labels[i]);
    if (again == labels.end())
      continue;
    int64_t j = again - labels.begin(), rank = labels.size();
    ArrayRef<int64_t> shape = Node::shapeOf(value);
    int64_t extent = shape[i];
    if (shape[j] != extent) {
      node.error() << "dimensions of one name have extents " << extent
                   << " and " << shape[j];
      return {};
    }
    // Both to the end; the diagonal is each (n + 1)-th element there.
    SmallVector<int64_t> order, sizes;
    for (int64_t d = 0; d < rank; ++d)
      if (d != int64_t(i) && d != j) {
        order.push_back(d);
        sizes.push_back(shape[d]);
      }
    order.append({int64_t(i), j});
    sizes.push_back(extent * extent);
    Value flat = node.reshape(node.transpose(value, order), sizes);
    SmallVector<int64_t> starts(sizes.size(), 0), steps(sizes.size(), 1);
    sizes.back() = extent, steps.back() = extent + 1;
    value = node.slice(flat, starts, sizes, steps);
    char label = labels[i];
    labels.erase(labels.begin() + j);
    labels.erase(labels.begin() + i);
    labels.push_back(label);
    i = -1; // from the start: dimensions have moved
  }
  return {labels, value};
}

/// Sums the dimensions that are not kept.
Labelled Einsum::sum(Labelled x, llvm::function_ref<bool(char)> keeps) {
  SmallVector<int64_t> axes;
  Labels labels;
  for (auto [d, label] : llvm::enumerate(x.labels)) {
    if (keeps(label))
      labels.push_back(label);
    else
      axes.push_back(d);
  }
  if (axes.empty())
    return x;
  return {labels, node.reduce(ReduceKind::Sum, x.value, axes, false)};
}

/// `x` with the dimensions in this order, 1 where it lacks one.
Value Einsum::arrange(const Labelled &x, ArrayRef<char> order) {
  if (node.failed())
    return {};
  SmallVector<int64_t> permutation, shape;
  for (char label : order) {
    if (!x.has(label)) {
      shape.push_back(1);
      continue;
    }
    permutation.push_back(llvm::find(x.labels, label) - x.labels.begin());
    shape.push_back(x.extent(label));
  }
  Value moved = llvm::is_sorted(permutation)
                    ? x.value
                    : node.transpose(x.value, permutation);
  return node.reshape(moved, shape);
}

Labelled Einsum::contract(Labelled a, Labelled b,
                          llvm::function_ref<bool(char)> keeps) {
  // What one operand alone has and nobody wants.
  a = sum(a, [&](char c) { return keeps(c) || b.has(c); });
  b = sum(b, [&](char c) { return keeps(c) || a.has(c); });
  if (node.failed())
    return {};
  Labels batch, rows, columns, depth;
  for (char c : a.labels)
    (!b.has(c) ? rows : keeps(c) ? batch : depth).push_back(c);
  for (char c : b.labels)
    if (!a.has(c))
      columns.push_back(c);
  auto join = [](std::initializer_list<ArrayRef<char>> parts) {
    Labels all;
    for (ArrayRef<char> part : parts)
      all.append(part.begin(), part.end());
    return all;
  };
  Labels labels = join({batch, rows, columns});
  // Dimensions of extent 1 that broadcast have no place in a product.
  bool broadcasts = llvm::any_of(
      join({batch, depth}), [&](char c) { return a.extent(c) != b.extent(c); });
  if (depth.empty() || broadcasts ||
      !isa<FloatType>(Node::elementTypeOf(a.value))) {
    Labels order = join({labels, depth});
    Labelled product{order, node.binary(BinaryKind::Mul, arrange(a, order),
                                        arrange(b, order))};
    return node.failed() ? product : sum(product, [&](char c) {
      return !llvm::is_contained(depth, c);
    });
  }
  auto size = [&](const Labelled &x, ArrayRef<char> part) {
    int64_t count = 1;
    for (char c : part)
      count *= x.extent(c);
    return count;
  };
  SmallVector<int64_t> prefix;
  if (!batch.empty())
    prefix.push_back(size(a, batch));
  auto matrix = [&](const Labelled &x, ArrayRef<char> first,
                    ArrayRef<char> second) {
    SmallVector<int64_t> shape(prefix);
    shape.append({size(x, first), size(x, second)});
    return node.reshape(arrange(x, join({batch, first, second})), shape);
  };
  Value lhs = matrix(a, rows, depth), rhs = matrix(b, depth, columns);
  SmallVector<int64_t> shape;
  for (char c : labels)
    shape.push_back(a.has(c) ? a.extent(c) : b.extent(c));
  if (node.failed())
    return {};
  if (Node::elementTypeOf(lhs) != Node::elementTypeOf(rhs)) {
    node.error() << "operands of different types";
    return {};
  }
  Value product =
      node.create<MatmulOp>(Node::elementTypeOf(lhs), lhs, rhs, Value(),
                            Value(), false, false, ActivationAttr());
  return {labels, node.reshape(product, shape)};
}

void Einsum::convert() {
  if (!node.hasAttr("equation"))
    node.error() << "attribute \"equation\" is missing";
  if (!parse(node.stringAttr("equation", "")))
    return;
  Labelled x;
  for (size_t i = 0; i < terms.size() && !node.failed(); ++i) {
    auto keeps = [&](char c) {
      return llvm::is_contained(result, c) ||
             llvm::any_of(ArrayRef(terms).drop_front(i + 1),
                          [&](const Labels &term) {
                            return llvm::is_contained(term, c);
                          });
    };
    Labelled next = unique(node.in(i), terms[i]);
    if (node.failed())
      return;
    x = i == 0 ? sum(next, keeps) : contract(x, next, keeps);
  }
  if (node.failed())
    return;
  for (char c : result)
    if (!x.has(c)) {
      node.error() << "the result has a dimension that no operand has";
      return;
    }
  node.setOutput(0, arrange(x, result));
}

void qcc::import::convertEinsum(Node &node) { Einsum(node).convert(); }
