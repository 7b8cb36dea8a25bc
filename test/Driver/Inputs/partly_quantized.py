"""partly_quantized.py FOLDER: a dynamically quantized product and one that its author left in float."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(3)
initializers = {"integers": rng.integers(-127, 128, (128, 128)).astype(np.int8),
                "scale": np.float32(0.001),
                "floats": rng.standard_normal((128, 128)).astype(np.float32)}
nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
         helper.make_node("MatMulInteger", ["q", "integers", "z"], ["sums"], name="quantized"),
         helper.make_node("Cast", ["sums"], ["real"], to=TensorProto.FLOAT),
         helper.make_node("Mul", ["s", "scale"], ["factor"]),
         helper.make_node("Mul", ["real", "factor"], ["h"]),
         helper.make_node("MatMul", ["h", "floats"], ["y"], name="left_float")]
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 128])
graph = helper.make_graph(nodes, "partly", [value("x")], [value("y")],
                          [numpy_helper.from_array(a, n) for n, a in initializers.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
          sys.argv[1] + "/model.onnx")
