"""Random recurrent layers, exported to ONNX: ONNX Runtime computes what qcc does.

Float ones, as they are and with weights of 16 bits; their statically and dynamically
quantized forms and DynamicQuantizeLSTM with -export-recurrence=float, whose layers keep a
float state: both compute what the file says, and nearly what qcc makes of the model itself.
"""
import pathlib
import random
import sys

import numpy as np
import onnx
from harness import compiler, ort

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Integration/Inputs"))
from check_recurrent import layer

scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True, exist_ok=True)


def largest(got, want):
    assert got.keys() == want.keys(), (got.keys(), want.keys())
    for name, value in want.items():
        assert got[name].shape == value.shape, (name, got[name].shape, value.shape)
    return max(float(np.abs(got[n] - v).max(initial=0)) / max(1, float(np.abs(v).max(initial=0)))
               for n, v in want.items())


def run(path, out, feeds, *options):
    compiler.compile_model(path, out, *options)
    return compiler.Artefact(out)(feeds)


def quantized_weights(model, options):
    """The number of those that go to fewer bits: recurrent ones, or only the others."""
    name = "w" if "-quantize=weight-only" in options else "r"
    return max(int(np.prod(t.dims[1:])) for t in model.graph.initializer if t.name == name)


def check(op, options, count, limit):
    dynamic = op.startswith("Dynamic")
    quantizes = any("quantize=" in o and "none" not in o for o in options)
    pick, data = random.Random(op), np.random.default_rng(len(op))
    source, exported, out = (scratch / name for name in ("m.onnx", "q.onnx", "m.so"))
    worst, done = [0, 0], 0
    while done < count:
        model, feeds = layer(pick, data, "LSTM" if dynamic else op, dynamic)
        if quantizes and quantized_weights(model, options) < 4096:  # stay float
            continue
        done += 1
        onnx.save(model, str(source))
        extra = list(options)
        if "-quantize=static" in extra:
            calib = scratch / "calib.npz"
            np.savez(calib, **{k: np.stack([v] * 2) for k, v in feeds.items()})
            extra += [f"-calib={calib}", "-precision=int8"]
            exported = scratch / "static.onnx"
        compiler.compile_model(source, exported, *extra, "-export-recurrence=float")
        proto = onnx.load(str(exported))
        if proto.opset_import[0].version == 13:  # what the installed onnx can check
            onnx.checker.check_model(proto, full_check=True)
        kinds = [node.op_type for node in proto.graph.node]
        assert set(kinds) & {"LSTM", "GRU", "RNN"}, kinds
        assert ("DequantizeLinear" in kinds) == (quantizes or dynamic), kinds
        theirs = ort.Session(exported)(feeds)
        worst[1] = max(worst[1], largest(theirs, run(source, out, feeds, *extra)))
        if quantizes or dynamic or done == 1:
            worst[0] = max(worst[0], largest(theirs, run(exported, out, feeds, "-quantize=none")))
    assert worst[0] < 1e-5 and worst[1] < limit, (op, options, worst)
    print(op, *options, f"{count} layers: {worst[0]:.2g}, {worst[1]:.2g}")


for op, count in (("LSTM", 4), ("GRU", 3), ("RNN", 2)):
    check(op, ["-quantize=none"], count, 1e-5)
check("LSTM", ["-precision=fp16"], 1, 1e-5)
check("GRU", ["-precision=bf16"], 1, 1e-5)
check("LSTM", ["-quantize=static"], 1, 0.02)
check("GRU", ["-quantize=dynamic"], 1, 0.02)
check("LSTM", ["-quantize=weight-only"], 1, 0.02)
check("DynamicQuantizeLSTM", [], 2, 0.02)
