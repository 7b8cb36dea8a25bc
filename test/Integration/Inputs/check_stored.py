#!/usr/bin/env python3
"""Compiles a model of the assets and compares it with its stored reference outputs.

Float outputs must agree within rtol and atol; --relative adds that part of the
largest output to atol, for outputs whose small elements are differences of
large ones. Outputs of a final DequantizeLinear may differ by whole steps:
one on 99.9 % of the elements, two at most.
"""
import argparse
import sys

import numpy as np

from harness import assets, compiler, steps


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out", help="where the artefact goes")
    parser.add_argument("--target", default="native")
    parser.add_argument("--rtol", type=float, default=1e-3)
    parser.add_argument("--atol", type=float, default=1e-5)
    parser.add_argument("--beyond-one", type=float, help="percent of the elements that may "
                        "differ by more than a step; the largest must be the same")
    parser.add_argument("--relative", type=float, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sets", type=int, default=None, help="at most so many input sets")
    args, options = parser.parse_known_args()

    path = assets.path(args.model)
    sets = assets.stored_sets(args.model)[:args.sets]
    step = steps.output_steps(path)
    bad, shapes = 0, None
    for inputs, references in sets:
        if shapes != {n: x.shape for n, x in inputs.items()}:
            shapes = {n: x.shape for n, x in inputs.items()}
            compiler.compile_model(path, args.out, f"-target={args.target}", "-quantize=none",
                                   *options, feeds=inputs)
            run = compiler.Artefact(args.out, args.target, args.threads)
        outputs = run(inputs)
        for i, reference in references.items():
            name = list(outputs)[i]
            got = outputs[name]
            if got.shape != reference.shape or got.dtype != reference.dtype:
                print(f"{name}: {got.dtype}{got.shape}, expected {reference.dtype}{reference.shape}")
                bad += 1
                continue
            if step[i]:
                count = steps.count(got, reference, step[i])
                print(f"{name}: {count}")
                bad += not (count.good() or args.beyond_one is not None and
                            count.beyond_one <= args.beyond_one and
                            got.argmax() == reference.argmax())
                continue
            error = np.abs(got.astype(np.float64) - reference)
            allowed = (args.atol + args.rtol * np.abs(reference) +
                       args.relative * np.abs(reference).max())
            wrong = int(np.count_nonzero(~(error <= allowed)))
            print(f"{name}: largest error {error.max():.3g}, {wrong} of {error.size} too far")
            bad += wrong != 0
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
