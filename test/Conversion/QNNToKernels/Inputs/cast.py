import numpy as np
from harness import Module, Q, main

rng = np.random.default_rng(5)
m = Module()
f = lambda *shape: (rng.standard_normal(shape) * 3).astype(np.float32)

# Quantize: ties, saturation, infinities, NaN; per tensor and per axis.
x = np.concatenate([f(200), np.arange(-300, 300) * np.float32(0.25),
                    np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, 0.0, -0.0], np.float32)])
for q in (Q(np.uint8, 0.5, 7), Q(np.int8, 0.5, -3), Q(np.int8, 1.0, 0), Q(np.uint16, 0.001, 30000),
          Q(np.int16, 0.0003, 0), Q(np.int32, 0.001, 0), Q(np.uint8, 0.037, 255)):
    m.check("quantize {0}", [m.arg(x)], q.quantize(x), f"quantize {q.element()}", q=q)
x = f(3, 5, 40)
for axis, n in ((0, 3), (1, 5), (2, 40)):
    q = Q(np.int8, (0.01 + 0.005 * np.arange(n)).tolist(), (np.arange(n) % 9 - 4).tolist(), axis)
    m.check("quantize {0}", [m.arg(x)], q.quantize(x), f"quantize axis {axis}", q=q)
    u = rng.integers(-128, 128, x.shape).astype(np.int8)
    m.check("dequantize {0}", [m.arg(u, q)], q.dequantize(u))
for q in (Q(np.uint8, 0.37, 9), Q(np.int8, 0.37, 9), Q(np.int32, 0.1, 0), Q(np.int16, 0.1, 5)):
    u = rng.integers(q.lo, q.hi + 1, 300).astype(q.dtype)
    m.check("dequantize {0}", [m.arg(u, q)], q.dequantize(u), f"dequantize {q.element()}")
u = np.arange(256).astype(np.uint8)
for q, to in ((Q(np.uint8, 0.1, 9), Q(np.uint8, 0.3, 100)), (Q(np.uint8, 0.1, 128), Q(np.int8, 0.1, 0)),
              (Q(np.uint8, 0.1, 3), Q(np.int8, 0.1, 50)), (Q(np.uint8, 0.3, 9), Q(np.uint8, 0.1, 9))):
    want = to.clamp(u.astype(np.int64) - q.zero) if q.scale == to.scale else to.quantize(q.dequantize(u))
    m.check("requantize {0}", [m.arg(u, q)], want, f"requantize {to.element()}", q=to)

# Plain numbers.
values = np.array([0, 1, -1, 2.5, -2.5, 100.9, -100.9, 0.5], np.float64)
types = (np.float32, np.float64, np.float16, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16,
         np.uint32, np.uint64, np.bool_)
for a in types:
    source = values if np.dtype(a).kind in "fi" else abs(values)
    x = source.astype(a)
    xa = m.arg(x)
    for b in types:
        if a == b:
            continue
        y = x
        if np.dtype(a).kind == "f" and np.dtype(b).kind == "u":  # negative ones are not defined
            y = abs(x)
        m.check("cast {0}", [xa if y is x else m.arg(y)], y.astype(b), f"cast {np.dtype(a)} {np.dtype(b)}")

# Half precision on a level that has no instructions for it.
every = np.arange(65536).astype(np.uint16).view(np.float16)
fine = (rng.standard_normal(3000) * 10.0 ** rng.integers(-9, 6, 3000)).astype(np.float32)
ties = np.concatenate([(every[:31743].astype(np.float32) + every[1:31744].astype(np.float32)) / 2,
                       np.array([65519.9, 65520, 65536, 1e9, np.inf, -np.inf, np.nan, 2**-25, 2**-24], np.float32)])
soft = Module(fma=False)
soft.check("cast {0}", [soft.arg(every)], every.astype(np.float32))
for module in (m, soft):
    for x in (fine, ties, -ties):
        with np.errstate(over="ignore"):
            module.check("cast {0}", [module.arg(x)], x.astype(np.float16), "f32 to f16")
            d = x.astype(np.float64) * (1 + 2.0**-40)
            module.check("cast {0}", [module.arg(d)], d.astype(np.float16), "f64 to f16")
        name, _ = module.op("cast {0}", [module.arg(x)], f"tensor<{len(x)}xbf16>")
        bits = x.view(np.uint32).astype(np.uint64)
        rounded = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32)
        want = np.where(np.isnan(x), x, rounded.view(np.float32))
        module.check("cast {0}", [(name, f"tensor<{len(x)}xbf16>")], want, "bf16")

# Quantization at run time.
for x in (f(1000), f(20000) + 5, -abs(f(40)), np.zeros(9, np.float32), f(2, 3, 5)):
    lo, hi = np.float32(min(0, x.min())), np.float32(max(0, x.max()))
    scale = (hi - lo) / np.float32(255) if hi > lo else np.float32(1 / 255)
    zero = np.uint8(np.clip(np.round((np.float32(0) - lo) / scale), 0, 255))
    y = np.clip(np.round(x / scale) + zero, 0, 255).astype(np.uint8)
    xa = m.arg(x)
    dims = "".join(f"{d}x" for d in x.shape)
    names = [m._fresh() for _ in range(3)]
    m.lines.append(f"{', '.join(names)} = qnn.dynamic_quantize {xa[0]} : ({xa[1]}) -> "
                   f"(tensor<{dims}ui8>, tensor<f32>, tensor<ui8>)")
    for name, type_, want in zip(names, (f"tensor<{dims}ui8>", "tensor<f32>", "tensor<ui8>"),
                                 (y, np.array(scale), np.array(zero))):
        m.expect((name, type_), want, "dynamic_quantize")
    want = (y.astype(np.int32) - np.int32(zero)).astype(np.float32) * scale
    m.check("dynamic_dequantize {0}, {1}, {2}", [(names[0], f"tensor<{dims}ui8>"), (names[1], "tensor<f32>"),
                                                 (names[2], "tensor<ui8>")], want)
acc = rng.integers(-10000, 10000, (4, 6)).astype(np.int32)
s = abs(f(6))
m.check("dynamic_dequantize {0}, {1}", [m.arg(acc), m.arg(s)], acc.astype(np.float32) * s)

main(m, soft)
