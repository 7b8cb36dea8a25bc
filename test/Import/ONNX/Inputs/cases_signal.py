"""Models of Fourier transforms, windows and images read at computed places."""
import numpy as np

from cases_ops import many
from models import CASES, F32, case, model, node, tensor, value, x, y


def ints(name, *values):
    return tensor(name, values[0] if len(values) == 1 else list(values), np.int64)


@case
def transforms():
    nodes = [node("DFT", "x n", "padded", axis=1), node("DFT", "x", "half", axis=-2, onesided=1),
             node("DFT", "z", "inverse", axis=0, inverse=1), node("DFT", "z n", "real", onesided=1, inverse=1)]
    return many(nodes, x(2, 6, 1) + [value("z", F32, [2, 5, 2])], [ints("n", 8)], opset=17)


@case
def transform_20():
    return many([node("DFT", "x _ axis", "y")], x(600, 1), [ints("axis", 0)], opset=20)


@case
def short_time():
    return many([node("STFT", "x step w", "y")], x(1, 20, 1), [ints("step", 4), tensor("w", np.arange(8))], opset=17)


@case
def windows():
    nodes = [node("HannWindow", "n", "a"), node("HammingWindow", "n", "b", periodic=0),
             node("BlackmanWindow", "n", "c", output_datatype=11), node("MelWeightMatrix", "m n r lo hi", "d"),
             node("Relu", "x", "e")]
    return many(nodes, x(1), [ints("n", 4), ints("m", 2), ints("r", 8000), tensor("lo", 0), tensor("hi", 4000)],
                opset=17)


@case
def deformed():
    return many([node("DeformConv", "x w o b k", "y", pads=[1, 1, 1, 1], group=2, offset_group=2)],
                x(1, 4, 5, 6) + [value("o", F32, [1, 36, 5, 6]), value("k", F32, [1, 18, 5, 6])],
                [tensor("w", np.ones((4, 2, 3, 3))), tensor("b", np.zeros(4))], opset=19)


@case
def columns():
    return many([node("Col2Im", "x i b", "y", strides=[2, 1], pads=[0, 1, 0, 1])], x(1, 12, 12),
                [ints("i", 6, 3), ints("b", 2, 2)], opset=18)


@case
def grids():
    return many([node("AffineGrid", "x s", "y", align_corners=1)], x(2, 2, 3), [ints("s", 2, 1, 3, 5)], opset=20)


@case
def centred():
    return many([node("CenterCropPad", "x s", "y"), node("CenterCropPad", "x t", "z", axes=[-1])], x(5, 4),
                [ints("s", 2, 7), tensor("t", [1], np.int64)], opset=18)


REJECTED = {
    "prime": (node("DFT", "x n", "y", axis=0), [8, 1]),
    "axis": (node("DFT", "x", "y", axis=1), [8, 1]),
    "parts": (node("DFT", "x", "y", axis=0), [8, 3]),
    "one-sided": (node("DFT", "x", "y", axis=0, onesided=1), [8, 2]),
    "long-frame": (node("STFT", "x step _ n", "y"), [1, 20, 1]),
    "edges": (node("MelWeightMatrix", "step step step lo hi", "y"), [1]),
    "offsets": (node("DeformConv", "x w o", "y"), [1, 1, 3, 3]),
    "block-count": (node("Col2Im", "x i i", "y"), [1, 4, 7]),
    "theta": (node("AffineGrid", "x s", "y"), [2, 2, 2]),
    "target": (node("CenterCropPad", "x i", "y", axes=[0]), [3, 3]),
}


def rejected(which):
    n, shape = REJECTED[which]
    m = model([n], x(*shape), y(), [ints("n", 10007), ints("step", 4), tensor("lo", 50), tensor("hi", 20),
                                    tensor("w", np.ones((1, 1, 2, 2))), tensor("o", np.ones((1, 8, 3, 3))),
                                    ints("i", 2, 2), ints("s", 2, 1, 3, 5)], opset=20 if which == "theta" else 19)
    m.graph.output[0].ClearField("type")
    return m


for name in REJECTED:
    CASES["signal-" + name] = lambda name=name: rejected(name)
