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
         np.dtype(np.int64): TensorProto.INT64, np.dtype(np.uint8): TensorProto.UINT8,
         np.dtype(bool): TensorProto.BOOL}

BYTES = ("QLinearWhere", "QLinearConv", "QLinearAveragePool", "NhwcMaxPool")  # results of these


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
    yield from fused()
    yield from projected_attention()
    yield from cached_attention()


def fused():
    """What ONNX Runtime's optimizer makes of several operators."""
    a, b = floats(5, 2, 3, 7), floats(2, 3, 7, 6)
    yield "FusedMatMul", dict(transBatchA=1, alpha=0.5), [a, (b,)], 1
    yield "FusedMatMul", dict(transBatchA=1, transA=1, transBatchB=1, transB=1), [
        floats(7, 2, 3, 5), floats(6, 2, 3, 7)], 1
    for name, params in (("Relu", {}), ("LeakyRelu", dict(activation_alpha=0.2)), ("Tanh", {}), ("Softplus", {}),
                         ("Softsign", {}), ("Sigmoid", {}), ("Elu", dict(activation_alpha=0.5)),
                         ("HardSigmoid", dict(activation_alpha=0.1, activation_beta=0.3)),
                         ("ThresholdedRelu", dict(activation_alpha=0.3))):
        yield "FusedGemm", dict(transB=1, alpha=0.5, activation=name, **params), [
            floats(4, 8), (floats(6, 8),), (floats(6),)], 1
    images = [rng.integers(0, 256, (2, 4, 6)).astype(np.uint8) for _ in range(2)]
    scale = lambda s, z: [(np.float32(s),), (np.uint8(z),)]
    yield "QLinearWhere", {}, [rng.random((2, 1, 6)) > 0.5, images[0], *scale(0.1, 3), images[1],
                               *scale(0.05, 100), *scale(0.08, 20)], 1
    # Channels last, which it prefers for 8 bits.
    image, weights = rng.integers(0, 256, (2, 7, 9, 6)).astype(np.uint8), rng.integers(-127, 128, (4, 3, 3, 2))
    yield "QLinearConv", dict(channels_last=1, group=2, strides=[2, 1], pads=[1, 0, 1, 1]), [
        image, *scale(0.02, 120), (weights.astype(np.int8),), (abs(floats(4)) * 0.01,), (np.zeros(4, np.int8),),
        *scale(0.05, 130), (rng.integers(-500, 500, 4).astype(np.int32),)], 1
    yield "QLinearAveragePool", dict(channels_last=1, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]), [
        image, *scale(0.02, 120), *scale(0.02, 110)], 1
    yield "NhwcMaxPool", dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1]), [image], 1


def projected_attention():
    """Attention and QAttention: weights of q, k and v, and all kinds of masks."""
    x, w, bias = floats(2, 5, 24), (floats(24, 72) * 0.3,), (floats(72),)
    masks = [np.array([[1, 1, 1, 0, 0], [1] * 5]), np.array([3, 5]), np.array([3, 5, 1, 0]),
             rng.random((2, 5, 5)) > 0.3]
    masks[3][:, :, 0] = True
    for mask in masks:
        yield "Attention", dict(num_heads=3), [x, w, bias, mask.astype(np.int32)], 1
    yield "Attention", dict(num_heads=3, unidirectional=1), [x, w, bias, None, floats(2, 2, 3, 4, 8)], 2
    yield from masked_attention()
    yield "Attention", dict(num_heads=3), [x, w, bias, None, None, floats(1, 3, 5, 5)], 2
    yield "Attention", dict(num_heads=4, qkv_hidden_sizes=[16, 16, 24], scale=0.3), [
        x, (floats(24, 56),), (floats(56),)], 1
    q = rng.integers(0, 256, (2, 5, 24)).astype(np.uint8)
    weights = rng.integers(0, 256, (24, 72)).astype(np.uint8)
    for causal in (0, 1):
        yield "QAttention", dict(num_heads=3, unidirectional=causal), [
            q, (weights,), bias, (np.float32(0.02),), (np.float32(0.004),),
            masks[0].astype(np.int32), (np.uint8(120),), (np.uint8(131),)], 1


