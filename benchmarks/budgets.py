#!/usr/bin/env python3
"""Do budgets of -precision=auto hold on samples never seen, and what do they cost in speed?

The labelled samples of a model are split in two by turns: on the first part the
compiler verifies its choice, the second is never shown to it. Calibration has its
own samples. Prints the loss of plain int8 and of the choice on the second part, with
the 95 % interval for top-1, and the speed of the choice by that of plain int8, from
alternating runs on one thread.

With --rescale the channels of the model are made unequal first, as in
accuracy_study.py.

  benchmarks/budgets.py [--rescale] [--budgets=top1:1%,kl:0.01] MODEL...
"""
import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from accuracy import paired
from accuracy_study import rescale
from harness import assets, compiler, loaded


def labelled(name):
    """All labelled samples of the model, and the index of their class in the output."""
    feeds, blank = [], assets.blank_outputs(name)

    def collect(sample):
        feeds.append({k: np.array(v) for k, v in sample.items()})
        return blank
    assets.evaluate(name, collect)
    return feeds, assets.labels(name)[:len(feeds)] + assets.class_offset(name)


def probabilities(scores):
    scores = scores.astype(np.float64).ravel()
    if abs(scores.sum() - 1) < 1e-3 and (scores >= 0).all():
        return scores / scores.sum()
    scores = np.exp(scores - scores.max())
    return scores / scores.sum()


def divergence(a, b):
    p, q = probabilities(a), np.maximum(probabilities(b), 1e-12)
    return float(np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300) / q), 0)))


def scores_of(path, feeds):
    run = loaded.Loaded(path)
    return [np.array(next(iter(run(f).values()))).ravel() for f in feeds]


def alternate(paths, feeds, runs=60):
    """The fastest inference of each, one thread, by turns."""
    bound = [loaded.Loaded(p).bind(feeds) for p in paths]
    best = [np.inf] * len(bound)
    for _ in range(runs):
        for i, run in enumerate(bound):
            start = time.perf_counter()
            run()
            best[i] = min(best[i], time.perf_counter() - start)
    return [1000 * b for b in best]


def compare(reference, found, labels):
    """Top-1 difference with its interval, in points, and the mean divergence."""
    right = [np.array([s.argmax() for s in scores]) == labels for scores in (reference, found)]
    return (*paired(*right), float(np.mean([divergence(a, b) for a, b in zip(reference, found)])))


def study(name, folder, args):
    folder = pathlib.Path(folder)
    feeds, labels = labelled(name)
    shown, unseen = feeds[::2], feeds[1::2]
    calibration = assets.calibration_file(name, folder / f"{name}.npz", args.samples)
    verify = folder / f"{name}.verify.npz"
    np.savez(verify, labels=labels[::2],
             **{k: np.concatenate([f[k] for f in shown]) for k in shown[0]})
    model = assets.path(name)
    if args.rescale:
        model = folder / f"{name}.onnx"
        rescale(assets.path(name), model)
        name += ", rescaled"

    def build(label, *options):
        out = folder / f"{name}.{label}.so"
        start = time.time()
        text = compiler.compile_model(model, out, *options, feeds=feeds[0], timeout=args.timeout)
        return out, text, time.time() - start
    plain, _, _ = build("float", "-quantize=none")
    static = ["-quantize=static", f"-calib={calibration}"]
    int8, _, _ = build("int8", *static, "-precision=int8")
    reference = scores_of(plain, unseen)
    row = lambda d, lo, hi, kl: f"{d:+6.2f} [{lo:+6.2f}, {hi:+6.2f}]  KL {kl:.5f}"
    print(f"{name}: {len(shown)} samples to verify, {len(unseen)} unseen", flush=True)
    print(f"  {'all int8':14} {row(*compare(reference, scores_of(int8, unseen), labels[1::2]))}",
          flush=True)
    for budget in args.budgets.split(","):
        try:
            out, text, seconds = build(budget.replace(":", "_"), *static, "-precision=auto",
                                       f"-max-drop={budget}", f"-verify={verify}",
                                       "-search-threads=1")
        except compiler.ToolError as error:
            print(f"  {budget:14} {str(error).splitlines()[-1]}", flush=True)
            continue
        found = scores_of(out, unseen)
        times = alternate([out, int8, plain], unseen[0])
        chosen = next((l for l in text.splitlines() if "in 8 bits" in l or "stay float" in l), "")
        print(f"  {budget:14} {row(*compare(reference, found, labels[1::2]))}  "
              f"{times[1] / times[0]:.2f} of int8's speed ({times[0]:.3f} ms, int8 {times[1]:.3f}, "
              f"float {times[2]:.3f}), {seconds:.0f} s\n    {chosen.split(': ', 2)[-1]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rescale", action="store_true")
    parser.add_argument("--budgets", default="top1:1%,kl:0.01")
    parser.add_argument("--samples", type=int, default=64, help="for calibration")
    parser.add_argument("--timeout", type=int, default=1800, help="of each compilation, seconds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in args.models:
            study(name, folder, args)


if __name__ == "__main__":
    main()
