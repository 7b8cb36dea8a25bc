"""Small models, exported to ONNX again: the same results, of both, as valid models.

Prints what was tried; ONNX Runtime must agree too, where it is installed.
"""
import pathlib
import sys

import numpy as np
import onnx
from harness import compiler, loaded, ort
from onnx import TensorProto, helper, numpy_helper

scratch = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)
F, I8, U8, I64 = np.float32, np.int8, np.uint8, np.int64
x4 = rng.normal(0, 2, (1, 4, 7, 6)).astype(F)
x2 = rng.normal(0, 2, (3, 8)).astype(F)
weight = lambda *shape: rng.normal(0, 0.5, shape).astype(F)
CASES = []


def case(name, nodes, inputs, constants=None, outputs=("y",)):
    """nodes: (type, inputs, outputs, attributes)."""
    CASES.append((name, nodes, inputs, constants or {}, outputs))


def one(kind, *extra, x=x2, constants=None, **attributes):
    case(kind + "".join(f" {k}={v}" for k, v in attributes.items()),
         [(kind, ["x", *extra], ["y"], attributes)], {"x": x}, constants)


for kind in ("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Exp", "Neg", "Abs", "Floor",
             "Ceil", "Round", "Sign", "Erf", "Sin", "Cos", "Tan", "Atan", "HardSwish", "Mish", "Identity"):
    one(kind)
for kind in ("Asin", "Acos"):
    one(kind, x=np.tanh(x2))
for kind in ("Log", "Sqrt", "Reciprocal"):
    one(kind, x=np.abs(x2) + F(0.5))
one("LeakyRelu", alpha=0.2)
one("Elu", alpha=0.7)
one("Celu", alpha=0.7)
one("Selu")
one("ThresholdedRelu", alpha=0.5)
one("HardSigmoid", alpha=0.3, beta=0.4)
one("Shrink", lambd=0.5, bias=0.1)
one("Gelu")
one("Gelu", approximate="tanh")
one("Clip", "lo", "hi", constants={"lo": F(-1), "hi": F(1.5)})
case("Silu", [("Sigmoid", ["x"], ["s"], {}), ("Mul", ["x", "s"], ["y"], {})], {"x": x2})
row = np.abs(weight(8)) + F(0.1)
for kind in ("Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu"):
    one(kind, "c", constants={"c": row})
case("Pow", [("Pow", ["x", "c"], ["y"], {})], {"x": np.abs(x2)}, {"c": row})
for kind in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"):
    case(kind + " Not And Where",
         [(kind, ["x", "z"], ["b"], {}), ("Not", ["b"], ["n"], {}), ("Xor", ["b", "n"], ["t"], {}),
          ("Or", ["b", "t"], ["o"], {}), ("And", ["o", "b"], ["a"], {}),
          ("Where", ["a", "x", "z"], ["y"], {})], {"x": x2, "z": weight(3, 8)})
case("Mod", [("Mod", ["x", "c"], ["y"], {"fmod": 1})], {"x": x2}, {"c": row})
case("integers", [("Mod", ["i", "j"], ["m"], {}), ("Cast", ["m"], ["y"], {"to": 1})],
     {"i": rng.integers(-9, 9, (4,)), "j": np.full(4, 5, I64)})

case("Conv Relu", [("Conv", ["x", "w", "b"], ["c"], dict(pads=[1, 0, 2, 1], strides=[2, 1])),
                   ("Relu", ["c"], ["y"], {})], {"x": x4}, {"w": weight(6, 4, 3, 3), "b": weight(6)})
case("Conv residual Clip", [("Conv", ["x", "w"], ["c"], dict(group=4, pads=[1, 1, 1, 1])),
                            ("Add", ["c", "x"], ["a"], {}), ("Clip", ["a", "lo", "hi"], ["y"], {})],
     {"x": x4}, {"w": weight(4, 1, 3, 3), "lo": F(0), "hi": F(6)})
case("Conv 1-D dilated", [("Conv", ["x", "w"], ["y"], dict(dilations=[2]))],
     {"x": weight(2, 3, 9)}, {"w": weight(4, 3, 3)})
case("ConvTranspose", [("ConvTranspose", ["x", "w", "b"], ["y"],
                        dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0]))],
     {"x": x4}, {"w": weight(4, 3, 3, 3), "b": weight(3)})
