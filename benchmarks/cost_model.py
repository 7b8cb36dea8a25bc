#!/usr/bin/env python3
"""How well the cost model of kernels (docs/costs.md) fits times measured here.

Compiles each model for each level, models the cycles of its kernel calls and times
them on one thread. Prints for each model and level over the kernels: Spearman's
rank correlation, the clock that makes both equal on the whole, and the mean factor
between the two at that clock (each kernel weighted by its time); with two models on a
line (FLOAT=INT8, the same network twice) also how well the gain of 8 bits is told
for each node that both have.

  benchmarks/cost_model.py [--levels=avx2,...] MODEL.onnx[=INT8.onnx] ...
"""
import argparse
import json
import pathlib
import re
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import compiler
from sensitivity import spearman

LEVELS = {"baseline": "x86-64-v2", "avx2": "x86-64-v3", "avx-vnni": "x86-avx-vnni",
          "avx512-vnni": "x86-avx512-vnni"}
# Shorter steps are mostly the time of reading the clock.
LEAST_MICROSECONDS = 1.0


def modelled(model, level, options, folder):
    """[(kernel, cycles)] of the calls of @main, in order."""
    kernels, out = folder / "kernels.mlir", folder / "costs.mlir"
    compiler.call([compiler.tool("qcc"), model, f"-target={LEVELS[level]}", "-emit=kernels",
                   *options, "-o", kernels])
    fma = "false" if level == "baseline" else "true"
    compiler.call([compiler.tool("qcc-opt"), kernels, "-o", out,
                   f"-pass-pipeline=builtin.module(func.func(qcc-expand-math{{fma={fma}}}),"
                   "qcc-model-costs)"])
    calls = []
    for line in out.open():
        if found := re.search(r"call @(\w+)\(.*qcc.cycles = (\d+)", line):
            calls.append((found[1], int(found[2])))
    return calls


def measured(model, level, options, folder, runs):
    """[(kernel, nodes, microseconds)] of the steps."""
    out = folder / f"{len(list(folder.iterdir()))}.so"
    compiler.call([compiler.tool("qcc"), model, f"-target={LEVELS[level]}", *options, "-o", out])
    text = compiler.call([compiler.tool("qcc-run"), out, "-profile", "-json", "-threads=1",
                          f"-bench={runs}"])
    return [(s["kernel"], s["nodes"], s["us"]) for s in json.loads(text)["steps"]]


def compare(model, level, options, folder, runs, listed):
    """{nodes: (cycles, microseconds)}; prints the fit."""
    calls = modelled(model, level, options, folder)
    steps = measured(model, level, options, folder, runs)
    assert [c[0] for c in calls] == [s[0] for s in steps], "the kernels are others"
    cycles = np.array([c[1] for c in calls], float)
    times = np.array([s[2] for s in steps])
    long = times >= LEAST_MICROSECONDS
    ghz = cycles.sum() / times.sum() / 1000
    factors = np.abs(np.log(cycles / 1000 / ghz / times))[long]
    name = pathlib.Path(model)
    print(f"{name.parent.name + '/' + name.stem:38} {level:12} {len(cycles):4} kernels  "
          f"rank correlation {spearman(cycles[long], times[long]):.3f}  {ghz:.2f} GHz  "
          f"mean factor {np.exp(np.average(factors, weights=times[long])):.2f}", flush=True)
    if listed:
        for kernel, nodes, us, c in sorted(((*s, c) for s, c in zip(steps, cycles)),
                                           key=lambda row: -row[2])[:listed]:
            print(f"    {us:9.2f} us  modelled {c / 1000 / ghz:9.2f}  {kernel:24} {nodes}")
    layers = {}
    for (_, nodes, us), c in zip(steps, cycles):
        for node in nodes.split(", ")[:1]:
            before = layers.get(node, (0, 0))
            layers[node] = (before[0] + c, before[1] + us)
    return layers


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--levels", default=",".join(LEVELS))
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--list", type=int, default=0, help="the slowest kernels of each")
    args = parser.parse_args()
    for pair in args.models:
        for level in args.levels.split(","):
            layers = []
            for model in pair.split("="):
                with tempfile.TemporaryDirectory() as folder:
                    layers.append(compare(model, level, ["-quantize=none"], pathlib.Path(folder),
                                          args.runs, args.list))
            if len(layers) < 2:
                continue
            both = [n for n in layers[0] if n and n in layers[1]
                    and layers[0][n][1] >= LEAST_MICROSECONDS]
            gains = np.array([[layers[0][n][i] / layers[1][n][i] for n in both] for i in (0, 1)])
            factors = np.abs(np.log(gains[0] / gains[1]))
            weights = [layers[0][n][1] for n in both]
            whole = [sum(l[i] for l in layers[0].values()) / sum(l[i] for l in layers[1].values())
                     for i in (0, 1)]
            print(f"  gain of 8 bits: as a whole modelled {whole[0]:.2f}, measured {whole[1]:.2f}; "
                  f"over {len(both)} nodes mean factor "
                  f"{np.exp(np.average(factors, weights=weights)):.2f}", flush=True)


if __name__ == "__main__":
    main()
