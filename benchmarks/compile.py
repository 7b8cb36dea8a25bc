#!/usr/bin/env python3
"""Compile time, memory and artefact size: benchmarks/compile.py [MODEL...]

int8 is calibrated on 32 samples. The last column is the single-ISA artefact
over its int8 weights (one byte a parameter).
"""
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "utils"))
from harness import assets, compiler

TARGET = "x86-avx512-vnni" if os.uname().machine == "x86_64" else "arm64-dotprod"


def timed(model, out, *options, feeds):
    """Seconds and peak memory in MiB of one compilation."""
    command = [compiler.tool("qcc"), model, "-o", out, *options,
               *compiler.shape_options(model, feeds)]
    start = time.time()
    pid = os.posix_spawn(command[0], [str(c) for c in command], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise compiler.ToolError(os.waitstatus_to_exitcode(status), f"{model}: qcc failed")
    return time.time() - start, usage.ru_maxrss / 1024


def main(names):
    print(f"{'model':28} {'float':>7} {'int8':>7} {'memory':>8} {'float .so':>10} {'int8 .so':>9} "
          f"{'weights':>9} {'ratio':>6}")
    print(f"{'':28} {'s':>7} {'s':>7} {'MiB':>8} {'KB':>10} {'KB':>9} {'KB':>9}")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            feeds = assets.stored_sets(name)[0][0]
            calibration = assets.calibration_file(name, f"{folder}/calib.npz", 32)
            float_so, int8_so = f"{folder}/float.so", f"{folder}/int8.so"
            float_s, _ = timed(assets.path(name), float_so, "-quantize=none",
                               f"-target={TARGET}", feeds=feeds)
            int8_s, memory = timed(assets.path(name), int8_so, f"-calib={calibration}",
                                   f"-target={TARGET}", feeds=feeds)
            weights = int(assets.manifest()[name]["params"])
            sizes = [pathlib.Path(p).stat().st_size for p in (float_so, int8_so)]
            print(f"{name:28} {float_s:7.2f} {int8_s:7.2f} {memory:8.0f} {sizes[0] / 1e3:10.0f} "
                  f"{sizes[1] / 1e3:9.0f} {weights / 1e3:9.0f} {sizes[1] / weights:6.2f}",
                  flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [n for n in assets.cnn_models() if not assets.is_quantized(n)])
