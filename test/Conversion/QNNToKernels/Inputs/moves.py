"""Moves behind moves, and concatenations whose operands are computed in place.

usage: moves.py PATH-OF-QCC-OPT

Runs as an artefact does, so that @main may have parts of buffers; compares with
numpy, byte for byte.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

rng = np.random.default_rng(7)
inputs, lines, outputs = {}, [], {}


def kind(value):
    return f"tensor<{''.join(f'{d}x' for d in value.shape)}f32>"


def array(values):
    return "array<i64: " + ", ".join(map(str, values)) + ">"


class Tensor:
    def __init__(self, value, text=None, *operands):
        self.value = np.ascontiguousarray(value)
        self.name = f"%v{len(lines)}" if text else f"%x{len(inputs)}"
        if text:
            names = ", ".join(o.name for o in operands)
            types = ", ".join(kind(o.value) for o in operands)
            lines.append(f"{self.name} = qnn.{text.format(names)} : ({types}) -> {kind(self.value)}")
        else:
            inputs[self.name] = self.value


def source(*shape):
    return Tensor(rng.standard_normal(shape).astype(np.float32))


def negate(x):
    return Tensor(-x.value, "unary neg {}", x)


def slices(x, starts, sizes, steps=None):
    steps = steps or [1] * len(sizes)
    at = np.ix_(*[[s + i * p for i in range(n)] for s, n, p in zip(starts, sizes, steps)])
    return Tensor(x.value[at], f"slice {{}} {{{{starts = {array(starts)}, sizes = {array(sizes)}, "
                  f"steps = {array(steps)}}}}}", x)


def transpose(x, permutation):
    return Tensor(x.value.transpose(permutation),
                  f"transpose {{}} {{{{permutation = {array(permutation)}}}}}", x)


def reshape(x, *shape):
    return Tensor(x.value.reshape(shape), "reshape {}", x)


def concat(axis, *parts):
    return Tensor(np.concatenate([p.value for p in parts], axis),
                  f"concat {{}} {{{{axis = {axis} : i64}}}}", *parts)


def expect(x):
    outputs[f"y{len(outputs)}"] = x


# The head of a detector: slices of one tensor, changed or not, side by side,
# transposed, and below those of another scale.
parts = []
for size in (6, 3):
    x = negate(source(1, size, size, 3, 21))
    a = negate(slices(x, [0, 0, 0, 0, 0], [1, size, size, 3, 2]))
    b = slices(x, [0, 0, 0, 0, 2], [1, size, size, 3, 19])
    parts.append(reshape(transpose(concat(4, a, b), [0, 3, 1, 2, 4]), 1, -1, 21))
expect(concat(1, *parts))
# The same with chains of ops, whose results are stored where they end up: cut
# where that is so, and where what is cut is read once that is overwritten.
parts = []
for size in (6, 3):
    x = negate(negate(source(2, size, size, 3, 21)))
    a = negate(slices(x, [0, 0, 0, 0, 0], [2, size, size, 3, 2]))
    c = negate(slices(x, [0, 0, 0, 0, 7], [2, size, size, 3, 5]))
    b, d = slices(x, [0, 0, 0, 0, 2], [2, size, size, 3, 5]), slices(x, [0, 0, 0, 0, 12], [2, size, size, 3, 9])
    expect(negate(slices(x, [0, 0, 0, 0, 0], [2, size, size, 3, 9])))
    parts.append(reshape(transpose(concat(4, a, b, c, d), [0, 3, 1, 2, 4]), 2, -1, 21))
expect(concat(1, *parts))
x = negate(negate(source(3, 4, 8)))
a, b = slices(x, [0, 0, 0], [3, 1, 8]), slices(x, [0, 1, 0], [3, 3, 8])
expect(concat(1, negate(a), b))
x = negate(negate(source(3, 4, 8)))
a, b = slices(x, [0, 0, 0], [3, 1, 8]), slices(x, [0, 1, 0], [3, 3, 8])
expect(concat(1, negate(a), b))
expect(negate(slices(x, [0, 0, 2], [3, 4, 5])))
x = negate(negate(source(3, 4, 8)))
expect(concat(2, slices(x, [0, 0, 4], [3, 4, 4]), slices(x, [0, 0, 0], [3, 4, 4])))
x = negate(negate(source(3, 4, 8)))
expect(concat(2, negate(slices(x, [0, 0, 0], [3, 4, 4])), slices(x, [0, 0, 4], [3, 4, 4])))
expect(x)
# A slice that is concatenated elsewhere than it stood, or with gaps, and read by
# another op besides.
for step, at in ((1, 16), (2, 0)):
    x = negate(negate(source(3, 48)))
    a, b = slices(x, [0, 0], [3, 16], [1, step]), slices(x, [0, 16], [3, 16])
    order = (negate(a), b, a) if at else (a, b, negate(a))
    expect(concat(1, *order))
# In place twice over, beside an operand that is another output and an input.
x, y, z = negate(source(1, 4, 5)), negate(source(1, 2, 5)), source(1, 3, 5)
inner = concat(1, x, y)
expect(y)
expect(negate(concat(1, inner, z, inner)))
expect(concat(1, negate(inner), z))
# The same tensor at two places, and in two concatenations.
x = negate(source(3, 4))
expect(concat(0, x, x))
expect(negate(concat(0, x, negate(x))))
# Chains of moves, also backwards, with a user that is none.
x = negate(source(5, 6, 7))
s = slices(x, [4, 1, 0], [3, 4, 7], [-2, 1, 1])
t = transpose(s, [2, 0, 1])
expect(slices(t, [1, 0, 3], [5, 3, 4], [1, 1, -1]))
u = slices(x, [0, 0, 1], [5, 2, 6])
expect(concat(1, u, transpose(transpose(u, [1, 0, 2]), [1, 0, 2])))
expect(negate(transpose(x, [1, 2, 0])))
v = transpose(x, [0, 2, 1])
expect(concat(2, v, negate(v)))
expect(transpose(concat(0, x, x), [2, 1, 0]))


def tool(name):
    return os.path.join(os.path.dirname(sys.argv[1]), name)


with tempfile.TemporaryDirectory() as folder:
    at = lambda name: os.path.join(folder, name)
    arguments = ", ".join(f'{n}: {kind(v)} {{qnn.name = "{n[1:]}"}}' for n, v in inputs.items())
    results = ", ".join(f'{kind(t.value)} {{qnn.name = "{n}"}}' for n, t in outputs.items())
    names = ", ".join(t.name for t in outputs.values())
    types = ", ".join(kind(t.value) for t in outputs.values())
    body = "\n  ".join(lines)
    with open(at("m.mlir"), "w") as f:
        f.write(f"func.func @main({arguments}) -> ({results}) {{\n  {body}\n  return {names} : {types}\n}}\n")
    np.savez(at("in.npz"), **{n[1:]: v for n, v in inputs.items()})
    subprocess.run([sys.argv[1], at("m.mlir"), "-o", at("k.mlir"),
                    "-pass-pipeline=builtin.module(qcc-generate-kernels{level=baseline},qcc-plan-arena,"
                    "func.func(qcc-expand-math))"], check=True)
    subprocess.run([tool("qcc-emit"), at("k.mlir"), "-target=x86-64", "-o", at("k.so")], check=True)
    subprocess.run([tool("qcc-run"), at("k.so"), "-inputs=" + at("in.npz"), "-o=" + at("out.npz")],
                   check=True, stdout=subprocess.DEVNULL)
    got = np.load(at("out.npz"))
wrong = [n for n, t in outputs.items() if got[n].tobytes() != t.value.tobytes()]
print(f"{len(outputs) - len(wrong)} of {len(outputs)} agree", *wrong)
sys.exit(bool(wrong))
