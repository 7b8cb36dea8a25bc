//===- QuantMath.h - Rounding and saturation, defined once -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numerics contract of qcc (docs/quantization.md). Every layer that
// computes with scales on the host calls these functions; generated code
// spells out the same operations in the same order and precision.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_QUANTMATH_H
#define QCC_SUPPORT_QUANTMATH_H

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace qcc {

/// Storage range and parameters of one quantized tensor (or channel).
struct QuantParams {
  float scale = 1.f;     ///< > 0, finite
  int64_t zeroPoint = 0; ///< within [qmin, qmax]
  int64_t qmin = -128, qmax = 127;
};

/// Round half to even, independent of the rounding mode of the host's caller.
inline float roundHalfEven(float x) { return std::nearbyintf(x); }

/// ONNX QuantizeLinear: saturate(roundeven(x / scale) + zeroPoint). Division,
/// not multiplication by a reciprocal; clamped before the conversion to an
/// integer, so that infinities saturate; NaN gives qmin.
inline int64_t quantize(float x, const QuantParams &p) {
  float lo = float(p.qmin - p.zeroPoint), hi = float(p.qmax - p.zeroPoint);
  float q = roundHalfEven(x / p.scale);
  q = q > lo ? q : lo; // false for NaN
  q = q < hi ? q : hi;
  // The bounds of 32 bits are not exact in float32.
  return std::min(int64_t(q) + p.zeroPoint, p.qmax);
}

/// ONNX DequantizeLinear: (q - zeroPoint) * scale, in float32.
inline float dequantize(int64_t q, const QuantParams &p) {
  return float(q - p.zeroPoint) * p.scale;
}

/// The factor of a requantization: (sx * sw) / sy, rounded to float32 after
/// each operation, in this order.
inline float requantizeMultiplier(float sx, float sw, float sy) {
  volatile float product = sx * sw;
  return product / sy;
}

/// The factor of a mean of n elements, applied to their exact integer sum:
/// sx / (n * sy), rounded to float32 after each operation.
inline float meanMultiplier(float sx, int64_t n, float sy) {
  volatile float product = float(n) * sy;
  return sx / product;
}

/// clamp(roundeven(float(acc) * m), qmin - zp, qmax - zp) + zp.
inline int64_t requantize(int32_t acc, float m, const QuantParams &out) {
  float lo = float(out.qmin - out.zeroPoint),
        hi = float(out.qmax - out.zeroPoint);
  float q = roundHalfEven(float(acc) * m);
  q = q > lo ? q : lo;
  q = q < hi ? q : hi;
  return int64_t(q) + out.zeroPoint;
}

} // namespace qcc

#endif // QCC_SUPPORT_QUANTMATH_H
