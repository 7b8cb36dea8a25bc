#!/usr/bin/env python3
"""Compares operators that only ONNX Runtime defines (com.microsoft) with it."""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler, ort

rng = np.random.default_rng(3)
KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32,
         np.dtype(np.int64): TensorProto.INT64}


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def cases():
    """Operator, attributes, operands (constants as tuples), number of outputs."""
    for bits, block, zeros, level in ((4, 32, None, 0), (4, 16, "packed", 1), (8, 32, None, 0), (4, 32, "float", 0),
                                      (4, 32, None, 4), (4, 16, "packed", 4), (4, 128, "packed", 4),
                                      (8, 32, None, 4), (8, 32, "packed", 4)):
        blocks, packed = -(-200 // block), block * bits // 8
        operands = [floats(2, 3, 200), (rng.integers(0, 256, (24, blocks, packed)).astype(np.uint8),),
                    (abs(floats(24 * blocks)),)]
        if zeros == "packed":
            operands.append((rng.integers(0, 256, 24 * ((blocks * bits + 7) // 8)).astype(np.uint8),))
        elif zeros:
            operands.append((rng.uniform(0, 15, (24, blocks)).astype(np.float32),))
        if block == 128:
            operands += [None, (floats(24),)]
        yield "MatMulNBits", dict(K=200, N=24, bits=bits, block_size=block, accuracy_level=level), operands, 1
    x, skip, bias = floats(2, 5, 24), floats(2, 5, 24), (floats(24),)
    yield "SkipLayerNormalization", dict(epsilon=1e-5), [x, skip, bias, (floats(24),), (floats(24),)], 4
    yield "SkipLayerNormalization", dict(epsilon=1e-5), [x, skip, bias], 1
    yield "SkipSimplifiedLayerNormalization", dict(epsilon=1e-5), [x, skip, bias], 4
    ids = rng.integers(0, 9, (2, 5)).astype(np.int32)
    yield "EmbedLayerNormalization", dict(epsilon=1e-5), [
        ids, ids % 2, (floats(9, 24),), (floats(7, 24),), (floats(2, 24),), bias, bias], 2
    q, k, v = floats(2, 5, 24), floats(2, 7, 24), floats(2, 7, 24)
    yield "MultiHeadAttention", dict(num_heads=3), [q, k, v], 1
    yield "MultiHeadAttention", dict(num_heads=3, scale=0.3), [q, k, v, (floats(72),)], 1
    yield "MultiHeadAttention", dict(num_heads=3), [q, k, v, None, None, floats(2, 3, 5, 7)], 1
    yield "MultiHeadAttention", dict(num_heads=3), [q, k, v, None, (np.arange(14).reshape(2, 7) % 7 < 5).astype(np.int32)], 1
    angles = floats(9, 4)
    for interleaved in (0, 1):
        tables = [(np.cos(angles),), (np.sin(angles),)]
        yield "RotaryEmbedding", dict(interleaved=interleaved), [
            floats(2, 5, 24), rng.integers(0, 9, (2, 5)).astype(np.int64), *tables], 1
        yield "RotaryEmbedding", dict(interleaved=interleaved), [
            floats(2, 3, 5, 8), np.array([3], np.int64), *tables], 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    bad = 0
    for op, attributes, operands, outputs in cases():
        names = [f"x{i}" if v is not None else "" for i, v in enumerate(operands)]
        feeds = {n: v for n, v in zip(names, operands) if isinstance(v, np.ndarray)}
        constants = {n: v[0] for n, v in zip(names, operands) if isinstance(v, tuple)}
        results = [f"y{i}" if i in (0, outputs - 1) else "" for i in range(outputs)]
        node = helper.make_node(op, names, results, op, domain="com.microsoft", **attributes)
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info(n, KINDS[v.dtype], v.shape) for n, v in feeds.items()],
            [helper.make_tensor_value_info(n, TensorProto.INT32 if op.startswith("Embed") and n == "y1"
                                           else TensorProto.FLOAT, None) for n in results if n],
            [numpy_helper.from_array(v, n) for n, v in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17),
                                                        helper.make_opsetid("com.microsoft", 1)])
        model.ir_version = 8
        path, out = args.work / "m.onnx", args.work / "m.so"
        onnx.save(model, str(path))
        want = ort.Session(str(path))(feeds)
        compiler.compile_model(path, out, "-quantize=none")
        got = compiler.Artefact(out)(feeds)
        for name, reference in want.items():
            error = np.abs(got[name].astype(np.float64) - reference).max()
            good = got[name].shape == reference.shape and error <= 1e-5 * max(1, np.abs(reference).max())
            bad += not good
            print(f"{op} {attributes} {name}: error {error:.3g}{'' if good else ' FAIL'}")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
