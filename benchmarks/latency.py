#!/usr/bin/env python3
"""Latency of qcc's float and int8 code against ONNX Runtime on the same models.

Every row is one model in two forms, float and the same model as QDQ; both go
to both. The four programs run in turn, in rounds, so that all see the same
machine; each number is the median of its rounds' medians and the least of all.

  benchmarks/latency.py [--threads=1] [--rounds=7] NAME[=FLOAT.onnx,QDQ.onnx]...

NAME alone: the assets' NAME_f32, and as int8 its QDQ relative. With
--make, the MobileNetV2- and ResNet-50-shaped models of the performance kit
QCC_PERF (make_models.py, quantize.py; default: beside the assets).
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler, loaded, ort

RELATIVES = {"mobilenetv2_1.0_224": "mobilenetv2_1.0_224_qdq_tflite",
             "resnet8_cifar10": "resnet8_cifar10_qdq_tflite",
             "dscnn_kws": "dscnn_kws_qdq_tflite",
             "vww_mobilenetv1_0.25_96": "vww_mobilenetv1_0.25_96_qdq_tflite"}
SHAPED = ("mobilenet_v2", "resnet50")


def make_shaped(folder):
    """Float and QDQ models of the performance kit: {name: (float, qdq)}."""
    kit = pathlib.Path(os.environ.get("QCC_PERF") or assets.root().parent / "perf")
    tool, made = folder / "ort_bench", {}
    if not tool.exists():
        subprocess.run(["clang++-22", "-O2", "-std=c++17", "-pthread",
                        kit / "ort_bench/ort_bench.cpp", "-ldl", "-o", tool], check=True)
    env = {**os.environ, "ORT_BENCH": str(tool), "ORT_LIB": ort.find_library()}
    for name in SHAPED:
        base = folder / name
        if not (base / "int8.onnx").exists():
            print(f"making {name}", flush=True)
            subprocess.run([sys.executable, kit / "make_models.py", "--out", folder,
                            "--only", name], check=True, env=env, stdout=subprocess.DEVNULL)
            subprocess.run([sys.executable, kit / "quantize.py", "static", base / "fp32.onnx",
                            base / "int8.onnx"], check=True, env=env, stdout=subprocess.DEVNULL)
        made[name] = (base / "fp32.onnx", base / "int8.onnx")
    return made


def random_feeds(model):
    graph, rng, feeds = onnx.load(str(model)).graph, np.random.default_rng(1), {}
    constants = {t.name for t in graph.initializer}
    for value in graph.input:
        if value.name not in constants:
            dims = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
            feeds[value.name] = rng.random(dims, dtype=np.float32)
    return feeds


def once(run, seconds):
    """Milliseconds of single runs during about `seconds`."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def measure(name, models, folder, args):
    feeds = {form: random_feeds(model) for form, model in models.items()}
    programs = {}
    for form, model in models.items():
        out = folder / f"{name}.{form}.so"
        compiler.compile_model(model, out, "-quantize=none", *args.options, feeds=feeds[form])
        programs["qcc", form] = loaded.Loaded(out, args.threads).bind(feeds[form])
        programs["ort", form] = ort.Session(model, threads=args.threads).bind(feeds[form])
    for run in programs.values():
        once(run, 0.1)
    rounds = {key: [] for key in programs}
    for _ in range(args.rounds):
        for key, run in programs.items():
            rounds[key].append(once(run, args.seconds))
    median = {k: float(np.median([np.median(r) for r in v])) for k, v in rounds.items()}
    least = {k: min(map(min, v)) for k, v in rounds.items()}
    row = f"{name:26}"
    for key in (("qcc", "float"), ("ort", "float"), ("qcc", "int8"), ("ort", "int8")):
        row += f" {median[key]:8.3f} ({least[key]:8.3f})"
    print(row + f" {median['ort', 'float'] / median['qcc', 'float']:6.2f}"
          f" {median['ort', 'int8'] / median['qcc', 'int8']:6.2f}"
          f" {median['qcc', 'float'] / median['qcc', 'int8']:6.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--work", type=pathlib.Path, help="keeps made models there")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="per program and round")
    parser.add_argument("--options", type=str.split, default=[], help="more options for qcc")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        folder = args.work or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        pairs = {}
        for model in args.models:
            name, _, files = model.partition("=")
            if files:
                pairs[name] = tuple(files.split(","))
            elif name in RELATIVES:
                pairs[name] = (assets.path(name + "_f32"), assets.path(RELATIVES[name]))
            else:
                parser.error(f"{name}: not one of {', '.join(RELATIVES)}")
        if args.make:
            pairs.update(make_shaped(folder))
        if not pairs:
            pairs = {n: (assets.path(n + "_f32"), assets.path(q)) for n, q in RELATIVES.items()}
        print(f"ONNX Runtime {ort.api().version}, {args.threads} thread(s), ms: median (least)")
        print(f"{'model':26} {'qcc float':>19} {'ORT float':>19} {'qcc int8':>19} {'ORT int8':>19}"
              f" {'float':>6} {'int8':>6} {'gain':>6}")
        for name, (float_model, int8_model) in pairs.items():
            measure(name, {"float": float_model, "int8": int8_model}, pathlib.Path(scratch), args)
        print("float, int8: ORT/qcc; gain: qcc's float/int8")


if __name__ == "__main__":
    sys.exit(main())
