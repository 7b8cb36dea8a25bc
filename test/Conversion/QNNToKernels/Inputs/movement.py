import itertools

import numpy as np
from harness import Module, Q, main

rng = np.random.default_rng(4)
m, wide = Module(), Module(vector_bytes=64)
f = lambda *shape: rng.standard_normal(shape).astype(np.float32)
array = lambda v, t="i64": f"array<{t}: {', '.join(map(str, v))}>" if len(v) else f"array<{t}>"

for shape, perm in [((5, 7), (1, 0)), ((2, 3, 4, 5), (0, 2, 3, 1)), ((2, 3, 4, 5), (3, 1, 0, 2)),
                    ((1, 64, 8, 8), (0, 2, 3, 1)), ((3, 100, 70), (0, 2, 1)), ((2, 3, 4), (0, 1, 2)),
                    ((1, 3, 130, 70), (0, 2, 3, 1)), ((2, 300, 33), (0, 2, 1)), ((40, 3, 37), (2, 1, 0)), ((1, 130, 70, 3), (0, 3, 1, 2)),
                    ((2, 2, 50, 83), (0, 2, 3, 1)), ((1, 12, 9, 11), (0, 2, 3, 1)), ((1, 3, 4101), (0, 2, 1))]:
    for x, q in ((f(*shape), None), (rng.integers(0, 256, shape).astype(np.uint8), Q(np.uint8, 0.5)),
                 (rng.integers(0, 256, shape), None)):
        for module in (m, wide):
            module.check(f"transpose {{0}} {{{{permutation = {array(perm)}}}}}",
                         [module.arg(x, q)], np.ascontiguousarray(x.transpose(perm)), q=q)
for axis in range(3):
    parts = []
    for n in (1, 4, 2):
        shape = [3, 5, 6]
        shape[axis] = n
        parts.append(f(*shape))
    m.check(f"concat {{0}}, {{1}}, {{2}} {{{{axis = {axis} : i64}}}}", [m.arg(p) for p in parts],
            np.concatenate(parts, axis))
x = f(6, 8, 10)
xa = m.arg(x)
for starts, sizes, steps in [((1, 2, 3), (4, 5, 6), (1, 1, 1)), ((0, 7, 9), (6, 8, 4), (1, -1, -2)),
                             ((5, 0, 0), (2, 3, 10), (-3, 3, 1)), ((0, 0, 0), (6, 8, 10), (1, 1, 1))]:
    at = np.ix_(*[[s + i * p for i in range(n)] for s, n, p in zip(starts, sizes, steps)])
    m.check(f"slice {{0}} {{{{starts = {array(starts)}, sizes = {array(sizes)}, steps = {array(steps)}}}}}",
            [xa], np.ascontiguousarray(x[at]))
for pads in [(1, 2, 0, 0, 3, 2), (0, 0, 0, 0, 0, 5), (-1, 2, -3, 1, -2, 0)]:
    width = list(zip(pads[:3], pads[3:]))
    grow = [(max(0, a), max(0, b)) for a, b in width]
    cut = tuple(slice(max(0, -a), None if b >= 0 else b) for a, b in width)
    m.check(f"pad {{0}} {{{{pads = {array(pads)}, value = -1.5 : f64}}}}", [xa],
            np.ascontiguousarray(np.pad(x, grow, constant_values=-1.5)[cut]))
    if min(pads) >= 0:
        for mode in ("reflect", "edge", "wrap"):
            m.check(f"pad {{0}} {{{{pads = {array(pads)}, mode = #qnn<pad_mode {mode}>}}}}", [xa],
                    np.pad(x, width, mode))
u = rng.integers(0, 256, (4, 5)).astype(np.uint8)
m.check("pad {0} {{pads = array<i64: 1, 1, 1, 1>, value = 1.0 : f64}}", [m.arg(u, Q(np.uint8, 0.5, 30))],
        np.pad(u, 1, constant_values=32), q=Q(np.uint8, 0.5, 30))
for shape, to in [((3, 1, 5), (2, 3, 4, 5)), ((), (3, 4)), ((7, 1), (7, 200))]:
    x = np.asarray(f(*shape), np.float32)
    m.check(f"expand {{0}} {{{{shape = {array(to)}}}}}", [m.arg(x)], np.ascontiguousarray(np.broadcast_to(x, to)))
x = f(5, 6, 7)
for axis, dtype in itertools.product(range(3), (np.int32, np.int64)):
    i = rng.integers(-x.shape[axis], x.shape[axis], (2, 4)).astype(dtype)
    m.check(f"gather {{0}}, {{1}} {{{{axis = {axis} : i64}}}}", [m.arg(x), m.arg(i)], np.take(x, i, axis))
m.check("gather {0}, {1} {{axis = 0 : i64}}", [m.arg(x), m.arg(np.array([99, -99]))], x[[4, 0]])
m.check("gather {0}, {1} {{axis = 1 : i64}}", [m.arg(x), m.arg(np.array(2))], np.ascontiguousarray(x[:, 2]))


