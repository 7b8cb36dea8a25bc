"""Compares the optimized kernels of each level with the reference kernels.

usage: differential.py PATH-OF-QCC-OPT FAMILY SEED LEVEL... [-run "COMMAND OF THE RUNNER"]

One module holds random cases of a family of ops, each with its own output. Both
lowerings run on the same random inputs; results of 8-bit and integer ops, and
those of weights in blocks, must have the same bytes; other float results must be
close to the reference and the same on all levels with fused multiply-add; where
they are quantized behind a float op, one step away on few elements is close.
Levels that this machine lacks are reported and left out. amx-emulated are the
kernels of level amx with its instructions replaced by loops. Families that end
in -tiles have shapes for which such a level takes its matrix unit. Families that
begin with half- have float weights of 16 bits. Families that begin with chosen-
are cut by random choices of tiles. Families that begin with winograd- have shapes
for which Winograd's method is taken. In families that begin with sum- an 8-bit
tensor is added to the results; in those that begin with part- they are one part of
a concatenation along the channels. In families rows-... depthwise convolutions
stand between 1x1 ones and are computed by blocks of rows. Families that end in i16 have activations of
16 bits and weights of 8 or 16; any family has results of 16 bits; but attention-i16 rounds floats
to 16 bits, which must cost no more than 60 dB. Families that
begin with volume- have three spatial dimensions, those that begin with transposed- are
transposed convolutions, those that begin with grouped- have many small groups, those that begin with long- windows of
many pixels of a line. Families that begin with bf16- have float weights of bf16; the reference kernels, on the first
level, round the activations as level amx does, which the others are compared with.
In pair-f32 a product with such weights reads what another kernel computes.
"""

import os
import random
import re
import subprocess
import sys
import tempfile

import numpy as np

ARM = ("neon", "dotprod")
FUNCTIONS = ["silu", "gelu", "sigmoid", "gelu_tanh"]  # by polynomials
UNFUSED = ("baseline",)
CASES = 14
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


def close(a, b):
    """Whether floats, or the bytes that they were rounded to, are nearly the same."""
    if a.dtype.kind == "f":
        return np.allclose(a, b, 1e-5, 1e-4)
    if a.dtype.itemsize == 2:
        steps = a.astype(np.int32) - b
        return np.abs(steps).max(initial=0) <= 1 and (steps != 0).sum() <= max(1, 0.05 * a.size)
    steps = (a.view(np.uint8) - b.view(np.uint8)).view(np.int8)  # differences wrap around
    return np.abs(steps).max(initial=0) <= 1 and (steps != 0).sum() <= max(1, 0.01 * a.size)


def close_by_noise(a, b):
    """Whether what rounding of factors to 16 bits adds is 60 dB below the results."""
    return np.linalg.norm((a - b).ravel()) <= 1e-3 * np.linalg.norm(b.ravel())


def close_but_ties(a, b):
    """The same where sums are rounded to bf16 on the way, now and then to the other
    neighbour."""
    off = ~np.isclose(a, b, 1e-5, 1e-4)
    return off.mean() <= 0.2 and np.abs(a - b).max(initial=0) <= 0.1


