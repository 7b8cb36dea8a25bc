"""Models of the structure of graphs: order, functions, branches, inputs."""
import numpy as np
from onnx import AttributeProto, TensorProto, helper

from cases_ops import many
from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y


@case
def unordered():
    """Nodes that stand before what they read, and one that nothing needs."""
    return model([node("Relu", "a", "y"), node("Frobnicate", "x", "dead"), node("Neg", "x", "a")], x(2), y())


@case
def passthrough():
    return model([], x(2), [value("x", F32, [2]), value("k", F32, [1])], [tensor("k", [5])])


@case
def old_initializers():
    """IR version 3: initializers are inputs, too."""
    return model([node("Add", "x k", "y")], x(2) + [value("k", F32, [2])], y(), [tensor("k", [1, 2])],
                 opset=8, ir=3)


def function(name, inputs, outputs, nodes, attributes=()):
    return helper.make_function("local", name, inputs, outputs, nodes,
                                [helper.make_opsetid("", 13), helper.make_opsetid("local", 1)], list(attributes))


def reference(op, inputs, outputs, name, source, kind):
    result = node(op, inputs, outputs)
    result.attribute.append(AttributeProto(name=name, ref_attr_name=source, type=kind))
    return result


@case
def functions():
    """A function that calls another, attributes passed on, an optional operand left out."""
    leaky = function("Leaky", ["a"], ["b"],
                     [reference("LeakyRelu", "a", "b", "alpha", "slope", AttributeProto.FLOAT)], ["slope"])
    outer = function("Outer", ["p", "lo", "hi"], ["q"],
                     [reference("Leaky", "p", "t", "slope", "steep", AttributeProto.FLOAT),
                      node("Clip", "t lo hi", "q")], ["steep"])
    outer.node[0].domain = "local"
    call = node("Outer", "x _ hi", "y", name="call", steep=0.25)
    call.domain = "local"
    default = node("Leaky", "x", "z", name="default")
    default.domain = "local"
    result = many([call, default], x(4), [tensor("hi", 6)], domains=["local"], functions=[leaky, outer])
    # attribute_proto, field 11: alpha = 0.75 where the caller gives none.
    attribute = helper.make_attribute("slope", 0.75).SerializeToString()
    result.functions[0].ClearField("attribute")
    data = result.functions[0].SerializeToString() + bytes([11 << 3 | 2, len(attribute)]) + attribute
    result.functions[0].ParseFromString(data)
    return result


@case
def recursion():
    f = function("F", ["a"], ["b"], [node("F", "a", "b")])
    f.node[0].domain = "local"
    call = node("F", "x", "y")
    call.domain = "local"
    return model([call], x(2), y(), domains=["local"], functions=[f])


@case
def explosion():
    """Twenty functions, each of which calls the next one twenty times."""
    functions = []
    for i in range(20):
        nodes = [node(f"F{i + 1}" if i < 19 else "Relu", f"v{k}", f"v{k + 1}") for k in range(20)]
        for n in nodes:
            n.domain = "local" if i < 19 else ""
        functions.append(function(f"F{i}", ["v0"], ["v20"], nodes))
    call = node("F0", "x", "y")
    call.domain = "local"
    return model([call], x(2), y(), domains=["local"], functions=functions)


def branches():
    then = helper.make_graph([node("Add", "x one", "a")], "then", [], [value("a", F32, None)], [tensor("one", 1)])
    other = helper.make_graph([node("Frobnicate", "x", "b")], "else", [], [value("b", F32, None)])
    return dict(then_branch=then, else_branch=other)


@case
def constant_if():
    """The shape decides; the branch not taken need not be understood."""
    nodes = [node("Size", "x", "n"), node("Greater", "n three", "c"), node("If", "c", "y", **branches())]
    return model(nodes, x(4), y(), [tensor("three", 3, np.int64)])


@case
def runtime_if():
    return model([node("If", "c", "y", **branches())], x(4) + [value("c", BOOL, [])], y())


@case
def symbolic():
    """The batch is a symbol of both inputs, the height of one."""
    return model([node("Relu", "x", "y"), node("Relu", "b", "z")],
                 [value("x", F32, ["N", 3, "H"]), value("b", F32, [2, "N"])],
                 [value("y", F32, None), value("z", F32, None)])


@case
def symbolic_batch():
    return model([node("Relu", "x", "y"), node("Relu", "b", "z")],
                 [value("x", F32, ["N", 3]), value("b", F32, [2, "N"])],
                 [value("y", F32, None), value("z", F32, None)])


@case
def types():
    """Constants of every type, in typed fields and as raw bytes."""
    codes = [TensorProto.DOUBLE, TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16,
             I32, I64, TensorProto.UINT32, TensorProto.UINT64, BOOL]
    initializers = [helper.make_tensor(f"t{c}", c, [2], [1, 0]) for c in codes]
    initializers.append(TensorProto(name="t10", data_type=10, dims=[2], int32_data=[0x3C00, 0xC000]))
    initializers.append(TensorProto(name="t16", data_type=16, dims=[2], int32_data=[0x3F80, 0xC000]))
    initializers.append(TensorProto(name="raw", data_type=6, dims=[2], raw_data=b"\1\0\0\0\xff\xff\xff\xff"))
    initializers.append(TensorProto(name="none", data_type=1, dims=[0, 3]))
    names = [t.name for t in initializers]
    outputs = [value(n, 0, None) for n in names]
    for output in outputs:
        output.ClearField("type")
    return model([], x(1), outputs, initializers)


