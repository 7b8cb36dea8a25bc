"""Models that must be rejected with one clear message."""
import numpy as np
from onnx import TensorProto, helper

from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y


def good():
    return model([node("Relu", "x", "y")], x(2), y())


def sparse():
    values = helper.make_tensor("k", F32, [1], [1.0])
    return helper.make_sparse_tensor(values, helper.make_tensor("i", I64, [1], [0]), [4])


# The file.

@case
def empty_file():
    return b""


@case
def truncated():
    data = model([node("Relu", "x", "y")], x(2), y(), [tensor("k", np.ones(100))]).SerializeToString()
    return data[:len(data) // 2]


@case
def garbage():
    return bytes(range(256)) * 4


@case
def no_graph():
    return helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString()[:2]


@case
def empty_graph():
    return model([], [], [])


@case
def no_outputs():
    return model([node("Relu", "x", "y")], x(2), [])


# The graph.

@case
def cyclic():
    return model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], x(2), y())


@case
def missing_input():
    return model([node("Relu", "nowhere", "y")], x(2), y())


@case
def missing_output():
    return model([node("Relu", "x", "z")], x(2), y())


@case
def duplicate():
    return model([node("Relu", "x", "y"), node("Neg", "x", "y", name="second")], x(2), y())


@case
def duplicate_initializer():
    return model([node("Relu", "x", "y")], x(2), y(), [tensor("k", 1), tensor("k", 2)])


@case
def duplicate_input():
    return model([node("Relu", "x", "y")], x(2) + x(2), y())


@case
def unknown():
    nodes = [node("Frobnicate", "x", "a"), node("Frobnicate", "a", "b"), node("Relu", "b", "c"),
             node("Unique", "c", "y"), node("Split", "c", "d e")]
    nodes[1].domain = "com.acme"
    return model(nodes, x(2), y(), domains=["com.acme"])


@case
def old_opset():
    return model([node("Relu", "x", "y")], x(2), y(), opset=5)


@case
def future_opset():
    return model([node("Relu", "x", "y")], x(2), y(), opset=99)


@case
def no_opset():
    m = good()
    m.opset_import[0].domain = "elsewhere"
    return m


# Inputs and outputs.

@case
def huge_input():
    return model([node("Relu", "x", "y")], x(1 << 30, 1 << 30), y())


@case
def negative_input():
    return model([node("Relu", "x", "y")], x(2, -3), y())


@case
def string_input():
    return model([node("Identity", "x", "y")], x(2, dtype=TensorProto.STRING), y(TensorProto.STRING))


@case
def sequence_input():
    m = good()
    m.graph.input[0].type.CopyFrom(helper.make_sequence_type_proto(helper.make_tensor_type_proto(F32, [2])))
    return m


@case
def no_shape():
    m = good()
    m.graph.input[0].type.tensor_type.ClearField("shape")
    return m


@case
def wrong_output_type():
    return model([node("Relu", "x", "y")], x(2), y(I64))


# Initializers.

@case
def short_initializer():
    return with_initializer(TensorProto(name="k", data_type=1, dims=[4], raw_data=b"\0" * 12))


@case
def negative_initializer():
    return with_initializer(TensorProto(name="k", data_type=1, dims=[-4], raw_data=b"\0" * 16))


@case
def huge_initializer():
    return with_initializer(TensorProto(name="k", data_type=1, dims=[1 << 31, 1 << 31]))


@case
def fp8_initializer():
    return with_initializer(TensorProto(name="k", data_type=17, dims=[4], raw_data=b"\0" * 4))


@case
def sparse_initializer():
    m = good()
    m.graph.sparse_initializer.append(sparse())
    return m


def with_initializer(proto):
    m = model([node("Add", "x k", "y")], x(4), y())
    m.graph.initializer.append(proto)
    return m


# Nodes. One of each kind of contradiction.

