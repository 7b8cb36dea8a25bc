#!/usr/bin/env python3
"""The noise of each layer alone in 8 bits: as -precision=auto measures it, and by brute force.

The search runs one model with a switch for each layer. Brute force compiles the
model once for each layer, with that layer in 8 bits and all others float, and runs
what was written. Prints both, in dB below the signal at the outputs, and Spearman's
rank correlation; fails below 0.9.

  benchmarks/sensitivity.py [--samples=N] [--table] MODEL...
"""
import argparse
import json
import pathlib
import re
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler, loaded

LEAST_CORRELATION = 0.9


def ranks(values):
    """Ranks from 1, equal values share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    result = np.empty(len(values))
    result[order] = np.arange(1, len(values) + 1)
    for value in set(values):
        same = np.array(values) == value
        result[same] = result[same].mean()
    return result


def spearman(a, b):
    a, b = ranks(a) - ranks(a).mean(), ranks(b) - ranks(b).mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm else 1.0


def read_plan(path):
    """[(name, noise in dB)] of a file of -save-precision."""
    layers = []
    for line in path.read_text().splitlines():
        found = re.match(r"\s+(?:- )?(name|noise_db):\s+(.*)$", line)
        if not found:
            continue
        key, value = found.groups()
        if key == "name":
            if value[0] == '"':
                value = json.loads(value)
            elif value[0] == "'":
                value = value[1:-1].replace("''", "'")
            layers.append([value, 0.0])
        else:
            layers[-1][1] = float(value)
    return layers


def write_plan(path, names, int8):
    lines = ["version: 1", "layers:"]
    for name in names:
        precision = "int8" if name == int8 else "float"
        lines.append(f"- {{name: {json.dumps(name)}, precision: {precision}}}")
    path.write_text("\n".join(lines) + "\n")


def noise(wanted, found):
    """Energy of the difference by energy of the signal, mean over samples and float outputs."""
    total = []
    for a, b in zip(wanted, found):
        parts = []
        for name, x in a.items():
            if x.dtype == np.float32:
                x, y = x.astype(np.float64), b[name].astype(np.float64)
                parts.append(np.sum((x - y) ** 2) / max(np.sum(x * x), 1e-300))
        total.append(np.mean(parts))
    return float(np.mean(total))


def decibels(value):
    return min(-10 * np.log10(value), 200.0) if value > 0 else 200.0


def study(name, folder, args):
    folder = pathlib.Path(folder) / name
    folder.mkdir()
    feeds = assets.stored_sets(name)[0][0]
    calibration = assets.calibration_file(name, folder / "calib.npz", args.samples)
    model, plan, table = assets.path(name), folder / "plan.yaml", folder / "ranges.yaml"
    # Both round weights to nearest: what else is done to them depends on the samples.
    options = ["-quantize=static", f"-calib={calibration}", "-ptq=none"]
    start = time.time()
    compiler.compile_model(model, folder / "auto.so", *options, "-precision=auto",
                           "-max-drop=sqnr:-100", f"-verify={calibration}",
                           f"-save-precision={plan}", f"-calib-table={table}", feeds=feeds,
                           timeout=args.timeout)
    searching = time.time() - start
    layers = read_plan(plan)
    names = [layer for layer, _ in layers]
    compiler.compile_model(model, folder / "float.so", "-quantize=none", feeds=feeds)
    samples = load(calibration)
    reference = loaded.Loaded(folder / "float.so")
    samples = [s for s in samples if same_shapes(s, feeds)]
    wanted = [{k: v.copy() for k, v in reference(s).items()} for s in samples]
    start, brute = time.time(), []
    for i, layer in enumerate(names):
        write_plan(folder / "one.yaml", names, layer)
        out = folder / f"{i}.so"
        compiler.compile_model(model, out, f"-calib-table={table}", "-ptq=none",
                               f"-precision={folder}/one.yaml", feeds=feeds, timeout=args.timeout)
        run = loaded.Loaded(out)
        brute.append(decibels(noise(wanted, [run(s) for s in samples])))
        out.unlink()
    correlation = spearman([db for _, db in layers], brute)
    print(f"{name}: {len(names)} layers, {len(samples)} samples, Spearman {correlation:.4f}, "
          f"largest difference {max(abs(a - b) for (_, a), b in zip(layers, brute)):.1f} dB; "
          f"whole search {searching:.0f} s, brute force {time.time() - start:.0f} s", flush=True)
    if args.table:
        for (layer, measured), real in sorted(zip(layers, brute), key=lambda pair: pair[1]):
            print(f"  {real:7.1f}  {measured:7.1f}  {layer}")
    return correlation >= LEAST_CORRELATION


def load(path):
    """The samples of a calibration file or folder, with the batch that models take."""
    path = pathlib.Path(path)
    if path.is_dir():
        return [dict(np.load(f)) for f in sorted(path.iterdir())]
    with np.load(path) as file:
        arrays = {k: file[k] for k in file.files}
    count = len(next(iter(arrays.values())))
    return [{k: v[i:i + 1] for k, v in arrays.items()} for i in range(count)]


def same_shapes(sample, feeds):
    return all(np.shape(sample[k]) == np.shape(v) for k, v in feeds.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--samples", type=int, default=8, help="for calibration and measuring")
    parser.add_argument("--table", action="store_true", help="print every layer")
    parser.add_argument("--timeout", type=int, default=1800, help="of each compilation, seconds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return not all([study(name, folder, args) for name in args.models])


if __name__ == "__main__":
    sys.exit(main())