# Resize, one dimension at a time.
def coordinate(o, n_in, n_out, scale, mode):
    scale = np.float32(scale)
    o = np.float32(o)
    half = np.float32(0.5)
    if mode == "half_pixel":
        return (o + half) / scale - half
    if mode == "pytorch_half_pixel":
        return (o + half) / scale - half if n_out > 1 else np.float32(0)
    if mode == "align_corners":
        return o * np.float32(n_in - 1) / np.float32(n_out - 1) if n_out > 1 else np.float32(0)
    if mode == "asymmetric":
        return o / scale
    if mode == "tf_half_pixel_for_nn":
        return (o + half) / scale
    wide = scale * n_in
    return n_in / 2 * (1 - n_out / wide) + (o + half) / scale - half


def taps(x, n_in, mode, nearest, a, exclude):
    if mode == "nearest":
        i = {"round_prefer_floor": np.ceil(x - 0.5), "round_prefer_ceil": np.floor(x + 0.5),
             "floor": np.floor(x), "ceil": np.ceil(x)}[nearest]
        return [(int(np.clip(i, 0, n_in - 1)), 1.0)]
    if mode == "linear":
        x = np.clip(x, 0, n_in - 1)
        low = int(np.floor(x))
        return [(low, 1 - (x - low)), (min(low + 1, n_in - 1), x - low)]
    low, t = int(np.floor(x)), float(x - np.floor(x))
    w = [((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
         ((a + 2) * t - (a + 3)) * t * t + 1,
         ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1,
         ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a]
    if exclude:
        w = [v if 0 <= low - 1 + k < n_in else 0 for k, v in enumerate(w)]
        w = [v / sum(w) for v in w]
    return [(int(np.clip(low - 1 + k, 0, n_in - 1)), v) for k, v in enumerate(w)]


def resize(x, sizes, scales, coord, mode, nearest="round_prefer_floor", a=-0.75, exclude=False):
    y = x.astype(np.float64)
    for d, (n, s) in enumerate(zip(sizes, scales)):
        if n == x.shape[d] and s == 1:
            continue
        rows = []
        for o in range(n):
            at = coordinate(o, x.shape[d], n, s, coord)
            rows.append(sum(w * np.take(y, i, d) for i, w in taps(at, x.shape[d], mode, nearest, a, exclude)))
        y = np.stack(rows, d)
    return y


SIZES = [((1, 2, 5, 6), (1, 2, 10, 12)), ((1, 2, 5, 6), (1, 2, 8, 4)), ((1, 5, 6, 3), (1, 15, 3, 3)),
         ((2, 3, 9), (2, 3, 1))]
for shape, sizes in SIZES:
    x = f(*shape)
    xa = m.arg(x)
    scales = [float(np.float32(o / i)) for i, o in zip(shape, sizes)]
    spelled = f"sizes = {array(sizes)}, scales = {array(scales, 'f32')}"
    for coord in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                  "tf_half_pixel_for_nn", "half_pixel_symmetric"):
        if coord != "tf_half_pixel_for_nn":
            for mode in ("linear", "cubic"):
                m.check(f"resize {{0}} {{{{{spelled}, mode = #qnn<resize_mode {mode}>, coord_mode = #qnn<coord_mode {coord}>}}}}",
                        [xa], resize(x, sizes, scales, coord, mode).astype(np.float32), rtol=1e-4, atol=1e-5)
        for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            if coord == "half_pixel_symmetric" and nearest == "ceil":
                continue  # decided by the last bit of a coordinate
            m.check(f"resize {{0}} {{{{{spelled}, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode {coord}>, nearest_mode = #qnn<nearest_mode {nearest}>}}}}",
                    [xa], resize(x, sizes, scales, coord, "nearest", nearest).astype(np.float32))
    m.check(f"resize {{0}} {{{{{spelled}, mode = #qnn<resize_mode cubic>, coord_mode = #qnn<coord_mode half_pixel>, cubic_coeff = -0.5 : f32, exclude_outside}}}}",
            [xa], resize(x, sizes, scales, "half_pixel", "cubic", a=-0.5, exclude=True).astype(np.float32),
            rtol=1e-4, atol=1e-5)
u = rng.integers(0, 256, (1, 2, 5, 6)).astype(np.uint8)
q = Q(np.uint8, 0.05, 100)
real = resize(q.dequantize(u), (1, 2, 10, 12), (1, 1, 2, 2), "asymmetric", "linear")
m.check("resize {0} {{sizes = array<i64: 1, 2, 10, 12>, scales = array<f32: 1.0, 1.0, 2.0, 2.0>, mode = #qnn<resize_mode linear>, coord_mode = #qnn<coord_mode asymmetric>}}",
        [m.arg(u, q)], q.quantize(real), q=q, atol=1)
m.check("resize {0} {{sizes = array<i64: 1, 2, 10, 12>, scales = array<f32: 1.0, 1.0, 2.0, 2.0>, mode = #qnn<resize_mode nearest>, coord_mode = #qnn<coord_mode asymmetric>, nearest_mode = #qnn<nearest_mode floor>}}",
        [m.arg(u, q)], u.repeat(2, 2).repeat(2, 3), q=q)

main(m, wide)
