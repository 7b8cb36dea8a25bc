"""The indices of MaxPool, and MaxUnpool, against loops in NumPy."""
import itertools
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(3)


def code(dtype):
    if hasattr(onnx, "mapping"):
        return onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[np.dtype(dtype)]
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def run(nodes, feeds, outputs, constants=None):
    graph = helper.make_graph(nodes, "g",
                              [helper.make_tensor_value_info(k, code(v.dtype), v.shape) for k, v in feeds.items()],
                              [helper.make_tensor_value_info(o, t, None) for o, t in outputs.items()],
                              [numpy_helper.from_array(v, k) for k, v in (constants or {}).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(scratch / "m.onnx"))
    compiler.compile_model(scratch / "m.onnx", scratch / "m.so", "-quantize=none")
    return compiler.Artefact(scratch / "m.so")(feeds)


def max_pool(x, kernel, strides, dilations, pads, shape, by_columns):
    """The first greatest element of each window, and where it is."""
    rank = len(kernel)
    indices = np.zeros(shape, np.int64)
    for at in np.ndindex(*shape):
        best = None
        for offset in itertools.product(*map(range, kernel)):
            place = tuple(a * s + o * d - p for a, s, o, d, p in zip(at[2:], strides, offset, dilations, pads))
            if any(not 0 <= p < e for p, e in zip(place, x.shape[2:])):
                continue
            if best is None or x[at[:2] + place] > x[at[:2] + best]:
                best = place
        flat = np.ravel_multi_index(best, x.shape[2:], order="F" if by_columns else "C")
        indices[at] = (at[0] * x.shape[1] + at[1]) * np.prod(x.shape[2:]) + flat
    return indices


def check(shape, kernel, dtype=np.float32, by_columns=False, **attributes):
    rank = len(kernel)
    # Few values, so that windows have several greatest elements.
    low = 0 if dtype == np.uint8 else -9
    x = rng.integers(low, 3, shape).astype(dtype)
    if by_columns:
        attributes["storage_order"] = 1
    got = run([helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=kernel, **attributes)], {"x": x},
              {"y": code(dtype), "i": TensorProto.INT64})
    get = lambda name, default: attributes.get(name, default)
    want = max_pool(x, kernel, get("strides", [1] * rank), get("dilations", [1] * rank), get("pads", [0] * 2 * rank),
                    got["y"].shape, by_columns)
    assert np.array_equal(got["i"], want), (shape, kernel, attributes, got["i"], want)
    if not by_columns:
        assert np.array_equal(x.reshape(-1)[want], got["y"])
    print("indices:", dtype.__name__, shape, kernel, sorted(attributes))


check((1, 3, 8, 8), [2, 2], strides=[2, 2])
check((2, 3, 7, 9), [3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
check((2, 2, 7, 9), [3, 2], strides=[2, 3], pads=[1, 0, 2, 1], by_columns=True)
check((1, 2, 9, 8), [2, 3], dilations=[3, 2], ceil_mode=1, strides=[2, 2])
check((1, 4, 11), [3], strides=[2])
check((1, 2, 4, 5, 6), [2, 2, 2], strides=[1, 2, 2], by_columns=True)
check((1, 2, 6, 6), [2, 2], np.uint8, strides=[2, 2], pads=[1, 1, 1, 1])
check((1, 2, 6, 6), [3, 3], np.int8, pads=[1, 1, 1, 1])

# The first element of a window is padding, and no other is greater.
for dtype, least in ((np.uint8, 0), (np.float32, -np.inf)):
    got = run([helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2], dilations=[2], pads=[1, 1])],
              {"x": np.full((1, 1, 5), least, dtype)}, {"y": code(dtype), "i": TensorProto.INT64})
    assert got["i"].ravel().tolist() == [1, 0, 1, 2, 3], got
# Values and indices agree on what is not a number.
got = run([helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2])],
          {"x": np.float32([[[np.nan, 5, np.nan, 4]]])}, {"y": TensorProto.FLOAT, "i": TensorProto.INT64})
assert got["y"].ravel().tolist() == [5, 5, 4] and got["i"].ravel().tolist() == [1, 1, 3], got

# What was taken goes back to its place (SegNet).
x = rng.normal(size=(2, 3, 8, 6)).astype(np.float32)
pool = helper.make_node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2], strides=[2, 2])
unpool = helper.make_node("MaxUnpool", ["p", "i"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
got = run([pool, unpool], {"x": x}, {"y": TensorProto.FLOAT})["y"]
taken = x == np.repeat(np.repeat(x.reshape(2, 3, 4, 2, 3, 2).max((3, 5)), 2, 2), 2, 3)
assert np.array_equal(got, np.where(taken, x, 0))
# The example of the specification: indices are those of the shape without output_shape.
unpool = helper.make_node("MaxUnpool", ["p", "i", "s"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
got = run([unpool], {"p": np.float32([[[[5, 6], [7, 8]]]]), "i": np.int64([[[[5, 7], [13, 15]]]])},
          {"y": TensorProto.FLOAT}, {"s": np.int64([1, 1, 5, 5])})["y"]
want = np.zeros((1, 1, 5, 5), np.float32)
want[0, 0, 1, 1], want[0, 0, 1, 3], want[0, 0, 3, 1], want[0, 0, 3, 3] = 5, 6, 7, 8
assert np.array_equal(got, want), got
for wanted in ([1, 1, 3, 4], [1, 2, 4, 4]):
    try:
        run([unpool], {"p": np.float32([[[[5, 6], [7, 8]]]]), "i": np.int64([[[[5, 7], [13, 15]]]])},
            {"y": TensorProto.FLOAT}, {"s": np.int64(wanted)})
    except compiler.ToolError as error:
        assert "expected 1x1x4x4 or more in the spatial dimensions" in str(error), error
    else:
        raise AssertionError(wanted)
print("unpooled")