NODES = {
    "ill-typed": node("Add", "x i", "y"),
    "no-broadcast": node("Add", "x five", "y"),
    "wrong-attribute-type": node("Softmax", "x", "y", axis=1.5),
    "wrong-axis": node("Softmax", "x", "y", axis=4),
    "too-few-operands": node("Add", "x", "y"),
    "too-many-operands": node("Relu", "x x", "y"),
    "operand-left-out": node("Add", "_ x", "y"),
    "wrong-channels": node("Conv", "x w5", "y"),
    "wrong-rank": node("Conv", "m w", "y"),
    "zero-stride": node("Conv", "x w", "y", strides=[0, 1]),
    "huge-pads": node("Conv", "x w", "y", pads=[1 << 40, 0, 0, 0]),
    "huge-result": node("Conv", "x w", "y", pads=[1 << 24] * 4),
    "zero-group": node("Conv", "x w", "y", group=0),
    "kernel-shape": node("Conv", "x w", "y", kernel_shape=[5, 5]),
    "auto-pad": node("Conv", "x w", "y", auto_pad="SOMETIMES"),
    "large-kernel": node("MaxPool", "x", "y", kernel_shape=[9, 9]),
    "no-kernel": node("MaxPool", "x", "y"),
    "indices": node("MaxUnpool", "x xi", "y", kernel_shape=[2, 2]),
    "non-zero": node("NonZero", "x", "y"),
    "top-k-runtime": node("TopK", "x xi", "y z"),
    "top-k-many": node("TopK", "x max", "y z"),
    "scatter-reduction": node("ScatterND", "x xi x", "y", reduction="mean"),
    "shift-direction": node("BitShift", "q q", "y", direction="UP"),
    "reverse-axes": node("ReverseSequence", "x i", "y", time_axis=2),
    "reshape": node("Reshape", "x i", "y"),
    "reshape-runtime": node("Reshape", "x xi", "y"),
    "tile-bomb": node("Tile", "x bomb", "y"),
    "expand-bomb": node("ConstantOfShape", "bomb", "y"),
    "range-bomb": node("Range", "zero max one", "y"),
    "rank": node("Reshape", "x ranks", "y"),
    "slice-step": node("Slice", "x zero1 one1 zero1 zero1", "y"),
    "split": node("Split", "x", "y z w3", axis=3),
    "concat": node("Concat", "x five", "y", axis=0),
    "matmul": node("MatMul", "x five", "y"),
    "resize-scale": node("Resize", "x _ bad", "y"),
    "resize-mode": node("Resize", "x _ good", "y", coordinate_transformation_mode="tf_crop_and_resize"),
    "training": node("Dropout", "x half yes", "y"),
    "zero-scale": node("QuantizeLinear", "x zs", "y"),
    "nan-scale": node("QuantizeLinear", "x ns", "y"),
    "infinite-scale": node("QuantizeLinear", "x is", "y"),
    "scale-count": node("DequantizeLinear", "q five", "y", axis=1),
    "zero-point-type": node("DequantizeLinear", "q one_f z8", "y"),
    "blocks": node("QuantizeLinear", "x one_f", "y", block_size=2),
    "reference-outside": node("Softmax", "x", "y"),
}


def bad_node(which):
    def build():
        n = NODES[which]
        if which == "reference-outside":
            n.attribute.add(name="axis", ref_attr_name="outer", type=2)
        m = model([n], x(1, 2, 4, 4) + [value("m", F32, [2, 2]), value("xi", I64, [2])],
                  [value("y", 0, None)],
                  [tensor("i", [3, 5], np.int64), tensor("five", np.ones((5,))), tensor("w", np.ones((2, 2, 3, 3))),
                   tensor("w5", np.ones((2, 5, 3, 3))), tensor("bomb", [1 << 30] * 4, np.int64),
                   tensor("ranks", [1] * 40, np.int64),
                   tensor("zero", 0, np.int64), tensor("one", 1, np.int64), tensor("max", 2**62, np.int64),
                   tensor("zero1", [0], np.int64), tensor("one1", [1], np.int64), tensor("bad", [1, 1, -1, 1]),
                   tensor("good", [1, 1, 2, 2]), tensor("half", 0.5), tensor("yes", True, bool), tensor("zs", 0),
                   tensor("ns", np.nan), tensor("is", float("inf")), tensor("one_f", 1), tensor("z8", 0, np.uint8),
                   tensor("q", np.ones((2, 2)), np.int8)])
        m.graph.output[0].ClearField("type")
        return m
    return build


import models

for which in NODES:
    models.CASES["node-" + which] = bad_node(which)


@case
def node_unpool_extent():
    """Strides times extent is 2^66."""
    image = [value(name, kind, [1, 1, 2**36]) for name, kind in (("x", F32), ("i", I64))]
    return model([node("MaxUnpool", "x i", "y", kernel_shape=[2**30], strides=[2**30])], image, y())


@case
def node_output_extent():
    return model([node("ConvTranspose", "x w", "y", output_shape=[-2**63])],
                 x(1, 2, 4) + [value("w", F32, [2, 3, 3])], y())


@case
def duplicate_output():
    return model([node("Relu", "x", "y")], x(2), y() + y())
