// Compares f_NAME(float) with the C library in double precision over a sample
// of all floats, and fails where the error exceeds the promised bound.
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int bad;

static float fromBits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// Error in units of the last place of the correctly rounded result.
static double ulps(float got, double want) {
  float rounded = (float)want;
  if (isnan(want))
    return isnan(got) ? 0 : INFINITY;
  if (isinf(rounded) || isinf(got))
    return got == rounded                                         ? 0
           : isinf(rounded) && got == copysignf(FLT_MAX, rounded) ? 1
                                                                  : INFINITY;
  int exponent;
  frexp(rounded, &exponent);
  double ulp = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
  return fabs(got - want) / ulp;
}

static void check(const char *name, double worst, float x, float y,
                  double limit) {
  printf("%s %.3f (at %a, %a)\n", name, worst, x, y);
  if (!(worst <= limit)) {
    printf("%s exceeds %g ulp\n", name, limit);
    bad = 1;
  }
}

static void unary(const char *name, float (*f)(float),
                  double (*reference)(double), double limit, float largest) {
  double worst = 0;
  float at = 0;
  for (uint64_t bits = 0; bits < (1ull << 32); bits += 1999) {
    float x = fromBits(bits);
    if (isfinite(x) && fabsf(x) > largest)
      continue;
    double e = ulps(f(x), reference(x));
    if (!(e <= worst))
      worst = e, at = x;
  }
  const float special[] = {0.f,       -0.f,   1.f,   -1.f,      INFINITY,
                           -INFINITY, NAN,    88.5f, 88.72283f, -87.5f,
                           -103.9f,   0.625f, 0.93f};
  for (unsigned i = 0; i < sizeof(special) / sizeof(*special); ++i) {
    double e = ulps(f(special[i]), reference(special[i]));
    if (!(e <= worst))
      worst = e, at = special[i];
  }
  check(name, worst, at, 0, limit);
}

static void binary(const char *name, float (*f)(float, float),
                   double (*reference)(double, double), double limit) {
  const float special[] = {0.f, -0.f,  1.f,    -1.f,   2.f,       -2.f,
                           3.f, -3.f,  0.5f,   -0.5f,  INFINITY,  -INFINITY,
                           NAN, 1e30f, -1e30f, 1e-40f, 16777217.f};
  const unsigned n = sizeof(special) / sizeof(*special);
  double worst = 0;
  float atX = 0, atY = 0;
  uint32_t state = 1;
  for (unsigned i = 0; i < 2000000; ++i) {
    float x, y;
    if (i < n * n) {
      x = special[i / n], y = special[i % n];
    } else {
      state = state * 1664525u + 1013904223u;
      uint32_t high = state;
      state = state * 1664525u + 1013904223u;
      if (i & 1) { // any bits
        x = fromBits(high), y = fromBits(state);
      } else { // moderate numbers
        x = high / 65536.f / 256.f, y = ((int32_t)state) / 65536.f / 2048.f;
      }
    }
    double e = ulps(f(x, y), reference(x, y));
    if (!(e <= worst))
      worst = e, atX = x, atY = y;
  }
  check(name, worst, atX, atY, limit);
}

#define UNARY(name, reference, limit, largest)                                 \
  float f_##name(float);                                                       \
  unary(#name, f_##name, reference, limit, largest)
#define BINARY(name, reference, limit)                                         \
  float f_##name(float, float);                                                \
  binary(#name, f_##name, reference, limit)

static double rsqrtReference(double x) { return 1 / sqrt(x); }

int main(void) {
  UNARY(exp, exp, 1.5, FLT_MAX);
  UNARY(exp2, exp2, 1.5, FLT_MAX);
  UNARY(expm1, expm1, 3, FLT_MAX);
  UNARY(log, log, 1.5, FLT_MAX);
  UNARY(log2, log2, 2, FLT_MAX);
  UNARY(log10, log10, 2, FLT_MAX);
  UNARY(log1p, log1p, 1.5, FLT_MAX);
  UNARY(tanh, tanh, 3.5, FLT_MAX);
  UNARY(sinh, sinh, 3, FLT_MAX);
  UNARY(cosh, cosh, 3, FLT_MAX);
  UNARY(erf, erf, 3, FLT_MAX);
  UNARY(sin, sin, 2, 1048576.f);
  UNARY(cos, cos, 2, 1048576.f);
  UNARY(tan, tan, 4, 1048576.f);
  UNARY(asin, asin, 2, FLT_MAX);
  UNARY(acos, acos, 2, FLT_MAX);
  UNARY(atan, atan, 2, FLT_MAX);
  UNARY(rsqrt, rsqrtReference, 1.5, FLT_MAX);
  BINARY(pow, pow, 1.5);
  BINARY(rem, fmod, 0);
  return bad;
}
