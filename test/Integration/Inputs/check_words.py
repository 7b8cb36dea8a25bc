#!/usr/bin/env python3
"""Explicit quantization to 16 bits: QDQ models with activations of int16 and uint16
and weights of 8 and 16 bits against ONNX Runtime without optimizations, which
computes them in float; integer kernels are used where sums fit in 32 bits.
"""
import argparse
import pathlib

import numpy as np
from harness import compiler, ort
from onnx import TensorProto, helper, numpy_helper


class Graph:
    def __init__(self, seed):
        self.data = np.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def pair(self, value, dtype, scale, zero):
        s = self.constant(value + "_s", np.float32(scale))
        z = self.constant(value + "_z", np.array(zero, dtype))
        quantized = self.node("QuantizeLinear", [value, s, z], value + "_q")
        return self.node("DequantizeLinear", [quantized, s, z], value + "_dq")

    def weight(self, name, shape, dtype):
        most = 32767 if dtype == np.int16 else 127
        values = self.data.standard_normal(shape)
        scales = np.abs(values.reshape(shape[0], -1)).max(1) / most
        integers = np.rint(values / scales.reshape(-1, *[1] * (len(shape) - 1)))
        if dtype == np.int16:  # sums of 32 bits have room for this
            integers, scales = np.rint(integers / 64), scales * 64
        return self.node("DequantizeLinear",
                         [self.constant(name + "_q", integers.astype(dtype)),
                          self.constant(name + "_s", scales.astype(np.float32)),
                          self.constant(name + "_z", np.zeros(shape[0], dtype))], name, axis=0)


def make(path, activation, weight, seed):
    g = Graph(seed)
    zero = 32768 if activation == np.uint16 else 0
    x = g.pair("x", activation, 1 / 8192, zero)
    y = g.node("Conv", [x, g.weight("w0", [24, 3, 3, 3], weight),
                        g.constant("b0", g.data.standard_normal(24).astype(np.float32))], "y0",
               pads=[1, 1, 1, 1])
    y = g.pair(g.node("Relu", [y], "r0"), activation, 1 / 1024, zero)
    z = g.node("Conv", [y, g.weight("w1", [24, 24, 1, 1], weight)], "y1")
    z = g.node("Add", [z, y], "a1")
    z = g.pair(z, activation, 1 / 512, zero)
    z = g.node("Conv", [z, g.weight("w2", [24, 1, 3, 3], weight)], "y2", group=24)
    z = g.pair(z, activation, 1 / 256, zero)
    z = g.node("Flatten", [z], "f")
    z = g.node("Gemm", [z, g.weight("w3", [10, 24 * 49], weight)], "out", transB=1)
    graph = helper.make_graph(
        g.nodes, "words", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 9, 9])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 10])], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    path.write_bytes(model.SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    bad = False
    for activation in (np.int16, np.uint16):
        for weight in (np.int8, np.int16):
            name = f"{np.dtype(activation).name}-{np.dtype(weight).name}"
            path, artefact = args.work / f"{name}.onnx", args.work / f"{name}.so"
            make(path, activation, weight, 7)
            compiler.compile_model(path, artefact)
            session, run = ort.Session(path, ort.OPTIMIZE_NONE), compiler.Artefact(artefact)
            worst = 0
            for seed in range(5):
                feeds = {"x": np.random.default_rng(seed).standard_normal([1, 3, 9, 9]).astype(np.float32)}
                expected, got = session(feeds)["out"], run(feeds)["out"]
                worst = max(worst, np.abs(expected - got).max() / np.abs(expected).max())
            print(f"{name}: {worst:.2e} of the largest output")
            bad |= not worst < 1e-3
    return bad


if __name__ == "__main__":
    raise SystemExit(main())