def external(location, offset=0, length=16, dims=(4,)):
    m = model([node("Add", "x k", "y")], x(4), y())
    t = TensorProto(name="k", data_type=1, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, text in (("location", location), ("offset", offset), ("length", length)):
        if text is not None:
            t.external_data.add(key=key, value=str(text))
    m.graph.initializer.append(t)
    return m


@case
def external_data():
    return external("weights.bin", offset=4)


@case
def external_escape():
    return external("../weights.bin")


@case
def external_absolute():
    return external("/etc/hostname")


@case
def external_absent():
    return external("nothing.bin")


@case
def external_short():
    return external("weights.bin", offset=12)


@case
def external_length():
    return external("weights.bin", length=12)


@case
def external_offset():
    return external("weights.bin", offset=-4)


def body(nodes, inputs, outputs, initializers=()):
    return helper.make_graph(nodes, "body", [value(n, k, None) for n, k in inputs],
                             [value(n, k, None) for n, k in outputs], list(initializers))


@case
def runtime_choice():
    """Both branches are run."""
    one = helper.make_graph([node("Add", "x one", "a")], "then", [], [value("a", F32, None)], [tensor("one", 1)])
    two = helper.make_graph([node("Neg", "x", "b")], "else", [], [value("b", F32, None)])
    return model([node("If", "c", "y", then_branch=one, else_branch=two)], x(4) + [value("c", BOOL, [1])], y())


@case
def runtime_shapes():
    one = helper.make_graph([node("Identity", "x", "a")], "then", [], [value("a", F32, None)])
    two = helper.make_graph([node("Squeeze", "x", "b")], "else", [], [value("b", F32, None)])
    return model([node("If", "c", "y", then_branch=one, else_branch=two)], x(1, 4) + [value("c", BOOL, [])], y())


@case
def loop():
    """v doubles three times; each value is collected."""
    inner = body([node("Add", "v v", "w"), node("Identity", "go", "on"), node("Identity", "w", "out")],
                 [("i", I64), ("go", BOOL), ("v", F32)], [("on", BOOL), ("w", F32), ("out", F32)])
    return model([node("Loop", "n _ x", "y all", body=inner)], x(2), y() + [value("all", F32, None)],
                 [tensor("n", 3, np.int64)])


@case
def loop_until():
    """The body's own condition ends it: two iterations."""
    inner = body([node("Neg", "v", "w"), node("Less", "i one", "on")],
                 [("i", I64), ("go", BOOL), ("v", F32)], [("on", BOOL), ("w", F32)], [tensor("one", 1, np.int64)])
    return model([node("Loop", "_ _ x", "y", body=inner)], x(2), y())


@case
def loop_runtime():
    inner = body([node("Neg", "v", "w"), node("Identity", "go", "on")],
                 [("i", I64), ("go", BOOL), ("v", F32)], [("on", BOOL), ("w", F32)])
    return model([node("Loop", "n _ x", "y", body=inner)], x(2) + [value("n", I64, [])], y())


@case
def loop_endless():
    inner = body([node("Neg", "v", "w"), node("Identity", "go", "on")],
                 [("i", I64), ("go", BOOL), ("v", F32)], [("on", BOOL), ("w", F32)])
    return model([node("Loop", "_ _ x", "y", body=inner)], x(2), y())


@case
def scan():
    """A running sum over the second dimension, from its end."""
    inner = body([node("Add", "s e", "t"), node("Identity", "t", "out")],
                 [("s", F32), ("e", F32)], [("t", F32), ("out", F32)])
    return model([node("Scan", "start x", "last all", body=inner, num_scan_inputs=1, scan_input_axes=[1],
                       scan_input_directions=[1], scan_output_axes=[1])],
                 x(2, 3) + [value("start", F32, [2])], [value("last", F32, None), value("all", F32, None)])


@case
def detector():
    """Boxes and scores, which an operator without a form reads, and an input that only that needs."""
    return model([node("Relu", "x", "boxes"), node("Sigmoid", "x", "scores"),
                  node("NonMaxSuppression", "boxes scores most", "y")],
                 x(1, 2, 4) + [value("most", I64, [1])], y(I64))


@case
def cut_input():
    """"i" needs input "c" in a subgraph, "y" also one of unknown shape and a sequence; "s" binds "N" of "x"."""
    sequence = helper.make_tensor_sequence_value_info("q", F32, None)
    branches = [helper.make_graph([node(op, "c", "o")], op, [], y()[:0] + [value("o", F32, None)])
                for op in ("Relu", "Neg")]
    condition = value("k", BOOL, [])
    return model([node("If", "k", "i", then_branch=branches[0], else_branch=branches[1]),
                  node("Relu", "x", "a"), node("SequenceAt", "q z", "e"), node("Add", "e u", "f"),
                  node("Sum", "a f s", "y")],
                 [condition, value("c", F32, [3]), value("x", F32, ["N", 2]), value("u", F32, None), sequence,
                  value("s", F32, [5, "N"])], y(), [tensor("z", 0, np.int64)])