class Generator:
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

    def activation_shape(self, depthwise):
        """Random geometry of a convolution: input, filter, result, attributes."""
        pick = self.pick
        rank = pick.choice([1, 2, 2, 2]) if not self.volume else 3
        if depthwise:
            group = pick.choice([1, 3, 4, 8, 16, 17, 32, 33, 64, 70, 96, 144, 200])
            if self.words:
                group = pick.choice([8, 16, 24, 32, 33, 40, 64, 70, 96, 144, 200])
            inner = outer = 1
        else:
            group = pick.choice([1, 1, 1, 2, 3])
            inner = pick.choice([1, 2, 3, 4, 5, 8, 16, 17, 32, 64])
            outer = pick.choice([1, 3, 4, 8, 16, 17, 24, 32, 40, 64, 70, 100])
            if self.tiles:
                group = pick.choice([1, 1, 1, 2])
                inner = pick.choice([16, 17, 32, 64, 100, 128])
                outer = pick.choice([16, 17, 32, 40, 64, 70, 96, 130])
            if self.grouped:
                group = pick.choice([4, 6, 8, 16, 17, 32])
                inner, outer = pick.choice([1, 1, 2, 3, 4, 8]), pick.choice([1, 2, 2, 3, 4, 8])
        some = lambda values, n=rank: [pick.choice(values) for _ in range(n)]
        kernel, strides = some([1, 1, 2, 3, 3, 5]), some([1, 1, 2, 3])
        dilations, pads = some([1, 1, 1, 2]), some([0, 0, 1, 2], 2 * rank)
        if pick.random() < 0.3 and not depthwise:
            kernel, strides, dilations, pads = [1] * rank, [1] * rank, [1] * rank, [0] * 2 * rank
        space = some([1, 3, 5, 7, 8, 11, 14] if not self.tiles else [5, 7, 9, 14, 17])
        if self.winograd:
            rank, group = 2, 1
            inner, outer = pick.choice([16, 17, 31, 32, 48, 64, 100]), pick.choice([4, 9, 16, 17, 40, 64, 70, 130])
            if pick.random() < 0.2:
                inner, outer = 130, 143  # filters that are read panel by panel
            kernel, strides, dilations = [3, 3], [1, 1], [1, 1]
            pads = pick.choice([[1, 1, 1, 1], [0, 0, 0, 0], [0, 2, 1, 3]])
            space = pick.choice([[14, 14], [15, 13], [13, 26], [3, 75], [75, 3], [20, 19]])
        if depthwise and pick.random() < 0.3:
            space[-1] = pick.choice([27, 40])  # columns in several segments
        if self.long:
            kernel[-1], space[-1] = pick.choice([17, 24, 31]), pick.choice([11, 27, 40])
            pads[rank - 1], pads[-1] = pick.choice([0, 8, 15]), pick.choice([0, 8, 15])
            if rank == 1:  # longer than a slab
                group, space[0] = pick.choice([16, 17, 40]), 7000
                kernel[0] = pick.choice([3, 31])
        if self.volume and not self.transposed and pick.random() < 0.25:
            # One plane, whose only window begins in front of it.
            space[0], kernel[0], strides[0], pads[0], pads[rank] = 1, 1, 2, 1, 0
        out = []
        for i in range(rank):
            if self.transposed:
                break
            room = lambda: space[i] + pads[i] + pads[rank + i] - dilations[i] * (kernel[i] - 1) - 1
            while room() < 0:
                space[i] += 1
            out.append(room() // strides[i] + 1)
        batch = pick.choice([1, 1, 2])
        more = ""
        if self.transposed:
            # The last one often a multiple of its stride: then pixels are joined.
            strides, kernel = some([1, 2, 2, 3, 4]), some([1, 2, 3, 4, 5])
            if depthwise:  # those of few elements are for the reference kernel
                kernel = some([3, 4, 5, 7]) if rank > 1 else [pick.choice([5, 17, 20])]
                strides[-1] = pick.choice([1, 2, 3, 5])
            elif pick.random() < 0.5:
                kernel[-1] = strides[-1] * pick.choice([1, 2])
            extra = some([0, 0, 0, 1, 3])
            if self.volume and pick.random() < 0.4:
                # One plane, and phases whose only window lies outside of it.
                space[0] = 1
                strides[0], kernel[0], dilations[0], pads[0], pads[rank], extra[0] = pick.choice(
                    [(2, 2, 1, 2, 0, 1), (4, 3, 3, 0, 1, 0), (4, 3, 3, 0, 5, 1), (3, 1, 1, 0, 0, 2)])
            extent = lambda i: (strides[i] * (space[i] - 1) + extra[i] + (kernel[i] - 1) * dilations[i] + 1
                                - pads[i] - pads[rank + i])
            for i in range(rank):
                while extent(i) < 1:
                    space[i] += 1
            out = [extent(i) for i in range(rank)]
            more = f"output_padding = {array(extra)}, "
        attributes = more + (
            f"strides = {array(strides)}, dilations = {array(dilations)}, pads = {array(pads)}, "
            f"group = {group} : i64, layout = #qnn<layout nhwc>"
        )
        filters = [group * inner, outer] if self.transposed else [group * outer, inner]
        return ([batch] + space + [group * inner], filters + kernel,
                [batch] + out + [group * outer], attributes)

    def matmul_shape(self):
        pick = self.pick
        rows = pick.choice([1, 1, 2, 5, 6, 7, 13, 50])
        depth = pick.choice([1, 3, 4, 5, 8, 16, 31, 64, 130])
        columns = pick.choice([1, 3, 10, 16, 17, 24, 33, 48, 64, 65, 80, 100, 129])
        if self.tiles:
            rows = pick.choice([7, 16, 20, 33, 48, 50, 64, 77, 96, 130, 197])
            depth = pick.choice([20, 64, 68, 100, 128, 130, 260, 1024, 1100, 2304, 3000])
            columns = pick.choice([16, 17, 32, 33, 48, 64, 80, 128, 129, 200])
        batch = pick.choice([[], [2], [1]])
        transposed = pick.random() < 0.5
        weights = [columns, depth] if transposed else [depth, columns]
        return (batch + [rows, depth], weights, batch + [rows, columns],
                "transpose_rhs" if transposed else "")

    def linear(self, op, depthwise=False, is_float=False):
        if op == "matmul":
            x, w, y, attributes = self.matmul_shape()
            axis = 0 if attributes else 1
            channels = y[-1]
        else:
            x, w, y, attributes = self.activation_shape(depthwise)
            axis, channels = 0, w[0]
            if self.transposed:
                op, axis, channels = "conv_transpose", int(not depthwise or w[0] == 1), y[-1]
        return self.linear_of(op, x, w, y, attributes, axis, channels, is_float)

    def linear_of(self, op, x, w, y, attributes, axis, channels, is_float, link=None):
        """`link`: of a chain, what its input is and whether it is the last one."""
        pick, case, residual = self.pick, Case(), None
        self.link = link
        activation = pick.choice([None, None, ("relu", 0, 0), ("clamp", 0, 6), ("clamp", -1.5, 2.5),
                                  ("leaky_relu", 0.1, 0), ("hard_swish", 0, 0),
                                  (pick.choice(FUNCTIONS), 0, 0)])
        if is_float:
            case.inputs.append((x, "f32", self.floats(x)))
            case.constants.append(self.weights(w))
            if pick.random() < 0.7:
                case.constants.append(([channels], "f32", "f32", self.floats([channels])))
            if pick.random() < 0.3 and (not link or link[1]) and not self.transposed:
                residual = (y, "f32", self.floats(y))
            result = "f32", "f32"
        else:
            activation, residual, result = self.quantized(case, x, w, y, axis, channels, activation)
        if residual:
            case.inputs.append(residual)
        bias = len(case.constants) > 1
        names = f"operandSegmentSizes = array<i32: 1, 1, {int(bias)}, {int(bool(residual))}>"
        if self.transposed:
            names, attributes = attributes, ""
        if activation:
            names += ", activation = #qnn.act<{}, {:.6f} : f32, {:.6f} : f32>".format(*activation)
        if attributes:
            names += ", " + attributes
        case.text = f'"qnn.{op}"({{}}) {{{{{names}}}}}'
        case.result = (y, *result)
        if result[0] in ("u8", "i8") and pick.random() < 0.4:
            stored = pick.choice(["u8", "i8"]) if not link or link[1] else "u8"
            entries = self.bytes([256]).tobytes().hex().upper()
            case.follow(f'"qnn.lut"({{}}) {{{{table = dense<"0x{entries}"> : '
                        f"tensor<256x{stored.replace('u8', 'ui8')}>}}}}",
                        (y, stored, quant(stored, self.scale(), 0)))
        if self.sums:
            self.add_bytes(case)
        if is_float and pick.random() < 0.4 and (not link or link[1]):
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("i8", 0), ("i8", -5), ("i16", 0), ("i16", 9)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
        if self.parts:
            y, stored, kind = case.result
            if stored in ("u8", "i8") and pick.random() < 0.3:
                self.add_bytes(case)
                y, stored, kind = case.result
            other = y[:-1] + [pick.choice([1, 3, 16, 70])]
            data = self.floats(other) if stored == "f32" else self.integers(other, stored)
            case.follow(f'"qnn.concat"({{}}) {{{{axis = {len(y) - 1} : i64}}}}',
                        (y[:-1] + [y[-1] + other[-1]], stored, kind), (other, kind, data), pick.random() < 0.5)
        return case

    def add_bytes(self, case):
        """A residual addition. Its scale is such that some results saturate."""
        pick = self.pick
        y, scales = case.result[0], [self.scale(), self.scale()]
        kinds = [pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("u8", 255), ("i8", 0), ("i8", -128), ("i8", 5)])
                 for _ in range(2)]
        scales[0] = pick.choice([scales[0], float(case.result[2].split(", ")[1].split(":")[0])])  # that of the term
        scales[1] = float(np.float32(scales[0] * pick.choice([0.3, 1, 1, 1.7])))
        other, result = (quant(stored, scale, zero) for (stored, zero), scale in zip(kinds, scales))
        activation = pick.choice(["", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>",
                                  ", activation = #qnn.act<clamp, 0.0 : f32, 6.0 : f32>"])
        case.follow(f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind add>{activation}}}}}', (y, kinds[1][0], result),
                    (y, other, self.bytes(y)), pick.random() < 0.5)

    def quantized(self, case, x, w, y, axis, channels, activation):
        pick = self.pick
        storage = pick.choice(["u8", "u8", "i8"])
        zero = pick.choice([0, 128, 255, 7] if storage == "u8" else [0, -128, 127, -5])
        depth = product(w) // channels
        if self.words:
            storage = "i16"
            zero = 0 if depth > 500 else pick.choice([0, 0, 100, -1000])
        scale = self.scale()
        link = self.link
        if link and link[0]:  # (shape, storage, type)
            storage = link[0][1]
            scale, zero = (kind(number) for kind, number in
                           zip((float, int), link[0][2].rstrip(">").split(", ")[1].split(":")))
        elif link:
            storage, zero = ("i16" if self.words else "u8"), 7
        case.inputs.append((x, quant(storage, scale, zero), self.integers(x, storage)))
        # Weights: signed around zero, or unsigned around some zero point.
        each = pick.random() < 0.6 and w[axis] == channels
        scales = [self.scale() for _ in range(channels)] if each else [self.scale()]
        fitting = [("i8", 0), ("i8", 0), ("ui8", 128)]
        plain, weight_zero = pick.choice(fitting + [("i8", 3), ("ui8", 7), ("ui8", 255)])
        if link and w[1] == 1:
            plain, weight_zero = pick.choice(fitting)
        stored = plain.replace("ui8", "u8")
        values = self.bytes(w)
        if self.words and pick.random() < 0.6:  # as many bits as 32-bit sums allow
            plain, weight_zero, stored = "i16", 0, "i16<-32767:32767>"
            values = self.integers(w, "i16", min(32767, (1 << 30) // (9191 * depth)))
            scales = [s / 64 for s in scales]
        elif self.words:
            plain, weight_zero, stored = pick.choice([("i8", 0, "i8"), ("i8", 3, "i8"), ("ui8", 128, "u8")])
        kind = (per_axis(stored, axis, scales, weight_zero) if each else quant(stored, scales[0], weight_zero))
        case.constants.append((w, plain, kind, values))
        output = pick.choice(["u8", "u8", "i8", "f32", "i32", "i16"] + ["i16"] * 3 * self.words)
        products = [float(np.float32(scale) * np.float32(s)) for s in scales]
        if self.sums:
            output = pick.choice(["u8", "u8", "i8"])
        if link and not link[1]:
            output = storage
        if self.parts and output == "i32":
            output = "u8"
        if activation and activation[0] in FUNCTIONS and output not in ("u8", "i8"):
            activation = None  # of floats, levels without fused multiply-add have others
        if output == "i32":
            activation = None
            products = products[:1] if not each else products
            if each:  # a plain sum has one scale here
                output = "f32"
        if output != "i32" and pick.random() < 0.2:
            case.constants.append(([channels], "f32", "f32", self.floats([channels])))
        elif pick.random() < 0.7:
            kind = (per_axis("i32", 0, products, 0) if each else quant("i32", products[0], 0))
            values = self.data.integers(-2000, 2000, [channels]).astype(np.int32)
            case.constants.append(([channels], "i32", kind, values))
        spread = scale * np.mean(scales) * depth**0.5 * 40 * pick.choice([0.1, 1, 1, 5])
        spread = float(np.float32(spread)) if pick.random() < 0.95 else 1e-7  # nearly all saturate
        if output == "i16":
            spread /= 64
        zero = pick.choice([0, 128, 13, 255] if output == "u8" else [0, -128, 5])
        kind = {"f32": "f32", "i32": quant("i32", products[0], 0)}.get(output) or quant(output, spread, zero)
        residual = None
        if (output != "i32" and pick.random() < (0.1 if self.words and depth < 30 else 0.3)
                and (not link or link[1]) and not self.transposed):
            stored = pick.choice(["u8", "i8", "i16", "f32"])
            residual = ((y, "f32", self.floats(y) * 3) if stored == "f32" else
                        (y, quant(stored, self.scale(), pick.choice([0, 5])), self.integers(y, stored)))
        return activation, residual, (output, kind)

    def row_chain(self, is_float):
        """A depthwise convolution with 1x1 convolutions around it."""
        pick = self.pick
        while True:
            x, w, y, attributes = self.activation_shape(depthwise=True)
            if len(x) == 4 and x[3] % 4 == 0 and x[3] >= 16:
                break
        plain = ("strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, "
                 "group = 1 : i64, layout = #qnn<layout nhwc>")
        expands, projects = pick.choice([(True, True), (True, True), (True, False), (False, True)])
        links = [(x, w, y, attributes)]
        if expands:
            inner = pick.choice([4, 8, 16, 20, 40])
            links.insert(0, (x[:3] + [inner], [x[3], inner, 1, 1], x, plain))
        if projects:
            outer = pick.choice([3, 8, 16, 40, 70])
            links.append((y, [outer, y[3], 1, 1], y[:3] + [outer], plain))
        case = None
        for i, (x, w, y, attributes) in enumerate(links):
            last = i + 1 == len(links) and projects
            part = self.linear_of("conv", x, w, y, attributes, 0, w[0], is_float, (case and case.result, last))
            if case:
                case.append(part)
            else:
                case = part
        return case

    def product_shape(self):
        """Two batches of matrices that broadcast."""
        pick = self.pick
        rows = pick.choice([1, 2, 5, 7, 13, 33, 50])
        depth = pick.choice([1, 3, 4, 5, 8, 16, 31, 64, 130])
        columns = pick.choice([1, 3, 10, 16, 17, 33, 48, 64, 65, 80, 100, 129])
        if self.tiles:
            rows = pick.choice([7, 16, 20, 33, 48, 64, 77, 130, 197])
            depth = pick.choice([5, 16, 31, 64, 68, 100, 130, 260, 1100, 2305])
            columns = pick.choice([5, 16, 17, 32, 33, 48, 64, 80, 129, 200])
        left, right, both = pick.choice([([], [], []), ([3], [3], [3]), ([2, 3], [2, 3], [2, 3]),
                                         ([2, 3], [2, 1], [2, 3]), ([1], [4], [4]), ([2, 2], [], [2, 2])])
        transposed = pick.random() < 0.5
        rhs = [columns, depth] if transposed else [depth, columns]
        return left + [rows, depth], right + rhs, both + [rows, columns], transposed

    def follow_floats(self, case, ops, costly=False):
        """A random chain of elementwise ops behind a float result."""
        pick = self.pick
        y = case.result[0]
        for _ in range(ops):
            kind = pick.choice(["add", "mul", "sub", "relu"] + ["gelu"] * costly)
            if kind in ("relu", "gelu"):
                case.follow(f'"qnn.unary"({{}}) {{{{kind = #qnn<unary_kind {kind}>}}}}', (y, "f32", "f32"))
                continue
            shape = pick.choice([[], y[-1:], y, [1] * (len(y) - 1) + y[-1:]])
            if pick.random() < 0.2:
                case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind div>}}', (y, "f32", "f32"),
                            ([], "f32", np.float32(pick.choice([8, 0.25, 3]))), constant=True)
                continue
            operand = shape, "f32", self.floats(shape)
            case.follow(f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {kind}>}}}}', (y, "f32", "f32"),
                        operand, pick.random() < 0.5)

    def product(self, is_float):
        pick, case = self.pick, Case()
        x, w, y, transposed = self.product_shape()
        names = "operandSegmentSizes = array<i32: 1, 1, 0, 0>" + (", transpose_rhs" if transposed else "")
        activation = pick.choice([None, None, ("relu", 0, 0), ("clamp", -1.5, 2.5)])
        if activation:
            names += ", activation = #qnn.act<{}, {:.6f} : f32, {:.6f} : f32>".format(*activation)
        case.text = f'"qnn.matmul"({{}}) {{{{{names}}}}}'
        if is_float:
            case.inputs += [(x, "f32", self.floats(x)), (w, "f32", self.floats(w))]
            case.result = y, "f32", "f32"
            self.follow_floats(case, pick.choice([0, 0, 1, 3]), costly=True)
            return case
        scales = []
        for shape in (x, w):
            storage = pick.choice(["u8", "u8", "i8"])
            zero = pick.choice([0, 128, 255, 7] if storage == "u8" else [0, -128, 127, -5])
            scales.append(self.scale())
            case.inputs.append((shape, quant(storage, scales[-1], zero), self.bytes(shape)))
        spread = float(np.float32(scales[0] * scales[1] * x[-1]**0.5 * 40 * pick.choice([0.1, 1, 5])))
        output = pick.choice(["u8", "i8", "f32"])
        kind = {"f32": "f32", "u8": quant("u8", spread, 13), "i8": quant("i8", spread, -5)}[output]
        case.result = y, output, kind
        if output == "f32":
            self.follow_floats(case, pick.choice([0, 1, 2]))
            if pick.random() < 0.5:
                stored, kind = pick.choice([("u8", quant("u8", spread, 128)), ("i16", quant("i16", spread / 64, 0))])
                case.follow('"qnn.quantize"({})', (y, stored, kind))
        return case

    def chain(self):
        """Elementwise ops that read from memory, with and without rounding to 8
        bits on the way. In front of it are only ops that are exact on all levels."""
        pick, case = self.pick, Case()
        y = pick.choice([[7], [64], [3, 40], [2, 5, 17], [1, 6, 6, 33], [4, 100], [1, 9, 8, 64], [5, 3]])
        head = pick.choice(["relu", "dequantize", "quantize", "binary", "gelu", "cast", "max"])
        if head == "dequantize":
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i8", -5), ("i8", 0), ("i16", 0), ("i16", 9)])
            case.inputs.append((y, quant(stored, self.scale(), zero), self.integers(y, stored)))
            case.text = '"qnn.dequantize"({})'
        elif head == "cast":  # a kernel of its own, like the next
            case.inputs.append((y, "i64", self.data.integers(-50, 50, y).astype(np.int64)))
            case.text = '"qnn.cast"({})'
        elif head == "max":
            case.inputs.append((y + [3], "f32", self.floats(y + [3]) * 3))
            case.text = f'"qnn.reduce"({{}}) {{{{kind = #qnn<reduce_kind max>, axes = array<i64: {len(y)}>}}}}'
        elif head == "binary":
            case.inputs.append((y, "f32", self.floats(y) * 3))
            shape = pick.choice([[], y[-1:], y])
            case.inputs.append((shape, "f32", self.floats(shape)))
            if pick.random() < 0.5:
                case.inputs.reverse()
            kind = pick.choice(["add", "sub", "mul"])
            case.text = f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {kind}>}}}}'
        elif head == "quantize":
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i8", -5), ("i8", 0), ("i16", 0)])
            case.inputs.append((y, "f32", self.floats(y) * 3))
            case.text = '"qnn.quantize"({})'
            case.result = y, stored, quant(stored, self.scale(), zero)
            case.follow('"qnn.dequantize"({})', (y, "f32", "f32"))
        else:
            case.inputs.append((y, "f32", self.floats(y) * 3))
            case.text = f'"qnn.unary"({{}}) {{{{kind = #qnn<unary_kind {head}>}}}}'
        if head != "quantize":
            case.result = y, "f32", "f32"
        if head != "gelu" and pick.random() < 0.6:
            self.follow_floats(case, pick.choice([0, 0, 1]))
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 13), ("i8", -5), ("i16", 0), ("i16", -7)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
            case.follow('"qnn.dequantize"({})', (y, "f32", "f32"))
        self.follow_floats(case, pick.choice([1, 2, 3]), costly=True)
        if pick.random() < 0.4:
            stored, zero = pick.choice([("u8", 0), ("u8", 128), ("i16", 0)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, self.scale(), zero)))
        return case

    def matmul_integer(self):
        """Sums with zero points known at run time, and what follows them in
        dynamically quantized models."""
        pick, case = self.pick, Case()
        x, w, y, _ = self.product_shape()
        w = w[:-2] + [x[-1], y[-1]]
        kinds = [pick.choice(["ui8", "i8"]) for _ in range(2)]
        typed = lambda kind, data: data if kind == "ui8" else data.view(np.int8)
        case.inputs.append((x, kinds[0], typed(kinds[0], self.bytes(x))))
        constant = pick.random() < 0.6
        if constant:
            case.constants.append((w, kinds[1], kinds[1], self.bytes(w)))
        else:
            case.inputs.append((w, kinds[1], typed(kinds[1], self.bytes(w))))
        zeros = [pick.random() < 0.8, pick.random() < 0.5]
        for given, kind in zip(zeros, kinds):
            if given:
                case.inputs.append(([], kind, typed(kind, self.bytes([]))))
        case.text = ('"qnn.matmul_integer"({}) {{operandSegmentSizes = array<i32: 1, 1, %d, %d>}}'
                     % (zeros[0], zeros[1]))
        case.result = y, "i32", "i32"
        if pick.random() < 0.7:
            case.follow('"qnn.cast"({})', (y, "f32", "f32"))
            self.follow_floats(case, pick.choice([0, 1, 2, 3]))
        return case

    def blocks(self, is_float):
        """Weights in blocks, with and without zero points; inputs with blocks
        of zeros and with numbers that have no place in 8 bits."""
        pick, case = self.pick, Case()
        rows = pick.choice([[1], [1], [2], [7], [2, 3], [13], [33], [150], []])
        bits, block = pick.choice([2, 4, 4, 4, 8]), pick.choice([8, 16, 24, 32, 32, 64, 128])
        depth = pick.choice([1, 5, block - 1, block, block + 1, 3 * block, 100, 130, 700])
        columns = pick.choice([1, 3, 15, 16, 17, 33, 48, 64, 70, 100, 130])
        blocks = -(-depth // block)
        x = self.floats(rows + [depth]) * np.float32(pick.choice([1, 1, 30, 1e-3]))
        x[..., :block] *= np.float32(pick.choice([1, 1, 0, 1e-31]))
        if pick.random() < 0.15:
            x.flat[-1] = pick.choice([np.inf, np.nan])
        case.inputs.append((rows + [depth], "f32", x))
        packed = [columns, blocks, block * bits // 8]
        case.constants.append((packed, "ui8", "ui8", self.bytes(packed)))
        scales = np.abs(self.floats([columns, blocks])) * np.float32(0.1)
        case.constants.append(([columns, blocks], "f32", "f32", scales))
        if pick.random() < 0.4:  # stored in two bytes
            scales = (scales.view(np.uint32) & 0xffff0000).view(np.float32)
        kind = pick.choice([None, None, "ui8", "f32"])
        if kind == "ui8":
            zeros = self.data.integers(0, 1 << bits, [columns, blocks]).astype(np.uint8)
        elif kind:
            zeros = (self.data.random([columns, blocks]) * ((1 << bits) - 1)).astype(np.float32)
        if kind:
            case.constants.append(([columns, blocks], kind, kind, zeros))
        y = rows + [columns]
        case.text = ('"qnn.block_matmul"({}) {{bits = %d : i64, block = %d : i64%s}}'
                     % (bits, block, "" if is_float else ", int8_input"))
        case.result = y, "f32", "f32"
        self.follow_floats(case, pick.choice([0, 0, 1, 2]))
        if pick.random() < 0.3:
            case.follow('"qnn.quantize"({})', (y, "u8", quant("u8", self.scale(), 128)))
        return case

    def rows(self, op, is_float):
        """Normalization or softmax of rows, of 8-bit values and to 8 bits, too."""
        pick, case = self.pick, Case()
        x = pick.choice([[], [2], [3, 5]]) + [pick.choice([1, 7, 40]), pick.choice([5, 16, 17, 31, 64, 100, 197, 384])]
        after = pick.choice([0, 1, 2]), not is_float and pick.random() < 0.7
        if op == "softmax":
            text = f'"qnn.softmax"({{}}) {{{{axis = {len(x) - 1} : i64}}}}'
        else:
            rms = ", rms" if pick.random() < 0.3 else ""
            text = (f'"qnn.normalize"({{}}) {{{{axes = {array([len(x) - 1])}, epsilon = 1.0e-5 : f32{rms}}}}}')
        if is_float or pick.random() < 0.3:
            case.inputs.append((x, "f32", self.floats(x) * 3))
            case.text, case.result = text, (x, "f32", "f32")
        else:
            kind = quant("u8", self.scale(), pick.choice([0, 128, 7]))
            case.inputs.append((x, kind, self.bytes(x)))
            case.text, case.result = '"qnn.dequantize"({})', (x, "f32", "f32")
            self.follow_floats(case, pick.choice([0, 1, 1]))
            case.follow(text, (x, "f32", "f32"))
        self.follow_floats(case, after[0])
        if after[1]:
            kind = quant("u8", float(np.float32(0.01 if op == "softmax" else 0.05)), pick.choice([0, 128]))
            case.follow('"qnn.quantize"({})', (x, "u8", kind))
        return case

    def attention(self, is_float):
        """Products around a softmax, transposed as projections leave heads, with
        scale, cap and masks. Some have no rows that a kernel keeps."""
        pick, case = self.pick, Case()
        batch, heads = pick.choice([1, 1, 2]), pick.choice([1, 2, 3])
        rows = pick.choice([1, 2, 7, 13, 50, 64, 197])
        length = pick.choice([5, 16, 17, 31, 50, 64, 100, 130, 197])
        depth, size = pick.choice([4, 5, 8, 32, 64, 80]), pick.choice([5, 8, 16, 17, 32, 64, 80, 96])
        if self.tiles:
            rows, length = pick.choice([16, 33, 64, 77, 197]), pick.choice([33, 64, 100, 130, 197])

        def matrices(shape, moved, own=None):
            """Heads apart, or moved there: from [batch, rows, heads, columns]; of
            one head for all where it is not `own`."""
            shape = [batch, heads if own is None else own] + shape
            given = [shape[moved.index(d)] for d in range(4)]
            if is_float:
                return given, "f32", self.floats(given), moved
            stored = pick.choice(["u8", "u8", "i8"])
            zero = pick.choice([0, 128, 7] if stored == "u8" else [0, -128, 5])
            return given, quant(stored, 0.02, zero), self.bytes(given), moved

        plain, apart = [0, 1, 2, 3], [0, 2, 1, 3]
        own = pick.choice([None, None, 1])
        transposed = pick.random() < 0.5
        key = [length, depth] if transposed else [depth, length]
        case.inputs = [matrices([rows, depth], pick.choice([plain, apart])),
                       matrices(key, pick.choice([plain, apart, [0, 2, 3, 1]][:2 if transposed else 3]), own)]
        if not transposed and case.inputs[1][3] == apart:
            case.inputs[1] = matrices(key, [0, 2, 3, 1], own)
        product = '"qnn.matmul"({}) {{operandSegmentSizes = array<i32: 1, 1, 0, 0>%s}}'
        case.text = product % (", transpose_rhs" if transposed else "")
        y = [batch, heads, rows, length]
        case.result = y, "f32", "f32"
        if pick.random() < 0.7:
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind div>}}', (y, "f32", "f32"),
                        ([], "f32", np.float32(pick.choice([8, 4, 5.5]))), constant=True)
        if pick.random() < 0.2:
            case.follow('"qnn.unary"({}) {{kind = #qnn<unary_kind tanh>}}', (y, "f32", "f32"))
        mask = pick.choice([None, [length], [batch, 1, 1, length], [rows, length], [1, 1, rows, length], y])
        if mask:
            values = self.floats(mask)
            if pick.random() < 0.5 and mask[-2:] == [rows, length] and rows <= length:  # causal
                values = np.broadcast_to(np.triu(np.full([rows, length], -np.inf), length - rows + 1), mask)
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind add>}}', (y, "f32", "f32"),
                        (mask, "f32", values), pick.random() < 0.3)
        case.follow('"qnn.softmax"({}) {{axis = 3 : i64}}', (y, "f32", "f32"))
        if pick.random() < 0.2:
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind mul>}}', (y, "f32", "f32"),
                        ([length], "f32", self.floats([length])))
        if not is_float:
            stored, zero = pick.choice([("u8", 0), ("u8", 0), ("u8", 3), ("i8", -128)])
            case.follow('"qnn.quantize"({})', (y, stored, quant(stored, float(np.float32(1 / 255)), zero)))
        z = [batch, heads, rows, size]
        kind = "f32"
        if not is_float and pick.random() < 0.3:
            kind = quant("u8", 0.05, 128)
        case.follow(product % "", (z, "f32" if kind == "f32" else "u8", kind),
                    matrices([length, size], pick.choice([plain, apart]), own))
        if kind == "f32":
            self.follow_floats(case, pick.choice([0, 0, 1]), costly=is_float)
            if not is_float:
                kind = quant("u8", 0.05, 128)
                case.follow('"qnn.quantize"({})', (z, "u8", kind))
        if pick.random() < 0.6:
            case.follow(f'"qnn.transpose"({{}}) {{{{permutation = {array(apart)}}}}}',
                        ([batch, rows, heads, size], "f32" if kind == "f32" else "u8", kind))
        return case

    def dynamic(self):
        """Quantization by a scale chosen at run time, behind kernels that note the
        range and behind others."""
        pick, case = self.pick, Case()
        before = pick.choice(["input", "input", "normalize", "product"])
        if before == "product":
            case = self.product(is_float=True)
        else:
            x = pick.choice([[1], [63], [64], [65], [2, 100], [5, 70], [3, 7, 24], [197, 48], [40000]])
            values = self.floats(x) * np.float32(pick.choice([0, 1e-30, 1, 3, 1e25]))
            if pick.random() < 0.3:
                values = abs(values)
            if pick.random() < 0.3:
                values.flat[::13] = pick.choice([np.inf, -np.inf, np.nan, 0])
            case.inputs.append((x, "f32", values))
            case.text, case.result = '"qnn.unary"({}) {{kind = #qnn<unary_kind neg>}}', (x, "f32", "f32")
            if before == "normalize":
                case.text = f'"qnn.normalize"({{}}) {{{{axes = {array([len(x) - 1])}, epsilon = 1.0e-5 : f32}}}}'
        case.follow('"qnn.dynamic_quantize"({})', (case.result[0], "u8", "ui8"))
        case.more = [([], "f32"), ([], "ui8")]
        return case

    def pixels(self):
        """Planes that are quantized, then transposed to pixels."""
        pick, case = self.pick, Case()
        space = pick.choice([[7], [63], [64, 1], [5, 13], [32, 32], [3, 4, 23], [65, 70], [4100], [130, 130]])
        shape = [pick.choice([1, 1, 2, 3]), pick.choice([1, 2, 3, 3, 3, 4, 5])] + space
        values = self.floats(shape) * np.float32(pick.choice([0.1, 3, 100]))
        values.flat[::13] *= np.float32(pick.choice([1, 1e30, np.inf, np.nan]))
        stored, zero = pick.choice([("u8", 0), ("u8", 128), ("u8", 114), ("i8", 0), ("i8", -5), ("i16", 0)])
        kind = quant(stored, pick.choice([self.scale(), 1 / 255]), zero)
        case.inputs.append((shape, "f32", values))
        case.text, case.result = '"qnn.quantize"({})', (shape, stored, kind)
        order = [0] + list(range(2, len(shape))) + [1]
        if pick.random() < 0.15:
            order = order[::-1]
        case.follow(f'"qnn.transpose"({{}}) {{{{permutation = {array(order)}}}}}',
                    ([shape[d] for d in order], stored, kind))
        return case

    def stream(self):
        """Elementwise ops on bytes."""
        pick, case = self.pick, Case()
        shape = pick.choice([[1], [63], [64], [65], [2, 100], [3, 7, 24], [5, 70], [2, 9, 192], [40000], [300, 130]])
        kind = lambda: (lambda stored: quant(stored, self.scale(), pick.choice(
            [0, 128, 7] if stored == "u8" else [0, -128, 5])))(pick.choice(["u8", "u8", "i8"]))
        what = pick.choice(["add", "add", "sub", "mul", "mul", "lut", "quantize"])
        result = kind()
        if what == "quantize":
            values = self.floats(shape) * pick.choice([0.1, 3, 100])
            values.flat[::13] *= np.float32(pick.choice([1, 1e30, np.inf, np.nan]))
            case.inputs.append((shape, "f32", values))
            case.text = '"qnn.quantize"({})'
        elif what == "lut":
            case.inputs.append((shape, kind(), self.bytes(shape)))
            table = f'dense<"0x{self.bytes([256]).tobytes().hex().upper()}"> : tensor<256x{"u" * ("<u8" in result)}i8>'
            case.text = f'"qnn.lut"({{}}) {{{{table = {table}}}}}'
        else:
            other = pick.choice([shape, shape, [1] * len(shape), shape[-1:], [1] * (len(shape) - 1) + shape[-1:]])
            operands = [(shape, kind(), self.bytes(shape)), (other, kind(), self.bytes(other))]
            pick.shuffle(operands)
            case.inputs += operands
            activation = pick.choice(["", "", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>"])
            case.text = f'"qnn.binary"({{}}) {{{{kind = #qnn<binary_kind {what}>{activation}}}}}'
        case.result = shape, "u8", result
        return case

    def mean(self):
        """Means of channels."""
        pick, case = self.pick, Case()
        channels = pick.choice([4, 16, 20, 32, 63, 64, 65, 96, 144, 200])
        size = pick.choice([[1, 1], [2, 2], [3, 5], [4, 4], [7, 7], [9, 8], [16, 16]])
        outer = pick.choice([[1], [2], [1, 3]])
        kind = lambda: (lambda stored: quant(stored, self.scale(), pick.choice(
            [0, 128, 7] if stored == "u8" else [0, -128, 5])))(pick.choice(["u8", "u8", "i8"]))
        x = outer + size + [channels]
        values = self.bytes(x)
        if pick.random() < 0.3:
            values[:] = pick.choice([0, 255])
        case.inputs.append((x, kind(), values))
        axes = [len(outer), len(outer) + 1]
        if pick.random() < 0.2:
            axes = pick.choice([[0], axes[:1], axes[1:], list(range(len(x) - 1))])
        case.text = f'"qnn.reduce"({{}}) {{{{kind = #qnn<reduce_kind mean>, axes = {array(axes)}}}}}'
        case.result = [e for d, e in enumerate(x) if d not in axes], "u8", kind()
        return case

    def pair(self):
        """A product with weights of bf16 behind another kernel."""
        pick, case = self.pick, Case()
        rows, depth, columns = pick.choice([16, 33, 64, 77]), pick.choice([64, 70, 100, 131, 256]), pick.choice([32, 70, 130])
        y = [rows, depth]
        head = pick.choice(["matmul", "matmul", "normalize", "elementwise", "none", "conv", "conv"])
        segments = "operandSegmentSizes = array<i32: 1, 1, 0, 0>"
        activation = pick.choice(["", ", activation = #qnn.act<relu, 0.0 : f32, 0.0 : f32>"])
        if head == "conv":
            y = [1, pick.choice([9, 14]), pick.choice([12, 16]), pick.choice([32, 40])]
            inner = pick.choice([16, 32])
            case.inputs.append((y[:3] + [inner], "f32", self.floats(y[:3] + [inner])))
            values = self.floats([y[3], inner, 3, 3])
            case.constants.append(self.weights(values.shape) if pick.random() < 0.6 else
                                  (list(values.shape), "f32", "f32", values))
            window = lambda k: (f"strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = {array([k // 2] * 4)}, "
                                "group = 1 : i64, layout = #qnn<layout nhwc>")
            case.text = f'"qnn.conv"({{}}) {{{{{segments}{activation}, {window(3)}}}}}'
        elif head == "matmul":
            case.inputs.append(([rows, 96], "f32", self.floats([rows, 96])))
            case.constants.append(self.weights([96, depth]))
            case.text = f'"qnn.matmul"({{}}) {{{{{segments}{activation}}}}}'
        else:
            case.inputs.append((y, "f32", self.floats(y)))
            case.text = {"normalize": '"qnn.normalize"({}) {{axes = array<i64: 1>, epsilon = 1.0e-5 : f32}}',
                         "elementwise": '"qnn.unary"({}) {{kind = #qnn<unary_kind relu>}}',
                         "none": '"qnn.reshape"({})'}[head]
        case.result = y, "f32", "f32"
        if head == "elementwise":
            case.follow('"qnn.binary"({}) {{kind = #qnn<binary_kind add>}}', case.result, (y[-1:], "f32", self.floats(y[-1:])))
        if head == "conv":
            k = pick.choice([1, 3])
            shape, _, _, data = self.weights([columns, y[3], k, k])
            case.follow(f'"qnn.conv"({{}}) {{{{{segments}, {window(k)}}}}}', (y[:3] + [columns], "f32", "f32"),
                        (shape, "bf16", data), constant=True)
            return case
        if pick.random() < 0.3:
            y = [1] + y
            case.follow('"qnn.reshape"({})', (y, "f32", "f32"))
        shape, _, _, data = self.weights([depth, columns])
        case.follow(f'"qnn.matmul"({{}}) {{{{{segments}}}}}', (y[:-1] + [columns], "f32", "f32"),
                    (shape, "bf16", data), constant=True)
        return case

    def case(self, family):
        is_float = family.endswith("f32")
        if family.startswith(("softmax", "normalize")):
            return self.rows(family.split("-")[0], is_float)
        if family.startswith("blocks"):
            return self.blocks(family == "blocks-float")
        if family == "dynamic-quantize":
            return self.dynamic()
        if family.startswith("attention"):
            return self.attention(is_float or family == "attention-i16")
        if family == "mean-i8":
            return self.mean()
        if family == "stream-i8":
            return self.stream()
        if family == "pixels":
            return self.pixels()
        if family == "pair-f32":
            return self.pair()
        if family == "chain-f32":
            return self.chain()
        if family.startswith("product"):
            return self.product(is_float)
        if family == "matmul-integer":
            return self.matmul_integer()
        if family.startswith("rows"):
            return self.row_chain(is_float)
        if family.startswith("depthwise"):
            return self.linear("conv", depthwise=True, is_float=is_float)
        return self.linear(family.split("-")[0], is_float=is_float)


def source(cases):
    arguments, results, returned, kinds, lines, feeds = [], [], [], [], [], {}

    def given(name, shape, element, data, permutation=None):
        """An argument, maybe transposed: value and type."""
        arguments.append(f'%{name}: {tensor(shape, element)} {{qnn.name = "{name}"}}')
        feeds[name] = np.asarray(data, np.float32) if element == "f32" else (
            data.view(np.int8) if "<i8" in element else data)
        if permutation is None:
            return "%" + name, tensor(shape, element)
        to = tensor([shape[d] for d in permutation], element)
        lines.append(f"%{name}_moved = qnn.transpose %{name} {{permutation = {array(permutation)}}} : "
                     f"({tensor(shape, element)}) -> {to}")
        return f"%{name}_moved", to

    for n, case in enumerate(cases):
        operands, types = [], []
        for i, operand in enumerate(case.inputs):
            value, of = given(f"x{n}_{i}", *operand)
            operands.append(value)
            types.append(of)
        for i, (shape, plain, element, data) in enumerate(case.constants):
            name = f"%c{n}_{i}"
            lines.append(f'{name} = qnn.constant dense<"0x{data.tobytes().hex().upper()}"> : '
                         f"{tensor(shape, plain)} as {tensor(shape, element)}")
            operands.insert(1 + i, name)
            types.insert(1 + i, tensor(shape, element))
        shape, _, element = case.result
        kind = tensor(shape, element)
        links = [(case.text, operands, types)]
        for i, (text, before, operand, first, constant, constants) in enumerate(case.tail):
            values, kinds_of = [f"%y{n}_{i}"], [tensor(before[0], before[2])]
            if operand:
                name = f"t{n}_{i}"
                if constant:
                    shape, element, data = operand
                    if data.ndim:
                        data = f'"0x{data.tobytes().hex().upper()}"'
                    value, of = "%" + name, tensor(shape, element)
                    lines.append(f"{value} = qnn.constant dense<{data}> : {of} as {of}")
                else:
                    value, of = given(name, *operand)
                values.insert(0 if first else 1, value)
                kinds_of.insert(0 if first else 1, of)
            for k, (shape, plain, element, data) in enumerate(constants):
                name = f"%d{n}_{i}_{k}"
                lines.append(f'{name} = qnn.constant dense<"0x{data.tobytes().hex().upper()}"> : '
                             f"{tensor(shape, plain)} as {tensor(shape, element)}")
                values.insert(1 + k, name)
                kinds_of.insert(1 + k, tensor(shape, element))
            links.append((text, values, kinds_of))
        for i, (text, values, kinds_of) in enumerate(links):
            at = case.tail[i][1] if i < len(case.tail) else case.result
            name = f"%y{n}_{i}" if i < len(case.tail) else f"%y{n}"
            to = tensor(at[0], at[2])
            if case.more and i == len(case.tail):
                name += f":{1 + len(case.more)}"
                to = f"({', '.join([to] + [tensor(*more) for more in case.more])})"
            lines.append(f"{name} = {text.format(', '.join(values))} : ({', '.join(kinds_of)}) -> {to}")
        for i, result in enumerate([kind] + [tensor(*more) for more in case.more]):
            results.append(f'{result} {{qnn.name = "{case.name(n, i)}"}}')
            returned.append(f"%y{n}#{i}" if case.more else f"%y{n}")
            kinds.append(result)
    body = "\n  ".join(lines)
    return (f"func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{\n  {body}\n"
            f"  return {', '.join(returned)} : {', '.join(kinds)}\n}}\n"), feeds


def tool(name):
    """One of the tools beside qcc-opt."""
    return os.path.join(os.path.dirname(sys.argv[1]), name)


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(" ".join(command) + "\n" + done.stderr[-4000:])


class Runner:
    def __init__(self, folder, feeds, tiles=False, chosen=False, kind=None, sums=False, parts=False, bf16=False):
        """`kind`: which kernels at least half of the cases must take (a third of some)."""
        self.folder, self.tiles, self.chosen, self.kind = folder, tiles, chosen, kind
        self.sums, self.parts, self.bf16 = sums, parts, bf16
        np.savez(self.at("in.npz"), **feeds)

    def at(self, name):
        return os.path.join(self.folder, name)

    def choose(self, level):
        """Gives the module random choices for all of its shapes."""
        kernels, pick = self.at("k.mlir"), random.Random(level)
        call(tool("qcc-opt"), self.at("m.mlir"), "-o", kernels,
             f"-pass-pipeline=builtin.module(qcc-generate-kernels{{level={level}}})")
        with open(kernels) as f:
            shapes = sorted(set(re.findall(r'qcc.tile = {.*?shape = "([^"]*)"', f.read())))
        flag = lambda: pick.choice(["true", "false"])
        choices = ", ".join(
            f'"{shape}" = {{rows = {pick.randint(1, 14)} : i32, vectors = {pick.randint(1, 4)} : i32, '
            f"panels_outer = {flag()}, gathers_windows = {flag()}}}" for shape in shapes)
        if not shapes:
            sys.exit("no kernel says how it is cut")
        with open(self.at("m.mlir")) as f:
            text = f.read().split("\n", 1) if self.wrapped else ["", f.read()]
        self.wrapped = True
        with open(self.at("m.mlir"), "w") as f:
            body = text[1] if text[0] else text[1] + "}\n"
            f.write(f'module attributes {{qcc.tiles = {{"{level}" = {{{choices}}}}}}} {{\n{body}')

    wrapped = False  # the module has choices

    def run(self, level, arm_command, reference=False):
        """The outputs, or None where this machine lacks the level."""
        self.compile(level, reference)
        return self.execute(level, arm_command)

    def compile(self, level, reference=False):
        fma = str(level not in UNFUSED).lower()
        if self.chosen and not reference:
            self.choose(level)
        passes = f"convert-qnn-to-kernels{{fma={fma}}}" if reference else f"qcc-generate-kernels{{level={level}}}"
        if reference and self.bf16:
            passes = f"qcc-narrow-activations{{level=amx widen}},{passes}"
        if level == "amx-emulated":
            passes = "qcc-generate-kernels{level=amx},x86-emulate-tiles"
        kernels = self.at("k.mlir")
        call(tool("qcc-opt"), self.at("m.mlir"), "-o", kernels,
             f"-pass-pipeline=builtin.module({passes},qcc-plan-arena,func.func(qcc-expand-math{{fma={fma}}}))")
        if reference:
            with open(kernels) as f:
                text = f.read().replace('qcc.level = "reference"', f'qcc.level = "{level}"')
            with open(kernels, "w") as f:
                f.write(text)
        if self.tiles and level.startswith("amx"):
            with open(kernels) as f:
                used = len(re.findall(r"func.func private @\w+_tiles", f.read()))
            print(f"{level}: {used} of {CASES} kernels on tiles")
            if used < CASES // 3:
                sys.exit("too few kernels on tiles")
        if self.sums and not reference:
            with open(kernels) as f:
                if re.search(r"call @add_", f.read()):
                    sys.exit(f"{level}: an addition has a kernel of its own")
        if self.parts and not reference:
            with open(kernels) as f:
                text = f.read()
            copies = len(re.findall(r"call @concat_", text))
            # Of reference kernels, which transposed convolutions may have.
            if copies > CASES + len(re.findall(r"call @conv_transpose_", text)):
                sys.exit(f"{level}: results are copied")
        if self.kind and not reference:
            with open(kernels) as f:
                used = len(re.findall(f"func.func private @{self.kind}_", f.read()))
            if used < CASES // (3 if self.kind in ("conv_rows", "depthwise_i8") else 2):
                sys.exit(f"{level}: only {used} of {CASES} kernels are {self.kind}")
        call(tool("qcc-emit"), kernels, "-target=" + ("arm64" if level in ARM else "x86-64"), "-o",
             self.at("k.so"))

    def execute(self, level, arm_command, *options):
        """The outputs of what was compiled last."""
        out = self.at("out.npz")
        runner = arm_command.split() if level in ARM else [tool("qcc-run")]
        done = subprocess.run(runner + [self.at("k.so"), "-inputs=" + self.at("in.npz"), "-o=" + out, *options],
                              capture_output=True, text=True)
        if done.returncode:
            if "CPU" in done.stderr or "processor" in done.stderr:
                return None
            sys.exit(f"{level}: " + done.stdout + done.stderr)
        return dict(np.load(out))


def main():
    arguments = sys.argv[2:]
    arm_command = ""
    if "-run" in arguments:
        at = arguments.index("-run")
        arm_command = arguments[at + 1]
        del arguments[at:at + 2]
    family, seed, levels = arguments[0], int(arguments[1]), arguments[2:]
    tiles = family.endswith("-tiles")
    family = family.removesuffix("-tiles")
    prefixes = ("half-", "chosen-", "winograd-", "sum-", "part-", "bf16-", "volume-", "transposed-", "grouped-", "long-")
    flags = []
    for prefix in prefixes:
        flags.append(family.startswith(prefix))
        family = family.removeprefix(prefix)
    half, chosen, winograd, sums, parts, bf16, volume, transposed, grouped, long = flags
    words = family.endswith("i16") and family != "attention-i16"
    generator = Generator(seed, tiles, half, winograd, words=words, sums=sums, parts=parts,
                          bf16=bf16, volume=volume, transposed=transposed, grouped=grouped, long=long)
    cases = [generator.case(family) for _ in range(CASES)]
    failures = 0
    fused = None  # the results of the first level with fused multiply-add
    with tempfile.TemporaryDirectory() as folder:
        text, feeds = source(cases)
        with open(os.path.join(folder, "m.mlir"), "w") as f:
            attribute = ("qcc.row_block_bytes = 0 : i64" if family.startswith("rows") else
                         'qcc.attention = "int16"' if family == "attention-i16" else None)
            f.write(f"module attributes {{{attribute}}} {{\n{text}}}\n" if attribute else text)
        depthwise = family.replace("-", "_") if family.startswith("depthwise") else None
        kind = (depthwise if depthwise and (transposed or volume or family.endswith("i16")) else
                "conv_winograd" if winograd else "transposed_conv(?:_tiles)?" if transposed else
                "pack_i16" if family == "attention-i16" else
                "attention" if family.startswith("attention") else "conv_rows" if family.startswith("rows") else None)
        runner = Runner(folder, feeds, tiles, chosen, kind, sums, parts, bf16)
        expected = runner.run(levels[0], arm_command, reference=True)
        if expected is None:
            sys.exit(f"this machine lacks {levels[0]}")
        for level in levels[bf16:]:
            got = runner.run(level, arm_command)
            if got is None:
                print(f"{level}: not on this machine")
                continue
            if level not in UNFUSED:
                fused = fused or got
            wrong = 0
            for n, case in enumerate(cases):
                same = True
                for name in [case.name(n, i) for i in range(1 + len(case.more))]:
                    a, b = got[name], expected[name]
                    if family.endswith("f32") or family == "attention-i16":
                        same &= (close_but_ties if family == "pair-f32" else
                                 close_by_noise if family == "attention-i16" else close)(a, b)
                        same &= level in UNFUSED or a.tobytes() == fused[name].tobytes()
                    else:
                        same &= a.tobytes() == b.tobytes()
                if same:
                    continue
                wrong += 1
                print(f"FAIL {level}: {case.text} {case.inputs[0][:2]} -> {case.result}: "
                      f"{(a != b).sum()} of {a.size} differ")
            print(f"{level}: {len(cases) - wrong} of {len(cases)} agree")
            failures += wrong
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
