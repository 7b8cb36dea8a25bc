#!/usr/bin/env python3
"""Compiles a quantized model for one ISA level: at most 1.15 times its weights and 200 KB.
For all levels of x86-64: at most 2.3 times what one of them takes."""
import pathlib
import sys

from harness import assets, compiler


def size_for(name, out, target):
    compiler.compile_model(assets.path(name), out, f"-target={target}")
    return pathlib.Path(out).stat().st_size


name, out, target = sys.argv[1:]
size, weights = size_for(name, out, target), int(assets.manifest()[name]["params"])
print(f"{target}: {size} bytes for {weights} weights")
if target == "x86-64":
    single = size_for(name, out, "x86-avx512-vnni")
    print(f"{size / single:.2f} times one level's {single} bytes")
    sys.exit(size > 2.3 * single)
sys.exit(size > 1.15 * weights + 200_000)