def masked_attention():
    """Masks with numbers other than 0 and 1, also causal ones, also of the lowest number, whole rows of them."""
    x, w, bias = floats(2, 5, 24), (floats(24, 72) * 0.3,), (floats(72),)
    q, k, v = floats(2, 5, 24), floats(2, 5, 24), floats(2, 5, 24)
    masks = [np.array([[1, 1, -1, 0, 0], [2, 1, 1, -3, 1]]), np.array([[0, 0, 0, 1, 1], [0] * 5]),
             rng.integers(-1, 3, (2, 5, 5)), np.array([0, 3]), np.array([3, 5, 0, 5, 10, 0, 5, 10])]
    for filtered in (-10000.0, float(np.finfo(np.float32).min)):
        for causal in (0, 1):
            attributes = dict(num_heads=3, unidirectional=causal, mask_filter_value=filtered)
            for mask in [*masks, np.array([3, 5, 4, 9])]:
                yield "Attention", attributes, [x, w, bias, mask.astype(np.int32)], 1
            for mask in masks:
                yield "MultiHeadAttention", attributes, [q, k, v, None, mask.astype(np.int32)], 1
    biases = floats(2, 3, 5, 5)
    biases[..., 0] = -np.inf
    yield "Attention", dict(num_heads=3, unidirectional=1), [x, w, bias, None, None, biases], 1
    yield "Attention", dict(num_heads=3, unidirectional=1), [x, w, bias, masks[0].astype(np.int32), None, biases], 1
    # The last of causal queries sees all keys, even where they are more.
    yield "MultiHeadAttention", dict(num_heads=3, unidirectional=1), [q, floats(2, 7, 24), floats(2, 7, 24)], 1


def cached_attention():
    """GroupQueryAttention of prompts and of tokens, with past keys of different number."""
    angles = floats(32, 8)
    for batch, length, past, packed, attributes, lengths in (
            (1, 6, 0, False, {}, [5]), (2, 6, 0, True, dict(rotary_interleaved=1), [5, 5]),
            (1, 1, 7, False, {}, [7]), (2, 1, 7, False, {}, [7, 4]), (1, 3, 7, True, {}, [9]),
            (1, 6, 0, False, dict(local_window_size=3), [5]), (1, 6, 0, False, dict(softcap=5.0), [5]),
            (1, 1, 12, False, {}, [7]), (3, 1, 12, False, {}, [7, 2, 11]),
            (1, 6, 0, False, dict(local_window_size=0), [5]), (2, 1, 7, False, dict(local_window_size=0), [7, 4]),
            (2, 1, 7, False, dict(local_window_size=1), [7, 4])):
        q, k, v = floats(batch, length, 64), floats(batch, length, 32), floats(batch, length, 32)
        operands = [np.concatenate([q, k, v], 2), None, None] if packed else [q, k, v]
        operands += [floats(batch, 2, past, 16), floats(batch, 2, past, 16)] if past else [None, None]
        operands += [np.array(lengths, np.int32), (np.int32(max(lengths) + 1),)]
        yield "GroupQueryAttention", dict(num_heads=4, kv_num_heads=2, do_rotary=1, **attributes), [
            *operands, (np.cos(angles),), (np.sin(angles),)], 3
    # A bias of scores is as long as the total, which may be less than there is room for.
    for batch, bias in ((1, (1, 1, 1, 8)), (1, (1, 4, 1, 8)), (2, (2, 4, 1, 8)), (2, (1, 4, 1, 8))):
        past = floats(batch, 2, 12, 16)
        yield "GroupQueryAttention", dict(num_heads=4, kv_num_heads=2), [
            floats(batch, 1, 64), floats(batch, 1, 32), floats(batch, 1, 32), past, past + 1,
            np.array([7, 4][:batch], np.int32), (np.int32(8),), None, None, None, floats(*bias)], 3


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
        # (ONNX Runtime needs room for present keys even where only values are asked for.)
        results = [f"y{i}" if i in (0, outputs - 1) or op == "GroupQueryAttention" else ""
                   for i in range(outputs)]
        node = helper.make_node(op, names, results, op, domain="com.microsoft", **attributes)
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info(n, KINDS[v.dtype], v.shape) for n, v in feeds.items()],
            [helper.make_tensor_value_info(n, TensorProto.INT32 if op.startswith("Embed") and n == "y1"
                                           else TensorProto.UINT8 if op in BYTES
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
