#!/usr/bin/env python3
"""Weights quantized in blocks, end to end: DequantizeLinear with block_size against
ONNX Runtime, the size of artefacts, -quantize=weight-only and its export."""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler, ort

rng = np.random.default_rng(7)
F32 = np.float32
UINT8, INT8, UINT4, INT4 = TensorProto.UINT8, TensorProto.INT8, 21, 22
bad = 0


def check(good, text):
    global bad
    bad += not good
    print(text + ("" if good else "   FAIL"))


def floats(*shape):
    return rng.standard_normal(shape).astype(F32)


def save(path, nodes, x, constants, opset=21):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [c if isinstance(c, TensorProto) else numpy_helper.from_array(c, n) for n, c in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 10
    onnx.save(model, str(path))


def integers(name, kind, values):
    """4-bit ones by hand: older packages of onnx do not know them."""
    tensor = TensorProto(name=name, dims=values.shape, data_type=kind)
    flat = values.flatten()
    if kind in (INT4, UINT4):
        flat = (flat[0::2] & 15) | (flat[1::2] & 15) << 4
    tensor.raw_data = flat.astype(np.uint8).tobytes()
    return tensor


def relative(a, b):
    return float(np.abs(a.astype(np.float64) - b).max() / max(1e-9, np.abs(b).max()))


def dequantize_linear(folder):
    """QDQ weights: types, axes, zero points, Gemm with bias."""
    cases = [(INT4, 0, 32, False, "MatMul"), (UINT4, 0, 16, True, "MatMul"),
             (INT4, 1, 32, True, "Gemm"), (UINT8, 0, 32, True, "MatMul"),
             (INT8, 1, 16, False, "Transpose")]
    for kind, axis, block, zeros, consumer in cases:
        x = floats(5, 96)
        signed = kind in (INT4, INT8)
        span = 16 if kind in (INT4, UINT4) else 256
        low = -span // 2 if signed else 0
        shape = (96, 40) if axis == 0 else (40, 96)
        blocks = list(shape)
        blocks[axis] //= block
        constants = {"w": integers("w", kind, rng.integers(low, low + span, shape)),
                     "s": np.abs(floats(*blocks)) * F32(0.1)}
        operands = ["w", "s"]
        if zeros:
            constants["z"] = integers("z", kind, rng.integers(low, low + span, blocks))
            operands.append("z")
        nodes = [helper.make_node("DequantizeLinear", operands, ["d"], axis=axis, block_size=block)]
        if consumer == "Transpose":
            nodes += [helper.make_node("Transpose", ["d"], ["t"], perm=[1, 0]),
                      helper.make_node("MatMul", ["x", "t"], ["y"])]
        elif consumer == "Gemm":
            constants["b"] = floats(40)
            nodes.append(helper.make_node("Gemm", ["x", "d", "b"], ["y"], transB=1))
        else:
            nodes.append(helper.make_node("MatMul", ["x", "d"], ["y"]))
        path, out = folder / "dq.onnx", folder / "dq.so"
        save(path, nodes, x, constants)
        ir = compiler.call([compiler.tool("qcc"), path, "-quantize=none", "-emit=quantize", "-o", "-"])
        compiler.compile_model(path, out, "-quantize=none")
        got = compiler.Artefact(out)({"x": x})["y"]
        want = ort.Session(str(path), ort.OPTIMIZE_NONE)({"x": x})["y"]
        error = relative(got, want)
        check("qnn.block_matmul" in ir and error < 1e-5,
              f"{consumer} of type {kind} along {axis}, block {block}: error {error:.2g}")


def weight_only(folder):
    """A float model: sizes, errors, results on any thread count, export."""
    depth, columns = 1000, 1024
    x, w, v = floats(3, depth), floats(depth, columns), floats(64, columns)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("Gemm", ["r", "v", "b"], ["y"], transB=1)]
    path = folder / "float.onnx"
    save(path, nodes, x, {"w": w, "v": v, "b": floats(64)}, opset=17)
    feeds = {"x": x}
    compiler.compile_model(path, folder / "float.so", "-quantize=none")
    exact = compiler.Artefact(folder / "float.so")(feeds)["y"]
    weights = w.size + v.size
    # Bits with the scale of each block of 32, and the largest relative error.
    for mode, bits, limit in (("int4", 5, 0.2), ("int8", 9, 0.015), ("int4,block=128,activations=float", 4.25, 0.25)):
        out = folder / "q.so"
        compiler.compile_model(path, out, f"-quantize=weight-only:{mode}")
        size = out.stat().st_size
        got = compiler.Artefact(out)(feeds)["y"]
        error = float(np.linalg.norm(got - exact) / np.linalg.norm(exact))
        check(size < weights * bits / 8 * 1.02 + 80_000 and error < limit,
              f"{mode}: {size} bytes for {weights} weights, error {error:.3f}")
        check((compiler.Artefact(out, threads=2)(feeds)["y"] == got).all(), f"{mode}: two threads")

        # The exported model has float products of the same weights.
        exported = folder / "q.onnx"
        compiler.compile_model(path, exported, f"-quantize=weight-only:{mode}")
        stored = exported.stat().st_size
        wide = "int8" in mode
        check(stored < weights * ((9 if wide else 6) / 8) + 10_000, f"{mode}: exported {stored} bytes")
        theirs = ort.Session(str(exported), config={"session.qdq_matmulnbits_accuracy_level": "0"})(feeds)["y"]
        error = relative(got, theirs)
        check(error < (1e-5 if "float" in mode else 0.02), f"{mode}: ONNX Runtime differs by {error:.2g}")
        compiler.compile_model(exported, folder / "again.so", "-quantize=none")
        again = compiler.Artefact(folder / "again.so")(feeds)["y"]
        if "float" in mode:
            check((again == got).all(), f"{mode}: imported again")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    dequantize_linear(args.work)
    weight_only(args.work)
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
