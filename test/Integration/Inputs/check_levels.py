#!/usr/bin/env python3
"""Every ISA level, thread count and target gives the same integers.

Compiles MODEL with -keep-tensors once as the plain reference loops and once
optimized for each target of --targets; runs them on one input set at each
level that this machine (or an emulated arm64 processor) has, with 1 and 2
threads, and compares each integer tensor and each graph output behind a final
DequantizeLinear byte for byte. Storage may be signed on one target and
unsigned, offset by 128, on another.
"""
import argparse
import pathlib
import sys

import numpy as np

from harness import assets, compiler, steps

# A level that the processor lacks falls back to the next one down.
X86_LEVELS = ["baseline", "avx2", "avx-vnni", "avx512-vnni"]
if "amx_bf16" in pathlib.Path("/proc/cpuinfo").read_text():
    X86_LEVELS.append("amx")
ARM64_PROCESSORS = ["cortex-a53", "cortex-a76", "max"]


def read_dump(folder):
    """{tensor: array} of the 8-bit and wider integers in a dump."""
    tensors = {}
    for file in sorted(folder.glob("**/*.npy")):
        array = np.load(file)
        if array.dtype.kind in "iu":
            if array.dtype == np.uint8:
                array = (array.astype(np.int16) - 128).astype(np.int8)
            tensors[str(file.relative_to(folder))] = array
    return tensors


def variants(target):
    """(name, environment) of each way to run an artefact of the target."""
    if target.startswith("arm64"):
        return [(cpu, {"QCC_QEMU_CPU": cpu}) for cpu in ARM64_PROCESSORS]
    return [(level, {"QCC_ISA": level}) for level in X86_LEVELS]


def compare(title, want, got):
    if set(want) != set(got):
        print(f"{title}: other tensors: {sorted(set(want) ^ set(got))[:5]}")
        return 1
    bad = [n for n in want if want[n].shape != got[n].shape or
           want[n].tobytes() != got[n].tobytes()]
    for name in bad[:5]:
        different = np.count_nonzero(want[name] != got[name])
        print(f"{title}: {name} differs in {different} of {want[name].size} elements")
    return len(bad)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="of the assets, or a path")
    parser.add_argument("work", type=pathlib.Path, help="scratch folder")
    parser.add_argument("--targets", default="x86-64,arm64")
    args, options = parser.parse_known_args()

    path = assets.path(args.model)
    feeds = assets.stored_sets(args.model)[0][0]
    args.work.mkdir(parents=True, exist_ok=True)

    def run(title, options, target, env, threads):
        out = args.work / f"{target}{'-reference' * ('-reference' in options)}.so"
        if not out.exists():
            compiler.compile_model(path, out, f"-target={target}", "-keep-tensors", *options,
                                   feeds=feeds)
        dump = args.work / title
        dump.mkdir()
        outputs = compiler.Artefact(out, target, threads, env)(feeds, dump)
        exact = [o for o, s in zip(outputs.items(), steps.output_steps(path)) if s]
        tensors = read_dump(dump)
        return {**tensors, **{f"output {n}": a for n, a in exact}}

    targets = args.targets.split(",")
    reference = run("reference", [*options, "-reference"], targets[0], {}, 1)
    if not reference:
        print("no integer tensor was dumped")
        return 1
    bad = 0
    for target in targets:
        for name, env in variants(target):
            for threads in (1, 2):
                title = f"{target}-{name}-{threads}"
                bad += compare(title, reference, run(title, options, target, env, threads))
                print(f"{title}: {len(reference)} tensors compared")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
