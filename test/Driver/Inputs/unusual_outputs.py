"""unusual_outputs.py FOLDER: a small network of images (channels of unequal size) that gives other
things than float32, and samples for it.

FOLDER/KIND.onnx for the kinds below, lookup.onnx (a table and its indices alone), relu.onnx (no
layer), dynamic.onnx (a product with integer factors and one of floats), indices.npz, calib.npz (32 samples, calib16.npz in float16), few.npz (8),
one.npz (1) and verify.npz (40, with labels).
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper, numpy_helper

rng = np.random.default_rng(0)
scale = np.ones(8)
scale[0] = 30
CONSTANTS = {
    "w1": rng.normal(size=(8, 3, 3, 3)) * 0.3 * scale[:, None, None, None],
    "b1": rng.normal(size=8) * 0.1,
    "w2": rng.normal(size=(16, 8, 3, 3)) * 0.2 / scale[None, :, None, None],
    "b2": rng.normal(size=16) * 0.1,
    "w3": rng.normal(size=(16, 10)),
    "b3": rng.normal(size=10) * 0.1,
    "wb": rng.normal(size=(16, 40)),
}
INTEGERS = {"zero": [0], "one": [1], "flat_scores": [1, 1, 10], "flat_boxes": [1, 10, 4], "most": [3],
            "row": [1, 192]}


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), outputs, **attributes)


BODY = [node("Conv", "x w1 b1", "c1", pads=[1] * 4), node("Relu", "c1", "r1"),
        node("Conv", "r1 w2 b2", "c2", pads=[1] * 4), node("Relu", "c2", "r2"),
        node("GlobalAveragePool", "r2", "p"), node("Flatten", "p", "f"), node("Gemm", "f w3 b3", "y")]
ARGMAX = node("ArgMax", "y", "k", axis=1, keepdims=0)
EMPTY = node("Slice", "y zero zero one", "e")
# Kind: nodes behind the body, outputs.
KINDS = {
    "plain": ([], "y"),
    "f16": ([], "y"),
    "f64": ([node("Cast", "y", "z", to=T.DOUBLE)], "z"),
    "bf16": ([node("Cast", "y", "z", to=T.BFLOAT16)], "z"),
    "huge": ([node("Cast", "y", "y64", to=T.DOUBLE), node("Mul", "y64 huge", "z")], "z"),
    "tiny": ([node("Cast", "y", "y64", to=T.DOUBLE), node("Mul", "y64 tiny", "z")], "z"),
    "p": ([node("Softmax", "y", "p1", axis=-1)], "p1"),
    "p-bf16": ([node("Softmax", "y", "p1", axis=-1), node("Cast", "p1", "z", to=T.BFLOAT16)], "z"),
    "argmax": ([ARGMAX], "k"),
    "argmax-scores": ([ARGMAX], "k y"),
    "passed": ([node("Identity", "x", "x2"), node("Identity", "b3", "c"), node("Reshape", "x row", "x3")],
               "x2 c x3 y"),
    "nothing": ([node("Identity", "x", "x2"), ARGMAX, EMPTY], "x2 k e"),
    "scalar": ([node("ReduceSum", "y", "s", keepdims=0)], "s"),
    "infinite": ([node("Relu", "y", "ry"), node("Log", "ry", "l")], "l"),
    "undefined": ([node("Mul", "y y", "y2"), node("Neg", "y2", "n"), node("Sqrt", "n", "u")], "u"),
    "steps": ([node("QuantizeLinear", "y step middle", "q")], "q"),
    "nms": ([node("Reshape", "y flat_scores", "rs"), node("Sigmoid", "rs", "scores"),
             node("Gemm", "f wb", "fb"), node("Reshape", "fb flat_boxes", "boxes"),
             node("NonMaxSuppression", "boxes scores most", "chosen")], "chosen"),
}
TYPES = {"z": T.DOUBLE, "k": T.INT64, "q": T.UINT8, "chosen": T.INT64}
folder = sys.argv[1]
for kind, (tail, outputs) in KINDS.items():
    dtype, element = (T.FLOAT16, np.float16) if kind == "f16" else (T.FLOAT, np.float32)
    constants = [numpy_helper.from_array(a.astype(element), n)
                 for n, a in CONSTANTS.items()]
    constants += [numpy_helper.from_array(np.array(a), n) for n, a in INTEGERS.items()]
    constants += [numpy_helper.from_array(np.float32(0.05), "step"),
                  numpy_helper.from_array(np.uint8(128), "middle"),
                  numpy_helper.from_array(np.float64(1e200), "huge"),
                  numpy_helper.from_array(np.float64(1e-100), "tiny")]
    types = {**TYPES, "z": T.BFLOAT16 if "bf16" in kind else T.DOUBLE}
    graph = helper.make_graph(
        BODY + tail, kind, [helper.make_tensor_value_info("x", dtype, [1, 3, 8, 8])],
        [helper.make_tensor_value_info(n, types.get(n, dtype), None) for n in outputs.split()], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              f"{folder}/{kind}.onnx")



def save(name, nodes, dtype, shape, **constants):
    """A model of one input 'x' and one output 'y'."""
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", dtype, shape)],
                              [helper.make_tensor_value_info("y", T.FLOAT, None)],
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              f"{folder}/{name}.onnx")


image = [1, 3, 8, 8]
others = np.random.default_rng(1)
save("lookup", [node("Gather", "table x", "y")], T.INT64, [6],
     table=others.normal(size=(500, 64)).astype(np.float32))
save("relu", [node("Relu", "x", "y")], T.FLOAT, image)
save("dynamic", [node("DynamicQuantizeLinear", "x", "q s z"), node("MatMulInteger", "q w z", "i"),
                 node("Cast", "i", "f", to=T.FLOAT), node("Mul", "f s", "g"), node("MatMul", "g v", "y")],
     T.FLOAT, image, w=others.integers(-127, 127, (8, 8)).astype(np.int8),
     v=others.normal(size=(8, 8)).astype(np.float32))
np.savez(folder + "/indices.npz", x=others.integers(0, 500, (32, 6)))

samples = lambda n: rng.normal(size=(n, 1, 3, 8, 8)).astype(np.float32)
np.savez(folder + "/calib.npz", x=samples(32))
np.savez(folder + "/calib16.npz", x=samples(32).astype(np.float16))
np.savez(folder + "/few.npz", x=samples(8))
np.savez(folder + "/one.npz", x=samples(1))
np.savez(folder + "/verify.npz", x=samples(40), labels=rng.integers(0, 10, 40))
