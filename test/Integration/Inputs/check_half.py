#!/usr/bin/env python3
"""Half precision against float32, for one MODEL of the assets.

- The model with weights, inputs and outputs of f16, and of bf16, compiles and
  gives the answers of the float32 model within what its inputs and weights lose;
  f16 gives the same bytes on all levels of this machine with fused multiply-add.
- -precision=fp16 and bf16 shrink the artefact of the float32 model to nearly
  half, and their answers are as close.
- Exported so, the file is half as large, and ONNX Runtime gives the same answers.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from harness import assets, compiler, ort
from onnx import TensorProto, numpy_helper

CODES = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
# Least ratio of signal to noise, dB.
CLOSE = {"f16": 45, "bf16": 25}


def to_bits(values, kind):
    if kind == "f16":
        return values.astype(np.float16).tobytes()
    bits = values.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16).tobytes()


def convert(tensor, kind):
    if tensor.data_type != TensorProto.FLOAT:
        return
    values = np.ascontiguousarray(numpy_helper.to_array(tensor))
    tensor.ClearField("float_data")
    tensor.raw_data = to_bits(values, kind)
    tensor.data_type = CODES[kind]


def make_half(path, out, kind):
    """The model in 16 bits; not for operands that must stay float32."""
    model = onnx.load(str(path))
    graph = model.graph
    for tensor in graph.initializer:
        convert(tensor, kind)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                convert(attribute.t, kind)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = CODES[kind]
    onnx.save(model, str(out))


def decibels(expected, got):
    noise = np.square(expected.astype(np.float64) - got).sum()
    return 10 * np.log10(np.square(expected.astype(np.float64)).sum() / max(noise, 1e-30))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path, feeds = assets.path(args.model), assets.stored_sets(args.model)[0][0]
    bad = []

    def run(source, name, *options, env=None, feeds=feeds):
        out = args.work / f"{name}.so"
        if not out.exists():
            compiler.compile_model(source, out, *options)
        return compiler.Artefact(out, env=env)(feeds)

    def compare(title, expected, got, least):
        worst = min(decibels(e, got[name].astype(np.float64)) for name, e in expected.items())
        print(f"{title}: {worst:.1f} dB")
        if not worst >= least:
            bad.append(title)

    expected = run(path, "f32", "-quantize=none")
    for kind, option in (("f16", "fp16"), ("bf16", "bf16")):
        got = run(path, option, f"-precision={option}")
        compare(f"-precision={option}", expected, got, CLOSE[kind])
        whole, half = ((args.work / f"{n}.so").stat().st_size for n in ("f32", option))
        print(f"{half} bytes, float32 {whole}")
        if half > 0.5 * whole + 60_000:
            bad.append(f"size of -precision={option}")
        exported = args.work / f"{option}.onnx"
        compiler.compile_model(path, exported, f"-precision={option}")
        onnx.checker.check_model(str(exported), full_check=True)
        stored = {t.data_type for t in onnx.load(str(exported)).graph.initializer if len(t.dims) > 1}
        whole, half = path.stat().st_size, exported.stat().st_size
        if stored != {CODES[kind]} or half > 0.5 * whole + 20_000:
            bad.append(f"exported -precision={option}: types {stored}, {half} bytes of {whole}")
        compare(f"{option} in ONNX Runtime", ort.Session(exported, ort.OPTIMIZE_ALL)(feeds), got, 100)

    source = args.work / "f16.onnx"
    make_half(path, source, "f16")
    narrow = {name: a.astype(np.float16) for name, a in feeds.items()}
    got = run(source, "half", "-quantize=none", "-target=x86-64", feeds=narrow)
    compare("f16 model", expected, got, CLOSE["f16"])
    if any(a.dtype != np.float16 for a in got.values()):
        bad.append("types of the f16 model's outputs")
    avx2 = run(source, "half", feeds=narrow, env={"QCC_ISA": "avx2"})
    if any(a.tobytes() != avx2[name].tobytes() for name, a in got.items()):
        bad.append("levels of the f16 model differ")
    # NumPy has no bf16, so this one only has to run.
    source = args.work / "bf16.onnx"
    make_half(path, source, "bf16")
    run(source, "brain", "-quantize=none", feeds=None)
    for title in bad:
        print(f"FAIL: {title}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
