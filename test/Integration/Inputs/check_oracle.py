#!/usr/bin/env python3
"""Compares explicitly quantized models with ONNX Runtime without optimizations.

Pooled over many inputs. Outputs of a final DequantizeLinear: within one step
on 99.9 % of the elements, two at most. Other outputs: the same argmax on 99 % of
the inputs and an error of at most 1.5 times ONNX Runtime's own between its
optimization levels (or the float bound, if that is more).

ONNX Runtime rounds sums of floats, so near a tie it gives another integer than
the file means, and some networks magnify one such integer to many steps at the
output. Where the first bound is missed, the meaning itself is evaluated in
double precision (harness/exact.py), and two things must hold: each layer, from
the integers that qcc gives it, is exact but for single ties; and the outputs are
no farther from the exact ones than ONNX Runtime's are.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

from harness import assets, compiler, exact, ort, steps

RTOL, ATOL = 1e-3, 1e-5
# Of a layer by itself: the part of its integers that may be a step off.
LAYER_TIES = 1e-4


def compare_steps(run, oracle, inputs, step):
    total, same = steps.Count(), 0
    for feeds in inputs:
        got, want = run(feeds), oracle(feeds)
        for name, s in zip(want, step):
            total += steps.count(got[name], want[name], s)
        same += all(got[n].argmax() == want[n].argmax() for n in want)
    print(f"{total}; argmax {same} of {len(inputs)}: {'pass' if total.good() else 'not as near'}")
    return total.good()


def layers_are_exact(path, model, out, inputs, target):
    """Each layer against its exact result from the same integers."""
    compiler.compile_model(path, out, f"-target={target}", "-keep-tensors", feeds=inputs[0])
    run, differ, total, largest = compiler.Artefact(out, target), 0, 0, 0
    for feeds in inputs:
        with tempfile.TemporaryDirectory() as folder:
            run(feeds, dump=folder)
            tensors = {f.stem: np.load(f) for f in pathlib.Path(folder).glob("*.npy")}
        found = model.layers(feeds, tensors)
        for meant, given in found.values():
            distance = np.abs(meant.astype(int) - given.astype(int))
            differ += np.count_nonzero(distance)
            total += distance.size
            largest = max(largest, distance.max())
    expected = model.count("QuantizeLinear")
    good = len(found) >= 0.8 * expected and largest <= 1 and differ <= LAYER_TIES * total
    print(f"{len(found)} of {expected} layers by themselves: {differ} of {total} integers differ "
          f"from the exact ones, by at most {largest}: {'pass' if good else 'FAIL'}")
    return good


def near_the_exact(model, run, oracle, inputs, step):
    """qcc's outputs against the exact ones, by the distance of ONNX Runtime's."""
    ours, theirs = steps.Count(), steps.Count()
    for feeds in inputs:
        exact, got, other = model(feeds), run(feeds), oracle(feeds)
        for name, s in zip(other, step):
            ours += steps.count(got[name], exact[name], s)
            theirs += steps.count(other[name], exact[name], s)
    good = ours.good() or ours.beyond_one <= 1.1 * theirs.beyond_one and \
        ours.beyond_two <= 1.1 * theirs.beyond_two
    print(f"from the exact outputs, {len(inputs)} inputs: {ours}\nONNX Runtime from them: {theirs}: "
          f"{'pass' if good else 'FAIL'}")
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
    parser.add_argument("--exact", type=int, default=100,
                        help="inputs of the evaluation in double precision, if it is needed")
    args, options = parser.parse_known_args()

    path = assets.path(args.model)
    step = steps.output_steps(path)
    inputs = assets.inputs(args.model, args.count)
    compiler.compile_model(path, args.out, f"-target={args.target}", *options, feeds=inputs[0])
    run = compiler.Artefact(args.out, args.target)
    oracle = ort.Session(path, ort.OPTIMIZE_NONE)
    print(f"{args.model}, {len(inputs)} inputs")
    if not all(step):
        optimized = ort.Session(path, ort.OPTIMIZE_ALL)
        return not compare_floats(run, oracle, optimized, inputs)
    if compare_steps(run, oracle, inputs, step):
        return 0
    model, inputs = exact.Model(path), inputs[:args.exact]
    return not (near_the_exact(model, run, oracle, inputs, step) and
                layers_are_exact(path, model, args.out, inputs[:10], args.target))


if __name__ == "__main__":
    sys.exit(main())
