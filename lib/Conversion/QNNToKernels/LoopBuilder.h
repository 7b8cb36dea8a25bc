//===- LoopBuilder.h - Building blocks of the reference kernels -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference kernels are loops over memrefs. They are the oracle of every
// optimized kernel and, vectorized by LLVM, the kernel of every op that has no
// better one, so the innermost loop runs over contiguous elements wherever the
// op allows it and holds no division of indices.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_LOOPBUILDER_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_LOOPBUILDER_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"
#include "qcc/Support/QuantMath.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SmallVector.h"

namespace qcc::reference {

/// How the elements of a tensor are stored and what they mean.
struct Element {
  explicit Element(mlir::Type tensorOrElementType);

  mlir::Type type;    ///< as in the tensor
  mlir::Type storage; ///< as in the buffer: signless, i1 as i8
  bool isUnsigned = false;
  bool isBool = false;
  mlir::quant::QuantizedType quantized;             ///< null for plain numbers
  mlir::quant::UniformQuantizedPerAxisType perAxis; ///< null unless per axis

  bool isFloat() const { return mlir::isa<mlir::FloatType>(storage); }
  bool isQuantized() const { return bool(quantized); }
  /// A plain integer (or bool).
  bool isInteger() const { return !isFloat() && !quantized; }
  unsigned width() const { return storage.getIntOrFloatBitWidth(); }
  /// f64 for f64, else f32: the type in which real values are computed.
  mlir::Type real() const;
  unsigned numChannels() const;
  QuantParams params(unsigned channel = 0) const;
  /// The smallest integer type (i32 or i64) that holds all q - zeroPoint.
  mlir::Type wide() const;
};

/// An OpBuilder with the vocabulary of loops over numbers. Constants stand at
/// the start of the kernel.
class LoopBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;

  /// `builder` stands in the entry block of the kernel.
  LoopBuilder(mlir::OpBuilder &builder, mlir::Location loc,
              const TargetLevel &level);

  Value index(int64_t value);
  // A number of `type`, in all lanes where it is a vector.
  Value integer(Type type, int64_t value);
  Value real(Type type, double value);
  /// Float or integer.
  Value number(Type type, double value);

  // Arithmetic on floats, integers and indices alike.
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b, bool isUnsigned = false);
  /// a * b + c; one rounding for floats where the level can.
  Value multiplyAdd(Value a, Value b, Value c);
  Value less(Value a, Value b, bool isUnsigned = false);
  Value greater(Value a, Value b, bool isUnsigned = false);
  Value select(Value condition, Value a, Value b);
  Value smaller(Value a, Value b, bool isUnsigned = false); ///< b if unordered
  Value larger(Value a, Value b, bool isUnsigned = false);  ///< b if unordered
  /// Index arithmetic with folding of constants.
  Value addIndex(Value a, int64_t b);
  Value mulIndex(Value a, int64_t b);

  // Loops.
  void loop(Value from, Value to, llvm::function_ref<void(Value)> body);
  void loop(int64_t from, int64_t to, llvm::function_ref<void(Value)> body);
  void loop(Value from, Value to, int64_t step,
            llvm::function_ref<void(Value)> body);
  llvm::SmallVector<Value>
  loop(Value from, Value to, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)>
           body);
  void ifThen(Value condition, llvm::function_ref<void()> body);

  // Memory.
  /// `buffer` under another row-major shape.
  Value view(Value buffer, llvm::ArrayRef<int64_t> shape);
  Value flat(Value buffer);
  /// Memory of the kernel's own stack frame, for `elements` of `type`.
  Value local(Type type, int64_t elements);
  Value load(Value memref, mlir::ValueRange indices);
  void store(Value value, Value memref, mlir::ValueRange indices);
  Value loadVector(Value memref, Value position, int64_t lanes);
  /// `scalar` in all lanes where `shapedLike` is a vector.
  Value broadcast(Value scalar, Value shapedLike);

  // Elements.
  /// A float in a wider or narrower float type, rounded once.
  Value extend(Value value, Type type);
  Value narrow(Value value, Type type);
  /// Integer storage extended to `type` (no zero point subtracted).
  Value widen(Value raw, const Element &element, Type type);
  /// q - zeroPoint, in `type`.
  Value centered(Value raw, const Element &element, Type type);
  /// The real value of a stored element (per-tensor quantized, or plain).
  Value toReal(Value raw, const Element &element);
  /// (raw - zeroPoint) * scale with both given as values (f32, i32).
  Value dequantize(Value raw, const Element &element, Value scale,
                   Value zeroPoint);
  /// The stored form of a real value (per-tensor quantized, or plain).
  Value fromReal(Value value, const Element &element);
  /// saturate(roundeven(value / scale) + zeroPoint), both given as values.
  Value quantize(Value value, const Element &element, Value scale,
                 Value zeroPoint);
  /// clamp(roundeven(scaled), lo, hi) + zeroPoint in storage; `scaled` is in
  /// units of the scale. `params` may hold a narrower range than the storage.
  Value roundToStorage(Value scaled, const QuantParams &params, Type storage);
  /// Between plain number types as qnn.cast does.
  Value convert(Value raw, const Element &from, const Element &to);

  /// The function of qnn.unary on a float.
  Value unary(qnn::UnaryKind kind, double alpha, double beta, Value x);
  /// An activation, or `x` where there is none.
  Value activate(qnn::ActivationAttr activation, Value x);
  /// The stored form of an activation's result. Where that is a byte, functions
  /// may be computed roughly (FloatFunctions::roughly).
  Value storedActivation(qnn::ActivationAttr activation, Value x,
                         const Element &element);

  const TargetLevel &level;

