#!/usr/bin/env python3
"""Compares explicitly quantized models with ONNX Runtime without optimizations.

Pooled over many inputs. Outputs of a final DequantizeLinear: within one step
on 99.9 % of the elements, two at most. A softmax before the last quantization
or a chaotic network magnifies single ties of rounding, on which sums of floats
in another order differ; where ONNX Runtime's own optimized code is not that
close to its unoptimized one either, 1.5 times its distance is allowed. Other
outputs: the same argmax on 99 % of the inputs and an error of at most 1.5 times
ONNX Runtime's own (or the float bound, if that is more).
"""
import argparse
import sys

import numpy as np

from harness import assets, compiler, ort, steps

RTOL, ATOL = 1e-3, 1e-5


def compare_steps(run, oracle, optimized, inputs, step, args):
    total, own, same = steps.Count(), steps.Count(), 0
    for feeds in inputs:
        got, want, other = run(feeds), oracle(feeds), optimized(feeds)
        for name, s in zip(want, step):
            total += steps.count(got[name], want[name], s)
            own += steps.count(other[name], want[name], s)
        same += all(got[n].argmax() == want[n].argmax() for n in want)
    near = args.beyond_one is None and not total.good() and \
        total.beyond_one <= 1.5 * own.beyond_one + 0.1 and \
        total.beyond_two <= 1.5 * own.beyond_two + 0.1
    good = total.good() or near or args.beyond_one is not None and \
        total.beyond_one <= args.beyond_one and same >= args.argmax / 100 * len(inputs)
    print(f"{total}; argmax {same} of {len(inputs)}\nONNX Runtime optimized: {own}")
    print("pass" if total.good() else "pass: as near as ONNX Runtime's own" if near else
          "pass: within the bounds of this model" if good else "FAIL")
    return good


def compare_floats(run, oracle, optimized, inputs):
    same = count = 0
    error = own = allowance = 0.0
    for feeds in inputs:
        got, want, other = run(feeds), oracle(feeds), optimized(feeds)
        for name, reference in want.items():
            same += int(got[name].argmax() == reference.argmax())
            count += 1
            error = max(error, float(np.abs(got[name] - reference).max()))
            own = max(own, float(np.abs(other[name] - reference).max()))
            allowance = max(allowance, ATOL + RTOL * float(np.abs(reference).max()))
    bound = max(1.5 * own, allowance)
    good = same >= 0.99 * count and error <= bound
    print(f"argmax {same} of {count}, error {error:.3g} (bound {bound:.3g}, ONNX Runtime's own "
          f"{own:.3g}): {'pass' if good else 'FAIL'}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out", help="where the artefact goes")
    parser.add_argument("--target", default="native")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--beyond-one", type=float, help="percent of the elements that may "
                        "differ by more than a step: this model's own bound")
    parser.add_argument("--argmax", type=float, default=99, help="percent that must agree then")
    args, options = parser.parse_known_args()

    path = assets.path(args.model)
    step = steps.output_steps(path)
    inputs = assets.inputs(args.model, args.count)
    compiler.compile_model(path, args.out, f"-target={args.target}", *options, feeds=inputs[0])
    run = compiler.Artefact(args.out, args.target)
    oracle = ort.Session(path, ort.OPTIMIZE_NONE)
    optimized = ort.Session(path, ort.OPTIMIZE_ALL)
    print(f"{args.model}, {len(inputs)} inputs")
    if all(step):
        return not compare_steps(run, oracle, optimized, inputs, step, args)
    return not compare_floats(run, oracle, optimized, inputs)


if __name__ == "__main__":
    sys.exit(main())
