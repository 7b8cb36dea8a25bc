import math

import numpy as np
from harness import Module, Q, main, type_of

rng = np.random.default_rng(1)
m = Module()
f = lambda *shape: rng.standard_normal(shape).astype(np.float32) * 3
erf = np.vectorize(__import__("math").erf)
sigmoid = lambda x: 1 / (1 + np.exp(-x))

# Unary on f32, against float64.
special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)
x = np.concatenate([f(300), special])
xa, xd = m.arg(x), x.astype(np.float64)
sp = lambda v: np.logaddexp(v, 0)
elu = lambda v, a: np.where(v < 0, a * (np.exp(np.minimum(v, 0)) - 1), v)
with np.errstate(all="ignore"):
    unary = {
        "identity": xd, "relu": np.maximum(xd, 0),
        ("clamp", -1.0, 2.5): np.clip(xd, -1, 2.5),
        ("leaky_relu", 0.25, 0.0): np.where(xd < 0, 0.25 * xd, xd),
        "sigmoid": sigmoid(xd), "tanh": np.tanh(xd),
        ("hard_sigmoid", 0.25, 0.5): np.clip(0.25 * xd + 0.5, 0, 1),
        "silu": xd * sigmoid(xd), "gelu": 0.5 * xd * (1 + erf(xd / 2**0.5)),
        "gelu_tanh": 0.5 * xd * (1 + np.tanh((2 / np.pi) ** 0.5 * (xd + 0.044715 * xd**3))),
        ("elu", 0.5, 0.0): elu(xd, 0.5), ("selu", 1.5, 1.25): 1.25 * elu(xd, 1.5),
        ("celu", 2.0, 0.0): np.maximum(xd, 0) + np.minimum(0, 2 * (np.exp(np.minimum(xd, 0) / 2) - 1)),
        ("thresholded_relu", 0.75, 0.0): np.where(xd > 0.75, xd, 0),
        "softplus": sp(xd), "softsign": xd / (1 + abs(xd)), "mish": xd * np.tanh(sp(xd)),
        "exp": np.exp(xd), "log": np.log(xd), "sqrt": np.sqrt(xd), "reciprocal": 1 / xd,
        "neg": -xd, "abs": abs(xd), "floor": np.floor(xd), "ceil": np.ceil(xd),
        "round": np.round(xd), "sign": np.sign(xd), "erf": erf(xd), "sin": np.sin(xd),
        "cos": np.cos(xd), "tan": np.tan(xd), "asin": np.arcsin(xd), "acos": np.arccos(xd),
        "atan": np.arctan(xd),
        ("shrink", 0.5, 0.25): np.where(xd < -0.5, xd + 0.25, np.where(xd > 0.5, xd - 0.25, 0)),
    }
undefined = ("silu", "gelu", "gelu_tanh", "mish", "softsign", "sin", "cos", "tan")
for kind, want in unary.items():
    attrs = ""
    if isinstance(kind, tuple):
        attrs = f" {{alpha = {kind[1]} : f32, beta = {kind[2]} : f32}}"
        kind = kind[0]
    if kind in undefined:  # NaN or a limit at infinity: both may stand
        xs = m.arg(x[:300])
        m.check(f"unary {kind} {{0}}{attrs}".replace("{alpha", "{{alpha").replace("f32}", "f32}}"),
                [xs], want[:300].astype(np.float32), kind, rtol=3e-6, atol=3e-6)
        continue
    if kind in ("clamp", "relu", "thresholded_relu", "shrink"):
        want = np.where(np.isnan(xd), {"thresholded_relu": 0, "shrink": 0}.get(kind, np.nan), want)
    m.check(f"unary {kind} {{0}}{attrs}".replace("{alpha", "{{alpha").replace("f32}", "f32}}"),
            [xa], want.astype(np.float32), kind, rtol=3e-6, atol=1e-6)
# The activations that are polynomials of their own, over all that they are cut
# into and far beyond it.
dense = np.concatenate([np.linspace(-9, 9, 5001), [-3e38, -1e4, -90, -1e-30, 1e-30, 90, 1e4, 3e38]])
dense = dense.astype(np.float32)
dd, da = dense.astype(np.float64), m.arg(dense)
phi = 0.5 * (1 + erf(dd / 2**0.5))
with np.errstate(all="ignore"):
    for kind, want in {"gelu": dd * phi, "sigmoid": sigmoid(dd), "silu": dd * sigmoid(dd)}.items():
        m.check(f"unary {kind} {{0}}", [da], want.astype(np.float32), kind, rtol=4e-7, atol=4e-7)
