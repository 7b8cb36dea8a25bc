#!/usr/bin/env python3
"""What each way of quantizing costs in accuracy, on labelled sets of the assets.

Each float model is compiled as it is, with plain int8 by each estimator of
ranges, with each algorithm of -ptq=, as by default (guarded) and under a budget,
always calibrated on the calibration samples, which are never scored. Prints
accuracy (average precision of detectors, PSNR of super-resolution), the 95 %
interval of the paired difference from float, agreement with float in the class
chosen, and the time of an inference. Of models on sequences it prints the metric of
accuracy.py and its difference alone.

With --rescale the model is first made hard to quantize: the channels between
its convolutions are multiplied by factors from 1/100 to 100, which the weights
behind them undo, so that the function stays the same.

  benchmarks/accuracy_study.py [--rescale] [--samples=64] [--limit=N] [MODEL...]
"""
import argparse
import pathlib
import re
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from accuracy import (CLASSIFIED_SEQUENCES, OTHER_METRICS, PARTS, SEQUENCE_METRICS, SEQUENCES,
                      Recorder, paired, paired_bounds, record)
from harness import assets, compiler, loaded
from shaped import Shaped

INT8 = ["-quantize=static", "-precision=int8"]
VARIANTS = [
    ("float", None),
    *((f"int8, {m}", [*INT8, "-ptq=none", f"-calib-method={m}"])
      for m in ("minmax", "percentile", "entropy", "mse", "output", "auto")),
    *((f"int8, auto, {p}", [*INT8, f"-ptq={p}"])
      for p in ("equalize", "smooth", "absorb-bias", "clip-weights", "clip-weights-octav",
                "gptq", "adaround", "correct-bias", "gptq,correct-bias",
                "adaround,correct-bias", "equalize,gptq,correct-bias")),
    ("int8, default", INT8),
    ("guarded (default)", ["-quantize=static"]),
    ("auto, kl:0.01", ["-precision=auto", "-max-drop=kl:0.01"]),
    ("auto, sqnr:20", ["-precision=auto", "-max-drop=sqnr:20"]),
]


def rescale(path, out, seed=11):
    """Multiplies channels between convolutions; returns how many tensors were changed."""
    model, rng, changed = onnx.load(str(path)), np.random.default_rng(seed), 0
    weights = {t.name: t for t in model.graph.initializer}
    users = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    outputs = {o.name for o in model.graph.output}

    def only_user(name):
        return users[name][0] if len(users.get(name, [])) == 1 and name not in outputs else None

    def scale(name, factor):
        array = numpy_helper.to_array(weights[name])
        weights[name].CopyFrom(numpy_helper.from_array((array * factor).astype(array.dtype), name))

    for node in model.graph.node:
        if node.op_type != "Conv" or any(n not in weights for n in node.input[1:]):
            continue
        behind = only_user(node.output[0])
        if behind is not None and behind.op_type == "Relu":
            behind = only_user(behind.output[0])
        if behind is None or behind.op_type != "Conv" or behind.input[1] not in weights:
            continue
        group = next((a.i for a in behind.attribute if a.name == "group"), 1)
        channels = weights[node.input[1]].dims[0]
        if group not in (1, channels):
            continue
        factors = np.float32(2.0) ** rng.uniform(-6.6, 6.6, channels).round()
        scale(node.input[1], factors.reshape(-1, 1, 1, 1))
        for bias in node.input[2:]:
            scale(bias, factors)
        shape = (1, -1, 1, 1) if group == 1 else (-1, 1, 1, 1)
        scale(behind.input[1], 1 / factors.reshape(shape))
        changed += 1
    onnx.save(model, str(out))
    return changed


def milliseconds(run, feeds):
    """The fastest of 20 inferences."""
    best = None
    for _ in range(20):
        start = time.perf_counter()
        run(feeds)
        elapsed = time.perf_counter() - start
        best = elapsed if best is None else min(best, elapsed)
    return 1000 * best


