"""Small ONNX models: models.py CASE FILE, or models.py CASE... FILE for FILE.CASE...

A case is a function that returns a ModelProto, or bytes for a file that no
writer would produce.
"""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.dirname(__file__))
CASES = {}
F32, U8, I8, I32, I64, BOOL = (
    TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32,
    TensorProto.INT64, TensorProto.BOOL)


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype), name)


def value(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, **attributes):
    """Names are blank-separated; "_" is an absent operand."""
    split = lambda names: ["" if n == "_" else n for n in names.split()]
    attributes.setdefault("name", op + "_" + split(outputs)[0])
    return helper.make_node(op, split(inputs), split(outputs), **attributes)


def model(nodes, inputs, outputs, initializers=(), opset=13, ir=8, domains=(), functions=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    result = helper.make_model(graph, opset_imports=opsets, functions=list(functions))
    result.ir_version = ir
    return result


def x(*shape, dtype=F32):
    return [value("x", dtype, shape)]


def y(dtype=F32):
    return [value("y", dtype, None)]


def main():
    for family in ("ops", "shape", "quant", "recurrent", "attention", "contrib", "graph", "signal", "bad"):
        __import__("cases_" + family)
    *names, path = sys.argv[1:]
    for name in names:
        made = CASES[name]()
        with open(path if len(names) == 1 else f"{path}.{name}", "wb") as file:
            file.write(made if isinstance(made, bytes) else made.SerializeToString())


if __name__ == "__main__":
    sys.modules["models"] = sys.modules["__main__"]
    main()
