"""Models with quantized tensors."""
import numpy as np
from onnx import TensorProto, helper

from cases_ops import many
from models import BOOL, F32, I64, I8, I32, U8, case, model, node, tensor, value, x, y

I16, U4, I4, F16 = 5, 21, 22, TensorProto.FLOAT16


def raw(name, code, dims, data):
    """A tensor whose element type the onnx package may be too old for."""
    return TensorProto(name=name, data_type=code, dims=dims, raw_data=bytes(data))


def params(name, scale, zero_point, dtype):
    return [tensor(name + "_s", scale), tensor(name + "_z", zero_point, dtype)]


@case
def qdq():
    """A convolution between quantize and dequantize, as exporters write it."""
    nodes = [
        node("QuantizeLinear", "x x_s x_z", "q"), node("DequantizeLinear", "q x_s x_z", "d"),
        node("DequantizeLinear", "w w_s w_z", "dw", axis=0), node("DequantizeLinear", "b b_s", "db", axis=0),
        node("Conv", "d dw db", "c"), node("QuantizeLinear", "c y_s y_z", "y")]
    return model(nodes, x(1, 2, 4, 4), y(I8),
                 params("x", 0.5, 3, np.uint8) + params("w", [0.25, 0.75], [0, 0], np.int8) +
                 params("y", 2.0, -5, np.int8) +
                 [tensor("w", np.arange(4).reshape(2, 2, 1, 1), np.int8),
                  tensor("b", [7, -9], np.int32), tensor("b_s", [0.125, 0.375])])


@case
def quantized_shape():
    """A shape that passes a pair of Q and DQ; 5 * 3 saturates at 12."""
    nodes = [
        node("Shape", "x", "s"), node("Cast", "s", "f", to=F32), node("Mul", "f factors", "m"),
        node("QuantizeLinear", "m q_s q_z", "q"), node("DequantizeLinear", "q q_s q_z", "d"),
        node("Cast", "d", "i", to=I64), node("Resize", "x _ _ i", "y", mode="nearest")]
    return model(nodes, x(1, 1, 4, 5), y(), [tensor("factors", [1, 1, 2, 3])] + params("q", 1, 115, np.int8))


@case
def qdq_types():
    """Types beyond 8 bits; int4 is unpacked from two to a byte."""
    nodes = [
        node("QuantizeLinear", "x s z16", "q16"), node("DequantizeLinear", "q16 s z16", "d16"),
        node("DequantizeLinear", "w4 s", "dw4"), node("DequantizeLinear", "u4 s u4z", "du4"),
        node("QuantizeLinear", "x s z4", "q4"), node("DequantizeLinear", "q4 s z4", "d4"),
        node("QuantizeLinear", "x s", "q8"), node("DequantizeLinear", "w8 h", "dh")]
    return many(nodes, x(4), [
        tensor("s", 0.5), tensor("z16", 100, np.int16), raw("w4", I4, [3], [0x98, 0x07]),
        raw("u4", U4, [2], [0xF1]), raw("u4z", U4, [], [8]), raw("z4", I4, [], [0x0F]),
        tensor("w8", [1, 2], np.int8), tensor("h", 0.25, np.float16)], opset=21)


@case
def qcdq():
    """Brevitas: 3 bits by a clip on the integers."""
    nodes = [
        node("QuantizeLinear", "x s z", "q"), node("Clip", "q lo hi", "c"), node("DequantizeLinear", "c s z", "d"),
        node("MaxPool", "c", "p", kernel_shape=[2, 2]), node("DequantizeLinear", "p s z", "dp")]
    return model(nodes, x(1, 1, 4, 4), [value("d", F32, None), value("dp", F32, None)],
                 [tensor("s", 0.5), tensor("z", 0, np.int8),
                                               tensor("lo", -4, np.int8), tensor("hi", 3, np.int8)])


@case
def clip_integers():
    """Clips that are no narrower range: without the zero point in it, or of no quantize."""
    nodes = [node("QuantizeLinear", "x s z", "q"), node("Clip", "q lo", "c"), node("DequantizeLinear", "c s z", "d"),
             node("Clip", "i lo", "ci"), node("DequantizeLinear", "b bs", "db")]
    return many(nodes, x(4) + [value("i", I8, [4])],
                [tensor("s", 0.5), tensor("z", 0, np.int8), tensor("lo", 2, np.int8),
                 tensor("b", [1, 2], np.int32), tensor("bs", [0.5, 0.25])])