case("Gemm", [("Gemm", ["x", "w", "b"], ["y"], dict(transB=1))], {"x": x2},
     {"w": weight(5, 8), "b": weight(5)})
case("MatMul batch", [("MatMul", ["x", "z"], ["y"], {})],
     {"x": weight(2, 3, 4), "z": weight(2, 4, 5)})
for kind in ("MaxPool", "AveragePool"):
    case(kind, [(kind, ["x"], ["y"], dict(kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1],
                                          ceil_mode=1))], {"x": x4})
one("AveragePool", x=x4, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
one("GlobalAveragePool", x=x4)
one("GlobalMaxPool", x=x4)
for kind in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
             "ReduceLogSumExp", "ReduceSumSquare"):
    one(kind, x=x4, axes=[1, 3], keepdims=0)
case("ReduceSum", [("ReduceSum", ["x", "a"], ["y"], {})], {"x": x4}, {"a": np.array([2], I64)})
case("ArgMax", [("ArgMax", ["x"], ["y"], dict(axis=1, keepdims=0, select_last_index=1))], {"x": x2})
case("ArgMin", [("ArgMin", ["x"], ["y"], dict(axis=0))], {"x": x2})
case("TopK", [("TopK", ["x", "k"], ["y", "i"], dict(axis=1, largest=0))], {"x": x2}, {"k": np.array([3], I64)})
index = np.array([[2, 0, -1]], I64)
case("ScatterElements", [("ScatterElements", ["x", "i", "u"], ["y"], dict(axis=1))],
     {"x": x2, "i": index, "u": weight(1, 3)})
case("ScatterND", [("ScatterND", ["x", "i", "u"], ["y"], {})], {"x": x2, "i": index.T, "u": weight(3, 8)})
case("GridSample", [("GridSample", ["x", "g"], ["y"], dict(mode="cubic", padding_mode="reflection"))],
     {"x": x4, "g": weight(1, 3, 5, 2)})
case("RoiAlign", [("RoiAlign", ["x", "r", "n"], ["y"], dict(output_height=2, output_width=3, spatial_scale=0.5))],
     {"x": x4, "r": np.sort(np.abs(weight(5, 2, 2)) * 9, axis=1).reshape(5, 4), "n": np.zeros(5, I64)})
case("ScatterND add", [("ScatterND", ["x", "i", "u"], ["y"], dict(reduction="add"))],
     {"x": x2, "i": index.T, "u": weight(3, 8)})
bits = rng.integers(0, 99, (2, 7)).astype(np.uint32)
case("bits", [("BitwiseAnd", ["a", "b"], ["c"], {}), ("BitwiseOr", ["c", "a"], ["d"], {}),
              ("BitwiseXor", ["d", "b"], ["e"], {}), ("BitShift", ["e", "s"], ["y"], dict(direction="LEFT"))],
     {"a": bits, "b": bits[::-1].copy(), "s": bits % 5})
case("RNN of a constant", [("RNN", ["c", "w", "r", "b", "", "x"], ["y"], dict(hidden_size=3))],
     {"x": weight(1, 2, 3)}, {"c": weight(4, 2, 5), "w": weight(1, 3, 5), "r": weight(1, 3, 3), "b": weight(1, 6)})
one("Softmax", axis=0)
one("LogSoftmax", axis=1)
one("LRN", x=x4, size=3, alpha=0.5)
case("InstanceNormalization", [("InstanceNormalization", ["x", "s", "b"], ["y"], {})],
     {"x": x4}, {"s": weight(4), "b": weight(4)})
case("LayerNormalization", [("LayerNormalization", ["x", "s", "b"], ["y"], {})],
     {"x": x2}, {"s": weight(8), "b": weight(8)})
case("BatchNormalization", [("Relu", ["x"], ["r"], {}),
                            ("BatchNormalization", ["r", "s", "b", "m", "v"], ["y"], {})], {"x": x4},
     {"s": weight(4), "b": weight(4), "m": weight(4), "v": np.abs(weight(4)) + F(0.1)})
case("Reshape Transpose", [("Reshape", ["x", "s"], ["r"], {}),
                           ("Transpose", ["r"], ["y"], dict(perm=[2, 0, 1]))],
     {"x": x4}, {"s": np.array([4, 6, 7], I64)})
