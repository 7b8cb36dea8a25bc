"""Models of arithmetic operators, convolutions, pools and normalizations."""
import numpy as np

from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y


def many(nodes, inputs, initializers=(), **options):
    """Every result of the nodes is an output, in order."""
    outputs = [value(o, 0, None) for n in nodes for o in n.output if o]
    for output in outputs:
        output.ClearField("type")
    return model(nodes, inputs, outputs, initializers, **options)


@case
def conv_relu():
    return model(
        [node("Conv", "x w b", "c", auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", "c", "y")],
        x(1, 3, 8, 8), y(),
        [tensor("w", np.ones((4, 3, 3, 3))), tensor("b", [1, 2, 3, 4])])


@case
def unary():
    plain = ["Abs", "Acos", "Asin", "Atan", "Ceil", "Cos", "Erf", "Exp", "Floor", "Identity", "Log", "Mish", "Neg",
             "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign",
             "Sqrt", "Tan", "Tanh", "HardSwish", "IsNaN", "Gelu"]
    nodes = [node(op, "x", "y" + op) for op in plain]
    nodes += [
        node("Gelu", "x", "tanh_gelu", approximate="tanh"),
        node("LeakyRelu", "x", "leaky"), node("LeakyRelu", "x", "leaky3", alpha=0.3),
        node("Elu", "x", "elu"), node("Celu", "x", "celu", alpha=2.0),
        node("Selu", "x", "selu"), node("HardSigmoid", "x", "hs"),
        node("ThresholdedRelu", "x", "tr"), node("Shrink", "x", "sh", lambd=1.5, bias=0.25),
        node("Not", "p", "np")]
    return many(nodes, x(4) + [value("p", BOOL, [4])], opset=20)


@case
def hyperbolic():
    return many([node(op, "x", "y" + op) for op in ("Sinh", "Cosh", "Asinh", "Acosh", "Atanh")], x(4))


@case
def bits():
    nodes = [node("BitwiseAnd", "i i", "a"), node("BitwiseOr", "i j", "o"), node("BitwiseXor", "u u", "e"),
             node("BitwiseNot", "i", "n"), node("BitShift", "u u", "l", direction="LEFT"),
             node("BitShift", "u u", "r", direction="RIGHT")]
    return many(nodes, [value("i", I32, [2, 3]), value("j", I32, [3]), value("u", U8, [4])], opset=18)


@case
def binary():
    arithmetic = ["Add", "Sub", "Mul", "Div", "Pow", "PRelu"]
    comparison = ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"]
    logic = ["And", "Or", "Xor"]
    nodes = [node(op, "x k", "y" + op) for op in arithmetic + comparison]
    nodes += [node(op, "p p", "y" + op) for op in logic]
    nodes += [node("Mod", "i i", "mod"), node("Mod", "x k", "fmod", fmod=1),
              node("Pow", "x i", "pow"), node("Where", "p x k", "where"),
              node("Max", "x k x", "max"), node("Min", "x k", "min"), node("Sum", "x x k", "sum"),
              node("Mean", "x k", "mean"), node("Cast", "x", "cast", to=I32),
              node("CastLike", "x i", "like"), node("Relu", "i", "irelu"),
              node("IsInf", "x", "inf"), node("IsInf", "x", "ninf", detect_positive=0)]
    return many(nodes, x(2, 3) + [value("p", BOOL, [2, 3]), value("i", I64, [3]),
                                  value("k", F32, [3])], opset=15)


@case
def clip():
    nodes = [node("Clip", "x zero six", "relu6"), node("Clip", "x zero", "relu"),
             node("Clip", "x _ six", "upper"), node("Clip", "x six zero", "crossed"),
             node("Clip", "x k", "dynamic"), node("Clip", "i one", "ints")]
    return many(nodes, x(4) + [value("k", F32, []), value("i", I64, [4])],
                [tensor("zero", 0), tensor("six", 6), tensor("one", 1, np.int64)])


@case
def clip_6():
    return many([node("Clip", "x", "relu6", min=0.0, max=6.0), node("Clip", "x", "lower", min=-1.0)],
                x(4), opset=6)


@case
def legacy_broadcast():
    return many([node("Add", "x b", "y", broadcast=1, axis=1), node("PRelu", "x b", "z")],
                x(1, 3, 4, 4), [tensor("b", [1, 2, 3])], opset=6)


@case
def dropout():
    return many([node("Dropout", "x", "y mask"), node("Relu", "y", "z")], x(2))


@case
def convs():
    w = tensor("w", np.ones((4, 2, 3, 3)))
    nodes = [
        node("Conv", "x w", "valid", group=2, auto_pad="VALID", dilations=[2, 1]),
        node("Conv", "x w", "lower", group=2, auto_pad="SAME_LOWER", strides=[2, 2]),
        node("Conv", "s k1", "oned", pads=[1, 2]),
        node("Conv", "v k3", "threed"),
        node("ConvTranspose", "x t", "up", strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1]),
        node("ConvTranspose", "x t", "same", strides=[2, 2], auto_pad="SAME_UPPER"),
        node("ConvTranspose", "x t", "shaped", strides=[2, 2], output_shape=[12, 13]),
        node("ConvInteger", "q qw zp", "int", pads=[1, 1, 1, 1])]
    return many(nodes, x(1, 4, 5, 5) + [value("s", F32, [1, 2, 9]), value("v", F32, [1, 1, 4, 4, 4]),
                                        value("q", U8, [1, 1, 5, 5])],
                [w, tensor("k1", np.ones((2, 2, 3))), tensor("k3", np.ones((1, 1, 2, 2, 2))),
                 tensor("t", np.ones((4, 2, 3, 3))), tensor("qw", np.ones((1, 1, 3, 3)), np.uint8),
                 tensor("zp", 3, np.uint8)], opset=11)


@case
def matmuls():
    nodes = [
        node("MatMul", "x m", "mm"), node("Gemm", "a m", "plain"),
        node("Gemm", "a m row", "bias", transA=0), node("Gemm", "a t row", "tb", transB=1),
        node("Gemm", "a m scalar", "scaled", alpha=0.5, beta=2.0),
        node("Gemm", "a m column", "col"),
        node("MatMulInteger", "q qw zp", "int")]
    return many(nodes, x(2, 3, 4) + [value("a", F32, [3, 4]), value("q", U8, [2, 4])],
                [tensor("m", np.ones((4, 5))), tensor("t", np.ones((5, 4))),
                 tensor("row", np.ones((1, 5))), tensor("scalar", 1.0),
                 tensor("column", np.ones((3, 1))), tensor("qw", np.ones((4, 5)), np.int8),
                 tensor("zp", 7, np.uint8)])


@case
def pools():
    nodes = [
        node("MaxPool", "x", "max", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("AveragePool", "x", "avg", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1),
        node("LpPool", "x", "lp", kernel_shape=[2, 2]),
        node("GlobalAveragePool", "x", "gavg"), node("GlobalMaxPool", "x", "gmax"),
        node("GlobalLpPool", "x", "glp", p=1)]
    return many(nodes, x(1, 2, 7, 7))


@case
def norms():
    nodes = [
        node("BatchNormalization", "x c c c c", "bn", epsilon=0.5),
        node("InstanceNormalization", "x c c", "inst"),
        node("LayerNormalization", "x l", "ln mean isd", axis=-1),
        node("GroupNormalization", "x c c", "gn", num_groups=2),
        node("RMSNormalization", "x l", "rms"),
        node("LpNormalization", "x", "lp", axis=1, p=1),
        node("MeanVarianceNormalization", "x", "mvn"),
        node("LRN", "x", "lrn", size=3, alpha=0.5)]
    return many(nodes, x(1, 4, 3, 3), [tensor("c", [2, 3, 4, 5]), tensor("l", [2, 3, 4])], opset=23)


@case
def batch_norm_6():
    return many([node("BatchNormalization", "x c c c c", "bn", is_test=1),
                 node("BatchNormalization", "x e e e e", "each", is_test=1, spatial=0)],
                x(1, 2, 3), [tensor("c", [2, 3]), tensor("e", [[1, 2, 3], [4, 5, 6]])], opset=6)


@case
def layer_norm_13():
    """As ONNX Runtime fuses it, whatever the opset."""
    return model([node("LayerNormalization", "x s b", "y", axis=-1, epsilon=0.5)], x(2, 3, 4), y(),
                 [tensor("s", [1, 2, 3, 4]), tensor("b", [0, 1, 2, 3])])


@case
def group_norm_18():
    return many([node("GroupNormalization", "x g g", "gn", num_groups=2)], x(1, 4, 3, 3),
                [tensor("g", [2, 3])], opset=18)


@case
def reductions_13():
    ops = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"]
    nodes = [node("Reduce" + op, "x", "y" + op, axes=[-1, 0], keepdims=0) for op in ops]
    nodes += [node("ReduceSum", "x ax", "sum"), node("ReduceSum", "x", "noop", noop_with_empty_axes=1),
              node("ReduceMax", "x", "all"),
              node("ArgMax", "x", "am", axis=1, select_last_index=1), node("ArgMin", "x", "an", keepdims=0)]
    return many(nodes, x(2, 3, 4), [tensor("ax", [1], np.int64)])


@case
def top_k_11():
    return many([node("TopK", "x k", "v i", axis=1, largest=0, sorted=0), node("TopK", "x k", "w j")],
                x(2, 3, 4), [tensor("k", [2], np.int64)], opset=11)


@case
def top_k_1():
    return many([node("TopK", "x", "v i", k=3, axis=0)], x(5, 2), opset=9)


@case
def reductions_18():
    return many([node("ReduceMean", "x ax", "mean", keepdims=0), node("ReduceMax", "p ax", "any")],
                x(2, 3) + [value("p", BOOL, [2, 3])], [tensor("ax", [-1], np.int64)], opset=20)


@case
def softmax_12():
    """Before opset 13 all dimensions from the axis on are one."""
    return many([node("Softmax", "x", "flat"), node("LogSoftmax", "x", "last", axis=2),
                 node("Softmax", "z", "inner")],
                x(2, 3, 4) + [value("z", F32, [2, 3, 1])], opset=12)


@case
def softmax_13():
    return many([node("Softmax", "x", "last"), node("LogSoftmax", "x", "one", axis=1),
                 node("Hardmax", "x", "hard")], x(2, 3, 4))


@case
def reduce_alone():
    """Without axes each element is reduced by itself."""
    return many([node(op, "x", op, noop_with_empty_axes=1)
                 for op in ("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceMean")], x(2, 3), opset=18)
