import itertools

import numpy as np
from harness import Module, main, type_of

rng = np.random.default_rng(7)
modules = [Module() for _ in range(3)]  # a call takes 1,024 arguments
m = modules[0]
f = lambda *shape: rng.standard_normal(shape).astype(np.float32)


# The best k, ties by the lower index, NaN above all numbers.
def top_k(x, k, axis, smallest):
    rows = np.moveaxis(x, axis, -1)
    index = np.empty((*rows.shape[:-1], k), np.int64)
    for at in np.ndindex(rows.shape[:-1]):
        row = rows[at].tolist()
        key = lambda i: (row[i] != row[i], 0 if row[i] != row[i] else row[i])
        index[at] = sorted(range(len(row)), key=key, reverse=not smallest)[:k]  # stable
    index = np.moveaxis(index, -1, axis)
    return np.take_along_axis(x, index, axis), np.ascontiguousarray(index)


def check_top_k(x, k, axis, smallest, index_type=np.int64):
    values, index = top_k(x, k, axis, smallest)
    index = index.astype(index_type)
    types = f"({type_of(values)}, {type_of(index)})"
    text = f"top_k {{0}} {{{{k = {k} : i64, axis = {axis} : i64{', smallest' * smallest}}}}}"
    name, _ = m.op(text, [m.arg(x)], types)
    m.lines[-1] = m.lines[-1].replace(f"{name} =", f"{name}:2 =")
    m.expect((f"{name}#0", type_of(values)), np.ascontiguousarray(values), text)
    m.expect((f"{name}#1", type_of(index)), index, text)


