"""Random cases of ops as text: operands, results and what they share."""

import random

import numpy as np

FUNCTIONS = ["silu", "gelu", "sigmoid", "gelu_tanh"]  # by polynomials
WORD = 8191


class Case:
    """One op; its operands are inputs and constants of the module. Further ops
    may follow: each has the result before and at most one more input. An input
    that ends in a permutation is transposed first."""

    def __init__(self):
        self.inputs, self.constants, self.tail = [], [], []
        self.text = self.result = None
        self.more = []  # further results of the last op: (shape, element)

    def name(self, n, i):
        """Of result i of case n."""
        return f"y{n}_{i}" if i else f"y{n}"

    def follow(self, text, result, operand=None, first=False, constant=False, constants=()):
        """`operand`: (shape, element, data), whether it is the first one, and a
        constant. `constants` as of the first op."""
        self.tail.append((text, self.result, operand, first, constant, constants))
        self.result = result

    def append(self, other):
        """Another case, whose first input is the result of this one."""
        self.follow(other.text, other.tail[0][1] if other.tail else other.result,
                    other.inputs[1] if other.inputs[1:] else None, constants=other.constants)
        for i, (text, _, operand, first, constant, constants) in enumerate(other.tail):
            result = other.tail[i + 1][1] if i + 1 < len(other.tail) else other.result
            self.follow(text, result, operand, first, constant, constants)


def dims(shape):
    return "".join(f"{d}x" for d in shape)


def quant(storage, scale, zero):
    return f"!quant.uniform<{limited(storage)}:f32, {scale:.20f}:{zero}>"


def limited(storage):
    """Activations of 16 bits leave room for sums of products."""
    return f"i16<-{WORD}:{WORD}>" if storage == "i16" else storage


def per_axis(storage, axis, scales, zero):
    each = ",".join(f"{s:.20f}:{zero}" for s in scales)
    return f"!quant.uniform<{storage}:f32:{axis}, {{{each}}}>"


def tensor(shape, element):
    return f"tensor<{dims(shape)}{element}>"


def array(values):
    return "array<i64: " + ", ".join(map(str, values)) + ">"


def product(values):
    n = 1
    for v in values:
        n *= v
    return n


class Random:
    """What all families draw from."""

    def __init__(self, seed, tiles=False, half=False, winograd=False, words=False, sums=False, parts=False,
                 bf16=False, volume=False, transposed=False, grouped=False, long=False):
        self.volume, self.transposed, self.grouped, self.long = volume, transposed, grouped, long
        self.tiles, self.half, self.winograd, self.words = tiles, half or bf16, winograd, words
        self.sums, self.parts, self.bf16 = sums, parts, bf16
        self.pick = random.Random(seed)
        self.data = np.random.default_rng(seed)

    def scale(self):
        return float(np.float32(self.pick.choice([0.003, 0.02, 0.05, 0.11, 0.5, 1.0])))

    def bytes(self, shape):
        return self.data.integers(0, 256, shape).astype(np.uint8)

    def integers(self, shape, storage, most=WORD):
        if storage.endswith("16"):
            return self.data.integers(-most, most + 1, shape).astype(np.int16)
        return self.bytes(shape)

    def floats(self, shape):
        return self.data.standard_normal(shape).astype(np.float32)

    def weights(self, shape):
        """Float weights: shape, plain and own element, data."""
        values = self.floats(shape)
        return self.narrowed(values) if self.half else (shape, "f32", "f32", values)

    def narrowed(self, values):
        """The same in 16 bits."""
        shape, kind = list(values.shape), "bf16" if self.bf16 else self.pick.choice(["f16", "bf16"])
        if kind == "f16":  # with subnormal ones
            values = (values * self.pick.choice([1, 1e-5])).astype(np.float16)
        else:
            values = (values.view(np.uint32) >> 16).astype(np.uint16)
        return shape, kind, kind, values
