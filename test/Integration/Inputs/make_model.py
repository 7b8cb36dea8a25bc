#!/usr/bin/env python3
"""Writes a small model, sound or broken in one way.

  make_model.py KIND OUT.onnx      KIND: a function below, with '-' for '_'
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, constants, opset=13):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, name=f"{kind}_{outputs[0]}", **attributes)


def good():
    """Convolution, ReLU, average, fully connected: [1, 3, 8, 8] -> [1, 5]."""
    w = rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32)
    nodes = [node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
             node("Relu", ["c"], ["r"]),
             node("GlobalAveragePool", ["r"], ["g"]),
             node("Flatten", ["g"], ["f"]),
             node("Gemm", ["f", "v", "d"], ["y"])]
    constants = [tensor("w", w), tensor("b", np.float32([0.1, -0.1, 0.2, 0])),
                 tensor("v", rng.normal(0, 0.5, (4, 5)).astype(np.float32)),
                 tensor("d", np.zeros(5, np.float32))]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 5])], constants)


def image_classifier():
    """[1, 3, 224, 224] -> [1, 1000]."""
    nodes = [node("GlobalAveragePool", ["x"], ["g"]), node("Flatten", ["g"], ["f"]),
             node("MatMul", ["f", "v"], ["y"])]
    return model(nodes, [value("x", [1, 3, 224, 224])], [value("y", [1, 1000])],
                 [tensor("v", rng.normal(0, 0.5, (3, 1000)).astype(np.float32))])


def products():
    """Three products with matrices of 65,536, 65,536 and 2,560 numbers: [1, 256] -> [1, 10]."""
    matrix = lambda *shape: rng.normal(0, 1 / 16, shape).astype(np.float32)
    nodes = [node("MatMul", ["x", "a"], ["p"]), node("Relu", ["p"], ["r"]),
             node("MatMul", ["r", "b"], ["q"]), node("Relu", ["q"], ["s"]),
             node("MatMul", ["s", "c"], ["y"])]
    return model(nodes, [value("x", [1, 256])], [value("y", [1, 10])],
                 [tensor("a", matrix(256, 256)), tensor("b", matrix(256, 256)),
                  tensor("c", matrix(256, 10))])


def large_products():
    """The same with a first matrix of numbers beyond those of f16."""
    m = products()
    for t, factor in ((m.graph.initializer[0], 2 ** 20), (m.graph.initializer[1], 2 ** -20)):
        t.CopyFrom(tensor(t.name, numpy_helper.to_array(t) * np.float32(factor)))
    return m


def unequal_products():
    """Four products of 64 rows; two of 256 columns of the first are 500 times the others, which the second undoes."""
    large = np.where(np.arange(256) < 2, 500, 1).astype(np.float32)
    matrix = lambda *shape: rng.normal(0, 0.08, shape).astype(np.float32)
    nodes = [node("MatMul", ["x", "a"], ["p"]), node("Sigmoid", ["p"], ["s"]), node("Mul", ["p", "s"], ["m"]),
             node("MatMul", ["m", "b"], ["q"]), node("Relu", ["q"], ["r"]),
             node("MatMul", ["r", "c"], ["t"]), node("Relu", ["t"], ["u"]), node("MatMul", ["u", "d"], ["y"])]
    return model(nodes, [value("x", [1, 64, 128])], [value("y", [1, 64, 64])],
                 [tensor("a", matrix(128, 256) * large), tensor("b", matrix(256, 128) / large[:, None]),
                  tensor("c", matrix(128, 128)), tensor("d", matrix(128, 64))])


def quantized():
    """A convolution between QuantizeLinear and DequantizeLinear."""
    w = rng.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
             node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
             node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
             node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0),
             node("Conv", ["xd", "wd", "bd"], ["c"], pads=[1, 1, 1, 1]),
             node("QuantizeLinear", ["c", "ys", "yz"], ["yq"]),
             node("DequantizeLinear", ["yq", "ys", "yz"], ["y"])]
    ws = np.float32([0.01, 0.02, 0.005, 0.01])
    constants = [tensor("xs", np.float32(0.05)), tensor("xz", np.uint8(128)),
                 tensor("w", w), tensor("ws", ws), tensor("wz", np.zeros(4, np.int8)),
                 tensor("b", np.int32([100, -50, 0, 7])), tensor("bs", ws * np.float32(0.05)),
                 tensor("ys", np.float32(0.1)), tensor("yz", np.uint8(120))]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 4, 8, 8])], constants)


def replace(m, name, array):
    for i, t in enumerate(m.graph.initializer):
        if t.name == name:
            m.graph.initializer[i].CopyFrom(tensor(name, array))
    return m


def zero_channel():
    """One channel of the convolution is zero, and so is its bias."""
    m = good()
    w = numpy_helper.to_array(m.graph.initializer[0]).copy()
    w[3] = 0
    return replace(m, "w", w)


def constant_activation():
    """The convolution gives zeros, whatever its input."""
    m = replace(good(), "w", np.zeros((4, 3, 3, 3), np.float32))
    return replace(m, "b", np.zeros(4, np.float32))


def long_window():
    """One window holds 100000 numbers."""
    return model([node("Conv", ["x", "w"], ["y"], pads=[1, 1])], [value("x", [1, 1, 100000])],
                 [value("y", [1, 1, 3])], [tensor("w", np.ones((1, 1, 100000), np.float32))])


def large_depthwise():
    """A depthwise convolution of 1600 taps."""
    return model([node("Conv", ["x", "w"], ["y"], group=4)], [value("x", [1, 4, 44, 44])],
                 [value("y", [1, 4, 5, 5])],
                 [tensor("w", rng.normal(0, 0.1, (4, 1, 40, 40)).astype(np.float32))])


def silu():
    """Convolution, then x * sigmoid(x): [1, 3, 8, 8] -> [1, 16, 8, 8]."""
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
             node("Sigmoid", ["c"], ["s"]),
             node("Mul", ["c", "s"], ["y"])]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 16, 8, 8])],
                 [tensor("w", rng.normal(0, 0.5, (16, 3, 3, 3)).astype(np.float32))])


def gelu():
    """Product, bias, then x * (1 + erf(x / sqrt 2)) / 2: [3, 40] -> [3, 50]."""
    nodes = [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["c"]),
             node("Div", ["c", "root"], ["d"]), node("Erf", ["d"], ["e"]),
             node("Add", ["e", "one"], ["f"]), node("Mul", ["c", "f"], ["g"]),
             node("Mul", ["g", "half"], ["y"])]
    return model(nodes, [value("x", [3, 40])], [value("y", [3, 50])],
                 [tensor("w", rng.normal(0, 0.5, (40, 50)).astype(np.float32)),
                  tensor("b", rng.normal(0, 0.5, 50).astype(np.float32)),
                  tensor("root", np.float32(2**0.5)), tensor("one", np.float32(1)),
                  tensor("half", np.float32(0.5))])


def byte_functions():
    """Functions between convolutions: [1, 8, 12, 12] -> four times [1, 4, 12, 12]."""
    nodes, constants, outputs = [], [], []
    for name in ("sigmoid", "silu", "gelu", "tanh"):
        c, s, f, y = (f"{name}_{part}" for part in "csfy")
        nodes.append(node("Conv", ["x", f"{name}_in"], [c]))
        if name == "gelu":
            nodes += [node("Div", [c, "root"], [s]), node("Erf", [s], ["e"]), node("Add", ["e", "one"], ["o"]),
                      node("Mul", [c, "o"], ["g"]), node("Mul", ["g", "half"], [f])]
        elif name == "silu":
            nodes += [node("Sigmoid", [c], [s]), node("Mul", [c, s], [f])]
        else:
            nodes.append(node(name.capitalize(), [c], [f]))
        nodes.append(node("Conv", [f, f"{name}_out"], [y]))
        constants += [tensor(f"{name}_in", rng.normal(0, 0.7, (40, 8, 1, 1)).astype(np.float32)),
                      tensor(f"{name}_out", rng.normal(0, 0.3, (4, 40, 1, 1)).astype(np.float32))]
        outputs.append(value(y, [1, 4, 12, 12]))
    constants += [tensor("root", np.float32(2**0.5)), tensor("one", np.float32(1)), tensor("half", np.float32(0.5))]
    return model(nodes, [value("x", [1, 8, 12, 12])], outputs, constants)


def unequal_channels(ratio=500):
    """Two of 16 channels are so many times the others; a depthwise convolution makes them equal."""
    large = np.where(np.arange(16) < 2, ratio, 1).astype(np.float32)[:, None, None, None]
    w = rng.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32) * large
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
             node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["m"]),
             node("Conv", ["m", "d"], ["e"], pads=[1, 1, 1, 1], group=16),
             node("Sigmoid", ["e"], ["t"]), node("Mul", ["e", "t"], ["n"]),
             node("Conv", ["n", "p"], ["q"]), node("Relu", ["q"], ["r"]),
             node("Conv", ["r", "l"], ["y"])]
    constants = [tensor("w", w), tensor("d", rng.normal(0, 0.5, (16, 1, 3, 3)).astype(np.float32) / large),
                 tensor("p", rng.normal(0, 0.3, (16, 16, 1, 1)).astype(np.float32)),
                 tensor("l", rng.normal(0, 0.3, (8, 16, 3, 3)).astype(np.float32))]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 8, 6, 6])], constants)


def uneven_channels():
    return unequal_channels(50)


def elementwise_chains():
    """Between convolutions one row of elementwise operators from one of them, and one from two."""
    w = lambda *shape: rng.normal(0, 0.3, shape).astype(np.float32)
    nodes = [node("Conv", ["x", "w0"], ["a"], pads=[1, 1, 1, 1]), node("Conv", ["x", "w1"], ["b"], pads=[1, 1, 1, 1]),
             node("Softsign", ["b"], ["s"]), node("Tanh", ["s"], ["v"]), node("Mul", ["a", "v"], ["u"]),
             node("Conv", ["u", "w2"], ["c"]), node("Mul", ["c", "k"], ["m"]), node("Add", ["m", "c"], ["n"]),
             node("Conv", ["n", "w3"], ["y"])]
    constants = [tensor("w0", w(16, 3, 3, 3)), tensor("w1", w(16, 3, 3, 3)), tensor("w2", w(16, 16, 1, 1)),
                 tensor("w3", w(8, 16, 1, 1)), tensor("k", w(1, 16, 1, 1))]
    return model(nodes, [value("x", [1, 3, 16, 16])], [value("y", [1, 8, 16, 16])], constants)


def float_operators():
    """Between two convolutions operators that calibration leaves in float, each for a reason of its own."""
    w = lambda *shape: rng.normal(0, 0.3, shape).astype(np.float32)
    nodes = [node("Conv", ["x", "w0"], ["a"]), node("Mul", ["a", "a"], ["q"]), node("Exp", ["q"], ["e"]), node("Slice", ["e", "from", "to", "axis"], ["s"]),
             node("Softmax", ["s"], ["m"], axis=1), node("Div", ["m", "s"], ["d"]),
             node("Conv", ["d", "w1"], ["y"])]
    constants = [tensor("w0", w(16, 3, 1, 1)), tensor("w1", w(4, 8, 1, 1)), tensor("from", np.int64([4])),
                 tensor("to", np.int64([12])), tensor("axis", np.int64([1]))]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 4, 8, 8])], constants)


def row_blocks():
    """Large images: an expansion that adds another tensor in front of a depthwise convolution, and
    two pairs of depthwise and 1x1 convolution of equal shapes, in either order."""
    w = lambda *shape: (rng.normal(0, 1, shape) / np.prod(shape[1:]) ** 0.5).astype(np.float32)
    nodes = [node("Conv", ["x", "w1"], ["a"]), node("Conv", ["x", "w2"], ["b"]), node("Add", ["a", "b"], ["e"]),
             node("Conv", ["e", "wd"], ["d"], group=96, pads=[1, 1, 1, 1]), node("Conv", ["d", "wp"], ["y"]),
             node("Conv", ["u", "v1"], ["f"]), node("Conv", ["f", "vd"], ["g"], group=96, pads=[1, 1, 1, 1]),
             node("MaxPool", ["g"], ["z"], kernel_shape=[2, 2], strides=[2, 2]),
             node("Conv", ["u", "vd"], ["i"], group=96, pads=[1, 1, 1, 1]), node("Conv", ["i", "v1"], ["t"])]
    constants = [tensor("w1", w(96, 16, 1, 1)), tensor("w2", w(96, 16, 1, 1)), tensor("wd", w(96, 1, 3, 3)),
                 tensor("wp", w(8, 96, 1, 1)), tensor("v1", w(96, 96, 1, 1)), tensor("vd", w(96, 1, 3, 3))]
    return model(nodes, [value("x", [1, 16, 80, 80]), value("u", [1, 96, 40, 256])],
                 [value("y", [1, 8, 80, 80]), value("z", [1, 96, 20, 128]), value("t", [1, 96, 40, 256])], constants)


def deep_attention():
    """8-bit attention whose rows are copied: their depth is no multiple of 4."""
    nodes, constants = [], [tensor("root", np.float32(12))]
    for name, scale, zero in (("q", 0.02, 128), ("k", 0.02, 128), ("v", 0.02, 128), ("p", 1 / 255, 0)):
        constants += [tensor(name + "_s", np.float32(scale)), tensor(name + "_z", np.uint8(zero))]
        pair = [node("QuantizeLinear", [name, name + "_s", name + "_z"], [name + "_q"]),
                node("DequantizeLinear", [name + "_q", name + "_s", name + "_z"], [name + "_r"])]
        if name == "p":
            pair = [node("MatMul", ["q_r", "k_r"], ["s"]), node("Div", ["s", "root"], ["t"]),
                    node("Softmax", ["t"], ["p"], axis=-1), *pair, node("MatMul", ["p_r", "v_r"], ["y"])]
        nodes += pair
    return model(nodes, [value("q", [2, 256, 4099]), value("k", [2, 4099, 16]), value("v", [2, 16, 16])],
                 [value("y", [2, 256, 16])], constants)


def projected_attention():
    """Attention of two heads, then a product with constant weights."""
    nodes = [node("MatMul", ["q", "k"], ["s"]), node("Div", ["s", "root"], ["t"]),
             node("Softmax", ["t"], ["p"], axis=-1), node("MatMul", ["p", "v"], ["h"]),
             node("MatMul", ["h", "w"], ["y"])]
    return model(nodes, [value("q", [2, 70, 48]), value("k", [2, 48, 90]), value("v", [2, 90, 48])],
                 [value("y", [2, 70, 256])], [tensor("root", np.float32(7)),
                                              tensor("w", rng.normal(0, 0.1, (48, 256)).astype(np.float32))])


def short_attention():
    """The same with three keys, masked."""
    nodes = [node("MatMul", ["q", "k"], ["s"]), node("Div", ["s", "root"], ["t"]), node("Add", ["t", "m"], ["u"]),
             node("Softmax", ["u"], ["p"], axis=-1), node("MatMul", ["p", "v"], ["h"])]
    return model(nodes, [value("q", [2, 70, 48]), value("k", [2, 48, 3]), value("v", [2, 3, 48]),
                         value("m", [70, 3])], [value("h", [2, 70, 48])], [tensor("root", np.float32(7))])


def double_log():
    """A function that has no kernel in double precision: [2, 3] -> [2, 3]."""
    return model([node("Log", ["x"], ["y"])], [value("x", [2, 3], TensorProto.DOUBLE)],
                 [value("y", [2, 3], TensorProto.DOUBLE)], [])


def unequal_relu():
    """Two of 16 channels are 512 times the others, which the next convolution undoes."""
    large = np.where(np.arange(16) < 2, 512, 1).astype(np.float32)
    w = rng.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32)
    nodes = [node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["r"]),
             node("Conv", ["r", "p"], ["y"])]
    constants = [tensor("w", w * large[:, None, None, None]),
                 tensor("b", rng.normal(0, 0.3, 16).astype(np.float32) * large),
                 tensor("p", rng.normal(0, 0.3, (8, 16, 1, 1)).astype(np.float32)
                        / large[:, None, None])]
    return model(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 8, 8, 8])], constants)


def symbolic():
    """The height is a symbol."""
    m = good()
    m.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    return m


def empty():
    return b""


def truncated():
    data = good().SerializeToString()
    return data[:len(data) // 2]


def corrupted():
    data = bytearray(good().SerializeToString())
    for i in range(0, len(data), 3):
        data[i] ^= 0xA5
    return bytes(data)


def no_graph():
    return helper.make_model(onnx.GraphProto(), opset_imports=[helper.make_opsetid("", 13)])


def no_output():
    m = good()
    del m.graph.output[:]
    return m


def cyclic():
    nodes = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])]
    return model(nodes, [value("x", [4])], [value("b", [4])], [])


def ill_typed():
    """Adds a float and an integer."""
    return model([node("Add", ["x", "k"], ["y"])], [value("x", [4])], [value("y", [4])],
                 [tensor("k", np.arange(4))])


def undefined_input():
    return model([node("Relu", ["nowhere"], ["y"])], [value("x", [4])], [value("y", [4])], [])


def undefined_output():
    return model([node("Relu", ["x"], ["y"])], [value("x", [4])], [value("nowhere", [4])], [])


def duplicate_name():
    nodes = [node("Relu", ["x"], ["y"]), node("Sigmoid", ["x"], ["y"])]
    return model(nodes, [value("x", [4])], [value("y", [4])], [])


def huge_dimension():
    return model([node("Relu", ["x"], ["y"])], [value("x", [1 << 40, 1 << 40])],
                 [value("y", [1 << 40, 1 << 40])], [])


def huge_activation():
    """Each dimension is modest, but the padded tensor has 2^60 elements."""
    nodes = [node("Conv", ["x", "w"], ["y"], pads=[1 << 24] * 4)]
    return model(nodes, [value("x", [1, 1, 4, 4])], [value("y", None)],
                 [tensor("w", np.ones((1, 1, 3, 3), np.float32))])


def huge_initializer():
    """An initializer claims 2^62 elements and has none."""
    m = model([node("Add", ["x", "k"], ["y"])], [value("x", [4])], [value("y", [4])], [])
    m.graph.initializer.append(TensorProto(name="k", data_type=1, dims=[1 << 31, 1 << 31]))
    return m


def negative_dimension():
    m = model([node("Add", ["x", "k"], ["y"])], [value("x", [4])], [value("y", [4])], [])
    m.graph.initializer.append(TensorProto(name="k", data_type=1, dims=[-4], raw_data=b"\0" * 16))
    return m


def short_initializer():
    m = good()
    m.graph.initializer[0].raw_data = m.graph.initializer[0].raw_data[:-8]
    return m


def wrong_channels():
    return replace(good(), "w", np.ones((4, 5, 3, 3), np.float32))


def wrong_bias():
    return replace(good(), "b", np.ones(7, np.float32))


def attribute(name, v):
    m = good()
    m.graph.node[0].attribute.append(helper.make_attribute(name, v))
    return m


def zero_stride():
    return attribute("strides", [0, 0])


def zero_group():
    return attribute("group", 0)


def kernel_too_large():
    return replace(good(), "w", np.ones((4, 3, 99, 99), np.float32))


def unknown_operators():
    nodes = [node("Frobnicate", ["x"], ["a"]),
             helper.make_node("Twist", ["a"], ["y"], name="twist", domain="example.org")]
    m = model(nodes, [value("x", [4])], [value("y", [4])], [])
    m.opset_import.append(helper.make_opsetid("example.org", 1))
    return m


def future_opset():
    return model([node("Relu", ["x"], ["y"])], [value("x", [4])], [value("y", [4])], [], opset=9999)


def missing_external():
    m = good()
    t = m.graph.initializer[0]
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    t.external_data.add(key="location", value="does-not-exist.bin")
    return m


def outside_external():
    m = missing_external()
    m.graph.initializer[0].external_data[0].value = "../../../../etc/passwd"
    return m


def zero_scale():
    nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    return model(nodes, [value("x", [4])], [value("y", [4])],
                 [tensor("s", np.float32(0)), tensor("z", np.uint8(0))])


def too_few_inputs():
    return model([node("Conv", ["x"], ["y"])], [value("x", [1, 3, 8, 8])], [value("y", None)], [])


def reshape_mismatch():
    return model([node("Reshape", ["x", "s"], ["y"])], [value("x", [4])], [value("y", None)],
                 [tensor("s", np.int64([3, 3]))])


def recursive_function():
    f = helper.make_function("local", "F", ["a"], ["b"],
                             [helper.make_node("F", ["a"], ["b"], domain="local")],
                             [helper.make_opsetid("", 13), helper.make_opsetid("local", 1)])
    graph = helper.make_graph([helper.make_node("F", ["x"], ["y"], domain="local")], "graph",
                              [value("x", [4])], [value("y", [4])])
    return helper.make_model(graph, functions=[f], ir_version=8, opset_imports=[
        helper.make_opsetid("", 13), helper.make_opsetid("local", 1)])


def main(kind, out):
    made = globals()[kind.replace("-", "_")]()
    with open(out, "wb") as file:
        file.write(made if isinstance(made, bytes) else made.SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