h = x[:300]
m.check("unary hard_swish {0}", [m.arg(h)], h * np.clip(h / 6 + 0.5, 0, 1), rtol=1e-6, atol=1e-6)
m.check("unary is_nan {0}", [xa], np.isnan(x))
bools = rng.random(77) < 0.5
m.check("unary not {0}", [m.arg(bools)], ~bools)
for dtype in (np.int8, np.int32, np.int64):
    i = rng.integers(-100, 100, 70).astype(dtype)
    ia = m.arg(i)
    m.check("unary neg {0}", [ia], -i)
    m.check("unary abs {0}", [ia], abs(i))
    m.check("unary relu {0}", [ia], np.maximum(i, 0))
    m.check("unary sign {0}", [ia], np.sign(i))
for dtype, tol in ((np.float64, 1e-15), (np.float16, 2e-3)):
    y = x[:64].astype(dtype)
    m.check("unary relu {0}", [m.arg(y)], np.maximum(y, 0))
    if dtype == np.float16:
        m.check("unary tanh {0}", [m.arg(y)], np.tanh(y), rtol=tol, atol=tol)

# Binary with broadcasting.
shapes = [((2, 3, 17), (2, 3, 17)), ((2, 3, 17), (17,)), ((2, 3, 17), (3, 1)),
          ((2, 1, 17), (1, 3, 1)), ((5,), ()), ((4, 1), (2, 1, 6))]
for sa, sb in shapes:
    a, b = f(*sa), f(*sb) + np.float32(0.1)
    aa, bb = m.arg(np.array(a, np.float32)), m.arg(np.array(b, np.float32))
    for kind, fn in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
                     "min": np.minimum, "max": np.maximum}.items():
        m.check(f"binary {kind} {{0}}, {{1}}", [aa, bb], fn(a, b).astype(np.float32))
    for kind, fn in {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
                     "ge": np.greater_equal}.items():
        m.check(f"binary {kind} {{0}}, {{1}}", [aa, bb], np.asarray(fn(a, b)))
    m.check("binary pow {0}, {1}", [m.arg(abs(np.array(a, np.float32))), bb],
            np.power(abs(a).astype(np.float64), b).astype(np.float32), rtol=1e-5)
    m.check("binary mod {0}, {1}", [aa, bb], np.mod(a, b).astype(np.float32), rtol=1e-5, atol=1e-5)
    m.check("binary fmod {0}, {1}", [aa, bb], np.fmod(a, b).astype(np.float32), rtol=1e-5, atol=1e-5)
    m.check("binary prelu {0}, {1}", [aa, bb], np.where(a < 0, a * b, a).astype(np.float32))
a, b = f(40), f(40)
m.check("binary add {0}, {1} {{activation = #qnn.act<relu, 0.0, 0.0>}}", [m.arg(a), m.arg(b)],
        np.maximum(a + b, 0))
for dtype in (np.int8, np.uint8, np.int32, np.int64, np.uint32):
    lo, hi = (0, 100) if np.dtype(dtype).kind == "u" else (-50, 50)
    a = rng.integers(lo, hi, (3, 30)).astype(dtype)
    b = rng.integers(lo, hi, (3, 30)).astype(dtype)
    b[b == 0] = 3
    aa, bb = m.arg(a), m.arg(b)
    trunc = np.trunc(a.astype(float) / b).astype(dtype)
    for kind, want in {"add": a + b, "sub": a - b, "mul": a * b, "div": trunc,
                       "mod": np.mod(a, b), "fmod": np.fmod(a, b), "min": np.minimum(a, b),
                       "max": np.maximum(a, b), "eq": a == b, "lt": a < b, "ge": a >= b,
                       "and": a & b, "or": a | b, "xor": a ^ b}.items():
        m.check(f"binary {kind} {{0}}, {{1}}", [aa, bb], want)
    e = rng.integers(0, 5, (3, 30)).astype(dtype)
    m.check("binary pow {0}, {1}", [aa, m.arg(e)], np.power(a, e))
for dtype in (np.uint8, np.uint16, np.uint32, np.uint64):
    a = rng.integers(0, np.iinfo(dtype).max, (2, 40), dtype, endpoint=True)
    bits = np.iinfo(dtype).bits
    n = rng.integers(0, bits, (2, 40)).astype(dtype)
    n[0, :3] = bits, bits + 1, np.iinfo(dtype).max  # nothing is left
    for kind, fn in (("shl", np.left_shift), ("shr", np.right_shift)):
        want = np.where(n < bits, fn(a, np.minimum(n, bits - 1)), 0).astype(dtype)
        m.check(f"binary {kind} {{0}}, {{1}}", [m.arg(a), m.arg(n)], want)
zero = np.array([5, -5, -128, 0], np.int8), np.array([0, 0, -1, 0], np.int8)
m.check("binary div {0}, {1}", [m.arg(z) for z in zero], np.array([0, 0, -128, 0], np.int8))
m.check("binary mod {0}, {1}", [m.arg(z) for z in zero], np.array([0, 0, 0, 0], np.int8))
p, q = rng.random((2, 50)) < 0.5
for kind, want in {"and": p & q, "or": p | q, "xor": p ^ q, "eq": p == q}.items():
    m.check(f"binary {kind} {{0}}, {{1}}", [m.arg(p), m.arg(q)], want)