private:
  mlir::Block *entry;
  mlir::Operation *lastConstant = nullptr;
  llvm::DenseMap<mlir::Attribute, Value> constants;
  Value constant(mlir::TypedAttr value);
};

/// The quantization range narrowed by an activation: relu and clamp act on the
/// rounded value exactly as on the real one, since rounding is monotonic and
/// maps 0 to the zero point. Nothing for other activations.
std::optional<QuantParams> foldActivation(qnn::ActivationAttr activation,
                                          QuantParams params);

/// A box of iterations cut into tiles of about `grain` iterations each: the
/// outermost dimensions one by one, the next one in blocks, the rest whole.
struct Tiling {
  Tiling(llvm::ArrayRef<int64_t> shape, int64_t grain);
  int64_t tiles() const;

  llvm::SmallVector<int64_t> shape;
  unsigned split = 0; ///< the dimension that is cut into blocks
  int64_t block = 1;  ///< its iterations per tile
  int64_t blocks = 1;
};

/// Loops over the iterations of the tiles [begin, end).
void tiledLoops(LoopBuilder &b, const Tiling &tiling, mlir::Value begin,
                mlir::Value end,
                llvm::function_ref<void(mlir::ValueRange)> body);

/// Strides of a row-major box.
llvm::SmallVector<int64_t> rowMajor(llvm::ArrayRef<int64_t> shape);
int64_t product(llvm::ArrayRef<int64_t> shape);
/// The shape of a ranked tensor or memref value.
llvm::ArrayRef<int64_t> shapeOf(mlir::Value value);

/// Drops dimensions of extent 1 and merges neighbours that every access walks
/// as one; `strides` are those of each access.
void collapseBox(llvm::SmallVectorImpl<int64_t> &shape,
                 llvm::ArrayRef<llvm::SmallVector<int64_t> *> strides);

/// What a kernel of `op` depends on: name, attributes, types.
std::string opKey(mlir::Operation *op);

/// Emits result[i] = f(operands[i]) for each i of a box; operands and results
/// are reached by strides, which may be 0 (broadcast) or negative.
class MapEmitter {
public:
  MapEmitter(KernelEmitter &emitter, mlir::Location loc,
             llvm::ArrayRef<int64_t> shape)
      : emitter(emitter), loc(loc), shape(shape) {}

  /// Adds an operand; returns its number among the raw values.
  unsigned input(mlir::Value buffer, llvm::ArrayRef<int64_t> strides,
                 int64_t offset = 0);
  /// The buffer of a tensor that broadcasts to the box as in NumPy.
  unsigned input(mlir::Value tensor);
  void output(mlir::Value buffer, llvm::ArrayRef<int64_t> strides,
              int64_t offset = 0);

  /// An operand or result whose real value is wanted: per-axis parameters
  /// become further operands.
  struct Real {
    Element element;
    unsigned raw = 0;
    std::optional<unsigned> scale{}, zeroPoint{};
    mlir::Value load(LoopBuilder &b, mlir::ValueRange raws) const;
    mlir::Value store(LoopBuilder &b, mlir::Value value,
                      mlir::ValueRange raws) const;
  };
  Real realInput(mlir::Value tensor);
  /// A result of the shape of the box.
  Real realOutput(mlir::Value tensor);

  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      LoopBuilder &, mlir::ValueRange raws)>;
  void emit(llvm::StringRef stem, llvm::StringRef key, Body body);

private:
  struct Access {
    mlir::Value buffer;
    llvm::SmallVector<int64_t> strides;
    int64_t offset;
  };
  void addChannelParams(Real &real, llvm::ArrayRef<int64_t> tensorShape);

  KernelEmitter &emitter;
  mlir::Location loc;
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Access> inputs, outputs;
};

/// A box of elements that moves from one buffer to another of the same
/// element type.
struct Move {
  llvm::SmallVector<int64_t> shape, fromStrides, toStrides;
  int64_t fromOffset = 0, toOffset = 0;
};
void emitMove(KernelEmitter &emitter, mlir::Location loc, llvm::StringRef stem,
              Move move, mlir::Value from, mlir::Value to);
/// The same in square blocks that are transposed in registers; false where
/// the move is no transposition of two large enough dimensions.
bool emitBlockTranspose(KernelEmitter &emitter, mlir::Location loc, Move move,
                        mlir::Value from, mlir::Value to);
/// The same for two or three planes whose elements come to alternate; false for
/// other moves.
bool emitInterleave(KernelEmitter &emitter, mlir::Location loc, Move move,
                    mlir::Value from, mlir::Value to);
/// Whether a tensor is a slice or a transposition that is only moved on: it is
/// not stored, and who moves it reads the operand.
bool isReadThrough(mlir::Value tensor);
/// Whether a concatenation is only transposed: its operands are written where
/// the transposition has them.
bool isWrittenThrough(qnn::ConcatOp concat);
/// Emits a call that copies all elements of one buffer to another.
void emitCopy(KernelEmitter &emitter, mlir::Value from, mlir::Value to,
              mlir::Location loc);

/// The bytes of an array of numbers, for KernelEmitter::constant().
template <typename T> llvm::ArrayRef<char> bytesOf(llvm::ArrayRef<T> values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}
/// A constant buffer of f32 or i32 numbers.
mlir::Value constantOf(KernelEmitter &emitter, llvm::StringRef stem,
                       llvm::ArrayRef<float> values);
mlir::Value constantOf(KernelEmitter &emitter, llvm::StringRef stem,
                       llvm::ArrayRef<int32_t> values);

// The op families; each takes its ops and fails on others.
llvm::LogicalResult emitElementwise(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitCast(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitLinear(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitPool(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitRecurrence(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitReduction(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitNormalization(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitMovement(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitResize(mlir::Operation *op, KernelEmitter &);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_LOOPBUILDER_H
