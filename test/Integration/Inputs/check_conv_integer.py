"""ConvInteger against NumPy, which sums the same integers: all that its kernels
could get wrong (windows, borders, groups, zero points of either sign).

usage: check_conv_integer.py FOLDER [TARGET]

Depthwise kernels are checked at all levels; with a target, they alone, on that."""
import itertools
import pathlib
import platform
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from harness import compiler

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(5)


def expected(x, w, xz, wz, pads, strides, dilations, group):
    """x: [N, C, spatial...], w: [M, C/group, kernel...]; exact."""
    rank = x.ndim - 2
    x = np.pad(x.astype(np.int64) - xz, [(0, 0), (0, 0),
                                        *((pads[d], pads[d + rank]) for d in range(rank))])
    w = w.astype(np.int64) - np.reshape(wz, (-1, *([1] * (rank + 1))))
    out = [(x.shape[d + 2] - (w.shape[d + 2] - 1) * dilations[d] - 1) // strides[d] + 1
           for d in range(rank)]
    y = np.zeros((x.shape[0], w.shape[0], *out), np.int64)
    per, outs = w.shape[1], w.shape[0] // group
    for tap in itertools.product(*(range(k) for k in w.shape[2:])):
        window = x[(slice(None), slice(None), *(
            slice(tap[d] * dilations[d], tap[d] * dilations[d] + (out[d] - 1) * strides[d] + 1,
                  strides[d]) for d in range(rank)))]
        for g in range(group):
            y[:, g * outs:(g + 1) * outs] += np.einsum(
                "nc...,mc->nm...", window[:, g * per:(g + 1) * per],
                w[(slice(g * outs, (g + 1) * outs), slice(None), *tap)])
    return y


# channels in and out, group, spatial extents, kernel, pads, strides, dilations, zero point of x
CASES = [
    (16, 8, 1, (6, 7), (3, 3), (1, 1, 1, 1), (1, 1), (1, 1), "u8"),
    (32, 17, 1, (9, 5), (3, 2), (2, 0, 1, 3), (2, 1), (1, 2), "u8"),
    (24, 33, 1, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1), (1, 1), "i8"),
    (16, 5, 1, (7, 7), (1, 1), (0, 0, 0, 0), (2, 3), (1, 1), "u8"),
    (20, 12, 1, (11,), (5,), (2, 2), (2,), (1,), "i8"),
    (16, 6, 1, (4, 5, 6), (2, 3, 1), (1, 0, 0, 0, 1, 0), (1, 2, 1), (1, 1, 1), "u8"),
    (3, 16, 1, (15, 13), (7, 7), (3, 3, 3, 3), (2, 2), (1, 1), "u8"),
    (24, 24, 24, (8, 8), (3, 3), (1, 1, 1, 1), (1, 1), (1, 1), "u8"),
    (8, 16, 8, (8, 9), (5, 3), (2, 1, 2, 1), (2, 2), (1, 1), "i8"),
    (32, 16, 2, (6, 6), (3, 3), (1, 1, 1, 1), (1, 1), (1, 1), "u8"),
    (7, 9, 1, (1, 6), (1, 3), (0, 1, 0, 1), (1, 1), (1, 1), "u8"),
    (128, 4, 2, (5, 5), (3, 3), (1, 1, 1, 1), (1, 1), (1, 1), "u8"),  # not exact in float
    # Depthwise: whole vectors, parts of one, slices that overlap; lines and volumes.
    (64, 64, 64, (9, 8), (3, 3), (1, 1, 1, 1), (1, 1), (1, 1), "u8"),
    (48, 48, 48, (9, 21), (3, 3), (0, 1, 2, 1), (2, 2), (1, 1), "u8"),
    (72, 72, 72, (7, 9), (5, 3), (2, 1, 2, 1), (1, 1), (1, 1), "i8"),
    (16, 16, 16, (9, 11), (7, 7), (3, 3, 3, 3), (1, 2), (1, 1), "u8"),
    (112, 112, 112, (13, 6), (3, 3), (2, 1, 2, 1), (1, 1), (2, 1), "u8"),
    (32, 32, 32, (19,), (5,), (2, 2), (1,), (1,), "u8"),
    (16, 16, 16, (4, 5, 6), (3, 3, 3), (1, 1, 1, 1, 1, 1), (1, 1, 1), (1, 1, 1), "u8"),
]
TARGET = sys.argv[2] if len(sys.argv) > 2 else None
LEVELS = {"x86-64": ("baseline", "avx2", "avx-vnni", "avx512-vnni"), "arm64": ("neon", "dotprod")}
TYPES = {"u8": (np.uint8, TensorProto.UINT8), "i8": (np.int8, TensorProto.INT8)}
ZEROS = {"u8": (0, 255, 119), "i8": (-128, 127, 3)}