@case
def moved_integers():
    """Data movement between quantize and dequantize keeps the quantized type."""
    nodes = [
        node("QuantizeLinear", "x s z", "q"), node("Transpose", "q", "t"), node("Reshape", "t to", "r"),
        node("Concat", "r r", "c", axis=0), node("Pad", "c p v", "pd"), node("DequantizeLinear", "pd s z", "y")]
    return model(nodes, x(2, 3), y(), [
        tensor("s", 0.5), tensor("z", 10, np.uint8), tensor("to", [6], np.int64),
        tensor("p", [1, 0], np.int64), tensor("v", 14, np.uint8)])


@case
def integer_graph():
    """Graph inputs and outputs that are integers."""
    nodes = [node("DequantizeLinear", "x s z", "d"), node("Relu", "d", "r"), node("QuantizeLinear", "r s z", "y")]
    return model(nodes, x(4, dtype=U8), y(U8), [tensor("s", 0.5), tensor("z", 10, np.uint8)])


@case
def dynamic_scales():
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"), node("DequantizeLinear", "q s z", "d"),
        node("QuantizeLinear", "x s z", "again"),
        node("DequantizeLinear", "w bs", "blocked", axis=1, block_size=2)]
    return many(nodes, x(2, 3), [tensor("w", np.ones((2, 4)), np.int8), tensor("bs", np.ones((2, 2)))],
                opset=21)


@case
def qlinear():
    nodes = [
        node("QLinearConv", "x x_s x_z w w_s w_z y_s y_z b", "c", pads=[1, 1, 1, 1]),
        node("QLinearMatMul", "a x_s x_z m w_s w_z y_s y_z", "mm")]
    return many(nodes, x(1, 1, 4, 4, dtype=U8) + [value("a", U8, [3, 2])],
                params("x", 0.5, 3, np.uint8) + params("w", [0.25, 0.75], [0, 0], np.int8) +
                params("y", 2.0, 5, np.uint8) +
                [tensor("w", np.ones((2, 1, 3, 3)), np.int8), tensor("b", [7, -9], np.int32),
                 tensor("m", np.ones((2, 2)), np.int8)])


@case
def contrib():
    ms = dict(domain="com.microsoft")
    nodes = [
        node("QLinearAdd", "x s z x s z t z", "add", **ms), node("QLinearMul", "x s z x s z t z", "mul", **ms),
        node("QLinearSigmoid", "x s z t z", "sig", **ms), node("QLinearLeakyRelu", "x s z t z", "leaky", alpha=0.1, **ms),
        node("QLinearGlobalAveragePool", "x s z t z", "gap", **ms),
        node("QLinearAveragePool", "x s z t z", "avg", kernel_shape=[2, 2], **ms),
        node("QLinearConcat", "t z x s z x t z", "cat", axis=1, **ms),
        node("QLinearSoftmax", "x s z t z", "soft", axis=3, opset=13, **ms),
        node("QGemm", "a s z w s wz bias t z", "gemm", transB=1, alpha=2.0, **ms),
        node("QGemm", "a s z w s wz", "gemmf", transB=1, **ms),
        node("DynamicQuantizeMatMul", "f w s", "dqm", **ms),
        node("MatMulIntegerToFloat", "a w s s z wz", "mitf", **ms),
        node("FusedMatMul", "f f", "fm", transB=1, alpha=0.5, **ms),
        node("FusedConv", "g k", "fc", activation="LeakyRelu", activation_params=[0.2], **ms),
        node("FastGelu", "f", "fg", **ms), node("BiasGelu", "f fb", "bg", **ms), node("QuickGelu", "f", "qg", **ms)]
    return many(nodes, x(1, 2, 4, 4, dtype=U8) + [value("a", U8, [3, 2]), value("f", F32, [2, 2]),
                                                  value("g", F32, [1, 1, 4, 4])],
                [tensor("s", 0.5), tensor("t", 0.25), tensor("z", 3, np.uint8), tensor("wz", 0, np.int8),
                 tensor("w", np.ones((2, 2)), np.int8), tensor("bias", [1, 2], np.int32),
                 tensor("k", np.ones((1, 1, 1, 1))), tensor("fb", [1, 2])], domains=["com.microsoft"])