def chosen_variants(args):
    """The label and options of float and of what --variants finds."""
    return [(label, ["-quantize=none"] if options is None else options)
            for label, options in VARIANTS if options is None or args.variants.search(label)]


def study_sequences(name, folder, args):
    reference = None
    for index, (label, options) in enumerate(chosen_variants(args)):
        # A library that is loaded would be found again under its old path.
        place = pathlib.Path(folder) / f"{name}.{index}"
        place.mkdir()
        try:
            runs = {part: Shaped(part, place, *options, calibrated=label != "float",
                                 samples=args.samples, timeout=args.timeout)
                    for part in PARTS.get(name, (name,))}
            metrics = assets.evaluate(name, runs if name in PARTS else runs[name], args.limit)
        except compiler.ToolError as error:
            print(f"{name:24} {label:32} {str(error).splitlines()[-1]}", flush=True)
            continue
        key = next(k for k in SEQUENCE_METRICS if k in metrics)
        reference = metrics[key] if reference is None else reference
        print(f"{name:24} {label:32} {metrics[key]:8.3f}  {metrics[key] - reference:+7.3f}  {key}",
              flush=True)


def study(name, folder, args):
    truth, offset = assets.labels(name), assets.class_offset(name)
    calibration = assets.calibration_file(name, f"{folder}/{name}.npz", args.samples)
    feeds = assets.stored_sets(name)[0][0]
    model = assets.path(name)
    if args.rescale:
        model = pathlib.Path(folder) / f"{name}.onnx"
        print(f"{name}: channels of {rescale(assets.path(name), model)} tensors rescaled")
    reference = {}
    for index, (label, options) in enumerate(chosen_variants(args)):
        out = pathlib.Path(folder) / f"{name}.{index}.so"
        options = options if label == "float" else [*options, f"-calib={calibration}"]
        try:
            compiler.compile_model(model, out, *options, feeds=feeds, timeout=args.timeout)
        except compiler.ToolError as error:
            print(f"{name:24} {label:32} {str(error).splitlines()[-1]}", flush=True)
            continue
        run = loaded.Loaded(out)
        recorder = Recorder(run, offset) if truth is not None else run
        metric, recorded = record(name, recorder, args.limit)
        if truth is not None:
            classes = np.array(recorder.chosen)
            right = classes == truth[:len(classes)]
            first = reference.setdefault("classes", (classes, right))
            difference, low, high = paired(first[1], right)
            text = (f"{100 * right.mean():6.2f} %  {difference:+6.2f} [{low:+6.2f}, {high:+6.2f}]  "
                    f"agree {100 * np.mean(classes == first[0]):6.2f} %")
        else:
            key = next(k for k in metric if k in OTHER_METRICS)
            first, before = reference.setdefault(key, (metric[key], recorded))
            text = f"{metric[key]:8.3f}  {metric[key] - first:+7.3f}"
            if bounds := paired_bounds(key, before, recorded):
                text += f" [{bounds[0]:+7.3f}, {bounds[1]:+7.3f}]"
            text += f"  {key}"
        print(f"{name:24} {label:32} {text}  {milliseconds(run, feeds):8.3f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--rescale", action="store_true")
    parser.add_argument("--samples", type=int, default=64, help="for calibration")
    parser.add_argument("--limit", type=int, help="score at most so many samples")
    parser.add_argument("--variants", type=re.compile, default=re.compile(""),
                        help="besides float, those that a regular expression finds")
    parser.add_argument("--timeout", type=int, default=900, help="of each compilation, seconds")
    args = parser.parse_args()
    names = args.models or [n for n in (*assets.cnn_models(), *CLASSIFIED_SEQUENCES)
                            if not assets.is_quantized(n) and has_metric(n)]
    if not args.models and not args.rescale:
        names += SEQUENCES
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (study_sequences if name in SEQUENCES else study)(name, folder, args)


def has_metric(name):
    """Whether `evaluate` knows the model, without running it."""
    class Known(Exception):
        pass

    def stop(feeds):
        raise Known
    try:
        return assets.evaluate(name, stop, 1) is not None
    except Known:
        return True


if __name__ == "__main__":
    main()
