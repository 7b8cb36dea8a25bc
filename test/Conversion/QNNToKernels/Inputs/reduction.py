import itertools

import numpy as np
from harness import Module, Q, main

rng = np.random.default_rng(3)
m = Module()
f = lambda *shape: rng.standard_normal(shape).astype(np.float32)
last = lambda x: np.ascontiguousarray(np.moveaxis(x, 1, -1))
array = lambda v: f"array<i64: {', '.join(map(str, v))}>" if v else "array<i64>"


def axes_of(axes, keep):
    return "{{axes = " + array(axes) + (", keepdims" if keep else "") + "}}"


def log_sum_exp(x, axis, keepdims):
    top = x.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    s = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return s if keepdims else np.squeeze(s, axis)


kinds = {
    "sum": lambda x, **k: x.sum(**k), "mean": lambda x, **k: x.mean(**k),
    "max": lambda x, **k: x.max(**k), "min": lambda x, **k: x.min(**k),
    "prod": lambda x, **k: x.prod(**k), "l1": lambda x, **k: abs(x).sum(**k),
    "l2": lambda x, **k: np.sqrt((x * x).sum(**k)),
    "sum_square": lambda x, **k: (x * x).sum(**k),
    "log_sum": lambda x, **k: np.log(x.sum(**k)),
    "log_sum_exp": lambda x, **k: log_sum_exp(x, k["axis"], k["keepdims"]),
}
shapes = [((3, 37), (1,)), ((3, 37), (0,)), ((2, 5, 4, 19), (1, 2)), ((2, 3, 4, 20), (0, 3)),
          ((2, 3, 4, 5), (0, 1, 2, 3)), ((2, 1, 300), (1,)), ((2, 7, 300), (1,)), ((1, 16), (1,)),
          ((3, 5, 7), ())]
for shape, axes in shapes:
    x = abs(f(*shape)) + np.float32(0.2)
    xa = m.arg(x)
    for keep in (True, False):
        for kind, fn in kinds.items():
            want = np.asarray(fn(x.astype(np.float64), axis=axes, keepdims=keep))
            m.check(f"reduce {kind} {{0}} {axes_of(axes, keep)}", [xa], want.astype(np.float32),
                    rtol=2e-6, atol=2e-6)
    i = rng.integers(-9, 9, shape).astype(np.int32)
    for kind in ("sum", "max", "min", "prod", "l1", "sum_square"):
        want = np.asarray(kinds[kind](i, axis=axes, keepdims=True)).astype(np.int32)
        m.check(f"reduce {kind} {{0}} {axes_of(axes, True)}", [m.arg(i)], want)
    q, qo = Q(np.uint8, 0.04, 100), Q(np.uint8, 0.03, 7)
    u = rng.integers(0, 256, shape).astype(np.uint8)
    n = np.float32(max(1, np.prod([shape[a] for a in axes])))
    total = np.asarray((u.astype(np.int64) - 100).sum(axis=axes, keepdims=True))
    mean = qo.clamp(np.round(total.astype(np.float32) * (q.scale / (n * qo.scale))))
    m.check(f"reduce mean {{0}} {axes_of(axes, True)}", [m.arg(u, q)], mean, q=qo)
    m.check(f"reduce max {{0}} {axes_of(axes, True)}", [m.arg(u, q)],
            np.asarray(u.max(axis=axes, keepdims=True)), q=q)
edge = np.array([[-np.inf] * 20, [np.inf] + [0] * 19], np.float32)
m.check(f"reduce log_sum_exp {{0}} {axes_of((1,), False)}", [m.arg(edge)],
        np.array([-np.inf, np.inf], np.float32))

# Softmax.
for shape, axis in [((3, 40), 1), ((3, 40), 0), ((2, 5, 300), 1), ((1, 1000), 1), ((4, 3), 1)]:
    x = f(*shape) * 4
    e = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
    s = e / e.sum(axis=axis, keepdims=True)
    m.check(f"softmax {{0}} {{{{axis = {axis}}}}}", [m.arg(x)], s.astype(np.float32),
            rtol=1e-5, atol=1e-7)
    m.check(f"softmax {{0}} {{{{axis = {axis}, log}}}}", [m.arg(x)], np.log(s).astype(np.float32),
            rtol=1e-5, atol=1e-5)