case("Concat", [("Concat", ["x", "z"], ["y"], dict(axis=1))], {"x": x2, "z": weight(3, 2)})
case("Slice", [("Slice", ["x", "s", "e", "a", "t"], ["y"], {})], {"x": x4},
     {"s": np.array([-1, 1], I64), "e": np.array([-99, 5], I64), "a": np.array([2, 3], I64),
      "t": np.array([-2, 1], I64)})
for mode in ("constant", "reflect", "edge"):
    case(f"Pad {mode}", [("Pad", ["x", "p", "v"][:3 if mode == "constant" else 2], ["y"],
                          dict(mode=mode))], {"x": x4},
         {"p": np.array([0, 0, 1, 2, 0, 0, 2, 1], I64), "v": F(0.5)})
case("Expand", [("Expand", ["x", "s"], ["e"], {}), ("Mul", ["e", "z"], ["y"], {})],
     {"x": weight(3, 1), "z": weight(3, 4)}, {"s": np.array([3, 4], I64)})
case("Gather", [("Gather", ["x", "i"], ["y"], dict(axis=1))], {"x": x2, "i": np.array([3, 0, 7])})
for mode, coord in (("nearest", "asymmetric"), ("linear", "half_pixel"), ("cubic", "align_corners"),
                    ("linear", "pytorch_half_pixel")):
    case(f"Resize {mode} {coord}",
         [("Resize", ["x", "", "", "s"], ["y"],
           dict(mode=mode, coordinate_transformation_mode=coord))],
         {"x": x4}, {"s": np.array([1, 4, 9, 13], I64)})
case("two outputs of one value", [("Relu", ["x"], ["y"], {}), ("Identity", ["y"], ["z"], {}),
                                  ("Identity", ["x"], ["w"], {})], {"x": x2}, {}, ("y", "z", "w"))

# Quantized: per tensor, per axis, int32 bias, unsigned and signed, other than 8 bits.
scales = np.array([0.02, 0.03, 0.01, 0.025, 0.04, 0.015], F)
case("QDQ", [("QuantizeLinear", ["x", "xs", "xz"], ["xq"], {}),
             ("DequantizeLinear", ["xq", "xs", "xz"], ["xd"], {}),
             ("DequantizeLinear", ["w", "ws", "wz"], ["wd"], dict(axis=0)),
             ("DequantizeLinear", ["b", "bs", "bz"], ["bd"], dict(axis=0)),
             ("Conv", ["xd", "wd", "bd"], ["c"], {}), ("Relu", ["c"], ["r"], {}),
             ("QuantizeLinear", ["r", "ys", "yz"], ["yq"], {}),
             ("DequantizeLinear", ["yq", "ys", "yz"], ["y"], {})], {"x": x4},
     {"xs": F(0.05), "xz": U8(131), "w": rng.integers(-127, 128, (6, 4, 3, 3)).astype(I8),
      "ws": scales, "wz": np.zeros(6, I8), "b": rng.integers(-900, 900, 6).astype(np.int32),
      "bs": (scales * F(0.05)).astype(F), "bz": np.zeros(6, np.int32), "ys": F(0.07), "yz": U8(3)})
case("requantize", [("QuantizeLinear", ["x", "a", "az"], ["p"], {}),
                    ("DequantizeLinear", ["p", "a", "az"], ["q"], {}),
                    ("QuantizeLinear", ["q", "b", "bz"], ["r"], {}),
                    ("DequantizeLinear", ["r", "b", "bz"], ["y"], {})], {"x": x2},
     {"a": F(0.02), "az": I8(-3), "b": F(0.031), "bz": I8(7)})
case("integer input and output",
     [("DequantizeLinear", ["x", "a", "z"], ["d"], {}), ("Relu", ["d"], ["r"], {}),
      ("QuantizeLinear", ["r", "a", "z"], ["y"], {})],
     {"x": rng.integers(0, 256, (3, 8)).astype(U8)}, {"a": F(0.1), "z": U8(100)})
case("dynamic", [("DynamicQuantizeLinear", ["x"], ["q", "s", "z"], {}),
                 ("MatMulInteger", ["q", "w", "z"], ["i"], {}), ("Cast", ["i"], ["f"], {"to": 1}),
                 ("Mul", ["f", "s"], ["y"], {})], {"x": x2},
     {"w": rng.integers(-127, 128, (8, 5)).astype(I8)})
