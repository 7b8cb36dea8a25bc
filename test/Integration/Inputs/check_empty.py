#!/usr/bin/env python3
"""Models with empty tensors: as ONNX Runtime, or as ONNX defines them where ONNX Runtime leaves memory as it is."""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import compiler, ort

rng = np.random.default_rng(5)
MS = "com.microsoft"
KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32, np.dtype(np.uint8): TensorProto.UINT8}
WAYS = (["-quantize=none"], ["-quantize=none", "-reference"], ["-quantize=dynamic"])


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def bytes_of(*shape):
    return rng.integers(0, 256, shape).astype(np.uint8)


def number(x, dtype=np.float32):
    return (dtype(x),)


def cases():
    """Operator, its domain, attributes, operands (constants as tuples), element type, the result or None: ask."""
    for a, b in (((2, 3, 0, 8), (2, 3, 8, 0)), ((2, 3, 8, 0), (2, 3, 0, 8)), ((4, 0), (0, 5)), ((4, 5), (5, 0)),
                 ((0, 4), (4, 5)), ((0,), (0, 5)), ((64, 0), (0, 64)), ((0, 0), (0, 0))):
        yield "MatMul", "", {}, [floats(*a), floats(*b)], TensorProto.FLOAT, None
        yield "MatMul", "", {}, [floats(*a), (floats(*b),)], TensorProto.FLOAT, None
    for a, b, c in (((4, 0), (0, 5), (5,)), ((0, 4), (4, 5), (5,)), ((4, 4), (4, 0), (1,)), ((4, 0), (0, 5), (4, 1))):
        yield "Gemm", "", {}, [floats(*a), (floats(*b),), (floats(*c),)], TensorProto.FLOAT, None
    c = floats(5)
    yield "Gemm", "", dict(alpha=0.5, beta=0.25), [floats(4, 0), (floats(0, 5),), (c,)], TensorProto.FLOAT, \
        np.tile(c * np.float32(0.25), (4, 1))
    for x, w, attributes in (((0, 3, 8, 8), (4, 3, 3, 3), {}), ((2, 3, 0, 8), (4, 3, 3, 3), dict(pads=[2, 1, 2, 1])),
                             ((2, 4, 0, 8), (4, 1, 3, 3), dict(group=4, pads=[2, 1, 2, 1]))):
        yield "Conv", "", attributes, [floats(*x), (floats(*w),), (floats(4),)], TensorProto.FLOAT, None
    yield "ConvInteger", "", dict(pads=[2, 1, 2, 1]), [
        bytes_of(2, 3, 0, 8), (bytes_of(4, 3, 3, 3),), number(3, np.uint8), number(4, np.uint8)], TensorProto.INT32, None
    zeros = lambda dtype: [number(3, np.uint8), number(4, np.uint8)] if dtype == np.uint8 else []
    for m, k, n in ((2, 0, 5), (2, 8, 0), (0, 8, 5), (0, 0, 0)):
        a, b, bias = bytes_of(m, k), (bytes_of(k, n),), floats(n)
        known = k == 0
        yield "MatMulInteger", "", {}, [a, b, *zeros(np.uint8)], TensorProto.INT32, \
            np.zeros((m, n), np.int32) if known else None
        scale, zero = number(0.1), number(7, np.uint8)
        yield "QLinearMatMul", "", {}, [a, scale, zero, b, scale, zero, scale, zero], TensorProto.UINT8, \
            np.full((m, n), 7, np.uint8) if known else None
        yield "MatMulIntegerToFloat", MS, {}, [a, b, scale, scale, zero, zero, (bias,)], TensorProto.FLOAT, \
            np.tile(bias, (m, 1)) if known else None
        yield "DynamicQuantizeMatMul", MS, {}, [floats(m, k), b, scale, zero], TensorProto.FLOAT, \
            np.zeros((m, n), np.float32) if known else None
        yield "FusedMatMul", MS, {}, [floats(m, k), (floats(k, n),)], TensorProto.FLOAT, None
    for level in (0, 4):
        yield "MatMulNBits", MS, dict(K=32, N=8, bits=4, block_size=32, accuracy_level=level), [
            floats(2, 0, 32), (bytes_of(8, 1, 16),), (floats(8),)], TensorProto.FLOAT, None
    for op in ("Sum", "Max", "Min", "Mean", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"):
        axes = dict(axes=[1]) if op != "Sum" else {}
        yield "Reduce" + op, "", dict(keepdims=0, **axes), [
            floats(2, 0, 3), *([] if axes else [(np.array([1]),)])], TensorProto.FLOAT, None
    yield "ReduceMax", "", dict(axes=[2]), [floats(2, 3, 0).astype(np.int32)], TensorProto.INT32, None
    yield "ReduceMax", "", {}, [floats(1, 0, 0, 3)], TensorProto.FLOAT, None
    yield "Concat", "", dict(axis=1), [floats(2, 0, 3), floats(2, 2, 3)], TensorProto.FLOAT, None
    yield "Pad", "", {}, [floats(2, 0, 3), (np.array([0, 1, 0, 0, 1, 0]),)], TensorProto.FLOAT, None
    weights = [(floats(24, 72),), (floats(72),)]
    for x in ((2, 0, 24), (0, 4, 24)):
        yield "Attention", MS, dict(num_heads=3), [floats(*x), *weights], TensorProto.FLOAT, None
    yield "Attention", MS, dict(num_heads=3, unidirectional=1), [floats(2, 1, 24), *weights, None,
                                                                 floats(2, 2, 3, 0, 8)], TensorProto.FLOAT, None
    for queries, keys in ((0, 4), (4, 0), (0, 0)):
        yield "MultiHeadAttention", MS, dict(num_heads=3), [
            floats(2, queries, 24), floats(2, keys, 24), floats(2, keys, 24)], TensorProto.FLOAT, None


def single(op, domain, attributes, operands, dtype):
    names = [f"x{i}" if v is not None else "" for i, v in enumerate(operands)]
    feeds = {n: v for n, v in zip(names, operands) if isinstance(v, np.ndarray)}
    constants = {n: v[0] for n, v in zip(names, operands) if isinstance(v, tuple)}
    # (Attention gives the present keys of a past.)
    results = ["y", "p"] if op == "Attention" and len(operands) > 4 else ["y"]
    graph = helper.make_graph(
        [helper.make_node(op, names, results, op, domain=domain, **attributes)], "g",
        [helper.make_tensor_value_info(n, KINDS[v.dtype], v.shape)
         for n, v in feeds.items()],
        [helper.make_tensor_value_info("y", dtype, None)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
    return graph, feeds


def quantized_product():
    """A QDQ product of no terms between other ops: the quantized bias remains."""
    constants = dict(s=np.float32(0.1), z=np.uint8(5), w=np.zeros((0, 5), np.int8), ws=np.float32(0.2),
                     b=np.arange(-10, 15, 5, dtype=np.int32), bs=np.float32(0.02))
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
             helper.make_node("DequantizeLinear", ["w", "ws"], ["e"]),
             helper.make_node("DequantizeLinear", ["b", "bs"], ["f"]),
             helper.make_node("Gemm", ["d", "e", "f"], ["g"]), helper.make_node("Relu", ["g"], ["r"]),
             helper.make_node("QuantizeLinear", ["r", "s", "z"], ["p"]),
             helper.make_node("DequantizeLinear", ["p", "s", "z"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 0])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
    return graph, {"x": floats(3, 0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    models = [(f"{op} {[np.shape(v[0] if isinstance(v, tuple) else v) for v in operands if v is not None]}",
               *single(op, domain, attributes, operands, dtype), want)
              for op, domain, attributes, operands, dtype, want in cases()]
    models.append(("QDQ Gemm", *quantized_product(), None))
    bad = 0
    for what, graph, feeds, want in models:
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)])
        model.ir_version = 8
        path, out = args.work / "m.onnx", args.work / "m.so"
        onnx.save(model, str(path))
        if want is None:
            want = ort.Session(str(path), optimize=ort.OPTIMIZE_NONE)(feeds)["y"]
        for way in WAYS:
            compiler.compile_model(path, out, *way)
            got = compiler.Artefact(out)(feeds)["y"]
            good = got.shape == want.shape and np.allclose(got, want, rtol=1e-5, atol=1e-6)
            bad += not good
            print(f"{what} {' '.join(way)}: {'as expected' if good else f'FAIL {got} not {want}'}")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