for shape, axis in [((3, 40), 1), ((3, 40), 0), ((2, 7, 5), 1), ((1,), 0), ((2, 1000), 1)]:
    n = shape[axis]
    special = f(*shape)
    special.flat[::3] = np.nan
    special.flat[::5] = -np.inf
    special.flat[1::7] = 0.0
    special.flat[2::7] = -0.0
    for x in (f(*shape), special, rng.integers(0, 4, shape).astype(np.uint8),
              rng.integers(-300, 300, shape), f(*shape).astype(np.float16)):
        for k, smallest in itertools.product(sorted({1, min(2, n), n // 2 + 1, n}), (False, True)):
            check_top_k(x, k, axis, smallest)
check_top_k(np.sort(f(4000)), 4000, 0, False, np.int32)  # the worst order
check_top_k(rng.random((2, 9)) < 0.5, 4, 1, False)

m = modules[1]


# Scatters: in order, without what lies outside.
def reduce(y, at, v, kind):
    with np.errstate(over="ignore"):
        y[at] = {"none": lambda a, b: b, "add": np.add, "mul": np.multiply,
                 "min": np.minimum, "max": np.maximum}[kind](y[at], v)


def attribute(kind):
    return "" if kind == "none" else f"reduction = #qnn<scatter_reduction {kind}>"


def values(shape, dtype):
    if np.dtype(dtype).kind == "f":
        return f(*shape).astype(dtype)
    if dtype == np.bool_:
        return rng.random(shape) < 0.5
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def check_elements(shape, index_shape, axis, dtype, kind, index_type=np.int64, beyond=2):
    x, v = values(shape, dtype), values(index_shape, dtype)
    n = shape[axis]
    i = rng.integers(-n - beyond, n + beyond, index_shape).astype(index_type)
    if i.size > 2:
        i.flat[0], i.flat[1] = np.iinfo(index_type).min, np.iinfo(index_type).max
    want = x.copy()
    for at in np.ndindex(index_shape):
        place = list(at)
        place[axis] = int(i[at]) + (n if i[at] < 0 else 0)
        if 0 <= place[axis] < n:
            reduce(want, tuple(place), v[at], kind)
    attrs = ", ".join(filter(None, [f"axis = {axis} : i64", attribute(kind)]))
    m.check(f"scatter_elements {{0}}, {{1}}, {{2}} {{{{{attrs}}}}}",
            [m.arg(x), m.arg(i), m.arg(v)], want, rtol=1e-6 if kind in ("add", "mul") else 0)


def check_nd(shape, lead, depth, dtype, kind, index_type=np.int64):
    x, v = values(shape, dtype), values((*lead, *shape[depth:]), dtype)
    i = np.stack([rng.integers(-n - 1, n + 1, lead) for n in shape[:depth]], -1).astype(index_type)
    want = x.copy()
    for at in np.ndindex(*lead):
        place = [int(c) + (n if c < 0 else 0) for c, n in zip(i[at], shape)]
        if all(0 <= p < n for p, n in zip(place, shape)):
            reduce(want, tuple(place), v[at], kind)
    m.check(f"scatter_nd {{0}}, {{1}}, {{2}} {{{{{attribute(kind)}}}}}",
            [m.arg(x), m.arg(i), m.arg(v)], want, rtol=1e-6 if kind in ("add", "mul") else 0)


for kind in ("none", "add", "mul", "min", "max"):
    for dtype in (np.float32, np.int32, np.uint8, np.int64):
        check_elements((5, 9), (3, 20), 1, dtype, kind)
        check_elements((5, 9), (12, 9), 0, dtype, kind, np.int32)
        check_elements((3, 4, 5, 6), (2, 7, 5, 3), 1, dtype, kind)
        check_nd((6, 7), (9,), 1, dtype, kind)
        check_nd((4, 3, 5), (2, 13), 2, dtype, kind, np.int32)
        check_nd((4, 3, 5), (50,), 3, dtype, kind)
check_elements((70, 1500), (70, 1500), 0, np.float32, "add")
check_elements((40,), (90,), 0, np.float16, "max")
check_elements((40,), (90,), 0, np.bool_, "none")
check_elements((4, 3), (0, 3), 0, np.float32, "none")
check_nd((5, 3000), (4,), 1, np.float32, "add")
check_nd((5, 3), (0,), 1, np.float32, "none")
nan = np.array([np.nan, 1, 2], np.float32)
for kind, want in (("min", [np.nan, np.nan, 1]), ("max", [np.nan, np.nan, 2])):
    m.check(f"scatter_nd {{0}}, {{1}}, {{2}} {{{{{attribute(kind)}}}}}",
            [m.arg(nan), m.arg(np.array([[0], [1], [2]])), m.arg(np.array([5, np.nan, 1], np.float32))],
            np.array(want, np.float32))

m = modules[2]


# Sampling, one place at a time.
def reflect(x, low, high):
    span = high - low
    if span == 0:
        return np.float32(0)
    if low <= x <= high:
        return x
    beyond = low - x if x < low else x - high
    turns = np.floor(beyond / span)
    rest = beyond - turns * span
    return low + rest if (x < low) == (turns % 2 == 0) else high - rest


def weights(t, mode):
    if mode == "linear":
        return [1 - t, t]
    a = np.float32(-0.75)
    near = lambda d: (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = lambda d: a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return [far(1 + t), near(t), near(1 - t), far(2 - t)]


def taps(g, n, mode, border, align):
    """(index or None, weight) along one dimension."""
    low, high = (np.float32(0), np.float32(n - 1)) if align else (np.float32(-0.5), np.float32(n - 0.5))
    x = (g + 1) * np.float32(0.5) * np.float32(n - 1) if align else ((g + 1) * np.float32(n) - 1) * np.float32(0.5)
    x = np.round(x) if mode == "nearest" else x
    if border == "border" and not low <= x <= high:
        x = np.clip(x, 0, n - 1)
    elif border == "reflection":
        x = reflect(x, low, high)
    first = np.floor(x) - (mode == "cubic")
    result = []
    for k, w in enumerate([1] if mode == "nearest" else weights(x - np.floor(x), mode)):
        p = first + k
        if border == "reflection":
            p = reflect(p, low, high)
        inside = border != "zeros" or 0 <= p <= n - 1
        result.append((int(np.clip(p, 0, n - 1)) if inside else None, w))
    return result


def grid_sample(x, grid, mode, border, align):
    spatial = x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]), np.float64)
    for at in np.ndindex(grid.shape[:-1]):
        each = [taps(grid[at][len(spatial) - 1 - d], n, mode, border, align) for d, n in enumerate(spatial)]
        for combination in itertools.product(*each):
            index = [i for i, _ in combination]
            if None not in index:
                y[(at[0], slice(None), *at[1:])] += np.prod([w for _, w in combination]) * x[(at[0], slice(None), *index)]
    return y


for shape, places in [((2, 3, 5, 7), (4, 6)), ((1, 1, 1, 9), (20, 1)), ((1, 5, 6), (40,)), ((1, 2, 3, 4, 5), (3, 3, 3))]:
    rank = len(places)
    for mode, border, align in itertools.product(("nearest", "linear", "cubic"),
                                                 ("zeros", "border", "reflection"), (False, True)):
        if mode == "cubic" and rank == 3:
            continue
        x = f(*shape)
        grid = (rng.random((shape[0], *places, rank)) * 5 - 2.5).astype(np.float32)
        grid.flat[:3] = -1, 1, 0
        attrs = f"mode = #qnn<resize_mode {mode}>, border = #qnn<sample_border {border}>" + ", align_corners" * align
        m.check(f"grid_sample {{0}}, {{1}} {{{{{attrs}}}}}", [m.arg(x), m.arg(grid)],
                grid_sample(x, grid, mode, border, align).astype(np.float32), rtol=1e-4, atol=2e-5)
# Places that are no numbers or far away: NaN counts as the first pixel.
x = f(1, 1, 4, 4)
grid = np.array([[[np.nan, 0], [np.inf, -np.inf], [3e38, -3e38]]], np.float32)[None]
for border, want in (("border", x[0, 0, [2, 0, 0], [0, 3, 3]]), ("zeros", np.zeros(3, np.float32))):
    m.check(f"grid_sample {{0}}, {{1}} {{{{mode = #qnn<resize_mode nearest>, border = #qnn<sample_border {border}>}}}}",
            [m.arg(x), m.arg(grid)], want.reshape(1, 1, 1, 3))


# Regions, one part of a bin at a time.
def pixel(plane, y, x, maximum):
    height, width = plane.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0.0
    y, x = max(y, 0), max(x, 0)
    r, c = min(int(y), height - 1), min(int(x), width - 1)
    v = y - r if r < height - 1 else 0
    h = x - c if c < width - 1 else 0
    below, right = min(r + 1, height - 1), min(c + 1, width - 1)
    products = [(1 - v) * (1 - h) * plane[r, c], (1 - v) * h * plane[r, right],
                v * (1 - h) * plane[below, c], v * h * plane[below, right]]
    return max(products) if maximum else sum(products)


def roi_align(x, rois, images, rows, columns, ratio, scale, half_pixel, maximum):
    y = np.zeros((len(rois), x.shape[1], rows, columns))
    for n, c, i, j in np.ndindex(y.shape):
        plane = x[min(max(images[n], 0), len(x) - 1), c]
        x1, y1, x2, y2 = (float(np.float32(v * np.float32(scale)) - np.float32(0.5 * half_pixel)) for v in rois[n])
        height, width = y2 - y1, x2 - x1
        if not half_pixel:
            height, width = max(height, 1), max(width, 1)
        height, width = height / rows, width / columns
        down = ratio or min(max(int(np.ceil(height)), 0), plane.shape[0])
        across = ratio or min(max(int(np.ceil(width)), 0), plane.shape[1])
        values = [pixel(plane, y1 + i * height + (a + 0.5) * height / down,
                        x1 + j * width + (b + 0.5) * width / across, maximum)
                  for a in range(down) for b in range(across)]
        if values:
            y[n, c, i, j] = max(values) if maximum else sum(values) / len(values)
    return y


x = f(2, 3, 7, 9)
rois = (rng.random((9, 4)) * 24 - 6).astype(np.float32)
rois[:6, 2:] += rois[:6, :2] + 1.03  # the others are turned around
rois[0] = -1000.3, -1000.7, 1000.1, 1000.9
images = rng.integers(-1, 4, 9)
for (rows, columns), ratio, half_pixel, maximum in itertools.product(((1, 1), (2, 3)), (0, 2), (False, True), (False, True)):
    attrs = f"output_height = {rows} : i64, output_width = {columns} : i64, sampling_ratio = {ratio} : i64, " \
        "spatial_scale = 0.5 : f32" + ", half_pixel" * half_pixel + ", maximum" * maximum
    want = roi_align(x, rois, images, rows, columns, ratio, 0.5, half_pixel, maximum)
    m.check(f"roi_align {{0}}, {{1}}, {{2}} {{{{{attrs}}}}}", [m.arg(x), m.arg(rois), m.arg(images)],
            want.astype(np.float32), rtol=1e-4, atol=2e-5)

main(*modules)
