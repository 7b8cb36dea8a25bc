"""Prints the functions of a model, the graphs of their Scans, and the nodes that call them.

--initializers: their names and shapes instead.
"""
import sys

import onnx

model = onnx.load(sys.argv[1])
if "--initializers" in sys.argv:
    for tensor in model.graph.initializer:
        print(tensor.name, "x".join(map(str, tensor.dims)))
    sys.exit()


def show(nodes, indent):
    for node in nodes:
        attributes = [a for a in node.attribute if a.type != onnx.AttributeProto.GRAPH]
        texts = "".join(f" {a.name}={onnx.helper.get_attribute_value(a)}" for a in attributes
                        if a.type != onnx.AttributeProto.TENSOR)
        print(f"{indent}{', '.join(node.output)} = {node.op_type}({', '.join(node.input)}){texts}")
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                graph = attribute.g
                print(f"{indent}  {graph.name}({', '.join(i.name for i in graph.input)})")
                show(graph.node, indent + "    ")
                print(f"{indent}    return {', '.join(o.name for o in graph.output)}")


for function in model.functions:
    print(f"function {function.domain}.{function.name}({', '.join(function.input)}) "
          f"attributes {', '.join(function.attribute)}")
    show(function.node, "  ")
    print(f"  return {', '.join(function.output)}")
show([node for node in model.graph.node if node.domain], "")
