#!/usr/bin/env python3
"""Float against int8 on every labelled set of the assets.

Each float model is compiled by qcc as it is and with static int8, calibrated on
the calibration samples, which are never scored. Prints both accuracies and the
95 % interval of their paired difference (McNemar: only samples that the two
judge differently count; for average precision and PSNR a bootstrap over images). The
last column says whether int8 is at most one point below float by more than the
interval allows. Of speech, text and spelling models, which have no such interval,
it says whether the metric itself is within bounds.

  benchmarks/accuracy.py [--target=T] [--samples=64] [--limit=N] [MODEL...]
"""
import argparse
import math
import pathlib
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler, loaded
from shaped import Shaped

ALLOWED_DROP = 1.0  # points
# Metrics other than top-1, and how far int8 may be below float.
OTHER_METRICS = {"person_AP50": 0.01, "psnr": 0.5, "faces": None}
# Of models on sequences; where less is better, how far it may be above.
SEQUENCE_METRICS = {"perplexity": 0.05, "per": 0.005, "sisnr_out": -0.1, "speech_pct": None}
# Models that are scored together.
PARTS = {"g2p_encoder_f32": ("g2p_encoder_f32", "g2p_decoder_f32"),
         "dtln_stage1_f32": ("dtln_stage1_f32", "dtln_stage2_f32")}
CLASSIFIED_SEQUENCES = ("mnist_lstm_f32", "magika_v3_3_f32")  # of one shape, with labels
SEQUENCES = ("stories260k_prefill_f32", "silero_vad_16k_f32", *PARTS)


class Recorder:
    """Runs a model and keeps the class that it chose for each sample."""

    def __init__(self, run, offset):
        self.run, self.offset, self.chosen = run, offset, []

    def __call__(self, feeds):
        outputs = self.run(feeds)
        scores = np.asarray(next(iter(outputs.values()))).ravel()[self.offset:]
        self.chosen.append(int(np.argsort(-scores, kind="stable")[0]))
        return outputs


def paired(a, b):
    """Difference b - a of two accuracies on the same samples, in points, with 95 % bounds."""
    n = len(a)
    gained, lost = int(np.sum(b & ~a)), int(np.sum(a & ~b))
    difference = (gained - lost) / n
    spread = math.sqrt(max(gained + lost - (gained - lost) ** 2 / n, 0)) / n
    return tuple(100 * x for x in (difference, difference - 1.96 * spread,
                                   difference + 1.96 * spread))


def paired_ap50(score, a, b, resamples=1000):
    """95 % bounds of the difference of two average precisions on the same images: a paired
    bootstrap. a, b: (detections, boxes) by image, as `score` takes them."""
    rng, images, differences = np.random.default_rng(0), sorted(a[1]), []
    for _ in range(resamples):
        drawn = dict(enumerate(rng.choice(images, len(images))))
        pick = lambda values: {i: values[image] for i, image in drawn.items()}
        differences.append(score(pick(b[0]), pick(b[1])) - score(pick(a[0]), pick(a[1])))
    return tuple(np.percentile(differences, (2.5, 97.5)))


def paired_mean(a, b, resamples=1000):
    """95 % bounds of the mean of b - a: a paired bootstrap over samples."""
    differences = np.asarray(b) - np.asarray(a)
    drawn = np.random.default_rng(0).integers(len(differences), size=(resamples, len(differences)))
    return tuple(np.percentile(differences[drawn].mean(axis=1), (2.5, 97.5)))


def record(name, run, limit):
    """The metrics of a model, and by image what they were computed from: the detections
    and boxes that average precision was, or values whose mean the metric is. None for others."""
    module, seen, outputs = assets.tools(), [], []
    score = module.ap50
    module.ap50 = lambda *sets: seen.append(sets) or score(*sets)

    def keep(feeds):
        outputs.append(copied(run(feeds)))
        return outputs[-1]
    try:
        metrics = assets.evaluate(name, keep, limit)
    finally:
        module.ap50 = score
    if metrics and "psnr" in metrics:
        return metrics, by_image(name, "psnr", outputs)
    return metrics, seen[0] if seen else None


def copied(outputs):
    return {key: np.array(value) for key, value in outputs.items()}


def by_image(name, key, outputs):
    """The values whose means over the first k images `evaluate` gives, with no run anew."""
    values, total = [], 0.0
    for count in range(1, len(outputs) + 1):
        stored = iter(outputs)
        mean = assets.evaluate(name, lambda _: next(stored), count)[key]
        values.append(count * mean - total)
        total = count * mean
    return values


