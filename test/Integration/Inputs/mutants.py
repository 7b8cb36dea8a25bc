#!/usr/bin/env python3
"""Compiles seeded mutations of small models: each must succeed or fail well.

  mutants.py WORK COUNT MODEL...

A mutant has a few bytes changed, removed or inserted. Compiling it must exit
0, or exit 1 with an error and no output; never crash, hang or eat the memory.
"""
import concurrent.futures
import os
import pathlib
import random
import resource
import subprocess
import sys

from harness import compiler

TIMEOUT, MEMORY = 60, 8 << 30


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 2:
            del data[at:at + rng.randint(1, 4)]
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 4)))
    return bytes(data)


def attempt(job):
    seed, data, work = job
    model, out = work / f"{seed}.onnx", work / f"{seed}.so"
    model.write_bytes(data)
    try:
        done = subprocess.run([compiler.tool("qcc"), model, "-o", out], timeout=TIMEOUT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        status, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        status, text = "timeout", ""
    good = status == 0 and out.exists() or \
        status == 1 and "error:" in text and not out.exists()
    out.unlink(missing_ok=True)
    if good:
        model.unlink()
        return None
    return f"{model}: {status}\n{text[-2000:]}"


def main(work, count, models):
    work.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    jobs = []
    for seed in range(count):
        rng = random.Random(seed)
        data = pathlib.Path(models[seed % len(models)]).read_bytes()
        jobs.append((seed, mutate(data, rng), work))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = [r for r in pool.map(attempt, jobs) if r]
    print("\n".join(bad[:10]))
    print(f"{count} mutants, {len(bad)} failed badly")
    return len(bad) != 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
