"""Prints the nodes of a model, and of Q and DQ the parameters."""
import sys

import onnx

model = onnx.load(sys.argv[1])
graph = model.graph
constants = {t.name: t for t in graph.initializer}
print(f"opset {model.opset_import[0].version}: {', '.join(i.name for i in graph.input)} -> "
      f"{', '.join(o.name for o in graph.output)}")
TYPES = {1: "f32", 2: "u8", 3: "i8", 5: "i16", 6: "i32"}
for node in graph.node:
    inputs = list(node.input)
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        zero = constants[inputs[2]]
        dims = "".join(f"[{d}]" for d in zero.dims)
        inputs = [inputs[0], TYPES[zero.data_type] + dims]
    axes = "".join(f" axis {a.i}" for a in node.attribute if a.name == "axis")
    print(f"{node.output[0]} = {node.op_type}({', '.join(inputs)}){axes}")
