"""ConvInteger against NumPy, which sums the same integers: all that its kernels
could get wrong (windows, borders, groups, zero points of either sign)."""
import itertools
import pathlib
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
]
TYPES = {"u8": (np.uint8, TensorProto.UINT8), "i8": (np.int8, TensorProto.INT8)}
ZEROS = {"u8": (0, 255, 119), "i8": (-128, 127, 3)}

checked = 0
for number, (c, m, group, spatial, kernel, pads, strides, dilations, kind) in enumerate(CASES):
    for variant in range(3):
        wkind = ("i8", "u8")[(number + variant) % 2]
        dtype, element = TYPES[kind]
        wdtype, _ = TYPES[wkind]
        info, winfo = np.iinfo(dtype), np.iinfo(wdtype)
        w = rng.integers(winfo.min, winfo.max + 1, (m, c // group, *kernel)).astype(wdtype)
        wz = [None, np.array(ZEROS[wkind][2], wdtype),
              rng.integers(winfo.min, winfo.max + 1, m).astype(wdtype)][variant]
        extremes = variant == 1  # saturated operands: the largest sums
        x = (rng.choice([info.min, info.max], (2, c, *spatial)) if extremes else
             rng.integers(info.min, info.max + 1, (2, c, *spatial))).astype(dtype)
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
        outputs = [helper.make_tensor_value_info("y", TensorProto.INT32, want.shape),
                   helper.make_tensor_value_info("f", TensorProto.FLOAT, want.shape)]
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", element, x.shape),
                         helper.make_tensor_value_info("xz", element, ())],
            outputs[variant == 2:], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        path = scratch / "m.onnx"
        path.write_bytes(model.SerializeToString())
        compiler.compile_model(path, scratch / "m.so")
        got = compiler.Artefact(scratch / "m.so")({"x": x, "xz": xz})
        for name, values in got.items():
            if not np.array_equal(values.astype(np.int64), want):
                sys.exit(f"case {number}, variant {variant}, {wkind}: {name} differs by up to "
                         f"{np.abs(values.astype(np.int64) - want).max()}")
        checked += 1
print(checked, "integer convolutions are exact")
