import numpy as np
from harness import Module, Q, main, type_of

rng = np.random.default_rng(11)
m = Module()
f = lambda *shape: rng.standard_normal(shape).astype(np.float32) * 0.5
sigmoid = lambda v: 1 / (1 + np.exp(-v))
FUNCTIONS = {
    ("sigmoid", 0, 0): sigmoid, ("tanh", 0, 0): np.tanh,
    ("relu", 0, 0): lambda v: np.maximum(v, 0),
    ("affine", 0.5, 0.25): lambda v: 0.5 * v + 0.25,
    ("scaled_tanh", 1.5, 0.5): lambda v: 1.5 * np.tanh(0.5 * v),
    ("hard_sigmoid", 0.2, 0.5): lambda v: np.clip(0.2 * v + 0.5, 0, 1),
}


def dynamic(v):
    """v as qnn.dynamic_quantize sees it, per row: integers less the zero point, scale."""
    lo = np.minimum(v.min(-1, keepdims=True), 0).astype(np.float32)
    hi = np.maximum(v.max(-1, keepdims=True), 0).astype(np.float32)
    scale = np.where(hi == lo, np.float32(1 / 255), (hi - lo) / np.float32(255))
    zero = np.clip(np.round(-lo / scale), 0, 255)
    return np.clip(np.round(v / scale), -zero, 255 - zero), scale


def recurrence(kind, x, w, functions, q=None, bias=None, state=None, cell=None, peepholes=None,
               lengths=None, clip=None, reverse=False, coupled=False, linear=False):
    steps, rows, columns = x.shape
    hidden = w.shape[1]
    x = x.astype(np.float64)
    if q:
        weights = q.dequantize(w).astype(np.float64)
    act = [FUNCTIONS[name] for name in functions]
    bound = lambda v: v if clip is None else np.clip(v, -clip, clip)
    h = np.zeros((rows, hidden)) if state is None else state.astype(np.float64)
    c = np.zeros((rows, hidden)) if cell is None else cell.astype(np.float64)
    y = np.zeros((steps, rows, hidden))
    p_i, p_o, p_f = np.zeros((3, hidden)) if peepholes is None else peepholes.reshape(3, hidden)

    def product(v, gate=slice(None)):
        if q is None:
            return v @ w[gate].astype(np.float64).T
        integers, scale = dynamic(v.astype(np.float32))
        return (integers @ weights[gate].T) * scale

    for n in range(rows):
        count = steps if lengths is None else min(lengths[n], steps)
        for s in range(count):
            t = count - 1 - s if reverse else s
            at = h[n:n + 1]
            split = lambda v: np.split(v, len(v[0]) // hidden, 1)
            if kind == "lstm":
                i, o, g, k = split(x[t, n:n + 1] + product(at))
                old = c[n]
                i = act[0](bound(i + p_i * old))
                g = 1 - i if coupled else act[0](bound(g + p_f * old))
                new = g * old + i * act[1](bound(k))
                o = act[0](bound(o + p_o * new))
                c[n], h[n] = new[0], (o * act[2](new))[0]
            elif kind == "gru":
                xz, xr, xh = split(x[t, n:n + 1])
                first = product(at, slice(0, 2 * hidden))
                z, r = act[0](bound(xz + first[:, :hidden])), act[0](bound(xr + first[:, hidden:]))
                last = slice(2 * hidden, 3 * hidden)
                if linear:
                    k = r * (product(at, last) + (0 if bias is None else bias))
                else:
                    k = product(r * at, last)
                h[n] = ((1 - z) * act[1](bound(xh + k)) + z * at)[0]
            else:
                h[n] = act[0](bound(x[t, n:n + 1] + product(at)))[0]
            y[t, n] = h[n]
    return [y, h, c] if kind == "lstm" else [y, h]


def check(kind, steps, rows, hidden, functions, q=None, **options):
    gates = {"lstm": 4, "gru": 3, "plain": 1}[kind]
    x = f(steps, rows, gates * hidden)
    if q:
        w = rng.integers(q.lo, q.hi + 1, (gates * hidden, hidden)).astype(q.dtype)
    else:
        w = f(gates * hidden, hidden)
    wanted = recurrence(kind, x, w, functions, q, **options)
    operands = [m.arg(x), m.const(w, q) if options.pop("constant", True) else m.arg(w, q)]
    text = f"recurrence {kind} {{0}}, {{1}}"
    for word, key in (("bias", "bias"), ("state", "state"), ("cell", "cell"),
                      ("peepholes", "peepholes"), ("lengths", "lengths")):
        if options.get(key) is not None:
            text += f" {word} {{{len(operands)}}}"
            operands.append(m.arg(options[key]))
    attributes = ["activations = [" + ", ".join(
        f"#qnn.act<{n}, {a:e} : f32, {b:e} : f32>" for n, a, b in functions) + "]"]
    if options.get("clip"):
        attributes.append(f"clip = {options['clip']:e} : f32")
    for word, key in (("reverse", "reverse"), ("coupled", "coupled"), ("linear_before_reset", "linear")):
        if options.get(key):
            attributes.append(word)
    names = [m._fresh() for _ in wanted]
    types = [type_of(v.astype(np.float32)) for v in wanted]
    spelled = text.format(*[o[0] for o in operands])
    m.lines.append(f"{', '.join(names)} = qnn.{spelled} {{{', '.join(attributes)}}} : "
                   f"({', '.join(o[1] for o in operands)}) -> ({', '.join(types)})")
    # A value on a tie may be rounded the other way.
    tolerance = dict(rtol=1e-4, atol=2e-2 if q else 1e-5)
    for name, type_, want in zip(names, types, wanted):
        m.expect((name, type_), want.astype(np.float32), f"{kind} {hidden} {options.keys()}", **tolerance)


S, T = ("sigmoid", 0, 0), ("tanh", 0, 0)
check("plain", 4, 2, 5, [T])
check("plain", 3, 1, 3, [("relu", 0, 0)], clip=0.5, reverse=True)
check("lstm", 5, 2, 4, [S, T, T])
check("lstm", 5, 3, 7, [S, T, T], state=f(3, 7), cell=f(3, 7), lengths=np.array([3, 5, 0], np.int32))
check("lstm", 5, 2, 6, [("hard_sigmoid", 0.2, 0.5), ("affine", 0.5, 0.25), ("scaled_tanh", 1.5, 0.5)],
      peepholes=f(18), reverse=True, clip=0.75)
check("lstm", 4, 2, 3, [S, T, T], coupled=True, peepholes=f(9), reverse=True,
      lengths=np.array([2, 9], np.int32))
check("gru", 5, 2, 4, [S, T])
check("gru", 5, 2, 4, [S, T], linear=True, bias=f(4), state=f(2, 4), reverse=True)
check("gru", 3, 1, 6, [S, T], linear=True, lengths=np.array([2], np.int32))
for q in (Q(np.int8, 0.01, 0), Q(np.uint8, 0.01, 131)):
    check("lstm", 5, 2, 9, [S, T, T], q, state=f(2, 9))
    check("gru", 5, 2, 5, [S, T], q)
    check("gru", 5, 1, 5, [S, T], q, linear=True, bias=f(5))
check("plain", 4, 2, 6, [T], Q(np.int8, (0.002 * np.arange(1, 7)).tolist(), [0, 1, -3, 0, 5, 9], 0))
main(m)
