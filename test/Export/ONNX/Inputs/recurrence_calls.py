"""Models of several recurrent layers, or of a large one: recurrence_calls.py WHAT FILE.

shared: three LSTMs, two of which have the same weights. NUMBER: a QuantizedRNN of so many
hidden values. time: fails where 800 different functions take more than 12 times as long to
export as 100.
"""
import sys
import time

import numpy as np
import onnx
from harness import compiler
from onnx import TensorProto, helper, numpy_helper


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(nodes, inputs, outputs, constants, path):
    graph = helper.make_graph(nodes, "g", inputs, [value(name, None) for name in outputs],
                              [numpy_helper.from_array(v, n) for n, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("qcc", 1)])
    model.ir_version = 8
    onnx.save(model, path)


def shared(path, hidden=40):
    data = np.random.default_rng(0)
    floats = lambda *shape: (data.standard_normal(shape) / 8).astype(np.float32)
    constants = {"w": floats(1, 4 * hidden, 8), "r": floats(1, 4 * hidden, hidden), "s": floats(1, 4 * hidden, hidden)}
    nodes = [helper.make_node("LSTM", [x, "w", r], [y], y, hidden_size=hidden)
             for x, r, y in (("x0", "r", "y0"), ("x1", "r", "y1"), ("x2", "s", "y2"))]
    save(nodes, [value(f"x{i}", [3, 1, 8]) for i in range(3)], ["y0", "y1", "y2"], constants, path)


def large(path, hidden):
    node = helper.make_node("QuantizedRNN", ["x", "r", "s"], ["y"], "large", domain="qcc",
                            operands=["X", "R", "R_scale"])
    save([node], [value("x", [2, 1, hidden]), value("r", [hidden, hidden], TensorProto.INT8)], ["y"],
         {"s": np.float32(1e-6)}, path)


def seconds(path, count, hidden=4):
    """To export `count` layers with different bodies."""
    nodes = [helper.make_node("QuantizedLSTM", [f"x{i}", "r", "s"], [f"y{i}"], f"n{i}", domain="qcc",
                              operands=["X", "R", "R_scale"], clip=1 + i / 1024) for i in range(count)]
    save(nodes, [value(f"x{i}", [3, 2, 4 * hidden]) for i in range(count)], [f"y{i}" for i in range(count)],
         {"r": np.ones((hidden, 4 * hidden), np.int8), "s": np.float32(0.01)}, path)
    start = time.perf_counter()
    compiler.compile_model(path, path + "-q.onnx")
    elapsed = time.perf_counter() - start
    assert len(onnx.load(path + "-q.onnx").functions) == count
    return elapsed


what, path = sys.argv[1:]
if what == "shared":
    shared(path)
elif what == "time":
    few, many = (min(seconds(path, count) for _ in range(2)) for count in (100, 800))
    assert many < 12 * few, (few, many)
else:
    large(path, int(what))
