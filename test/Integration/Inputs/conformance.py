#!/usr/bin/env python3
"""Runs the ONNX conformance suite through qcc and qcc-run.

  conformance.py ASSETS WORK EXPECTED [--update] [--every N]

ASSETS has onnx-backend.tar.xz and ort-testdata (small graphs of ONNX Runtime's
own tests); WORK is a scratch folder. EXPECTED lists the tests
that must pass, one a line: "suite/test" as they are, "suite/test const" with
every input but the first made a constant (shapes, axes, scales: what a
compiler of static shapes needs to know). The rest must fail well: a diagnostic
and exit 1. Fails where an expected test does not pass, or where any test gives
wrong numbers, a crash or a timeout that EXPECTED does not list as "known".
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import resource
import sys
import tarfile
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

from harness import assets, compiler

SUITES = ["node", "node-legacy", "simple", "pytorch-converted", "pytorch-operator", "ort-testdata"]
# Tests that are never left out: of quantization, recurrence and control flow.
ALWAYS = re.compile("quantize|qlinear|integer|_q[lo]|nbits|lstm|gru|rnn|test_if|loop|scan")
RTOL, ATOL = 1e-3, 1e-6
TIMEOUT = 60



def data_sets(folder):
    number = lambda p: int(p.stem.split("_")[-1])
    for data in sorted(folder.glob("test_data_set_*")):
        read = lambda kind: [assets.tools().read_tensor(str(p))[1]
                             for p in sorted(data.glob(f"{kind}_*.pb"), key=number)]
        yield read("input"), read("output")


def bake(model, names, values, out):
    """The same model with all inputs but the first as initializers."""
    model = onnx.load(str(model))
    for name, value in zip(names[1:], values[1:]):
        model.graph.initializer.append(numpy_helper.from_array(value, name))
        for i, item in enumerate(model.graph.input):
            if item.name == name:
                del model.graph.input[i]
                break
    onnx.save(model, str(out))


def close(got, want):
    if got.shape != want.shape or got.dtype != want.dtype:
        return False
    if want.dtype.kind in "fc":
        return np.allclose(got, want, rtol=RTOL, atol=ATOL, equal_nan=True)
    return np.array_equal(got, want)


def attempt(model, names, sets, work):
    """pass, unsupported, wrong or crash, and why."""
    work.mkdir(parents=True, exist_ok=True)
    out = work / "model.so"
    feeds = dict(zip(names, sets[0][0]))
    try:
        compiler.compile_model(model, out, "-quantize=none", feeds=feeds, timeout=TIMEOUT)
    except compiler.ToolError as error:
        clean = error.status == 1 and "error:" in str(error)
        return ("unsupported" if clean else "crash"), str(error)
    except Exception as error:  # a timeout
        return "crash", str(error)
    run = compiler.Artefact(out)
    try:
        for inputs, outputs in sets:
            got = list(run(dict(zip(names, inputs)), timeout=TIMEOUT).values())
            if len(got) != len(outputs) or not all(map(close, got, outputs)):
                return "wrong", ""
    except compiler.ToolError as error:
        return "crash", str(error)
    except Exception as error:
        return "crash", str(error)
    finally:
        out.unlink(missing_ok=True)
    return "pass", ""


def run_test(folder, work):
    try:
        model = onnx.load(str(folder / "model.onnx"))
        constants = {t.name for t in model.graph.initializer}
        names = [i.name for i in model.graph.input if i.name not in constants]
        sets = list(data_sets(folder))
    except Exception as error:
        return "unreadable", str(error)
    if not sets or any(len(inputs) > len(names) for inputs, _ in sets):
        return "unreadable", "inputs missing"
    state, why = attempt(folder / "model.onnx", names, sets, work)
    if state == "unsupported" and len(sets) == 1 and len(names) > 1:
        work.mkdir(parents=True, exist_ok=True)
        baked = work / "const.onnx"
        bake(folder / "model.onnx", names, sets[0][0], baked)
        first = [(sets[0][0][:1], sets[0][1])]
        second, text = attempt(baked, names[:1], first, work)
        baked.unlink(missing_ok=True)
        if second != "unsupported":
            return (second + " const", text)
    return state, why


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help="write EXPECTED anew")
    parser.add_argument("--filter", default="", help="only tests whose name has this")
    parser.add_argument("--every", type=int, default=1, help="of the other tests "
                        "(see ALWAYS), take only each so manieth (by a hash of the name)")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--verbose", action="store_true", help="each test's result and why")
    args = parser.parse_args()

    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
    if not (args.work / "onnx-backend").exists():
        with tarfile.open(args.assets / "onnx-backend.tar.xz") as archive:
            archive.extractall(args.work)
    place = lambda s: args.assets / s if s == "ort-testdata" else args.work / "onnx-backend" / s
    tests = [f for s in args.suites.split(",") for f in sorted(place(s).iterdir())
             if (f / "model.onnx").exists() and re.search(args.filter, f.name)]
    tests = [f for f in tests if ALWAYS.search(f.name) or
             zlib.crc32(f.name.encode()) % args.every == 0]
    name = lambda f: f"{f.parent.name}/{f.name}"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda f: run_test(f, args.work / "out" / name(f)), tests)
        results = dict(zip(map(name, tests), outcomes))

    if args.verbose:
        for test, (state, why) in results.items():
            print(f"{test}: {state} {why.strip().splitlines()[0] if why.strip() else ''}")
    counts = collections.Counter(state for state, _ in results.values())
    print(", ".join(f"{n} {state}" for state, n in counts.most_common()))
    line = {t: {"pass": t, "pass const": f"{t} const", "unsupported": None, "unreadable": None}
            .get(s, f"{t} known {s}") for t, (s, _) in results.items()}
    if args.update:
        args.expected.write_text("".join(f"{l}\n" for l in line.values() if l))
        return 0
    return check(args.expected, results, line)


def check(expected, results, line):
    bad = 0
    listed = {l.split()[0]: l for l in expected.read_text().splitlines() if l}
    for test, (state, why) in results.items():
        want = listed.get(test)
        if want and " known " not in want and line[test] not in (want, test):
            print(f"REGRESSION {test}: {state}, expected {want.partition(' ')[2] or 'pass'}\n{why}")
            bad += 1
        elif state.split()[0] in ("wrong", "crash") and line[test] != want:
            print(f"{state.upper()} {test}\n{why}")
            bad += 1
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
