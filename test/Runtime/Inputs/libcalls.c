/* The runtime's arithmetic against the compiler's and libm's. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

float own_extendhfsf2(_Float16 h);
_Float16 own_truncsfhf2(float f);
_Float16 own_truncdfhf2(double d);
double own_fmod(double x, double y);
float own_fmodf(float x, float y);

static uint64_t state = 1;
static uint64_t next(void) { /* splitmix64 */
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static int failures;
static void fail(const char *what, double x, double y) {
  if (failures++ < 10)
    printf("%s(%a, %a)\n", what, x, y);
}

static int same(double a, double b) {
  return memcmp(&a, &b, 8) == 0 || (isnan(a) && isnan(b));
}

static void narrow(float f) {
  if (!same((float)own_truncsfhf2(f), (float)(_Float16)f))
    fail("truncsfhf2", f, 0);
}

static void narrow_double(double d) {
  if (!same((float)own_truncdfhf2(d), (float)(_Float16)d))
    fail("truncdfhf2", d, 0);
}

static void remainder_of(double x, double y) {
  if (!same(own_fmod(x, y), fmod(x, y)))
    fail("fmod", x, y);
  if (!same(own_fmodf((float)x, (float)y), fmodf((float)x, (float)y)))
    fail("fmodf", x, y);
}

int main(void) {
  for (uint32_t i = 0; i < 65536; ++i) {
    uint16_t bits = (uint16_t)i;
    _Float16 h;
    memcpy(&h, &bits, 2);
    if (!same(own_extendhfsf2(h), (float)h))
      fail("extendhfsf2", (float)h, 0);
    /* Ties between neighbours, and just beside them. */
    float f = own_extendhfsf2(h);
    narrow(f);
    narrow_double(f);
    bits = (uint16_t)(i + 1);
    memcpy(&h, &bits, 2);
    float tie = (f + own_extendhfsf2(h)) / 2;
    narrow(tie);
    narrow_double(tie);
    narrow(nextafterf(tie, INFINITY));
    narrow(nextafterf(tie, -INFINITY));
    narrow_double(nextafter(tie, INFINITY));
    narrow_double(nextafter(tie, -INFINITY));
  }
  for (int i = 0; i < 1000000; ++i) {
    uint64_t a = next(), b = next();
    uint32_t a32 = (uint32_t)a;
    float f;
    memcpy(&f, &a32, 4);
    narrow(f);
    double x, y;
    memcpy(&x, &a, 8);
    /* Of similar size, or the loop of fmod is long. */
    b = (b & 0x800fffffffffffff) | ((a >> 52 & 0x7ff) - b % 40) << 52;
    memcpy(&y, &b, 8);
    narrow_double(x);
    remainder_of(x, y);
    remainder_of((double)(int32_t)a / 64, (double)(int16_t)b / 16);
  }
  const double special[] = {0.0, -0.0, 1, -1, INFINITY, NAN, 0x1p-1074,
                            0x3p-1074, 0x1p-1022, 0x1.fffffffffffffp1023, 5.5};
  for (int i = 0; i < 11; ++i)
    for (int k = 0; k < 11; ++k)
      remainder_of(special[i], special[k]);
  printf(failures ? "%d failed\n" : "all equal\n", failures);
  return failures != 0;
}