x = f(4, 33).astype(np.float16)
e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True).astype(np.float64))
m.check("softmax {0} {{axis = 1}}", [m.arg(x)], (e / e.sum(axis=1, keepdims=True)).astype(np.float16),
        rtol=2e-3, atol=1e-6)

# Index of the extremum, with ties.
for shape, axis in [((3, 40), 1), ((3, 40), 0), ((2, 7, 5), 1)]:
    for x in (f(*shape), rng.integers(0, 4, shape).astype(np.uint8), rng.integers(-3, 3, shape)):
        for pick_last, smallest in itertools.product((False, True), repeat=2):
            fn = np.argmin if smallest else np.argmax
            if pick_last:
                want = x.shape[axis] - 1 - fn(np.flip(x, axis), axis=axis)
            else:
                want = fn(x, axis=axis)
            flags = f"axis = {axis}" + ", minimum" * smallest + ", select_last" * pick_last
            m.check(f"arg_reduce {{0}} {{{{{flags}}}}}", [m.arg(x)], want.astype(np.int64))

# Pools.


def pool(x, kernel, strides, dilations, pads, out, fn, fill):
    """fn(values, inside) over each window; inside: in the image, in the padding, neither."""
    rank = len(kernel)
    y = np.zeros((x.shape[0], x.shape[1], *out), np.float64)
    for o in itertools.product(*[range(n) for n in out]):
        values, inside = [], []
        for k in itertools.product(*[range(n) for n in kernel]):
            i = [o[d] * strides[d] + k[d] * dilations[d] - pads[d] for d in range(rank)]
            in_image = all(0 <= i[d] < x.shape[2 + d] for d in range(rank))
            in_pad = all(i[d] < x.shape[2 + d] + pads[rank + d] for d in range(rank))
            values.append(x[(slice(None), slice(None), *i)] if in_image
                          else np.full(x.shape[:2], fill, np.float64))
            inside.append(2 if in_image else 1 if in_pad else 0)
        y[(slice(None), slice(None), *o)] = fn(np.array(values), np.array(inside))
    return y