# Quantized.
for dtype in (np.uint8, np.int8):
    info = np.iinfo(dtype)
    a = rng.integers(info.min, info.max + 1, (3, 1, 100)).astype(dtype)
    b = rng.integers(info.min, info.max + 1, (2, 100)).astype(dtype)
    mid = (int(info.min) + int(info.max)) // 2
    qa, qb, qo = Q(dtype, 0.021, mid + 3), Q(dtype, 0.05, mid - 9), Q(dtype, 0.043, mid)
    aa, bb = m.arg(a, qa), m.arg(b, qb)
    ca, cb = (a.astype(np.int64) - qa.zero), (b.astype(np.int64) - qb.zero)
    scaled = lambda: (ca.astype(np.float32) * (qa.scale / qo.scale),
                      cb.astype(np.float32) * (qb.scale / qo.scale))
    fa, fb = scaled()
    add, sub = np.round(fa + fb), np.round(fa - fb)
    mul = np.round((ca * cb).astype(np.float32) * ((qa.scale * qb.scale) / qo.scale))
    for kind, want in {"add": add, "sub": sub, "mul": mul}.items():
        m.check(f"binary {kind} {{0}}, {{1}}", [aa, bb], qo.clamp(want), f"q {kind}", q=qo)
    relu = np.maximum(qo.clamp(add).astype(np.int64), qo.zero).astype(dtype)
    m.check("binary add {0}, {1} {{activation = #qnn.act<relu, 0.0, 0.0>}}", [aa, bb], relu,
            q=qo)
    six = np.clip(qo.clamp(add), qo.quantize(np.float32([-1.0]))[0], qo.quantize(np.float32([2.2]))[0])
    m.check("binary add {0}, {1} {{activation = #qnn.act<clamp, -1.0, 2.2>}}", [aa, bb], six, q=qo)
    real = qa.dequantize(a) + qb.dequantize(b)
    leaky = qo.quantize(np.where(real < 0, np.float32(0.5) * real, real))
    m.check("binary add {0}, {1} {{activation = #qnn.act<leaky_relu, 0.5, 0.0>}}", [aa, bb], leaky,
            q=qo)
    with np.errstate(all="ignore"):
        quotient = qo.quantize(qa.dequantize(a) / qb.dequantize(b))
    m.check("binary div {0}, {1}", [aa, bb], quotient, "q div", q=qo)
    m.check("binary max {0}, {1}", [aa, bb], qo.quantize(
        np.maximum(qa.dequantize(a), qb.dequantize(b))), q=qo)
    m.check("unary relu {0}", [aa], qo.quantize(np.maximum(qa.dequantize(a), 0)), q=qo)
    m.check("unary hard_sigmoid {0} {{alpha = 0.25 : f32, beta = 0.5 : f32}}", [aa],
            qo.quantize(np.clip(qa.dequantize(a) * np.float32(0.25) + np.float32(0.5), 0, 1)), q=qo)
    bits = a.view(np.uint8)
    table = rng.integers(info.min, info.max + 1, 256).astype(dtype)
    spelled = str(table.tolist())
    m.check(f"lut {{0}} {{{{table = dense<{spelled}> : tensor<256x{'ui8' if dtype == np.uint8 else 'i8'}>}}}}",
            [aa], table[bits], "lut", q=qo)

# Select.
c = rng.random((4, 1, 30)) < 0.5
t, e = f(5, 30), f(4, 5, 1)
m.check("select {0}, {1}, {2}", [m.arg(c), m.arg(t), m.arg(e)], np.where(c, t, e))

# GELU of which only bytes with a scale chosen at run time are seen: within 2e-4 of itself,
# however small all of the tensor is.
for low, high in ((-3, 3), (-0.1, 0.1), (0, 1e-4), (-4, -3), (-5, -4), (-6.4, -5), (-8, -4)):
    x = rng.uniform(low, high, 500).astype(np.float32)
    want = np.array([v * math.erfc(-v / 2**0.5) / 2 for v in x.astype(float)])
    step = (max(want.max(), 0) - min(want.min(), 0)) / 255
    xa = m.arg(x)
    gelu = m.op("unary gelu {0}", [xa], xa[1])
    names, types = [m._fresh() for _ in range(3)], ("tensor<500xui8>", "tensor<f32>", "tensor<ui8>")
    m.lines.append(f"{', '.join(names)} = qnn.dynamic_quantize {gelu[0]} : ({xa[1]}) -> ({', '.join(types)})")
    y, scale, zero = zip(names, types)
    m.expect(scale, np.array(step, np.float32), f"scale of gelu in [{low}, {high}]", rtol=2e-4)
    m.check("dynamic_dequantize {0}, {1}, {2}", [y, scale, zero], want.astype(np.float32),
            f"gelu in [{low}, {high}]", atol=1.1 * step)

main(m)
