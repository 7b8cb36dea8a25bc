#!/usr/bin/env python3
"""Compares random LSTM, GRU and RNN layers with ONNX Runtime.

Weights in float and, for DynamicQuantizeLSTM, in 8 bits; every attribute that
ONNX Runtime supports. It quantizes the state of all sequences with one scale,
qcc each with its own, so that layer is compared with one sequence.
"""
import argparse
import pathlib
import random
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler, ort

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = ["Sigmoid", "Tanh", "Relu", "HardSigmoid", "ScaledTanh", "Softsign", "LeakyRelu", "Elu", "Affine"]


def layer(pick, data, op, dynamic, sizes=None):
    """A model of one layer, and its inputs. `sizes`: steps, sequences, hidden values, directions."""
    steps, rows = pick.choice([1, 3, 6]), 1 if dynamic else pick.choice([1, 2, 4, 5])
    inputs, hidden = pick.choice([1, 5, 16]), pick.choice([1, 3, 8, 20, 33, 64])
    directions = pick.choice([1, 1, 2])
    if sizes:
        steps, rows, hidden, directions = sizes
    columns = GATES[op] * hidden
    floats = lambda *shape: (data.standard_normal(shape) / max(shape[-1], 1) ** 0.5).astype(np.float32)
    constants, feeds, names = {}, {"x": floats(steps, rows, inputs) * 2}, ["x", "w", "r"]
    if dynamic:  # ONNX Runtime wants zero points of 0
        for name, depth in (("w", inputs), ("r", hidden)):
            each = pick.random() < 0.5
            constants[name] = data.integers(-127, 128, (directions, depth, columns)).astype(np.int8)
            shape = (directions, columns) if each else (directions,)
            constants[name + "s"] = (data.uniform(0.5, 1, shape) / (60 * depth ** 0.5)).astype(np.float32)
            constants[name + "z"] = np.zeros(shape, np.int8)
    else:
        constants["w"], constants["r"] = floats(directions, columns, inputs), floats(directions, columns, hidden)
    names.append("b" if pick.random() < 0.7 else "")
    if names[-1]:
        constants["b"] = floats(directions, 2 * columns)
    names.append("n" if not dynamic and pick.random() < 0.3 else "")
    if names[-1]:
        feeds["n"] = np.array([pick.randint(min(1, steps), steps) for _ in range(rows)], np.int32)
    for name in ["h", "c"] if op == "LSTM" else ["h"]:
        names.append(name if pick.random() < 0.5 else "")
        if names[-1]:
            feeds[name] = floats(directions, rows, hidden)
    attributes = {"hidden_size": hidden,
                  "direction": "bidirectional" if directions == 2 else pick.choice(["forward", "reverse"])}
    if op == "LSTM":
        names.append("p" if pick.random() < 0.3 else "")
        if names[-1]:
            constants["p"] = floats(directions, 3 * hidden)
        if pick.random() < 0.3:
            attributes["input_forget"] = 1
    if op == "GRU":
        attributes["linear_before_reset"] = pick.choice([0, 1])
    if pick.random() < 0.4:
        attributes["clip"] = 0.75
    if not dynamic and pick.random() < 0.5:
        count = {"LSTM": 3, "GRU": 2, "RNN": 1}[op] * directions
        chosen = [pick.choice(FUNCTIONS) for _ in range(count)]
        attributes["activations"] = chosen
        attributes["activation_alpha"] = [0.3] * count
        attributes["activation_beta"] = [0.6] * count
    if dynamic:
        names += ["ws", "wz", "rs", "rz"]
    outputs = ["y", "yh", "yc"][:3 if op == "LSTM" else 2]
    node = helper.make_node("DynamicQuantizeLSTM" if dynamic else op, names, outputs, "layer",
                            domain="com.microsoft" if dynamic else "", **attributes)
    kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32}
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info(n, kinds[v.dtype], v.shape) for n, v in feeds.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(v, n) for n, v in constants.items()])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model, feeds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=8, help="layers of each operator")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    bad = 0
    for op in ("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"):
        pick, data = random.Random(op), np.random.default_rng(len(op))
        largest = 0
        for _ in range(args.count):
            dynamic = op.startswith("Dynamic")
            model, feeds = layer(pick, data, "LSTM" if dynamic else op, dynamic)
            path, out = args.work / "m.onnx", args.work / "m.so"
            onnx.save(model, str(path))
            want = ort.Session(str(path))(feeds)
            compiler.compile_model(path, out, "-quantize=none")
            got = compiler.Artefact(out)(feeds)
            for name, reference in want.items():
                error = float(np.abs(got[name] - reference).max(initial=0))
                error /= max(1, float(np.abs(reference).max(initial=0)))
                largest = max(largest, error)
                # A rounding on a tie moves a quantized state by a step.
                if got[name].shape != reference.shape or not error <= (5e-3 if dynamic else 1e-5):
                    bad += 1
                    print(f"{name}: error {error:.3g}\n{onnx.helper.printable_graph(model.graph)}")
        print(f"{op}: {args.count} layers, largest error {largest:.3g}")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
