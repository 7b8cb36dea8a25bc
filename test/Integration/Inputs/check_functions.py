"""Functions that the importer composes of others, against double precision.

Those that are 0 at 0 are near it as exact, relatively, as elsewhere; indices beyond the
bounds of GatherElements and GatherND are clamped as those of Gather are.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

from harness import compiler

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)


def run(nodes, feeds, constants=None):
    code = lambda a: onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[a.dtype] if hasattr(onnx, "mapping") \
        else helper.np_dtype_to_tensor_dtype(a.dtype)
    outputs = [o for n in nodes for o in n.output]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(k, code(v), v.shape) for k, v in feeds.items()],
        [helper.make_tensor_value_info(o, onnx.TensorProto.FLOAT, None) for o in outputs],
        [numpy_helper.from_array(v, k) for k, v in (constants or {}).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    onnx.save(model, str(scratch / "m.onnx"))
    compiler.compile_model(scratch / "m.onnx", scratch / "m.so", "-quantize=none")
    return compiler.Artefact(scratch / "m.so")(feeds)


def check_hyperbolic():
    size = np.concatenate([2.0 ** np.arange(-30, 4), np.linspace(0.05, 3, 61)])
    x = np.concatenate([-size, [0], size]).astype(np.float32)
    inside = np.clip(x, -0.999, 0.999).astype(np.float32)
    # Squares beyond float32, and arguments next to 1.
    wide = np.concatenate([x, -(10.0 ** np.arange(2, 39)), 10.0 ** np.arange(2, 39)]).astype(np.float32)
    above = np.concatenate([1 + 2.0 ** -np.arange(24), np.linspace(1, 4, 64), 10.0 ** np.arange(39)]).astype(np.float32)
    # Exponentials that overflow before their half does.
    high = np.concatenate([x, -np.linspace(80, 89.4, 41), np.linspace(80, 89.4, 41)]).astype(np.float32)
    functions = {"Sinh": (np.sinh, "h", high), "Cosh": (np.cosh, "h", high), "Asinh": (np.arcsinh, "w", wide), "Atanh": (np.arctanh, "i", inside),
                 "Acosh": (np.arccosh, "a", above)}
    got = run([helper.make_node(f, [name], [f]) for f, (_, name, _) in functions.items()],
              {"h": high, "i": inside, "w": wide, "a": above})
    for name, (function, _, data) in functions.items():
        want = function(data.astype(np.float64))
        assert np.array_equal(got[name] == 0, want == 0), name
        error = np.abs(got[name] - want)[want != 0] / np.abs(want)[want != 0]
        assert error.max() < 1e-6, (name, error.max(), data[want != 0][error.argmax()])
        print(f"{name}: exact to six digits")
    special = np.array([np.inf, -np.inf, np.nan, -0.0, 0.5, -2, -1e25], np.float32)
    got = run([helper.make_node(f, ["s"], [f]) for f in ("Asinh", "Acosh")], {"s": special})
    with np.errstate(invalid="ignore"):
        for name, function in (("Asinh", np.arcsinh), ("Acosh", np.arccosh)):
            want = function(special)
            assert np.allclose(got[name], want, rtol=1e-6, equal_nan=True), (name, got[name], want)


def check_powers():
    base = np.array([-2, -2, -2, -2, 2, -1, -np.inf, -0.0], np.float32)
    power = np.array([1e-45, -1e-45, 3, 0.5, 1e-45, 1e-45, 1e-45, 1e-45], np.float32)
    got = run([helper.make_node("Pow", ["b", "p"], ["y"])], {"b": base, "p": power})["y"]
    with np.errstate(invalid="ignore"):
        want = np.power(base.astype(np.float64), power.astype(np.float64))
    assert np.allclose(got, want, rtol=1e-6, equal_nan=True), (got, want)
    print("powers: none of a negative number where the exponent is no integer")


def check_double_bounds():
    """Bounds and slopes of doubles are no float32 numbers."""
    x = np.linspace(-1, 1, 41)
    graph = helper.make_graph(
        [helper.make_node("Max", ["x", "low"], ["a"]), helper.make_node("Min", ["a", "high"], ["y"]),
         helper.make_node("Clip", ["x", "low", "high"], ["z"]), helper.make_node("PRelu", ["x", "slope"], ["p"])], "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, x.shape)],
        [helper.make_tensor_value_info(o, onnx.TensorProto.DOUBLE, None) for o in "yzp"],
        [numpy_helper.from_array(np.array(v), k) for k, v in (("low", -0.3), ("high", 0.1), ("slope", 0.7))])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    onnx.save(model, str(scratch / "d.onnx"))
    compiler.compile_model(scratch / "d.onnx", scratch / "d.so", "-quantize=none")
    got = compiler.Artefact(scratch / "d.so")({"x": x})
    assert np.array_equal(got["y"], np.clip(x, -0.3, 0.1)) and np.array_equal(got["z"], got["y"]), got
    assert np.array_equal(got["p"], np.where(x < 0, x * 0.7, x)), got["p"]
    print("doubles: bounds are exact")


def check_bounds():
    data = np.arange(12, dtype=np.float32).reshape(3, 4)
    index = np.array([[0, -1, 2, 9], [-9, 1, 3, -3]], np.int64)
    got = run([helper.make_node("GatherElements", ["x", "i"], ["e"], axis=0),
               helper.make_node("GatherND", ["x", "n"], ["d"])],
              {"x": data, "i": index, "n": np.array([[0, 7], [2, -8], [5, 1], [-5, -1]], np.int64)})
    rows = np.where(index < 0, np.maximum(index, -3) + 3, np.minimum(index, 2))
    assert np.array_equal(got["e"], np.take_along_axis(data, rows, 0)), got["e"]
    assert np.array_equal(got["d"], data[[0, 2, 2, 0], [3, 0, 1, 3]]), got["d"]
    hot = np.array([0, -1, 3, 4, -5], np.int64)
    got = run([helper.make_node("OneHot", ["i", "d", "v"], ["y"])], {"i": hot},
              {"d": np.array(4, np.int64), "v": np.array([0, 1], np.float32)})
    assert np.array_equal(got["y"], [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0] * 4, [0] * 4]), got["y"]
    print("bounds: clamped, and of OneHot all off")


check_hyperbolic()
check_powers()
check_double_bounds()
check_bounds()
