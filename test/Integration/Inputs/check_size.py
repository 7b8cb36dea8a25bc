#!/usr/bin/env python3
"""Compiles a quantized model for one ISA level: at most 1.15 times its weights and 200 KB."""
import pathlib
import sys

from harness import assets, compiler

name, out, target = sys.argv[1:]
compiler.compile_model(assets.path(name), out, f"-target={target}")
size, weights = pathlib.Path(out).stat().st_size, int(assets.manifest()[name]["params"])
print(f"{target}: {size} bytes for {weights} weights")
sys.exit(size > 1.15 * weights + 200_000)
