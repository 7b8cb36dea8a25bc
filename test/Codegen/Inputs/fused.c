// Compares what qcc-expand-math makes of math.fma, on scalars and vectors, with
// fmaf() of the C library.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef float Vector __attribute__((vector_size(16)));
float f_scalar(float x, float y, float z);
Vector f_vector(Vector x, Vector y, Vector z);

static float fromBits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static uint32_t bitsOf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static uint32_t next(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 32;
}

// Of one of the exponents [exponent - spread, exponent + spread], and with few
// bits set in every second case.
static float around(int exponent, int spread) {
  uint32_t bits = next(), mantissa = next() & 0x7fffff;
  if (bits & 1)
    mantissa = (mantissa >> (bits >> 1) % 23) << (bits >> 6) % 24;
  exponent += (int)(next() % (2 * spread + 1)) - spread;
  return ldexpf(1 + (mantissa & 0x7fffff) / 8388608.f, exponent) *
         (bits >> 31 ? -1 : 1);
}

static void pick(unsigned i, float *x, float *y, float *z) {
  static const float special[] = {
      0.f,        -0.f,       1.f,       -1.f, 0x1p-126f, 0x1p-149f,
      -0x1p-149f, INFINITY,   NAN,       3.f,  -INFINITY, 0x1p-75f,
      -0x1p-74f,  0x1.8p-75f, 0x1p-150f, -3.f, 0x1p127f,  0x1.fffffep127f,
  };
  const unsigned n = sizeof(special) / sizeof(*special);
  if (i < n * n * n) {
    *x = special[i % n], *y = special[i / n % n], *z = special[i / n / n];
    return;
  }
  switch (i % 4) {
  case 0: // any bits
    *x = fromBits(next()), *y = fromBits(next()), *z = fromBits(next());
    return;
  case 1: // like magnitudes: the sum cancels, or is cut off anywhere
    *x = around(0, 8), *y = around(0, 8), *z = around(0, 60);
    return;
  case 2: // what the product leaves beside its nearest number, or next to it
    *x = around(0, 40), *y = around(0, 40);
    *z = fromBits(bitsOf(-(*x * *y)) + next() % 5 - 2);
    if (next() & 1) // next to a tie
      *z = ldexpf(*z, (int)(next() % 5) + 22);
    return;
  default: // small results
    *x = around(-70, 12), *y = around(-70, 12), *z = around(-140, 12);
    return;
  }
}

int main(void) {
  unsigned bad = 0;
  for (unsigned i = 0; i < 12000000 && bad < 10; i += 4) {
    Vector x, y, z;
    for (unsigned lane = 0; lane < 4; ++lane) {
      float a, b, c;
      pick(i + lane, &a, &b, &c);
      x[lane] = a, y[lane] = b, z[lane] = c;
    }
    Vector all = f_vector(x, y, z);
    for (unsigned lane = 0; lane < 4; ++lane) {
      float want = fmaf(x[lane], y[lane], z[lane]);
      float one = f_scalar(x[lane], y[lane], z[lane]);
      if (isnan(want) ? isnan(one) && isnan(all[lane])
                      : bitsOf(one) == bitsOf(want) &&
                            bitsOf(all[lane]) == bitsOf(want))
        continue;
      printf("%a * %a + %a: %a %a, not %a\n", x[lane], y[lane], z[lane], one,
             all[lane], want);
      ++bad;
    }
  }
  return bad != 0;
}
