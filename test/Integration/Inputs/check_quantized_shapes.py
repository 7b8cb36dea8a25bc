#!/usr/bin/env python3
"""Shapes computed through QuantizeLinear and DequantizeLinear: compiled answers against those of
ONNX Runtime, which runs the arithmetic. FOLDER is for the files."""
import pathlib
import sys

import numpy as np
import onnx
from harness import compiler, ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(1)


def node(kind, inputs, output, **attributes):
    names = ["" if n == "_" else n for n in inputs.split()]
    return helper.make_node(kind, names, [output], f"{kind}_{output}", **attributes)


def pair(source, result, params, **attributes):
    return [node("QuantizeLinear", f"{source} {params}", result + "_q", **attributes),
            node("DequantizeLinear", f"{result}_q {params}", result, **attributes)]


# The shape of x, 1x3x8x8, times `factors`, through a pair, as integers.
SCALED = [node("Shape", "x", "shape"), node("Cast", "shape", "floats", to=TensorProto.FLOAT),
          node("Mul", "floats factors", "scaled")]
INTEGERS = [node("Cast", "real", "integers", to=TensorProto.INT64)]
RESIZE = [node("Resize", "x _ _ integers", "y", mode="nearest")]
# Name: nodes, factors, scale, zero point.
CASES = {
    "sizes": (SCALED + pair("scaled", "real", "s z") + INTEGERS + RESIZE, [1, 1, 2, 2], 0.5, np.uint8(3)),
    # No extent is a multiple of the scale.
    "rounded": (SCALED + pair("scaled", "real", "s z") + INTEGERS +
                [node("Slice", "x start integers", "y")], [1, 1, 0.5, 0.3], 0.6, np.int8(-3)),
    "saturated": (SCALED + pair("scaled", "real", "s z") + INTEGERS + RESIZE, [1, 1, 2, 4], 0.125, np.int8(0)),
    "reshape": (SCALED + pair("scaled", "real", "s z") + INTEGERS +
                [node("Reshape", "x integers", "y")], [1, 1, 2, 0.5], 0.5, np.int8(0)),
    "expand": (SCALED + pair("scaled", "real", "s z") + INTEGERS +
               [node("Expand", "one integers", "e"), node("Add", "x e", "y")], [1, 1, 1, 1], 0.5, np.uint8(0)),
    "axis": (SCALED + pair("scaled", "real", "s z", axis=0) + INTEGERS + RESIZE, [1, 1, 2, 2],
             [1, 1, 0.5, 0.25], np.uint8([0, 1, 2, 3])),
    "moved": (SCALED + [node("QuantizeLinear", "scaled s z", "q"), node("Reshape", "q column", "r"),
                        node("Transpose", "r", "t", perm=[1, 0]), node("Reshape", "t flat", "u"),
                        node("DequantizeLinear", "u s z", "real")] + INTEGERS + RESIZE,
              [1, 1, 2, 2], 0.5, np.uint8(3)),
    "scales": (SCALED + pair("scaled", "real", "s z") +
               [node("Gather", "real last", "hw"), node("Concat", "ones hw", "all", axis=0)] +
               pair("all", "scales", "s z") + [node("Resize", "x _ scales", "y", mode="linear")],
               [1, 1, 0.25, 0.25], 0.125, np.uint8(0)),
    "pads": ([node("Shape", "x", "shape"), node("Cast", "shape", "floats", to=TensorProto.FLOAT)] +
             pair("floats", "real", "s z") + INTEGERS +
             [node("Sub", "integers less", "half"), node("Concat", "half half", "pads", axis=0),
              node("Pad", "x pads", "y")], [1], 0.5, np.uint8(0)),
}
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
x = rng.normal(size=(1, 3, 8, 8)).astype(np.float32)
for name, (nodes, factors, scale, zero_point) in CASES.items():
    constants = {"factors": np.float32(factors), "s": np.float32(scale), "z": zero_point,
                 "start": np.zeros(4, np.int64), "one": np.float32(3), "last": np.array([2, 3]),
                 "ones": np.float32([1, 1]), "less": np.array([1, 3, 6, 7]), "column": np.array([4, 1]),
                 "flat": np.array([4])}
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()])
    path = folder / f"{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    expected = ort.Session(path, ort.OPTIMIZE_NONE)({"x": x})["y"]
    compiler.compile_model(path, folder / f"{name}.so")
    got = compiler.Artefact(folder / f"{name}.so")({"x": x})["y"]
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-6):
        sys.exit(f"{name}: shape {got.shape}, expected {expected.shape}")
    print(f"{name}: {'x'.join(map(str, got.shape))}")
