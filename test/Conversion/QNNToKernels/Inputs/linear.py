import itertools
import math

import numpy as np
from harness import Module, Q, main

rng = np.random.default_rng(2)
m = Module()
f = lambda *shape: rng.standard_normal(shape).astype(np.float32)


def conv(x, w, strides, dilations, pads, group):
    """Channels-first, in the type of the operands (float64 or int64)."""
    rank = w.ndim - 2
    pad = [(0, 0), (0, 0)] + [(pads[i], pads[rank + i]) for i in range(rank)]
    x = np.pad(x, pad)
    out = [(x.shape[2 + i] - (w.shape[2 + i] - 1) * dilations[i] - 1) // strides[i] + 1
           for i in range(rank)]
    oc, cg = w.shape[:2]
    y = np.zeros((x.shape[0], oc, *out), x.dtype)
    for k in itertools.product(*[range(n) for n in w.shape[2:]]):
        at = tuple(slice(k[i] * dilations[i], k[i] * dilations[i] + (out[i] - 1) * strides[i] + 1,
                         strides[i]) for i in range(rank))
        part = x[(slice(None), slice(None)) + at]
        for g in range(group):
            o = slice(g * oc // group, (g + 1) * oc // group)
            c = slice(g * cg, (g + 1) * cg)
            y[:, o] += np.einsum("nc...,oc->no...", part[:, c], w[(o, slice(None)) + k])
    return y


def conv_transpose(x, w, strides, dilations, pads, output_padding, group):
    rank = w.ndim - 2
    out = [strides[i] * (x.shape[2 + i] - 1) + output_padding[i]
           + (w.shape[2 + i] - 1) * dilations[i] + 1 for i in range(rank)]
    ocg, cg = w.shape[1], w.shape[0] // group
    y = np.zeros((x.shape[0], ocg * group, *out), x.dtype)
    for k in itertools.product(*[range(n) for n in w.shape[2:]]):
        at = tuple(slice(k[i] * dilations[i], k[i] * dilations[i]
                         + (x.shape[2 + i] - 1) * strides[i] + 1, strides[i]) for i in range(rank))
        for g in range(group):
            part = np.einsum("nc...,co->no...", x[:, g * cg:(g + 1) * cg],
                             w[(slice(g * cg, (g + 1) * cg), slice(None)) + k])
            y[(slice(None), slice(g * ocg, (g + 1) * ocg)) + at] += part
    keep = tuple(slice(pads[i], out[i] - pads[rank + i]) for i in range(rank))
    return y[(slice(None), slice(None)) + keep]


def attrs(layout, **kwargs):
    spell = lambda v: f"array<i64: {', '.join(map(str, v))}>" if isinstance(v, tuple) else f"{v} : i64"
    parts = [f"{k} = {v if isinstance(v, str) else spell(v)}" for k, v in kwargs.items()]
    if layout == "nhwc":
        parts.append("layout = #qnn<layout nhwc>")
    return "{{" + ", ".join(parts) + "}}"


def last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def order(layout):
    return (lambda x: x) if layout == "nchw" else last


# x shape, w shape, strides, dilations, pads, group
CONVS = [
    ((1, 3, 9, 8), (5, 3, 3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 1),
    ((2, 4, 11, 13), (6, 2, 3, 2), (2, 3), (1, 2), (0, 1, 2, 3), 2),
    ((1, 20, 7, 7), (20, 1, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), 20),
    ((1, 4, 6, 6), (8, 1, 3, 3), (1, 1), (2, 2), (2, 2, 2, 2), 4),
    ((2, 8, 5, 5), (300, 8, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0), 1),
    ((1, 3, 600), (4, 3, 5), (1,), (1,), (2, 2), 1),
    ((1, 2, 4, 5, 6), (3, 2, 2, 3, 2), (1, 2, 1), (1, 1, 1), (1, 1, 0, 0, 1, 1), 1),
]
relu = "activation = #qnn.act<relu, 0.0, 0.0>"
for layout in ("nchw", "nhwc"):
    to = order(layout)
    for xs, ws, strides, dilations, pads, group in CONVS:
        a = dict(strides=strides, dilations=dilations, pads=pads, group=group)
        spelled = attrs(layout, **a)
        x, w, bias = f(*xs), f(*ws), f(ws[0])
        y = conv(x.astype(np.float64), w.astype(np.float64), **a)
        per_channel = lambda v: v.reshape(-1, *[1] * (w.ndim - 2))
        tol = dict(rtol=1e-4, atol=1e-4)
        xa, wa = m.arg(to(x)), m.const(w)
        m.check(f"conv {{0}}, {{1}} {spelled}", [xa, wa], to(y).astype(np.float32), **tol)
        m.check(f"conv {{0}}, {{1}} {spelled}", [xa, m.arg(w)], to(y).astype(np.float32), **tol)
        r = f(*y.shape)
        full = np.maximum(y + per_channel(bias) + r, 0).astype(np.float32)
        spelled_relu = spelled.replace("}}", ", " + relu + "}}")
        m.check(f"conv {{0}}, {{1}}, {{2}} residual {{3}} {spelled_relu}",
                [xa, wa, m.arg(bias), m.arg(to(r))], to(full), **tol)

        # Quantized: exact.
        for xt, wt in ((np.uint8, np.int8), (np.int8, np.int8), (np.uint8, np.uint8)):
            qx = Q(xt, 0.02, 120 if xt == np.uint8 else -7)
            axis = None if wt == np.uint8 else 0
            scales = 0.0031 if axis is None else (0.001 + 0.0001 * (np.arange(ws[0]) % 37)).tolist()
            qw = Q(wt, scales, 99 if axis is None else 0, axis)
            qy = Q(xt, 0.05, 131 if xt == np.uint8 else 5)
            ix, iw = (rng.integers(np.iinfo(t).min, np.iinfo(t).max + 1, s).astype(t)
                      for t, s in ((xt, xs), (wt, ws)))
            ib = rng.integers(-3000, 3000, ws[0]).astype(np.int32)
            acc = conv(ix.astype(np.int64) - qx.zero, iw.astype(np.int64) - (qw.zero if axis is None else 0), **a)
            acc += per_channel(ib)
            sw = qw.scale if axis is None else per_channel(qw.scale)
            operands = [m.arg(to(ix), qx), m.const(iw, qw),
                        m.const(ib, Q(np.int32, (qx.scale * qw.scale).tolist(), 0, axis))]
            y = qy.clamp(np.round(acc.astype(np.float32) * ((qx.scale * sw) / qy.scale)))
            m.check(f"conv {{0}}, {{1}}, {{2}} {spelled}", operands, to(y), q=qy)
            six = np.clip(y, qy.zero, qy.quantize(np.float32([0.9]))[0]).astype(xt)
            clamp = spelled.replace("}}", ", activation = #qnn.act<clamp, 0.0, 0.9>}}")
            m.check(f"conv {{0}}, {{1}}, {{2}} {clamp}", operands, to(six), q=qy)
            real = acc.astype(np.float32) * (qx.scale * sw)
            leaky = np.where(real < 0, np.float32(0.125) * real, real)
            act = spelled.replace("}}", ", activation = #qnn.act<leaky_relu, 0.125, 0.0>}}")
            m.check(f"conv {{0}}, {{1}}, {{2}} {act}", operands, to(qy.quantize(leaky)), q=qy)
            m.check(f"conv {{0}}, {{1}}, {{2}} {spelled}", operands, to(real))
            # A float bias is added to the real value, which is rounded once.
            product = (acc - per_channel(ib)).astype(np.float32) * (qx.scale * sw)
            fb = f(ws[0])
            with_bias = operands[:2] + [m.const(fb)]
            m.check(f"conv {{0}}, {{1}}, {{2}} {spelled}", with_bias,
                    to(qy.quantize(product + per_channel(fb))), q=qy)
            m.check(f"conv {{0}}, {{1}}, {{2}} {spelled}", with_bias, to(product + per_channel(fb)))
            qr = Q(xt, 0.03, 90 if xt == np.uint8 else 11)
            ir = rng.integers(np.iinfo(xt).min, np.iinfo(xt).max + 1, y.shape).astype(xt)
            total = np.maximum(real + qr.dequantize(ir), 0)
            m.check(f"conv {{0}}, {{1}}, {{2}} residual {{3}} {spelled_relu}",
                    operands + [m.arg(to(ir), qr)], to(qy.quantize(total)), q=qy)
            raw = Q(np.int32, (qx.scale * qw.scale).tolist(), 0, None if axis is None else (
                1 if layout == "nchw" else ix.ndim - 1))
            if axis is None:
                m.check(f"conv {{0}}, {{1}}, {{2}} {spelled}", operands,
                        to(acc).astype(np.int32), q=raw)
            # Zero points at run time.
            zx, zw = np.array(qx.zero, xt), np.array(5, wt)
            if axis == 0:
                zw = rng.integers(-5, 5, ws[0]).astype(wt)
            acc = conv(ix.astype(np.int64) - int(zx),
                       iw.astype(np.int64) - zw.reshape(-1, *[1] * (w.ndim - 1)).astype(np.int64), **a)
            m.check(f"conv_integer {{0}}, {{1}}, {{2}} filter_zero_point {{3}} {spelled}",
                    [m.arg(to(ix)), m.arg(iw), m.arg(zx), m.arg(zw)], to(acc).astype(np.int32))

DECONVS = [
    ((1, 3, 4, 5), (3, 6, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    ((2, 4, 5, 4), (4, 3, 2, 3), (1, 3), (2, 1), (0, 1, 1, 0), (0, 0), 2),
    ((1, 3, 7), (3, 2, 4), (2,), (1,), (0, 0), (0,), 1),
    ((1, 2, 190), (2, 3, 5), (3,), (2,), (2, 1), (1,), 1),
    ((1, 5, 4, 4), (5, 1, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (0, 1), 5),
]
for layout in ("nchw", "nhwc"):
    to = order(layout)
    for xs, ws, strides, dilations, pads, extra, group in DECONVS:
        a = dict(strides=strides, dilations=dilations, pads=pads, output_padding=extra, group=group)
        x, w, bias = f(*xs), f(*ws), f(ws[1] * group)
        y = conv_transpose(x.astype(np.float64), w.astype(np.float64), **a)
        y += bias.reshape(-1, *[1] * (w.ndim - 2))
        m.check(f"conv_transpose {{0}}, {{1}}, {{2}} {attrs(layout, **a)}",
                [m.arg(to(x)), m.const(w), m.arg(bias)], to(y).astype(np.float32),
                rtol=1e-4, atol=1e-4)
        qx, qy = Q(np.int8, 0.02, 3), Q(np.int8, 0.07, -4)
        qw = Q(np.int8, (0.001 + 0.0003 * np.arange(ws[1])).tolist(), 0, 1)
        ix, iw = (rng.integers(-128, 128, s).astype(np.int8) for s in (xs, ws))
        acc = conv_transpose(ix.astype(np.int64) - qx.zero, iw.astype(np.int64), **a)
        sw = np.tile(qw.scale, group).reshape(-1, *[1] * (w.ndim - 2))
        y = qy.clamp(np.round(acc.astype(np.float32) * ((qx.scale * sw) / qy.scale)))
        m.check(f"conv_transpose {{0}}, {{1}} {attrs(layout, **a)}",
                [m.arg(to(ix), qx), m.const(iw, qw)], to(y), q=qy)

# Matrix products.
MATMULS = [((5, 7), (7, 9)), ((7,), (7, 300)), ((5, 7), (7,)), ((2, 3, 5, 7), (7, 4)),
           ((2, 1, 5, 7), (3, 7, 4)), ((1, 600), (600, 10)), ((7,), (7,)), ((3, 1, 4), (1, 4, 2))]
for a_shape, b_shape in MATMULS:
    a, b = f(*a_shape), f(*b_shape)
    y = np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    y = np.asarray(y)
    m.check("matmul {0}, {1}", [m.arg(a), m.const(b)], y, rtol=1e-4, atol=1e-4)
    if b.ndim >= 2:
        m.check("matmul {0}, {1} {{transpose_rhs}}",
                [m.arg(a), m.arg(np.ascontiguousarray(np.swapaxes(b, -1, -2)))], y,
                rtol=1e-4, atol=1e-4)
        bias = f(b_shape[-1])
        m.check("matmul {0}, {1}, {2} {{activation = #qnn.act<relu, 0.0, 0.0>}}",
                [m.arg(a), m.arg(b), m.arg(bias)], np.maximum(y + bias, 0), rtol=1e-4, atol=1e-4)
    if a.ndim >= 2:
        m.check("matmul {0}, {1} {{transpose_lhs}}",
                [m.arg(np.ascontiguousarray(np.swapaxes(a, -1, -2))), m.arg(b)], y,
                rtol=1e-4, atol=1e-4)
    qa, qy = Q(np.uint8, 0.011, 77), Q(np.int8, 0.09, 1)
    n = b_shape[-1] if b.ndim >= 2 else 1
    axis = b.ndim - 1 if b.ndim >= 2 else None
    qb = Q(np.int8, (0.004 + 0.0001 * np.arange(n)).tolist() if b.ndim >= 2 else 0.004, 0, axis)
    ia = rng.integers(0, 256, a_shape).astype(np.uint8)
    ib = rng.integers(-128, 128, b_shape).astype(np.int8)
    acc = np.matmul(ia.astype(np.int64) - qa.zero, ib.astype(np.int64))
    factor = (qa.scale * qb.scale) / qy.scale
    y = np.asarray(qy.clamp(np.round(np.asarray(acc).astype(np.float32) * factor)))
    m.check("matmul {0}, {1}", [m.arg(ia, qa), m.const(ib, qb)], y, q=qy)
    real = np.asarray(np.asarray(acc).astype(np.float32) * (qa.scale * qb.scale))
    m.check("matmul {0}, {1}", [m.arg(ia, qa), m.const(ib, qb)], real)
    za, zb = np.array(9, np.uint8), np.array(-3, np.int8)
    acc = np.matmul(ia.astype(np.int64) - 9, ib.astype(np.int64) + 3)
    m.check("matmul_integer {0}, {1}, {2} rhs_zero_point {3}",
            [m.arg(ia), m.arg(ib), m.arg(za), m.arg(zb)], np.asarray(acc).astype(np.int32))

# Functions behind sums are computed roughly where a byte is stored: the same bytes but
# where the exact value is within 3 % of a step of a tie. Sums from tiny to huge.
erf = np.vectorize(math.erf)
logistic = lambda v: 1 / (1 + np.exp(-v))
FUNCTIONS = {"hard_swish": lambda v: v * np.clip(v / 6 + 0.5, 0, 1), "sigmoid": logistic, "silu": lambda v: v * logistic(v), "gelu": lambda v: v * (1 + erf(v / 2**0.5)) / 2,
             "gelu_tanh": lambda v: v * logistic(2 * (2 / np.pi) ** 0.5 * (v + 0.044715 * v**3))}
with np.errstate(over="ignore"):
    for kind, function in FUNCTIONS.items():
        for step in (1e-4, 0.004, 0.0173, 0.05, 0.4, 30.0, 1e30):
            q = np.arange(256).astype(np.uint8)
            qx = Q(np.uint8, step, 100)
            real = function((q.astype(float) - 100) * float(qx.scale))
            zero = 0 if kind == "sigmoid" else 15
            qy = Q(np.uint8, max(real.max() / (255 - zero), -real.min() / max(zero, 1), 1e-8), zero)
            scaled = real / float(qy.scale)
            clear = np.abs(scaled - np.floor(scaled) - 0.5) > 0.03
            rows, want = q[clear].reshape(-1, 1), qy.clamp(np.round(scaled[clear])).reshape(-1, 1)
            m.check(f"matmul {{0}}, {{1}} {{{{activation = #qnn.act<{kind}, 0.0, 0.0>}}}}",
                    [m.arg(rows, qx), m.const(np.ones((1, 1), np.int8), Q(np.int8, 1.0))], want,
                    f"{kind} of steps of {step}", q=qy)

main(m)