def paired_bounds(key, a, b):
    """95 % bounds of the difference of two metrics by what `record` kept; None without it."""
    if a is None:
        return None
    if key == "psnr":
        return paired_mean(a, b)
    return paired_ap50(assets.tools().ap50, a, b)


def build(name, folder, kind, args):
    out = pathlib.Path(folder) / f"{name}.{kind}.so"
    if kind == "float":
        options = ["-quantize=none"]
    else:
        calibration = assets.calibration_file(name, f"{folder}/{name}.npz", args.samples)
        options = ["-quantize=static", f"-calib={calibration}", *args.options]
    feeds = assets.stored_sets(name)[0][0]
    start = time.time()
    compiler.compile_model(assets.path(name), out, f"-target={args.target}", *options, feeds=feeds)
    seconds = time.time() - start
    run = loaded.Loaded(out) if args.target == "native" else compiler.Artefact(out, args.target)
    return run, seconds


def measure_sequences(name, folder, args):
    """A row of a model, or models, that are run on sequences."""
    key, metrics = None, {}
    for kind, options in (("float", ["-quantize=none"]), ("int8", ["-quantize=static", *args.options])):
        runs = {part: Shaped(part, folder, f"-target={args.target}", *options,
                             calibrated=kind == "int8", samples=args.samples)
                for part in PARTS.get(name, (name,))}
        metrics[kind] = assets.evaluate(name, runs if name in PARTS else runs[name], args.limit)
        key = next(k for k in SEQUENCE_METRICS if k in metrics[kind])
    a, b, bound = metrics["float"][key], metrics["int8"][key], SEQUENCE_METRICS[key]
    good = bound is None or (b <= a + bound if bound > 0 else b >= a + bound)
    return (f"{name:28} {metrics['float'].get('n', 1):5}  {a:7.3f}  {b:7.3f}  {b - a:+6.3f} "
            f"{'':17} {key}"), good


def measure(name, folder, args):
    """One row of the table, and whether it is within bounds."""
    truth = assets.labels(name)
    offset = assets.class_offset(name)
    metrics, chosen, classes, seconds, recorded = {}, {}, {}, {}, {}
    for kind in ("float", "int8"):
        run, seconds[kind] = build(name, folder, kind, args)
        recorder = Recorder(run, offset) if truth is not None else run
        metrics[kind], recorded[kind] = record(name, recorder, args.limit)
        if truth is not None:
            classes[kind] = np.array(recorder.chosen)
            chosen[kind] = classes[kind] == truth[:len(recorder.chosen)]
    if metrics["float"] is None:
        return None, True
    n = metrics["float"]["n"]
    if truth is not None:
        difference, low, high = paired(chosen["float"], chosen["int8"])
        good = high >= -ALLOWED_DROP
        text = (f"{100 * chosen['float'].mean():7.2f}  {100 * chosen['int8'].mean():7.2f}  "
                f"{difference:+6.2f} [{low:+6.2f}, {high:+6.2f}]  top-1 %, "
                f"agree {100 * np.mean(classes['float'] == classes['int8']):.1f} %")
    else:
        key = next(k for k in metrics["float"] if k in OTHER_METRICS)
        a, b = metrics["float"][key], metrics["int8"][key]
        bound = OTHER_METRICS[key]
        interval = f"{'':17}"
        good = bound is None or b >= a - bound
        if bounds := paired_bounds(key, recorded["float"], recorded["int8"]):
            interval, good = f"[{bounds[0]:+6.3f}, {bounds[1]:+6.3f}]", bounds[1] >= -bound
        text = f"{a:7.3f}  {b:7.3f}  {b - a:+6.3f} {interval} {key}"
    return f"{name:28} {n:5}  {text}  ({seconds['int8']:.1f} s to compile)", good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--target", default="native")
    parser.add_argument("--samples", type=int, default=64, help="for calibration")
    parser.add_argument("--limit", type=int, help="score at most so many samples")
    parser.add_argument("--options", type=str.split, default=[], help="more options for qcc")
    args = parser.parse_args()
    names = args.models or [n for n in (*assets.cnn_models(), *CLASSIFIED_SEQUENCES)
                            if not assets.is_quantized(n)] + list(SEQUENCES)
    print(f"{'model':28} {'n':>5}  {'float':>7}  {'int8':>7}  {'int8 - float, 95 % interval'}")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                row, good = (measure_sequences if name in SEQUENCES else measure)(name, folder, args)
            except (compiler.ToolError, RuntimeError) as error:
                row, good = f"{name:28} {error}", False
            if row:
                print(row, "" if good else "  WORSE", flush=True)
            bad += not good
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