POOLS = [  # shape, kernel, strides, dilations, pads, ceil
    ((2, 5, 8, 9), (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), False),
    ((1, 300, 6, 6), (2, 3), (1, 2), (2, 1), (0, 1, 1, 0), False),
    ((1, 4, 7, 7), (3, 2), (2, 2), (1, 1), (0, 0, 1, 1), True),
    ((2, 3, 20), (4,), (3,), (1,), (1, 2), False),
    ((1, 2, 5, 5, 5), (2, 2, 2), (2, 2, 2), (1, 1, 1), (0, 0, 0, 1, 1, 1), False),
    ((1, 3, 400), (3,), (1,), (1,), (1, 1), False),
]
for shape, kernel, strides, dilations, pads, ceil in POOLS:
    rank = len(kernel)
    out = []
    for d in range(rank):
        free = shape[2 + d] + pads[d] + pads[rank + d] - (kernel[d] - 1) * dilations[d] - 1
        n = (-(-free // strides[d]) if ceil else free // strides[d]) + 1
        if ceil and (n - 1) * strides[d] >= shape[2 + d] + pads[d]:
            n -= 1
        out.append(n)
    geometry = (kernel, strides, dilations, pads, out)
    for layout in ("nchw", "nhwc"):
        to = last if layout == "nhwc" else lambda x: x
        spelled = "{{" + ", ".join(
            f"{n} = {array(v)}" for n, v in (("kernel", kernel), ("strides", strides),
                                            ("dilations", dilations), ("pads", pads)))
        spelled += ", ceil_mode" * ceil
        spelled += ", layout = #qnn<layout nhwc>" * (layout == "nhwc")
        end = "}}"
        x = f(*shape)
        u = rng.integers(0, 256, shape).astype(np.uint8)
        s = rng.integers(-128, 128, shape).astype(np.int8)
        top = lambda v, inside: v.max(axis=0)
        for data, fill, q in ((x, -np.inf, None), (u, -1, Q(np.uint8, 0.5, 3)), (s, -200, Q(np.int8, 0.5))):
            want = to(pool(data, *geometry, top, fill)).astype(data.dtype)
            m.check(f"max_pool {{0}} {spelled}{end}", [m.arg(to(data), q)], want, q=q)
        mean = lambda v, inside: v.sum(axis=0) / max((inside == 2).sum(), 1)
        mean_pad = lambda v, inside: v.sum(axis=0) / (inside >= 1).sum()
        count = lambda v, inside: np.full(v.shape[1:], (inside == 2).sum())
        count_pad = lambda v, inside: np.full(v.shape[1:], (inside >= 1).sum())
        q, qo = Q(np.uint8, 0.04, 100), Q(np.uint8, 0.03, 7)
        for flag, fn, n in (("", mean, count), (", count_include_pad", mean_pad, count_pad)):
            m.check(f"avg_pool {{0}} {spelled}{flag}{end}", [m.arg(to(x))],
                    to(pool(x, *geometry, fn, 0)).astype(np.float32), rtol=1e-5, atol=1e-6)
            total = pool(u.astype(np.float64) - 100, *geometry, lambda v, i: v.sum(axis=0), 0)
            counts = pool(u, *geometry, n, 0).astype(np.float32)
            want = qo.clamp(np.round(total.astype(np.float32) * (q.scale / (counts * qo.scale))))
            m.check(f"avg_pool {{0}} {spelled}{flag}{end}", [m.arg(to(u), q)], to(want), q=qo)

# Normalization.
x = f(2, 6, 5, 7) * 3 + 1
vectors = [f(6), f(6), f(6), abs(f(6)) + np.float32(0.1)]
col = lambda v: v.reshape(1, 6, 1, 1).astype(np.float64)
scale, shift, mean, variance = map(col, vectors)
want = scale * (x - mean) / np.sqrt(variance + 1e-3) + shift
for axis, data, y in ((1, x, want), (3, last(x), last(want))):
    m.check(f"batch_norm {{0}}, {{1}}, {{2}}, {{3}}, {{4}} {{{{epsilon = 1.0e-3 : f32, axis = {axis} : i64}}}}",
            [m.arg(data)] + [m.arg(v) for v in vectors], y.astype(np.float32), rtol=1e-4, atol=1e-5)
for axes in ((3,), (2, 3), (1,), (1, 2, 3), (1, 2)):
    d = x.astype(np.float64)
    mu = d.mean(axis=axes, keepdims=True)
    for rms in (False, True):
        c = d if rms else d - mu
        want = c / np.sqrt((c * c).mean(axis=axes, keepdims=True) + 1e-5)
        m.check(f"normalize {{0}} {{{{axes = {array(axes)}, epsilon = 1.0e-5 : f32{', rms' * rms}}}}}",
                [m.arg(x)], want.astype(np.float32), rtol=1e-4, atol=1e-5)
for axis, size in ((1, 3), (3, 4), (1, 5)):
    d = np.moveaxis(x.astype(np.float64), axis, 0)
    n = d.shape[0]
    total = np.stack([(d[max(0, c - (size - 1) // 2):min(n, c + size // 2 + 1)] ** 2).sum(axis=0)
                      for c in range(n)])
    want = np.moveaxis(d / (1.5 + 0.3 / size * total) ** 0.75, 0, axis)
    m.check(f"lrn {{0}} {{{{size = {size} : i64, alpha = 0.3 : f32, beta = 0.75 : f32, bias = 1.5 : f32, axis = {axis} : i64}}}}",
            [m.arg(x)], want.astype(np.float32), rtol=1e-4, atol=1e-5)

main(m)
