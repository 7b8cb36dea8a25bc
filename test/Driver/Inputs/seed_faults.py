"""Puts one fault at a time into a QDQ model and asks qcc bisect for the layer.

  seed_faults.py RIGHT.onnx SAMPLES SCRATCH COUNT

The faults: scale or zero point of a DequantizeLinear, scales along the wrong axis,
a bias or residual sum lost in a fusion, an activation that does not belong there. Prints how many of the
layers that bisect named first are those with the fault.
"""
import pathlib
import re
import sys

import numpy as np
import onnx
from harness import compiler
from onnx import numpy_helper

right, samples, scratch, count = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
scratch.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(11)


def load():
    model = onnx.load(right)
    graph = model.graph
    return model, graph, {t.name: t for t in graph.initializer}


def replace(tensor, array):
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def layer_of(graph, node):
    """The layer that a node belongs to: exported nodes are called LAYER or LAYER/Operator;
    what dequantizes weights or an input belongs to the product that takes it."""
    producers = {o: n for n in graph.node for o in n.output}
    source = node
    while source.op_type in ("QuantizeLinear", "DequantizeLinear"):
        if source.input[0] not in producers:
            users = [n for n in graph.node if node.output[0] in n.input]
            return users[0].name.split("/")[0]
        source = producers[source.input[0]]
    return source.name.split("/")[0]


def own_initializer(graph, constants, node, index):
    """A copy of an initializer that only this node uses."""
    copy = graph.initializer.add()
    copy.CopyFrom(constants[node.input[index]])
    copy.name += "_wrong"
    node.input[index] = copy.name
    return copy


def wrong_scale(graph, constants):
    node = rng.choice([n for n in graph.node if n.op_type == "DequantizeLinear"])
    tensor = own_initializer(graph, constants, node, 1)
    factor = np.float32(rng.choice([0.5, 0.7, 1.4, 2]))
    replace(tensor, numpy_helper.to_array(tensor) * factor)
    return layer_of(graph, node)


def wrong_zero_point(graph, constants):
    node = rng.choice([n for n in graph.node if n.op_type == "DequantizeLinear" and
                       not constants[n.input[2]].dims and constants[n.input[2]].data_type == 2])
    tensor = own_initializer(graph, constants, node, 2)
    zero = numpy_helper.to_array(tensor).astype(int)
    shift = int(rng.integers(16, 60))
    replace(tensor, np.uint8(zero + shift if zero + shift < 256 else zero - shift))
    return layer_of(graph, node)


def wrong_axis(graph, constants):
    """Scales of other channels, as along a wrong axis of the same extent."""
    node = rng.choice([n for n in graph.node if n.op_type == "DequantizeLinear" and
                       n.input[0] in constants and len(constants[n.input[0]].dims) == 4])
    dims = constants[node.input[0]].dims
    axis = next(a for a in node.attribute if a.name == "axis")
    if dims[1] == dims[0]:
        axis.i = 1
    else:
        tensor = own_initializer(graph, constants, node, 1)
        replace(tensor, np.roll(numpy_helper.to_array(tensor), 1))
    return layer_of(graph, node)


def wrong_fusion(graph, constants):
    kind = rng.choice(["Relu", "Add", "bias"])
    if kind == "bias":
        node = rng.choice([n for n in graph.node if n.op_type == "Conv" and len(n.input) == 3])
        del node.input[2]
        return node.name.split("/")[0]
    if kind == "Relu":
        # A lost one would be no fault: quantizing to zero point 0 does the same.
        node = rng.choice([n for n in graph.node if n.op_type == "Conv" and "/" not in n.name])
        relu = graph.node.add(op_type="Relu", name=node.name, input=[node.output[0] + "/sum"],
                              output=[node.output[0]])
        node.name, node.output[0] = node.name + "/Conv", node.output[0] + "/sum"
        graph.node.insert(list(graph.node).index(node) + 1, relu)
        del graph.node[-1]
        return relu.name
    node = rng.choice([n for n in graph.node if n.op_type == kind])
    layer = node.name.split("/")[0]
    for other in graph.node:
        for i, name in enumerate(other.input):
            if name == node.output[0]:
                other.input[i] = node.input[0]
    # The last node of a layer carries its name.
    if node.name == layer:
        next(n for n in graph.node if n.output[0] == node.input[0]).name = layer
    graph.node.remove(node)
    return layer


hits = 0
faults = (wrong_scale, wrong_zero_point, wrong_axis, wrong_fusion)
for i in range(count):
    model, graph, constants = load()
    fault = faults[i % len(faults)]
    expected = fault(graph, constants)
    path = scratch / "wrong.onnx"
    onnx.save(model, str(path))
    text = compiler.call([compiler.tool("qcc"), "bisect", right, f"-against={path}",
                          "-between=float,float", f"-inputs={samples}"])
    found = re.search(r"^first wrong layer: (\S+)", text, re.M)
    named = found.group(1) if found else "none"
    hits += named == expected
    if named != expected:
        print(f"{fault.__name__}: expected {expected}, bisect named {named}")
print(f"{hits} of {count} named first")
sys.exit(hits < 0.95 * count)
