"""Random recurrent layers with 8-bit weights, exported as functions of the file.

qcc makes the same code of the file as of the model: equal outputs, byte for byte. ONNX
Runtime runs the function's body, with and without optimizations. Its gates are rounded
otherwise, which moves an element of a state by a step where that is next to a tie; from
there one sequence differs. So few elements may; with float states most do.
"""
import pathlib
import random
import sys

import numpy as np
import onnx
from harness import compiler, ort
from onnx import helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Integration/Inputs"))
from check_recurrent import layer

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)
HIDDEN = {"LSTM": 33, "GRU": 40, "RNN": 70}  # 4096 weights and more: others stay float


def with_zero_points(model, data):
    """Unsigned recurrent weights of DynamicQuantizeLSTM, whose zero points are not 0."""
    for tensor in model.graph.initializer:
        shape = tuple(tensor.dims)
        if tensor.name == "r":
            tensor.CopyFrom(numpy_helper.from_array(data.integers(0, 256, shape).astype(np.uint8), "r"))
        elif tensor.name == "rz":
            tensor.CopyFrom(numpy_helper.from_array(data.integers(100, 150, shape).astype(np.uint8), "rz"))


def with_scatter(model):
    """What ONNX has since opset 16 and the exporter writes in 21, where reductions have other operands."""
    model.graph.node.append(helper.make_node("ScatterND", ["y", "at", "one"], ["z"], reduction="add"))
    model.graph.initializer.extend([numpy_helper.from_array(np.zeros((1, 4), np.int64), "at"),
                                    numpy_helper.from_array(np.ones(1, np.float32), "one")])
    model.graph.output.append(helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, None))


def differing(got, want):
    """The shares of elements that differ by more than rounding, and the largest difference."""
    assert got.keys() == want.keys(), (got.keys(), want.keys())
    differences = []
    for name, value in want.items():
        assert got[name].shape == value.shape, (name, got[name].shape, value.shape)
        scale = max(1, float(np.abs(value).max(initial=0)))
        differences.append(np.abs(got[name] - value).ravel() / scale)
    differences = np.concatenate(differences)
    return float(np.mean(differences > 1e-5)), float(differences.max(initial=0))


def compiled(path, feeds, *options):
    compiler.compile_model(path, scratch / "m.so", *options)
    return compiler.Artefact(scratch / "m.so")(feeds)


def check(op, sizes, pick, data):
    """What differs with quantized and with float states; nothing where the layer diverges."""
    dynamic = op.startswith("Dynamic")
    name = "-".join(map(str, (op, *sizes)))
    model, feeds = layer(pick, data, "LSTM" if dynamic else op, dynamic, sizes)
    if dynamic:
        with_zero_points(model, data)
        if sizes[:2] == (17, 3):
            with_scatter(model)
    source, exported = scratch / f"{name}.onnx", scratch / f"{name}-q.onnx"
    onnx.save(model, str(source))
    options = [] if dynamic else ["-quantize=dynamic"]
    want = compiled(source, feeds, *options)
    if not all(np.abs(v).max(initial=0) < 1e3 for v in want.values()):
        return None
    compiler.compile_model(source, exported, *options)
    proto = onnx.load(str(exported))
    if proto.opset_import[0].version == 13:  # what the installed onnx can check
        onnx.checker.check_model(proto, full_check=True)
        assert proto.ir_version == 8
    assert proto.opset_import[1].domain == "qcc"
    kinds = [node.op_type for node in proto.graph.node]
    assert not set(kinds) & {"LSTM", "GRU", "RNN"}, kinds
    calls = [node for node in proto.graph.node if node.domain == "qcc"]
    assert len(calls) == sizes[3], kinds

    again = compiled(exported, feeds)
    for output, value in want.items():
        assert np.array_equal(again[output], value), (name, output)
    results = [differing(ort.Session(exported, level)(feeds), want)
               for level in (ort.OPTIMIZE_NONE, ort.OPTIMIZE_ALL)]
    if not sizes[0]:  # ONNX Runtime's own GRU aborts
        return max(results), 0
    floats = scratch / "float.onnx"
    compiler.compile_model(source, floats, *options, "-export-recurrence=float")
    return max(results), differing(ort.Session(floats)(feeds), want)[0]


for op in sys.argv[2:]:
    pick, data = random.Random(op + "8"), np.random.default_rng(len(op))
    results = []
    for steps, rows, directions in ((17, 3, 2), (17, 1, 2), (1, 3, 1), (1, 1, 2), (17, 3, 1), (17, 1, 1), (0, 2, 1)):
        sizes = steps, rows, HIDDEN.get(op, 33), directions
        while not (result := check(op, sizes, pick, data)):
            pass
        results.append(result)
        print(op, *sizes, result)
    shares = [exact[0] for exact, _ in results]
    assert max(exact[1] for exact, _ in results) < 0.02 and np.mean(shares) < 0.02, (op, results)
    # Without the layer of no steps, which rounds nothing.
    assert np.mean([share for _, share in results[:-1]]) > 0.3, (op, results)
    print(f"{op} {len(results)} layers")
