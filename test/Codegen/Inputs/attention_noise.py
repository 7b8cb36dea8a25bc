"""What rounding to 16 bits adds to attention, against float64.

usage: attention_noise.py PATH-OF-QCC-OPT LEVEL...

Prints the ratio of signal to noise of the results for several distributions, and
fails where it is below what they are said to have, where results differ between
levels with fused multiply-add, or where a NaN or infinity does not reach the
results that it reaches in float.
"""

import os
import sys
import tempfile

import numpy as np

from differential import UNFUSED, Runner

rng = np.random.default_rng(3)


def normal(*shape):
    return rng.normal(0, 1, shape).astype(np.float32)


def scaled_rows(q, factor):
    """Every other row is larger by `factor`."""
    q[:, ::2] *= factor
    return q


def with_outlier(x, value):
    x[0, x.shape[1] // 2, 3] = value
    return x


def decided(q):
    """Channels that meet outliers of k are well away from 0: scores of the keys that
    have them are far above or below all others."""
    part = q[:, :, 3:5]
    part[:] = np.copysign(np.maximum(np.abs(part), 0.5), part)
    return q


def with_channel(x, factor):
    x[:, :, 5] *= factor
    return x


def with_constant(x, value):
    x[:, :, 5] = value
    return x


def with_elements(x, value):
    """An outlier in another key of each matrix, in a channel of its own."""
    for i in range(len(x)):
        x[i, 7 + i, 3 + i] = value
    return x


def mask(rows, keys, *, least=-np.inf):
    """Leaves out the last third of the keys, and of the others what is behind the row."""
    out = np.zeros((rows, keys), np.float32)
    out[:, keys * 2 // 3:] = least
    for row in range(rows):
        out[row, row + 1:] = least
    return out


def ended(x, value):
    """The last third of the keys is `value` in all channels: what a mask leaves out."""
    x[:, x.shape[1] * 2 // 3:] = value
    return x


def cases():
    """name: least dB, q, k, v, what scores are divided by[, what is added to them]."""
    for n, d in ((197, 64), (128, 64), (16, 16), (33, 7), (1024, 64), (50, 256), (64, 1024)):
        yield f"normal {n} keys, depth {d}", 65, normal(2, 31, d), normal(2, n, d), normal(2, n, d), d ** 0.5
    yield "few keys, many rows on the stack", 65, normal(2, 100, 1024), normal(2, 16, 1024), normal(2, 16, 64), 32
    yield "one key far from all", 65, normal(2, 31, 64), with_outlier(normal(2, 100, 64), 1e4), normal(2, 100, 64), 8
    yield "one huge value of v", 65, normal(2, 31, 64), normal(2, 100, 64), with_outlier(normal(2, 100, 64), 1e6), 8
    yield "a channel of q and k", 55, with_channel(normal(2, 31, 64), 30), with_channel(normal(2, 100, 64), 30), normal(
        2, 100, 64), 8 * 900
    # The softmax takes off what it adds to all scores of a row.
    for value in (30, 1000):
        yield f"a channel of k that is {value} everywhere", 65, normal(2, 31, 64), with_constant(
            normal(2, 100, 64), value), normal(2, 100, 64), 8
    yield "rows of any size", 65, scaled_rows(normal(2, 32, 64), 1e-12), normal(2, 100, 64), normal(2, 100, 64), 8
    yield "zeros in q", 65, 0 * normal(2, 31, 64), normal(2, 100, 64), 1 + normal(2, 100, 64), 8
    yield "zeros in k", 65, normal(2, 31, 64), 0 * normal(2, 100, 64), 1 + normal(2, 100, 64), 8
    yield "zeros in v", 0, normal(2, 31, 64), normal(2, 100, 64), 0 * normal(2, 100, 64), 8
    # The mean of a channel stays where it is one key's.
    for value in (30, 1e3, 1e6, 1e12):
        yield f"one element of k that is {value:g}", 65, decided(normal(2, 31, 64)), with_elements(
            normal(2, 100, 64), value), normal(2, 100, 64), 8
    yield "one element of k that is 1e+06, of 16 keys", 65, decided(normal(2, 31, 64)), with_elements(
        normal(2, 16, 64), 1e6), normal(2, 16, 64), 8
    for least in (-np.inf, -10000):
        yield f"a mask of {least}", 65, normal(2, 31, 64), normal(2, 100, 64), normal(2, 100, 64), 8, mask(
            31, 100, least=least)
    yield "a mask over zeros", 65, normal(2, 31, 64), ended(normal(2, 100, 64), 0), ended(
        normal(2, 100, 64), 0), 8, mask(31, 100)
    yield "a mask over a key of 1e+06", 65, normal(2, 31, 64), with_outlier(normal(2, 100, 64), 1e6), normal(
        2, 100, 64), 8, mask(31, 100)
    yield "a bias of scores", 65, normal(2, 31, 64), normal(2, 100, 64), normal(2, 100, 64), 8, 3 * normal(31, 100)
    # As far as floats go.
    yield "values up to 1e38", 65, normal(2, 31, 64), normal(2, 100, 64), with_elements(normal(2, 100, 64), 1e38), 8
    yield "all values 1e38", 65, normal(2, 31, 64), normal(2, 100, 64), np.float32(2e37) * normal(2, 100, 64), 8
    yield "q of 1e25", 65, np.float32(1e25) * normal(2, 31, 64), np.float32(1e-25) * normal(2, 100, 64), normal(
        2, 100, 64), 8
    yield "keys whose sum is beyond floats", 65, with_constant(normal(2, 31, 64), 0), with_constant(
        0 * normal(2, 100, 64), 1e37), 1 + normal(2, 100, 64), 8
    # Scores of a hundred and more, of which small differences decide.
    yield "sharp", 55, 10 * normal(2, 31, 64), 10 * normal(2, 100, 64), normal(2, 100, 64), 8
    # All factors at the ends of their ranges: sums reach their bounds.
    yield "all equal", 65, normal(2, 31, 1) * np.ones((1, 1, 64), np.float32), np.ones((2, 1000, 64), np.float32), \
        np.ones((2, 1000, 64), np.float32), 8
    yield "one against all", 65, normal(2, 31, 64), normal(2, 100, 64), np.full((2, 100, 64), -3, np.float32), 8


def source(given):
    """A module with the attention of each case."""
    arguments, results, names, lines = [], [], [], []
    for i, (_, _, q, k, v, root, *bias) in enumerate(given):
        def of(*shape):
            return "tensor<" + "x".join(map(str, shape)) + "xf32>"
        tq, tk, tv = of(*q.shape), of(*k.shape), of(*v.shape)
        ts, ty = of(q.shape[0], q.shape[1], k.shape[1]), of(q.shape[0], q.shape[1], v.shape[2])
        arguments += [f'%{n}{i}: {t} {{qnn.name = "{n}{i}"}}' for n, t in (("q", tq), ("k", tk), ("v", tv))]
        lines += [
            f"%c{i} = qnn.constant dense<{float(root)}> : tensor<f32> as tensor<f32>",
            f"%s{i} = qnn.matmul %q{i}, %k{i} {{transpose_rhs}} : ({tq}, {tk}) -> {ts}",
            f"%d{i} = qnn.binary div %s{i}, %c{i} : ({ts}, tensor<f32>) -> {ts}"]
        scores = f"%d{i}"
        if bias:
            tb = of(*bias[0].shape)
            arguments.append(f'%b{i}: {tb} {{qnn.name = "b{i}"}}')
            lines.append(f"%a{i} = qnn.binary add %d{i}, %b{i} : ({ts}, {tb}) -> {ts}")
            scores = f"%a{i}"
        lines += [
            f"%p{i} = qnn.softmax {scores} {{axis = 2 : i64}} : ({ts}) -> {ts}",
            f"%y{i} = qnn.matmul %p{i}, %v{i} : ({ts}, {tv}) -> {ty}"]
        results.append(f'{ty} {{qnn.name = "y{i}"}}')
        names.append((f"%y{i}", ty))
    return ('module attributes {qcc.attention = "int16"} {\nfunc.func @main(' + ", ".join(arguments) + ") -> (" +
            ", ".join(results) + ") {\n" + "\n".join(lines) + "\nreturn " + ", ".join(n for n, _ in names) + " : " +
            ", ".join(t for _, t in names) + "\n}\n}\n")


def exact(q, k, v, root, bias=0):
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    with np.errstate(all="ignore"):
        s = q @ k.transpose(0, 2, 1) / root + bias
        e = np.exp(s - s.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) @ v


def broken():
    """Cases with a NaN or an infinity."""
    for value in (np.nan, np.inf, -np.inf):
        for where in range(3):
            given = [normal(2, 20, 24), normal(2, 40, 24), normal(2, 40, 24)]
            given[where] = with_outlier(given[where], value)
            yield f"{value} in {'qkv'[where]}", where, *given, 5.0


def main():
    given, wrong = list(cases()), list(broken())
    failed, fused = False, None  # the results of the first level with fused multiply-add
    for level in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            feeds = {n + str(i): x for i, case in enumerate(given + wrong) for n, x in zip("qkv?b", case[2:]) if n != "?"}
            with open(os.path.join(folder, "m.mlir"), "w") as f:
                f.write(source(given + wrong))
            got = Runner(folder, feeds, False, False, None, False, False, False).run(level, "")
        if got is None:
            print(f"{level}: not on this machine")
            continue
        for i, (name, least, *data) in enumerate(given):
            y, expected = got[f"y{i}"].astype(np.float64), exact(*data)
            noise, signal = ((y - expected) ** 2).sum(), (expected ** 2).sum()
            ratio = 10 * np.log10(signal / noise) if noise else np.inf
            good = np.isfinite(y).all() and ratio >= least
            failed |= not good
            print(f"{level}: {name}: {ratio:.1f} dB{'' if good else ' FAIL'}")
        for i, (name, where, *data) in enumerate(wrong, len(given)):
            y, expected = got[f"y{i}"], exact(*data)
            # Of q: as in float. Of k and v: wherever float gives no number, and
            # all else that the row or column reaches.
            if where == 0:
                good = (np.isfinite(y) == np.isfinite(expected)).all()
            else:
                good = not np.isfinite(y[~np.isfinite(expected)]).any() and np.isfinite(y[1]).all()
            failed |= not good
            print(f"{level}: {name}: {'good' if good else 'FAIL'}")
        if level in UNFUSED:
            continue
        fused = fused or got
        different = [name for name in got if got[name].tobytes() != fused[name].tobytes()]
        if different:
            failed = True
            print(f"{level}: other bytes: {different}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
