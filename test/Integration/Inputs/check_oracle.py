#!/usr/bin/env python3
"""Compares explicitly quantized models with ONNX Runtime without optimizations.

Pooled over many inputs. Outputs of a final DequantizeLinear: within one step
on 99.9 % of the elements, two at most. Other outputs: the same argmax on 99 %
of the inputs and an error of at most 1.5 times ONNX Runtime's own
optimized-against-unoptimized one (or the float bound, if that is more).
"""
import argparse
import sys

import numpy as np

from harness import assets, compiler, ort, steps

RTOL, ATOL = 1e-3, 1e-5


def compare_steps(run, oracle, inputs, step):
    total = steps.Count()
    for feeds in inputs:
        got, want = run(feeds), oracle(feeds)
        total += sum((steps.count(got[n], want[n], s) for n, s in zip(want, step)), steps.Count())
    print(f"{total}: {'pass' if total.good() else 'FAIL'}")
    return total.good()


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
    args, options = parser.parse_known_args()

    path = assets.path(args.model)
    step = steps.output_steps(path)
    inputs = assets.inputs(args.model, args.count)
    compiler.compile_model(path, args.out, f"-target={args.target}", *options, feeds=inputs[0])
    run = compiler.Artefact(args.out, args.target)
    oracle = ort.Session(path, ort.OPTIMIZE_NONE)
    print(f"{args.model}, {len(inputs)} inputs: ", end="")
    if all(step):
        return not compare_steps(run, oracle, inputs, step)
    return not compare_floats(run, oracle, ort.Session(path, ort.OPTIMIZE_ALL), inputs)


if __name__ == "__main__":
    sys.exit(main())