checked = 0
for number, (c, m, group, spatial, kernel, pads, strides, dilations, kind) in enumerate(CASES):
    for variant in range(3):
        # Where there is a kernel of its own.
        isDepthwise = group == c == m and (c % 16 == 0 or c >= 64)
        if TARGET and not isDepthwise:
            continue
        wkind = ("i8", "u8")[variant == 2 if isDepthwise else (number + variant) % 2]
        dtype, element = TYPES[kind]
        wdtype, _ = TYPES[wkind]
        info, winfo = np.iinfo(dtype), np.iinfo(wdtype)
        w = rng.integers(winfo.min, winfo.max + 1, (m, c // group, *kernel)).astype(wdtype)
        wz = [None, np.array(0 if isDepthwise else ZEROS[wkind][2], wdtype),
              rng.integers(winfo.min, winfo.max + 1, m).astype(wdtype)][variant]
        extremes = variant == 1  # saturated operands: the largest sums
        x = (rng.choice([info.min, info.max], (2, c, *spatial)) if extremes else
             rng.integers(info.min, info.max + 1, (2, c, *spatial))).astype(dtype)
        if isDepthwise and variant == 2:  # weights that are signed bytes
            wz = rng.integers(100, 156, m).astype(wdtype)
            w = (wz.reshape(-1, *([1] * (w.ndim - 1))) +
                 rng.integers(-100, 100, w.shape)).astype(wdtype)
        if extremes:
            w = rng.choice([winfo.min, winfo.max], w.shape).astype(wdtype)
        xz = np.array(ZEROS[kind][variant], dtype)
        weights = [numpy_helper.from_array(w, "w")]
        names = ["x", "w", "xz"]
        if wz is not None:
            weights.append(numpy_helper.from_array(wz, "wz"))
            names.append("wz")
        nodes = [helper.make_node("ConvInteger", names, ["y"], group=group, pads=pads,
                                  strides=strides, dilations=dilations),
                 helper.make_node("Cast", ["y"], ["f"], to=TensorProto.FLOAT)]
        want = expected(x, w, int(xz), 0 if wz is None else wz.astype(np.int64), pads, strides,
                        dilations, group)
        # What follows in a dynamically quantized model.
        perChannel = (m, *([1] * len(spatial)))
        scale, bias = (rng.normal(0, 1, perChannel).astype(np.float32) for _ in range(2))
        weights += [numpy_helper.from_array(scale, "scale"), numpy_helper.from_array(bias, "bias")]
        nodes += [helper.make_node("Mul", ["f", "scale"], ["scaled"]),
                  helper.make_node("Add", ["scaled", "bias"], ["sum"]),
                  helper.make_node("Relu", ["sum"], ["r"])]
        wanted = {"y": want, "f": want.astype(np.float32),
                  "r": np.maximum(want.astype(np.float32) * scale + bias, np.float32(0))}
        names = [["y", "f"], ["y"], ["r"]][variant]
        quantizes = isDepthwise and variant == 2 and number % 2
        if quantizes:  # with the range that the kernel recorded
            nodes.append(helper.make_node("DynamicQuantizeLinear", ["r"], ["q", "s", "z"]))
            names = ["q", "s", "z"]
        outputs = [helper.make_tensor_value_info(
            n, {"y": TensorProto.INT32, "q": TensorProto.UINT8, "z": TensorProto.UINT8}.get(
                n, TensorProto.FLOAT), () if n in "sz" else want.shape) for n in names]
        nodes = nodes[:len(names)] if variant < 2 else nodes
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", element, x.shape),
                         helper.make_tensor_value_info("xz", element, ())],
            outputs, weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        path = scratch / "m.onnx"
        path.write_bytes(model.SerializeToString())
        target = TARGET
        if isDepthwise and not target and platform.machine() == "x86_64":
            target = "x86-64"
        if quantizes:
            compiler.compile_model(path, scratch / "r.so", "-reference")
            wanted = compiler.Artefact(scratch / "r.so")({"x": x, "xz": xz})
        compiler.compile_model(path, scratch / "m.so", *([f"-target={target}"] if target else []))
        for level in LEVELS[target] if target else (None,):
            environment = {"QCC_ISA": level} if level else {}
            threads = 1 + checked % 3
            got = compiler.Artefact(scratch / "m.so", target, threads, environment)(
                {"x": x, "xz": xz})
            for name, values in got.items():
                if not np.array_equal(values, wanted[name]):
                    difference = np.abs(values.astype(np.float64) - wanted[name])
                    sys.exit(f"case {number}, variant {variant}, {wkind}, {level}: {name} differs "
                             f"by up to {difference.max()}")
        checked += 1
print(checked, "integer convolutions are exact")