case("16 bits", [("QuantizeLinear", ["x", "a", "z"], ["q"], {}),
                 ("DequantizeLinear", ["q", "a", "z"], ["y"], {})], {"x": x2},
     {"a": F(0.001), "z": np.int16(5)})
case("3 bits by clipping",
     [("QuantizeLinear", ["x", "a", "z"], ["q"], {}), ("Clip", ["q", "lo", "hi"], ["c"], {}),
      ("DequantizeLinear", ["c", "a", "z"], ["y"], {})], {"x": x2},
     {"a": F(0.5), "z": I8(0), "lo": I8(-4), "hi": I8(3)})
case("4 bits", [("DequantizeLinear", ["w", "s", "z"], ["d"], dict(axis=1)),
                ("MatMul", ["x", "d"], ["y"], {})], {"x": x2},
     {"w": "int4", "s": scales[:5], "z": "int4 zeros"})


def initializer(name, value):
    if isinstance(value, str):  # numpy has no 4-bit integers: 8x5, packed
        shape, data = ([8, 5], bytes(range(20))) if value == "int4" else ([5], bytes(3))
        return onnx.TensorProto(name=name, data_type=22, dims=shape, raw_data=data)
    return numpy_helper.from_array(np.asarray(value), name)


def make(nodes, inputs, constants, outputs):
    code = lambda a: helper.np_dtype_to_tensor_dtype(np.asarray(a).dtype) \
        if hasattr(helper, "np_dtype_to_tensor_dtype") else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[a.dtype]
    kinds = {n[0] for n in nodes}
    small = any(isinstance(c, str) or getattr(c, "dtype", None) == np.int16
                for c in constants.values())
    opset = 21 if small else 20 if kinds & {"Gelu", "GridSample"} else \
        18 if kinds & {"Mish", "BitwiseAnd", "RoiAlign", "ScatterND"} else \
        17 if kinds & {"LayerNormalization", "HardSwish"} else 13
    if any("Reduce" in k and k != "ReduceSum" for k in kinds):
        opset = 13
    graph = helper.make_graph(
        [helper.make_node(kind, i, o, name=f"{kind}{n}", **a)
         for n, (kind, i, o, a) in enumerate(nodes)], "case",
        [helper.make_tensor_value_info(k, code(v), v.shape) for k, v in inputs.items()],
        [onnx.ValueInfoProto(name=o) for o in outputs],
        [initializer(k, v) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    for output in graph.output:  # of unknown type: qcc computes it
        output.type.tensor_type.elem_type = 0
    return model


for index, (name, nodes, inputs, constants, outputs) in enumerate(CASES):
    folder = scratch / str(index)
    folder.mkdir(parents=True)
    source, exported = folder / "a.onnx", folder / "b.onnx"
    model = make(nodes, inputs, constants, outputs)
    onnx.save(model, str(source))
    results = []
    compiler.compile_model(source, exported, "-quantize=none")
    for path in (source, exported):
        artefact = path.with_suffix(".so")
        compiler.compile_model(path, artefact, "-quantize=none")
        results.append(loaded.Loaded(artefact)(inputs))
    proto = onnx.load(str(exported))
    assert proto.opset_import[0].version in (13, 21), name
    assert proto.graph.output[0].type.tensor_type.elem_type, name
    if proto.opset_import[0].version == 13:  # what the installed onnx can check
        onnx.checker.check_model(proto)
    assert [o.name for o in proto.graph.output] == list(outputs), name
    assert [i.name for i in proto.graph.input] == list(inputs), name
    if ort.find_library():
        results.append(ort.Session(exported, ort.OPTIMIZE_NONE)(inputs))
    for other in results[1:]:
        for key in outputs:
            a, b = results[0][key], other[key]
            assert a.shape == b.shape and a.dtype == b.dtype, (name, a.shape, b.shape)
            close = np.allclose(a, b, rtol=2e-5, atol=2e-5) if a.dtype.kind == "f" else \
                np.array_equal(a, b)
            assert close, (name, np.abs(a.astype(F) - b.astype(F)).max())
print(f"{len(CASES)} models")
